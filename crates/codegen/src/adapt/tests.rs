use serde_json::{Value, json};

use crate::{Generated, Kind, Settings, generate};

/// A document with a single operation `make-a` that has these members.
fn document(operation: &Value, components: &Value) -> Value {
    let mut operation = operation.clone();
    operation["operationId"] = "make-a".into();
    json!({
        "openapi": "3.1.1",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation}},
        "components": components,
    })
}

fn generated(operation: &Value, components: &Value) -> Generated {
    let settings = Settings::default();
    generate(&document(operation, components), &settings).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns the generated code without whitespace and trailing commas, for comparisons.
fn code(operation: &Value, components: &Value) -> String {
    compact(&generated(operation, components).rust)
}

/// Returns the generated code without comments, too.
fn bare(operation: &Value, components: &Value) -> String {
    uncommented(&generated(operation, components).rust)
}

fn uncommented(code: &str) -> String {
    compact(&code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"))
}

fn compact(code: &str) -> String {
    let code: String = code.split_whitespace().collect();
    code.replace(",>", ">").replace(",}", "}").replace(",)", ")")
}

/// Fails with the expected part and only the names of the generated items: the whole code is too long to read.
#[track_caller]
fn assert_has(code: &str, part: &str) {
    let names: Vec<&str> = code
        .split("pub")
        .filter(|item| item.starts_with("struct") || item.starts_with("enum"))
        .map(|item| item.split('}').next().unwrap_or_default())
        .collect();
    assert!(code.contains(part), "no `{part}` in {names:#?}");
}

fn responses(responses: &Value) -> Value {
    json!({ "responses": responses })
}

fn body(schema: &Value) -> Value {
    json!({"description": "", "content": {"application/json": {"schema": schema}}})
}

fn object(required: &str) -> Value {
    json!({"type": "object", "required": [required], "properties": {required: {"type": "string"}}})
}

fn kinds(generated: &Generated) -> Vec<Kind> {
    generated.report.entries().iter().map(|entry| entry.kind).collect()
}

#[test]
fn inline_schemas_are_named_by_title_or_by_operation_role_and_status() {
    let code = code(
        &json!({
            "requestBody": {"content": {"application/json": {"schema": {"properties": {
                "kind": {"enum": ["x", "y"]},
                "parts": {"type": "array", "items": {"title": "a part", "properties": {"n": {"type": "integer"}}}},
            }}}}},
            "responses": {"200": body(&object("a")), "400": body(&object("b"))},
        }),
        &json!({}),
    );
    for part in [
        "pubstructMakeABody{",
        "pubenumMakeABodyKind{",
        "Vec<APart>",
        "pubstructMakeAResponse200{",
        "typeResponse=types::MakeAResponse200;typeRefusal=types::MakeAResponse400;",
    ] {
        assert_has(&code, part);
    }
}

#[test]
fn equal_titles_share_a_type_only_if_the_schemas_are_equal() {
    let named = |property: &str| json!({"title": "Same", "properties": {property: {}}});
    let generated = generated(
        &responses(&json!({"200": body(
            &json!({"properties": {"a": named("x"), "b": named("x"), "c": named("y")}}))})),
        &json!({}),
    );
    assert!(generated.rust.contains("pub struct Same {"));
    assert!(generated.rust.contains("pub struct Same2 {"));
    assert!(!generated.rust.contains("pub struct Same3 {"));
    assert_eq!(kinds(&generated), [Kind::Combined]);
}

#[test]
fn a_nullable_type_is_an_option_of_a_named_type() {
    let code = code(
        &responses(&json!({"200": body(&json!({"required": ["a", "b"], "properties": {
            "a": {"type": ["object", "null"], "properties": {"x": {}}},
            "b": {"type": ["string", "null"], "enum": ["x", null]},
        }}))})),
        &json!({}),
    );
    assert_has(&code, "puba:::std::option::Option<MakeAResponse200A>");
    assert_has(&code, "pubb:::std::option::Option<MakeAResponse200B>");
}

#[test]
fn two_success_bodies_are_one_union() {
    let generated =
        generated(&responses(&json!({"200": body(&object("a")), "201": body(&object("b"))})), &json!({}));
    assert!(generated.rust.contains("pub enum MakeASuccess {"), "{}", generated.rust);
    assert!(generated.rust.contains("type Response = types::MakeASuccess;"), "{}", generated.rust);
    assert_eq!(kinds(&generated), [Kind::Combined, Kind::Widened]);
}

#[test]
fn one_of_several_objects_is_an_enum_even_where_lowering_weakens_it() {
    let part =
        |key: &str| json!({"type": "object", "properties": {key: {"type": "string", "nullable": true}}});
    let code = code(&responses(&json!({"200": body(&json!({"oneOf": [part("a"), part("b")]}))})), &json!({}));
    assert_has(&code, "pubenumMakeAResponse200{");
}

#[test]
fn error_bodies_that_nothing_tells_apart_are_all_kept() {
    let optional = |name: &str| body(&json!({"type": "object", "properties": {name: {}}}));
    let code = bare(&responses(&json!({"400": optional("a"), "404": optional("b")})), &json!({}));
    assert_has(&code, "enumMakeAError{Response400(MakeAResponse400),Response404(MakeAResponse404),");
    assert_has(&code, "crate::union::read(deserializer,&[");
}

#[test]
fn equal_error_bodies_are_one_type() {
    let error = |description: &str| {
        body(&json!({"description": description, "type": "object", "properties": {"code": {}}}))
    };
    let generated = generated(&responses(&json!({"400": error("one"), "404": error("two")})), &json!({}));
    assert!(generated.rust.contains("type Refusal = types::MakeAResponse400;"), "{}", generated.rust);
    assert_eq!(kinds(&generated), [Kind::Combined]);
}

#[test]
fn two_groups_of_equal_schemas_have_two_names() {
    let get = |id: &str, property: &str| {
        let error = json!({"properties": {"error": object(property)}});
        json!({"get": {"operationId": id, "responses": {"404": body(&error)}}})
    };
    let mut document = document(&json!({}), &json!({}));
    document["paths"] = json!({
        "/user": get("get-user", "code"), "/group": get("get-group", "code"),
        "/list": get("get-list", "message"), "/topic": get("get-topic", "message"),
    });
    let code = uncommented(&generate(&document, &Settings::default()).unwrap().rust);
    for part in [
        "pubstructResponse404Error{pubcode:::std::string::String}",
        "pubstructGetListResponse404Error{pubmessage:::std::string::String}",
    ] {
        assert_has(&code, part);
    }
}

#[test]
fn a_status_with_another_kind_of_body_is_left_undeclared() {
    let generated = generated(
        &responses(&json!({
            "200": body(&object("a")), "204": {"description": ""},
            "400": body(&object("b")), "404": {"description": ""},
            "500": {"description": "", "content": {"text/html": {}}},
        })),
        &json!({}),
    );
    let code = compact(&generated.rust);
    assert_has(&code, "typeResponse=Option<types::MakeAResponse200>;typeRefusal=types::MakeAResponse400;");
    assert_eq!(kinds(&generated), [Kind::Combined, Kind::Widened, Kind::Widened]);
}

#[test]
fn default_stands_for_every_undeclared_error() {
    let code =
        code(&responses(&json!({"200": body(&object("a")), "default": body(&object("b"))})), &json!({}));
    assert_has(&code, "typeResponse=types::MakeAResponse200;typeRefusal=types::MakeAResponseDefault;");
}

#[test]
fn a_response_that_the_client_does_not_know_is_reported() {
    let none = json!({"description": ""});
    let lines = |declared: &Value| generated(&responses(declared), &json!({})).report.to_string();
    let report = lines(&json!({"100": none, "200": none, "302": body(&object("a")), "default": none}));
    for part in ["/responses/100: widened: ", "/responses/302: widened: ", "/responses/default: widened: "] {
        assert!(report.contains(part), "no {part} in {report}");
    }
    assert_eq!(report.lines().count(), 3, "{report}");
    // Here it stands for any content.
    assert_eq!(lines(&json!({"default": none})), "");
    // A status that is left out is not part of the type.
    let report = lines(&json!({"400": body(&object("a")), "404": none, "409": body(&object("b"))}));
    assert!(report.contains(": 400, 409 have bodies of their own"), "{report}");
}

#[test]
fn json_by_another_name_is_decoded_and_json_without_schema_is_any_json() {
    let problem =
        json!({"description": "", "content": {"application/problem+json": {"schema": object("a")}}});
    let any = json!({"description": "", "content": {"application/json": {}}});
    let code = code(&responses(&json!({"200": any, "400": problem})), &json!({}));
    assert_has(&code, "typeResponse=::serde_json::Value;typeRefusal=types::MakeAResponse400;");
}

#[test]
fn unknown_keys_are_kept_where_the_document_says_so_and_ignored_elsewhere() {
    let with = |additional: Value| {
        code(
            &responses(
                &json!({"200": body(&json!({"properties": {"a": {}}, "additionalProperties": additional}))}),
            ),
            &json!({}),
        )
    };
    let any = "pubextra:::serde_json::Map<::std::string::String,::serde_json::Value>";
    assert!(with(json!(true)).contains(any));
    assert!(with(json!({})).contains(any));
    assert!(
        with(json!({"type": "integer"}))
            .contains("pubextra:::std::collections::HashMap<::std::string::String,i64>")
    );
    let closed = with(json!(false));
    assert!(!closed.contains("extra") && !closed.contains("deny_unknown_fields"), "{closed}");
}

#[test]
fn a_struct_of_which_every_member_may_be_absent_has_a_default() {
    let with = |required: &Value| {
        let schema = json!({"required": required, "properties": {"a": {"type": "string"}}, "additionalProperties": {}});
        code(&responses(&json!({"200": body(&schema)})), &json!({}))
    };
    assert_has(&with(&json!([])), "Default,PartialEq)]pubstructMakeAResponse200{");
    assert!(!with(&json!(["a"])).contains("Default,PartialEq)]pubstructMakeAResponse200{"));
}

#[test]
fn defaults_are_not_sent() {
    let code = code(
        &json!({
            "requestBody": {"content": {"application/json": {"schema": {"properties": {"a": {"type": "integer", "default": 7}}}}}},
            "responses": {},
        }),
        &json!({}),
    );
    assert_has(&code, "puba:::std::option::Option<i64>");
}

#[test]
fn enumerations_without_rust_names_are_widened() {
    for values in [json!(["==", "!="]), json!(["a", "A"]), json!([1, "a"]), json!([{}, []])] {
        let generated = generated(
            &responses(&json!({"200": body(&json!({"properties": {"a": {"enum": values}}}))})),
            &json!({}),
        );
        assert_eq!(kinds(&generated), [Kind::Widened], "{values}");
    }
}

#[test]
fn a_variant_that_includes_another_is_tried_first() {
    let closed = |names: &[&str]| {
        json!({"type": "object", "required": names, "additionalProperties": false,
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}})
    };
    let generated = generated(
        &responses(&json!({"200": body(&json!({"oneOf": [closed(&["a"]), closed(&["a", "b"])]}))})),
        &json!({}),
    );
    let code = uncommented(&generated.rust);
    assert_has(
        &code,
        "enumMakeAResponse200{Variant1(MakeAResponse200Variant1),Variant0(MakeAResponse200Variant0),",
    );
    assert!(kinds(&generated).contains(&Kind::Reordered));
}

#[test]
fn components_that_differ_only_in_spelling_stay_two_types() {
    let generated = generated(
        &responses(&json!({"200": body(&json!({"properties": {
            "a": {"$ref": "#/components/schemas/foo-bar"}, "b": {"$ref": "#/components/schemas/FooBar"}}}))})),
        &json!({"schemas": {"foo-bar": object("x"), "FooBar": object("y")}}),
    );
    let code = uncommented(&generated.rust);
    assert_has(&code, "pubstructFooBar{puby:");
    assert_has(&code, "pubstructFooBar2{pubx:");
    assert_eq!(kinds(&generated), [Kind::Renamed]);
}

#[test]
fn shared_responses_and_parameters_are_followed() {
    let code = code(
        &json!({
            "parameters": [{"$ref": "#/components/parameters/Limit"}],
            "responses": {"200": {"$ref": "#/components/responses/Found"}},
        }),
        &json!({
            "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
            "responses": {"Found": body(&object("a"))},
        }),
    );
    assert_has(&code, "parameter::query(&mutrequest,\"limit\",&self.limit)?;");
    assert_has(&code, "typeResponse=types::Found;");
}

#[test]
fn sensitive_values_are_not_printed() {
    let code = code(
        &json!({"requestBody": {"content": {"application/json": {"schema": {"properties": {
            "token": {"type": "string", "x-sensitive": true},
            "tokens": {"type": "array", "items": {"type": "string", "x-sensitive": true}},
            "keys": {"title": "Keys", "x-sensitive": true, "properties": {"k": {}}},
            "name": {"type": "string"},
        }}}}}, "responses": {}}),
        &json!({}),
    );
    for part in [
        ".field(\"token\",&format_args!(\"[redacted]\"))",
        ".field(\"tokens\",&format_args!(\"[redacted]\"))",
        ".field(\"k\",&format_args!(\"[redacted]\"))",
        ".field(\"name\",&self.name)",
    ] {
        assert_eq!(code.matches(part).count(), 1, "{part} in {code}");
    }
}

#[test]
fn an_operation_without_id_is_named_after_method_and_path() {
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "t", "version": "1"},
        "paths": {"/v1/things/{thing_id}/": {"get": {
            "parameters": [{"name": "thing_id", "in": "path"}],
            "responses": {"200": body(&object("a"))},
        }}},
    });
    let generated = generate(&document, &Settings::default()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(generated.rust.contains("pub struct GetV1ThingsThingId {"), "{}", generated.rust);
    assert!(generated.rust.contains("pub struct GetV1ThingsThingIdResponse200"));
    assert_eq!(kinds(&generated), [Kind::Renamed]);
}

