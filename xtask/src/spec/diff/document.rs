//! The two documents, and places in them.

use std::collections::HashSet;

use serde_json::{Map, Value};
use suprsend_codegen::{PathItem, Pointer, path_items};

use super::numbers::same;

/// The maximum length of a chain of references. Documents are checked before, so there are no circles.
const CHAIN: usize = 256;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place<'a> {
    pub(super) pointer: Pointer,
    pub(super) value: &'a Value,
}

impl<'a> Place<'a> {
    /// Returns a member, unless it is absent or has no value.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { pointer: self.pointer.child(key), value })
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// Returns the members of an object with their names.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let pointer = self.pointer.clone();
        let members = self.value.as_object().into_iter().flat_map(Map::iter);
        members
            .filter(|(_, value)| !value.is_null())
            .map(move |(key, value)| (key.as_str(), Self { pointer: pointer.child(key), value }))
    }

    /// Returns the elements of a list.
    pub(super) fn elements(&self) -> impl Iterator<Item = Self> + use<'a> {
        let pointer = self.pointer.clone();
        let elements = self.value.as_array().into_iter().flatten().enumerate();
        elements.map(move |(index, value)| Self { pointer: pointer.child(index), value })
    }
}

/// One of the documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a>(pub(super) &'a Value);

impl<'a> Document<'a> {
    pub(super) fn root(self) -> Place<'a> {
        Place { pointer: Pointer::root(), value: self.0 }
    }

    /// Returns the target of a `$ref` at the place, following one step.
    pub(super) fn target(self, place: &Place<'a>) -> Option<Place<'a>> {
        let pointer = Pointer::from_reference(place.text("$ref")?)?;
        let value = pointer.get(self.0)?;
        Some(Place { pointer, value })
    }

    /// Returns the object itself, following references.
    pub(super) fn resolve(self, mut place: Place<'a>) -> Place<'a> {
        for _ in 0..CHAIN {
            match self.target(&place) {
                Some(next) => place = next,
                None => break,
            }
        }
        place
    }

    /// Returns the operations in order.
    pub(super) fn operations(self) -> Vec<Operation<'a>> {
        let mut found = Vec::new();
        for (path, _, item) in path_items(self.0) {
            for (method, pointer, value) in item.operations() {
                let place = Place { pointer: pointer.clone(), value };
                found.push(Operation { path, method, place, item: item.clone() });
            }
        }
        found
    }
}

/// An operation and the path item that contains it.
#[derive(Debug, Clone)]
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) place: Place<'a>,
    item: PathItem<'a>,
}

impl<'a> Operation<'a> {
    /// Returns a member of the path item, which applies to all of its operations.
    pub(super) fn shared(&self, key: &str) -> Option<Place<'a>> {
        self.item.get(key).map(|(pointer, value)| Place { pointer: pointer.clone(), value })
    }
}

/// Two documents, of which places are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Documents<'a> {
    pub(super) old: Document<'a>,
    pub(super) new: Document<'a>,
}

impl<'a> Documents<'a> {
    /// Returns whether two places are equivalent: references are resolved, and the order of members and prose are ignored.
    pub(super) fn alike(self, old: Option<Place<'a>>, new: Option<Place<'a>>) -> bool {
        let mut seen = HashSet::new();
        // The flag tells whether the keys of an object are arbitrary names.
        let mut open = vec![(old, new, false)];
        while let Some((old, new, names)) = open.pop() {
            let (old, new) = match (old, new) {
                (None, None) => continue,
                (Some(old), Some(new)) => (self.old.resolve(old), self.new.resolve(new)),
                _ => return false,
            };
            if !seen.insert((old.pointer.clone(), new.pointer.clone())) {
                continue;
            }
            match (old.value, new.value) {
                (Value::Object(one), Value::Object(other)) => {
                    let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
                    for key in keys {
                        let member =
                            |place: &Place<'a>| place.get(key).filter(|it| names || !is_prose(key, it.value));
                        let inner = !names && NAMED.contains(&key.as_str());
                        open.push((member(&old), member(&new), inner));
                    }
                }
                (Value::Array(one), Value::Array(other)) => {
                    if one.len() != other.len() {
                        return false;
                    }
                    open.extend(
                        old.elements().zip(new.elements()).map(|(old, new)| (Some(old), Some(new), false)),
                    );
                }
                (old, new) if same(old, new) => {}
                _ => return false,
            }
        }
        true
    }
}

/// The keys below these are names, not keywords.
const NAMED: [&str; 5] = ["$defs", "dependentSchemas", "mapping", "patternProperties", "properties"];

fn is_prose(key: &str, value: &Value) -> bool {
    match key {
        "$comment" | "bearerFormat" | "description" | "summary" | "title" => value.is_string(),
        "example" | "examples" | "externalDocs" => true,
        _ => key.starts_with("x-"),
    }
}
