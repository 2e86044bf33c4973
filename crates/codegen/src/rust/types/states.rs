//! Adapts fields of properties that distinguish null, or an empty list, from an absent member.

use syn::{Fields, Item, ItemMod, Path, parse_quote};

use crate::{adapt::States, rust::serde};

pub(super) fn widen(module: &mut ItemMod, states: &States, runtime: &Path) {
    let Some((_, items)) = &mut module.content else { return };
    let present = quote::quote!(#runtime::union::present).to_string().replace(' ', "");
    for item in items {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        let Fields::Named(fields) = &mut item.fields else { continue };
        for field in &mut fields.named {
            let wire = serde::read(field).wire;
            if !states.has(&name, &wire) {
                continue;
            }
            let ty = &field.ty;
            field.ty = parse_quote!(::std::option::Option<#ty>);
            field.attrs.retain(|attr| !attr.path().is_ident("serde"));
            let rename = (field.ident.as_ref().is_none_or(|name| name != &wire))
                .then(|| quote::quote!(rename = #wire,));
            field.attrs.push(parse_quote! {
                #[serde(
                    #rename
                    default,
                    deserialize_with = #present,
                    skip_serializing_if = "::std::option::Option::is_none"
                )]
            });
        }
    }
}
