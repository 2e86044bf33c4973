//! Runs the tables of pairs in `xtask/tests/fixtures/diff/`, and edits of the bundled document.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde::Deserialize;
use serde_json::{Value, json};
use suprsend_codegen::{Settings, Source, generate, readable};
use syn::visit_mut::VisitMut;

use super::{all, change::Kind, changes, output};
use crate::project::root;

/// Returns a table of pairs.
fn table<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = root().join("xtask/tests/fixtures/diff").join(name);
    let value = Source::new(name, fs::read_to_string(path).unwrap()).parse().unwrap();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A schema before and after, and the changes where it is sent and where it is received.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaPair {
    name: String,
    old: Value,
    new: Value,
    /// The reason why the Rust code differs although nothing is listed: in types that only contain parts, or in the order of variants.
    written_otherwise: Option<String>,
    /// Components that either schema refers to.
    #[serde(default)]
    components: BTreeMap<String, Value>,
    #[serde(default)]
    request: Vec<String>,
    #[serde(default)]
    response: Vec<String>,
    /// Replaces the two if they are the same.
    #[serde(default)]
    either: Vec<String>,
}

/// An operation or a document before and after.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    old: Value,
    new: Value,
    #[serde(default)]
    expect: Vec<String>,
}

/// Returns the changes as the tables write them: level, kind, `old` for a place in the old document, place below `base`.
fn listed(old: &Value, new: &Value, base: &str) -> (Vec<String>, BTreeSet<&'static str>) {
    for document in [old, new] {
        readable(document).unwrap_or_else(|problems| panic!("{problems}\n{document:#}"));
    }
    let changes = changes(old, new).unwrap();
    let line = |change: &super::Change| {
        let side = if change.side == super::Side::Old { "old " } else { "" };
        let pointer = change.pointer.as_str();
        let place = pointer.strip_prefix(base).map_or(pointer.to_owned(), |rest| format!("~{rest}"));
        format!("{} {} {side}{place}", change.level.name(), change.kind.name())
    };
    (changes.iter().map(line).collect(), changes.iter().map(|change| change.kind.name()).collect())
}

fn document(operation: &Value, components: &BTreeMap<String, Value>) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Pairs", "version": "1"},
        "paths": {"/thing": {"post": operation}},
        "components": {"schemas": components},
    })
}

fn sent(schema: &Value, components: &BTreeMap<String, Value>) -> Value {
    let operation = json!({
        "operationId": "thing",
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
        "responses": {"204": {"description": "Done"}},
    });
    document(&operation, components)
}

fn received(schema: &Value, components: &BTreeMap<String, Value>) -> Value {
    let operation = json!({
        "operationId": "thing",
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}},
    });
    document(&operation, components)
}

/// No place is below it, so places stay as they are.
const WHOLE: &str = "~";
const SENT: &str = "/paths/~1thing/post/requestBody/content/application~1json/schema";
const RECEIVED: &str = "/paths/~1thing/post/responses/200/content/application~1json/schema";

