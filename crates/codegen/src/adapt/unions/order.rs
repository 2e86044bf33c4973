//! Determines the order in which alternatives are tried: if several keep a value completely, the most specific one is chosen.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::schema::resolve,
    kinds::{OBJECT, kinds},
};

/// Returns the order of the alternatives: each before those whose requirements it includes, and those that accept anything last.
pub(super) fn order(document: &Value, alternatives: &[Value]) -> Vec<usize> {
    let required: Vec<Option<BTreeSet<&str>>> = alternatives
        .iter()
        .map(|one| (kinds(document, one) == OBJECT).then(|| required(document, one, 0)))
        .collect();
    let mut ordered: Vec<usize> = Vec::new();
    for (index, names) in required.iter().enumerate() {
        let includes = |other: &usize| match (names, &required[*other]) {
            (Some(names), Some(other)) => names.len() > other.len() && names.is_superset(other),
            _ => false,
        };
        let place = ordered.iter().position(includes).unwrap_or(ordered.len());
        ordered.insert(place, index);
    }
    let takes_anything = |index: &usize| {
        resolve(document, &alternatives[*index], 0).as_object().is_some_and(|one| {
            !one.keys().any(|keyword| {
                ["$ref", "allOf", "anyOf", "enum", "oneOf", "properties", "type"].contains(&keyword.as_str())
            })
        })
    };
    ordered.sort_by_key(takes_anything);
    ordered
}

/// Returns the names that an object requires, including those of its parts.
fn required<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> BTreeSet<&'a str> {
    let schema = resolve(document, schema, 0);
    let stated = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut names: BTreeSet<&str> = stated.filter_map(Value::as_str).collect();
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in parts.filter(|_| depth < 32) {
        names.extend(required(document, part, depth + 1));
    }
    names
}
