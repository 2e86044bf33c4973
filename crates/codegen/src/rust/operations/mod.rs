//! Turns the functions of progenitor's client into operations as values.
//!
//! For each function, the signature becomes a struct, the result becomes the types of the response and of the refusal, and the statements
//! before sending become the method `request`. The client itself is removed.

mod pages;
mod read;
mod visit;

use heck::ToPascalCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    File, Ident, ItemMod, ItemStruct, Path, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

pub(super) use self::pages::Types;
pub(crate) use self::read::arguments;
use self::read::{Body, Function};
use super::{Notes, deserialize};
use crate::{
    Pointer,
    facts::{Credential, Facts},
    rules::Rust as Rules,
    table::Verdict,
};

/// The module with the operations, and progenitor's module with the types.
pub(super) struct Split {
    pub(super) types: ItemMod,
    pub(super) operations: Vec<Read>,
}

/// An operation: the content of the function, and the document's additional facts.
pub(super) struct Read {
    function: Function,
    facts: Facts,
}

/// Reads progenitor's file.
pub(super) fn split(file: File, facts: &[Facts]) -> Result<Split, String> {
    let (types, functions) = read::read(file)?;
    let operations = functions.into_iter().map(|function| {
        let facts = facts.iter().find(|facts| facts.function == function.name);
        let facts = facts.ok_or_else(|| format!("the function `{}` is of no operation", function.name))?;
        Ok(Read { function, facts: facts.clone() })
    });
    Ok(Split { types, operations: operations.collect::<Result<_, String>>()? })
}

/// Writes the module with the operations. Returns it with the notes on what it lacks.
pub(super) fn write(
    operations: &[Read],
    types: &Types,
    rules: &Rules,
    runtime: &Path,
) -> Result<(ItemMod, Notes), String> {
    let (mut items, mut notes) = (Vec::new(), Notes::new());
    for operation in operations {
        items.push(operation.items(types, rules, runtime, &mut notes)?);
    }
    let names = operations.iter().map(Read::name).collect::<Vec<_>>();
    let visit = visit::function(operations, &names);
    let mut module: ItemMod = parse_quote! {
        /// The operations of the API, as values.
        pub mod operations {
            #[allow(unused_imports)]
            use super::{rules, types};
            #[allow(unused_imports)]
            use #runtime::rules::Schema;
            #[allow(unused_imports)]
            use #runtime::{
                Base, Credential, CursorPaged, Format, Inspector, Lookup, Method, OffsetPaged, Operation, Page, Paged,
                Parameter, Place, Position, Request, RequestError, Spec, Verdict, Visitor, parameter,
            };
            #(#items)*
            #visit
        }
    };
    Shorten.visit_item_mod_mut(&mut module);
    Ok((module, notes))
}

/// Shortens types of the prelude to their last segment. No operation has one of these names; see `names::is_taken`.
struct Shorten;

impl VisitMut for Shorten {
    fn visit_path_mut(&mut self, path: &mut Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if matches!(
            names.as_slice(),
            ["std", "option", "Option"] | ["std", "string", "String"] | ["std", "vec", "Vec"]
        ) && let Some(last) = path.segments.pop()
        {
            path.leading_colon = None;
            path.segments = std::iter::once(last).collect();
        }
        visit_mut::visit_path_mut(self, path);
    }
}

/// A field of an operation's struct.
struct Field {
    name: Ident,
    ty: Type,
    doc: String,
    /// The type inside an `Option`.
    optional: Option<Type>,
}