#[test]
fn the_version_header_is_not_sent_and_others_are() {
    let code = code(
        &json!({
            "parameters": [{"name": "X-Trace", "in": "header", "schema": {"type": "string"}}],
            "responses": {},
        }),
        &json!({}),
    );
    assert!(!code.contains("api-version"), "{code}");
    assert_has(&code, "parameter::header(&mutrequest,\"X-Trace\",&self.x_trace)?;");
}

#[test]
fn what_lint_did_not_foresee_is_still_an_error_and_no_panic() {
    // typify has no type for a schema that is an array and something else at once.
    let odd = json!({"type": "array", "items": {"not": {"type": "string"}}, "enum": [[1]], "maximum": 3});
    let result =
        generate(&document(&responses(&json!({"200": body(&odd)})), &json!({})), &Settings::default());
    if let Err(problems) = result {
        assert!(problems.to_string().contains("progenitor cannot generate"), "{problems}");
    }
}

#[test]
fn a_body_that_can_be_sent_is_sent_wherever_it_stands_in_the_list() {
    for names in [["multipart/form-data", "application/octet-stream"], ["application/xml", "text/plain"]] {
        let content: Value = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        let code = code(&json!({"requestBody": {"content": content}, "responses": {}}), &json!({}));
        assert!(code.contains(names[1]) && !code.contains(names[0]), "{code}");
    }
}

