//! What must not be printed: schemas marked `x-sensitive: true`, by an overlay as a rule.
//!
//! A marked property is redacted where its struct is printed; a marked component is redacted as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    Pointer,
    grammar::{self, Node},
};

const MARK: &str = "x-sensitive";

/// The Rust types that hold something sensitive, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sensitive(BTreeMap<String, Extent>);

/// How much of a type is sensitive.
#[derive(Debug, Clone)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// The properties with these names in JSON; the empty name stands for those that the document does not name.
    Properties(BTreeSet<String>),
}

impl Sensitive {
    /// How much of the type is sensitive; `None` if nothing is.
    pub(crate) fn extent(&self, type_name: &str) -> Option<&Extent> {
        self.0.get(type_name)
    }
}

/// Reads the marks off the components, and takes them away.
pub(super) fn collect(document: &mut Value) -> Sensitive {
    let mut found = BTreeMap::new();
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        if is_marked(schema) {
            found.insert(name.clone(), Extent::Whole);
            continue;
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut names: BTreeSet<String> = properties
            .into_iter()
            .flatten()
            .filter(|(_, property)| is_marked(property))
            .map(|(name, _)| name.clone())
            .collect();
        if schema.get("additionalProperties").is_some_and(is_marked) {
            names.insert(String::new());
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

/// A mark on the items of a list is a mark on the list.
fn is_marked(schema: &Value) -> bool {
    schema.get(MARK) == Some(&Value::Bool(true)) || schema.get("items").is_some_and(is_marked)
}

/// Whether a key of a schema has to stay until the marks are read.
pub(super) fn is_mark(key: &str) -> bool {
    key == MARK
}
