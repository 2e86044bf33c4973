//! Inlines components that are plain strings, numbers or booleans wherever something refers to them.
//!
//! The generator would make a separate type around the value, which programs would have to wrap and unwrap needlessly.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names,
    report::Kind,
};

pub(super) fn inline(document: &mut Value, report: &mut Report) {
    let schemas = names::components(document);
    let plain: BTreeMap<String, Map<String, Value>> = schemas
        .iter()
        .filter_map(|(name, schema)| {
            Some((name.clone(), schema.as_object().filter(|schema| is_plain(schema))?.clone()))
        })
        .collect();
    schemas.retain(|name, _| !plain.contains_key(name));
    let place = Pointer::from_text("/components/schemas");
    for name in plain.keys() {
        report.add(Kind::Combined, &place.child(name), "a plain value has no type of its own");
    }
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        let (Node::Schema, Value::Object(schema)) = (node, value) else { return };
        let Some(target) = target(schema) else { return };
        let Some(stated) = plain.get(&target) else { return };
        let mut whole = stated.clone();
        schema.retain(|keyword, _| keyword != "$ref" && keyword != "allOf");
        // Keywords next to the reference describe this place.
        whole.extend(std::mem::take(schema));
        *schema = whole;
    });
}

/// Returns the component that a schema refers to, directly or with keywords next to the reference.
fn target(schema: &Map<String, Value>) -> Option<String> {
    let only = schema.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1);
    let reference = schema.get("$ref").or_else(|| only?.first()?.get("$ref"))?;
    reference.as_str()?.rsplit('/').next().map(str::to_owned)
}

fn is_plain(schema: &Map<String, Value>) -> bool {
    let is_scalar = schema
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|name| matches!(name, "boolean" | "integer" | "number" | "string"));
    let says_more = ["allOf", "anyOf", "enum", "not", "nullable", "oneOf"];
    is_scalar && !says_more.iter().any(|keyword| schema.contains_key(*keyword))
}
