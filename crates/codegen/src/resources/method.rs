//! Generates the method of an operation.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Type};

use super::{
    argument::{self, Argument, Kind, outside, unwrapped},
    doc,
    source::{Field, Shape, Source},
};
use crate::table::Entry;

/// A generated method.
pub(super) struct Method {
    pub(super) tokens: TokenStream,
    pub(super) operation: Operation,
    /// The members of the body that the method takes as arguments, by their JSON names.
    pub(super) arguments: Vec<String>,
}

/// The operation of a method.
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) document: serde_json::Value,
}

/// Generates the method of an entry; `given` are the parameters that the handle provides.
pub(super) fn write(source: &Source, entry: &Entry, given: &[Ident]) -> Result<Method, String> {
    let name = source.name(entry)?;
    let document = source.operation(entry);
    let mut arguments: Vec<Argument> = Vec::new();
    let mut described: Vec<(String, String)> = Vec::new();
    let mut values = Vec::new();
    let mut prelude = Vec::new();
    let mut needs = Vec::new();
    let mut members = Vec::new();
    for field in source.fields(&name).iter().filter(|field| !field.optional || field.name == "body") {
        let ident = format_ident!("{}", field.name);
        if given.contains(&ident) {
            values.push(quote!(self.#ident.as_str()));
        } else if let Some((_, setting)) = entry.settings.iter().find(|(name, _)| *name == field.name) {
            let getter = format_ident!("{setting}_setting");
            prelude.push(quote!(let #ident = values::setting(self.client.as_client().#getter());));
            let is_set = format_ident!("has_{setting}");
            prelude.push(quote!(let #is_set = !#ident.is_empty();));
            needs.push(quote!(.needs(#setting, #is_set)));
            values.push(quote!(#ident));
        } else if field.name == "body" {
            let body = body(source, entry, field, &mut arguments, &mut described, &mut members)?;
            prelude.push(quote!(let body = #body;));
            values.push(quote!(body));
        } else {
            // A path parameter can be passed as any type with `Display`.
            let (signature, value) = if matches!(argument::kind(&field.ty), Kind::Text) {
                (quote!(#ident: impl fmt::Display), quote!(values::text(#ident)))
            } else {
                let ty = outside(source, &field.ty);
                (quote!(#ident: impl Into<#ty>), quote!(#ident.into()))
            };
            arguments.push(Argument { kind: None, signature, value: value.clone() });
            described.push((field.name.clone(), field.doc.clone()));
            values.push(value);
        }
    }
    let kinds: Vec<_> = arguments.iter().filter_map(|argument| argument.kind.clone()).collect();
    let generics = (!kinds.is_empty()).then(|| quote!(<#(#kinds),*>));
    let signatures = arguments.iter().map(|argument| &argument.signature);
    let method = format_ident!("{}", entry.name);
    let struct_name = format_ident!("{name}");
    let docs = docs(source, entry, &name, &described);
    let deprecated = (document["deprecated"] == true).then(|| quote!(#[deprecated] #[allow(deprecated)]));
    let call = quote!(Call::new(&self.client, operations::#struct_name::new(#(#values),*)) #(#needs)*);
    let tokens = quote! {
        #docs
        #deprecated
        pub fn #method #generics(&self, #(#signatures),*) -> Call<operations::#struct_name, C> {
            #(#prelude)*
            #call
        }
    };
    Ok(Method { tokens, operation: Operation { name, document: document.clone() }, arguments: members })
}

/// Generates a body with the arguments of the method.
fn body(
    source: &Source,
    entry: &Entry,
    field: &Field,
    arguments: &mut Vec<Argument>,
    described: &mut Vec<(String, String)>,
    members: &mut Vec<String>,
) -> Result<TokenStream, String> {
    let whole = outside(source, &field.ty);
    if let Kind::List(item) = argument::kind(&field.ty) {
        return Ok(list(source, &item, arguments, described, field));
    }
    match source.shape(&field.ty) {
        Some(Shape::Around(inner)) => {
            let Kind::List(item) = argument::kind(inner) else {
                return Err(
                    "the body is a value in a struct of its own, which no method can take apart".to_owned()
                );
            };
            let value = list(source, &item, arguments, described, field);
            Ok(quote!(#whole(#value)))
        }
        Some(Shape::Struct(fields)) => {
            if let Some(unknown) =
                entry.arguments.iter().flatten().find(|wire| !fields.iter().any(|field| field.wire == **wire))
            {
                return Err(format!("the body has no member `{unknown}`"));
            }
            let is_taken = |field: &Field| match &entry.arguments {
                Some(stated) => stated.contains(&field.wire),
                None => !field.optional,
            };
            if fields.iter().all(|field| field.optional && !is_taken(field)) {
                return Ok(quote!(#whole::default()));
            }
            // In the order of the table, or of the fields.
            let mut taken: Vec<&Field> = fields.iter().filter(|field| is_taken(field)).collect();
            if let Some(stated) = &entry.arguments {
                taken.sort_by_key(|field| stated.iter().position(|wire| *wire == field.wire));
            } else {
                let required = source.required(source.operation(entry));
                taken.sort_by_key(|field| required.iter().position(|wire| *wire == field.wire));
            }
            let mut values = std::collections::BTreeMap::new();
            for field in taken {
                let number = arguments.iter().filter(|argument| argument.kind.is_some()).count();
                let argument = argument::build(source, field, number);
                values.insert(field.name.clone(), argument.value.clone());
                described.push((field.name.clone(), field.doc.clone()));
                members.push(field.wire.clone());
                arguments.push(argument);
            }
            let mut set = Vec::new();
            for field in fields {
                let name = format_ident!("{}", field.name);
                let value = match values.get(&field.name) {
                    Some(value) => value.clone(),
                    None if field.optional || has_default(source, &field.ty) => quote!(Default::default()),
                    None => {
                        return Err(format!(
                            "the body requires `{}`, which is no argument and has no default",
                            field.wire
                        ));
                    }
                };
                set.push(quote!(#name: #value));
            }
            Ok(quote!(#whole { #(#set),* }))
        }
        Some(Shape::Enum) | None => {
            arguments.push(Argument {
                kind: None,
                signature: quote!(body: impl Into<#whole>),
                value: quote!(body.into()),
            });
            described.push(("body".to_owned(), field.doc.clone()));
            Ok(quote!(body.into()))
        }
    }
}

/// Generates a body that is a list.
fn list(
    source: &Source,
    item: &Type,
    arguments: &mut Vec<Argument>,
    described: &mut Vec<(String, String)>,
    field: &Field,
) -> TokenStream {
    let item = outside(source, item);
    arguments.push(Argument {
        kind: Some(format_ident!("Kind")),
        signature: quote!(items: impl OneOrMore<#item, Kind>),
        value: quote!(items.into_values().collect()),
    });
    described.push(("items".to_owned(), field.doc.clone()));
    quote!(items.into_values().collect())
}

fn has_default(source: &Source, ty: &Type) -> bool {
    let (_, is_option) = unwrapped(ty);
    let of_struct = || match source.shape(ty) {
        Some(Shape::Struct(fields)) => fields.iter().all(|field| field.optional),
        _ => false,
    };
    is_option || matches!(argument::kind(ty), Kind::List(_) | Kind::Map | Kind::MapOf(_)) || of_struct()
}

/// Returns the document's description of the operation and of its arguments.
fn docs(source: &Source, entry: &Entry, name: &str, described: &[(String, String)]) -> TokenStream {
    let mut text = source.doc(name).to_owned();
    // The last paragraph names the operation.
    if let Some((before, _)) = text.rsplit_once("\n\n`") {
        text = before.to_owned();
    }
    let summary = summary(source, name);
    text = match text.split_once("\n\n") {
        Some((_, rest)) => format!("{summary}\n\n{rest}"),
        None => summary,
    };
    let sent_to = entry.path.split('#').next().unwrap_or_default();
    text.extend(["\n\nSends `", &entry.method.to_uppercase(), " ", sent_to, "`."]);
    let by_method = matches!(entry.method.as_str(), "get" | "head" | "put" | "delete" | "options" | "trace");
    let repeated = if entry.idempotency_key.is_some() {
        "Retried after transient errors, with an idempotency key: yours, or a generated one."
    } else if entry.idempotent.unwrap_or(by_method) {
        "Retried after transient errors."
    } else {
        "Retried only if the API cannot have processed it."
    };
    text.push(' ');
    text.push_str(repeated);
    match source.operation(entry)["x-source"].as_str() {
        Some("sdks") => text.push_str("\n\nKnown from the official SDKs, not from the API's own document."),
        Some("docs") => text.push_str("\n\nKnown from the API's documentation, not from its document."),
        _ => {}
    }
    let described: Vec<_> = described.iter().filter(|(_, doc)| !doc.is_empty()).collect();
    if !described.is_empty() {
        text.push('\n');
    }
    for (name, doc) in described {
        text.extend(["\n- `", name, "`: ", &doc.replace('\n', " ")]);
    }
    doc(&text)
}

/// The verbs with which summaries of operations usually begin.
const VERBS: [&str; 31] = [
    "add",
    "broadcast",
    "cancel",
    "change",
    "create",
    "delete",
    "disable",
    "edit",
    "enable",
    "fetch",
    "find",
    "finish",
    "get",
    "list",
    "make",
    "merge",
    "move",
    "read",
    "remove",
    "replace",
    "reset",
    "search",
    "send",
    "set",
    "start",
    "subscribe",
    "track",
    "trigger",
    "unsubscribe",
    "update",
    "upload",
];

/// Returns the first line of the document's description of an operation as a sentence: `Create or update a user` becomes
/// `Creates or updates a user.`
pub(super) fn summary(source: &Source, operation: &str) -> String {
    sentence(source.doc(operation).lines().next().unwrap_or_default())
}

fn sentence(summary: &str) -> String {
    let mut words: Vec<String> = summary.split(' ').map(str::to_owned).collect();
    let mut next = 0;
    while let Some(word) = words.get_mut(next).filter(|word| VERBS.contains(&word.to_lowercase().as_str())) {
        let hisses = ["s", "sh", "ch", "x", "z"].iter().any(|end| word.ends_with(end));
        word.push_str(if hisses { "es" } else { "s" });
        match words.get(next + 1).map(String::as_str) {
            Some("or" | "and") => next += 2,
            _ => break,
        }
    }
    let text = words.join(" ");
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_becomes_a_sentence_in_the_third_person() {
        assert_eq!(sentence("Create or update a user"), "Creates or updates a user.");
        assert_eq!(sentence("Fetch a user"), "Fetches a user.");
        assert_eq!(
            sentence("Unsubscribe users and objects from an object"),
            "Unsubscribes users and objects from an object."
        );
        assert_eq!(sentence("Returns a user."), "Returns a user.");
        assert_eq!(sentence("Users"), "Users.");
        assert_eq!(sentence(""), "");
    }
}
