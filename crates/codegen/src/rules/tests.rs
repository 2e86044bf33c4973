use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Value, json};

use super::*;

/// A document with a single operation, whose body is the component `Body`.
fn document(schemas: &Value) -> Value {
    let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}});
    json!({
        "openapi": "3.1.0",
        "paths": {"/v1/{id}/": {"post": {"operationId": "go", "requestBody": body}}},
        "components": {"schemas": schemas},
    })
}

fn written(document: &Value) -> (Rust, Report) {
    let mut report = Report::default();
    let model = read(document, &mut report);
    (rust(&model, &quote!(crate::rules), &quote!(super::rules)), report)
}

/// Compares the statics as they are printed, ignoring whitespace.
#[track_caller]
fn assert_statics(document: &Value, expected: &str) {
    let plain = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.replace("( ", "(").replace(" )", ")")
    };
    let (rust, _) = written(document);
    let file = syn::parse2(rust.module).unwrap();
    let text = plain(&prettyplease::unparse(&file));
    let statics = text.find("schema!(").map_or("", |start| &text[start..]);
    assert_eq!(statics.trim_end_matches([' ', '}']), plain(expected));
}

#[test]
fn a_schema_is_one_short_line() {
    assert_statics(
        &document(&json!({"Body": {"type": "object", "required": ["a"], "properties": {
            "a": {"type": ["string", "null"], "minLength": 1, "description": "prose"},
        }}})),
        r#"schema!( BODY : Type(Type::Object), Required(&["a"]), Properties(&[("a",
            &Schema::new(&[Types(&[Type::Null, Type::String]), MinLength(1)]))]) );"#,
    );
}

#[test]
fn equal_schemas_are_one_whatever_they_are_called() {
    let text = json!({"type": "string", "title": "A title"});
    assert_statics(
        &document(&json!({
            "Body": {"properties": {"a": text, "b": {"description": "prose", "type": "string"}, "c": {"$ref": "#/components/schemas/Other"}}},
            "Other": {"allOf": [{"items": {"type": "string"}}]},
        })),
        r#"schema!( BODY : Properties(&[("a", &STRING), ("b", &STRING), ("c", &OTHER)]) );
           schema!(OTHER : Items(&STRING)); schema!(STRING : Type(Type::String));"#,
    );
}

#[test]
fn a_circle_is_cut_where_it_closes() {
    let node = |name: &str| json!({"properties": {"next": {"$ref": format!("#/components/schemas/{name}")}}});
    // Two components with equal content are merged.
    assert_statics(
        &document(&json!({"Body": node("Again"), "Again": node("Body")})),
        r#"schema!( BODY : Properties(&[("next", &Schema::new(&[Ref(Reference(&BODY))]))]) );"#,
    );
    assert_statics(
        &document(&json!({"Body": node("Other"), "Other": {"items": {"$ref": "#/components/schemas/Body"}}})),
        r#"schema!(BODY : Properties(&[("next", &OTHER)]));
           schema!(OTHER : Items(&Schema::new(&[Ref(Reference(&BODY))])));"#,
    );
}

/// The fragment of a reference is percent-encoded, and may lead to any place.
#[test]
fn references_into_paths_are_followed() {
    let place = "#/paths/~1v1~1%7Bid%7D~1/post/requestBody/content/application~1json/schema/properties/a";
    let mut document = document(&json!({"Body": {}}));
    document["paths"]["/v1/{id}/"]["post"]["requestBody"]["content"]["application/json"]["schema"] =
        json!({"title": "Edit", "properties": {"a": {"x-sensitive": true}, "b": {"$ref": place}}});
    assert_statics(
        &document,
        r#"schema!( EDIT : Properties(&[("a", &SENSITIVE_ANY), ("b", &SENSITIVE_ANY)]) );
           schema!(SENSITIVE_ANY : Sensitive);"#,
    );
}

#[test]
fn numbers_are_exact() {
    assert_statics(
        &document(&json!({"Body": {
            "minimum": -9_007_199_254_740_993_i64,
            "maximum": 18_446_744_073_709_551_615_u64,
            "enum": [1e300, -0.5],
        }})),
        "schema!( BODY : Enum(&[Json::Number(Number::Float(1e300)), Json::Number(Number::Float(-0.5))]),
            Minimum(Number::Integer(-9007199254740993)), Maximum(Number::Large(18446744073709551615)) );",
    );
}

