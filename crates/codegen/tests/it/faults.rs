//! Faults that users of this or of other tools reported, each as a kind: what is right for it, and for variations of it.
//!
//! What belongs to one module is tested there (`f09` and `f10` in the reading of texts, `f21` in overlays, and so on).

#![allow(clippy::needless_pass_by_value, reason = "values are written where they are used")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use suprsend_codegen::{
    Generated, PathItem, Pointer, Settings, generate, generate_or_fail, generate_partial, lower, path_items,
};

fn settings() -> Settings {
    Settings::default()
}

/// A document with an operation at every path, and these components.
fn document(operations: &[(&str, Value)], components: &Value) -> Value {
    let paths: Map<String, Value> = operations
        .iter()
        .map(|(path, operation)| ((*path).to_owned(), json!({ "get": operation })))
        .collect();
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, "components": components})
}

fn operation(id: &str, more: Value) -> Value {
    let mut operation = json!({"operationId": id, "responses": {"204": {"description": ""}}});
    operation.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    operation
}

fn responding(id: &str, schema: Value) -> Value {
    operation(
        id,
        json!({"responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}}),
    )
}

fn refused(document: &Value) -> Vec<String> {
    let problems = generate(document, &settings()).err();
    let lines: Vec<String> = problems.iter().flat_map(|all| all.iter().map(ToString::to_string)).collect();
    assert!(lines.iter().all(|line| !line.contains("panicked")), "{lines:#?}");
    lines
}

fn generated(document: &Value) -> Generated {
    generate(document, &settings()).unwrap_or_else(|problems| panic!("{problems}\n{document:#}"))
}

#[test]
fn f07_an_object_in_a_query_is_refused_by_name() {
    let page = json!({"type": "object", "required": ["by"], "properties": {"by": {"type": "string"}, "n": {"type": "integer"}}});
    let reference = json!({"$ref": "#/components/schemas/Page"});
    let query = |schema: &Value, more: Value| {
        let mut parameter = json!({"name": "page", "in": "query", "schema": schema});
        parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let operation = operation("getQ", json!({"parameters": [parameter]}));
        document(&[("/q", operation)], &json!({"schemas": {"Page": page}}))
    };
    for (schema, more) in [
        (&page, json!({"required": true})),
        (&page, json!({})),
        (&page, json!({"style": "form", "explode": true})),
        (&page, json!({"style": "form", "explode": false})),
        (&page, json!({"style": "deepObject", "explode": true})),
        (&reference, json!({})),
        (&json!({"allOf": [reference]}), json!({})),
        (&json!({"oneOf": [reference, {"type": "null"}]}), json!({})),
        (&json!({"type": ["object", "null"], "properties": {"a": {}}}), json!({})),
        (&json!({"properties": {"a": {}}}), json!({})),
        (&json!({"type": "array", "items": page}), json!({})),
        (&json!({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}), json!({})),
        (&json!({"type": "object", "additionalProperties": page}), json!({})),
    ] {
        let lines = refused(&query(schema, more.clone()));
        assert_eq!(lines.len(), 1, "{schema} {more}: {lines:#?}");
        assert!(
            lines[0].starts_with("/paths/~1q/get/parameters: the query parameter `page`: "),
            "{lines:#?}"
        );
    }
    // What `form` sends as the document says is generated.
    for schema in [
        json!({"type": "array", "items": {"type": "string"}}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    ] {
        generated(&query(&schema, json!({})));
    }
}

#[test]
fn f08_values_without_names_of_rust_are_widened() {
    for values in [
        json!(["m", "m²", "m³"]),
        json!(["½", "¼"]),
        json!(["①", "②"]),
        json!(["²"]),
        json!(["a²", "a³", "b"]),
        json!(["ⓐ", "²"]),
    ] {
        let schema = json!({"type": "object", "properties": {"unit": {"type": "string", "enum": values}}});
        let generated = generated(&document(&[("/s", responding("getS", schema))], &json!({})));
        assert!(
            generated.report.to_string().contains("has no Rust name that no other value has"),
            "{values}"
        );
    }
    // Letters that Rust knows are names, and a digit is one behind a letter.
    for values in [json!(["m", "m²a"]), json!(["größe", "Ⅷ"]), json!(["a²b", "a³c"]), json!(["a²", "b"])]
    {
        let schema = json!({"type": "object", "properties": {"unit": {"type": "string", "enum": values}}});
        let generated = generated(&document(&[("/s", responding("getS", schema))], &json!({})));
        assert_eq!(generated.report.entries(), [], "{values}");
    }
    // The same goes for properties, components, operations and parameters.
    let components = json!({"schemas": {"Area²": {"type": "object", "properties": {"m²": {"type": "string"}, "x³y": {"type": "string"}}}}});
    let mut operation = responding("get²", json!({"$ref": "#/components/schemas/Area²"}));
    operation["parameters"] = json!([{"name": "p²", "in": "query", "schema": {"type": "string"}}]);
    let rust = generated(&document(&[("/s", operation)], &components)).rust;
    assert!(
        rust.contains("pub struct Area ") && rust.contains("pub struct Get ") && rust.contains("pub fn p("),
        "{rust}"
    );
    let clash = json!({"type": "object", "properties": {"m²": {"type": "string"}, "m³": {"type": "string"}}});
    let lines = refused(&document(&[("/s", responding("getS", clash))], &json!({})));
    assert!(lines[0].contains("`m³` and `m²` would both be the Rust field `m`"), "{lines:#?}");
}

#[test]
fn f12_what_stands_beside_a_path_items_reference_is_generated_and_checked() {
    let document = |beside: Value| {
        let mut item = json!({"$ref": "#/components/pathItems/P"});
        item.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/p": item},
            "components": {"pathItems": {"P": {"get": operation("getIt", json!({})), "put": operation("putIt", json!({}))}}},
        })
    };
    let cookie = json!({"parameters": [{"name": "c", "in": "cookie", "schema": {"type": "string"}}]});
    let both =
        document(json!({"post": operation("postIt", json!({})), "put": operation("ownPut", json!({}))}));
    let rust = generated(&both).rust;
    for (name, is_there) in [("GetIt", true), ("PostIt", true), ("OwnPut", true), ("PutIt", false)] {
        assert_eq!(rust.contains(&format!("pub struct {name} ")), is_there, "{name}");
    }
    let lowered = lower(&both).unwrap();
    assert_eq!(lowered.document["paths"]["/p"].as_object().unwrap().len(), 3);
    assert!(
        lowered.report.to_string().contains("/components/pathItems/P/put: combined: "),
        "{}",
        lowered.report
    );
    // Lint sees it, and leaving it out does not bring back what it hid.
    let lines = refused(&document(json!({"post": operation("postIt", cookie.clone())})));
    assert!(lines[0].starts_with("/paths/~1p/post/parameters: the cookie parameter `c`"), "{lines:#?}");
    let hiding = document(json!({"put": operation("ownPut", cookie.clone())}));
    let (generated, dropped) = generate_partial(&hiding, |document| generate(document, &settings())).unwrap();
    assert!(!generated.rust.contains("PutIt"), "{dropped}");
    // Parameters beside it count for the operations behind it.
    let lines = refused(&document(cookie));
    assert_eq!(lines.len(), 2, "{lines:#?}");
    // This is what everything else reads it by.
    let item = PathItem::read(&both, &Pointer::from_text("/paths/~1p"));
    assert_eq!(path_items(&both).count(), 1);
    assert_eq!(item.operations().count(), 3);
}

#[test]
fn f15_any_name_of_a_parameter_compiles_or_is_refused() {
    let with = |name: &str, role: &str| {
        let parameter = json!({"name": name, "in": role, "schema": {"type": "boolean"}});
        document(&[("/files", operation("getFile", json!({"parameters": [parameter]})))], &json!({}))
    };
    for name in [
        "encodePath",
        "encode_path",
        "ENCODE-PATH",
        "EncodePath",
        "encode path",
        "new",
        "New",
        "send",
        "stream",
        "body_map",
        "headerMap",
    ] {
        for role in ["query", "header"] {
            // An operation keeps its parameters in fields, where nothing has these names.
            if role == "header" && name.contains(' ') {
                let lines = refused(&with(name, role));
                assert!(
                    lines.iter().any(|line| line.contains("no HTTP header")),
                    "{name} {role}: {lines:#?}"
                );
            } else {
                generated(&with(name, role));
            }
        }
    }
    // Names that look like it and are none. That they compile, and many others, is seen with the corpus.
    for name in ["encodePaths", "path", "encode", "request", "self", "m²", "²"] {
        generated(&with(name, "query"));
    }
    let in_path = document(
        &[(
            "/{encodePath}",
            operation(
                "getFile",
                json!({"parameters": [{"name": "encodePath", "in": "path", "required": true, "schema": {"type": "string"}}]}),
            ),
        )],
        &json!({}),
    );
    generated(&in_path);
}

#[test]
fn f16_no_reference_below_an_id_leads_to_a_wrong_target() {
    let order = |more: Value| {
        let mut order = json!({"$id": "https://schemas.example.com/order", "type": "object"});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document(
            &[("/a", responding("getA", json!({"$ref": "#/components/schemas/Order"})))],
            &json!({"schemas": {"Line": {"type": "string"}, "Order": order}}),
        )
    };
    let line = json!({"$ref": "#/components/schemas/Line"});
    for more in [
        json!({"properties": {"line": line}, "components": {"schemas": {"Line": {"type": "integer"}}}}),
        json!({"properties": {"line": {"$ref": "#/$defs/Line"}}, "$defs": {"Line": {}}}),
        json!({"properties": {"line": {"$ref": "https://schemas.example.com/line"}}}),
        json!({"properties": {"line": {"$ref": "line"}}}),
        json!({"properties": {"deep": {"items": {"anyOf": [line, {"type": "null"}]}}}}),
        json!({"properties": {"deep": {"$id": "inner", "items": line}}}),
        json!({"$ref": "#/components/schemas/Line"}),
        json!({"$id": "order", "properties": {"line": line}}),
    ] {
        let lines = refused(&order(more.clone()));
        assert_eq!(lines.len(), 1, "{more}: {lines:#?}");
        assert!(
            lines[0].contains("starts from the `$id` at /components/schemas/Order"),
            "{more}: {lines:#?}"
        );
        assert_eq!(
            lower(&order(more)).map_err(|problems| problems.to_string()).err(),
            Some(lines[0].clone())
        );
    }
    // An `$id` that names nothing below it, one that is an anchor, a property of that name, and a document in which it means nothing.
    for more in [
        json!({"$id": "#order", "properties": {"line": line}}),
        json!({"properties": {"$id": {"type": "string"}}}),
    ] {
        generated(&order(more));
    }
    let mut of_3_0 = order(json!({"properties": {"line": line}}));
    of_3_0["openapi"] = "3.0.3".into();
    generated(&of_3_0);
}

#[test]
fn f30_an_integer_tag_beside_a_reference_is_generated() {
    let kind = json!({"type": "integer", "oneOf": [{"title": "ROW", "const": 1}, {"title": "BUTTON", "const": 2}], "format": "int32"});
    let reference = json!({"$ref": "#/components/schemas/Kind"});
    for tag in [
        json!({"type": "integer", "enum": [1], "allOf": [reference], "format": "int32"}),
        json!({"type": "integer", "enum": [1, 2], "allOf": [reference]}),
        json!({"type": "integer", "const": 1, "allOf": [reference]}),
        json!({"type": ["integer", "null"], "enum": [1, null], "allOf": [reference]}),
        json!({"type": "integer", "enum": [1], "oneOf": [reference]}),
        json!({"type": "integer", "enum": [1], "anyOf": [reference, {"type": "integer"}]}),
        json!({"type": "integer", "enum": [1], "$ref": "#/components/schemas/Kind"}),
        json!({"type": "number", "enum": [1.5], "allOf": [{"type": "number", "minimum": 1}]}),
        json!({"type": "string", "enum": ["a"], "allOf": [{"type": "string", "enum": ["a", "b"]}]}),
        json!({"enum": [1], "allOf": [reference]}),
    ] {
        let row = json!({"type": "object", "required": ["type"], "properties": {"type": tag}});
        let document = document(
            &[("/a", responding("getA", json!({"$ref": "#/components/schemas/Row"})))],
            &json!({"schemas": {"Kind": kind, "Row": row}}),
        );
        assert!(generated(&document).rust.contains("pub struct Row"), "{tag}");
    }
}

#[test]
fn p6_marks_of_direction_do_not_reach_the_rust() {
    let mark = "\u{202e}";
    let schema = json!({"type": "object", "title": format!("T{mark}"), "description": mark, "properties": {
        (format!("p{mark}")): {"type": "string", "enum": [format!("a{mark}"), "b"], "description": format!("`{mark}`\n\n    {mark}")},
        "text": {"type": "string", "pattern": mark},
    }});
    let mut document =
        document(&[(&format!("/a{mark}\u{2066}"), responding(&format!("get{mark}It"), schema))], &json!({}));
    document["info"]["title"] = mark.into();
    let generated = generated(&document);
    for text in [generated.rust, generated.report.to_string()] {
        let found: Vec<_> =
            text.lines().filter(|line| line.contains([mark.chars().next().unwrap(), '\u{2066}'])).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// A generator that fails on something that lint does not know: here on a property, as no document is known on which it does.
#[test]
fn f30_what_the_generator_fails_on_is_named_and_the_rest_is_generated() {
    let schema = |index: usize| {
        let name = if [3, 11].contains(&index) { "bad" } else { "good" };
        json!({"type": "object", "properties": {name: {"type": "string", "enum": [format!("value-{index}")]}}})
    };
    let get = |index: usize| {
        let schema = json!({"$ref": format!("#/components/schemas/Thing{index}")});
        let response =
            json!({"description": "The thing", "content": {"application/json": {"schema": schema}}});
        json!({"get": {"operationId": format!("get-thing-{index}"), "responses": {"200": response}}})
    };
    let document = json!({
        "openapi": "3.1.1",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://things.example.com"}],
        "paths": (0..16).map(|index| (format!("/things-{index}"), get(index))).collect::<Map<_, _>>(),
        "components": {"schemas": (0..16).map(|index| (format!("Thing{index}"), schema(index))).collect::<Map<_, _>>()},
    });
    let fault = |part: &Value| {
        let mut schemas = part["components"]["schemas"].as_object()?.values();
        schemas.any(|schema| schema["properties"].get("bad").is_some()).then(|| "it is bad".to_owned())
    };
    let attempt = |part: &Value| generate_or_fail(part, &Settings::default(), fault);
    let problems: Vec<_> =
        attempt(&document).unwrap_err().iter().map(|problem| problem.place().to_owned()).collect();
    assert_eq!(problems, ["/components/schemas/Thing3", "/components/schemas/Thing11"]);
    let (generated, dropped) = generate_partial(&document, attempt).unwrap();
    assert_eq!(generated.rust.matches("impl Operation for").count(), 14, "{}", generated.rust);
    let dropped: Vec<_> = dropped.entries().iter().map(ToString::to_string).collect();
    assert!(dropped.iter().all(|line| line.contains("it is bad")), "{dropped:?}");
    assert_eq!(dropped.len(), 4, "{dropped:?}");
}

/// Returns the code without whitespace.
fn compact(code: &str) -> String {
    code.split_whitespace().collect()
}

/// Returns how the code prints a type: the body of its hand-written `Debug`, or `None` if that is derived.
fn printed<'c>(code: &'c str, name: &str) -> Option<&'c str> {
    let (_, rest) = code.split_once(&format!("Debugfor{name}{{"))?;
    rest.split("impl").next()
}

#[test]
fn a_secret_is_not_printed_wherever_its_mark_stands() {
    let secret = json!({"type": "string", "x-sensitive": true});
    let reference = json!({"$ref": "#/components/schemas/Secret"});
    let nothing = json!({"type": "null"});
    let list = json!({"type": "array", "items": reference});
    let map = json!({"type": "object", "additionalProperties": reference});
    let login = json!({"type": "object", "properties": {
        "nullable_ref": {"anyOf": [reference, nothing]},
        "nullable_inline": {"oneOf": [secret, nothing]},
        "nullable_list": {"anyOf": [list, nothing]},
        "map": map,
        "listmap": {"type": "array", "items": map},
        "maplist": {"type": "object", "additionalProperties": list},
        "name": {"type": "string"},
        "several": {"type": ["string", "integer"], "x-sensitive": true},
        "names": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "either": {"oneOf": [secret, {"type": "integer"}]},
        "either_list": {"anyOf": [{"type": "array", "items": secret}, {"type": "string"}]},
        "more": {"$ref": "#/components/schemas/More"},
        "of_two": {"$ref": "#/components/schemas/OfTwo"},
    }});
    let schemas = json!({
        "Secret": secret,
        "Pin": {"type": "integer", "x-sensitive": true},
        "SecretObject": {"type": "object", "x-sensitive": true, "properties": {"v": {"type": "string"}}},
        "More": {"allOf": [{"$ref": "#/components/schemas/SecretObject"}, {"type": "object", "properties": {"w": {}}}]},
        "Secrets": {"x-sensitive": true, "oneOf": [
            {"title": "ByKey", "required": ["key"], "properties": {"key": {"type": "string"}}},
            {"title": "ByCode", "required": ["code"], "properties": {"code": {"type": "string"}}},
        ]},
        "OfTwo": {"allOf": [{"$ref": "#/components/schemas/Secrets"}, {"type": "object", "properties": {"at": {"type": "string"}}}]},
        "Login": login,
    });
    let mut operation = responding("sign-in", json!({"$ref": "#/components/schemas/Login"}));
    operation["responses"]["201"] = operation["responses"]["200"].clone();
    operation["responses"]["201"]["content"]["application/json"]["schema"] = list.clone();
    let parameter = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    operation["parameters"] = json!([
        parameter("pin", json!({"anyOf": [{"$ref": "#/components/schemas/Pin"}, nothing]})),
        parameter("limit", json!({"type": "integer"})),
    ]);
    let generated = generated(&document(&[("/login", operation)], &json!({ "schemas": schemas })));
    let code = compact(&generated.rust);
    assert!(code.contains("crate::partial_debug!(SignIn{limit});"));
    let own = printed(&code, "Login").unwrap_or_default();
    for name in ["nullable_ref", "nullable_inline", "nullable_list", "map", "listmap", "maplist"] {
        assert!(own.contains(&format!(".field(\"{name}\",&format_args!(\"[redacted]\"))")), "{name}: {own}");
    }
    // These either are not secret, or have types that print nothing.
    for name in ["name", "names", "several", "either", "either_list", "more", "of_two"] {
        assert!(own.contains(&format!(".field(\"{name}\",&self.{name})")), "{name}: {own}");
    }
    for name in ["LoginSeveral", "LoginEither", "LoginEitherList", "OfTwo", "SignInSuccess"] {
        let own = printed(&code, name).unwrap_or_default();
        assert!(own.contains(&format!("f.write_str(\"{name}([redacted])\")")), "{name}: {own}");
    }
    let own = printed(&code, "More").unwrap_or_default();
    assert_eq!(own.matches("[redacted]").count(), 2, "{own}");
}

#[test]
fn a_success_is_text_only_if_nothing_else_is_declared() {
    let binary = json!({"description": "", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}});
    let text = json!({"description": "", "content": {"text/plain": {"schema": {"type": "string"}}}});
    let either = json!({"description": "", "content": {"text/plain": {}, "application/octet-stream": {}}});
    let none = json!({"description": ""});
    for (responses, expected) in [
        (json!({"200": binary, "default": text}), "Vec<u8>"),
        (json!({"200": binary, "400": text}), "Vec<u8>"),
        (json!({"200": binary, "201": text}), "Vec<u8>"),
        (json!({"200": binary, "204": text}), "Vec<u8>"),
        (json!({"200": none, "default": text}), "()"),
        (json!({"200": either}), "Vec<u8>"),
        (json!({"200": text, "default": binary}), "String"),
        (json!({"200": text, "204": none}), "String"),
        (json!({"200": text, "204": binary}), "String"),
        (json!({ "default": text }), "String"),
        (json!({ "default": binary }), "Vec<u8>"),
    ] {
        let operation = operation("download", json!({ "responses": responses }));
        let code = compact(&generated(&document(&[("/c", operation)], &json!({}))).rust);
        let has = |ty: &str| code.contains(&format!("typeResponse={ty};"));
        assert!(has(expected), "{responses}: no {expected}");
    }
}

