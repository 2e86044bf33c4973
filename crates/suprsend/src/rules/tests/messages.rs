use serde_json::{Value, json};

use super::{assert_found, object, violations};

#[test]
fn all_violations_are_found_with_their_paths() {
    let schema = json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "size": {"type": "integer"},
            "mode": {"enum": ["a", 1]},
            "either": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["x"]}]},
            "both": {"allOf": [{"required": ["x"]}, {"required": ["y"]}]},
            "list": {"items": {"properties": {"email": {"format": "email"}}}},
            "any": true,
        },
        "additionalProperties": {"type": "boolean"},
    });
    let good = json!({"id": null, "size": 1.0, "mode": 1, "either": "x", "both": {"x": 1, "y": 1}, "any": 1, "more": true});
    assert_found(&violations(&schema, &good), &[]);
    let bad = json!({
        "size": 1.5, "mode": "b", "either": {}, "both": {"x": 1}, "more": 1,
        "list": [{"email": "a@b"}, {"email": "secret"}],
    });
    // Members are in the order of the map, which depends on serde_json's features.
    let mut found = violations(&schema, &bad);
    found.sort();
    assert_found(
        &found,
        &[
            "both.y is missing",
            "either fits none of its variants: string, `x`",
            "id is missing",
            "list[1].email is not an e-mail address such as `jane@example.com`",
            "mode is none of the values `a`, 1",
            "more is of another type than boolean",
            "size is of another type than integer",
        ],
    );
}

#[test]
fn each_rule_has_a_message() {
    for (schema, value, message) in [
        (json!({"type": ["string", "null"]}), json!(1), "is of another type than string or null"),
        (json!(false), json!(1), "is not allowed"),
        (
            json!({"enum": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}),
            json!(0),
            "is none of the values 1, 2, 3, 4, 5, 6, 7, 8, and 2 more",
        ),
        (json!({"const": "a"}), json!("b"), "is not `a`"),
        (
            json!({"format": "uuid"}),
            json!(""),
            "is not a UUID such as `f81d4fae-7dec-11d0-a765-00a0c91e6bf6`",
        ),
        (json!({"minLength": 1}), json!(""), "is empty"),
        (json!({"minLength": 2}), json!("a"), "has fewer than 2 characters"),
        (json!({"maxLength": 1}), json!("ab"), "has more than 1 character"),
        (json!({"pattern": "^a"}), json!("b"), "does not match the pattern `^a`"),
        (json!({"minimum": 1}), json!(0), "is less than 1"),
        (json!({"maximum": 1.5}), json!(2), "is greater than 1.5"),
        (json!({"exclusiveMinimum": 1}), json!(1), "is not greater than 1"),
        (json!({"exclusiveMaximum": 1}), json!(1), "is not less than 1"),
        (json!({"multipleOf": 2}), json!(1), "is not a multiple of 2"),
        (json!({"minItems": 1}), json!([]), "is empty"),
        (json!({"maxItems": 2}), json!([1, 2, 3]), "has more than 2 items"),
        (json!({"uniqueItems": true}), json!([1, 1]), "has an item twice"),
        (
            json!({"contains": true}),
            json!([]),
            "has too few or too many items of the kind that it must contain",
        ),
        (json!({"minProperties": 2}), json!({"a": 1}), "has fewer than 2 members"),
        (json!({"maxProperties": 0}), json!({"a": 1}), "has more than 0 members"),
        (json!({"not": {}}), json!(1), "is of a kind that the document excludes"),
    ] {
        let message = format!("the body {message}");
        assert_eq!(violations(&schema, &value), [message], "{schema}");
        let inner = violations(&object(&json!({"in": schema})), &json!({"in": value}));
        assert!(inner[0].starts_with("in "), "{inner:?}");
    }
    assert_found(
        &violations(&json!({"properties": {"a": true}, "additionalProperties": false}), &json!({"b": 1})),
        &["b is not allowed"],
    );
    assert_found(
        &violations(&json!({"propertyNames": {"maxLength": 1}}), &json!({"bc": 1})),
        &["bc has a name that is not allowed"],
    );
    assert_found(
        &violations(&json!({"dependentRequired": {"a": ["b"]}}), &json!({"a": 1})),
        &["b is missing"],
    );
}

/// If the type is wrong, only that is reported.
#[test]
fn a_value_of_another_type_breaks_one_rule() {
    let schema = json!({"type": "string", "enum": ["a"], "oneOf": [{"minLength": 1}], "format": "email"});
    assert_found(&violations(&schema, &json!({"a": [1]})), &["the body is of another type than string"]);
}

fn channel() -> Value {
    let variant = |key: &str, rules: Value| json!({"type": "object", "required": [key, "token"], "properties": {key: rules, "token": {"type": "string"}}});
    json!({"oneOf": [variant("email", json!({"format": "email"})), variant("id", json!({"type": "string"}))]})
}

#[test]
fn the_variant_that_was_meant_says_what_is_wrong() {
    assert_found(&violations(&channel(), &json!({"email": "jane@example.com", "token": "t"})), &[]);
    assert_found(
        &violations(&channel(), &json!({"email": "jane", "token": 1})),
        &[
            "email is not an e-mail address such as `jane@example.com`",
            "token is of another type than string",
        ],
    );
    assert_found(
        &violations(&channel(), &json!({"email": "jane"})),
        &["the body fits none of its variants: `email` and `token`, `id` and `token`"],
    );
    assert_found(
        &violations(&channel(), &json!({"email": "jane@example.com", "id": "1", "token": "t"})),
        &["the body fits several of its variants, keep one of: `email` and `token`, `id` and `token`"],
    );
}

#[test]
fn a_tag_says_which_variant_was_meant() {
    let variant = |tag: &str, kind: &str| json!({"type": "object", "required": ["kind"], "properties": {"kind": {"const": tag}, "value": {"type": kind}}});
    let schema = json!({"oneOf": [variant("a", "string"), variant("b", "integer")]});
    assert_found(
        &violations(&schema, &json!({"kind": "b", "value": "x"})),
        &["value is of another type than integer"],
    );
    assert_found(
        &violations(&schema, &json!({"kind": "c"})),
        &["the body fits none of its variants: `kind`, `kind`"],
    );
}
