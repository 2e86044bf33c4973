//! Fitting of single schemas, before the inline ones become components.

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
        // `x-rust-type` and its like would steer the generator from the document. The marks are read further on.
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

/// Keywords that say nothing about a type, which the generator refuses beside it.
fn foreign_keywords(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let Some(name) = schema.get("type").and_then(Value::as_str).map(str::to_owned) else {
        // A part of a whole that may have the type is read with the whole.
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

/// Without a type these speak only of the values that have the right one, and any other value passes. The generator would
/// take them for the type.
fn untyped(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let counts = ["maxItems", "maxProperties", "minItems", "minProperties", "uniqueItems", "format"];
    for keyword in OF_STRING.iter().chain(&OF_NUMBER).chain(&counts) {
        if schema.shift_remove(*keyword).is_some() {
            report.add(Kind::Widened, &pointer.child(keyword), "without a type, any value passes");
        }
    }
}

/// `uuid` would need a crate of its own for the sake of one type.
fn formats(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.get("format").is_some_and(|format| format == "uuid") {
        schema.shift_remove("format");
        report.add(Kind::Widened, &pointer.child("format"), "a UUID is text in Rust, and not checked");
    }
}

/// A map keeps unknown keys, `true` would drop them, and `false` would make a response with a new key fail.
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

/// Enumerations of text become Rust enums, those of numbers checked newtypes; no other has a Rust form.
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
        // The values say it all, and some might not be in the range of a smaller type.
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

/// What stands beside an enumeration can only take values from it. The generator does not read it there, or comes to an end that it
/// holds for impossible.
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

/// Whether an enumeration has a Rust type that lets its values pass alone. Values without Rust names of their own have none, nor
/// have values of a type other than the one stated.
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

/// What is left of a value in the name of a variant.
fn variant_name(text: &str) -> String {
    match text {
        "+1" => "Plus1".to_owned(),
        "-1" => "Minus1".to_owned(),
        _ => words(text).to_pascal_case(),
    }
}

/// Bounds that no `i64` holds cannot even be read; a `multipleOf` or a bound beside another type says nothing.
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

/// Counts are read as `u32`, and what is beyond that would be cut off. A list of a fixed length is an array, which serde
/// knows up to 32.
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

/// Two sets of alternatives in one schema have no Rust type together.
fn alternatives(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.contains_key("oneOf") && schema.shift_remove("anyOf").is_some() {
        report.add(Kind::Widened, &pointer.child("anyOf"), "beside `oneOf` it has no Rust type");
    }
}

/// What something is not has no Rust type, except that nothing at all matches it.
fn negation(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    if schema.get("not").is_some_and(|not| *not != json!({})) {
        schema.shift_remove("not");
        report.add(Kind::Widened, &pointer.child("not"), "`not` has no Rust type");
    }
}

/// The same alternative twice has one type. In `oneOf` it would accept nothing, which nobody means.
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

/// Follows references to the schema itself. A chain of more than 32 is taken for a circle.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str);
    match target.and_then(Pointer::from_reference).and_then(|place| place.get(document)) {
        Some(next) if depth < 32 => resolve(document, next, depth + 1),
        _ => schema,
    }
}
