use serde_json::{Value, json};

use super::{generatable, readable};
use crate::Pointer;

/// A valid document with one operation.
fn document() -> Value {
    json!({
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "post": {
                "operationId": "make-a",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                "responses": {"200": {"description": ""}},
            },
        }},
        "components": {"schemas": {"A": {"type": "object", "properties": {"b": {"type": "string"}}}}},
    })
}

/// Returns the lines about a document in which `place` has been set to `value`.
fn lines(place: &str, value: Value) -> Vec<String> {
    let mut document = document();
    let (parent, key) = place.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("a place of the document") {
        Value::Object(members) => {
            members.insert(key.replace("~1", "/"), value);
        }
        Value::Array(items) => items.push(value),
        other => panic!("{other} has no members"),
    }
    match generatable(&document) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.to_string().lines().map(str::to_owned).collect(),
    }
}

const OPERATION: &str = "/paths/~1a~1{id}/post";

#[test]
fn the_model_is_well() {
    assert_eq!(generatable(&document()), Ok(()));
}

#[test]
fn each_problem_is_one_line_with_its_place() {
    let at = |suffix: &str| format!("{OPERATION}{suffix}");
    let schema = |suffix: &str| format!("/components/schemas/A{suffix}");
    let parameter = |value: Value| (at("/parameters"), json!([value]));
    let cases: Vec<((String, Value), &str)> = vec![
        (("/openapi".into(), json!("2.0")), "/openapi: `2.0` is not a version"),
        (("/info".into(), json!({"version": "1"})), "/info/title: missing"),
        (("/paths".into(), json!([])), "/paths: a list where an object belongs"),
        (("/paths/b".into(), json!({})), "/paths/b: a path begins with a slash"),
        ((at("/responses"), json!({"2xx": {}})), "/responses/2xx: no status"),
        ((at("/operationId"), json!(1)), "/operationId: a number where text belongs"),
        ((at("/operationId"), json!("")), "has no Rust name"),
        ((schema(""), json!([])), "/components/schemas/A: a list where"),
        ((schema("/type"), json!("date")), "`\"date\"` is no type of JSON Schema"),
        ((schema("/type"), json!([])), "`[]` is no type"),
        ((schema("/required"), json!("b")), "/required: text where a list of names belongs"),
        ((schema("/minLength"), json!(-1)), "/minLength: a number where a whole number"),
        ((schema("/properties"), json!({"$<x>": {}})), "`$<x>` is a placeholder"),
        ((schema("/properties"), json!({"{x}": {}})), "`{x}` is a placeholder"),
        ((schema("/properties"), json!({"$set": {}, "set": {}})), "would both be the Rust field `set`"),
        ((schema("/properties/b"), json!({"pattern": "("})), "/pattern: `(` is no regular expression"),
        ((schema("/properties/b"), json!({"$ref": "b.yaml#/B"})), "does not point into this document"),
        ((schema("/properties/b"), json!({"$ref": "#anchor"})), "does not point into this document"),
        ((schema("/properties/b"), json!({"$ref": "#/components/schemas/B"})), "leads to nothing"),
        ((schema("/properties/b"), json!({"$ref": "#/info"})), "holds no object of OpenAPI"),
        (
            (schema("/properties/b"), json!({"$ref": "#/paths/~1a~1%7Bid%7D/post"})),
            "another kind of object than the Schema",
        ),
        ((schema("/allOf"), json!([{"$ref": "#/components/schemas/A"}])), "includes itself"),
        (
            ("/components/schemas/Loop".into(), json!({"$ref": "#/components/schemas/Loop"})),
            "includes itself",
        ),
        (
            ("/paths/~1a~1{id}/get".into(), json!({"operationId": "make_a", "responses": {}})),
            "operation ids `make_a` and `make-a`",
        ),
        (
            ("/paths/~1b".into(), json!({"options": {"operationId": "o", "responses": {}}})),
            "no method for `OPTIONS`",
        ),
        (
            (
                "/paths/~1a~1{b}".into(),
                json!({"post": {"operationId": "b", "responses": {}, "parameters": [
                    {"name": "b", "in": "path", "required": true, "schema": {"type": "string"}}
                ]}}),
            ),
            "/paths/~1a~1{b}/post: `/a/{id}` is the same path",
        ),
        (("/paths/~1b~1{c".into(), json!({})), "braces of the path do not pair"),
        (("/paths/~1b~1~1c".into(), json!({})), "two slashes in a row"),
        (("/paths/~1b?x=1".into(), json!({})), "a query in the path"),
        (
            ("/paths/~1b~1{c}".into(), json!({"get": {"operationId": "c", "responses": {}}})),
            "`{c}` of the path is declared by no parameter",
        ),
        (parameter(json!({"name": "s", "in": "cookie"})), "sends no cookies"),
        (parameter(json!({"name": "s", "in": "body"})), "in no place"),
        (parameter(json!({"name": "s", "in": "path"})), "path parameter `s` is not in the path"),
        (parameter(json!({"name": "s", "in": "query", "content": {}})), "no parameters with a media type"),
        (parameter(json!({"name": "s", "in": "query", "style": "deepObject"})), "the style `form` only"),
        (
            parameter(json!({"name": "s", "in": "query", "explode": false, "schema": {"type": "array"}})),
            "whatever `explode` says",
        ),
        (
            parameter(json!({"name": "s", "in": "header", "schema": {"type": ["object", "null"]}})),
            "only text, numbers and booleans",
        ),
        (parameter(json!({"name": "a b", "in": "header"})), "no HTTP header"),
        (parameter(json!({"name": "Id", "in": "query"})), "would have one name in Rust"),
        (parameter(json!({"name": "body", "in": "query"})), "the name of the field that holds the body"),
        ((at("/requestBody"), json!({"content": {"multipart/form-data": {}}})), "cannot send multipart"),
        (
            (at("/servers"), json!([{"url": "/v2"}])),
            "/servers/0/url: an operation's own server is an absolute",
        ),
        (
            ("/paths/~1a~1{id}/servers".into(), json!([{"url": "b"}])),
            "{id}/servers/0/url: an operation's own",
        ),
        ((at("/servers"), json!([{"url": "https://{x}.example"}])), "the variable `x` of the server has no"),
        ((at("/security"), json!([{"none": []}])), "/security/0/none: there is no security scheme `none`"),
    ];
    for ((place, value), part) in cases {
        let lines = lines(&place, value.clone());
        assert_eq!(lines.len(), 1, "{value} at {place}: {lines:#?}");
        assert!(lines[0].contains(part), "{value} at {place}: {}", lines[0]);
    }
}

