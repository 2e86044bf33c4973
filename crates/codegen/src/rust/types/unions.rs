//! Turns the placeholder structs of unions into enums. `adapt/unions` explains their forms.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Fields, Ident, Item, ItemMod, ItemStruct, Path, Type, parse_quote};

use super::{drop_derive, edit_derives};
use crate::{
    adapt::{Check, PLACEHOLDER, Test, Union, Unions},
    rules::flags,
    rust::{serde, type_text},
};

/// Generates the enums.
pub(super) fn write(module: &mut ItemMod, unions: &Unions, runtime: &Path) -> Result<(), String> {
    let Some((_, items)) = &mut module.content else { return Ok(()) };
    let mut done = Vec::new();
    for item in std::mem::take(items) {
        match &item {
            Item::Struct(placeholder) => match alternatives(placeholder)? {
                Some((name, types)) => {
                    let union = unions.get(&name).ok_or_else(|| format!("there is no union `{name}`"))?;
                    done.extend(written(placeholder, union, &types, runtime));
                }
                None => done.push(item),
            },
            _ => done.push(item),
        }
    }
    *items = done;
    Ok(())
}

/// Returns the union that a struct is the placeholder of, and the types of its alternatives in order.
fn alternatives(item: &ItemStruct) -> Result<Option<(String, Vec<Type>)>, String> {
    let Fields::Named(fields) = &item.fields else { return Ok(None) };
    let mut types = BTreeMap::new();
    let mut union = None;
    for field in &fields.named {
        let wire = serde::read(field).wire;
        if let Some((name, index)) = wire.strip_prefix(PLACEHOLDER).and_then(|rest| rest.split_once('/')) {
            union = Some(name.to_owned());
            types.insert(index.parse::<usize>().unwrap_or(usize::MAX), field.ty.clone());
        }
    }
    let Some(name) = union else { return Ok(None) };
    if types.len() < fields.named.len() || !types.keys().copied().eq(0..types.len()) {
        return Err(format!("`{}` merges the union `{name}` with something else", item.ident));
    }
    Ok(Some((name, types.into_values().collect())))
}

