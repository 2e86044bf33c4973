use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Kind, Lowered, Pointer, lower};

/// A document whose only schema is the component `S`.
fn document(schema: &Value) -> Value {
    json!({
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "components": {"schemas": {"S": schema, "Other": {"type": "object"}}},
    })
}

fn lowered(document: &Value) -> Lowered {
    lower(document).unwrap_or_else(|problems| panic!("{problems}"))
}

fn schema(schema: &Value) -> (Value, Vec<Kind>) {
    let lowered = lowered(&document(schema));
    let kinds = lowered.report.entries().iter().map(|entry| entry.kind).collect();
    (lowered.document["components"]["schemas"]["S"].clone(), kinds)
}

#[test]
fn keywords_that_have_a_form_in_3_0_are_exact() {
    for (given, expected) in [
        (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
        (json!({"type": ["string"]}), json!({"type": "string"})),
        (json!({"type": "null"}), json!({"enum": [null]})),
        (json!({"type": ["integer", "number"]}), json!({"type": "number"})),
        (
            json!({"type": ["string", "integer"], "minLength": 2, "minimum": 3, "format": "int32"}),
            json!({"oneOf": [{"type": "string", "minLength": 2}, {"type": "integer", "minimum": 3, "format": "int32"}]}),
        ),
        (
            json!({"type": ["string", "array", "null"]}),
            json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {}}, {"enum": [null]}]}),
        ),
        (
            json!({"type": ["string", "boolean"], "oneOf": [{}]}),
            json!({"oneOf": [{}], "allOf": [{"oneOf": [{"type": "string"}, {"type": "boolean"}]}]}),
        ),
        // Null is not among the values, so 3.1 does not accept it either.
        (json!({"type": ["string", "null"], "enum": ["a"]}), json!({"enum": ["a"], "type": "string"})),
        (
            json!({"type": ["string", "null"], "enum": ["a", null]}),
            json!({"enum": ["a", null], "type": "string", "nullable": true}),
        ),
        (json!({"type": "string", "enum": ["a", null]}), json!({"enum": ["a"], "type": "string"})),
        (json!({"type": "null", "enum": ["a"]}), json!({"not": {}})),
        (json!({"type": ["string", "array"], "enum": [1]}), json!({"not": {}})),
        (json!({"const": 1, "enum": [2]}), json!({"not": {}})),
        (json!({"const": 0}), json!({"enum": [0]})),
        (json!({"const": null}), json!({"enum": [null]})),
        (json!({"const": ""}), json!({"enum": [""]})),
        (json!({"exclusiveMinimum": 3}), json!({"minimum": 3, "exclusiveMinimum": true})),
        (json!({"exclusiveMinimum": 3, "minimum": 5}), json!({"minimum": 5})),
        (json!({"exclusiveMaximum": 3, "maximum": 5}), json!({"maximum": 3, "exclusiveMaximum": true})),
        (json!({"examples": ["a"]}), json!({"example": "a"})),
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (json!(true), json!({})),
        (json!(false), json!({"not": {}})),
        (json!({"additionalProperties": false}), json!({"additionalProperties": false})),
        (json!({"properties": {"a": true}}), json!({"properties": {"a": {}}})),
        (
            json!({"$ref": "#/components/schemas/Other", "description": "d"}),
            json!({"description": "d", "allOf": [{"$ref": "#/components/schemas/Other"}]}),
        ),
        // `nullable` in a 3.1 document is a habit from 3.0, and intentional.
        (json!({"type": "string", "nullable": true}), json!({"type": "string", "nullable": true})),
        (
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!({"enum": ["a", null], "type": "string", "nullable": true}),
        ),
        (
            json!({"$ref": "#/components/schemas/Other", "nullable": true, "title": "T"}),
            json!({"title": "T", "anyOf": [{"$ref": "#/components/schemas/Other"}, {"enum": [null]}]}),
        ),
        (json!({"nullable": true, "pattern": "a"}), json!({"pattern": "a"})),
        // Names of properties are not keywords, and examples are not schemas.
        (
            json!({"properties": {"const": {"const": 1}, "examples": {}, "nullable": {}, "$schema": {}}, "example": {"const": 1}}),
            json!({"properties": {"const": {"enum": [1]}, "examples": {}, "nullable": {}, "$schema": {}}, "example": {"const": 1}}),
        ),
    ] {
        assert_eq!(schema(&given), (expected, vec![]), "{given}");
    }
}

