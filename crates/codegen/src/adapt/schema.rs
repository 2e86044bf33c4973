//! Adapts single schemas, before inline ones become components.

use std::collections::BTreeSet;

use heck::ToPascalCase;
use serde_json::{Map, Value, json};

use super::{constraints, sensitive::is_mark};
use crate::{
    Pointer, Report,
    lower::{OF_ARRAY, OF_NUMBER, OF_OBJECT, OF_STRING, ONE_OF, whole},
    names::words,
    report::Kind,
};

type Schema = Map<String, Value>;

pub(super) fn adapt(value: &mut Value, pointer: &Pointer, report: &mut Report) {
    let Value::Object(schema) = value else { return };
    schema.retain(|keyword, _| {
        // `x-rust-type` and similar keys would control the generator from the document. The marks are read later.
        (!keyword.starts_with("x-") || is_mark(keyword) || keyword == ONE_OF)
            && !matches!(keyword.as_str(), "example" | "externalDocs" | "xml")
    });
    if schema.shift_remove("default").is_some() {
        let note = "a field with a default would be sent whether it was set or not";
        report.add(Kind::AnnotationDropped, &pointer.child("default"), note);
    }
    if schema.get("deprecated").is_some_and(|value| !value.is_boolean()) {
        schema.shift_remove("deprecated");
    }
    foreign_keywords(schema, pointer, report);
    formats(schema, pointer, report);
    unknown_keys(schema, pointer, report);
    enumeration(schema, pointer, report);
    beside_values(schema, pointer, report);
    bounds(schema, pointer, report);
    counts(schema, pointer, report);
    alternatives(schema, pointer, report);
    negation(schema, pointer, report);
    constraints::drop_limits(schema, pointer, report);
}

/// Removes keywords that do not apply to a type; the generator rejects them next to it.
fn foreign_keywords(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let Some(name) = schema.get("type").and_then(Value::as_str).map(str::to_owned) else {
        // A part of a whole that may have the type is merged with the whole.
        if pointer.parent().is_none_or(|parent| parent.last() != "allOf") && !schema.contains_key("enum") {
            untyped(schema, pointer, report);
        }
        return;
    };
    for (keywords, types) in [
        (&OF_STRING[..], &["string"][..]),
        (&OF_NUMBER[..], &["integer", "number"][..]),
        (&OF_ARRAY[..], &["array"][..]),
        (&OF_OBJECT[..], &["object"][..]),
        (&["format"][..], &["integer", "number", "string"][..]),
    ] {
        for keyword in keywords.iter().filter(|_| !types.contains(&name.as_str())) {
            if schema.shift_remove(*keyword).is_some() {
                let note = format!("it says nothing about the type {name}");
                report.add(Kind::AnnotationDropped, &pointer.child(keyword), note);
            }
        }
    }
}

/// Handles keywords without a type. They apply only to values of the right type, and any other value passes. The generator would infer the
/// type from them.
fn untyped(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let counts = ["maxItems", "maxProperties", "minItems", "minProperties", "uniqueItems", "format"];
    for keyword in OF_STRING.iter().chain(&OF_NUMBER).chain(&counts) {
        if schema.shift_remove(*keyword).is_some() {
            report.add(Kind::Widened, &pointer.child(keyword), "without a type, any value passes");
        }
    }
}

/// Removes the format `uuid`, which would need an additional crate for a single type.
fn formats(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.get("format").is_some_and(|format| format == "uuid") {
        schema.shift_remove("format");
        report.add(Kind::Widened, &pointer.child("format"), "a UUID is text in Rust, and not checked");
    }
}

/// Turns unknown keys into a map, which keeps them: `true` would drop them, and `false` would make a response with a new key fail.
fn unknown_keys(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    match schema.get("additionalProperties") {
        Some(Value::Bool(true)) => {
            schema.insert("additionalProperties".to_owned(), json!({}));
        }
        Some(Value::Bool(false)) => {
            schema.shift_remove("additionalProperties");
            let note = "unknown keys are ignored, so that a response may gain one";
            report.add(Kind::Widened, &pointer.child("additionalProperties"), note);
        }
        _ => {}
    }
}

