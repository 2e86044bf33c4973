//! Properties that are optional and nullable. Rust's `Option` distinguishes both states from a value, but not from each other.
//!
//! A property that is marked `x-three-state: true`, usually by an overlay, is absent, null or a value (`Option<Option<T>>`). On an optional
//! list or map, the mark allows an empty one to be sent.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema::is_null;
use crate::{Pointer, Report, report::Kind};

const MARK: &str = "x-three-state";

/// The marked properties, by type and property name.
#[derive(Debug, Clone, Default)]
pub(crate) struct States(BTreeSet<(String, String)>);

impl States {
    /// Returns whether a property is marked.
    pub(crate) fn has(&self, type_name: &str, property: &str) -> bool {
        self.0.contains(&(type_name.to_owned(), property.to_owned()))
    }
}

/// Collects the marks from the document as it was before it was adapted, and reports where null and absent are not distinguished.
pub(super) fn collect(document: &Value, lowered: &Value, report: &mut Report) -> States {
    let mut states = States::default();
    let components = Pointer::from_text("/components/schemas");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        for (place, property, stated) in optional(&components.child(name), schema) {
            if is_marked(&place, lowered, report) {
                states.0.insert((name.clone(), property.clone()));
            } else if is_nullable(stated) {
                let note = "an absent value and null are one: null is read as absent, and is not sent";
                report.add(Kind::Combined, &place, note);
            }
        }
    }
    states
}

/// Returns the marked properties of the schema at `place`. Schemas that differ in them are not equal.
pub(super) fn marked(place: &Pointer, schema: &Value, lowered: &Value, report: &Report) -> BTreeSet<String> {
    let optional = optional(place, schema).into_iter();
    let marked = optional.filter(|(place, ..)| is_marked(place, lowered, report));
    marked.map(|(_, property, _)| property.clone()).collect()
}

fn is_marked(place: &Pointer, lowered: &Value, report: &Report) -> bool {
    let before = report.origin_in(lowered, place);
    before.get(lowered).is_some_and(|before| before.get(MARK) == Some(&Value::Bool(true)))
}

/// Returns the properties that a schema and its parts declare but do not require, each with its place.
fn optional<'a>(place: &Pointer, schema: &'a Value) -> Vec<(Pointer, &'a String, &'a Value)> {
    let mut found = Vec::new();
    let mut open = vec![(place.clone(), schema)];
    while let Some((place, schema)) = open.pop() {
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        open.extend(parts.map(|(index, part)| (place.child("allOf").child(index), part)));
        let required = schema.get("required").and_then(Value::as_array);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        for (property, stated) in properties {
            if !required.is_some_and(|required| required.iter().any(|name| name == property)) {
                found.push((place.child("properties").child(property), property, stated));
            }
        }
    }
    found
}

fn is_nullable(schema: &Value) -> bool {
    schema.get("nullable") == Some(&Value::Bool(true))
        || schema
            .get("oneOf")
            .and_then(Value::as_array)
            .is_some_and(|alternatives| alternatives.iter().any(is_null))
}
