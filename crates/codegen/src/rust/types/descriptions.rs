//! Documents every type, field and variant: with the document's description, or else based on its type or its name.

use std::collections::BTreeMap;

use syn::{
    Attribute, Expr, ExprLit, Fields, GenericArgument, Item, ItemMod, Lit, Meta, PathArguments, Type,
    Variant, parse_quote,
};

use crate::{adapt::Descriptions, rust::serde};

/// The description of the map of all other members.
const EXTRA: &str = "Members that the document does not name, as they came";

pub(super) fn complete(module: &mut ItemMod, descriptions: &Descriptions) {
    let Some((_, items)) = &mut module.content else { return };
    let types = types(items);
    for item in items {
        match item {
            Item::Struct(item) => {
                let name = item.ident.to_string();
                describe(&mut item.attrs, || format!("The schema `{name}`"));
                for field in &mut item.fields {
                    let serde = serde::read(field);
                    let ty = field.ty.clone();
                    describe(&mut field.attrs, || {
                        if serde.flatten {
                            return EXTRA.to_owned();
                        }
                        let stated = descriptions.get(&name, &serde.wire).map(str::to_owned);
                        let text = stated.or_else(|| of_its_type(&ty, &types).map(str::to_owned));
                        text.unwrap_or_else(|| format!("The member `{}`", serde.wire))
                    });
                }
            }
            Item::Enum(item) => {
                let name = item.ident.to_string();
                describe(&mut item.attrs, || format!("The schema `{name}`"));
                for variant in &mut item.variants {
                    let text = self::variant(&name, variant, &types, descriptions);
                    describe(&mut variant.attrs, || text);
                }
            }
            _ => {}
        }
    }
}

/// Documents an item that has no documentation.
fn describe(attributes: &mut Vec<Attribute>, text: impl FnOnce() -> String) {
    if !attributes.iter().any(is_doc) {
        let text = text();
        attributes.insert(0, parse_quote!(#[doc = #text]));
    }
}

fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

/// Returns the first paragraph of each type's documentation, if it says more than the name.
fn types(items: &[Item]) -> BTreeMap<String, String> {
    let paragraph = |name: &syn::Ident, attributes: &[Attribute]| {
        let lines = attributes.iter().filter(|attribute| is_doc(attribute)).filter_map(text);
        let text = lines.collect::<Vec<_>>().join("\n");
        let first = text.trim().split("\n\n").next().unwrap_or_default();
        let says_more = !first.is_empty() && *name != first.trim_matches('`');
        says_more.then(|| (name.to_string(), first.to_owned()))
    };
    let named = items.iter().filter_map(|item| match item {
        Item::Struct(item) => paragraph(&item.ident, &item.attrs),
        Item::Enum(item) => paragraph(&item.ident, &item.attrs),
        _ => None,
    });
    named.collect()
}

fn text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value else { return None };
    Some(text.value())
}

/// Returns the documentation of one of these types, even if it is optional.
fn of_its_type<'t>(ty: &Type, types: &'t BTreeMap<String, String>) -> Option<&'t str> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if let PathArguments::AngleBracketed(arguments) = &last.arguments
        && (last.ident == "Option" || last.ident == "Box")
    {
        return arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => of_its_type(ty, types),
            _ => None,
        });
    }
    types.get(&last.ident.to_string()).map(String::as_str)
}

/// Describes a variant: of a string enum by its value, of a union by the alternative's description or type.
fn variant(
    union: &str,
    variant: &Variant,
    types: &BTreeMap<String, String>,
    descriptions: &Descriptions,
) -> String {
    let Fields::Unnamed(fields) = &variant.fields else {
        let text = serde::renamed(&variant.attrs).unwrap_or_else(|| variant.ident.to_string());
        return format!("The value `{text}`");
    };
    let Some(ty) = fields.unnamed.first().map(|field| &field.ty) else { return "No value".to_owned() };
    if let Some(text) = of_its_type(ty, types) {
        return text.to_owned();
    }
    let name = match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    };
    let (json_type, text) = match name.as_str() {
        "String" => ("string", "A text"),
        "DateTime" => ("string", "A time"),
        "NaiveDate" => ("string", "A date"),
        "bool" => ("boolean", "True or false"),
        "f32" | "f64" => ("number", "A number"),
        "Vec" => ("array", "A list"),
        "Map" | "HashMap" | "BTreeMap" => ("object", "An object"),
        "Value" => ("", "Any JSON value"),
        name if name.starts_with(['i', 'u']) || name.starts_with("NonZero") => ("integer", "An integer"),
        _ => return format!("A `{name}`"),
    };
    descriptions.alternative(union, json_type).unwrap_or(text).to_owned()
}