#[test]
fn a_credential_that_no_request_can_carry() {
    let of = |security: Value| {
        let mut document = document();
        document["components"]["securitySchemes"] = json!({
            "own": {"type": "http", "scheme": "ServiceToken"}, "bad": {"type": "http", "scheme": "a b"},
            "spaced": {"type": "apiKey", "in": "header", "name": "ServiceToken <token>"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "a"}, "cert": {"type": "mutualTLS"},
        });
        document["security"] = security;
        match generatable(&document) {
            Ok(()) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }
    };
    assert_eq!(of(json!([{"own": []}])).len(), 0);
    assert_eq!(of(json!([{"cert": [], "own": []}])).len(), 0);
    assert_eq!(of(json!([{"spaced": []}, {"own": []}])).len(), 0, "one of them is enough");
    assert_eq!(of(json!([{"spaced": []}, {}])).len(), 0);
    for (stated, part) in [
        (
            json!([{"spaced": []}]),
            "/security/0/spaced: `ServiceToken <token>`, which `spaced` asks for, is no name",
        ),
        (json!([{"bad": []}]), "the scheme `a b` of `bad` is no scheme of HTTP"),
        (json!([{"cookie": []}]), "`cookie` is a key in `cookie`, which the client does not send"),
        (json!([{"own": [], "spaced": []}]), "asks for two credentials at once"),
    ] {
        let lines = of(stated);
        assert!(lines.len() == 1 && lines[0].contains(part), "{lines:#?}");
    }
    assert_eq!(of(json!([{"spaced": []}, {"bad": []}])).len(), 2);
}