/// Limits are rules; a checked type would have to be wrapped and unwrapped wherever a string is expected.
#[test]
fn limits_make_no_types() {
    let schema = json!({"required": ["a", "b", "c"], "properties": {
        "a": {"type": "string", "minLength": 1, "pattern": "^x"},
        "b": {"type": "integer", "minimum": 1},
        "c": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}, "minItems": 2, "maxItems": 2},
    }});
    let components = json!({"schemas": {"Id": {"type": "string", "maxLength": 9}}});
    let generated = generated(&responses(&json!({"200": body(&schema)})), &components);
    let code = compact(&generated.rust);
    for part in ["puba:::std::string::String", "pubb:i64", "pubc:::std::vec::Vec<::std::string::String>"] {
        assert_has(&code, part);
    }
    assert!(kinds(&generated).iter().filter(|kind| **kind == Kind::Widened).count() >= 6);
}

#[test]
fn equal_schemas_are_one_type_and_prose_does_not_count() {
    let point = |prose: &str| json!({"description": prose, "properties": {"x": {"type": "integer", "description": prose}}});
    let schema = json!({"properties": {
        "a": {"title": "SmallPoint", "properties": {"at": point("one")}},
        "b": {"title": "LargePoint", "properties": {"at": point("two")}},
    }});
    let generated = generated(&responses(&json!({"200": body(&schema)})), &json!({}));
    let code = compact(&generated.rust);
    // Schemas that refer to equal schemas are equal too, so they also become one type.
    assert_eq!(code.matches("pubstruct").count(), 4, "{}", generated.rust);
    assert!(kinds(&generated).iter().all(|kind| *kind == Kind::Combined), "{}", generated.report);
}

