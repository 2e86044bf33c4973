//! Required members that depend on the direction of a message.
//!
//! In OpenAPI 3.0, a required member that is `readOnly` is required only in responses, and one that is `writeOnly` only in requests. A
//! schema has one Rust type for both directions, so such a member is optional in every type that is used in the other direction. In 3.1 the
//! two are annotations, and `required` always applies.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    Pointer, Report,
    grammar::{self, Node},
    report::Kind,
};

/// Returns whether a document uses OpenAPI 3.0.
pub(crate) fn is_3_0(document: &Value) -> bool {
    document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3.0."))
}

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Sent,
    Received,
}

impl Direction {
    /// Returns the flag of properties that a message in this direction may omit.
    fn flag(self) -> &'static str {
        match self {
            Self::Sent => "readOnly",
            Self::Received => "writeOnly",
        }
    }
}

/// Removes members from `required` that a message in the other direction may omit, in a lowered document that used 3.0.
pub(crate) fn settle(document: &mut Value, report: &mut Report) {
    for (direction, other) in [
        (Direction::Sent, "responses only, and requests"),
        (Direction::Received, "requests only, and responses"),
    ] {
        let flag = direction.flag();
        let mut optional: Vec<(Pointer, String)> = optional(document, direction).into_iter().collect();
        optional.sort();
        for (place, name) in optional {
            let Some(Value::Object(schema)) = place.get_mut(document) else { continue };
            let Some(Value::Array(required)) = schema.get_mut("required") else { continue };
            required.retain(|known| *known != *name);
            if required.is_empty() {
                schema.shift_remove("required");
            }
            let note = format!(
                "`{name}` is `{flag}`, so it is required in {other} have the type too; it is optional"
            );
            report.add(Kind::Widened, &place.child("required"), note);
        }
    }
}

/// Returns the required members that a message in this direction may omit, each with the place of the schema that requires it.
pub(crate) fn optional(document: &Value, direction: Direction) -> HashSet<(Pointer, String)> {
    let mut found = HashSet::new();
    for place in reached(document, direction) {
        let names = flagged(document, &place, direction.flag());
        if names.is_empty() {
            continue;
        }
        for part in parts(document, &place, &["allOf", "anyOf", "oneOf"]) {
            let required = part.get(document).and_then(|schema| schema.get("required"));
            let required = required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            found.extend(
                required.filter(|name| names.contains(*name)).map(|name| (part.clone(), name.to_owned())),
            );
        }
    }
    found
}

/// Returns the places of all schemas that occur in messages of this direction.
fn reached(document: &Value, direction: Direction) -> HashSet<Pointer> {
    let mut open: Vec<(Pointer, Node)> = Vec::new();
    let mut seen: HashSet<Pointer> = HashSet::new();
    let root = Pointer::root();
    let paths = grammar::children(document, Node::Document, &root).into_iter();
    let paths = paths.filter(|(_, node, _)| *node == Node::Paths);
    open.extend(paths.map(|(_, node, place)| (place, node)));
    while let Some((place, node)) = open.pop() {
        let Some(value) = place.get(document) else { continue };
        if !seen.insert(place.clone()) {
            continue;
        }
        let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        open.extend(target.map(|target| (target, node)));
        let goes = |child: Node| match child {
            Node::Parameter | Node::RequestBody => direction == Direction::Sent,
            Node::Responses => direction == Direction::Received,
            // Calls that the API makes are not part of a client.
            Node::Callback => false,
            _ => true,
        };
        let below = grammar::children(value, node, &place).into_iter().filter(|(_, child, _)| goes(*child));
        open.extend(below.map(|(_, child, place)| (place, child)));
    }
    seen
}

/// Returns the properties with the flag, of a schema and of the schemas that it combines by `allOf`.
fn flagged(document: &Value, place: &Pointer, flag: &str) -> HashSet<String> {
    let has = |place: &Pointer| {
        let mut parts = parts(document, place, &["allOf"]).into_iter();
        parts
            .any(|part| part.get(document).is_some_and(|schema| schema.get(flag) == Some(&Value::Bool(true))))
    };
    let mut names = HashSet::new();
    for part in parts(document, place, &["allOf"]) {
        let place = part.child("properties");
        let properties = place.get(document).and_then(Value::as_object).into_iter().flatten();
        names.extend(properties.map(|(name, _)| name).filter(|name| has(&place.child(name))).cloned());
    }
    names
}

