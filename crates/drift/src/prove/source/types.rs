//! Operators on types.

mod debug;
mod reading;
mod union;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Field, Fields, File, GenericArgument, Item, ItemEnum, ItemStruct, PathArguments, Type,
    Variant, parse_quote, punctuated::Punctuated,
};

use super::{Turn, macros, module};
use crate::code::of_macro;

/// Changes of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Types {
    TypeRemoved,
    FieldRemoved,
    FieldAdded,
    OptionalFieldAdded,
    FieldRenamed,
    RenameDropped,
    RequiredWhenRead,
    OptionalWhenRead,
    AlwaysWritten,
    MadeOptional,
    MadeRequired,
    TypeChanged,
    Swapped,
    UnknownKeysRefused,
    VariantRemoved,
    VariantAdded,
    VariantsReordered,
    VariantOfAnotherType,
    VariantRenamed,
    TaggingChanged,
    DeriveDropped,
    JsonTypeLeftOut,
    JsonTypeAdded,
    JsonTypeOfAnotherVariant,
    HandedOnOtherwise,
    AlternativeNotRead,
    AlternativesReadInAnotherOrder,
    AlternativeReadAsAnother,
    CheckOfAnAlternativeAdded,
    TagOfAnAlternativeAdded,
    KeptAsAnother,
    SecretPrinted,
    DebugDerived,
}

