//! Recognizes operations that return a list one page at a time, by their parameters and the form of their response.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Field, Fields, Ident, Item, ItemMod, ItemStruct, Type};

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

    fn field(&self, ty: &Type, wire: &str) -> Option<&'a Field> {
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

const NUMBER: &str = "i64";
const FLAG: &str = "bool";
const TEXT: &str = "::std::string::String";

/// The query parameters that select a page, with the types that `Paged` and `Position` have for them.
const PARAMETERS: [(&str, &str); 4] =
    [("limit", NUMBER), ("after", TEXT), ("before", TEXT), ("offset", NUMBER)];

/// The members of `meta` that describe a page, with the types that `Page` has for them.
const MEMBERS: [(&str, &str); 7] = [
    ("count", NUMBER),
    ("limit", NUMBER),
    ("offset", NUMBER),
    ("has_next", FLAG),
    ("has_prev", FLAG),
    ("after", TEXT),
    ("before", TEXT),
];

/// The parts of an operation that returns a list one page at a time.
struct List<'a> {
    results: &'a Field,
    item: Type,
    meta: &'a Field,
    /// The members of `meta` that are known, by their names in JSON.
    members: Vec<(&'static str, &'a Field)>,
    function: &'a Function,
}

/// Returns `impl Paged` if the operation is paged, or the reason why its pages cannot be selected or read.
pub(super) fn paged(
    name: &Ident,
    function: &Function,
    types: &Types<'_>,
) -> Result<Option<TokenStream>, String> {
    let Some(list) = List::read(function, types) else { return Ok(None) };
    list.check()?;
    Ok(list.write(name))
}

impl<'a> List<'a> {
    /// Reads the operation, or returns `None` if it does not return a list one page at a time.
    fn read(function: &'a Function, types: &Types<'a>) -> Option<Self> {
        let results = types.field(&function.response, "results")?;
        let meta = types.field(&function.response, "meta")?;
        let item = read::arguments(&results.ty)
            .pop()
            .filter(|_| type_text(&results.ty).starts_with("::std::vec::Vec<"))?;
        let members = MEMBERS.iter().filter_map(|(wire, _)| Some((*wire, types.field(&meta.ty, wire)?)));
        let list = Self { results, item, meta, members: members.collect(), function };
        list.parameter("limit")?;
        list.parameter("after").or(list.parameter("offset"))?;
        Some(list)
    }

    fn parameter(&self, wire: &str) -> Option<&'a Ident> {
        self.function.query.iter().find(|(name, _)| name == wire).map(|(_, field)| field)
    }

    /// Checks that the types are those of `Paged`, `Position` and `Page`.
    fn check(&self) -> Result<(), String> {
        for (wire, wanted) in PARAMETERS {
            let argument = self
                .parameter(wire)
                .and_then(|field| self.function.arguments.iter().find(|(argument, _)| argument == field));
            if argument.is_some_and(|(_, ty)| !is_option(ty) || type_text(&inner(ty)) != wanted) {
                return Err(format!("`{wire}` is no optional `{}`", short(wanted)));
            }
        }
        if self.members.is_empty() {
            return Err("`meta` may be absent, or does not describe the page".to_owned());
        }
        for (wire, wanted) in MEMBERS {
            let member = self.members.iter().find(|(known, _)| *known == wire);
            if member.is_some_and(|(_, field)| type_text(&inner(&field.ty)) != wanted) {
                return Err(format!("`meta.{wire}` is no `{}`", short(wanted)));
            }
        }
        Ok(())
    }

    fn write(&self, name: &Ident) -> Option<TokenStream> {
        let limit = self.parameter("limit")?;
        let [after, before, offset] = ["after", "before", "offset"].map(|wire| self.parameter(wire));
        let kind = if after.is_some() { quote!(CursorPaged) } else { quote!(OffsetPaged) };
        let item = in_types(&self.item);
        let (results, meta) = (&self.results.ident, &self.meta.ident);
        let members = self.members.iter().map(|(wire, field)| {
            let member = quote::format_ident!("{wire}");
            let Field { ident, ty, .. } = field;
            let value = match (is_option(ty), type_text(&inner(ty)) == TEXT) {
                (true, true) => quote!(meta.#ident.as_deref()),
                (true, false) => quote!(meta.#ident),
                (false, true) => quote!(Some(&*meta.#ident)),
                (false, false) => quote!(Some(meta.#ident)),
            };
            quote!(#member: #value)
        });
        let go = |variant: &str, field: Option<&Ident>| {
            let variant = quote::format_ident!("{variant}");
            field.map(|field| quote!(Position::#variant(value) => self.#field = Some(value),))
        };
        // Going to a page clears any other position.
        let reset = [after, before, offset].into_iter().flatten().map(|field| quote!(self.#field = None;));
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
                    let meta = &response.#meta;
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
}

/// Returns the type inside an `Option`, or the type itself.
fn inner(ty: &Type) -> Type {
    let inner = if is_option(ty) { read::arguments(ty).pop() } else { None };
    inner.unwrap_or_else(|| ty.clone())
}

/// Returns the last segment of a type's path.
fn short(ty: &str) -> &str {
    ty.rsplit("::").next().unwrap_or(ty)
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
