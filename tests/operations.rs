//! Every operation of the document as a value: made from JSON, written again, and made into a request.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use suprsend_api::{Base, Operation, Visitor, operations};

fn document() -> Value {
    serde_json::from_str(suprsend_api::DOCUMENT).expect("the corrected document is JSON")
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(target) = value["$ref"].as_str() else { return value };
    let fragment = percent_encoding::percent_decode_str(target.trim_start_matches('#')).decode_utf8();
    follow(document, document.pointer(&fragment.expect("UTF-8")).expect("a target"))
}

/// The same without members that are null: unless a property is marked, null is read as absent.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(values) => values.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// An operation as a queue would hold it: its id, and JSON with its path parameters and the example of its body.
struct Stored {
    id: String,
    method: String,
    path: String,
    json: Value,
}

fn stored() -> Vec<Stored> {
    let document = document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            let Some(id) = operation["operationId"].as_str() else { continue };
            // The management API is behind a feature.
            if !cfg!(feature = "management") && operation["security"][0].get("ServiceToken").is_some() {
                continue;
            }
            let mut json = Map::new();
            let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters: Vec<&Value> = parameters.map(|one| follow(&document, one)).collect();
            let is_number = |name: &str| {
                parameters.iter().any(|one| one["name"] == name && one["schema"]["type"] == "integer")
            };
            let value = |name: &str| if is_number(name) { json!(7) } else { json!("a b") };
            json.extend(names.map(|name| (name.to_owned(), value(name))));
            let required = parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true);
            let required = required.filter_map(|one| one["name"].as_str());
            json.extend(required.map(|name| (name.to_owned(), value(name))));
            let body = follow(&document, &operation["requestBody"]);
            if let Some(content) = body["content"].as_object() {
                let (_, media) = content.iter().next().expect("a media type");
                let examples = media["examples"].as_object().into_iter().flatten();
                let example = examples.map(|(_, example)| follow(&document, example)["value"].clone()).next();
                let example = example.or_else(|| media.get("example").cloned());
                json.insert("body".to_owned(), example.unwrap_or_else(|| panic!("{id} has no example")));
            }
            let (id, method, path) = (id.to_owned(), method.clone(), path.clone());
            found.push(Stored { id, method, path, json: json.into() });
        }
    }
    found
}

struct RoundTrip<'a>(&'a Stored);

impl Visitor for RoundTrip<'_> {
    type Output = ();

    fn visit<O: Operation + Clone + Serialize + DeserializeOwned>(self) {
        let Stored { id, method, path, json } = self.0;
        let operation: O =
            serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{id}: {error}"));
        let written = serde_json::to_value(&operation).expect("JSON");
        assert_eq!(without_nulls(&written), without_nulls(json), "{id}");
        assert_eq!((O::SPEC.id, O::SPEC.path), (id.as_str(), path.as_str()));
        assert_eq!(O::SPEC.method.as_str(), method.to_uppercase());
        let base = Base::new("https://hub.example/base").expect("a base URL");
        let base = O::SPEC.server.into_iter().fold(base, Base::in_place_of);
        let request = operation.request(&base).unwrap_or_else(|error| panic!("{id}: {error}"));
        let is_number = |part: &str| json[part.trim_matches(['{', '}'])].is_number();
        let filled: Vec<&str> = path.split('#').next().expect("a path").split('/').collect();
        let filled: Vec<&str> = filled
            .iter()
            .map(|part| {
                if !part.contains('{') {
                    part
                } else if is_number(part) {
                    "7"
                } else {
                    "a%20b"
                }
            })
            .collect();
        assert_eq!(request.url().path(), format!("/base{}", filled.join("/")), "{id}");
        assert_eq!(request.url().fragment(), None, "{id}");
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body: Option<Value> = body.map(|body| serde_json::from_slice(body).expect("JSON"));
        assert_eq!(body.as_ref(), written.get("body"), "{id}");
    }
}

#[test]
fn every_operation_is_stored_and_sent_again() {
    let stored = stored();
    assert!(stored.len() > 70, "{}", stored.len());
    for one in &stored {
        operations::visit(&one.id, RoundTrip(one)).unwrap_or_else(|| panic!("no operation {}", one.id));
    }
    let ids: BTreeSet<&str> = operations::ALL.iter().map(|spec| spec.id).collect();
    assert_eq!(ids, stored.iter().map(|one| one.id.as_str()).collect());
}

#[test]
fn an_unknown_operation_is_none() {
    let stored = &stored()[0];
    assert!(operations::visit("no-such-operation", RoundTrip(stored)).is_none());
}

/// A path parameter that would address another resource: for every operation that has one.
#[test]
fn f11_dot_segment_in_every_operation() {
    struct Refused<'a>(&'a Stored, &'a str);

    impl Visitor for Refused<'_> {
        type Output = ();

        fn visit<O: Operation + Clone + Serialize + DeserializeOwned>(self) {
            let Stored { id, path, json, .. } = self.0;
            let base = Base::new("https://hub.example").expect("a base URL");
            let is_in_path = |name: &str| path.contains(&format!("{{{name}}}"));
            let texts = json.as_object().expect("an object").iter().filter(|(_, value)| value.is_string());
            for name in texts.map(|(name, _)| name).filter(|name| is_in_path(name)) {
                let mut json = json.clone();
                json[name] = self.1.into();
                let operation: O = serde_json::from_value(json).expect("an operation");
                let error = operation.request(&base).expect_err(id);
                assert_eq!(error.place(), name, "{id}");
            }
        }
    }

    for one in &stored() {
        for value in ["", ".", "..", " .. ", "\t"] {
            operations::visit(&one.id, Refused(one, value)).expect("a known operation");
        }
    }
}