impl Read {
    pub(super) fn name(&self) -> Ident {
        name(&self.function.name)
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    fn items(
        &self,
        types: &Types,
        rules: &Rules,
        runtime: &Path,
        notes: &mut Notes,
    ) -> Result<TokenStream, String> {
        let fields = self.fields();
        let name = self.name();
        let mut definition = self.definition(&fields);
        let reading = deserialize::of_struct(&mut definition, runtime);
        let constructor = self.constructor(&fields, rules);
        let (debug, operation) = (self.debug(&fields, runtime), self.operation(types, rules)?);
        let lookup = (self.facts.method == "get" && self.function.statuses.contains(&404))
            .then(|| quote!(impl Lookup for #name {}));
        let paged = pages::paged(&name, &self.function, types).unwrap_or_else(|reason| {
            let place = Pointer::root().child("paths").child(&self.facts.path).child(&self.facts.method);
            notes.push((place, format!("its pages have no methods: {reason}")));
            None
        });
        Ok(quote!(#definition #reading #debug #constructor #operation #lookup #paged))
    }

    fn fields(&self) -> Vec<Field> {
        let names = self.function.query.iter().chain(&self.function.headers);
        let described = |ident: &Ident| {
            let wire = names.clone().find(|(_, argument)| argument == ident).map(|(name, _)| name.clone());
            let of_path = self.function.path.iter().position(|argument| argument == ident);
            let wire = wire.or_else(|| template_names(&self.facts.path).nth(of_path?).map(str::to_owned));
            match wire {
                Some(wire) => self.facts.parameters.iter().find(|parameter| parameter.name == wire),
                None => None,
            }
        };
        let field = |(ident, ty): &(Ident, Type)| {
            let doc = match described(ident) {
                Some(parameter) => parameter.description.clone(),
                None if ident == "body" && self.facts.body.is_empty() => "The request body.".to_owned(),
                None => self.facts.body.clone(),
            };
            let is_option = matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"));
            let optional = is_option.then(|| read::arguments(ty).pop()).flatten();
            Field { name: ident.clone(), ty: ty.clone(), doc, optional }
        };
        self.function.arguments.iter().map(field).collect()
    }

    fn definition(&self, fields: &[Field]) -> ItemStruct {
        let name = self.name();
        let Facts { id, summary, description, method, path, .. } = &self.facts;
        let what = format!("`{} {}`, the operation `{id}`.", method.to_uppercase(), path);
        let parts = [summary.trim(), description.trim(), &what];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let doc = super::doc(&text);
        let deprecated = self.facts.deprecated.then(|| quote!(#[deprecated]));
        let default = fields.iter().all(|field| field.optional.is_some()).then(|| quote!(Default,));
        let fields = fields.iter().map(|Field { name, ty, doc, optional }| {
            let doc = super::doc(doc);
            // `None` is left out, so that stored operations are small and may lack newer fields.
            let absent =
                optional.as_ref().map(|_| quote!(#[serde(default, skip_serializing_if = "Option::is_none")]));
            quote!(#doc #absent pub #name: #ty)
        });
        parse_quote! {
            #doc
            #deprecated
            #[derive(Clone, #default PartialEq, ::serde::Serialize, ::serde::Deserialize)]
            #[non_exhaustive]
            pub struct #name { #(#fields,)* }
        }
    }

    fn constructor(&self, fields: &[Field], rules: &Rules) -> TokenStream {
        let name = self.name();
        let required = fields.iter().filter(|field| field.optional.is_none());
        let arguments =
            required.map(
                |Field { name, ty, .. }| {
                    if is_text(ty) { quote!(#name: impl Into<#ty>) } else { quote!(#name: #ty) }
                },
            );
        let all_optional = fields.iter().all(|field| field.optional.is_some());
        let values = fields.iter().map(|Field { name, ty, optional, .. }| match optional {
            Some(_) => quote!(#name: None),
            None if is_text(ty) => quote!(#name: #name.into()),
            None => quote!(#name),
        });
        let setters = fields.iter().filter_map(|Field { name, doc, optional, .. }| {
            let inner = optional.as_ref()?;
            let doc = super::doc(doc);
            // The constructor already has this name.
            let method = if name == "new" { format_ident!("set_new") } else { name.clone() };
            let item = is_list(inner).then(|| read::arguments(inner).pop()).flatten();
            let of = item.as_ref().unwrap_or(inner);
            let (argument, value) = if is_shown(of) {
                (quote!(#of), quote!(value))
            } else {
                (quote!(impl Into<#of>), quote!(value.into()))
            };
            let set = if item.is_some() {
                quote!(self.#name.get_or_insert_default().push(#value);)
            } else {
                quote!(self.#name = Some(#value);)
            };
            Some(quote! {
                #doc
                pub fn #method(mut self, value: #argument) -> Self {
                    #set
                    self
                }
            })
        });
        let made =
            if all_optional { quote!(<Self as Default>::default()) } else { quote!(Self { #(#values),* }) };
        let parameters = self.parameters().into_iter().map(|(wire, place, _)| {
            let rules = rules.parameter(&self.facts.path, &self.facts.method, &wire, place);
            let rules = rules.unwrap_or_else(|| quote!(&Schema::new(&[])));
            let place = format_ident!("{}", place.to_pascal_case());
            quote!(Parameter::new(#wire, Place::#place, #rules))
        });
        let parameters = parameters.collect::<Vec<_>>();
        // A separate constant: it would not live long enough inside the call that creates the `Spec`.
        let parameters = (!parameters.is_empty())
            .then(|| quote!(const PARAMETERS: &'static [Parameter] = &[#(#parameters),*];));
        quote! {
            impl #name {
                #parameters
                /// Creates the operation with what it requires.
                pub fn new(#(#arguments),*) -> Self {
                    #made
                }
                #(#setters)*
            }
        }
    }

    /// Returns whether a field is a parameter that the document marks as sensitive.
    fn is_sensitive(&self, field: &Ident) -> bool {
        let parameters = self.parameters().into_iter().filter(|(_, _, known)| *known == field);
        let stated = |wire: &str, place: &str| {
            self.facts.parameters.iter().find(|known| known.name == wire && known.place == place)
        };
        parameters.filter_map(|(wire, place, _)| stated(&wire, place)).any(|parameter| parameter.sensitive)
    }

    /// Generates the `Debug` implementation. Strings and bodies may be ids of people, or secrets.
    fn debug(&self, fields: &[Field], runtime: &Path) -> TokenStream {
        let name = self.name();
        let shown = fields.iter().filter(|field| is_shown(field.optional.as_ref().unwrap_or(&field.ty)));
        let shown = shown.filter(|field| !self.is_sensitive(&field.name)).map(|field| &field.name);
        quote!(#runtime::partial_debug!(#name { #(#shown),* });)
    }

    fn operation(&self, types: &Types, rules: &Rules) -> Result<TokenStream, String> {
        let name = self.name();
        let Function { response, refusal, arguments, .. } = &self.function;
        let body_type = arguments.iter().find(|(ident, _)| ident == "body").map(|(_, ty)| ty);
        let body = body_type.map_or_else(
            || {
                quote!(
                    type Body = ();
                )
            },
            |ty| {
                quote! {
                    type Body = #ty;
                    fn body(&self) -> Option<&#ty> {
                        Some(&self.body)
                    }
                }
            },
        );
        let response = if self.facts.text && !matches!(response, Type::Tuple(_)) {
            parse_quote!(::std::string::String)
        } else {
            response.clone()
        };
        let spec = self.spec(&response, rules);
        let (request, inspect) = (self.request(), self.inspect(rules));
        let key = match (&self.facts.key, body_type) {
            (Some(key), Some(ty)) => {
                let has_key = types.is_set(ty, quote!(self.body), key).ok_or_else(|| {
                    format!(
                        "the body of `{}` has no member /{} to be the idempotency key",
                        self.facts.id,
                        key.join("/")
                    )
                })?;
                let visit = types.visit(ty, quote!(self.body), key).map(|visit| {
                    quote! {
                        fn idempotency_keys(&mut self, visit: &mut dyn FnMut(&mut Option<String>)) { #visit }
                    }
                });
                Some(quote! {
                    fn is_idempotent(&self) -> bool { #has_key }
                    #visit
                })
            }
            _ => None,
        };
        Ok(quote! {
            impl Operation for #name {
                const SPEC: &'static Spec = &#spec;
                type Response = #response;
                type Refusal = #refusal;
                #body
                #request
                #inspect
                #key
            }
        })
    }

    fn spec(&self, response: &Type, rules: &Rules) -> TokenStream {
        let Facts { id, method, path, .. } = &self.facts;
        let method = format_ident!("{}", method.to_uppercase());
        let response = match response {
            Type::Tuple(_) => Some(quote!(.response(Format::Empty))),
            ty if is_text(ty) => Some(quote!(.response(Format::Text))),
            ty if is_bytes(ty) => Some(quote!(.response(Format::Bytes))),
            _ => None,
        };
        let credential = match &self.facts.credential {
            Credential::None => None,
            Credential::Bearer => Some(quote!(.bearer())),
            Credential::Basic => Some(quote!(.credential(Credential::Basic))),
            Credential::Scheme(name) => Some(quote!(.credential(Credential::Scheme(#name)))),
            Credential::Header(name) => Some(quote!(.credential(Credential::Header(#name)))),
            Credential::Query(name) => Some(quote!(.credential(Credential::Query(#name)))),
            Credential::Other(name) => Some(quote!(.credential(Credential::Other(#name)))),
        };
        let server = self.facts.server.as_ref().map(|url| quote!(.server(#url)));
        let idempotent = self.facts.idempotent.then(|| quote!(.idempotent()));
        let parameters = (!self.parameters().is_empty()).then(|| quote!(.parameters(Self::PARAMETERS)));
        let body = rules.body(&self.facts.path, &self.facts.method).map(|rules| quote!(.body(#rules)));
        let verdict = self.facts.verdict.as_ref().map(|Verdict { asked_by, holds, reasons }| {
            let asked_by = asked_by.as_ref().map(|name| quote!(.asked_by(#name)));
            quote!(.verdict(Verdict::new(&[#(#holds),*], &[#(#reasons),*]) #asked_by))
        });
        quote! {
            Spec::new(#id, Method::#method, #path) #credential #server #idempotent #response #parameters #body #verdict
        }
    }

    /// Returns the parameters in the order of the spec: name in the document, place, field.
    fn parameters(&self) -> Vec<(String, &'static str, &Ident)> {
        let of_path = template_names(&self.facts.path).map(str::to_owned).zip(&self.function.path);
        let of_path = of_path.map(|(wire, field)| (wire, "path", field));
        let of_query = self.function.query.iter().map(|(wire, field)| (wire.clone(), "query", field));
        let of_headers = self.function.headers.iter().map(|(wire, field)| (wire.clone(), "header", field));
        of_path.chain(of_query).chain(of_headers).collect()
    }

    fn ty(&self, field: &Ident) -> Option<&Type> {
        self.function.arguments.iter().find(|(ident, _)| ident == field).map(|(_, ty)| ty)
    }

    fn request(&self) -> TokenStream {
        let names = template_names(&self.facts.path);
        let values = self.function.path.iter().zip(names).map(|(field, wire)| match self.ty(field) {
            Some(ty) if is_text(ty) => quote!(&self.#field),
            _ => quote!(&parameter::text(#wire, &self.#field)?),
        });
        let query = self
            .function
            .query
            .iter()
            .map(|(wire, field)| quote!(parameter::query(&mut request, #wire, &self.#field)?;));
        let headers = self
            .function
            .headers
            .iter()
            .map(|(wire, field)| quote!(parameter::header(&mut request, #wire, &self.#field)?;));
        let accept = self.function.accepts_json.then(|| quote!(parameter::accept_json(&mut request);));
        let body = self.function.body.as_ref().map(|body| match body {
            Body::Json => quote!(parameter::json(&mut request, &self.body)?;),
            Body::Form => quote!(parameter::form(&mut request, &self.body)?;),
            Body::Raw(media) => quote!(parameter::bytes(&mut request, #media, &self.body);),
        });
        let adds = accept.is_some() || body.is_some() || query.len() + headers.len() > 0;
        let mutable = adds.then(|| quote!(mut));
        quote! {
            fn request(&self, base: &Base) -> Result<Request, RequestError> {
                let #mutable request = base.request(Self::SPEC, &[#(#values),*])?;
                #(#query)*
                #(#headers)*
                #accept
                #body
                Ok(request)
            }
        }
    }

    fn inspect(&self, rules: &Rules) -> Option<TokenStream> {
        let parameters = self.parameters().into_iter().enumerate().map(|(index, (_, _, field))| {
            let index = syn::Index::from(index);
            if self.ty(field).is_some_and(is_option) {
                quote!(inspector.optional(&Self::PARAMETERS[#index], &self.#field);)
            } else {
                quote!(inspector.parameter(&Self::PARAMETERS[#index], &self.#field);)
            }
        });
        let parameters = parameters.collect::<Vec<_>>();
        let body = rules
            .body(&self.facts.path, &self.facts.method)
            .map(|rules| quote!(inspector.body(#rules, &self.body);));
        (!parameters.is_empty() || body.is_some()).then(|| {
            quote! {
                fn inspect<I: Inspector>(&self, inspector: &mut I) {
                    #(#parameters)*
                    #body
                }
            }
        })
    }
}

/// Returns the name of an operation's struct.
fn name(function: &str) -> Ident {
    format_ident!("{}", function.to_pascal_case())
}

/// Returns the names in a path template, in order.
fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split('}').next())
}

fn is_text(ty: &Type) -> bool {
    super::type_text(ty) == "::std::string::String"
}

fn is_bytes(ty: &Type) -> bool {
    super::type_text(ty) == "::std::vec::Vec<u8>"
}

fn is_list(ty: &Type) -> bool {
    super::type_text(ty).starts_with("::std::vec::Vec<")
}

fn is_option(ty: &Type) -> bool {
    super::type_text(ty).starts_with("::std::option::Option<")
}

/// Returns whether a value can be shown: numbers and booleans reveal nothing about anybody.
fn is_shown(ty: &Type) -> bool {
    matches!(super::type_text(ty).as_str(), "bool" | "i64" | "i32" | "u64" | "u32" | "f64")
}