/// Returns a schema, the target of its reference, and the schemas that it combines by these keywords.
fn parts(document: &Value, place: &Pointer, keywords: &[&str]) -> Vec<Pointer> {
    let mut open = vec![place.clone()];
    let mut found: Vec<Pointer> = Vec::new();
    while let Some(place) = open.pop() {
        let Some(schema) = place.get(document) else { continue };
        if found.contains(&place) {
            continue;
        }
        open.extend(schema.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference));
        for keyword in keywords {
            let count = schema.get(*keyword).and_then(Value::as_array).map_or(0, Vec::len);
            let list = place.child(keyword);
            open.extend((0..count).map(|index| list.child(index)));
        }
        found.push(place);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(sent: &Value, received: &Value, components: &Value) -> Value {
        let content = |schema: &Value| json!({"application/json": {"schema": schema}});
        json!({
            "openapi": "3.0.3",
            "info": {"title": "t", "version": "1"},
            "paths": {"/bugs": {"post": {
                "operationId": "createBug",
                "requestBody": {"content": content(sent)},
                "responses": {"201": {"description": "", "content": content(received)}},
            }}},
            "components": {"schemas": components},
        })
    }

    /// Returns the final required members of each component, and the number of lines that declare them.
    fn required(document: &Value) -> (Vec<(String, Value)>, usize) {
        let (mut document, mut report) = (document.clone(), Report::default());
        settle(&mut document, &mut report);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let required = schemas
            .iter()
            .map(|(name, schema)| (name.clone(), schema.get("required").cloned().unwrap_or_default()));
        (required.collect(), report.entries().len())
    }

    fn bug() -> Value {
        json!({
            "type": "object",
            "required": ["id", "name", "secret"],
            "properties": {
                "id": {"type": "integer", "readOnly": true},
                "name": {"type": "string"},
                "secret": {"type": "string", "writeOnly": true},
            },
        })
    }

    #[test]
    fn f14_what_is_read_only_is_required_in_responses_only() {
        let reference = json!({"$ref": "#/components/schemas/Bug"});
        let list = json!({"type": "array", "items": {"type": "object", "properties": {"bug": reference}}});
        let text = json!({"type": "string"});
        for (sent, received, left, lines) in [
            (&reference, &reference, json!(["name"]), 2),
            (&reference, &text, json!(["name", "secret"]), 1),
            (&text, &reference, json!(["id", "name"]), 1),
            (&list, &text, json!(["name", "secret"]), 1),
            (&text, &text, json!(["id", "name", "secret"]), 0),
        ] {
            let document = document(sent, received, &json!({"Bug": bug()}));
            assert_eq!(required(&document), (vec![("Bug".to_owned(), left)], lines), "{sent} {received}");
        }
    }

    #[test]
    fn f14_the_flag_may_stand_in_another_part() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let components = json!({
            "Id": {"type": "integer", "readOnly": true},
            "Base": {"type": "object", "properties": {"id": {"allOf": [reference("Id")], "description": "d"}, "a": reference("Id")}},
            "Rest": {"required": ["id", "a", "b"], "properties": {"b": {"type": "string"}}},
            "Whole": {"allOf": [reference("Base"), reference("Rest")], "required": ["id"], "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "Other": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
        });
        let mut document = document(&reference("Whole"), &reference("Other"), &components);
        let (left, lines) = required(&document);
        let left: Vec<_> = left.into_iter().map(|(_, required)| required).collect();
        assert_eq!(left, [json!(null), json!(null), json!(["b"]), json!(null), json!(["id"])]);
        assert_eq!(lines, 4);
        settle(&mut document, &mut Report::default());
        assert_eq!(document["components"]["schemas"]["Whole"]["anyOf"], json!([{}, {"required": ["b"]}]));
    }

    #[test]
    fn f14_in_3_1_required_means_what_it_says() {
        let reference = json!({"$ref": "#/components/schemas/Bug"});
        let mut document = document(&reference, &reference, &json!({"Bug": bug()}));
        let rust = |document: &Value| crate::generate(document, &crate::Settings::default()).unwrap();
        let older = rust(&document);
        assert!(older.rust.contains("pub id: ::std::option::Option<i64>"), "{}", older.rust);
        assert!(older.rust.contains("pub secret: ::std::option::Option<::std::string::String>"));
        assert_eq!(
            older.report.to_string().matches("/components/schemas/Bug/required: widened: ").count(),
            2
        );
        document["openapi"] = "3.1.0".into();
        let newer = rust(&document).rust;
        assert!(
            newer.contains("pub id: i64") && newer.contains("pub secret: ::std::string::String"),
            "{newer}"
        );
    }
}
