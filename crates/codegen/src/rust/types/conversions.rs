//! Removes conversions that nobody needs, and adds conversions from strings to unions that contain one.
//!
//! typify parses strings into enums and unions, fallibly. Open enums are created from any string, and no program would parse a union that
//! happens to consist of values with a text form.

use quote::ToTokens;
use syn::{Fields, Item, ItemEnum, ItemImpl, ItemMod, Type, parse_quote};

use super::invoked;
use crate::rust::type_text;

pub(super) fn settle(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    let enums = parsing(items);
    let of_enum = |item: &ItemImpl| enums.contains(&item.self_ty.to_token_stream().to_string());
    items.retain(|item| !matches!(item, Item::Impl(item) if of_enum(item) && parses_text(item)));
    let uses_error = items.iter().any(|item| {
        let is_error = matches!(item, Item::Mod(module) if module.ident == "error");
        !is_error && item.to_token_stream().to_string().contains("ConversionError")
    });
    if !uses_error {
        items.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "error"));
    }
    let texts: Vec<Item> = items
        .iter()
        .filter_map(|item| match item {
            Item::Enum(item) => text_conversions(item, items),
            _ => None,
        })
        .flatten()
        .collect();
    items.extend(texts);
}

/// Returns the enums, and the newtypes around them, which are still parsed.
fn parsing(items: &[Item]) -> Vec<String> {
    let enums = items.iter().filter_map(|item| match item {
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    });
    let mut known: Vec<String> = enums.collect();
    let newtypes: Vec<(String, String)> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => match &item.fields {
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    Some((item.ident.to_string(), type_text(&fields.unnamed[0].ty)))
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    // A newtype may contain another.
    for _ in 0..newtypes.len() {
        let more = newtypes.iter().find(|(name, inner)| known.contains(inner) && !known.contains(name));
        let Some((name, _)) = more else { break };
        known.push(name.clone());
    }
    known
}

fn parses_text(item: &ItemImpl) -> bool {
    let Some((path, _)) = &item.trait_ else { return false };
    let text = path.to_token_stream().to_string().replace(' ', "");
    text == "::std::str::FromStr"
        || ["&str", "String", "&String", "::std::string::String", "&::std::string::String"]
            .iter()
            .any(|source| text == format!("::std::convert::TryFrom<{source}>"))
}

/// Generates `From<&str>` and `From<String>` for a union with a single variant for strings.
fn text_conversions(item: &ItemEnum, items: &[Item]) -> Option<[Item; 2]> {
    let texts: Vec<_> = item
        .variants
        .iter()
        .filter(|variant| match &variant.fields {
            Fields::Unnamed(fields) => {
                fields.unnamed.len() == 1 && type_text(&fields.unnamed[0].ty) == "::std::string::String"
            }
            _ => false,
        })
        .collect();
    let [variant] = texts.as_slice() else { return None };
    let (name, variant) = (&item.ident, &variant.ident);
    let has = |source: &str| {
        items.iter().any(|item| match item {
            Item::Impl(ItemImpl { trait_: Some((path, _)), self_ty, .. }) => {
                let of_this = matches!(&**self_ty, Type::Path(path) if path.path.is_ident(name));
                of_this
                    && path.to_token_stream().to_string().replace(' ', "")
                        == format!("::std::convert::From<{source}>")
            }
            _ => false,
        })
    };
    let is_open = items.iter().any(|item| invoked(item, "open_enum").is_some_and(|owner| name == &owner));
    if is_open || has("::std::string::String") || has("&str") {
        return None;
    }
    Some([
        parse_quote! {
            impl ::std::convert::From<&str> for #name {
                fn from(text: &str) -> Self {
                    Self::#variant(text.to_owned())
                }
            }
        },
        parse_quote! {
            impl ::std::convert::From<::std::string::String> for #name {
                fn from(text: ::std::string::String) -> Self {
                    Self::#variant(text)
                }
            }
        },
    ])
}
