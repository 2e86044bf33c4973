//! The bundled document is upstream's, and the corrected one agrees with itself.

use jsonschema::Validator;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Upstream's document is never edited: a correction is an action of an overlay, with its reason.
#[test]
fn the_bundled_document_is_upstreams_byte_for_byte() {
    let digest = Sha256::digest(include_bytes!("../openapi.yaml"));
    let hex = format!("{:02x?}", digest.as_slice()).replace(['[', ']', ',', ' '], "");
    assert_eq!(
        hex, "282eecb1bc8e46f2ba3344ace1bd227a507b36b4706ceaef88cf0e236168fd22",
        "restore openapi.yaml; corrections belong into overlays/. A new document of upstream's gets a new hash here."
    );
}

fn corrected() -> Value {
    serde_json::from_str(suprsend_api::DOCUMENT).expect("the corrected document is JSON")
}

/// A validator of the schema at `pointer`, with what it may refer to.
fn validator(document: &Value, pointer: &str) -> Validator {
    let mut schema = document.pointer(pointer).cloned().expect("a schema");
    for section in ["components", "paths"] {
        schema[section] = document[section].clone();
    }
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a 2020-12 schema")
}

/// Every media type of the document with its examples, `example` and `examples` alike.
fn examples(document: &Value) -> Vec<(String, Value)> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
        let Value::Object(members) = value else {
            if let Value::Array(items) = value {
                for (index, item) in items.iter().enumerate() {
                    collect(item, &format!("{pointer}/{index}"), found);
                }
            }
            return;
        };
        if pointer.contains("/content/") && members.contains_key("schema") {
            let named = members.get("examples").and_then(Value::as_object).into_iter().flatten();
            let all = members.get("example").into_iter().chain(named.map(|(_, example)| &example["value"]));
            found.extend(all.map(|example| (pointer.to_owned(), example.clone())));
        }
        for (key, value) in members {
            collect(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }
    }
    let mut found = Vec::new();
    for section in ["components", "paths"] {
        collect(&document[section], &format!("/{section}"), &mut found);
    }
    found
}

/// The generated code documents every item; without a description it can only repeat the name.
#[test]
fn everything_is_described() {
    let places = suprsend_codegen::undescribed(&corrected()).unwrap();
    assert!(places.is_empty(), "without a description: {places:#?}");
}

#[test]
fn every_example_is_valid_against_its_own_schema() {
    let document = corrected();
    let examples = examples(&document);
    assert!(examples.len() >= 3, "the request, the response and the error have one each");
    for (place, example) in examples {
        let validator = validator(&document, &format!("{place}/schema"));
        let errors: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "the example at {place}: {errors:#?}");
    }
}

/// The reasons for the corrections: what upstream's own document says of its own examples.
#[test]
fn upstreams_examples_are_not_valid_without_the_corrections() {
    let project = suprsend_codegen::Project::from_sources(
        suprsend_codegen::Source::new("openapi.yaml", include_str!("../openapi.yaml")),
        Vec::new(),
    );
    let document = project.correct().expect("readable without overlays");
    let invalid: Vec<String> = examples(&document)
        .into_iter()
        .filter(|(place, example)| !validator(&document, &format!("{place}/schema")).is_valid(example))
        .map(|(place, _)| place)
        .collect();
    let operation = "/paths/~1v1~1user~1{distinct_id}~1/post";
    assert_eq!(invalid, [format!("{operation}/requestBody/content/application~1json")]);
}

#[test]
fn the_placeholder_is_refused_until_an_overlay_corrects_it() {
    let source = |text: &str| suprsend_codegen::Source::new("openapi.yaml", text);
    let raw = suprsend_codegen::Project::from_sources(source(include_str!("../openapi.yaml")), Vec::new());
    let document = raw.correct().expect("readable without overlays");
    let error = suprsend_codegen::generate(&document, &suprsend_codegen::Settings::default())
        .expect_err("a placeholder cannot be generated")
        .to_string();
    assert!(error.contains("`$<channel>` is a placeholder"), "{error}");
}

/// A correction that upstream has made since shows: the action that made it no longer fits.
#[test]
fn a_correction_that_upstream_has_made_stops_the_build() {
    let declared = include_str!("../openapi.yaml")
        .replace("                    type: string\n                    description: channel value\n", "");
    let text = declared.replace(
        "                        value:\n                          type: string\n",
        "                        value:\n                          type: object\n",
    );
    assert_ne!(text, include_str!("../openapi.yaml"), "the place is still where it was");
    let overlay = suprsend_codegen::Source::new(
        "overlays/10-corrections.yaml",
        include_str!("../overlays/10-corrections.yaml"),
    );
    let project = suprsend_codegen::Project::from_sources(
        suprsend_codegen::Source::new("openapi.yaml", text),
        vec![overlay],
    );
    let error = project.correct().expect_err("the overlay states what was").to_string();
    assert!(error.contains("`x-was` says \"string\""), "{error}");
    assert!(error.starts_with("overlays/10-corrections.yaml:"), "{error}");
}

#[test]
fn the_corrected_document_keeps_what_it_does_not_correct() {
    let document = corrected();
    assert_eq!(document["openapi"], json!("3.1.1"));
    assert_eq!(document["info"]["version"], json!("1.2.2"));
    assert_eq!(document["servers"], json!([{"url": "https://hub.suprsend.com"}]));
}

/// Who has an address is a person. Entries of a profile (`ChannelEntry`) mark their value.
#[test]
fn every_address_is_sensitive_wherever_it_stands() {
    fn look(value: &Value, pointer: &str, open: &mut Vec<String>, count: &mut usize) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            _ => return,
        };
        for (key, member) in members {
            if ["example", "examples"].contains(&key.as_str()) {
                continue;
            }
            let pointer = format!("{pointer}/{key}");
            let is_text = |schema: &Value| schema["type"] == "string";
            let is_address = ["$email", "$sms", "$whatsapp", "$inbox", "$androidpush", "$iospush"]
                .contains(&key.as_str())
                && (is_text(member) || is_text(&member["items"]));
            if is_address {
                *count += 1;
                if member["x-sensitive"] != true {
                    open.push(pointer.clone());
                }
            }
            look(member, &pointer, open, count);
        }
    }
    let (mut open, mut count) = (Vec::new(), 0);
    look(&corrected(), "", &mut open, &mut count);
    assert!(count > 12, "{count} addresses");
    assert_eq!(open, Vec::<String>::new());
}
