use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::bisect;
use crate::limits;

/// A model in which every schema holds others and some include others, with later ones reaching nearly all, and an operation for each.
fn document(count: usize, bad: impl Fn(usize) -> bool) -> Value {
    let reference = |index: usize| json!({"$ref": format!("#/components/schemas/S{index}")});
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for index in 0..count {
        let mut schema = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        if index > 0 {
            schema["properties"]["held"] = reference(index / 2);
            schema["properties"]["list"] = json!({"type": "array", "items": reference(index - 1)});
        }
        if index % 10 == 9 {
            schema["allOf"] = json!([reference(index - 5)]);
        }
        if bad(index) {
            schema["x-bad"] = true.into();
        }
        schemas.insert(format!("S{index}"), schema);
        let content = json!({"application/json": {"schema": reference(index)}});
        let operation = json!({"operationId": format!("get{index}"), "responses": {"200": {"description": "", "content": content}}});
        paths.insert(format!("/{index}"), json!({"get": operation}));
    }
    json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths, "components": {"schemas": schemas}})
}

/// Returns the first thing in a document that is marked as bad.
fn is_bad(document: &Value) -> Option<String> {
    let schemas = document["components"]["schemas"].as_object()?;
    let operations = document["paths"].as_object()?.values().map(|item| &item["get"]);
    let mut all = schemas.values().chain(operations);
    all.any(|part| part.get("x-bad").is_some()).then(|| "it is bad".to_owned())
}

fn places(document: &Value, fails: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    let reason = fails(document).expect("the document is bad");
    bisect(document, &reason, fails).iter().map(|problem| problem.place().to_owned()).collect()
}

#[test]
fn f30_time_grows_with_the_document_and_not_with_the_culprits() {
    for count in [10, 100, 300] {
        for step in [1_000_000, 100, 10, 1] {
            let bad = |index: usize| index % step == step - 1 || (step == 1_000_000 && index == count / 2);
            if !(0..count).any(bad) {
                continue;
            }
            let document = document(count, bad);
            let spent = Cell::new(0);
            let found = places(&document, |part| {
                spent.set(spent.get() + limits::measure(part).0);
                is_bad(part)
            });
            let culprits: Vec<usize> = (0..count).filter(|index| bad(*index)).collect();
            // A schema that includes another is dropped with it.
            let own = culprits.iter().filter(|index| {
                let included = [**index - *index % 10 + 4, **index / 2, index.saturating_sub(1)];
                **index % 10 != 9 || !included.into_iter().any(bad)
            });
            let expected: Vec<String> = own.map(|index| format!("/components/schemas/S{index}")).collect();
            assert_eq!(found, expected, "{count} schemas, one of {step} bad");
            let times = spent.get() / limits::measure(&document).0;
            assert!(times <= 32, "{count} schemas, one of {step} bad: {times} times the document");
        }
    }
}

#[test]
fn an_operation_is_blamed_for_what_it_does_itself() {
    let mut document = document(40, |index| index == 7);
    document["paths"]["/3"]["get"]["x-bad"] = true.into();
    document["paths"]["/7"]["get"]["x-bad"] = true.into();
    assert_eq!(places(&document, is_bad), ["/components/schemas/S7", "/paths/~13/get"]);
}

#[test]
fn what_fails_in_the_whole_alone_is_found_there() {
    // Two that must not occur together, far from each other, and one that fails only with everything it holds.
    let document = document(64, |_| false);
    let meet = |part: &Value| {
        let schemas = &part["components"]["schemas"];
        let whole =
            |name: &str| schemas.get(name).is_some_and(|schema| schema["properties"].get("text").is_some());
        (whole("S3") && whole("S60")).then(|| "two would have one name".to_owned())
    };
    assert_eq!(places(&document, meet), ["/components/schemas/S60"]);
}

#[test]
fn what_fails_only_beside_a_stub_is_no_culprit() {
    let document = document(16, |index| index == 15);
    let fails = |part: &Value| {
        let empty = |schema: &Value| schema["properties"] == json!({});
        let schemas = part["components"]["schemas"].as_object()?;
        (schemas.get("S9").is_some_and(|_| schemas.values().any(empty)) || is_bad(part).is_some())
            .then(|| "bad".to_owned())
    };
    assert_eq!(places(&document, fails), ["/components/schemas/S15"]);
}

#[test]
fn a_document_that_fails_without_parts_is_to_blame_itself() {
    assert_eq!(places(&document(3, |_| false), |_| Some("never".to_owned())), ["/"]);
}
