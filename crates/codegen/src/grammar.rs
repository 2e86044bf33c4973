//! The grammar of OpenAPI documents: which objects occur where.
//!
//! For every kind of object, one table lists which of its members contain objects of which kind. All code that walks the document (lint,
//! lowering, adapting, references) uses this table, so that a *property* named `const`, `examples` or `nullable` is never mistaken for a
//! keyword: the keys below `properties` are names, not keywords.

use serde_json::Value;

use crate::Pointer;

/// The kind of object at a place of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// The document itself.
    Document,
    /// `paths`: a map from templates to path items.
    Paths,
    /// A path item, also of a webhook or a callback.
    PathItem,
    /// An operation.
    Operation,
    /// A parameter.
    Parameter,
    /// A request body.
    RequestBody,
    /// `responses`: a map from statuses to responses.
    Responses,
    /// A response.
    Response,
    /// A header of a response or of an encoding.
    Header,
    /// A media type.
    MediaType,
    /// The encoding of one property of a form.
    Encoding,
    /// A callback: a map from expressions to path items.
    Callback,
    /// `components`.
    Components,
    /// A JSON Schema, which may be a boolean.
    Schema,
}

/// The way in which a member contains its objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

use Shape::{List, Map, One};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Returns whether a key of a path item names an operation.
pub fn is_method(key: &str) -> bool {
    METHODS.contains(&key)
}

/// Returns a path without the names of its parameters: two paths that only differ in these names are the same path.
pub fn path_template(path: &str) -> String {
    let mut parts = path.split('{');
    let mut template = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        template.push_str("{}");
        template.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    template
}

/// Returns what the member `key` of an object of kind `node` contains; `None` for data and annotations.
fn member(node: Node, key: &str, value: &Value) -> Option<(Shape, Node)> {
    if key.starts_with("x-") && !matches!(node, Node::Callback) {
        return None;
    }
    Some(match (node, key) {
        (Node::Document, "paths") => (One, Node::Paths),
        (Node::Document, "webhooks") | (Node::Components, "pathItems") => (Map, Node::PathItem),
        (Node::Document, "components") => (One, Node::Components),
        (Node::Paths | Node::Callback, _) => (One, Node::PathItem),
        (Node::PathItem, method) if is_method(method) => (One, Node::Operation),
        (Node::PathItem | Node::Operation, "parameters") => (List, Node::Parameter),
        (Node::Components, "parameters") => (Map, Node::Parameter),
        (Node::Operation, "requestBody") => (One, Node::RequestBody),
        (Node::Components, "requestBodies") => (Map, Node::RequestBody),
        (Node::Operation, "responses") => (One, Node::Responses),
        (Node::Responses, _) => (One, Node::Response),
        (Node::Components, "responses") => (Map, Node::Response),
        (Node::Operation | Node::Components, "callbacks") => (Map, Node::Callback),
        (Node::Components | Node::Response | Node::Encoding, "headers") => (Map, Node::Header),
        (Node::Parameter | Node::Header | Node::RequestBody | Node::Response, "content") => {
            (Map, Node::MediaType)
        }
        (Node::Parameter | Node::Header | Node::MediaType, "schema") => (One, Node::Schema),
        (Node::MediaType, "encoding") => (Map, Node::Encoding),
        (Node::Components, "schemas") => (Map, Node::Schema),
        (Node::Schema, keyword) => (subschemas(keyword, value)?, Node::Schema),
        _ => return None,
    })
}

/// Returns how a keyword of JSON Schema 2020-12 (or of an older draft) contains schemas.
fn subschemas(keyword: &str, value: &Value) -> Option<Shape> {
    Some(match keyword {
        // A list of schemas under `items` is the older drafts' form of `prefixItems`.
        "items" if value.is_array() => List,
        "items"
        | "additionalItems"
        | "additionalProperties"
        | "contains"
        | "contentSchema"
        | "else"
        | "if"
        | "not"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties" => One,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => List,
        "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties" => Map,
        _ => return None,
    })
}

