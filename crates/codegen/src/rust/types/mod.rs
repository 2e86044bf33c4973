//! Patches progenitor's types in the syntax tree.

mod absent;
mod conversions;
mod descriptions;
mod open;
mod redact;
mod states;
mod unions;
mod untagged;

use quote::ToTokens;
use syn::{Attribute, Item, ItemMod, Path, Token, parse_quote, punctuated::Punctuated};

use super::deserialize;
use crate::adapt::Notes;

/// Patches the module of the types.
pub(super) fn patch(module: &mut ItemMod, notes: &Notes, runtime: &Path) -> Result<(), String> {
    unions::write(module, &notes.unions, runtime)?;
    descriptions::complete(module, &notes.descriptions);
    states::widen(module, &notes.states, runtime);
    absent::default(module);
    open::open(module, runtime);
    conversions::settle(module);
    equality(module);
    deserialize::shorten(module, runtime);
    untagged::read_once(module);
    redact::redact(module, &notes.sensitive);
    Ok(())
}

/// Derives comparison for every type.
fn equality(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    for item in items {
        if let Item::Struct(syn::ItemStruct { attrs, .. }) | Item::Enum(syn::ItemEnum { attrs, .. }) = item {
            edit_derives(attrs, |paths| {
                if !paths.iter().any(|path| path.is_ident("PartialEq")) {
                    paths.push(parse_quote!(PartialEq));
                }
            });
        }
    }
}

/// Edits the list of derives.
fn edit_derives(attrs: &mut [Attribute], edit: impl FnOnce(&mut Punctuated<Path, Token![,]>)) {
    for attr in attrs {
        if attr.path().is_ident("derive")
            && let Ok(mut paths) = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            edit(&mut paths);
            *attr = parse_quote!(#[derive(#paths)]);
            return;
        }
    }
}

/// Removes a derive.
pub(super) fn drop_derive(attrs: &mut [Attribute], name: &str) {
    edit_derives(attrs, |paths| {
        *paths = std::mem::take(paths).into_iter().filter(|path| !is_derive(path, name)).collect();
    });
}

/// Returns whether a derive exists.
pub(super) fn derives(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident("derive")).any(|attr| {
        let paths = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
        paths.is_ok_and(|paths| paths.iter().any(|path| is_derive(path, name)))
    })
}

/// Returns whether a path is that of this derive. Other crates have derives of the same names as serde's, which users may add.
fn is_derive(path: &Path, name: &str) -> bool {
    match name {
        "Deserialize" | "Serialize" => {
            path.to_token_stream().to_string().replace(' ', "") == format!("::serde::{name}")
        }
        _ => is_last(path, name),
    }
}

/// Returns the type for which an item invokes this macro of the runtime.
fn invoked(item: &Item, name: &str) -> Option<String> {
    let Item::Macro(item) = item else { return None };
    let first = item.mac.tokens.clone().into_iter().next();
    first.filter(|_| is_last(&item.mac.path, name)).map(|first| first.to_string())
}

fn is_last(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}
