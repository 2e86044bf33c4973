//! Arguments of methods.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{PathArguments, Type};

use super::source::{Field, Source};
use crate::rust::type_text;

/// An argument of a method: its declaration in the signature, and the resulting value.
pub(super) struct Argument {
    /// The type parameter that distinguishes one value from several, if needed.
    pub(super) kind: Option<syn::Ident>,
    pub(super) signature: TokenStream,
    pub(super) value: TokenStream,
}

/// The kind of value that a type holds.
pub(super) enum Kind {
    Text,
    /// A number or a boolean.
    Plain,
    List(Type),
    /// A map from names to any values.
    Map,
    /// A map from names to values of one type.
    MapOf(Type),
    Other,
}

pub(super) fn kind(ty: &Type) -> Kind {
    let text = type_text(ty);
    match text.as_str() {
        "::std::string::String" | "String" => Kind::Text,
        "bool" | "i32" | "i64" | "u32" | "u64" | "f32" | "f64" => Kind::Plain,
        _ if text.starts_with("::std::vec::Vec<") || text.starts_with("Vec<") => {
            inner(ty).map_or(Kind::Other, Kind::List)
        }
        _ if text.starts_with("::serde_json::Map<") => Kind::Map,
        _ if text.starts_with("::std::collections::HashMap<") => last(ty).map_or(Kind::Other, Kind::MapOf),
        _ => Kind::Other,
    }
}

/// Returns the type inside an `Option`, and whether there is an `Option`.
pub(super) fn unwrapped(ty: &Type) -> (Type, bool) {
    let text = type_text(ty);
    let is_option = text.starts_with("::std::option::Option<") || text.starts_with("Option<");
    match inner(ty) {
        Some(inner) if is_option => (inner, true),
        _ => (ty.clone(), false),
    }
}

fn inner(ty: &Type) -> Option<Type> {
    crate::rust::arguments(ty).into_iter().next()
}

fn last(ty: &Type) -> Option<Type> {
    crate::rust::arguments(ty).pop()
}

/// Builds the argument for a field that a method requires.
pub(super) fn build(source: &Source, field: &Field, number: usize) -> Argument {
    let name = format_ident!("{}", field.name);
    let (ty, is_option) = unwrapped(&field.ty);
    let wrap = |value: TokenStream| if is_option { quote!(Some(#value)) } else { value };
    let of_id = is_id(&field.wire);
    match kind(&ty) {
        Kind::Text if of_id => Argument {
            kind: None,
            signature: quote!(#name: impl fmt::Display),
            value: wrap(quote!(values::text(#name))),
        },
        Kind::Text => Argument {
            kind: None,
            signature: quote!(#name: impl Into<String>),
            value: wrap(quote!(#name.into())),
        },
        Kind::Plain => {
            let ty = outside(source, &ty);
            Argument { kind: None, signature: quote!(#name: #ty), value: wrap(quote!(#name)) }
        }
        Kind::List(item) => {
            let kind = if number == 0 { format_ident!("Kind") } else { format_ident!("Kind{number}") };
            let (item, value) = if of_id {
                (quote!(Id), quote!(values::texts(#name)))
            } else {
                (outside(source, &item), quote!(#name.into_values().collect()))
            };
            Argument {
                signature: quote!(#name: impl OneOrMore<#item, #kind>),
                value: wrap(value),
                kind: Some(kind),
            }
        }
        Kind::Map | Kind::MapOf(_) | Kind::Other => {
            let ty = outside(source, &ty);
            Argument {
                kind: None,
                signature: quote!(#name: impl Into<#ty>),
                value: wrap(quote!(#name.into())),
            }
        }
    }
}

/// Returns whether a member contains ids of the caller's, which can be any type with `Display`.
pub(super) fn is_id(wire: &str) -> bool {
    wire == "id" || wire.ends_with("_id") || wire.ends_with("_ids")
}

/// Returns a type as the SDK names it: those of the document are in `types`.
pub(super) fn outside(source: &Source, ty: &Type) -> TokenStream {
    let Type::Path(path) = ty else { return ty.to_token_stream() };
    let mut path = path.clone();
    for segment in &mut path.path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            for argument in &mut arguments.args {
                if let syn::GenericArgument::Type(inner) = argument {
                    let named = outside(source, inner);
                    *inner = syn::parse_quote!(#named);
                }
            }
        }
    }
    match type_text(&Type::Path(path.clone())).as_str() {
        "::std::string::String" => quote!(String),
        text if text.starts_with("::std::vec::Vec<") => {
            let item = &path.path.segments.last().map(|last| last.arguments.clone());
            quote!(Vec #item)
        }
        _ if path.path.segments.len() == 1 && source.shape(ty).is_some() => quote!(types::#path),
        _ => quote!(#path),
    }
}