/// Runs all tables. Returns their number and the kinds that occurred.
fn run() -> (usize, BTreeSet<&'static str>) {
    let mut kinds = BTreeSet::new();
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut check = |name: &str, expected: &[String], (found, met): (Vec<String>, BTreeSet<&'static str>)| {
        kinds.extend(met);
        count += 1;
        if found != expected {
            wrong.push(format!("{name}\n  expected {expected:#?}\n  found {found:#?}"));
        }
    };
    for name in ["schemas.yaml", "constraints.yaml", "unions.yaml"] {
        for pair in table::<SchemaPair>(name) {
            for (way, make, base, expected) in [
                ("request", sent as fn(&_, &_) -> _, SENT, &pair.request),
                ("response", received, RECEIVED, &pair.response),
            ] {
                let expected = if pair.either.is_empty() { expected } else { &pair.either };
                let (old, new) = (make(&pair.old, &pair.components), make(&pair.new, &pair.components));
                check(&format!("{name}: {} ({way})", pair.name), expected, listed(&old, &new, base));
            }
        }
    }
    let usual = json!({"operationId": "thing", "responses": {"204": {"description": "Done"}}});
    for pair in table::<Pair>("operations.yaml") {
        let make = |value: &Value| document(&over(&usual, value), &BTreeMap::new());
        check(&pair.name, &pair.expect, listed(&make(&pair.old), &make(&pair.new), "/paths/~1thing/post"));
    }
    let usual = document(&usual, &BTreeMap::new());
    for name in ["documents.yaml", "signatures.yaml"] {
        for pair in table::<Pair>(name) {
            let make = |value: &Value| over(&usual, value);
            check(&pair.name, &pair.expect, listed(&make(&pair.old), &make(&pair.new), WHOLE));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (count, kinds)
}

/// Returns an object with some members replaced.
fn over(usual: &Value, own: &Value) -> Value {
    let mut whole = usual.as_object().unwrap().clone();
    whole.extend(own.as_object().unwrap().clone());
    Value::Object(whole)
}

#[test]
fn every_pair_has_the_stated_changes_and_every_kind_has_a_pair() {
    let (count, met) = run();
    assert!(count >= 120, "{count} comparisons");
    let all: BTreeSet<_> = Kind::ALL.iter().map(|(kind, _)| kind.name()).collect();
    assert_eq!(all.difference(&met).collect::<Vec<_>>(), Vec::<&&str>::new(), "kinds without a pair");
    assert_eq!(all.len(), Kind::ALL.len(), "two kinds of one name");
}

fn bundled() -> Value {
    Source::new("openapi.yaml", fs::read_to_string(root().join("openapi.yaml")).unwrap()).parse().unwrap()
}

#[test]
fn a_document_does_not_differ_from_itself() {
    let corrected = fs::read_to_string(root().join("src/openapi.json")).unwrap();
    let corrected: Value = serde_json::from_str(&corrected).unwrap();
    for document in [bundled(), corrected] {
        assert_eq!(listed(&document, &document, WHOLE).0, Vec::<String>::new());
    }
}

#[test]
fn five_edits_of_the_bundled_document_are_five_changes() {
    let old = bundled();
    let mut new = old.clone();
    let path = "/v1/user/{distinct_id}/";
    let upsert = &mut new["paths"][path]["post"];
    upsert["requestBody"]["content"]["application/json"]["schema"]["required"] = json!(["$email"]);
    let response = &mut upsert["responses"]["201"]["content"]["application/json"]["schema"]["properties"];
    response.as_object_mut().unwrap().shift_remove("created_at");
    response["seats"] = json!({"type": "integer"});
    upsert["responses"]["429"] = json!({"description": "Too many requests"});
    upsert["parameters"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "dry_run", "in": "query", "schema": {"type": "boolean"}}));
    // Prose and order are not changes.
    upsert["summary"] = json!("Upsert a user");
    let members = new.as_object_mut().unwrap();
    let info = members.shift_remove("info").unwrap();
    members.insert("info".to_owned(), info);
    let (found, _) = listed(&old, &new, "/paths/~1v1~1user~1{distinct_id}~1/post");
    let response = "~/responses/201/content/application~1json/schema/properties";
    assert_eq!(
        found,
        [
            "breaking property-became-required ~/requestBody/content/application~1json/schema/properties/$email".to_owned(),
            format!("breaking property-removed old {response}/created_at"),
            "additive parameter-added ~/parameters/1".to_owned(),
            "additive status-added ~/responses/429".to_owned(),
            format!("additive property-added {response}/seats"),
        ]
    );
}

#[test]
fn what_goes_both_ways_is_one_change_that_says_so() {
    let make = |kind: &str| {
        let schema = json!({"$ref": "#/components/schemas/Thing"});
        let content = json!({"application/json": {"schema": schema}});
        let operation = json!({
            "operationId": "thing",
            "requestBody": {"content": content.clone()},
            "responses": {"200": {"description": "Done", "content": content}},
        });
        let thing = json!({"properties": {"a": {"type": kind}, "again": schema}});
        document(&operation, &BTreeMap::from([("Thing".to_owned(), thing)]))
    };
    let changes = changes(&make("integer"), &make("number")).unwrap();
    let line = "breaking type-widened: /components/schemas/Thing/properties/a/type in requests and responses: integer became number";
    assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), [line]);
    let mut text = Vec::new();
    output::lines(&changes, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(
        text,
        format!("{line}\n1 breaking, 0 additive, 0 neutral\nversion: major, before 1.0 minor\n")
    );
    assert_eq!(
        output::json(&changes),
        json!({
            "format": 1,
            "bump": "major",
            "bump_before_1_0": "minor",
            "counts": {"breaking": 1, "additive": 0, "neutral": 0},
            "changes": [{
                "level": "breaking",
                "kind": "type-widened",
                "document": "new",
                "pointer": "/components/schemas/Thing/properties/a/type",
                "in": ["request", "response"],
                "message": "integer became number",
            }],
        })
    );
}