/// A document with one path, whose `put` stands behind a reference and whose `post` beside it.
fn behind_a_reference() -> Value {
    let body = json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}});
    let name = json!([{"name": "n", "in": "query", "schema": {"type": "string", "maxLength": 3}}]);
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {
            "$ref": "#/components/pathItems/A",
            "post": operation("post_it", json!({"parameters": name, "requestBody": body})),
        }},
        "components": {
            "pathItems": {"A": {
                "parameters": [{"name": "m", "in": "query", "schema": {"type": "string", "maxLength": 4}}],
                "put": operation("put_it", json!({ "requestBody": body })),
            }},
            "schemas": {"B": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string", "maxLength": 5, "x-sensitive": true}}}},
        },
    })
}

#[test]
fn operations_behind_and_beside_a_path_items_reference_have_rules() {
    let code = compact(&generated(&behind_a_reference()).rust);
    assert_eq!(code.matches(".body(&rules::B)").count(), 2, "{code}");
    for rule in ["MaxLength(3)", "MaxLength(4)", "MaxLength(5)", "Sensitive"] {
        assert!(code.contains(rule), "no {rule} in {code}");
    }
    assert_eq!(code.matches("Parameter::new(\"m\",Place::Query,&rules::AM").count(), 2, "{code}");
}

