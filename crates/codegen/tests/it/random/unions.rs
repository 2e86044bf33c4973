//! Random documents whose components are alternatives of objects, with everything that may tell those apart, or not.

use serde_json::{Map, Value, json};

use super::Random;

/// Few names, so that alternatives have members in common.
const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "kind", "list"];

/// The components that are objects.
const OBJECTS: [&str; 5] = ["Ant", "Bee", "Cat", "Dog", "Elk"];

/// A document with unions.
pub(crate) fn document(seed: u64) -> Value {
    let mut random = Random::new(seed ^ 0x5EED);
    let mut schemas = Map::new();
    for name in OBJECTS {
        schemas.insert(name.to_owned(), object(&mut random, 2));
    }
    for number in 0..6 {
        schemas.insert(format!("Union{number}"), union(&mut random, 2));
    }
    // A base and what extends it.
    schemas.insert(
        "Base".to_owned(),
        json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "a": member(&mut random, 0)},
            "discriminator": {"propertyName": "kind", "mapping": {"x": "#/components/schemas/Child"}}}),
    );
    schemas.insert("Child".to_owned(), json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"b": {}}}]}));
    schemas.insert("Other".to_owned(), json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"c": {}}}]}));
    schemas.insert("Bases".to_owned(), json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Base"}, "list": {"type": "array", "items": {"$ref": "#/components/schemas/Base"}}}}));
    let body = |name: &str| json!({"description": "", "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
    let responses = json!({"200": body("Union0"), "201": body("Ant"), "400": body("Bee"), "404": body("Cat"), "5XX": body("Union1")});
    json!({
        "openapi": "3.1.0",
        "info": {"title": format!("Random unions {seed}"), "version": "1"},
        "paths": {"/": {"get": {"operationId": "get", "responses": responses}}},
        "components": {"schemas": schemas},
    })
}

fn union(random: &mut Random, depth: usize) -> Value {
    let mut alternatives: Vec<Value> = (0..2 + random.below(3)).map(|_| alternative(random, depth)).collect();
    let keyword = random.pick(&["oneOf", "anyOf"]);
    let tagged = random.once_in(4);
    if tagged {
        alternatives = OBJECTS[..2 + random.below(3)].iter().map(|name| reference(name)).collect();
    } else if random.once_in(6) {
        alternatives.push(json!({"type": random.pick(&["string", "integer", "null"])}));
    }
    let mut union = json!({keyword: alternatives});
    if tagged {
        union["discriminator"] = json!({"propertyName": "kind"});
        if random.once_in(2) {
            union["discriminator"]["mapping"] = json!({"x": "#/components/schemas/Ant", "y": "Bee"});
        }
    } else if random.once_in(6) {
        union["type"] = "object".into();
        union["properties"] = json!({random.pick(&MEMBERS): member(random, 0)});
    } else if random.once_in(8) {
        union = json!({"allOf": [union, {"type": "object", "properties": {random.pick(&MEMBERS): member(random, 0)}}]});
    }
    union
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn alternative(random: &mut Random, depth: usize) -> Value {
    match random.below(8) {
        0 | 1 => reference(random.pick(&OBJECTS)),
        2 => json!({"type": "object", "additionalProperties": member(random, 0)}),
        3 if depth > 1 => json!({random.pick(&["oneOf", "anyOf"]): [object(random, 1), object(random, 1)]}),
        4 if depth > 1 => json!({"type": "array", "items": object(random, 1)}),
        _ => object(random, depth),
    }
}

fn object(random: &mut Random, depth: usize) -> Value {
    let mut properties = Map::new();
    for _ in 0..=random.below(4) {
        properties.insert(random.pick(&MEMBERS).to_owned(), member(random, depth));
    }
    if random.once_in(3) {
        properties.insert("kind".to_owned(), tag(random));
    }
    let required: Vec<String> = properties.keys().filter(|_| random.once_in(3)).cloned().collect();
    let mut object = json!({"type": "object", "properties": properties, "required": required});
    match random.below(6) {
        0 | 1 => object["additionalProperties"] = false.into(),
        2 => object["additionalProperties"] = member(random, 0),
        3 => object["not"] = json!({"required": [random.pick(&MEMBERS)]}),
        _ => {}
    }
    object
}

fn tag(random: &mut Random) -> Value {
    random.pick(&[
        json!({"const": "x"}),
        json!({"const": "y"}),
        json!({"type": "string", "enum": ["x", "z"]}),
        json!({"const": true}),
        json!({"const": false}),
        json!({"const": 1}),
        json!({"type": "integer", "enum": [2, 3]}),
        json!({"type": "string"}),
    ])
}

fn member(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 0 { 11 } else { 8 }) {
        0 => json!({"type": "integer"}),
        1 => json!({"type": "string"}),
        2 => json!({"type": "boolean"}),
        3 => {
            json!({"type": "integer", random.pick(&["minimum", "exclusiveMinimum", "maximum"]): random.below(3)})
        }
        4 => json!({"type": "string", "pattern": random.pick(&["^[a-m]", "^[0-9]"])}),
        5 => json!({"type": "string", random.pick(&["minLength", "maxLength"]): 2}),
        6 => json!({"type": random.pick(&["string", "integer"]), "nullable": true}),
        7 => tag(random),
        8 => json!({"type": "array", "items": member(random, depth - 1)}),
        9 => reference(random.pick(&OBJECTS)),
        _ => object(random, depth - 1),
    }
}