#[test]
fn f04_f05_no_content_is_read_where_http_has_none() {
    for (method, status) in [("head", "200"), ("delete", "204"), ("patch", "205"), ("head", "2XX")] {
        let mut document = document(&responses(&json!({status: body(&object("a"))})), &json!({}));
        let operation = document["paths"]["/a"]["post"].take();
        document["paths"] = json!({"/a": {method: operation}});
        let generated = generate(&document, &Settings::default()).unwrap();
        assert!(compact(&generated.rust).contains("typeResponse=();"), "{method} {status}");
        assert_eq!(kinds(&generated), [Kind::AnnotationDropped], "{method} {status}");
    }
    // Any success of a range may be 204.
    let code = code(&responses(&json!({"2XX": body(&object("a"))})), &json!({}));
    assert_has(&code, "typeResponse=Option<types::MakeAResponse2xx>;");
}

#[test]
fn f13_absent_and_null_are_one_unless_marked() {
    let generated = generated(
        &json!({"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["must"], "properties": {
            "must": {"type": ["string", "null"]},
            "may": {"type": ["string", "null"]},
            "tells": {"type": ["string", "null"], "x-three-state": true},
            "tells_of_object": {"type": ["object", "null"], "x-three-state": true, "properties": {"a": {}}},
            "list": {"type": "array", "items": {"type": "string"}, "x-three-state": true},
            "plain": {"type": "array", "items": {"type": "string"}},
        }}}}}, "responses": {"204": {"description": "Done"}}}),
        &json!({}),
    );
    let code = compact(&generated.rust);
    let of = |field: &str, ty: &str| format!("pub{field}:{}", ty.replace("Option", "::std::option::Option"));
    assert_has(&code, &of("may", "Option<::std::string::String>"));
    assert_has(&code, &of("must", "Option<::std::string::String>"));
    assert_has(&code, &of("plain", "::std::vec::Vec<::std::string::String>"));
    assert_has(&code, &of("list", "Option<::std::vec::Vec<::std::string::String>>"));
    assert_has(&code, &of("tells", "Option<Option<::std::string::String>>"));
    assert_has(&code, &of("tells_of_object", "Option<Option<MakeABodyTellsOfObject>>"));
    let present = "#[serde(default,deserialize_with=\"crate::union::present\",skip_serializing_if=\"::std::option::Option::is_none\")]";
    assert_has(&code, &format!("{present}{}", of("tells", "Option<Option<::std::string::String>>")));
    let lines: Vec<_> = generated.report.entries().iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("/properties/may: combined: an absent value and null are one"), "{lines:?}");
}

