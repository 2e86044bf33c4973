//! Recognizes operations that return a list one page at a time, by their parameters and the form of their response.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Ident, Item, ItemMod, ItemStruct, Type};

use super::{Function, read};
use crate::rust::{serde, type_text};

/// The types of the module by name.
pub(in crate::rust) struct Types<'a>(&'a [Item]);

impl<'a> Types<'a> {
    pub(in crate::rust) fn new(module: &'a ItemMod) -> Self {
        Self(module.content.as_ref().map_or(&[], |(_, items)| items))
    }

    fn get(&self, ty: &Type) -> Option<&'a ItemStruct> {
        let Type::Path(path) = ty else { return None };
        let name = &path.path.segments.last()?.ident;
        self.0.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == *name => Some(item),
            _ => None,
        })
    }

    fn field(&self, ty: &Type, wire: &str) -> Option<&'a syn::Field> {
        let Fields::Named(fields) = &self.get(ty)?.fields else { return None };
        fields.named.iter().find(|field| serde::read(field).wire == wire)
    }

    /// Returns an expression that tells whether the member at this place of a value has a value; `*` stands for every item of a list.
    pub(super) fn is_set(&self, ty: &Type, value: TokenStream, place: &[String]) -> Option<TokenStream> {
        let (first, rest) = place.split_first()?;
        if first == "*" {
            // A separate type for the list is a tuple struct around it.
            let (ty, value) = match self.get(ty).map(|item| &item.fields) {
                Some(Fields::Unnamed(fields)) => (&fields.unnamed.first()?.ty, quote!(#value.0)),
                _ => (ty, value),
            };
            let item = read::arguments(ty).pop()?;
            let inner = self.is_set(&item, quote!(item), rest)?;
            return Some(quote!(#value.iter().all(|item| #inner)));
        }
        let field = self.field(ty, first)?;
        let (name, ty) = (&field.ident, &field.ty);
        match (rest.is_empty(), is_option(ty)) {
            (true, true) => Some(quote!(#value.#name.is_some())),
            (true, false) => Some(quote!(true)),
            (false, false) => self.is_set(ty, quote!(#value.#name), rest),
            (false, true) => None,
        }
    }
}

impl Types<'_> {
    /// Returns a statement that passes the optional string at this place of a value to `visit`; `*` stands for every item of a list.
    /// Returns `None` if the value is always set, or is not a string.
    pub(super) fn visit(&self, ty: &Type, value: TokenStream, place: &[String]) -> Option<TokenStream> {
        let (first, rest) = place.split_first()?;
        if first == "*" {
            let (ty, value) = match self.get(ty).map(|item| &item.fields) {
                Some(Fields::Unnamed(fields)) => (&fields.unnamed.first()?.ty, quote!(#value.0)),
                _ => (ty, value),
            };
            let item = read::arguments(ty).pop()?;
            let inner = self.visit(&item, quote!(item), rest)?;
            return Some(quote!(for item in &mut #value { #inner }));
        }
        let field = self.field(ty, first)?;
        let (name, ty) = (&field.ident, &field.ty);
        match (rest.is_empty(), is_option(ty)) {
            (true, true) => {
                let is_text =
                    read::arguments(ty).pop().is_some_and(|ty| type_text(&ty) == "::std::string::String");
                is_text.then(|| quote!(visit(&mut #value.#name);))
            }
            (false, false) => self.visit(ty, quote!(#value.#name), rest),
            _ => None,
        }
    }
}

/// Returns `impl Paged`, if the operation is paged.
pub(super) fn paged(name: &Ident, function: &Function, types: &Types<'_>) -> Option<TokenStream> {
    let results = types.field(&function.response, "results")?;
    let meta = types.field(&function.response, "meta")?;
    let item = read::arguments(&results.ty)
        .pop()
        .filter(|_| type_text(&results.ty).starts_with("::std::vec::Vec<"))?;
    let parameter = |wire: &str| function.query.iter().find(|(name, _)| name == wire).map(|(_, field)| field);
    let (limit, after, before, offset) =
        (parameter("limit")?, parameter("after"), parameter("before"), parameter("offset"));
    let kind = match (after, offset) {
        (Some(_), _) => quote!(CursorPaged),
        (None, Some(_)) => quote!(OffsetPaged),
        (None, None) => return None,
    };
    let item = in_types(&item);
    let (results, meta_field) = (&results.ident, &meta.ident);
    let known = |wire: &str| types.field(&meta.ty, wire).map(|field| (&field.ident, &field.ty));
    let numbers = ["count", "limit", "offset", "has_next", "has_prev"].into_iter().filter_map(|wire| {
        let (field, ty) = known(wire)?;
        let member = quote::format_ident!("{wire}");
        let value = if is_option(ty) { quote!(meta.#field) } else { quote!(Some(meta.#field)) };
        Some(quote!(#member: #value))
    });
    let cursors = ["after", "before"].into_iter().filter_map(|wire| {
        let (field, ty) = known(wire)?;
        let member = quote::format_ident!("{wire}");
        let value = if is_option(ty) { quote!(meta.#field.as_deref()) } else { quote!(Some(&*meta.#field)) };
        Some(quote!(#member: #value))
    });
    let members = numbers.chain(cursors).collect::<Vec<_>>();
    let go = |variant: &str, field: Option<&Ident>| {
        let variant = quote::format_ident!("{variant}");
        field.map(|field| quote!(Position::#variant(value) => self.#field = Some(value),))
    };
    // Going to a page clears any other position.
    let fields = [after, before, offset];
    let reset = fields.into_iter().flatten().map(|field| quote!(self.#field = None;));
    let arms = [go("After", after), go("Before", before), go("Offset", offset)];
    Some(quote! {
        impl #kind for #name {}
        impl Paged for #name {
            type Item = #item;
            fn set_limit(&mut self, limit: i64) {
                self.#limit = Some(limit);
            }
            fn go_to(&mut self, position: Position) {
                #(#reset)*
                match position {
                    #(#arms)*
                    _ => {}
                }
            }
            fn page(response: &Self::Response) -> Page<'_> {
                let meta = &response.#meta_field;
                Page { #(#members,)* ..Page::default() }
            }
            fn items(response: &Self::Response) -> &[Self::Item] {
                &response.#results
            }
            fn into_items(response: Self::Response) -> Vec<Self::Item> {
                response.#results
            }
        }
    })
}

/// Returns a type as it is named outside the module of the types.
fn in_types(ty: &Type) -> TokenStream {
    match ty {
        Type::Path(path)
            if path
                .path
                .get_ident()
                .is_some_and(|name| name != "bool" && !name.to_string().starts_with(['i', 'u', 'f'])) =>
        {
            quote!(types::#path)
        }
        other => quote!(#other),
    }
}

fn is_option(ty: &Type) -> bool {
    type_text(ty).starts_with("::std::option::Option<")
}
