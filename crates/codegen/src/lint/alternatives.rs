//! Counts the combinations of alternatives that the generator would merge.
//!
//! If several lists of alternatives apply to one value, the generator merges each alternative of one list with each of the others, and with
//! the negations of all the rest. The time and memory that this takes grow much faster than the document.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, resolve};
use crate::{
    Pointer,
    grammar::{self, Node},
};

/// The depth to which properties that several parts declare are followed.
const DEPTH: usize = 16;

pub(super) fn check(document: &Value, findings: &mut Findings) {
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema
            && let Some((count, limit)) = excess(document, &[value], 0)
        {
            let reason = format!(
                "its parts leave {count} combinations of alternatives to be merged, and the generator can merge {limit}"
            );
            findings.add(
                pointer,
                reason,
                "state the alternatives in one list with an overlay action, or remove some there",
            );
        }
    });
}

/// A list of alternatives, of which exactly one or at least one must apply.
struct List<'a> {
    any: bool,
    /// The number of alternatives, including nested ones.
    size: usize,
    variants: &'a [Value],
}

impl List<'_> {
    fn selections(&self) -> usize {
        let bits = u32::try_from(self.size).unwrap_or(u32::MAX);
        if self.any { 2_usize.checked_pow(bits).map_or(usize::MAX, |all| all - 1) } else { self.size }
    }
}

/// Returns the number of combinations and the limit, if schemas that apply together exceed it.
fn excess(document: &Value, schemas: &[&Value], depth: usize) -> Option<(usize, usize)> {
    let parts = parts(document, schemas);
    let lists: Vec<List<'_>> = parts.iter().flat_map(|part| lists(document, part, depth)).collect();
    let (count, limit) = measure(&lists);
    if count > limit {
        return Some((count, limit));
    }
    if depth >= DEPTH || (parts.len() < 2 && lists.is_empty()) {
        return None;
    }
    // Declarations of several parts about one member are merged too, including those of alternatives.
    let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, schema) in parts.iter().flat_map(|part| below(part)) {
        members.entry(name).or_default().push(schema);
    }
    let several = members.values().filter(|all| all.len() > 1);
    several.map(|all| excess(document, all, depth + 1)).find(Option::is_some).flatten().or_else(|| {
        let variants = lists.iter().flat_map(|list| list.variants);
        let shared = variants.flat_map(|variant| below(resolve(document, variant)));
        let mut shared = shared.filter_map(|(name, schema)| {
            let mut all = members.get(name)?.clone();
            all.push(schema);
            Some(all)
        });
        shared.find_map(|all| excess(document, &all, depth + 1))
    })
}

/// Returns the number of combinations, and the number that the generator merges in a second or less, in any order.
fn measure(lists: &[List<'_>]) -> (usize, usize) {
    let product = |sizes: &mut dyn Iterator<Item = usize>| sizes.fold(1, usize::saturating_mul);
    match lists.len() {
        0 | 1 => (1, 1),
        2 => (product(&mut lists.iter().map(|list| list.size)), 16),
        // Of three or more lists, any selection of each `anyOf` is merged.
        _ => (product(&mut lists.iter().map(List::selections)), 8),
    }
}

/// Returns the schemas themselves, the targets of their references and the schemas that they combine by `allOf`, each once.
fn parts<'a>(document: &'a Value, schemas: &[&'a Value]) -> Vec<&'a Value> {
    let mut open: Vec<&Value> = schemas.to_vec();
    let mut found: Vec<&Value> = Vec::new();
    while let Some(schema) = open.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        open.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
        let target = schema.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        open.extend(target.and_then(|target| target.get(document)));
        found.push(schema);
    }
    found
}

/// Returns the alternatives that a schema itself lists.
fn lists<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> Vec<List<'a>> {
    let mut found = Vec::new();
    for (keyword, any) in [("anyOf", true), ("oneOf", false)] {
        let Some(Value::Array(variants)) = schema.get(keyword) else { continue };
        let inner = |variant: &'a Value| {
            if depth >= DEPTH {
                return 1;
            }
            let parts = parts(document, &[variant]);
            let lists = parts.iter().flat_map(|part| lists(document, part, depth + 1));
            lists.map(|list| list.size).fold(1, usize::saturating_mul)
        };
        let size = variants.iter().map(inner).fold(0, usize::saturating_add);
        found.push(List { any, size, variants });
    }
    if let Some(Value::Array(types)) = schema.get("type") {
        let size = types.iter().filter(|name| *name != "null").count();
        found.push(List { any: false, size, variants: &[] });
    }
    found.retain(|list| list.size > 1);
    found
}

