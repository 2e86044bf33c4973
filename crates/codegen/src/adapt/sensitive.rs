//! Collects what must not be printed: schemas marked `x-sensitive: true`, usually by an overlay.
//!
//! A marked property is redacted in the `Debug` output of its struct; a marked component is redacted as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::resolve;
use crate::{
    Pointer,
    grammar::{self, Node},
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

/// Collects the marks of the components, and removes them.
pub(super) fn collect(document: &mut Value) -> Sensitive {
    let mut found = BTreeMap::new();
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        if is_marked(schema) {
            found.insert(name.clone(), Extent::Whole);
            continue;
        }
        let mut names = BTreeSet::new();
        let is_union = marked(document, schema, &mut names, 0);
        if is_union && !names.is_empty() {
            // An enum has no fields to leave out.
            found.insert(name.clone(), Extent::Whole);
            continue;
        }
        if !names.is_empty() {
            found.insert(name.clone(), Extent::Properties(names));
        }
    }
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            schema.shift_remove(MARK);
        }
    });
    Sensitive(found)
}

/// Adds the names of the marked properties of a schema and of its parts. Returns whether there are alternatives next to them.
fn marked(document: &Value, schema: &Value, names: &mut BTreeSet<String>, depth: usize) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    names.extend(properties.filter(|(_, property)| is_marked(property)).map(|(name, _)| name.clone()));
    if schema.get("additionalProperties").is_some_and(is_marked) {
        names.insert(String::new());
    }
    let mut is_union = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in parts.filter(|_| depth < 16) {
        is_union |= marked(document, resolve(document, part, 0), names, depth + 1);
    }
    is_union
}

/// Returns whether a schema is marked. A mark on the items of a list applies to the list.
fn is_marked(schema: &Value) -> bool {
    schema.get(MARK) == Some(&Value::Bool(true)) || schema.get("items").is_some_and(is_marked)
}

/// Returns whether a key of a schema must be kept until the marks are collected.
pub(super) fn is_mark(key: &str) -> bool {
    key == MARK
}
