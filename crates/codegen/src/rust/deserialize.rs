//! Replaces serde's derived deserialization of structs by a macro of the runtime, which expands to a sixth of the code.
//!
//! The macro reads objects only, and knows no attributes but the usual ones of fields. A struct with others keeps the derive.

use quote::{ToTokens, quote};
use syn::{
    Expr, Field, Fields, Item, ItemMacro, ItemMod, ItemStruct, Lit, Meta, Path, Token, parse_quote,
    punctuated::Punctuated,
};

use super::{
    serde, type_text,
    types::{derives, drop_derive},
};

/// Replaces it for the structs of a module.
pub(super) fn shorten(module: &mut ItemMod, runtime: &Path) {
    let Some((_, items)) = &mut module.content else { return };
    let mut done = Vec::new();
    for mut item in std::mem::take(items) {
        let reading = match &mut item {
            Item::Struct(item) => of_struct(item, runtime),
            _ => None,
        };
        done.push(item);
        done.extend(reading.map(Item::Macro));
    }
    *items = done;
}

/// Removes the derive from a struct and returns the invocation of the macro that stands for it.
pub(super) fn of_struct(item: &mut ItemStruct, runtime: &Path) -> Option<ItemMacro> {
    let Fields::Named(fields) = &item.fields else { return None };
    let plain =
        item.generics.params.is_empty() && !item.attrs.iter().any(|attr| attr.path().is_ident("serde"));
    if !plain || !derives(&item.attrs, "Deserialize") {
        return None;
    }
    let (mut members, mut rest) = (Vec::new(), None);
    for field in &fields.named {
        let name = field.ident.as_ref()?;
        match member(field, runtime)? {
            Member::Named(how, wire) => {
                let wire = (name != &wire).then_some(wire);
                members.push(quote!(#how #name #wire));
            }
            Member::Rest if rest.is_none() => rest = Some(name),
            Member::Rest => return None,
        }
    }
    let name = &item.ident;
    let reading = parse_quote!(#runtime::deserialize!(#name { #(#members),* } #rest););
    drop_derive(&mut item.attrs, "Deserialize");
    Some(reading)
}

enum Member {
    /// With the word of the macro for it, and its name in JSON.
    Named(syn::Ident, String),
    /// The map of all members without a field.
    Rest,
}

/// Returns what a field is read from, or `None` if the macro does not know the form.
fn member(field: &Field, runtime: &Path) -> Option<Member> {
    let ty = type_text(&field.ty);
    let present = quote!(#runtime::union::present).to_string().replace(' ', "");
    let (mut flatten, mut default, mut by) = (false, false, None);
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        for meta in attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()? {
            match (meta.path().to_token_stream().to_string().as_str(), &meta) {
                ("rename" | "skip_serializing_if", _) => {}
                ("default", Meta::Path(_)) => default = true,
                ("flatten", Meta::Path(_)) => flatten = true,
                ("deserialize_with", Meta::NameValue(meta)) if is_option(&ty) => {
                    by = Some(text(&meta.value)?);
                }
                _ => return None,
            }
        }
    }
    if flatten {
        let map = [
            "::serde_json::Map<::std::string::String,",
            "::std::collections::HashMap<::std::string::String,",
        ];
        return map.iter().any(|map| ty.starts_with(map)).then_some(Member::Rest);
    }
    let how = match by.as_deref() {
        None if default || is_option(&ty) => "optional",
        None => "required",
        Some(by) if by == present && default => "present",
        // The derive accepts null then, but not absence; so does the macro.
        Some("::std::option::Option::deserialize") if !default => "required",
        Some(_) => return None,
    };
    Some(Member::Named(quote::format_ident!("{how}"), serde::read(field).wire))
}

fn is_option(ty: &str) -> bool {
    ["::std::option::Option<", "Option<"].iter().any(|option| ty.starts_with(option))
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value().replace(' ', "")),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the invocation for a struct with these fields, or its derives if it keeps them.
    fn reading(fields: &str) -> String {
        let source = format!("#[derive(::serde::Deserialize, Clone)] pub struct One {{ {fields} }}");
        let mut item: ItemStruct = syn::parse_str(&source).unwrap();
        let text = match of_struct(&mut item, &parse_quote!(crate)) {
            Some(reading) => {
                assert!(!derives(&item.attrs, "Deserialize"));
                reading.mac.tokens.to_string()
            }
            None => item.attrs.iter().map(|attr| attr.to_token_stream().to_string()).collect(),
        };
        text.replace(' ', "")
    }

    #[test]
    fn each_member_has_its_word() {
        let fields = r#"
            pub a: i64,
            #[serde(rename = "$b")]
            pub b: ::std::string::String,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub c: ::std::option::Option<bool>,
            #[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]
            pub d: ::std::vec::Vec<bool>,
            #[serde(default, deserialize_with = "crate::union::present")]
            pub e: ::std::option::Option<::serde_json::Value>,
            #[serde(deserialize_with = "crate::union::present", default)]
            pub f: ::std::option::Option<::serde_json::Value>,
            #[serde(deserialize_with = "::std::option::Option::deserialize")]
            pub g: ::std::option::Option<bool>,
            pub r#type: bool,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>
        "#;
        let expected = r#"One{requireda,requiredb"$b",optionalc,optionald,presente,presentf,requiredg,requiredr#type"type"}extra"#;
        assert_eq!(reading(fields), expected);
    }

    #[test]
    fn a_derive_of_another_crate_stays() {
        let source = "#[derive(::serde::Deserialize, ::rkyv::Deserialize)] pub struct One { pub a: i64 }";
        let mut item: ItemStruct = syn::parse_str(source).unwrap();
        let reading = of_struct(&mut item, &parse_quote!(crate));
        assert!(reading.is_some());
        assert_eq!(item.attrs, [parse_quote!(#[derive(::rkyv::Deserialize)])]);
        // Without that of serde, there is nothing to replace.
        assert!(of_struct(&mut item, &parse_quote!(crate)).is_none());
    }

    #[test]
    fn other_forms_keep_the_derive() {
        for fields in [
            "#[serde(default = \"five\")] pub a: i64",
            "#[serde(deserialize_with = \"other\")] pub a: i64",
            "#[serde(deserialize_with = \"::std::option::Option::deserialize\")] pub a: i64",
            "#[serde(default, deserialize_with = \"::std::option::Option::deserialize\")] pub a: Option<i64>",
            "#[serde(with = \"other\")] pub a: i64",
            "#[serde(flatten)] pub part: ::std::option::Option<Part>",
            "#[serde(flatten)] pub a: ::serde_json::Map<::std::string::String, bool>, #[serde(flatten)] pub b: ::serde_json::Map<::std::string::String, bool>",
        ] {
            assert_eq!(reading(fields), "#[derive(::serde::Deserialize,Clone)]", "{fields}");
        }
    }
}
