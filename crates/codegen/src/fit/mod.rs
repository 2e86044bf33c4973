//! Fitting: a valid 3.0.3 document is shaped until progenitor generates from it what it says.
//!
//! progenitor loses or refuses much that is legal (one success type an operation, one error type, names for inline schemas
//! that collide). Each step here works around one such limit, for any document, and every step that loses,
//! renames or combines something is an entry of the [`Report`]. Examples and `x-` keys leave no trace in Rust
//! anyway and go without one.

mod components;
mod constraints;
mod equal;
mod operations;
mod responses;
mod scalars;
mod schema;
mod sensitive;

use serde_json::Value;

pub(crate) use operations::{is_reserved, operation_id};
pub use schema::is_closed;
pub(crate) use sensitive::{Extent, Sensitive};

use crate::{
    Pointer, Report,
    grammar::{self, Node},
};

/// Fits a lowered document to progenitor, and tells what of it must not be printed.
pub(crate) fn fit(document: &mut Value, report: &mut Report) -> Sensitive {
    operations::identify(document, report);
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema {
            schema::fit(value, pointer, report);
        }
    });
    schema::choose_unions(document, report);
    let stated = components::hoist(document, report);
    components::rename(document, report);
    scalars::inline(document, report);
    equal::merge(document, &stated, report);
    let sensitive = sensitive::collect(document);
    operations::inline_references(document);
    operations::fit(document, report);
    responses::unify(document, report);
    operations::strip(document, report);
    sensitive
}

/// The operations of a document, each with its path, its method and its place.
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
