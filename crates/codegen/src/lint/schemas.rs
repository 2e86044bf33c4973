//! Finds declarations of schemas that have no Rust form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Findings;
use crate::{
    Pointer,
    grammar::{self, Node},
    names::field_name,
};

pub(super) fn check(document: &Value, findings: &mut Findings) {
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            properties(schema, pointer, findings);
            pattern(schema, pointer, findings);
        }
    });
}

fn properties(schema: &Map<String, Value>, pointer: &Pointer, findings: &mut Findings) {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    let place = pointer.child("properties");
    let mut fields: BTreeMap<String, &str> = BTreeMap::new();
    for name in properties.keys() {
        if is_placeholder(name) {
            findings.add(
                &place.child(name),
                format!("`{name}` is a placeholder, no name of a property"),
                "replace it with the real names by an overlay action",
            );
            continue;
        }
        let field = field_name(name);
        if let Some(other) = fields.insert(field.clone(), name) {
            findings.add(
                &place.child(name),
                format!("`{name}` and `{other}` would both be the Rust field `{field}`"),
                "remove one of them with an overlay action; it is then kept among the unknown keys, if there are any",
            );
        }
    }
    let open = !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false)));
    if let Some(name) = fields.get("extra").filter(|_| open) {
        findings.add(
            &place.child(name),
            format!("`{name}` would be the field `extra`, which holds the unknown keys"),
            "remove it with an overlay action; it is then kept among the unknown keys",
        );
    }
}

/// Returns whether a name is a placeholder, such as `$<channel>` or `{name}`, whose author meant any name.
fn is_placeholder(name: &str) -> bool {
    [('<', '>'), ('{', '}')].into_iter().any(|(open, close)| {
        name.find(open).is_some_and(|start| name[start..].find(close).is_some_and(|end| end > 1))
    })
}

fn pattern(schema: &Map<String, Value>, pointer: &Pointer, findings: &mut Findings) {
    if let Some(Value::String(pattern)) = schema.get("pattern")
        && let Err(error) = regress::Regex::new(pattern)
    {
        findings.add(
            &pointer.child("pattern"),
            format!("`{pattern}` is no regular expression: {error}"),
            "correct or remove it with an overlay action",
        );
    }
}
