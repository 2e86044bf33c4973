//! Checks the JSON type of everything that is read later.

use serde_json::Value;

use super::Findings;
use crate::{
    Pointer,
    grammar::{self, Node},
};

/// The expected JSON type of a member.
#[derive(Clone, Copy)]
enum Shape {
    Boolean,
    Count,
    List,
    Number,
    Object,
    Positive,
    Text,
    Texts,
    Types,
}

use Shape::{Boolean, Count, List, Number, Object, Positive, Text, Texts, Types};

/// Returns the members of an object whose type matters, except those that contain objects of the grammar: these are checked during the
/// walk.
fn members(node: Node) -> &'static [(&'static str, Shape)] {
    match node {
        Node::Document => &[("openapi", Text), ("info", Object), ("webhooks", Object)],
        Node::PathItem => &[("$ref", Text), ("parameters", List)],
        Node::Operation => &[
            ("operationId", Text),
            ("summary", Text),
            ("description", Text),
            ("parameters", List),
            ("callbacks", Object),
        ],
        Node::Parameter => &[
            ("$ref", Text),
            ("name", Text),
            ("in", Text),
            ("description", Text),
            ("required", Boolean),
            ("style", Text),
            ("explode", Boolean),
            ("content", Object),
        ],
        Node::RequestBody | Node::Response | Node::Header => {
            &[("$ref", Text), ("description", Text), ("content", Object), ("headers", Object)]
        }
        Node::MediaType => &[("encoding", Object)],
        Node::Components => &[
            ("schemas", Object),
            ("responses", Object),
            ("parameters", Object),
            ("requestBodies", Object),
            ("headers", Object),
            ("callbacks", Object),
            ("pathItems", Object),
            ("securitySchemes", Object),
        ],
        Node::Schema => &[
            ("$ref", Text),
            ("$defs", Object),
            ("definitions", Object),
            ("allOf", List),
            ("anyOf", List),
            ("dependentSchemas", Object),
            ("description", Text),
            ("enum", List),
            ("format", Text),
            ("maxItems", Count),
            ("maxLength", Count),
            ("maxProperties", Count),
            ("maximum", Number),
            ("minItems", Count),
            ("minLength", Count),
            ("minProperties", Count),
            ("minimum", Number),
            ("multipleOf", Positive),
            ("nullable", Boolean),
            ("oneOf", List),
            ("pattern", Text),
            ("patternProperties", Object),
            ("prefixItems", List),
            ("properties", Object),
            ("readOnly", Boolean),
            ("required", Texts),
            ("title", Text),
            ("type", Types),
            ("uniqueItems", Boolean),
            ("writeOnly", Boolean),
        ],
        Node::Paths | Node::Responses | Node::Encoding | Node::Callback => &[],
    }
}

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

pub(super) fn check(document: &Value, findings: &mut Findings) {
    let root = Pointer::root();
    if !document.is_object() {
        findings.add(&root, "the document is no object", "give an OpenAPI document");
        return;
    }
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or("");
    if !(version.starts_with("3.0.") || version.starts_with("3.1.")) {
        findings.add(
            &root.child("openapi"),
            format!("`{version}` is not a version this reads"),
            "give a document of OpenAPI 3.0 or 3.1",
        );
    }
    for member in ["title", "version"] {
        let place = root.child("info").child(member);
        if !place.get(document).is_some_and(Value::is_string) {
            findings.add(&place, "missing or no text", "add it with an overlay action");
        }
    }
    grammar::walk(document, Node::Document, &root, &mut |value, node, pointer| {
        object(value, node, pointer, findings);
    });
}

fn object(value: &Value, node: Node, pointer: &Pointer, findings: &mut Findings) {
    let remedy = "correct it with an overlay action";
    let Some(object) = value.as_object() else {
        // A property or an alternative without a value counts as unconstrained.
        if !(node == Node::Schema && (value.is_boolean() || value.is_null())) {
            findings.add(pointer, format!("{} where an object belongs", kind(value)), remedy);
        }
        return;
    };
    for (key, shape) in members(node) {
        // A member without a value counts as absent.
        if let Some(value) = object.get(*key).filter(|value| !value.is_null())
            && let Some(reason) = mismatch(value, *shape)
        {
            findings.add(&pointer.child(key), reason, remedy);
        }
    }
    match node {
        Node::Paths => {
            for path in object.keys().filter(|path| !path.starts_with('/') && !path.starts_with("x-")) {
                findings.add(&pointer.child(path), "a path begins with a slash", remedy);
            }
        }
        Node::Responses => {
            for status in object.keys().filter(|status| !is_status(status)) {
                let reason = "no status: neither `default`, nor `404`, nor a range as `4XX`";
                findings.add(&pointer.child(status), reason, remedy);
            }
        }
        _ => {}
    }
}

fn is_status(key: &str) -> bool {
    let range = || {
        let mut chars = key.chars();
        let first = chars.next().is_some_and(|first| ('1'..='5').contains(&first));
        let rest = chars.as_str();
        first && rest.len() == 2 && (rest == "XX" || rest.chars().all(|c| c.is_ascii_digit()))
    };
    key == "default" || key.starts_with("x-") || range()
}

/// Returns the reason why the value does not have this shape.
fn mismatch(value: &Value, shape: Shape) -> Option<String> {
    let wanted = match shape {
        Boolean => (!value.is_boolean()).then_some("a boolean"),
        Count => (!value.as_f64().is_some_and(|count| count >= 0.0 && count.fract() == 0.0))
            .then_some("a whole number from 0"),
        List => (!value.is_array()).then_some("a list"),
        Number => (!value.is_number()).then_some("a number"),
        Object => (!value.is_object()).then_some("an object"),
        Positive => (!value.as_f64().is_some_and(|number| number > 0.0)).then_some("a number greater than 0"),
        Text => (!value.is_string()).then_some("text"),
        // A boolean `required` is a common mistake that lowering handles.
        Texts => {
            let texts = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
            (!texts && !value.is_boolean()).then_some("a list of names")
        }
        Types => {
            let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
            let right = match value {
                Value::Array(names) => !names.is_empty() && names.iter().all(known),
                name => known(name),
            };
            return (!right).then(|| format!("`{value}` is no type of JSON Schema"));
        }
    }?;
    Some(format!("{} where {wanted} belongs", kind(value)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
