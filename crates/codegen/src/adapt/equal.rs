//! Merges equal schemas into one type, wherever they occur.
//!
//! Two components are equal if they allow the same values and have the same marks, of what is sensitive and of where null is a value; prose
//! does not matter. Components that refer to equal ones become equal themselves, so this is repeated until no two are equal. An alternative
//! of a union keeps its name, which is the name of its variant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::states;
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names,
    report::Kind,
};

/// Keywords that do not affect which values are valid.
const PROSE: [&str; 5] = ["deprecated", "description", "example", "examples", "title"];

/// Merges equal components. Names of the document's own components, in `stated`, take precedence over those of inline schemas.
/// `lowered` is the document before its schemas were adapted.
pub(super) fn merge(document: &mut Value, stated: &BTreeSet<String>, lowered: &Value, report: &mut Report) {
    loop {
        let renamed = twins(document, stated, lowered, report);
        if renamed.is_empty() {
            return;
        }
        let place = Pointer::from_text("/components/schemas");
        let schemas = names::components(document);
        for (from, to) in &renamed {
            // If the merged component gets a new name, that takes the position of the first component that is removed.
            if let Some(schema) = schemas.shift_remove(from)
                && !schemas.contains_key(to)
            {
                schemas.insert(to.clone(), schema);
                report.moved(&place.child(from), to);
            }
            report.add(
                Kind::Combined,
                &place.child(from),
                format!("it says the same as `{to}`, so the two are one type"),
            );
        }
        grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
            if node == Node::Schema
                && let Some(Value::String(target)) = value.get_mut("$ref")
                && let Some(to) = target.rsplit('/').next().and_then(|name| renamed.get(name))
            {
                *target = format!("#/components/schemas/{to}");
            }
        });
    }
}

/// Returns the components that are equal to another one, each with their common name.
fn twins(
    document: &mut Value,
    stated: &BTreeSet<String>,
    lowered: &Value,
    report: &Report,
) -> BTreeMap<String, String> {
    let place = Pointer::from_text("/components/schemas");
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let alternatives = alternatives(document);
    for (name, schema) in names::components(document) {
        if alternatives.contains(name) {
            continue;
        }
        let mut said = schema.clone();
        grammar::rewrite(&mut said, Node::Schema, &Pointer::root(), &mut |value, _, _| {
            if let Value::Object(schema) = value {
                schema.retain(|keyword, _| !PROSE.contains(&keyword.as_str()));
                if let Some(Value::Array(names)) = schema.get_mut("required") {
                    names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                }
            }
        });
        said.sort_all_objects();
        // A schema without keywords has no type to share.
        if said.as_object().is_some_and(|said| !said.is_empty()) {
            let marked = states::marked(&place.child(name), schema, lowered, report);
            alike.entry(format!("{said} {marked:?}")).or_default().push(name.clone());
        }
    }
    let mut taken: BTreeSet<String> = names::components(document).keys().cloned().collect();
    let usage = usage(document);
    let mut renamed = BTreeMap::new();
    for mut names in alike.into_values().filter(|names| names.len() > 1) {
        let uses = |name: &String| usage.get(name).copied().unwrap_or_default();
        names.sort_by_key(|name| (!stated.contains(name), std::cmp::Reverse(uses(name)), name.len()));
        // Another group may share the same words.
        let shared = shared_words(&names).filter(|name| names.contains(name) || taken.insert(name.clone()));
        let kept = shared.unwrap_or_else(|| names[0].clone());
        renamed.extend(names.into_iter().filter(|name| *name != kept).map(|name| (name, kept.clone())));
    }
    renamed
}

/// Returns the components that are alternatives of a union, whose variants are named after them.
fn alternatives(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut document = document.clone();
    grammar::rewrite(&mut document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if node != Node::Schema {
            return;
        }
        for keyword in ["anyOf", "oneOf"] {
            let parts = value.get(keyword).and_then(Value::as_array).into_iter().flatten();
            let targets = parts.filter_map(|part| part.get("$ref")?.as_str()?.rsplit('/').next());
            found.extend(targets.map(str::to_owned));
        }
    });
    found
}

/// Returns how often each component is referred to.
fn usage(document: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut document = document.clone();
    grammar::rewrite(&mut document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        let target = value.get("$ref").and_then(Value::as_str).filter(|_| node == Node::Schema);
        if let Some(name) = target.and_then(|target| target.rsplit('/').next()) {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    });
    counts
}

/// Returns the words at the end that all names share, if there are at least two.
fn shared_words(names: &[String]) -> Option<String> {
    let words = |name: &str| {
        let mut words: Vec<String> = Vec::new();
        for c in name.chars() {
            match words.last_mut() {
                Some(word) if !c.is_uppercase() => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        words
    };
    let mut shared = words(names.first()?);
    for name in names {
        let other = words(name);
        let pairs = shared.iter().rev().zip(other.iter().rev());
        let count = pairs.take_while(|(one, other)| one == other).count();
        shared.drain(..shared.len() - count);
    }
    (shared.len() > 1).then(|| shared.concat())
}