#[test]
fn documents_of_3_0_keep_their_meaning() {
    let mut document = document(&json!({"Body": {
        "type": "object",
        "required": ["id", "name"],
        "properties": {
            "id": {"type": "integer", "readOnly": true, "minimum": 0, "exclusiveMinimum": true},
            "name": {"type": "string", "nullable": true, "enum": ["a"]},
            "part": {"nullable": true, "allOf": [{"type": "array"}]},
        },
    }}));
    document["openapi"] = "3.0.3".into();
    assert_statics(
        &document,
        r#"schema!( BODY : Type(Type::Object), Required(&["name"]), Properties(&[("id",
            &Schema::new(&[Type(Type::Integer), ExclusiveMinimum(Number::Integer(0))])), ("name",
            &Schema::new(&[Types(&[Type::Null, Type::String]), Enum(&[Json::String("a"), Json::Null])])), ("part",
            &Schema::new(&[AnyOf(&[&Schema::new(&[Type(Type::Array)]), &Schema::new(&[Type(Type::Null)])])]))]) );"#,
    );
    assert_eq!(written(&document).1.to_string(), "");
}

/// Only schemas that are reachable from requests are written, by operation.
#[test]
fn operations_have_bodies_and_parameters() {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/{id}": {
            "parameters": [
                {"$ref": "#/components/parameters/Id"},
                {"name": "limit", "in": "query", "schema": {"type": "integer"}},
            ],
            "get": {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}]},
            "put": {"requestBody": {"$ref": "#/components/requestBodies/Form"}},
            "post": {"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        }},
        "components": {
            "parameters": {"Id": {"name": "id", "in": "path", "schema": {"type": "string", "minLength": 1}}},
            "requestBodies": {"Form": {"content": {"application/x-www-form-urlencoded": {"schema": {"title": "Form", "type": "object"}}}}},
            "schemas": {"Unused": {"type": "string"}},
        },
    });
    let (rust, _) = written(&document);
    let text = |tokens: TokenStream| tokens.to_string().replace(' ', "");
    let parameter =
        |method, name, place| rust.parameter("/{id}", method, name, place).map(text).unwrap_or_default();
    let body = |method: &str| rust.body("/{id}", method).map(|rules| text(rules.clone()));
    assert_eq!(body("get"), None);
    assert_eq!(body("put").as_deref(), Some("&super::rules::OBJECT"));
    assert_eq!(body("post"), None);
    assert_eq!(parameter("get", "id", "path"), "&super::rules::ID");
    assert_eq!(parameter("get", "limit", "query"), "&super::rules::GET_ID_LIMIT");
    assert_eq!(parameter("put", "limit", "query"), "&super::rules::INTEGER");
    assert_eq!(parameter("put", "limit", "path"), "");
    assert!(!rust.module.to_string().contains("UNUSED"));
}

#[test]
fn what_no_rule_carries_is_reported() {
    let document = document(&json!({"Body": {
        "unevaluatedProperties": false,
        "allOf": [{"format": "duration"}, {"format": "int32"}, {"$dynamicRef": "#a"}, {"pattern": "("}],
        "properties": {"a": {"maxLength": 1e300}, "b": {"type": "integer", "format": "unix-time"}},
    }}));
    let place = "/components/schemas/Body";
    assert_eq!(
        written(&document).1.to_string(),
        format!(
            "{place}/unevaluatedProperties: widened: no rule carries `unevaluatedProperties`\n\
             {place}/properties/a/maxLength: widened: no 64 bits hold it\n\
             {place}/allOf/0/format: widened: the format `duration` is not checked\n\
             {place}/allOf/2/$dynamicRef: widened: no rule carries `$dynamicRef`\n\
             {place}/allOf/3/pattern: widened: `(` is not a regular expression\n",
        )
    );
}

/// The engine is named only if there is a pattern.
#[test]
fn patterns_bring_their_engine() {
    let (rust, _) = written(&document(&json!({"Body": {"pattern": "^\\p{L}"}})));
    assert!(rust.module.to_string().contains("regress"));
    assert_statics(
        &document(&json!({"Body": {"patternProperties": {"[\\w-.]": {"type": "null"}}}})),
        r#"schema!( BODY : PatternProperties(&[(pattern!("[\\w-.]", ""), &Schema::new(&[Type(Type::Null)]))]) );"#,
    );
    let (rust, _) = written(&document(&json!({"Body": {"type": "string"}})));
    assert!(!rust.module.to_string().contains("regress"));
}

/// Deeply nested schemas are split, so that the code does not nest without limit.
#[test]
fn deep_schemas_are_split() {
    let deep = (0..40).fold(json!({"const": 1}), |inner, _| json!({"items": inner}));
    let (rust, _) = written(&document(&json!({"Body": deep})));
    let file = syn::parse2(rust.module).unwrap();
    assert!(prettyplease::unparse(&file).matches("schema!(").count() > 5);
}

/// Any parsed document is read without a panic; one that passes lint is written as Rust that parses, and always in the same way.
#[test]
fn every_document_of_the_corpus_has_rules() {
    for entry in std::fs::read_dir("corpus").unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(document) = crate::Source::new("document", text).parse() else { continue };
        if crate::readable(&document).is_err() {
            continue;
        }
        let text = || prettyplease::unparse(&syn::parse2(written(&document).0.module).unwrap());
        assert_eq!(text(), text(), "{}", path.display());
    }
}