#[test]
fn schemas_that_differ_only_in_what_null_means_are_two_types() {
    for title in [None, Some("Same")] {
        let part = |marked: bool| {
            let mut part = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}});
            if marked {
                part["properties"]["a"]["x-three-state"] = true.into();
            }
            if let Some(title) = title {
                part["title"] = title.into();
            }
            part
        };
        let whole = json!({"properties": {"one": part(false), "other": part(true), "again": part(true)}});
        let code = bare(&responses(&json!({"200": body(&whole)})), &json!({}));
        let count = |ty: &str| code.matches(&format!("puba:{ty}}}")).count();
        let one = "::std::option::Option<::std::string::String>";
        assert_eq!(
            [count(one), count(&format!("::std::option::Option<{one}>"))],
            [1, 1],
            "{title:?}: {code}"
        );
    }
}

#[test]
fn a_component_that_may_be_null_is_an_option_where_it_is_used() {
    let code = code(
        &responses(&json!({"200": body(&json!({"type": "object", "required": ["x"], "properties": {
            "x": {"$ref": "#/components/schemas/X"},
            "described": {"$ref": "#/components/schemas/X", "description": "Described."},
            "list": {"type": "array", "items": {"$ref": "#/components/schemas/X"}},
            "u": {"$ref": "#/components/schemas/U"},
            "either": {"type": ["string", "array", "null"], "items": {"type": "integer"}},
        }}))})),
        &json!({"schemas": {
            "X": {"type": ["object", "null"], "properties": {"a": {"type": "string"}}},
            "U": {"oneOf": [{"$ref": "#/components/schemas/X"}, {"type": "string"}]},
        }}),
    );
    for part in [
        "pubstructX{///Themember`a`#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]puba:",
        "pubx:::std::option::Option<X>",
        "///Described.",
        "pubdescribed:::std::option::Option<X>",
        "publist:::std::vec::Vec<::std::option::Option<X>>",
        "pubu:::std::option::Option<U>",
        "pubeither:::std::option::Option<MakeAResponse200Either>",
        "pubenumMakeAResponse200Either{///AtextString(::std::string::String),///AlistArray(::std::vec::Vec<i64>)}",
    ] {
        assert_has(&code, part);
    }
}