fn written(placeholder: &ItemStruct, union: &Union, types: &[Type], runtime: &Path) -> Vec<Item> {
    let name = &placeholder.ident;
    let mut attrs = placeholder.attrs.clone();
    attrs.retain(|attr| !attr.path().is_ident("serde"));
    edit_derives(&mut attrs, |paths| {
        *paths = std::mem::take(paths).into_iter().filter(|path| !path.is_ident("Default")).collect();
    });
    let variants: Vec<Ident> = union.alternatives.iter().map(|one| format_ident!("{}", one.name)).collect();
    let conversions = conversions(name, &variants, types);
    if union.by_type {
        let mut items: Vec<Item> = vec![parse_quote! {
            #(#attrs)*
            #[serde(untagged)]
            pub enum #name { #(#variants(#types),)* }
        }];
        items.extend(conversions);
        return items;
    }
    drop_derive(&mut attrs, "Deserialize");
    let names = ["Other", "Unlisted", "Unknown"];
    let other = names.into_iter().find(|name| !variants.iter().any(|variant| variant == name));
    let other = format_ident!("{}", other.unwrap_or("OtherValue"));
    let reading = union.alternatives.iter().zip(&variants).map(|(one, variant)| {
        let when = all(&one.checks).map(|checks| quote!(.when(|value| #checks)));
        let tagged = all(&one.tags).map(|tags| quote!(.tagged(|value| #tags)));
        quote! {
            #runtime::union::Variant::new(|value| ::serde::Deserialize::deserialize(value).map(Self::#variant))#when #tagged
        }
    });
    let mut items: Vec<Item> = vec![
        parse_quote! {
            #(#attrs)*
            #[serde(untagged)]
            #[non_exhaustive]
            pub enum #name {
                #(#variants(#types),)*
                /// A value that no other variant keeps whole, as JSON.
                #other(::serde_json::Value),
            }
        },
        parse_quote! {
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<__D: ::serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::std::result::Result<Self, __D::Error> {
                    #runtime::union::read(deserializer, &[#(#reading,)*], Self::#other)
                }
            }
        },
    ];
    items.extend(conversions);
    items
}

/// Generates `From` for the type of a variant, if no other variant has it.
fn conversions(name: &Ident, variants: &[Ident], types: &[Type]) -> Vec<Item> {
    let texts: Vec<String> = types.iter().map(type_text).collect();
    let once = |index: &usize| texts.iter().filter(|text| **text == texts[*index]).count() == 1;
    // Strings are converted from any text later on.
    let converts =
        |index: &usize| texts[*index] != "::std::string::String" && texts[*index] != "::serde_json::Value";
    let conversion = |index: usize| {
        let (variant, ty) = (&variants[index], &types[index]);
        parse_quote! {
            impl ::std::convert::From<#ty> for #name {
                fn from(value: #ty) -> Self {
                    Self::#variant(value)
                }
            }
        }
    };
    (0..types.len()).filter(once).filter(converts).map(conversion).collect()
}

/// Returns an expression that all of these hold, or `None` if there are none.
fn all(checks: &[Check]) -> Option<TokenStream> {
    match checks {
        [] => None,
        [only] => Some(check(only)),
        several => {
            let several = several.iter().map(|one| match one {
                Check::Member { test: Test::OneOf(_), .. } => {
                    let check = check(one);
                    quote!((#check))
                }
                _ => check(one),
            });
            Some(quote!(#(#several)&&*))
        }
    }
}

fn check(one: &Check) -> TokenStream {
    match one {
        Check::Present(name) => quote!(value.get(#name).is_some()),
        Check::Not(checks) => {
            let checks = all(checks);
            quote!(!(#checks))
        }
        Check::Member { name, optional, test: Test::OneOf(values) } => {
            let mut tests: Vec<TokenStream> = values.iter().map(|value| equals(name, value)).collect();
            if *optional && !values.contains(&Value::Null) {
                tests.insert(0, quote!(value[#name].is_null()));
            }
            quote!(#(#tests)||*)
        }
        Check::Member { name, test: Test::Bound(operator, limit), .. } => {
            let operator: TokenStream = operator.parse().unwrap_or_default();
            quote!(value[#name].as_f64().is_none_or(|number| number #operator #limit))
        }
        Check::Member { name, test: Test::Length(operator, limit), .. } => {
            let operator: TokenStream = operator.parse().unwrap_or_default();
            let limit = proc_macro2::Literal::u64_unsuffixed(*limit);
            quote!(value[#name].as_str().is_none_or(|text| text.chars().count() #operator #limit))
        }
        Check::Member { name, test: Test::Pattern(pattern), .. } => {
            let flags = flags(pattern).unwrap_or_default();
            quote! {
                value[#name].as_str().is_none_or(|text| {
                    static PATTERN: ::std::sync::LazyLock<::std::option::Option<::regress::Regex>> =
                        ::std::sync::LazyLock::new(|| ::regress::Regex::with_flags(#pattern, #flags).ok());
                    PATTERN.as_ref().is_none_or(|pattern| pattern.find(text).is_some())
                })
            }
        }
    }
}

fn equals(name: &str, value: &Value) -> TokenStream {
    match value {
        Value::String(text) => quote!(value[#name] == #text),
        Value::Bool(value) => quote!(value[#name] == #value),
        Value::Number(number) => match (number.as_f64(), number.as_i64()) {
            // 1 and 1.0 are the same number. Above this limit, floats do not distinguish integers.
            (Some(number), _) if number.abs() < 9_007_199_254_740_992.0 => {
                quote!(value[#name].as_f64() == ::std::option::Option::Some(#number))
            }
            (_, Some(number)) => quote!(value[#name] == #number),
            (number, None) => {
                let number = number.unwrap_or_default();
                quote!(value[#name] == #number)
            }
        },
        _ => quote!(value[#name].is_null()),
    }
}
