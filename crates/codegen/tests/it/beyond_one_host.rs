//! Operations with a server, a credential and a Cargo feature of their own, and resources below a handle.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suprsend_codegen::{Settings, Table, generate, resources};

fn document() -> Value {
    let thing = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let draft = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}}});
    let parameter =
        |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let commit = json!({"name": "commit", "in": "query", "schema": {"type": "boolean"}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://hub.example"}],
        "security": [{"Key": []}],
        "x-resources": {
            "things": {"get": "get /thing/{id}/"},
            "space(space)": {
                "feature": "extra",
                "drafts": {
                    "get": "get /{space}/draft/{id}/",
                    "upsert": {
                        "post": "/{space}/draft/{id}/", "idempotent": true,
                        "verdict": {"asked_by": "commit", "holds": "/result/is_valid", "reasons": "/result/errors"},
                    },
                },
            },
        },
        "paths": {
            "/thing/{id}/": {
                "parameters": [parameter("id")],
                "get": {"operationId": "get-thing", "responses": {"200": thing}},
            },
            "/{space}/draft/{id}/": {
                "servers": [{"url": "https://other.example/"}],
                "parameters": [parameter("space"), parameter("id")],
                "get": {"operationId": "get-draft", "security": [{"Own": []}], "responses": {"200": draft}},
                "post": {
                    "operationId": "upsert-draft", "security": [{"Own": []}], "parameters": [commit],
                    "servers": [{"url": "https://third.example"}],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DraftIn"}}}},
                    "responses": {"200": draft},
                },
            },
        },
        "components": {
            "securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}, "Own": {"type": "http", "scheme": "ServiceToken"}},
            "schemas": {
                "Shared": {"type": "object", "properties": {"at": {"type": "string"}}},
                "Thing": {"type": "object", "properties": {"shared": {"$ref": "#/components/schemas/Shared"}}},
                "Draft": {"type": "object", "properties": {"shared": {"$ref": "#/components/schemas/Shared"}, "result": {"$ref": "#/components/schemas/Judged"}}},
                "Judged": {"type": "object", "properties": {"is_valid": {"type": "boolean"}, "errors": {"type": "array", "items": {}}}},
                "DraftIn": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 3}}},
            },
        },
    })
}

/// The items of a module that are behind the feature, by the line that follows the attribute.
fn gated(rust: &str) -> Vec<&str> {
    let mut lines = rust.lines().map(str::trim);
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line == r#"#[cfg(feature = "extra")]"# {
            let is_item = |line: &&str| !line.starts_with("#[") && !line.starts_with("///");
            found.extend(lines.find(is_item).map(|line| line.trim_end_matches(['{', ' '])));
        }
    }
    found
}

#[test]
fn what_only_the_feature_needs_is_behind_it() {
    let rust = generate(&document(), &Settings::default()).unwrap().rust;
    let gated = gated(&rust);
    for item in [
        "pub struct Draft",
        "pub struct DraftIn",
        "pub struct Judged",
        "pub struct GetDraft",
        "impl GetDraft",
        "impl Operation for UpsertDraft",
        "GetDraft::SPEC,",
        r#""get-draft" => Some(visitor.visit::<GetDraft>()),"#,
    ] {
        assert!(gated.contains(&item), "{item}: {gated:#?}");
    }
    for item in ["pub struct Shared", "pub struct Thing", "pub struct GetThing", "GetThing::SPEC,"] {
        assert!(rust.contains(item) && !gated.contains(&item), "{item}: {gated:#?}");
    }
    assert_eq!(gated.iter().filter(|item| item.starts_with("schema!(")).count(), 2, "{gated:#?}");
}

#[test]
fn a_specification_names_server_credential_and_verdict() {
    let rust = generate(&document(), &Settings::default()).unwrap().rust.replace(['\n', ' '], "");
    for part in [
        r#"Spec::new("get-thing",Method::GET,"/thing/{id}/").bearer().idempotent()"#,
        r#"Spec::new("get-draft",Method::GET,"/{space}/draft/{id}/",).credential(Credential::Scheme("ServiceToken")).server("https://other.example")"#,
        r#".server("https://third.example")"#,
        r#".verdict(Verdict::new(&["result","is_valid"],&["result","errors"]).asked_by("commit")"#,
    ] {
        assert!(rust.contains(part), "{part}");
    }
}

#[test]
fn resources_below_a_handle() {
    let rust = generate(&document(), &Settings::default()).unwrap().rust;
    let layer = resources(&document(), &rust, &BTreeMap::new()).unwrap();
    let plain = |text: &str| text.replace(['\n', ' '], "").replace(",)", ")").replace(",}", "}");
    for part in [
        "pub fn space(&self, space: impl fmt::Display) -> Space {",
        "pub fn space(&self, space: impl fmt::Display) -> Space<Self> {",
        "Space { client: self.clone(), space: values::text(space) }",
        "#[cfg(feature = \"extra\")]\n    pub fn space(",
        "#[cfg(feature = \"extra\")]\n#[derive(Clone)]\npub struct SpaceDrafts<C = Client> {",
        "pub fn drafts(&self) -> SpaceDrafts<C> {",
        "#[cfg(feature = \"extra\")]\n/// The optional parts of [`SpaceDrafts::upsert`].\nimpl<C> Call<operations::UpsertDraft, C> {",
        "operations::UpsertDraft::new(self.space.as_str(), values::text(id), body)",
        "/// Returns the operations on the drafts of a space.",
    ] {
        assert!(plain(&layer).contains(&plain(part)), "{part}\n{layer}");
    }
    assert!(!layer.contains("#[cfg(feature = \"extra\")]\n    pub fn things("));
    let table = Table::from_document(&document()).unwrap();
    assert_eq!(table.feature("get", "/{space}/draft/{id}/"), Some("extra"));
    assert_eq!(table.feature("get", "/thing/{id}/"), None);
}