#[test]
fn what_has_no_description_says_its_type_or_its_value() {
    let code = code(
        &responses(&json!({"200": body(&json!({"type": "object", "properties": {
            "kind": {"$ref": "#/components/schemas/Kind"},
            "either": {"oneOf": [{"type": "string", "description": "A code."}, {"type": "integer"}]},
        }, "additionalProperties": {}}))})),
        &json!({"schemas": {"Kind": {"type": "string", "enum": ["a"], "description": "The kind."}}}),
    );
    for part in [
        "{///Acode.String(::std::string::String),///AnintegerInteger(i64)",
        "///Thevalue`a`#[serde(rename=\"a\")]A,",
        "///Thekind.#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]pubkind:",
        "///Themember`either`#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]pubeither:",
        "///Membersthatthedocumentdoesnotname,astheycame#[serde(flatten)]pubextra:",
    ] {
        assert_has(&code, part);
    }
}

#[test]
fn a_field_keeps_the_description_of_its_property() {
    let code = code(
        &responses(&json!({"200": body(&json!({"allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"type": "object", "properties": {
                "twice": {"type": "string", "description": "Twice, narrowed."},
                "inline": {"title": "Inline", "type": "object", "description": "An inline object.", "properties": {"a": {}}},
            }},
        ]}))})),
        &json!({"schemas": {"Base": {"type": "object", "properties": {"twice": {"description": "Twice."}, "once": {"description": "Once."}}}}}),
    );
    for part in [
        "///Twice,narrowed.#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]pubtwice:",
        "///Aninlineobject.#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]pubinline:::std::option::Option<Inline>",
    ] {
        assert_has(&code, part);
    }
    assert!(!code.contains("Part1"), "a part is no type of its own");
}

#[test]
fn what_stands_beside_alternatives_stays_redacted() {
    let code = code(
        &responses(&json!({"200": body(&json!({
            "type": "object", "properties": {"token": {"type": "string", "x-sensitive": true}},
            "oneOf": [{"title": "One", "required": ["a"], "properties": {"a": {}}}, {"title": "Two", "required": ["b"], "properties": {"b": {}}}],
        }))})),
        &json!({}),
    );
    assert_eq!(code.matches(".field(\"token\",&format_args!(\"[redacted]\"))").count(), 2, "{code}");
    // The JSON that is kept may contain the secret too.
    assert_has(&code, "Self::One(value)=>f.debug_tuple(\"One\").field(value).finish()");
    assert_has(&code, "Self::Other(_)=>f.write_str(\"Other([redacted])\")");
}

/// Returns the code that decodes a union of these alternatives.
fn reading(union: &Value, components: &Value) -> String {
    let mut components = components.clone();
    components["schemas"]["Union"] = union.clone();
    let code =
        code(&responses(&json!({"200": body(&json!({"$ref": "#/components/schemas/Union"}))})), &components);
    let start = code.find("::serde::Deserialize<'de>forUnion").expect("the union is read by hand");
    // The printer adds braces where a line would be too long.
    code[start..].split("Self::Other").next().unwrap_or_default().replace(['{', '}'], "")
}

#[test]
fn f01_a_discriminator_is_a_tag() {
    let of_kind = |own: &str| json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, own: {}}});
    let components = json!({"schemas": {"Van": of_kind("load"), "Bike": of_kind("gears")}});
    let alternatives = json!([{"$ref": "#/components/schemas/Van"}, {"$ref": "#/components/schemas/Bike"}]);
    let mapping =
        json!({"van": "#/components/schemas/Van", "truck": "Van", "bike": "#/components/schemas/Bike"});
    for (keyword, mapping, van, bike) in [
        (
            "oneOf",
            mapping,
            r#".tagged(|value|value["kind"]=="van"||value["kind"]=="truck")"#,
            r#".tagged(|value|value["kind"]=="bike")"#,
        ),
        (
            "anyOf",
            json!({}),
            r#".tagged(|value|value["kind"]=="Van")"#,
            r#".tagged(|value|value["kind"]=="Bike")"#,
        ),
    ] {
        let union =
            json!({keyword: alternatives, "discriminator": {"propertyName": "kind", "mapping": mapping}});
        let code = reading(&union, &components);
        assert!(code.contains(van) && code.contains(bike), "{code}");
    }
}