#[test]
fn the_table_names_operations_behind_a_path_items_reference() {
    let mut document = behind_a_reference();
    document["x-resources"] = json!({"things": {"create": "post /a", "replace": "put /a"}});
    let made = generated(&document);
    let handles = suprsend_codegen::resources(&document, &made.rust, &BTreeMap::new());
    let handles = handles.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(handles.contains("pub fn replace(") && handles.contains("pub fn create("), "{handles}");
    document["x-resources"] = json!({"things": {"create": "post /a"}});
    let lines = refused(&document);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("/paths/~1a/put: the operation is no method of a resource"), "{lines:#?}");
}

#[test]
fn a_dropped_operation_drops_its_entry_of_the_table() {
    let with = |table: Value| {
        json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": operation("get_a", json!({})), "trace": operation("trace_a", json!({}))}},
            "x-resources": table,
        })
    };
    let attempt = |document: &Value| generate(document, &settings());
    for table in [
        json!({"things": {"get": "get /a", "trace": "trace /a"}}),
        json!({"things": {"get": {"get": "/a", "idempotent": true}, "traces": {"add": {"trace": "/a"}}}}),
        json!({"things": {"get": "get /a", "traces()": {"feature": "extra", "add": "trace /a"}}}),
        json!({"things": {"get": "get /a"}, "traces": {"feature": "extra", "add": "trace /a"}}),
    ] {
        let (generated, dropped) = generate_partial(&with(table.clone()), attempt)
            .unwrap_or_else(|problems| panic!("{table}: {problems}"));
        assert!(generated.rust.contains("pub struct GetA ") && !generated.rust.contains("TraceA"), "{table}");
        assert!(!generated.document.contains("trace"), "{}", generated.document);
        assert_eq!(dropped.entries().len(), 1, "{dropped}");
    }
    // An entry that never named an operation is still a mistake.
    let table = json!({"things": {"get": "get /a", "trace": "trace /a", "put": "put /a"}});
    let problems = generate_partial(&with(table), attempt).map(|_| ()).unwrap_err();
    assert!(problems.to_string().starts_with("/x-resources/things/put: "), "{problems}");
}

