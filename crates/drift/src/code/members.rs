//! The macros from which a type is read: what they must say, given the type and its attributes for serde.
//!
//! A macro repeats names that stand in the type as well. It has to say the same as the attributes, which decide how the type is written, and
//! which are compared with the document.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Field, Fields, Item, ItemEnum, ItemMacro, ItemStruct};

use super::{
    tokens::{arguments, text},
    types::{has_own_default, insists, serde, tells_null},
};

/// Returns the type that an invocation is for, and the name of the macro.
pub(crate) fn of_macro(item: &ItemMacro) -> Option<(String, String)> {
    let owner = item.mac.tokens.clone().into_iter().next()?.to_string();
    Some((owner, item.mac.path.segments.last()?.ident.to_string()))
}

/// Returns the arguments of the macro that a type must be read by, if it has a form that the macros know.
pub(crate) fn reading(item: &Item) -> Option<TokenStream> {
    match item {
        Item::Struct(item) => of_struct(item),
        Item::Enum(item) => of_enum(item),
        _ => None,
    }
}

/// Returns whether an invocation is of the macros of this runtime, with these arguments. An attribute could remove it.
pub(super) fn is_regular(item: &ItemMacro, name: &str, arguments: &TokenStream) -> bool {
    let path = text(&item.mac.path);
    (path == format!("crate::{name}") || path == format!("suprsend_api::{name}"))
        && item.attrs.is_empty()
        && text(&item.mac.tokens) == text(arguments)
}

pub(super) fn of_struct(item: &ItemStruct) -> Option<TokenStream> {
    let Fields::Named(fields) = &item.fields else { return None };
    if !serde(&item.attrs)?.is_empty() {
        return None;
    }
    let name = &item.ident;
    let (mut members, mut rest) = (Vec::new(), None);
    for field in &fields.named {
        let attributes = serde(&field.attrs)?;
        let ident = field.ident.as_ref()?;
        if attributes.contains_key("flatten") {
            // Of several, only one can keep the rest.
            if rest.replace(ident).is_some() {
                return None;
            }
            continue;
        }
        let how = word(field)?;
        let wire = attributes.get("rename").cloned().flatten();
        let plain = ident.to_string();
        let wire = wire.unwrap_or_else(|| plain.trim_start_matches("r#").to_owned());
        let wire = (wire != plain).then_some(wire);
        members.push(quote!(#how #ident #wire));
    }
    Some(quote!(#name { #(#members),* } #rest))
}

/// Returns the word of the macro for a field.
fn word(field: &Field) -> Option<TokenStream> {
    let attributes = serde(&field.attrs)?;
    // The macro knows no default but that of the type.
    if has_own_default(&attributes) {
        return None;
    }
    Some(if tells_null(&attributes) {
        quote!(present)
    } else if insists(field, &attributes) {
        quote!(required)
    } else if attributes.contains_key("deserialize_with") {
        return None;
    } else if arguments(&field.ty, "Option").is_some() || attributes.contains_key("default") {
        quote!(optional)
    } else {
        quote!(required)
    })
}

fn of_enum(item: &ItemEnum) -> Option<TokenStream> {
    let name = &item.ident;
    let (other, listed) =
        item.variants.iter().collect::<Vec<_>>().split_last().map(|(last, all)| (*last, all.to_vec()))?;
    let values: Vec<TokenStream> = listed
        .iter()
        .map(|variant| {
            let ident = &variant.ident;
            let value = serde(&variant.attrs)?.get("rename").cloned().flatten();
            let value = value.unwrap_or_else(|| ident.to_string());
            Some(quote!(#ident #value))
        })
        .collect::<Option<_>>()?;
    let other = &other.ident;
    Some(quote!(#name { #(#values),* } #other))
}

/// Returns the fields that the `Debug` of an operation prints, from the arguments `Name { field, field }`.
pub(super) fn printed(item: &ItemMacro, owner: &str) -> Option<Vec<String>> {
    let said = text(&item.mac.tokens.to_token_stream());
    let fields = said.strip_prefix(owner)?.strip_prefix('{')?.strip_suffix('}')?;
    is_regular(item, "partial_debug", &item.mac.tokens)
        .then(|| fields.split(',').filter(|field| !field.is_empty()).map(str::to_owned).collect())
}
