//! Path items: the only code that interprets a `$ref` and the members next to it.
//!
//! OpenAPI does not define which one wins if both have a member. Here it is the one next to the reference, and lowering reports it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{Pointer, grammar::is_method, limits};

/// A path item merged with its references: each member once, with the place where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct PathItem<'a> {
    members: Vec<(&'a str, Pointer, &'a Value)>,
    hidden: Vec<Pointer>,
}

impl<'a> PathItem<'a> {
    /// Reads the path item at a place of the document. A member without a value counts as absent.
    pub fn read(document: &'a Value, place: &Pointer) -> Self {
        let mut item = Self { members: Vec::new(), hidden: Vec::new() };
        for place in chain(document, place).into_iter().rev() {
            let members = place.get(document).and_then(Value::as_object).into_iter().flatten();
            for (key, value) in members.filter(|(key, value)| *key != "$ref" && !value.is_null()) {
                let member = (key.as_str(), place.child(key), value);
                match item.members.iter_mut().find(|(known, ..)| known == key) {
                    Some(known) => item.hidden.push(std::mem::replace(known, member).1),
                    None => item.members.push(member),
                }
            }
        }
        item
    }

    /// Returns a member, and the place where it is written.
    pub fn get(&self, key: &str) -> Option<(&Pointer, &'a Value)> {
        self.members().find_map(|(known, place, value)| (known == key).then_some((place, value)))
    }

    /// Returns the members with their places. Those of the referenced path item come first.
    pub fn members(&self) -> impl Iterator<Item = (&'a str, &Pointer, &'a Value)> {
        self.members.iter().map(|(key, place, value)| (*key, place, *value))
    }

    /// Returns the operations with their methods and places.
    pub fn operations(&self) -> impl Iterator<Item = (&'a str, &Pointer, &'a Value)> {
        self.members().filter(|(key, ..)| is_method(key))
    }

    /// Returns the places of members that are ignored, because a member with the same name is next to the reference.
    pub(crate) fn hidden(&self) -> &[Pointer] {
        &self.hidden
    }

    /// Returns the path item as it would be written without a reference.
    pub fn to_value(&self) -> Value {
        let members = self.members().map(|(key, _, value)| (key.to_owned(), value.clone()));
        Value::Object(members.collect::<Map<_, _>>())
    }
}

/// Returns the places of a path item and of those that it refers to. Lint rejects circles; the limit is for a document that was not linted.
fn chain(document: &Value, place: &Pointer) -> Vec<Pointer> {
    let mut places = vec![place.clone()];
    while let Some(next) = places.last().and_then(|last| target(document, last))
        && places.len() <= limits::INCLUSION
    {
        places.push(next);
    }
    places
}

/// Returns the target of a path item's reference, following one step.
pub(crate) fn target(document: &Value, place: &Pointer) -> Option<Pointer> {
    Pointer::from_reference(place.get(document)?.get("$ref")?.as_str()?)
}

/// Returns the paths of a document, each with its place and its path item.
pub fn path_items(document: &Value) -> impl Iterator<Item = (&str, Pointer, PathItem<'_>)> {
    let paths = Pointer::root().child("paths");
    let members = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    members.filter(|(path, item)| !path.starts_with("x-") && !item.is_null()).map(move |(path, _)| {
        let place = paths.child(path);
        let item = PathItem::read(document, &place);
        (path.as_str(), place, item)
    })
}

/// Returns the method and the path of each operation of a document.
pub(crate) fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, _, item) in path_items(document) {
        found.extend(item.operations().map(|(method, ..)| (method.to_owned(), path.to_owned())));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f12_what_stands_beside_a_reference_belongs_to_the_item() {
        let document = json!({
            "paths": {
                "/a": {"$ref": "#/components/pathItems/A", "get": {"own": true}, "put": null, "summary": "own"},
                "/b": {"$ref": "#/paths/~1a", "patch": {}},
                "/c": {"$ref": "#/components/pathItems/Missing", "get": {}},
                "/d": null,
                "x-e": {},
            },
            "components": {"pathItems": {"A": {"parameters": [], "get": {}, "put": {}, "summary": "shared"}}},
        });
        let items: Vec<_> = path_items(&document).collect();
        assert_eq!(items.iter().map(|(path, ..)| *path).collect::<Vec<_>>(), ["/a", "/b", "/c"]);
        let (_, place, item) = &items[0];
        assert_eq!(place.as_str(), "/paths/~1a");
        let members: Vec<_> = item.members().map(|(key, place, _)| (key, place.as_str())).collect();
        assert_eq!(
            members,
            [
                ("parameters", "/components/pathItems/A/parameters"),
                ("get", "/paths/~1a/get"),
                ("put", "/components/pathItems/A/put"),
                ("summary", "/paths/~1a/summary"),
            ]
        );
        assert_eq!(item.get("get").unwrap().1, &json!({"own": true}));
        let hidden: Vec<_> = item.hidden().iter().map(Pointer::as_str).collect();
        assert_eq!(hidden, ["/components/pathItems/A/get", "/components/pathItems/A/summary"]);
        let methods: Vec<_> =
            items[1].2.operations().map(|(method, place, _)| (method, place.as_str())).collect();
        assert_eq!(
            methods,
            [
                ("get", "/paths/~1a/get"),
                ("put", "/components/pathItems/A/put"),
                ("patch", "/paths/~1b/patch"),
            ]
        );
        assert_eq!(items[2].2.to_value(), json!({"get": {}}));
    }

    #[test]
    fn a_circle_ends() {
        let document =
            json!({"paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a", "get": {}}}});
        assert!(path_items(&document).all(|(_, _, item)| item.operations().count() == 1));
    }
}
