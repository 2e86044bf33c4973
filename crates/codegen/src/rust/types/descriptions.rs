//! A field without a comment gets the description that the document has for its property.

use syn::{Item, ItemMod, parse_quote};

use crate::{adapt::Descriptions, rust::serde};

pub(super) fn complete(module: &mut ItemMod, descriptions: &Descriptions) {
    let Some((_, items)) = &mut module.content else { return };
    for item in items {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        for field in &mut item.fields {
            if field.attrs.iter().any(|attr| attr.path().is_ident("doc")) {
                continue;
            }
            if let Some(text) = descriptions.get(&name, &serde::read(field).wire) {
                field.attrs.insert(0, parse_quote!(#[doc = #text]));
            }
        }
    }
}
