//! Operators on the visitor that determines the variant of an enum by JSON type.

use std::collections::BTreeMap;

use quote::{ToTokens, format_ident};
use syn::{
    ExprPath, Ident, ImplItem, ImplItemFn, Item, ItemImpl, Stmt, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::{Turn, Types};

/// Returns the variants of each enum.
pub(super) fn variants(items: &[Item]) -> BTreeMap<String, Vec<Ident>> {
    let enums = items.iter().filter_map(|item| match item {
        Item::Enum(item) => {
            let variants = item.variants.iter().map(|variant| variant.ident.clone());
            Some((item.ident.to_string(), variants.collect()))
        }
        _ => None,
    });
    enums.collect()
}

/// Changes the visitor in the deserialization of an enum.
pub(super) fn visit(
    operator: Types,
    item: &mut ItemImpl,
    variants: &BTreeMap<String, Vec<Ident>>,
    turn: &mut Turn,
) {
    let owner = item.self_ty.to_token_stream().to_string();
    let Some(variants) = variants.get(&owner) else { return };
    let Some(methods) = visitor(item) else { return };
    match operator {
        Types::JsonTypeLeftOut => {
            for index in (0..methods.len()).rev() {
                if let Some(name) = name_of(&methods[index])
                    && turn.here(|| format!("{owner}: {name}"))
                {
                    methods.remove(index);
                }
            }
        }
        Types::JsonTypeAdded => {
            let known: Vec<String> = methods.iter().filter_map(name_of).collect();
            for (method, argument, deserializer) in MORE {
                let Some(variant) = variants.first().filter(|_| !known.contains(&method.to_owned())) else {
                    continue;
                };
                if turn.here(|| format!("{owner}: {method}")) {
                    methods.push(made(method, argument, deserializer, &owner, variant));
                }
            }
        }
        Types::JsonTypeOfAnotherVariant => {
            for method in methods {
                let (Some(name), ImplItem::Fn(method)) = (name_of(method), method) else { continue };
                for variant in variants {
                    let mut swap = Swap { owner: &owner, variant, done: false };
                    let mut changed = method.clone();
                    swap.visit_impl_item_fn_mut(&mut changed);
                    if swap.done && turn.here(|| format!("{owner}: {name} as {variant}")) {
                        *method = changed;
                    }
                }
            }
        }
        Types::HandedOnOtherwise => {
            for method in methods {
                let (Some(name), ImplItem::Fn(method)) = (name_of(method), method) else { continue };
                if turn.here(|| format!("{owner}: {name}")) {
                    method.block.stmts.insert(0, parse_quote!(let value = ::std::convert::identity(value);));
                }
            }
        }
        _ => {}
    }
}

/// Methods that a visitor may have, their arguments, and what passes these on.
const MORE: [(&str, &str, &str); 6] = [
    ("visit_bool", "bool", "BoolDeserializer"),
    ("visit_i64", "i64", "I64Deserializer"),
    ("visit_f64", "f64", "F64Deserializer"),
    ("visit_str", "&str", "StrDeserializer"),
    ("visit_seq", "SeqAccess", "SeqAccessDeserializer"),
    ("visit_map", "MapAccess", "MapAccessDeserializer"),
];

/// Returns the method as the generator writes it, so that only its existence is wrong.
fn made(method: &str, argument: &str, deserializer: &str, owner: &str, variant: &Ident) -> ImplItem {
    let [method, deserializer, owner] = [method, deserializer, owner].map(|name| format_ident!("{name}"));
    let body: syn::Expr = parse_quote! {
        ::serde::Deserialize::deserialize(::serde::de::value::#deserializer::new(value)).map(#owner::#variant)
    };
    if argument.ends_with("Access") {
        let access = format_ident!("{argument}");
        return parse_quote! {
            fn #method<__A: ::serde::de::#access<'de>>(
                self,
                value: __A,
            ) -> ::std::result::Result<Self::Value, __A::Error> {
                #body
            }
        };
    }
    let text = argument.starts_with('&');
    let ty: syn::Type = if text {
        parse_quote!(&str)
    } else {
        let ty = format_ident!("{argument}");
        parse_quote!(#ty)
    };
    parse_quote! {
        fn #method<__E: ::serde::de::Error>(self, value: #ty) -> ::std::result::Result<Self::Value, __E> {
            #body
        }
    }
}

/// Returns the items of the visitor in an implementation of `Deserialize`.
fn visitor(item: &mut ItemImpl) -> Option<&mut Vec<ImplItem>> {
    let functions = item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    });
    functions.flat_map(|function| &mut function.block.stmts).find_map(|stmt| match stmt {
        Stmt::Item(Item::Impl(inner)) => Some(&mut inner.items),
        _ => None,
    })
}

/// Returns the name of a method that receives values.
fn name_of(item: &ImplItem) -> Option<String> {
    let ImplItem::Fn(ImplItemFn { sig, .. }) = item else { return None };
    Some(sig.ident.to_string()).filter(|name| name.starts_with("visit_"))
}

/// Replaces a variant with another one of the enum.
struct Swap<'a> {
    owner: &'a str,
    variant: &'a Ident,
    done: bool,
}

impl VisitMut for Swap<'_> {
    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        visit_mut::visit_expr_path_mut(self, expr);
        if expr.path.segments.len() == 2
            && expr.path.segments[0].ident == self.owner
            && expr.path.segments[1].ident != *self.variant
        {
            expr.path.segments[1].ident = self.variant.clone();
            self.done = true;
        }
    }
}
