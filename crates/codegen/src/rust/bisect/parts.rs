//! Builds smaller documents with some of the operations and schemas of a document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::{Pointer, grammar};

/// The operations and schemas of an adapted document.
pub(super) struct Parts<'a> {
    document: &'a Value,
    schemas: HashMap<&'a str, Schema<'a>>,
}

/// A schema, and the components that it refers to.
struct Schema<'a> {
    /// Its number in the document: the order determines the names that the generator chooses.
    number: usize,
    value: &'a Value,

    /// Components that it includes by `$ref` and combinations: the generator merges these with it.
    included: BTreeSet<&'a str>,
    /// Components below properties, items and similar keywords: the generator only needs their names.
    held: BTreeSet<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        let schemas = schemas(document).enumerate().map(|(number, (name, value))| {
            let mut schema = Schema { number, value, included: BTreeSet::new(), held: BTreeSet::new() };
            schema.collect(value, true);
            (name, schema)
        });
        Self { document, schemas: schemas.collect() }
    }

    /// Returns all parts, schemas first, so that an operation is only blamed for its own failures.
    pub(super) fn all(&self) -> Vec<Pointer> {
        let place = Pointer::from_text("/components/schemas");
        let mut parts: Vec<Pointer> = schemas(self.document).map(|(name, _)| place.child(name)).collect();
        let paths = Pointer::from_text("/paths");
        for (path, item) in self.document["paths"].as_object().into_iter().flatten() {
            let methods = item.as_object().into_iter().flat_map(Map::keys);
            let methods = methods.filter(|key| grammar::is_method(key));
            parts.extend(methods.map(|method| paths.child(path).child(method)));
        }
        parts
    }

    /// Returns the document with these parts, the components that they include, and stubs of those that they only hold.
    pub(super) fn around(&self, parts: &[Pointer]) -> Value {
        let paths = paths(self.document, parts);
        let whole = self.whole(parts, &paths);
        let mut schemas: BTreeMap<usize, (&str, Value)> = BTreeMap::new();
        for name in &whole {
            let Some(schema) = self.schemas.get(name) else { continue };
            schemas.insert(schema.number, (name, schema.value.clone()));
            let held = schema.held.iter().filter(|name| !whole.contains(*name));
            for (name, held) in held.filter_map(|name| Some((name, self.schemas.get(name)?))) {
                schemas.entry(held.number).or_insert_with(|| (name, stub(held.value)));
            }
        }
        let schemas = schemas.into_values().map(|(name, schema)| (name.to_owned(), schema)).collect();
        assemble(self.document, paths, schemas)
    }

    /// Returns the schemas without which a part cannot be tried.
    pub(super) fn included(&self, part: &Pointer) -> BTreeSet<Pointer> {
        let parts = std::slice::from_ref(part);
        let place = Pointer::from_text("/components/schemas");
        let whole = self.whole(parts, &paths(self.document, parts));
        whole.into_iter().map(|name| place.child(name)).collect()
    }

    /// Returns the names of the schemas that are needed in full.
    fn whole(&self, parts: &[Pointer], paths: &Map<String, Value>) -> BTreeSet<&'a str> {
        let mut names: Vec<String> = Vec::new();
        for item in paths.values() {
            needed(item, &mut names);
        }
        let schemas = parts.iter().map(Pointer::tokens).filter(|steps| steps[0] == "components");
        names.extend(schemas.filter_map(|mut steps| steps.pop()));
        let mut open: Vec<&str> = names
            .iter()
            .filter_map(|name| self.schemas.get_key_value(name.as_str()))
            .map(|(name, _)| *name)
            .collect();
        let mut whole = BTreeSet::new();
        while let Some(name) = open.pop() {
            if whole.insert(name)
                && let Some(schema) = self.schemas.get(name)
            {
                open.extend(&schema.included);
            }
        }
        whole
    }
}

fn schemas(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = document["components"]["schemas"].as_object().into_iter().flatten();
    members.map(|(name, schema)| (name.as_str(), schema))
}

impl<'a> Schema<'a> {
    /// Records the references of a schema. Members of the parts of an `allOf` are merged, so these are included too.
    fn collect(&mut self, schema: &'a Value, included: bool) {
        let Value::Object(members) = schema else { return };
        let merged = included && members.contains_key("allOf");
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref", Value::String(target)) => {
                    // Names of components in an adapted document are Rust names, and need no escapes.
                    if let Some((_, name)) = target.rsplit_once('/') {
                        let set = if included { &mut self.included } else { &mut self.held };
                        set.insert(name);
                    }
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                    for part in parts {
                        self.collect(part, included);
                    }
                }
                ("not", part) => self.collect(part, included),
                ("properties", Value::Object(properties)) => {
                    for property in properties.values() {
                        self.collect(property, merged);
                    }
                }
                ("items" | "additionalProperties", below) => self.collect(below, merged),
                _ => {}
            }
        }
    }
}

/// Returns a schema of the same kind that refers to nothing.
fn stub(schema: &Value) -> Value {
    let refers = |keyword: &&str| schema.get(*keyword).is_some();
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => json!({"type": "array", "items": {}}),
        Some("object") => json!({"type": "object", "properties": {}}),
        Some(_) if !["$ref", "allOf", "anyOf", "not", "oneOf"].iter().any(refers) => schema.clone(),
        Some(_) | None => json!({}),
    }
}

/// Returns the document with only these parts, and with the schemas that they need.
pub(super) fn only(document: &Value, parts: &[Pointer]) -> Value {
    let paths = paths(document, parts);
    let mut open: Vec<String> = Vec::new();
    for item in paths.values() {
        needed(item, &mut open);
    }
    let tokens = parts.iter().map(Pointer::tokens).filter(|steps| steps[0] == "components");
    open.extend(tokens.filter_map(|mut steps| steps.pop()));
    let mut schemas = Map::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = document["components"]["schemas"].get(&name)
            && !schemas.contains_key(&name)
        {
            needed(schema, &mut open);
            schemas.insert(name, schema.clone());
        }
    }
    assemble(document, paths, schemas)
}

/// Returns the path items of the operations among the parts, with what their operations share.
fn paths(document: &Value, parts: &[Pointer]) -> Map<String, Value> {
    let mut paths = Map::new();
    for part in parts {
        let tokens = part.tokens();
        let [first, path, method] = tokens.as_slice() else { continue };
        if first != "paths" {
            continue;
        }
        let Some(Value::Object(item)) = document["paths"].get(path) else { continue };
        let shared = item.iter().filter(|(key, _)| !grammar::is_method(key));
        let slot = paths.entry(path).or_insert_with(|| {
            Value::Object(shared.map(|(key, value)| (key.clone(), value.clone())).collect())
        });
        slot[method] = item.get(method).cloned().unwrap_or_default();
    }
    paths
}

fn assemble(document: &Value, paths: Map<String, Value>, schemas: Map<String, Value>) -> Value {
    let mut part = json!({"openapi": document["openapi"], "info": document["info"]});
    part["paths"] = paths.into();
    part["components"] = json!({});
    part["components"]["schemas"] = schemas.into();
    part
}

/// Collects the components that a value refers to. An adapted document contains no data in which a `$ref` could mean something else.
fn needed(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| needed(item, names)),
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            names.extend(target.map(|target| target.last()));
            members.values().for_each(|member| needed(member, names));
        }
        _ => {}
    }
}