#[test]
fn what_is_lost_is_reported() {
    use Kind::{AnnotationDropped, Widened};
    for (given, expected, kinds) in [
        (json!({"if": {}, "then": {}, "else": {}}), json!({}), vec![Widened; 3]),
        (json!({"contains": {}, "minContains": 1}), json!({}), vec![Widened; 2]),
        (json!({"propertyNames": {}}), json!({}), vec![Widened]),
        (json!({"unevaluatedProperties": false}), json!({}), vec![Widened]),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({}), vec![Widened]),
        (
            json!({"contentEncoding": "base64", "contentMediaType": "image/png", "type": "string"}),
            json!({"type": "string"}),
            vec![AnnotationDropped; 2],
        ),
        (json!({"examples": [1, 2]}), json!({"example": 1}), vec![AnnotationDropped]),
        (
            json!({"examples": {"x": {"value": 1}, "y": {"value": 2}}}),
            json!({"example": 1}),
            vec![AnnotationDropped],
        ),
        (json!({"type": null, "properties": null}), json!({}), vec![AnnotationDropped; 2]),
        (json!({"type": "string", "required": true}), json!({"type": "string"}), vec![AnnotationDropped]),
        (json!({"hint": 1, "x-hint": 1}), json!({"x-hint": 1}), vec![AnnotationDropped]),
        (
            json!({"prefixItems": [{"type": "string"}, {"type": "string"}], "items": false}),
            json!({"maxItems": 2, "items": {"type": "string"}}),
            vec![Widened],
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}),
            json!({"items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}),
            vec![Widened],
        ),
        (json!({"prefixItems": [{"type": "string"}]}), json!({"items": {}}), vec![Widened]),
        // A key that a pattern accepts must not be rejected by the `false` next to it.
        (
            json!({"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": false}),
            json!({"additionalProperties": {"type": "string"}}),
            vec![Widened],
        ),
        (
            json!({"patternProperties": {"^x-": {"type": "string"}}}),
            json!({"additionalProperties": {}}),
            vec![Widened],
        ),
    ] {
        assert_eq!(schema(&given), (expected, kinds), "{given}");
    }
}

#[test]
fn where_weaker_means_narrower_the_whole_is_weakened() {
    let weak = json!({"contains": {}});
    assert_eq!(schema(&json!({"not": weak})).0, json!({}));
    assert_eq!(schema(&json!({"not": {"not": {"items": weak}}})).0, json!({}));
    assert_eq!(
        schema(&json!({"oneOf": [weak, {"type": "string"}]})).0,
        json!({"anyOf": [{}, {"type": "string"}], "x-one-of": true})
    );
    assert_eq!(
        schema(&json!({"oneOf": [weak], "anyOf": [{"type": "string"}]})).0,
        json!({"anyOf": [{"type": "string"}], "allOf": [{"anyOf": [{}], "x-one-of": true}]})
    );
    assert_eq!(schema(&json!({"not": {"type": "string"}})), (json!({"not": {"type": "string"}}), vec![]));
    // Null is accepted where `nullable: true` is honoured, here and below.
    let habit = json!({"type": "string", "nullable": true});
    assert_eq!(schema(&json!({"not": habit})).0, json!({}));
    assert_eq!(
        schema(&json!({"oneOf": [habit, {"type": "null"}]})).0,
        json!({"anyOf": [habit, {"enum": [null]}], "x-one-of": true})
    );
    assert_eq!(schema(&json!({"not": {"required": ["a"], "properties": {"a": habit}}})).0, json!({}));
    assert_eq!(schema(&json!({"not": {"nullable": true, "enum": ["a"]}})).0, json!({}));
    // There it has no effect.
    let stated = json!({"not": {"type": ["string", "null"], "nullable": true}});
    assert_eq!(schema(&stated).0, json!({"not": {"type": "string", "nullable": true}}));
    // In a 3.0 document it is exact.
    let mut older = document(&json!({"not": habit}));
    older["openapi"] = "3.0.3".into();
    assert_eq!(lowered(&older).document["components"]["schemas"]["S"], json!({"not": habit}));
    // A count that is dropped.
    assert_eq!(schema(&json!({"not": {"minLength": 1e20}})).0, json!({}));
    // Through one reference, and through two.
    let mut document = document(&json!({"not": {"$ref": "#/components/schemas/Other"}}));
    document["components"]["schemas"]["Other"] = json!({"items": {"$ref": "#/components/schemas/Third"}});
    document["components"]["schemas"]["Third"] = weak;
    assert_eq!(lowered(&document).document["components"]["schemas"]["S"], json!({}));
}

