//! Tests that a value that is read as a union and written again is the same value.
//!
//! A 2020-12 validator judges which random values are instances of a component, and of which of its alternatives. Every member that one
//! of those names has to be written again. Null, and empty lists and maps, stand for absent members, and what an alternative does
//! not name is ignored, as the report states.

#[path = "../../codegen/tests/it/random/generator.rs"]
mod generator;

use std::collections::BTreeMap;

use generator::Random;
use serde_json::{Map, Value, json};
use suprsend_corpus::{DOCUMENTS, Document};

/// The number of values that are made of every component.
const ROUNDS: usize = 300;

#[test]
fn no_member_is_lost() {
    let (mut wrong, mut without) = (Vec::new(), Vec::new());
    let (mut components, mut judged, mut exactly) = (0, 0, 0);
    for document in DOCUMENTS.iter().filter(|document| document.name.starts_with("unions_")) {
        let schemas = Schemas::new(document);
        for name in schemas.components.keys() {
            let mut random = Random::new(7);
            let mut instances = 0;
            for _ in 0..ROUNDS {
                let reference = json!({"$ref": format!("#/components/schemas/{name}")});
                let value = schemas.instance(&mut random, &reference, 5);
                if value.is_null() || !schemas.allow(&reference, &value) {
                    continue;
                }
                let Some(written) = (document.again)(name, value.clone()) else { break };
                instances += 1;
                let expected = schemas.named(&[&reference], &value);
                let lost = match &written {
                    Ok(written) => first_difference(&expected, written, &value),
                    Err(error) => Some(error.to_string()),
                };
                exactly += usize::from(written.is_ok_and(|written| written == value));
                if let Some(lost) = lost {
                    wrong.push(format!(
                        "{} {name}: {value}: {lost}: {}",
                        document.name, schemas.components[name]
                    ));
                    break;
                }
            }
            components += 1;
            judged += instances;
            if instances == 0 && (document.again)(name, json!({})).is_some() {
                without.push(format!("{} {name}", document.name));
            }
        }
    }
    println!("{judged} values, {exactly} of them written exactly as they were; none of {without:?}");
    // A random schema may allow nothing, but few do.
    assert!(without.len() * 20 < components && judged > 10_000, "{judged} values; none of {without:?}");
    assert!(wrong.is_empty(), "{} of\n{}", wrong.len(), wrong.join("\n"));
}

/// Reads values as a component of the document of such faults, and expects them to be written again as they are.
fn kept(name: &str, values: &[Value]) {
    let document = DOCUMENTS.iter().find(|document| document.name == "unions_of_faults").unwrap();
    for value in values {
        let written = (document.again)(name, value.clone()).expect("the component has a type");
        assert_eq!(written.unwrap(), *value, "{name}");
    }
}

#[test]
fn f01_what_a_discriminator_tells_apart_is_kept_whole() {
    kept(
        "Vehicle",
        &[
            json!({"kind": "bike", "gears": 21}),
            json!({"kind": "van", "payload_kg": 900}),
            json!({"kind": "bike"}),
            // Neither the one nor the other.
            json!({"kind": "tram", "gears": 21}),
            json!({"kind": "van", "gears": 21}),
            json!({"kind": "van", "gears": 21, "payload_kg": 900}),
        ],
    );
    let (van, bike) = (json!({"kind": "van", "payload_kg": 900}), json!({"kind": "bike", "gears": 21}));
    let named = json!({"kind": "Bike", "gears": 21});
    let values = [
        ("tagged", vec![van.clone(), bike.clone()]),
        ("any_of", vec![named, json!({"kind": "Van", "payload_kg": 900})]),
        ("base", vec![json!({"kind": "truck", "axles": 3}), json!({"kind": "other"})]),
        ("half", vec![json!({"kind": "Van", "payload_kg": 900}), bike]),
        ("same", vec![json!({"kind": "A1", "x": "a"}), json!({"kind": "A2", "x": 2})]),
    ];
    for (member, values) in values {
        kept("Tagged", &values.into_iter().map(|value| json!({ member: value })).collect::<Vec<_>>());
    }
}

