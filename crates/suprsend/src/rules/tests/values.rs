//! Tests values of all kinds that serde knows: how the rules see them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use suprsend_api::rules::{Reference, Rule, Schema, Type};

use super::{assert_found, convert, found};
use crate::rules::secrets;

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct New(String);

#[derive(Serialize)]
struct Pair(u8, f32);

#[derive(Serialize)]
enum Kind {
    Unit,
    New(i64),
    Tuple(u8, bool),
    Struct { a: Option<f64>, b: char },
}

#[derive(Serialize)]
struct All {
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<u8>,
    null: Option<u8>,
    unit: Unit,
    new: New,
    pair: Pair,
    kinds: Vec<Kind>,
    #[serde(with = "bytes")]
    bytes: Vec<u8>,
    numbers: (i8, u64, i128, f32, f64),
    by_number: BTreeMap<i64, bool>,
    by_flag: BTreeMap<bool, char>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

mod bytes {
    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }
}

/// A value that cannot be serialized.
struct Refuses;
impl Serialize for Refuses {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

/// Nested wrappers, which do not exist in JSON.
#[derive(Serialize)]
struct Wrapped(Option<Box<Wrapped>>);

fn all() -> All {
    All {
        none: None,
        null: None,
        unit: Unit,
        new: New("a\"\\\n\u{1}é🦀".to_owned()),
        pair: Pair(1, 0.1),
        kinds: vec![Kind::Unit, Kind::New(-5), Kind::Tuple(0, true), Kind::Struct { a: Some(1e300), b: '"' }],
        bytes: vec![0, 10, 255],
        numbers: (i8::MIN, u64::MAX, i128::MIN, 1e-7, -0.0),
        by_number: BTreeMap::from([(-1, true), (10, false)]),
        by_flag: BTreeMap::from([(true, 'x')]),
        rest: BTreeMap::from([("more".to_owned(), json!({"a": [1, 2.5, "b", null, {}]}))]),
    }
}

/// The rules treat a typed value like its JSON.
#[test]
fn a_typed_value_is_its_json() {
    let schema = json!({
        "required": ["null", "unit", "kinds", "more", "numbers"],
        "maxProperties": 10,
        "properties": {
            "null": {"type": "null"}, "unit": {"type": "null"},
            "new": {"minLength": 7, "type": "string"},
            "pair": {"prefixItems": [{"const": 1}, {"const": 0.1}]},
            "kinds": {
                "prefixItems": [
                    {"const": "Unit"},
                    {"const": {"New": -5}},
                    {"allOf": [{"properties": {"Tuple": {"const": [0, true]}}, "required": ["Tuple"]}]},
                    {"oneOf": [{"properties": {"Struct": {"properties": {"b": {"const": "\""}}, "required": ["a"]}}}, false]},
                ],
                "uniqueItems": true,
            },
            "bytes": {"items": {"type": "integer"}, "maxItems": 3},
            "by_number": {"propertyNames": {"pattern": "^-?[0-9]+$"}},
            "by_flag": {"required": ["true"]},
            "more": {"properties": {"a": {"contains": {"type": "object"}}}},
        },
    });
    assert_found(&found(convert::schema(&schema), &all()), &[]);
    let wrong = json!({"properties": {"kinds": {"items": {"properties": {
        "New": {"type": "string"}, "Tuple": {"maxItems": 1}, "Struct": {"properties": {"b": {"type": "null"}}},
    }}}}});
    assert_found(
        &found(convert::schema(&wrong), &all()),
        &[
            "kinds[1].New is of another type than string",
            "kinds[2].Tuple has more than 1 item",
            "kinds[3].Struct.b is of another type than null",
        ],
    );
}

#[test]
fn what_json_cannot_say_is_a_violation() {
    let value = BTreeMap::from([("a", vec![1.0, f64::NAN]), ("b", vec![f64::INFINITY])]);
    let rule = "is not a finite number, and JSON has no other";
    let any = convert::schema(
        &json!({"additionalProperties": {"items": {"oneOf": [{"type": "number"}, {"type": "string"}]}}}),
    );
    assert_eq!(found(any, &value), [format!("a[1] {rule}"), format!("b[0] {rule}")]);
    assert_eq!(found(any, &f32::NAN), [format!("the body {rule}")]);

    assert_found(&found(any, &[Refuses]), &["the body cannot be written as JSON"]);
    assert_found(&found(any, &BTreeMap::from([(vec![1], 1)])), &["the body cannot be written as JSON"]);
}

fn nested(depth: usize) -> Value {
    // Without `json!`, which would walk the whole value each time.
    (0..depth).fold(json!(1), |inner, level| {
        if level % 2 == 0 {
            Value::Array(vec![inner])
        } else {
            Value::Object([("a".to_owned(), inner)].into_iter().collect())
        }
    })
}

#[test]
fn what_is_too_deep_is_a_violation() {
    let any = convert::schema(&json!({"anyOf": [{"type": "array"}, {"type": "object"}]}));
    assert_found(&found(any, &nested(128)), &[]);
    let found = found(any, &nested(129));
    assert!(found.len() == 1 && found[0].ends_with(" is nested deeper than 128 levels"), "{found:?}");

    // Far deeper than the stack of a thread allows. It is not dropped, because that would overflow too.
    let value = Box::leak(Box::new(nested(100_000)));
    let unique =
        convert::schema(&json!({"uniqueItems": true, "enum": [[1]], "items": {"uniqueItems": true}}));
    assert_eq!(super::found(unique, value).len(), 1);
    assert!(secrets(unique, value).is_empty());

    let wrapped = (0..2000).fold(Wrapped(None), |inner, _| Wrapped(Some(Box::new(inner))));
    assert_found(&super::found(any, &wrapped), &["the body is nested deeper than 128 levels"]);
}

/// Recursive alternatives multiply. Beyond the budget, validation is left to the API, except for what a single inspection shows.
#[test]
fn combinations_end() {
    static NODE: Schema = Schema::new(&[
        Rule::Properties(&[("bad", &NUMBER)]),
        Rule::AnyOf(&[&PARTS, &PART]),
        Rule::OneOf(&[&PARTS, &PART]),
    ]);
    static PARTS: Schema = Schema::new(&[Rule::AllOf(&[&PART, &PART, &PART])]);
    static PART: Schema =
        Schema::new(&[Rule::Properties(&[("a", &Schema::new(&[Rule::Ref(Reference(&NODE))]))])]);
    static NUMBER: Schema = Schema::new(&[Rule::Type(Type::Number)]);
    let value =
        (0..60).fold(json!({}), |inner, _| Value::Object([("a".to_owned(), inner)].into_iter().collect()));
    let mut value = value;
    value["bad"] = "text".into();
    assert_found(&found(&NODE, &value), &["bad is of another type than number"]);
}

#[test]
fn secrets_are_what_is_marked() {
    let secret = json!({"type": "string", "x-sensitive": true});
    let schema = json!({
        "properties": {
            "token": secret,
            "plain": {"type": "string"},
            "keys": {"x-sensitive": true, "properties": {"a": {"type": "string"}}},
            "either": {"oneOf": [{"type": "integer"}, {"type": "object", "properties": {"token": secret}}]},
            "list": {"items": {"$ref": "#/components/schemas/Secret"}},
            "nullable": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Secret"}]},
        },
        "additionalProperties": {"x-sensitive": true},
    });
    let schema = convert::body(&convert::document(&schema, &json!({"Secret": secret})));
    let body = json!({
        "token": "token-of-mine",
        "plain": "plain text here",
        "keys": {"a": "inner key a", "b": ["inner key b", "short", 12_345_678]},
        "either": {"token": "token-of-variant", "other": "something else"},
        "list": ["token-in-list"],
        "nullable": "token-or-null",
        "plan": {"name": "professional"},
    });
    let expected = [
        "inner key a",
        "inner key b",
        "professional",
        "token-in-list",
        "token-of-mine",
        "token-of-variant",
        "token-or-null",
    ];
    assert_eq!(secrets(schema, &body), BTreeSet::from(expected.map(str::to_owned)));
}
