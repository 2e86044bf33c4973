//! Finds places without a description, for which users of the generated code see only a name.

use serde_json::Value;

use super::resolve;
use crate::{
    Pointer,
    grammar::{Node, walk},
};

/// Lists the operations, parameters, components, titled schemas and properties without a description, in the document's order.
pub(crate) fn missing(document: &Value) -> Vec<Pointer> {
    let schemas = Pointer::from_text("/components/schemas");
    let mut places = Vec::new();
    walk(document, Node::Document, &Pointer::root(), &mut |value, node, place| {
        let missing = match node {
            Node::Operation => !has_text(value, "description") && !has_text(value, "summary"),
            Node::Parameter => {
                let value = resolve(document, value);
                !has_text(value, "description")
                    && value.get("schema").is_none_or(|it| !is_described(document, it))
            }
            Node::Schema => {
                let holder = place.parent();
                let is_property = holder.as_ref().is_some_and(holds_properties);
                let is_type = has_text(value, "title");
                (is_property || is_type || holder.as_ref() == Some(&schemas))
                    && !is_described(document, value)
            }
            _ => false,
        };
        if missing {
            places.push(place.clone());
        }
    });
    places
}

/// Returns whether this is the place of a map from names to properties. A property may itself be named `properties`.
fn holds_properties(holder: &Pointer) -> bool {
    let tokens = holder.tokens();
    let names = tokens.iter().rev().take_while(|token| *token == "properties").count();
    names % 2 == 1
}

fn has_text(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
}

/// Returns whether a schema has a description, or refers to a schema that has one, or is such a schema or null.
fn is_described(document: &Value, schema: &Value) -> bool {
    if has_text(schema, "description") || has_text(resolve(document, schema), "description") {
        return true;
    }
    let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
    ["oneOf", "anyOf", "allOf"].into_iter().any(|keyword| {
        let parts = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        let mut parts = parts.filter(|part| !is_null(part));
        match (parts.next(), parts.next()) {
            (Some(part), None) => has_text(resolve(document, part), "description"),
            _ => false,
        }
    })
}
