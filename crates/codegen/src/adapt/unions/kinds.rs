//! Determines the JSON types of a schema's values.

use serde_json::Value;

use super::super::schema::resolve;
use crate::lower::{OF_ARRAY, OF_OBJECT};

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const NUMBER: u8 = 4;
const TEXT: u8 = 8;
const LIST: u8 = 16;
pub(super) const OBJECT: u8 = 32;
const ANY: u8 = 63;

/// Objects and lists.
pub(super) const COMPOUND: u8 = OBJECT | LIST;

/// Returns the types of a schema's values as a bit set.
pub(super) fn kinds(document: &Value, schema: &Value) -> u8 {
    below(document, schema, 0)
}

fn below(document: &Value, schema: &Value, depth: usize) -> u8 {
    let schema = resolve(document, schema, 0);
    if depth > 32 {
        return ANY;
    }
    let parts = |keyword: &str| {
        let parts = schema.get(keyword).and_then(Value::as_array)?;
        Some(parts.iter().map(|part| below(document, part, depth + 1)))
    };
    let any = |keyword| parts(keyword).map_or(ANY, |kinds| kinds.fold(0, |all, one| all | one));
    let all = parts("allOf").map_or(ANY, |kinds| kinds.fold(ANY, |all, one| all & one));
    own(schema) & all & any("oneOf") & any("anyOf")
}

fn own(schema: &Value) -> u8 {
    let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.get(keyword).is_some());
    let stated = match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => BOOLEAN,
        Some("integer" | "number") => NUMBER,
        Some("string") => TEXT,
        Some("array") => LIST,
        Some("object") => OBJECT,
        _ => match schema.get("enum").and_then(Value::as_array) {
            Some(values) => values.iter().fold(0, |all, value| all | value_kind(value)),
            // The generator infers the type from these.
            None if has(&OF_OBJECT) => OBJECT,
            None if has(&OF_ARRAY) => LIST,
            None => ANY,
        },
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) { stated | NULL } else { stated }
}

fn value_kind(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Number(_) => NUMBER,
        Value::String(_) => TEXT,
        Value::Array(_) => LIST,
        Value::Object(_) => OBJECT,
    }
}