#[test]
fn f02_what_closed_members_tell_apart_is_kept_whole() {
    kept(
        "Where",
        &[json!({"city": "Bern"}), json!({"lat": 46.9, "lon": 7.4}), json!({"lon": 7.4}), json!({})],
    );
}

#[test]
fn f03_what_nothing_tells_apart_is_kept_whole() {
    let (bad, missing) = (json!({"code": 1, "field": "a"}), json!({"code": 2, "resource": "b"}));
    let both = json!({"code": 3, "field": "a", "resource": "b"});
    for value in [bad, missing, both, json!({"code": 4})] {
        kept("Any", &[json!({ "any": value })]);
    }
    for value in [
        json!({"n": 1, "p": "a"}),
        json!({"n": 1, "q": "b"}),
        json!({"p": "a"}),
        json!({"n": 1, "p": "a", "q": "b"}),
    ] {
        kept("Any", &[json!({ "opt": value })]);
    }
    for value in [json!({"a": "x"}), json!({"b": 1, "c": 2})] {
        kept("Any", &[json!({ "mapped": value })]);
    }
}

/// The components of a document, with their validators.
struct Schemas {
    components: Map<String, Value>,
    names: Vec<String>,
    validators: std::cell::RefCell<BTreeMap<String, jsonschema::Validator>>,
}

impl Schemas {
    fn new(document: &Document) -> Self {
        let document: Value = serde_json::from_str(document.text).unwrap();
        let mut components = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
        components.values_mut().for_each(honour_nullable);
        let mut names = vec!["unknown".to_owned()];
        components.values().for_each(|schema| property_names(schema, &mut names));
        names.sort();
        names.dedup();
        Self { components, names, validators: std::cell::RefCell::default() }
    }

