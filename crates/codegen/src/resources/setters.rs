//! Generates the setters of a call: for optional parameters, and for the members of the body that its method does not take.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::{
    argument::{self, Kind, is_id, outside, unwrapped},
    doc,
    method::Operation,
    source::{Field, Shape, Source},
};

/// The methods that every call has. A setter with such a name is prefixed with `set_`.
const TAKEN: [&str; 22] = [
    "after",
    "before",
    "check",
    "clone",
    "header",
    "into_future",
    "items",
    "limit",
    "new",
    "offset",
    "operation",
    "operation_mut",
    "optional",
    "page",
    "pages",
    "property",
    "retry",
    "run",
    "send",
    "stop",
    "tagged",
    "timeout",
];

/// The extension with which a document names the setter of a member.
const NAME: &str = "x-setter";
/// The extension with which a document declares that a member's own members are set one by one, by name.
const ENTRIES: &str = "x-entries";

/// Generates the setters of an operation's call. `of` is a link to the method.
pub(super) fn write(
    source: &Source,
    operation: &Operation,
    taken: &[String],
    of: &str,
) -> Option<TokenStream> {
    let mut setters = Vec::new();
    let paging = ["limit", "after", "before", "offset"];
    for field in source.fields(&operation.name) {
        if field.name == "body" {
            setters.extend(body_setters(source, operation, field, taken));
        } else if field.optional
            && !(source.is_paged(&operation.name) && paging.contains(&field.name.as_str()))
        {
            let name = format_ident!("{}", field.name);
            setters.push(setter(source, field, &field.name, &quote!(self.operation_mut().#name)));
        }
    }
    if setters.is_empty() {
        return None;
    }
    let name = format_ident!("{}", operation.name);
    let text = doc(&format!("The optional parts of {of}."));
    let deprecated = (operation.document["deprecated"] == true).then(|| quote!(#[allow(deprecated)]));
    Some(quote! {
        #text
        #deprecated
        impl<C> Call<operations::#name, C> {
            #(#setters)*
        }
    })
}

fn body_setters(source: &Source, operation: &Operation, body: &Field, taken: &[String]) -> Vec<TokenStream> {
    let Some(Shape::Struct(fields)) = source.shape(&body.ty) else { return Vec::new() };
    let mut setters = Vec::new();
    for field in fields {
        let name = format_ident!("{}", field.name);
        if field.wire.is_empty() {
            setters.push(quote! {
                /// Sets a custom property to anything that JSON can express. Names that begin with `$` are reserved, and refused.
                pub fn property(self, name: impl Into<String>, value: impl Serialize) -> Self {
                    self.insert_property(name.into(), value, |operation, name, value| {
                        operation.body.#name.insert(name, value);
                    })
                }
            });
            continue;
        }
        if taken.contains(&field.wire) {
            continue;
        }
        let member = source.member(&operation.document, &field.wire);
        let stated = member.and_then(|member| source.extension(member, NAME)?.as_str());
        let setter_name = stated.unwrap_or(&field.name).to_owned();
        let entries = member
            .and_then(|member| source.extension(member, ENTRIES))
            .is_some_and(|entries| *entries == true);
        let place = quote!(self.operation_mut().body.#name);
        let is_map = matches!(argument::kind(&unwrapped(&field.ty).0), Kind::Map);
        if entries || is_map {
            setters.extend(entry_setters(source, field, &setter_name, member));
        } else {
            setters.push(setter(source, field, &setter_name, &place));
        }
    }
    setters
}

/// Generates a setter for one member of a member, by name, a setter for all of them, and setters for the declared ones.
fn entry_setters(
    source: &Source,
    field: &Field,
    setter_name: &str,
    member: Option<&Value>,
) -> Vec<TokenStream> {
    let (method, text) = (method(setter_name), doc(&field.doc));
    let (name, wire) = (format_ident!("{}", field.name), &field.wire);
    let all = format_ident!("{}_from", field.name);
    let (ty, is_option) = unwrapped(&field.ty);
    let within = |operation: TokenStream| {
        if is_option {
            quote!(#operation.body.#name.get_or_insert_default())
        } else {
            quote!(#operation.body.#name)
        }
    };
    let whole = within(quote!(operation));
    let (mut map, mut declared, mut others) = (whole.clone(), Vec::new(), Vec::new());
    if let Some(Shape::Struct(fields)) = source.shape(&ty) {
        for inner in fields {
            let name = format_ident!("{}", inner.name);
            if inner.wire.is_empty() {
                map = quote!(#whole.#name);
                continue;
            }
            declared.push(inner.wire.clone());
            let stated = member.and_then(|member| source.property(member, &inner.wire, 0));
            let stated = stated.and_then(|stated| source.extension(stated, NAME)?.as_str());
            let whole = within(quote!(self.operation_mut()));
            others.push(setter(source, inner, stated.unwrap_or(&inner.name), &quote!(#whole.#name)));
        }
    }
    let mut setters = vec![
        quote! {
            #text
            ///
            /// Sets one member, by its name, to anything that JSON can express.
            pub fn #method(self, name: impl Into<String>, value: impl Serialize) -> Self {
                self.insert_into(#wire, &[#(#declared),*], name.into(), value, |operation, name, value| {
                    #map.insert(name, value);
                })
            }
        },
        quote! {
            #text
            ///
            /// Sets a member for each field of a struct, or for each entry of a map.
            pub fn #all(self, members: impl Serialize) -> Self {
                self.insert_all(#wire, &[#(#declared),*], members, |operation, name, value| {
                    #map.insert(name, value);
                })
            }
        },
    ];
    setters.extend(others);
    setters
}

fn setter(source: &Source, field: &Field, setter: &str, place: &TokenStream) -> TokenStream {
    let (method, text) = (method(setter), doc(&field.doc));
    let (ty, is_option) = unwrapped(&field.ty);
    let of_id = is_id(&field.wire);
    let list = if is_option { quote!(#place.get_or_insert_default()) } else { place.clone() };
    match argument::kind(&ty) {
        Kind::List(item) => {
            let (item, value) = if of_id {
                (quote!(Id), quote!(values::texts(values)))
            } else {
                (outside(source, &item), quote!(values.into_values()))
            };
            quote! {
                #text
                ///
                /// Takes one value or several, and adds them to those that are set already.
                pub fn #method<Kind>(mut self, values: impl OneOrMore<#item, Kind>) -> Self {
                    #list.extend(#value);
                    self
                }
            }
        }
        Kind::MapOf(value) => {
            let value = outside(source, &value);
            quote! {
                #text
                ///
                /// Sets one member, by its name.
                pub fn #method(mut self, name: impl Into<String>, value: impl Into<#value>) -> Self {
                    #list.insert(name.into(), value.into());
                    self
                }
            }
        }
        Kind::Text | Kind::Plain | Kind::Map | Kind::Other if is_option => {
            let ty = if of_id { quote!(Id) } else { outside(source, &ty) };
            let value =
                if of_id { quote!(value.into_value().map(String::from)) } else { quote!(value.into_value()) };
            quote! {
                #text
                pub fn #method<Kind>(mut self, value: impl OneOrNone<#ty, Kind>) -> Self {
                    #place = #value;
                    self
                }
            }
        }
        Kind::Text | Kind::Plain | Kind::Map | Kind::Other => {
            let ty = outside(source, &ty);
            quote! {
                #text
                pub fn #method(mut self, value: impl Into<#ty>) -> Self {
                    #place = value.into();
                    self
                }
            }
        }
    }
}

fn method(name: &str) -> syn::Ident {
    if TAKEN.contains(&name) { format_ident!("set_{name}") } else { format_ident!("{name}") }
}