/// Returns each type with its hand-written implementations as a separate file.
pub(super) fn parts(file: &File) -> Vec<(String, File)> {
    let items = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    });
    let items = items.map(|(_, items)| items.as_slice()).unwrap_or_default();
    let of = |item: &&Item, name: &str| match item {
        Item::Impl(item) => item.self_ty.to_token_stream().to_string() == name,
        Item::Macro(item) => of_macro(item).is_some_and(|(owner, _)| owner == name),
        other => name_of(other).is_some_and(|known| known == name),
    };
    let part = |item: &Item| {
        let name = name_of(item)?;
        let own: Vec<&Item> = items.iter().filter(|item| of(item, &name)).collect();
        Some((name, parse_quote!(pub mod types { #(#own)* })))
    };
    items.iter().filter_map(part).collect()
}

impl Types {
    pub(super) const ALL: &[Self] = &[
        Self::TypeRemoved,
        Self::FieldRemoved,
        Self::FieldAdded,
        Self::OptionalFieldAdded,
        Self::FieldRenamed,
        Self::RenameDropped,
        Self::RequiredWhenRead,
        Self::OptionalWhenRead,
        Self::AlwaysWritten,
        Self::MadeOptional,
        Self::MadeRequired,
        Self::TypeChanged,
        Self::Swapped,
        Self::UnknownKeysRefused,
        Self::VariantRemoved,
        Self::VariantAdded,
        Self::VariantsReordered,
        Self::VariantOfAnotherType,
        Self::VariantRenamed,
        Self::TaggingChanged,
        Self::DeriveDropped,
        Self::JsonTypeLeftOut,
        Self::JsonTypeAdded,
        Self::JsonTypeOfAnotherVariant,
        Self::HandedOnOtherwise,
        Self::AlternativeNotRead,
        Self::AlternativesReadInAnotherOrder,
        Self::AlternativeReadAsAnother,
        Self::CheckOfAnAlternativeAdded,
        Self::TagOfAnAlternativeAdded,
        Self::KeptAsAnother,
        Self::SecretPrinted,
        Self::DebugDerived,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TypeRemoved => "type removed",
            Self::FieldRemoved => "field removed",
            Self::FieldAdded => "field added",
            Self::OptionalFieldAdded => "optional field added",
            Self::FieldRenamed => "serde name changed",
            Self::RenameDropped => "serde name dropped",
            Self::RequiredWhenRead => "default dropped",
            Self::OptionalWhenRead => "default added",
            Self::AlwaysWritten => "always written",
            Self::MadeOptional => "field made optional",
            Self::MadeRequired => "field made required",
            Self::TypeChanged => "field of another type",
            Self::Swapped => "types of two fields swapped",
            Self::UnknownKeysRefused => "unknown keys refused",
            Self::VariantRemoved => "variant removed",
            Self::VariantAdded => "variant added",
            Self::VariantsReordered => "variants reordered",
            Self::VariantOfAnotherType => "variant of another type",
            Self::VariantRenamed => "variant's serde name changed",
            Self::TaggingChanged => "variants told apart otherwise",
            Self::DeriveDropped => "derive dropped",
            Self::JsonTypeLeftOut => "JSON type left out",
            Self::JsonTypeAdded => "JSON type added",
            Self::JsonTypeOfAnotherVariant => "JSON type of another variant",
            Self::HandedOnOtherwise => "value handed on otherwise",
            Self::AlternativeNotRead => "alternative not read",
            Self::AlternativesReadInAnotherOrder => "alternatives read in another order",
            Self::AlternativeReadAsAnother => "alternative read as another",
            Self::CheckOfAnAlternativeAdded => "check of an alternative added",
            Self::TagOfAnAlternativeAdded => "tag of an alternative added",
            Self::KeptAsAnother => "kept as another variant",
            Self::SecretPrinted => "secret printed",
            Self::DebugDerived => "Debug derived",
        }
    }

    pub(super) fn visit(self, file: &mut File, turn: &mut Turn) {
        let Some(items) = module(file, "types") else { return };
        if self == Self::TypeRemoved {
            let names: Vec<Option<String>> = items.iter().map(name_of).collect();
            for (index, name) in names.into_iter().enumerate().rev() {
                if let Some(name) = name
                    && turn.here(|| name.clone())
                {
                    items.remove(index);
                    items.retain(|item| {
                        !matches!(item, Item::Macro(item) if of_macro(item).is_some_and(|(owner, _)| owner == name))
                    });
                }
            }
            return;
        }
        if self == Self::DebugDerived {
            return debug::derive(items, turn);
        }
        let variants = reading::variants(items);
        for item in items.iter_mut() {
            match item {
                Item::Struct(item) => self.visit_struct(item, turn),
                Item::Enum(item) => self.visit_enum(item, turn),
                Item::Impl(item) if self == Self::SecretPrinted => debug::print(item, turn),
                Item::Impl(item) => {
                    reading::visit(self, item, &variants, turn);
                    union::visit(self, item, &variants, turn);
                }
                _ => {}
            }
        }
        macros::follow(items);
    }

    fn visit_struct(self, item: &mut ItemStruct, turn: &mut Turn) {
        let owner = item.ident.to_string();
        match self {
            Self::UnknownKeysRefused if matches!(item.fields, Fields::Named(_)) => {
                if !has(&item.attrs, "deny_unknown_fields") && turn.here(|| owner.clone()) {
                    item.attrs.push(parse_quote!(#[serde(deny_unknown_fields)]));
                }
            }
            Self::DeriveDropped => drop_derive(&mut item.attrs, &owner, turn),
            _ => self.visit_fields(&mut item.fields, &owner, turn),
        }
    }

    fn visit_enum(self, item: &mut ItemEnum, turn: &mut Turn) {
        let owner = item.ident.to_string();
        let count = item.variants.len();
        let untagged = has(&item.attrs, "untagged");
        match self {
            Self::DeriveDropped => drop_derive(&mut item.attrs, &owner, turn),
            Self::TaggingChanged if untagged => {
                if turn.here(|| owner.clone()) {
                    without(&mut item.attrs, "untagged");
                }
            }
            Self::VariantRemoved if count > 1 => {
                for index in (0..count).rev() {
                    let ident = item.variants[index].ident.clone();
                    if turn.here(|| format!("{owner}::{ident}")) {
                        remove(&mut item.variants, index);
                    }
                }
            }
            Self::VariantAdded => {
                if turn.here(|| owner.clone()) {
                    item.variants.push(if untagged {
                        parse_quote!(DriftNew(bool))
                    } else {
                        parse_quote!(DriftNew)
                    });
                }
            }
            // The order matters only if it is the order in which they are tried.
            Self::VariantsReordered if untagged => {
                for index in 1..count {
                    let (one, other) = (item.variants[index - 1].clone(), item.variants[index].clone());
                    if turn.here(|| format!("{owner}: {} and {}", one.ident, other.ident)) {
                        item.variants[index - 1] = other;
                        item.variants[index] = one;
                    }
                }
            }
            _ => {
                for variant in &mut item.variants {
                    self.visit_variant(variant, &owner, untagged, turn);
                }
            }
        }
    }

    fn visit_variant(self, variant: &mut Variant, owner: &str, untagged: bool, turn: &mut Turn) {
        let place = format!("{owner}::{}", variant.ident);
        if self == Self::VariantRenamed {
            if !untagged && turn.here(|| place) {
                without(&mut variant.attrs, "rename");
                variant.attrs.push(parse_quote!(#[serde(rename = "drift_new")]));
            }
        } else if self == Self::VariantOfAnotherType {
            if let Fields::Unnamed(fields) = &mut variant.fields
                && turn.here(|| place)
            {
                fields.unnamed[0].ty = other(&fields.unnamed[0].ty);
            }
        } else if matches!(variant.fields, Fields::Named(_)) {
            self.visit_fields(&mut variant.fields, &place, turn);
        }
    }

    fn visit_fields(self, fields: &mut Fields, owner: &str, turn: &mut Turn) {
        let named = match fields {
            Fields::Named(fields) => &mut fields.named,
            Fields::Unnamed(fields) if self == Self::TypeChanged => {
                for field in &mut fields.unnamed {
                    if turn.here(|| owner.to_owned()) {
                        field.ty = other(&field.ty);
                    }
                }
                return;
            }
            _ => return,
        };
        match self {
            Self::FieldRemoved => {
                for index in (0..named.len()).rev() {
                    let place = place(owner, &named[index]);
                    if turn.here(|| place) {
                        remove(named, index);
                    }
                }
            }
            Self::FieldAdded | Self::OptionalFieldAdded => {
                if turn.here(|| owner.to_owned()) {
                    let field: syn::FieldsNamed = if self == Self::FieldAdded {
                        parse_quote!({ pub drift_new: ::std::string::String })
                    } else {
                        parse_quote!({
                            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
                            pub drift_new: ::std::option::Option<::std::string::String>
                        })
                    };
                    named.extend(field.named);
                }
            }
            Self::Swapped => {
                for index in 1..named.len() {
                    let (one, other) = (named[index - 1].clone(), named[index].clone());
                    let text = |field: &Field| field.ty.to_token_stream().to_string();
                    let plain = |field: &Field| !has(&field.attrs, "flatten");
                    let differ = text(&one) != text(&other);
                    if differ && plain(&one) && plain(&other) && turn.here(|| place(owner, &one)) {
                        named[index - 1].ty = other.ty;
                        named[index].ty = one.ty;
                    }
                }
            }
            _ => named.iter_mut().for_each(|field| self.visit_field(field, owner, turn)),
        }
    }

    fn visit_field(self, field: &mut Field, owner: &str, turn: &mut Turn) {
        let place = place(owner, field);
        let plain = !has(&field.attrs, "flatten");
        let inner = argument(&field.ty, "Option");
        let applies = match self {
            Self::FieldRenamed => plain,
            Self::RenameDropped => has(&field.attrs, "rename"),
            Self::RequiredWhenRead => plain && inner.is_none() && has(&field.attrs, "default"),
            Self::OptionalWhenRead => plain && inner.is_none() && !has(&field.attrs, "default"),
            Self::AlwaysWritten => has(&field.attrs, "skip_serializing_if"),
            Self::MadeOptional => plain && inner.is_none(),
            Self::MadeRequired => plain && inner.is_some(),
            Self::TypeChanged => true,
            _ => false,
        };
        if !applies || !turn.here(|| place) {
            return;
        }
        match (self, inner) {
            (Self::FieldRenamed, _) => {
                without(&mut field.attrs, "rename");
                field.attrs.push(parse_quote!(#[serde(rename = "drift_new")]));
            }
            (Self::RenameDropped, _) => without(&mut field.attrs, "rename"),
            (Self::RequiredWhenRead, _) => without(&mut field.attrs, "default"),
            (Self::OptionalWhenRead, _) => field.attrs.push(parse_quote!(#[serde(default)])),
            (Self::AlwaysWritten, _) => without(&mut field.attrs, "skip_serializing_if"),
            (Self::MadeOptional, _) => {
                let ty = &field.ty;
                field.ty = parse_quote!(::std::option::Option<#ty>);
            }
            (Self::MadeRequired, Some(inner)) => {
                field.ty = inner;
                without(&mut field.attrs, "skip_serializing_if");
            }
            (Self::TypeChanged, _) => field.ty = other(&field.ty),
            _ => {}
        }
    }
}

pub(super) fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn place(owner: &str, field: &Field) -> String {
    field.ident.as_ref().map_or_else(|| owner.to_owned(), |ident| format!("{owner}::{ident}"))
}

pub(super) fn remove<T: Clone, P: Default>(list: &mut Punctuated<T, P>, index: usize) {
    let kept = std::mem::take(list).into_iter().enumerate().filter(|(known, _)| *known != index);
    *list = kept.map(|(_, item)| item).collect();
}

/// Returns `T` of `Outer<T>`.
fn argument(ty: &Type, outer: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == outer)?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else { return None };
    match generic.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

/// Returns another type of the same kind: inside an option or a list, another element type.
pub(super) fn other(ty: &Type) -> Type {
    for outer in ["Option", "Vec"] {
        if let (Some(inner), Type::Path(path)) = (argument(ty, outer), ty) {
            let inner = other(&inner);
            let mut path = path.clone();
            if let Some(last) = path.path.segments.last_mut() {
                last.arguments = PathArguments::AngleBracketed(parse_quote!(<#inner>));
            }
            return Type::Path(path);
        }
    }
    let text = ty.to_token_stream().to_string().replace(' ', "");
    match text.as_str() {
        "::std::string::String" | "String" | "bool" => parse_quote!(i64),
        "i64" => parse_quote!(f64),
        _ if text.contains("HashMap<") => {
            parse_quote!(::std::collections::HashMap<::std::string::String, bool>)
        }
        _ if text.contains("Map<") => {
            parse_quote!(::std::collections::HashMap<::std::string::String, ::std::string::String>)
        }
        _ => parse_quote!(::std::string::String),
    }
}

/// Returns whether serde's attributes contain this name.
fn has(attrs: &[Attribute], name: &str) -> bool {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let _ = attr.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(name);
            if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::LitStr>()?;
            }
            Ok(())
        });
    }
    found
}

/// Removes this name from serde's attributes.
fn without(attrs: &mut [Attribute], name: &str) {
    for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("serde")) {
        let mut kept: Vec<TokenStream> = Vec::new();
        let _ = attr.parse_nested_meta(|meta| {
            let path = &meta.path;
            let said = if meta.input.peek(syn::Token![=]) {
                let value = meta.value()?.parse::<syn::LitStr>()?;
                quote!(#path = #value)
            } else {
                quote!(#path)
            };
            if !path.is_ident(name) {
                kept.push(said);
            }
            Ok(())
        });
        *attr = parse_quote!(#[serde(#(#kept),*)]);
    }
}

fn drop_derive(attrs: &mut [Attribute], owner: &str, turn: &mut Turn) {
    for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("derive")) {
        for wanted in ["Serialize", "Deserialize"] {
            let mut kept: Vec<syn::Path> = Vec::new();
            let mut derived = false;
            let _ = attr.parse_nested_meta(|meta| {
                let this = meta.path.segments.last().is_some_and(|last| last.ident == wanted);
                derived |= this;
                if !this {
                    kept.push(meta.path);
                }
                Ok(())
            });
            if derived && turn.here(|| format!("{owner}: {wanted}")) {
                *attr = parse_quote!(#[derive(#(#kept),*)]);
            }
        }
    }
}