#[test]
fn the_version_follows_from_the_gravest_change() {
    let make = |operation: Value| document(&over(&json!({"responses": {}}), &operation), &BTreeMap::new());
    for (old, new, bump, before) in [
        (json!({}), json!({"description": "Prose"}), "none", "none"),
        (json!({}), json!({"deprecated": true}), "patch", "patch"),
        (
            json!({}),
            json!({"parameters": [{"name": "a", "in": "query", "schema": {"type": "string"}}]}),
            "minor",
            "patch",
        ),
        (json!({"operationId": "a"}), json!({"operationId": "b"}), "major", "minor"),
    ] {
        let found = output::json(&changes(&make(old), &make(new)).unwrap());
        assert_eq!((found["bump"].as_str(), found["bump_before_1_0"].as_str()), (Some(bump), Some(before)));
    }
}

/// A component that is referred to twice on each of many levels is compared only once.
#[test]
fn nested_references_do_not_multiply() {
    let make = |leaf: &str| {
        let levels = 400;
        let mut schemas: BTreeMap<String, Value> = (0..levels)
            .map(|level| {
                let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
                let all = json!({"allOf": [next, {"properties": {"c": next}}], "properties": {"a": next, "b": next}});
                let one = json!({"type": "object", "properties": {"a": next, "b": {"type": "array", "items": next}, "c": {"oneOf": [next, {"type": "string"}]}}});
                (format!("L{level}"), if level % 50 == 49 { all } else { one })
            })
            .collect();
        schemas.insert(format!("L{levels}"), json!({"type": leaf}));
        received(&json!({"$ref": "#/components/schemas/L0"}), &schemas)
    };
    // No Rust code can be generated from such documents.
    let changes = all(&make("string"), &make("integer"), None).unwrap();
    let found: Vec<_> = changes.iter().map(|change| (change.kind, change.pointer.as_str())).collect();
    assert_eq!(found, [(Kind::TypeChanged, "/components/schemas/L400/type")]);
}

/// Returns the public Rust code of a document, without its documentation and the bodies of functions.
fn rust(document: &Value) -> String {
    struct Signatures;
    impl VisitMut for Signatures {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
            attributes.retain(|attribute| !attribute.path().is_ident("doc"));
        }

        fn visit_block_mut(&mut self, block: &mut syn::Block) {
            block.stmts.clear();
        }

        /// The rules that validate requests are not part of what a program can name.
        fn visit_file_mut(&mut self, file: &mut syn::File) {
            file.items.retain(|item| !matches!(item, syn::Item::Mod(module) if module.ident == "rules"));
            syn::visit_mut::visit_file_mut(self, file);
        }
    }
    let generated = generate(document, &Settings::default()).unwrap();
    let mut file = syn::parse_file(&generated.rust).unwrap();
    Signatures.visit_file_mut(&mut file);
    prettyplease::unparse(&file)
}

#[test]
fn what_is_neutral_leaves_the_rust_as_it_is() {
    let mut compared = 0;
    let mut differing = Vec::new();
    for name in ["schemas.yaml", "constraints.yaml", "unions.yaml"] {
        for pair in table::<SchemaPair>(name) {
            for (make, expected) in [(sent as fn(&_, &_) -> _, &pair.request), (received, &pair.response)] {
                let expected = if pair.either.is_empty() { expected } else { &pair.either };
                let neutral = |line: &String| {
                    line.starts_with("neutral ") && !line.starts_with("neutral type-renamed ")
                };
                if expected.iter().all(neutral) && pair.written_otherwise.is_none() {
                    let (old, new) = (make(&pair.old, &pair.components), make(&pair.new, &pair.components));
                    compared += 1;
                    if rust(&old) != rust(&new) {
                        differing.push(format!("{name}: {}", pair.name));
                    }
                }
            }
        }
    }
    assert_eq!(differing, Vec::<String>::new());
    assert!(compared >= 40, "{compared} pairs");
}