/// Returns the schemas for members of a value, by name.
fn below(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let others = ["additionalProperties", "items"];
    let others = others.into_iter().filter_map(|keyword| Some((keyword, schema.get(keyword)?)));
    properties.map(|(name, schema)| (name.as_str(), schema)).chain(others)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Settings, generate, lint::generatable};

    fn object(name: String) -> Value {
        json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}})
    }

    /// Returns a list of alternatives, each of which is a distinct object.
    fn list(keyword: &str, name: &str, size: usize) -> Value {
        let variants: Vec<Value> = (0..size).map(|index| object(format!("{name}{index}"))).collect();
        json!({ keyword: variants })
    }

    fn document(schema: &Value, other: &Value) -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {},
            "components": {"schemas": {"S": schema, "Other": other}},
        })
    }

    fn lines(schema: &Value, other: &Value) -> Vec<String> {
        let problems = generatable(&document(schema, other)).err();
        problems.into_iter().flat_map(|it| it.iter().map(ToString::to_string).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn p15_too_many_combinations_are_refused_with_their_number() {
        let all = |keyword: &str, sizes: &[usize]| {
            let parts =
                sizes.iter().enumerate().map(|(index, size)| list(keyword, &format!("p{index}x"), *size));
            json!({"allOf": parts.collect::<Vec<_>>()})
        };
        let reference = json!({"$ref": "#/components/schemas/Other"});
        let nested = json!({"oneOf": [all("oneOf", &[3, 3]), all("oneOf", &[3, 3])]});
        let beside = |mut one: Value, other: Value| {
            one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
            one
        };
        let property = |schema: Value| json!({"type": "object", "properties": {"x": schema}});
        for (schema, other, count, limit) in [
            (all("oneOf", &[3, 3, 3]), json!({}), 27, 8),
            (all("oneOf", &[6, 6]), json!({}), 36, 16),
            (all("anyOf", &[6, 6]), json!({}), 36, 16),
            (all("anyOf", &[2, 2, 2]), json!({}), 27, 8),
            (all("oneOf", &[2, 3, 3]), json!({}), 18, 8),
            (all("oneOf", &[2; 40]), json!({}), 1 << 40, 8),
            (all("anyOf", &[100; 3]), json!({}), usize::MAX, 8),
            (all("oneOf", &[2, 41]), json!({}), 82, 16),
            // By reference, in parts of parts, next to `allOf`, and in alternatives of alternatives.
            (json!({"allOf": [reference, list("oneOf", "a", 6)]}), list("oneOf", "b", 6), 36, 16),
            (
                json!({"allOf": [{"allOf": [{"allOf": [list("oneOf", "a", 6)]}]}, list("oneOf", "b", 6)]}),
                json!({}),
                36,
                16,
            ),
            (beside(list("oneOf", "a", 6), json!({"allOf": [list("oneOf", "b", 6)]})), json!({}), 36, 16),
            (beside(list("oneOf", "a", 6), list("anyOf", "b", 6)), json!({}), 36, 16),
            (beside(list("oneOf", "a", 6), reference.clone()), list("oneOf", "b", 6), 36, 16),
            (json!({"allOf": [nested, list("oneOf", "a", 2)]}), json!({}), 36, 16),
            (
                json!({"allOf": [{"type": ["string", "integer", "boolean"]}, {"type": ["string", "integer"]}, {"type": ["string", "integer", "array"]}]}),
                json!({}),
                18,
                8,
            ),
            // Declarations of several parts about a property, an item, or any other member.
            (
                json!({"allOf": [property(list("oneOf", "a", 6)), property(list("oneOf", "b", 6))]}),
                json!({}),
                36,
                16,
            ),
            (
                json!({"allOf": [property(property(list("oneOf", "a", 6))), property(property(reference))]}),
                list("oneOf", "b", 6),
                36,
                16,
            ),
            (
                json!({"allOf": [{"items": list("oneOf", "a", 6)}, {"items": list("oneOf", "b", 6)}]}),
                json!({}),
                36,
                16,
            ),
            (
                beside(
                    property(list("oneOf", "a", 6)),
                    json!({"oneOf": [property(list("oneOf", "b", 6)), {"type": "object"}]}),
                ),
                json!({}),
                36,
                16,
            ),
        ] {
            let lines = lines(&schema, &other);
            let line = format!(
                "its parts leave {count} combinations of alternatives to be merged, and the generator can merge {limit}"
            );
            assert!(lines.iter().any(|found| found.contains(&line)), "{schema}: {lines:#?}");
            assert!(lines[0].starts_with("/components/schemas/S"), "{lines:#?}");
        }
    }

    #[test]
    fn p15_what_is_within_the_limit_is_generated_in_time() {
        let begun = std::time::Instant::now();
        for sizes in [&[4, 4][..], &[2, 8], &[8, 2], &[2, 2, 2]] {
            for keyword in ["oneOf", "anyOf"].into_iter().take(if sizes.len() == 2 { 2 } else { 1 }) {
                let lists =
                    sizes.iter().enumerate().map(|(at, size)| list(keyword, &format!("p{at}x"), *size));
                let schema = json!({"allOf": lists.collect::<Vec<_>>()});
                generate(&document(&schema, &json!({})), &Settings::default()).unwrap();
            }
        }
        // A single list is merged with the keywords next to it, however long it is.
        let mut long = list("oneOf", "a", 40);
        long["allOf"] = json!([{"$ref": "#/components/schemas/Other"}]);
        generate(&document(&long, &object("b".to_owned())), &Settings::default()).unwrap();
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    }
}
