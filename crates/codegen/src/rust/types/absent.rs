//! Generates `Default` for structs whose fields are all optional.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{Fields, Item, ItemMod, parse_quote};

use super::edit_derives;
use crate::rust::{serde, type_text};

pub(super) fn default(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    let implemented: BTreeSet<String> = items.iter().filter_map(default_impl).collect();
    for item in items {
        if let Item::Struct(item) = item
            && !implemented.contains(&item.ident.to_string())
            && let Fields::Named(fields) = &item.fields
            && fields.named.iter().all(may_be_absent)
        {
            edit_derives(&mut item.attrs, |paths| {
                if !paths.iter().any(|path| path.is_ident("Default")) {
                    paths.push(parse_quote!(Default));
                }
            });
        }
    }
}

fn default_impl(item: &Item) -> Option<String> {
    let Item::Impl(item) = item else { return None };
    let (path, _) = item.trait_.as_ref()?;
    (path.segments.last()?.ident == "Default").then(|| item.self_ty.to_token_stream().to_string())
}

fn may_be_absent(field: &syn::Field) -> bool {
    let name = type_text(&field.ty);
    let serde = serde::read(field);
    let list = ["::std::vec::Vec<", "::std::collections::HashMap<", "::serde_json::Map<"];
    serde.flatten
        || name.starts_with("::std::option::Option<")
        || (serde.default && list.iter().any(|list| name.starts_with(list)))
}