#[test]
fn tables_with_resources_below_others_and_features() {
    let of = |table: Value| {
        let mut document = document();
        document["x-resources"] = table;
        match generatable(&document) {
            Ok(()) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }
    };
    let entry = json!({"post": "/a/{id}", "idempotent": true});
    assert_eq!(of(json!({"space(id)": {"feature": "extra", "keys": {"post": entry}}})).len(), 0);
    for (table, part) in [
        (
            json!({"space(id)": {"keys": {"add": "put /a/{id}"}}}),
            "/space(id)/keys/add: the document has no operation",
        ),
        (
            json!({"space(id)": {"feature": "a", "keys": {"feature": "b", "add": entry}}}),
            "/space(id)/keys/feature: the resource above is behind a feature already",
        ),
        (
            json!({"space(id)": {"keys(id)": {"add": entry}, "keys": {"put": "put /a/{id}"}}}),
            "`space` has two resources of this name",
        ),
        (json!({"a(id)": {"add": entry}, "a": {"put": "put /a/{id}"}}), "two resources of the name `a`"),
        (
            json!({"a": {"add": {"post": "/a/{id}", "verdict": {"holds": "/ok"}}}}),
            "/a/add/verdict: states no place",
        ),
        (json!({"a": {"add": {"idempotent": true}}}), "/a/add: names no operation"),
    ] {
        let lines = of(table);
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
    }
}

#[test]
fn all_problems_come_in_one_run() {
    let found = lines(
        &format!("{OPERATION}/parameters"),
        json!([
            {"name": "s", "in": "cookie"}, {"name": "t", "in": "cookie"},
            {"name": "u", "in": "query", "style": "pipeDelimited"},
        ]),
    );
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn extra_collides_only_where_unknown_keys_are_kept() {
    let with = |additional: Value| {
        lines(
            "/components/schemas/A",
            json!({"properties": {"extra": {}}, "additionalProperties": additional}),
        )
    };
    assert_eq!(with(json!({"type": "string"})).len(), 1);
    assert_eq!(with(json!(true)).len(), 1);
    assert_eq!(with(json!(false)).len(), 0);
}

#[test]
fn what_only_the_generator_cannot_do_may_still_be_lowered() {
    let mut document = document();
    document["paths"]["/a/{id}"]["post"]["parameters"] = json!([{"name": "s", "in": "cookie"}]);
    assert!(generatable(&document).is_err());
    assert_eq!(readable(&document), Ok(()));
}

#[test]
fn places_without_a_description_are_listed() {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/a/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string", "description": "Words"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object", "title": "Body"}}}},
            },
            "put": {"summary": "Puts it"},
        }},
        "components": {"schemas": {
            "Bare": {"type": "object"},
            "Told": {"description": "Told", "properties": {
                "bare": {"type": "string"},
                "blank": {"type": "string", "description": " "},
                "told": {"type": "string", "description": "Told"},
                "same": {"$ref": "#/components/schemas/Told"},
                "same_or_null": {"oneOf": [{"$ref": "#/components/schemas/Told"}, {"type": "null"}]},
                "one_of_two": {"oneOf": [{"$ref": "#/components/schemas/Told"}, {"type": "string"}]},
                "properties": {"description": "Told", "additionalProperties": {"type": "string"}},
            }},
        }},
    });
    let places = super::undescribed(&document);
    assert_eq!(
        places.iter().map(Pointer::as_str).collect::<Vec<_>>(),
        [
            "/paths/~1a~1{id}/get",
            "/paths/~1a~1{id}/get/parameters/0",
            "/paths/~1a~1{id}/get/requestBody/content/application~1json/schema",
            "/components/schemas/Bare",
            "/components/schemas/Told/properties/bare",
            "/components/schemas/Told/properties/blank",
            "/components/schemas/Told/properties/one_of_two",
        ]
    );
}