#[test]
fn rules_do_not_require_what_the_types_leave_out() {
    let document = |version: &str| {
        let bug = json!({"$ref": "#/components/schemas/Bug"});
        let content = json!({"application/json": {"schema": bug}});
        let operation = operation(
            "createBug",
            json!({"requestBody": {"required": true, "content": content}, "responses": {"201": {"description": "", "content": content}}}),
        );
        json!({
            "openapi": version,
            "info": {"title": "t", "version": "1"},
            "paths": {"/bugs": {"post": operation}},
            "components": {"schemas": {
                "Id": {"type": "integer", "readOnly": true},
                "Base": {"type": "object", "properties": {
                    "id": {"type": "integer", "readOnly": true},
                    "no": {"allOf": [{"$ref": "#/components/schemas/Id"}], "description": "A number."},
                    "name": {"type": "string"},
                    "key": {"type": "string", "writeOnly": true},
                }},
                "Bug": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["id", "no", "name", "key"]}]},
            }},
        })
    };
    let code = |version: &str| compact(&generated(&document(version)).rust);
    // A write-only member is required here, although the type leaves it out for the sake of responses.
    assert!(code("3.0.3").contains(r#"Required(&["name","key"])"#), "{}", code("3.0.3"));
    assert!(code("3.1.0").contains(r#"Required(&["id","no","name","key"])"#), "{}", code("3.1.0"));
}

#[test]
fn a_parameter_that_is_passed_as_text_has_no_rules_of_another_type() {
    for (schema, is_checked) in [
        (json!({"enum": [1, 2, 3]}), false),
        (json!({"const": 1}), false),
        (json!({"enum": [1, "a"]}), false),
        (json!({"enum": ["a", "b"]}), true),
        (json!({"const": "a"}), true),
        (json!({"type": "integer", "enum": [1, 2]}), true),
    ] {
        let parameter = json!({"name": "v", "in": "path", "required": true, "schema": schema});
        let operation = operation("get_a", json!({"parameters": [parameter]}));
        let generated = generated(&document(&[("/a/{v}", operation)], &json!({})));
        let code = compact(&generated.rust);
        assert_eq!(code.contains("Enum(") || code.contains("Const("), is_checked, "{schema}: {code}");
        let is_reported =
            generated.report.to_string().contains("which the rules of other types do not concern");
        assert_eq!(is_reported, !is_checked, "{schema}: {}", generated.report);
    }
}

#[test]
fn a_list_is_paged_only_if_its_pages_can_be_read_and_selected() {
    let integer = json!({"type": "integer"});
    let small = json!({"type": "integer", "format": "int32"});
    let text = json!({"type": "string"});
    let of = |query: &[(&str, &Value)], required: Value, meta: Value| {
        let parameters: Vec<Value> = query
            .iter()
            .map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema}))
            .collect();
        let schema = json!({"type": "object", "required": required, "properties": {
            "results": {"type": "array", "items": {"type": "string"}},
            "meta": {"type": "object", "title": "Meta", "properties": meta},
        }});
        let mut operation = responding("list", schema);
        operation["parameters"] = parameters.into();
        generated(&document(&[("/a", operation)], &json!({})))
    };
    let both = json!(["results", "meta"]);
    let cursors = [("limit", &integer), ("after", &text)];
    let offsets = [("limit", &integer), ("offset", &integer)];
    let meta = json!({"count": integer, "limit": integer, "after": {"type": ["string", "null"]}, "has_next": {"type": "boolean"}});
    for query in [&cursors, &offsets] {
        let made = of(query, both.clone(), meta.clone());
        assert!(made.rust.contains("impl Paged for List "), "{}", made.rust);
        assert!(!made.report.to_string().contains("pages"), "{}", made.report);
    }
    for (query, required, meta, member) in [
        (&cursors, json!(["results"]), meta.clone(), "`meta`"),
        (&[("limit", &small), ("offset", &integer)], both.clone(), meta.clone(), "`limit`"),
        (&[("limit", &integer), ("offset", &small)], both.clone(), meta.clone(), "`offset`"),
        (&[("limit", &integer), ("after", &integer)], both.clone(), meta.clone(), "`after`"),
        (&cursors, both.clone(), json!({"count": small, "after": text}), "`meta.count`"),
        (&cursors, both.clone(), json!({"after": integer}), "`meta.after`"),
        (&cursors, both.clone(), json!({"after": text, "has_next": text}), "`meta.has_next`"),
    ] {
        let made = of(query, required, meta);
        assert!(!made.rust.contains("Paged for"), "{member}: {}", made.rust);
        let report = made.report.to_string();
        let line =
            report.lines().find(|line| line.starts_with("/paths/~1a/get: annotation dropped: its pages "));
        assert!(line.is_some_and(|line| line.contains(member)), "{member}: {report}");
    }
}

#[test]
fn of_several_ways_to_authenticate_one_is_used_that_a_request_can_meet() {
    let schemes = json!({
        "a": {"type": "apiKey", "in": "header", "name": "X-A"},
        "b": {"type": "apiKey", "in": "header", "name": "X-B"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "spaced": {"type": "apiKey", "in": "header", "name": "X-C <token>"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "c"},
        "certificate": {"type": "mutualTLS"},
    });
    for (security, expected) in [
        (json!([{"a": [], "b": []}, {"bearer": []}]), ".bearer()"),
        (json!([{"spaced": []}, {"bearer": []}]), ".bearer()"),
        (json!([{"cookie": []}, {"bearer": []}]), ".bearer()"),
        (json!([{"bearer": []}, {"a": []}]), ".bearer()"),
        (json!([{"certificate": [], "a": []}, {"bearer": []}]), r#".credential(Credential::Header("X-A"))"#),
    ] {
        let operation = operation("get_a", json!({ "security": security }));
        let made = generated(&document(&[("/a", operation)], &json!({"securitySchemes": schemes})));
        let code = compact(&made.rust);
        assert!(code.contains(&format!("\"/a\"){expected}")), "{security}: {code}");
    }
}