/// Keeps enumerations with a Rust form: strings become Rust enums, and numbers become checked newtypes.
fn enumeration(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let name = schema.get("type").and_then(Value::as_str).map(str::to_owned);
    let Some(Value::Array(values)) = schema.get_mut("enum") else {
        return;
    };
    if *values == [Value::Null] {
        return;
    }
    let mut distinct: Vec<Value> = Vec::new();
    for mut value in values.drain(..) {
        if let (Some("integer"), Some(number)) = (name.as_deref(), whole(&value)) {
            value = number.into();
        }
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    *values = distinct;
    let reason = unusable(values, name.as_deref());
    if reason.is_none() && name.as_deref() == Some("integer") {
        // The values are sufficient, and some might be outside the range of a smaller type.
        for keyword in ["exclusiveMaximum", "exclusiveMinimum", "format", "maximum", "minimum", "multipleOf"]
        {
            if schema.shift_remove(keyword).is_some() {
                let note = "the enumeration says which numbers there are";
                report.add(Kind::AnnotationDropped, &pointer.child(keyword), note);
            }
        }
    }
    if let Some(reason) = reason {
        let text = schema.shift_remove("enum").is_some_and(|values| all(&values, Value::is_string));
        if text {
            schema.entry("type").or_insert_with(|| "string".into());
        }
        report.add(Kind::Widened, &pointer.child("enum"), reason);
    }
}

/// Removes keywords next to an enumeration, which can only exclude values. The generator ignores them there, or reaches a state that it
/// considers impossible.
fn beside_values(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let is_null = |values: &Value| *values == json!([null]);
    if !schema.contains_key("type") || schema.get("enum").is_none_or(is_null) {
        return;
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        if schema.shift_remove(keyword).is_some() {
            let note = "the enumeration says which values there are";
            report.add(Kind::Widened, &pointer.child(keyword), note);
        }
    }
}

fn all(values: &Value, is: fn(&Value) -> bool) -> bool {
    values.as_array().is_some_and(|values| values.iter().all(|value| is(value) || value.is_null()))
}

/// Returns whether an enumeration has a Rust type that accepts only its values. This fails if values have no distinct Rust names, or a type
/// other than the declared one.
pub fn is_closed(values: &[Value], type_name: Option<&str>) -> bool {
    unusable(values, type_name).is_none()
}

fn unusable(values: &[Value], name: Option<&str>) -> Option<String> {
    let stated: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    if stated.iter().all(|value| value.is_string()) && name.is_none_or(|name| name == "string") {
        let mut names = BTreeSet::new();
        for text in stated.iter().filter_map(|value| value.as_str()) {
            let name = variant_name(text);
            if name.is_empty() || !names.insert(name) {
                return Some(format!("`{text}` has no Rust name that no other value has; any text passes"));
            }
        }
        None
    } else if stated.iter().all(|value| match name {
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        _ => false,
    }) {
        None
    } else {
        Some("values of this type have no Rust enum; any value of the type passes".to_owned())
    }
}

/// Returns the part of a value that remains in the name of a variant.
fn variant_name(text: &str) -> String {
    match text {
        "+1" => "Plus1".to_owned(),
        "-1" => "Minus1".to_owned(),
        _ => words(text).to_pascal_case(),
    }
}

/// Removes bounds outside the range of `i64`, which cannot even be parsed, and a `multipleOf` or a bound next to another type, which has no
/// effect.
fn bounds(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let name = schema.get("type").and_then(Value::as_str).map(str::to_owned);
    for keyword in ["minimum", "maximum", "multipleOf"] {
        let readable = match (name.as_deref(), schema.get(keyword)) {
            (Some("integer"), Some(value)) => whole(value).is_some(),
            _ => true,
        };
        if !readable {
            schema.shift_remove(keyword);
            report.add(Kind::Widened, &pointer.child(keyword), "the bound is no whole number of 64 bits");
        }
    }
    for (exclusive, inclusive) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if !schema.contains_key(inclusive) {
            schema.shift_remove(exclusive);
        }
    }
}

/// Limits counts to `u32`; larger ones would be truncated. A list of a fixed length becomes an array, which serde supports up to 32.
fn counts(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    for keyword in ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"] {
        let Some(count) = schema.get(keyword) else { continue };
        if let Some(count) = count.as_u64().and_then(|count| u32::try_from(count).ok()) {
            schema.insert(keyword.to_owned(), count.into());
        } else {
            schema.shift_remove(keyword);
            report.add(Kind::Widened, &pointer.child(keyword), "no bound in Rust is so large");
        }
    }
    let length = schema.get("minItems").and_then(Value::as_u64);
    if length > Some(32) && schema.get("maxItems").and_then(Value::as_u64) == length {
        schema.shift_remove("minItems");
        report.add(
            Kind::Widened,
            &pointer.child("minItems"),
            "an array of more than 32 items is a list in Rust",
        );
    }
}

/// Reduces a schema to one set of alternatives: two sets in one schema have no Rust type.
fn alternatives(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.contains_key("oneOf") && schema.shift_remove("anyOf").is_some() {
        report.add(Kind::Widened, &pointer.child("anyOf"), "beside `oneOf` it has no Rust type");
    }
}

/// Removes negations, which have no Rust type, except the one that nothing matches.
fn negation(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.get("not").is_some_and(|not| *not != json!({})) {
        schema.shift_remove("not");
        report.add(Kind::Widened, &pointer.child("not"), "`not` has no Rust type");
    }
}

/// Removes duplicate alternatives, which have the same type. In `oneOf`, a duplicate would accept nothing, which nobody intends.
pub(super) fn distinct(schema: &mut Schema, keyword: &str, pointer: &Pointer, report: &mut Report) {
    let Some(Value::Array(variants)) = schema.get_mut(keyword) else { return };
    let mut distinct: Vec<Value> = Vec::new();
    for variant in std::mem::take(variants) {
        if !distinct.contains(&variant) {
            distinct.push(variant);
            continue;
        }
        let kind = if keyword == "oneOf" { Kind::Widened } else { Kind::Combined };
        report.add(kind, &pointer.child(keyword), "alternatives that are the same are one");
    }
    *variants = distinct;
}

pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("enum").is_some_and(|values| *values == json!([null]))
}

/// Follows references to the schema itself. A chain of more than 32 counts as a circle.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str);
    match target.and_then(Pointer::from_reference).and_then(|place| place.get(document)) {
        Some(next) if depth < 32 => resolve(document, next, depth + 1),
        _ => schema,
    }
}
