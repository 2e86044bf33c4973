//! Collects what must not be printed: schemas marked `x-sensitive: true`, usually by an overlay.
//!
//! A marked property is redacted in the `Debug` output of its struct; a marked component is redacted as a whole. A mark inside a schema
//! without a type of its own (in a list, in a map, beside null) applies to the property or the component that contains it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::resolve;
use crate::{
    Pointer,
    grammar::{self, Node},
    names,
};

const MARK: &str = "x-sensitive";

/// The Rust types that contain something sensitive, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sensitive(BTreeMap<String, Extent>);

/// The sensitive part of a type.
#[derive(Debug, Clone)]
pub(crate) enum Extent {
    /// The whole type.
    Whole,
    /// The properties with these names in JSON. The empty name stands for those that the document does not declare.
    Properties(BTreeSet<String>),
    /// Values that a union keeps as JSON.
    Rest,
}

impl Sensitive {
    /// Returns the sensitive part of the type, or `None` if there is none.
    pub(crate) fn extent(&self, type_name: &str) -> Option<&Extent> {
        self.0.get(type_name)
    }

    /// Marks the values that unions keep as JSON if an alternative contains something sensitive at any depth.
    pub(super) fn extend<'a>(&mut self, document: &Value, unions: impl Iterator<Item = &'a String>) {
        for union in unions {
            if !self.0.contains_key(union) && self.is_below(document, union) {
                self.0.insert(union.clone(), Extent::Rest);
            }
        }
    }

    fn is_below(&self, document: &Value, union: &str) -> bool {
        let schemas = &document["components"]["schemas"];
        let mut seen = BTreeSet::from([union.to_owned()]);
        let mut open = vec![union.to_owned()];
        while let Some(name) = open.pop() {
            if self.0.contains_key(&name) {
                return true;
            }
            let Some(schema) = schemas.get(&name) else { continue };
            grammar::walk(schema, Node::Schema, &Pointer::root(), &mut |value, _, _| {
                let target =
                    value.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
                if let Some(target) = target.filter(|target| seen.insert((*target).to_owned())) {
                    open.push(target.to_owned());
                }
            });
        }
        false
    }
}

/// Marks each component that is marked as a whole by what it is made of, before that is moved.
pub(super) fn spread(document: &mut Value) {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let is_whole = |schema: &Value| made_of(document, schema).into_iter().any(is_whole);
    let whole: Vec<String> = schemas
        .into_iter()
        .flatten()
        .filter(|(_, schema)| is_whole(schema))
        .map(|(name, _)| name.clone())
        .collect();
    for name in whole {
        if let Some(Value::Object(schema)) = names::components(document).get_mut(&name) {
            schema.insert(MARK.to_owned(), true.into());
        }
    }
}

/// Collects the marks of the components, and removes them.
pub(super) fn collect(document: &mut Value) -> Sensitive {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let found = schemas
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some((name.clone(), extent(document, schema)?)))
        .collect();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            schema.shift_remove(MARK);
        }
    });
    Sensitive(found)
}

/// Returns the sensitive part of a component.
fn extent(document: &Value, schema: &Value) -> Option<Extent> {
    let parts = made_of(document, schema);
    let names: BTreeSet<String> = parts.iter().flat_map(|part| marked_members(part)).collect();
    // An enum has no fields to leave out.
    let has_fields = !parts.iter().any(|part| is_union(part));
    if parts.into_iter().any(is_whole) || (!has_fields && !names.is_empty()) {
        return Some(Extent::Whole);
    }
    (!names.is_empty()).then_some(Extent::Properties(names))
}

/// Returns a schema and the schemas that have no type of their own beside its type: the parts that it combines, and those of its
/// alternatives that have alternatives themselves.
fn made_of<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        found.push(schema);
        open.extend(list(schema, "allOf").map(|part| resolve(document, part, 0)));
        open.extend(alternatives(schema).map(|one| resolve(document, one, 0)).filter(|one| is_union(one)));
    }
    found
}

/// Returns whether the value of a schema that is no object is sensitive, in a document that still has its marks.
pub(crate) fn is_sensitive(document: &Value, schema: &Value) -> bool {
    let parts = made_of(document, resolve(document, schema, 0));
    let alternatives = parts.iter().flat_map(|part| alternatives(part));
    alternatives.map(|one| resolve(document, one, 0)).chain(parts.iter().copied()).any(is_whole)
}

/// Returns the names of the marked properties. The empty name stands for those that the document does not declare.
fn marked_members(schema: &Value) -> impl Iterator<Item = String> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let named = properties.filter(|(_, property)| is_marked(property)).map(|(name, _)| name.clone());
    named.chain(schema.get("additionalProperties").filter(|rest| is_marked(rest)).map(|_| String::new()))
}

/// Returns whether everything in a schema is sensitive, or something that is no property.
fn is_whole(schema: &Value) -> bool {
    schema.get(MARK) == Some(&Value::Bool(true))
        || schema.get("items").is_some_and(is_marked)
        || alternatives(schema).any(is_marked)
}

/// Returns whether a schema is marked, or contains a marked schema that has no type of its own, as in a list or beside null.
fn is_marked(schema: &Value) -> bool {
    is_whole(schema)
        || schema.get("additionalProperties").is_some_and(is_marked)
        || list(schema, "allOf").any(is_marked)
}

fn is_union(schema: &Value) -> bool {
    alternatives(schema).next().is_some()
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    list(schema, "oneOf").chain(list(schema, "anyOf"))
}

fn list<'a>(schema: &'a Value, keyword: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// Returns whether a key of a schema must be kept until the marks are collected.
pub(super) fn is_mark(key: &str) -> bool {
    key == MARK
}