#[test]
fn whatever_is_referred_to_becomes_a_component() {
    let mut document = document(&json!({
        "properties": {"a": {"title": "The part", "type": "string"}, "b": {"$ref": "#/components/schemas/S/properties/a"}},
        "$defs": {"Local": {"const": 1, "$defs": {"Inner": {"type": "null"}}}},
        "items": {"$ref": "#/components/schemas/S/$defs/Local/$defs/Inner"},
        "not": {"$ref": "#/components/schemas/S/$defs/Local"},
    }));
    document["paths"] = json!({"/a/{id}": {"get": {
        "operationId": "get-a",
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "boolean"}}}}},
    }}});
    document["components"]["schemas"]["Far"] = json!({"items":
        {"$ref": "#/paths/~1a~1%7Bid%7D/get/responses/200/content/application~1json/schema"}});
    let lowered = lowered(&document);
    let schemas = &lowered.document["components"]["schemas"];
    assert_eq!(
        schemas["S"],
        json!({
            "properties": {"a": {"$ref": "#/components/schemas/ThePart"}, "b": {"$ref": "#/components/schemas/ThePart"}},
            "items": {"$ref": "#/components/schemas/SLocalInner"},
            "not": {"$ref": "#/components/schemas/SLocal"},
        })
    );
    assert_eq!(schemas["ThePart"], json!({"title": "The part", "type": "string"}));
    assert_eq!(schemas["SLocal"], json!({"enum": [1]}));
    assert_eq!(schemas["SLocalInner"], json!({"enum": [null]}));
    assert_eq!(schemas["GetAResponse200"], json!({"type": "boolean"}));
    assert_eq!(schemas["Far"]["items"], json!({"$ref": "#/components/schemas/GetAResponse200"}));
    // The report refers to places in the original document.
    let place = Pointer::from_text("/components/schemas/S/$defs/Local/$defs/Inner");
    assert!(lowered.report.entries().iter().any(|entry| entry.pointer == place), "{}", lowered.report);
}

#[test]
fn the_rest_of_the_document_is_lowered_too() {
    let lowered = lowered(&json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1", "summary": "s", "license": {"name": "MIT", "identifier": "MIT"}},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"cert": [], "key": []}],
        "paths": {"/a": {"$ref": "#/components/pathItems/A", "summary": "own"}},
        "webhooks": {"w": {"post": {}}},
        "components": {
            "pathItems": {"A": {"summary": "shared", "get": {"responses": {"204": {"description": ""}}}}},
            "securitySchemes": {"cert": {"type": "mutualTLS"}, "key": {"type": "apiKey"}},
        },
    }));
    assert_eq!(
        lowered.document,
        json!({
            "openapi": "3.0.3",
            "info": {"title": "t", "version": "1", "license": {"name": "MIT"}},
            "security": [{"key": []}],
            "paths": {"/a": {"summary": "own", "get": {"responses": {"204": {"description": ""}}}}},
            "components": {"securitySchemes": {"key": {"type": "apiKey"}}},
        })
    );
    let report = lowered.report.to_string();
    assert_eq!(report.lines().count(), 8, "{report}");
    assert!(report.contains("/components/securitySchemes/cert: widened: "), "{report}");
}

#[test]
fn lowering_twice_changes_nothing() {
    let given = document(&json!({
        "type": ["object", "null"],
        "properties": {"a": {"const": 1}, "b": {"type": ["string", "integer"]}, "c": {"exclusiveMinimum": 1}},
    }));
    let once = lowered(&given).document;
    let twice = lowered(&once);
    assert_eq!(twice.document, once);
    assert_eq!(twice.report.entries(), []);
}

