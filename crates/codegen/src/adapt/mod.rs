//! Adapting: changes a valid 3.0.3 document so that progenitor generates what it says.
//!
//! progenitor loses or rejects much that is legal (it allows one success type and one error type for an operation, and names of inline
//! schemas that do not collide). Each step here works around one such limit, for any document. Every step that loses, renames or combines
//! something adds an entry to the [`Report`]. Examples and `x-` keys leave no trace in Rust anyway, so they are removed without an entry.

mod components;
mod constraints;
mod descriptions;
mod equal;
mod operations;
mod responses;
mod scalars;
mod schema;
mod sensitive;
mod states;
mod unions;

use serde_json::Value;

pub(crate) use descriptions::Descriptions;
pub(crate) use operations::{is_reserved, operation_id};
pub use schema::is_closed;
pub(crate) use sensitive::{Extent, Sensitive, is_sensitive};
pub(crate) use states::States;
pub(crate) use unions::{Check, PLACEHOLDER, Test, Union, Unions};

use crate::{
    Pointer, Report,
    grammar::{self, Node},
};

/// Facts that cannot be passed to the generator; its output is patched with them.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    /// The places that must not be printed.
    pub(crate) sensitive: Sensitive,
    /// The types that are unions.
    pub(crate) unions: Unions,
    /// The descriptions of properties.
    pub(crate) descriptions: Descriptions,
    /// The properties that distinguish null from absent.
    pub(crate) states: States,
}

/// Adapts a lowered document to progenitor.
pub(crate) fn adapt(document: &mut Value, report: &mut Report) -> Notes {
    operations::identify(document, report);
    unions::bases(document, report);
    let lowered = document.clone();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema {
            schema::adapt(value, pointer, report);
        }
    });
    let named = components::hoist(document, &lowered, report);
    components::rename(document, report);
    components::settle_nulls(document);
    scalars::inline(document, report);
    sensitive::spread(document);
    unions::distribute(document, report);
    equal::merge(document, &named, &lowered, report);
    let descriptions = descriptions::collect(document, report);
    let states = states::collect(document, &lowered, report);
    operations::inline_references(document);
    operations::adapt(document, report);
    responses::unify(document, report);
    let mut sensitive = sensitive::collect(document);
    let unions = unions::settle(document, &lowered, report);
    sensitive.extend(document, unions.names());
    operations::strip(document, report);
    Notes { sensitive, unions, descriptions, states }
}

/// Returns the operations of a document, each with its path, its method and its place.
fn operations(document: &Value) -> Vec<(String, String, Pointer)> {
    let mut found = Vec::new();
    let paths = Pointer::root().child("paths");
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in item.as_object().into_iter().flat_map(serde_json::Map::keys) {
            if grammar::is_method(method) {
                let place = paths.child(path).child(method);
                found.push((path.clone(), method.clone(), place));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
