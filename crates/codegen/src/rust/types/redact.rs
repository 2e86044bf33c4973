//! Hides sensitive values from `Debug` output.

use syn::{Expr, Fields, Item, ItemEnum, ItemMod, ItemStruct, parse_quote};

use super::drop_derive;
use crate::{
    adapt::{Extent, Sensitive},
    rust::serde,
};

/// Generates a `Debug` implementation that hides sensitive values, for the types that contain some.
pub(super) fn redact(module: &mut ItemMod, sensitive: &Sensitive) {
    let Some((_, items)) = &mut module.content else { return };
    let mut done = Vec::new();
    for mut item in std::mem::take(items) {
        let debug = match &mut item {
            Item::Struct(item) => sensitive.extent(&item.ident.to_string()).map(|extent| {
                let fields = hidden_fields(item, extent);
                debug_of_struct(item, &fields)
            }),
            Item::Enum(item) => sensitive.extent(&item.ident.to_string()).map(|extent| match extent {
                Extent::Rest => debug_of_rest(item),
                Extent::Whole | Extent::Properties(_) => debug_of_enum(item),
            }),
            _ => None,
        };
        done.push(item);
        done.extend(debug);
    }
    *items = done;
}

/// Returns the fields of a struct to hide.
fn hidden_fields(item: &ItemStruct, extent: &Extent) -> Vec<String> {
    let hidden = item.fields.iter().filter(|field| match extent {
        Extent::Whole => true,
        Extent::Properties(names) => names.contains(&serde::read(field).wire),
        Extent::Rest => false,
    });
    hidden.filter_map(|field| field.ident.as_ref().map(ToString::to_string)).collect()
}

fn debug_of_struct(item: &mut ItemStruct, hidden: &[String]) -> Item {
    drop_derive(&mut item.attrs, "Debug");
    let ident = &item.ident;
    let name = ident.to_string();
    let (impl_generics, type_generics, bounds) = item.generics.split_for_impl();
    let Fields::Named(fields) = &item.fields else {
        let text = format!("{name}([redacted])");
        return parse_quote! {
            impl #impl_generics ::std::fmt::Debug for #ident #type_generics #bounds {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#text)
                }
            }
        };
    };
    let shown = fields.named.iter().filter_map(|field| field.ident.as_ref()).map(|field| {
        let label = field.to_string();
        let value: Expr = if hidden.contains(&label) {
            parse_quote!(&format_args!("[redacted]"))
        } else {
            parse_quote!(&self.#field)
        };
        quote::quote!(.field(#label, #value))
    });
    parse_quote! {
        impl #impl_generics ::std::fmt::Debug for #ident #type_generics #bounds {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name) #(#shown)* .finish()
            }
        }
    }
}

fn debug_of_enum(item: &mut ItemEnum) -> Item {
    drop_derive(&mut item.attrs, "Debug");
    let ident = &item.ident;
    let text = format!("{ident}([redacted])");
    parse_quote! {
        impl ::std::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(#text)
            }
        }
    }
}

/// Hides the JSON in the last variant; the others print as usual.
fn debug_of_rest(item: &mut ItemEnum) -> Item {
    drop_derive(&mut item.attrs, "Debug");
    let ident = &item.ident;
    let last = item.variants.len().saturating_sub(1);
    let arms = item.variants.iter().enumerate().map(|(index, variant)| {
        let variant = &variant.ident;
        let label = variant.to_string();
        if index == last {
            let text = format!("{label}([redacted])");
            quote::quote!(Self::#variant(_) => f.write_str(#text),)
        } else {
            quote::quote!(Self::#variant(value) => f.debug_tuple(#label).field(value).finish(),)
        }
    });
    parse_quote! {
        impl ::std::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self { #(#arms)* }
            }
        }
    }
}