/// Converts a 3.0 schema to JSON Schema draft 4, from which its keywords come: only `nullable` differs.
fn draft_4(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut members: serde_json::Map<_, _> =
                members.iter().map(|(key, value)| (key.clone(), draft_4(value))).collect();
            if members.shift_remove("nullable") == Some(Value::Bool(true))
                && let Some(name) = members.get("type").filter(|name| name.is_string())
            {
                let names = json!([name, "null"]);
                members.insert("type".to_owned(), names);
            }
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(draft_4).collect(),
        other => other.clone(),
    }
}

fn instance() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3..6i64).prop_map(Value::from),
        Just(json!(1.5)),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abx]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_schema() -> impl Strategy<Value = Value> {
    let name =
        || prop::sample::select(vec!["string", "integer", "number", "boolean", "array", "object", "null"]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        name().prop_map(|name| json!({ "type": name })),
        prop::collection::vec(name(), 1..4).prop_map(|mut names| {
            names.sort_unstable();
            names.dedup();
            json!({ "type": names })
        }),
        (name(), prop::collection::vec(instance(), 1..3))
            .prop_map(|(name, values)| json!({"type": [name, "null"], "enum": values})),
        instance().prop_map(|value| json!({ "const": value })),
        name().prop_map(|name| json!({"type": name, "nullable": true})),
        instance().prop_map(|value| json!({"const": value, "nullable": true})),
        Just(json!({"$ref": "#/components/schemas/Other", "nullable": true})),
        Just(json!({"minLength": 1e20, "maxItems": 1e20})),
        (-2..4i64, -2..4i64).prop_map(|(a, b)| json!({"minimum": a, "exclusiveMinimum": b})),
        (-2..4i64, -2..4i64).prop_map(|(a, b)| json!({"maximum": a, "exclusiveMaximum": b})),
        (0..3u64).prop_map(|n| json!({"type": ["string", "array", "object"], "minLength": n, "maxItems": n})),
        prop::sample::select(vec!["a", "b", "x"]).prop_map(|name| json!({ "required": [name] })),
        Just(json!({"dependentRequired": {"a": ["b"]}})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list().prop_map(|parts| json!({ "allOf": parts })),
            list().prop_map(|parts| json!({ "anyOf": parts })),
            list().prop_map(|parts| json!({ "oneOf": parts })),
            inner.clone().prop_map(|part| json!({ "not": part })),
            inner.clone().prop_map(|part| json!({ "items": part })),
            inner.clone().prop_map(|part| json!({ "contains": part })),
            inner.clone().prop_map(|part| json!({ "propertyNames": part })),
            (list(), inner.clone()).prop_map(|(first, rest)| json!({"prefixItems": first, "items": rest})),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| {
                json!({"properties": {"a": a}, "patternProperties": {"^x": b}, "additionalProperties": c})
            }),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| json!({"properties": {"a": a, "b": b}, "unevaluatedProperties": false})),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| json!({"allOf": [{"$ref": "#/components/schemas/Other"}, a], "type": "object", "not": b})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    /// Checks that the 3.0 schema accepts everything that the 3.1 schema accepts.
    #[test]
    fn lowering_never_narrows(schema in any_schema(), other in any_schema(), instances in prop::collection::vec(instance(), 12)) {
        let mut given = document(&schema);
        given["components"]["schemas"]["Other"] = other;
        // Random references may form a circle, which lint rejects.
        let Ok(lowered) = lower(&given) else { return Ok(()) };
        let entry = |document: &Value| json!({"$ref": "#/components/schemas/S", "components": document["components"]});
        let before = jsonschema::draft202012::new(&entry(&given)).expect("a 3.1 schema");
        let low = draft_4(&lowered.document);
        let mut after = entry(&low);
        after["allOf"] = json!([{"$ref": "#/components/schemas/S"}]);
        after.as_object_mut().expect("made above").shift_remove("$ref");
        let after = jsonschema::draft4::new(&after).expect("a 3.0 schema");
        for instance in &instances {
            prop_assert!(
                !before.is_valid(instance) || after.is_valid(instance),
                "{instance} was accepted, and is not by {:#}", lowered.document["components"]
            );
        }
    }
}