    fn allow(&self, schema: &Value, value: &Value) -> bool {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({"allOf": [schema], "components": {"schemas": self.components}});
            jsonschema::draft202012::new(&whole).unwrap()
        });
        validator.is_valid(value)
    }

    fn follow<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(target) => self.follow(&self.components[target.rsplit('/').next().unwrap()]),
            None => schema,
        }
    }

    /// A value that may well be an instance.
    fn instance(&self, random: &mut Random, schema: &Value, depth: usize) -> Value {
        let schema = self.follow(schema);
        let list = |keyword: &str| schema[keyword].as_array().cloned().unwrap_or_default();
        if !schema["const"].is_null() {
            return schema["const"].clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return random.pick(values);
        }
        let mut value = match schema["type"].as_str() {
            Some("string") => json!(random.pick(&[
                "a", "zz", "12", "x", "y", "AB1", "", "fixed", "Ship", "sea", "shop", "locker", "Plane",
                "air"
            ])),
            Some("integer" | "number") => json!(random.pick(&[-1, 0, 1, 2, 3, 40])),
            Some("boolean") => json!(random.once_in(2)),
            Some("array") => {
                let items = if depth == 0 { 0 } else { random.below(3) };
                (0..items).map(|_| self.instance(random, &schema["items"], depth - 1)).collect()
            }
            Some("null") => Value::Null,
            None if schema["properties"].is_null()
                && schema["required"].is_null()
                && list("oneOf").is_empty()
                && list("anyOf").is_empty()
                && list("allOf").is_empty() =>
            {
                random.pick(&[json!(1), json!("a"), json!({"unknown": 1}), json!([{}])])
            }
            _ => json!({}),
        };
        if depth == 0 {
            return value;
        }
        let alternatives: Vec<Value> = list("oneOf").into_iter().chain(list("anyOf")).collect();
        let mut parts = list("allOf");
        for _ in 0..=usize::from(random.once_in(3)) {
            if !alternatives.is_empty() {
                parts.push(random.pick(&alternatives));
            }
        }
        for part in parts {
            let part = self.instance(random, &part, depth - 1);
            match (&mut value, part) {
                (Value::Object(members), Value::Object(more)) => members.extend(more),
                (value, part) => *value = part,
            }
        }
        if let Value::Object(members) = &mut value {
            let required: Vec<Value> = list("required");
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if required.contains(&json!(name)) || !random.once_in(3) {
                    members.insert(name.clone(), self.instance(random, property, depth - 1));
                }
            }
            if schema["additionalProperties"].is_object() && random.once_in(2) {
                members.insert(
                    random.pick(&self.names),
                    self.instance(random, &schema["additionalProperties"], depth - 1),
                );
            }
            if random.once_in(6) {
                members.insert(
                    random.pick(&self.names),
                    random.pick(&[json!(1), json!("x"), json!(true), json!([])]),
                );
            }
        }
        value
    }

    /// The value without the members that none of these schemas names, of those alternatives of which it is an instance.
    fn named(&self, schemas: &[&Value], value: &Value) -> Value {
        let mut all = Vec::new();
        for schema in schemas {
            self.spread(schema, value, &mut all);
        }
        match value {
            Value::Array(items) => {
                let inner: Vec<&Value> =
                    all.iter().map(|schema| &schema["items"]).filter(|one| one.is_object()).collect();
                let open = inner.is_empty();
                items.iter().map(|item| if open { item.clone() } else { self.named(&inner, item) }).collect()
            }
            Value::Object(members) => {
                let any = all
                    .iter()
                    .all(|schema| schema["properties"].is_null() && schema["additionalProperties"].is_null());
                let member = |(name, member): (&String, &Value)| {
                    let inner: Vec<&Value> = all
                        .iter()
                        .filter_map(|schema| match &schema["properties"][name] {
                            Value::Null => {
                                Some(&schema["additionalProperties"]).filter(|one| one.is_object())
                            }
                            property => Some(property),
                        })
                        .collect();
                    if any {
                        Some((name.clone(), member.clone()))
                    } else {
                        (!inner.is_empty()).then(|| (name.clone(), self.named(&inner, member)))
                    }
                };
                Value::Object(members.iter().filter_map(member).collect())
            }
            other => other.clone(),
        }
    }

    /// A schema with its parts, and with the alternatives that allow the value.
    fn spread<'a>(&'a self, schema: &'a Value, value: &Value, all: &mut Vec<&'a Value>) {
        let schema = self.follow(schema);
        all.push(schema);
        for (keyword, every) in [("allOf", true), ("oneOf", false), ("anyOf", false)] {
            for part in schema[keyword].as_array().into_iter().flatten() {
                if every || self.allow(part, value) {
                    self.spread(part, value, all);
                }
            }
        }
    }
}

/// `nullable: true` beside a type is honoured in a document of any version.
fn honour_nullable(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true)) && members["type"].is_string() {
                members["type"] = json!([members["type"], "null"]);
            }
            members.values_mut().for_each(honour_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(honour_nullable),
        _ => {}
    }
}

fn property_names(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            names.extend(
                members.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned(),
            );
            members.values().for_each(|member| property_names(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| property_names(item, names)),
        _ => {}
    }
}

/// Lists members that are expected and not written, or written and were not read.
fn first_difference(expected: &Value, written: &Value, read: &Value) -> Option<String> {
    match (expected, written) {
        (Value::Object(expected), Value::Object(written)) => {
            let lost = expected.iter().find_map(|(name, member)| match written.get(name) {
                Some(again) => first_difference(member, again, &read[name]),
                None if is_nothing(member) => None,
                None => Some(format!("lost {name}")),
            });
            let added = || {
                let mut added =
                    written.iter().filter(|(name, member)| read.get(name).is_none() && !is_nothing(member));
                added.next().map(|(name, _)| format!("added {name}"))
            };
            lost.or_else(added)
        }
        (Value::Array(expected), Value::Array(written)) if expected.len() == written.len() => {
            let mut pairs = expected.iter().zip(written).enumerate();
            pairs.find_map(|(index, (one, other))| first_difference(one, other, &read[index]))
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => None,
        (one, other) if one == other => None,
        (one, other) => Some(format!("{one} is written as {other}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}