#[test]
fn f01_a_base_stands_for_what_extends_it() {
    let components = json!({"schemas": {
        "Base": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind", "mapping": {"truck": "#/components/schemas/Truck"}}},
        "Truck": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"axles": {"type": "integer"}}}]},
    }});
    let code =
        bare(&responses(&json!({"200": body(&json!({"$ref": "#/components/schemas/Base"}))})), &components);
    for part in [
        "pubenumBase{Truck(Truck),BaseBase(BaseBase),",
        "pubstructTruck{#[serde(skip_serializing_if=\"::std::option::Option::is_none\")]pubaxles:",
        r#".map(Self::Truck)}).tagged(|value|value["kind"]=="truck")"#,
    ] {
        assert_has(&code, part);
    }
}

#[test]
fn f02_what_tells_alternatives_apart_is_checked_when_it_is_read() {
    let with = |member: Value, own: &str| json!({"type": "object", "required": ["m"], "properties": {"m": member, own: {}}});
    for (one, other, expected) in [
        (json!({"const": true}), json!({"const": false}), r#".when(|value|value["m"]==true)"#),
        (
            json!({"const": 1}),
            json!({"type": "integer"}),
            r#".when(|value|value["m"].as_f64()==::std::option::Option::Some(1f64))"#,
        ),
        (
            json!({"const": "a"}),
            json!({"enum": ["b", "c"]}),
            r#".when(|value|value["m"]=="b"||value["m"]=="c")"#,
        ),
        (
            json!({"type": "integer", "maximum": 0}),
            json!({"type": "integer", "exclusiveMinimum": 0}),
            r#".when(|value|value["m"].as_f64().is_none_or(|number|number>0f64))"#,
        ),
        (
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "string"}),
            r#".when(|value|value["m"].as_str().is_none_or(|text|text.chars().count()<=2))"#,
        ),
        (
            json!({"type": "string", "pattern": "^[a-z]"}),
            json!({"type": "string"}),
            r#"::regress::Regex::with_flags("^[a-z]","u")"#,
        ),
    ] {
        let code = reading(&json!({"oneOf": [with(one, "a"), with(other, "b")]}), &json!({}));
        assert!(code.contains(expected), "no {expected} in {code}");
    }
    let without = json!({"type": "object", "properties": {"a": {}}, "not": {"required": ["b"]}});
    let code = reading(&json!({"oneOf": [without, object("b")]}), &json!({}));
    assert!(code.contains(r#".when(|value|!(value.get("b").is_some()))"#), "{code}");
    // A condition that all alternatives share distinguishes none.
    let same = || with(json!({"enum": ["x", "y"]}), "a");
    let code = reading(&json!({"oneOf": [same(), with(json!({"enum": ["x", "y"]}), "b")]}), &json!({}));
    assert!(!code.contains(".when("), "{code}");
}

#[test]
fn f03_no_body_of_several_is_put_beside_another() {
    let of = |own: &str| {
        body(&json!({"type": "object", "required": ["code"], "properties": {"code": {}, own: {}}}))
    };
    let generated = generated(&responses(&json!({"400": of("field"), "404": of("resource")})), &json!({}));
    let code = uncommented(&generated.rust);
    assert_has(
        &code,
        "pubenumMakeAError{Response400(MakeAResponse400),Response404(MakeAResponse404),Other(::serde_json::Value)}",
    );
    assert!(!code.contains("flatten"), "{code}");
    assert!(
        generated.report.to_string().contains("one that no alternative keeps whole stays JSON"),
        "{}",
        generated.report
    );
}

#[test]
fn alternatives_of_alternatives_are_one_union() {
    let components = json!({"schemas": {"Inner": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
        "A": object("a"), "B": object("b"), "C": object("c")}});
    let union = json!({"oneOf": [{"$ref": "#/components/schemas/Inner"}, {"$ref": "#/components/schemas/C"}, {"type": "null"}]});
    let code = reading(&union, &components);
    for variant in ["A", "B", "C"] {
        assert!(code.contains(&format!("map(Self::{variant})")), "{code}");
    }
}