/// Calls `visit` for the object at `pointer` and everything below it, parents before their children.
///
/// A Reference Object (a `$ref` anywhere but in a schema) is visited, but not the members next to the `$ref`.
pub fn walk<'a>(
    value: &'a Value,
    node: Node,
    pointer: &Pointer,
    visit: &mut impl FnMut(&'a Value, Node, &Pointer),
) {
    visit(value, node, pointer);
    for (child, node, pointer) in children(value, node, pointer) {
        walk(child, node, &pointer, visit);
    }
}

/// Returns the objects directly below an object, each with its place.
pub(crate) fn children<'a>(
    value: &'a Value,
    node: Node,
    pointer: &Pointer,
) -> Vec<(&'a Value, Node, Pointer)> {
    places(value, node)
        .into_iter()
        .filter_map(|(node, step)| Some((step.get(value)?, node, pointer.join(&step))))
        .collect()
}

/// Returns the object directly below one object that is at or around a place, given by the remaining steps, and the steps to that object.
pub(crate) fn towards<'a, 'p>(
    value: &'a Value,
    node: Node,
    steps: &'p [String],
) -> Option<(&'a Value, Node, &'p [String])> {
    let (key, rest) = steps.split_first()?;
    let members = value.as_object().filter(|members| !is_reference(members, node))?;
    let value = members.get(key).filter(|value| !value.is_null())?;
    let (shape, node) = member(node, key, value)?;
    let value = match (shape, value, rest.first()) {
        (One, value, _) => return Some((value, node, &steps[..1])),
        (List, Value::Array(items), Some(index)) => items.get(index.parse::<usize>().ok()?)?,
        (Map, Value::Object(entries), Some(name)) => entries.get(name)?,
        _ => return None,
    };
    Some((value, node, &steps[..2]))
}

/// Returns the places of the objects directly below an object, relative to it.
fn places(value: &Value, node: Node) -> Vec<(Node, Pointer)> {
    let mut found = Vec::new();
    let Value::Object(members) = value else {
        return found;
    };
    if is_reference(members, node) {
        return found;
    }
    // A member without a value counts as absent.
    for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let Some((shape, node)) = member(node, key, value) else {
            continue;
        };
        let step = Pointer::root().child(key);
        match (shape, value) {
            (One, _) => found.push((node, step)),
            (List, Value::Array(items)) => {
                found.extend((0..items.len()).map(|index| (node, step.child(index))));
            }
            (Map, Value::Object(entries)) => {
                found.extend(entries.keys().map(|name| (node, step.child(name))));
            }
            _ => {}
        }
    }
    found
}

/// Calls `change` for the object at `pointer` and everything below it, children before their parents.
pub(crate) fn rewrite(
    value: &mut Value,
    node: Node,
    pointer: &Pointer,
    change: &mut impl FnMut(&mut Value, Node, &Pointer),
) {
    for (node, step) in places(value, node) {
        if let Some(child) = step.get_mut(value) {
            rewrite(child, node, &pointer.join(&step), change);
        }
    }
    change(value, node, pointer);
}

fn is_reference(members: &serde_json::Map<String, Value>, node: Node) -> bool {
    node != Node::Schema && node != Node::PathItem && members.get("$ref").is_some_and(Value::is_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_named_like_keywords_are_not_keywords() {
        let schema = json!({
            "properties": {"properties": {"type": "string"}, "not": {"items": true}},
            "examples": [{"properties": {"a": {}}}],
            "x-more": {"not": {}},
        });
        let mut seen = Vec::new();
        walk(&schema, Node::Schema, &Pointer::root(), &mut |_, _, pointer| {
            seen.push(pointer.as_str().to_owned());
        });
        assert_eq!(seen, ["", "/properties/properties", "/properties/not", "/properties/not/items"]);
    }
}
