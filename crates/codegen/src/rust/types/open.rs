//! Opens string enums: a value that the document does not list is kept and written unchanged.
//!
//! With a closed one, a whole response would fail once the API adds a value. An enum that is an alternative among other strings stays
//! closed: otherwise the union would decode every string as its first variant. Members that distinguish alternatives need not be closed,
//! because the union checks them itself.

use std::collections::BTreeSet;

use quote::{format_ident, quote};
use syn::{Fields, Item, ItemEnum, ItemMacro, ItemMod, Path, Type, parse_quote};

use super::{derives, drop_derive};
use crate::rust::{serde, type_text};

/// How types of other crates begin that are read from strings.
const TEXTS: [&str; 3] = ["::std::string::String", "::chrono::", "::std::net::"];

pub(super) fn open(module: &mut ItemMod, runtime: &Path) {
    let Some((_, items)) = &mut module.content else { return };
    let closed = telling_apart(items);
    let opened: BTreeSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Enum(item) if is_of_text(item) && !closed.contains(&item.ident.to_string()) => {
                Some(item.ident.to_string())
            }
            _ => None,
        })
        .collect();
    items.retain(|item| !is_display_of(item, &opened));
    let mut done = Vec::new();
    for mut item in std::mem::take(items) {
        let conversions = match &mut item {
            Item::Enum(item) if opened.contains(&item.ident.to_string()) => Some(open_one(item, runtime)),
            _ => None,
        };
        done.push(item);
        done.extend(conversions.map(Item::Macro));
    }
    *items = done;
}

/// Adds the variant for other values. Returns the macro with the conversions from and to strings, of which deserialization is one.
fn open_one(item: &mut ItemEnum, runtime: &Path) -> ItemMacro {
    drop_derive(&mut item.attrs, "Copy");
    drop_derive(&mut item.attrs, "Deserialize");
    let name = &item.ident;
    let known: Vec<_> = item
        .variants
        .iter()
        .map(|variant| {
            let text = serde::renamed(&variant.attrs).unwrap_or_else(|| variant.ident.to_string());
            (variant.ident.clone(), text)
        })
        .collect();
    let names = ["Other", "Unlisted", "Unknown"];
    let is_free = |name: &&&str| !known.iter().any(|(variant, _)| variant == **name);
    let other = format_ident!("{}", names.iter().find(is_free).unwrap_or(&"OtherValue"));
    let listed = known.iter().map(|(variant, text)| quote!(#variant #text));
    let conversions = parse_quote!(#runtime::open_enum!(#name { #(#listed),* } #other););
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    item.variants.push(parse_quote! {
        /// A value that the document does not list.
        #[serde(untagged)]
        #other(::std::string::String)
    });
    conversions
}

/// Returns whether an enum lists strings.
fn is_of_text(item: &ItemEnum) -> bool {
    let plain = item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
    let tags = item.attrs.iter().any(|attr| attr.path().is_ident("serde"));
    plain && !tags && !item.variants.is_empty() && derives(&item.attrs, "Serialize")
}

fn is_display_of(item: &Item, names: &BTreeSet<String>) -> bool {
    let Item::Impl(item) = item else { return false };
    let Some((path, _)) = &item.trait_ else { return false };
    let is_display = path.segments.last().is_some_and(|last| last.ident == "Display");
    is_display && type_name(&item.self_ty).is_some_and(|name| names.contains(&name))
}

/// Returns the string enums that are variants next to another one or to another type that is read from strings.
fn telling_apart(items: &[Item]) -> BTreeSet<String> {
    let enums = items.iter().filter_map(|item| match item {
        Item::Enum(item) => Some(item),
        _ => None,
    });
    let (texts, others): (Vec<&ItemEnum>, Vec<&ItemEnum>) = enums.partition(|item| is_of_text(item));
    let texts: BTreeSet<String> = texts.iter().map(|item| item.ident.to_string()).collect();
    let mut closed = BTreeSet::new();
    for item in others {
        let types = item.variants.iter().flat_map(|variant| &variant.fields).map(|field| &field.ty);
        let is_enum = |ty| type_name(ty).is_some_and(|name| texts.contains(&name));
        let types: Vec<&Type> = types.filter(|ty| is_enum(ty) || is_text(ty)).collect();
        if types.len() > 1 {
            closed.extend(types.into_iter().filter_map(type_name));
        }
    }
    closed
}

fn is_text(ty: &Type) -> bool {
    let ty = type_text(ty);
    TEXTS.iter().any(|text| ty.starts_with(text))
}

fn type_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn opened(module: ItemMod) -> String {
        let mut module = module;
        open(&mut module, &parse_quote!(crate));
        module.to_token_stream().to_string()
    }

    #[test]
    fn a_value_that_is_not_listed_is_kept() {
        let text = opened(parse_quote! {
            mod types {
                #[derive(::serde::Serialize, ::serde::Deserialize, Clone, Copy, Debug)]
                pub enum Status {
                    #[serde(rename = "on")]
                    On,
                    #[serde(rename = "other")]
                    Other,
                }
            }
        });
        assert!(text.contains("Unlisted (:: std :: string :: String)"), "{text}");
        assert!(
            text.contains("crate :: open_enum ! (Status { On \"on\" , Other \"other\" } Unlisted) ;"),
            "{text}"
        );
        assert!(!text.contains("Copy") && !text.contains("Deserialize"), "{text}");
    }

    #[test]
    fn an_alternative_beside_other_texts_stays_closed() {
        let text = opened(parse_quote! {
            mod types {
                #[derive(::serde::Serialize)]
                pub enum Word { #[serde(rename = "now")] Now }
                #[derive(::serde::Serialize)]
                pub enum Kind { #[serde(rename = "car")] Car }
                pub struct Car { pub kind: Kind }
                #[serde(untagged)]
                pub enum When { Word(Word), Text(::std::string::String), Car(Car) }
            }
        });
        assert!(text.contains("(Kind {") && !text.contains("(Word {"), "{text}");
    }

    #[test]
    fn an_alternative_beside_a_date_or_an_address_stays_closed() {
        for ty in [
            "::chrono::DateTime<::chrono::offset::Utc>",
            "::chrono::naive::NaiveDate",
            "::std::net::Ipv4Addr",
            "::std::net::Ipv6Addr",
            "::std::net::IpAddr",
        ] {
            let ty: Type = syn::parse_str(ty).unwrap();
            let text = opened(parse_quote! {
                mod types {
                    #[derive(::serde::Serialize)]
                    pub enum Word { #[serde(rename = "now")] Now }
                    #[serde(untagged)]
                    pub enum When { Word(Word), Other(#ty) }
                }
            });
            assert!(!text.contains("(Word {"), "{text}");
        }
    }
}