/// A loss is shown as Rust, and one that the documents explain is not listed again.
#[test]
fn a_signature_is_shown_before_and_after() {
    let make = |order: [&str; 2], kind: &str| {
        let [first, second] = order;
        let parameter =
            |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
        let content = json!({"application/json": {"schema": {"type": "object", "title": "Result", "required": ["a"], "properties": {"a": {"type": kind}}}}});
        let operation = json!({
            "operationId": "get",
            "parameters": [parameter("a"), parameter("b")],
            "responses": {"200": {"description": "Done", "content": content}},
        });
        let mut document = document(&Value::Null, &BTreeMap::new());
        document["paths"] = json!({format!("/{{{first}}}/{{{second}}}"): {"get": operation}});
        document
    };
    let lines = |old: &Value, new: &Value| -> Vec<String> {
        changes(old, new).unwrap().iter().map(|change| change.message.clone()).collect()
    };
    assert_eq!(
        lines(&make(["a", "b"], "string"), &make(["b", "a"], "string")),
        [
            "`operations::Get::new(a: impl Into<String>, b: impl Into<String>) -> Self` became `(b: impl Into<String>, a: impl Into<String>) -> Self`"
        ]
    );
    assert_eq!(lines(&make(["a", "b"], "string"), &make(["a", "b"], "integer")), ["string became integer"]);
}

/// A macro implements the conversions of an open enum; one that tells alternatives apart is closed.
#[test]
fn conversions_that_a_macro_implements_are_compared() {
    let make = |beside: bool| {
        let one = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut thing = json!({"properties": {"word": one("Word"), "color": one("Color")}});
        if beside {
            thing["properties"]["any"] = json!({"anyOf": [one("Word"), one("Color")]});
        }
        let components = BTreeMap::from([
            ("Thing".to_owned(), thing),
            ("Word".to_owned(), json!({"type": "string", "enum": ["a", "b"]})),
            ("Color".to_owned(), json!({"type": "string", "enum": ["red"]})),
        ]);
        received(&one("Thing"), &components)
    };
    let lines = |old: &Value, new: &Value| -> Vec<String> {
        let changes = changes(old, new).unwrap();
        changes
            .iter()
            .filter(|change| change.kind == Kind::SignatureChanged)
            .map(ToString::to_string)
            .collect()
    };
    let (open, closed) = (make(false), make(true));
    let lost = |name: &str| {
        format!(
            "breaking signature-changed: /components/schemas/{name}: `types::{name}: ::std::convert::From<&str>` \
             is gone; `types::{name}: ::std::convert::From<String>` is gone; and 2 more"
        )
    };
    assert_eq!(lines(&closed, &open), Vec::<String>::new());
    assert_eq!(lines(&open, &closed), [lost("Color"), lost("Word")]);
}

/// Members next to a path item's reference are interpreted as they are when generating.
#[test]
fn f12_operations_beside_a_reference_are_compared() {
    let document = |beside: Value, referred: Value| {
        let mut item = json!({"$ref": "#/components/pathItems/P"});
        item.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Path items", "version": "1"},
            "paths": {"/p": item},
            "components": {"pathItems": {"P": referred}},
        })
    };
    let operation = |id: &str, kind: &str| {
        // Equal types would be one.
        json!({"operationId": id, "responses": {"200": {"description": ""}}, "requestBody": {"content": {"application/json": {
            "schema": {"type": "object", "required": ["a", id], "properties": {"a": {"type": kind}, id: {"type": "string"}}}}}}})
    };
    let shared = json!({"put": operation("shared", "string")});
    let old = document(json!({"post": operation("own", "string")}), shared.clone());
    let with = |beside: Value, referred: Value| listed(&old, &document(beside, referred), "").0;
    let post = "/paths/~1p/post/requestBody/content/application~1json/schema/properties/a/type";
    let put = post.replace("/paths/~1p/post", "/components/pathItems/P/put");
    let changed = with(json!({"post": operation("own", "integer")}), shared.clone());
    assert_eq!(changed, [format!("breaking type-changed ~{post}")]);
    let changed =
        with(json!({"post": operation("own", "string")}), json!({"put": operation("shared", "integer")}));
    assert_eq!(changed, [format!("breaking type-changed ~{put}")]);
    assert_eq!(with(json!({}), shared.clone()), ["breaking operation-removed old ~/paths/~1p/post"]);
    // The one next to the reference takes precedence.
    let both = json!({"post": operation("own", "string"), "put": operation("shared", "string")});
    assert_eq!(with(both, json!({"put": operation("other", "integer")})), Vec::<String>::new());
    let parameter = json!([{"name": "q", "in": "query", "required": true, "schema": {"type": "string"}}]);
    let changed = with(json!({"post": operation("own", "string"), "parameters": parameter}), shared);
    assert_eq!(changed, ["breaking parameter-added ~/paths/~1p/parameters/0"]);
}
