use serde_json::{Value, json};

use super::{convert, found};

/// Checks keywords, each with valid and invalid values.
fn assert_cases(cases: impl IntoIterator<Item = (Value, Value, Value)>) {
    for (schema, valid, invalid) in cases {
        let rules = convert::schema(&schema);
        for (values, expected) in [(valid, true), (invalid, false)] {
            for value in values.as_array().unwrap() {
                assert_eq!(found(rules, value).is_empty(), expected, "{schema}: {value}");
            }
        }
    }
}

#[test]
fn of_scalars() {
    assert_cases([
        (json!({"type": "integer"}), json!([1, 1.0, -3, 1e300]), json!([1.5, "1", null])),
        (json!({"type": "number"}), json!([1, 1.5]), json!(["1", true])),
        (json!({"type": ["string", "null"]}), json!(["", null]), json!([0, false, [], {}])),
        (json!(false), json!([]), json!([null, 1, "", [], {}])),
        (
            json!({"enum": ["a", 1, null, [1, {"b": 2}]]}),
            json!(["a", 1, 1.0, null, [1.0, {"b": 2}]]),
            json!(["b", 2, false, [], [1, {"b": 3}], [1, {"b": 2, "c": 3}]]),
        ),
        (json!({"const": {"a": [true]}}), json!([{"a": [true]}]), json!([{"a": [false]}, {}, null])),
        (json!({"const": null}), json!([null]), json!([0, ""])),
        (json!({"format": "email"}), json!(["jane@example.com", 1]), json!(["jane"])),
        (json!({"minLength": 2}), json!(["éé", 1]), json!(["é", ""])),
        (json!({"maxLength": 2}), json!(["🦀🦀", ""]), json!(["🦀🦀🦀"])),
        (json!({"pattern": "^[a-z]+$"}), json!(["abc", 1]), json!(["Abc", ""])),
        (json!({"pattern": "\\p{L}"}), json!(["1é"]), json!(["1"])),
        (json!({"minimum": 2}), json!([2, 2.5, "1"]), json!([1, 1.9])),
        (json!({"maximum": 2.5}), json!([2, 2.5]), json!([3, 2.6])),
        (json!({"exclusiveMinimum": 2}), json!([3, 2.1]), json!([2, 2.0])),
        (json!({"exclusiveMaximum": 2}), json!([1]), json!([2, 3])),
        // 2^53 + 1 has no float of its own.
        (
            json!({"minimum": 9_007_199_254_740_993_i64}),
            json!([9_007_199_254_740_993_i64]),
            json!([9_007_199_254_740_992_i64]),
        ),
        (
            json!({"maximum": 18_446_744_073_709_551_614_u64}),
            json!([18_446_744_073_709_551_614_u64]),
            json!([18_446_744_073_709_551_615_u64, 1e30]),
        ),
        (json!({"multipleOf": 3}), json!([0, 9, -9, 9.0, 3e20]), json!([1, 9.5, 1e20])),
        (json!({"multipleOf": 0.01}), json!([0.07, 19.99, 4, 1e300]), json!([0.075, 1e-5])),
        (
            json!({"multipleOf": 9_007_199_254_740_993_i64}),
            json!([9_007_199_254_740_993_i64]),
            json!([9_007_199_254_740_992_i64]),
        ),
        (json!({"multipleOf": 1.5}), json!([9_007_199_254_740_993_i64]), json!([9_007_199_254_740_992_i64])),
    ]);
}

#[test]
fn of_arrays_and_objects() {
    assert_cases([
        (json!({"minItems": 1}), json!([[1], {}]), json!([[]])),
        (json!({"maxItems": 1}), json!([[1], []]), json!([[1, 2]])),
        (
            json!({"uniqueItems": true}),
            json!([[1, "1", true, [1], {"a": 1}], [{"a": 1, "b": 2}, {"a": 2, "b": 1}]]),
            json!([[1, 1.0], ["a", "b", "a"], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
        ),
        (json!({"items": {"type": "string"}}), json!([["a"], [], 1]), json!([["a", 1]])),
        (
            json!({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}),
            json!([[], ["a"], ["a", 1, 2]]),
            json!([[1], ["a", "b"]]),
        ),
        (json!({"items": [{"type": "string"}], "additionalItems": false}), json!([["a"]]), json!([["a", 1]])),
        (json!({"contains": {"const": 1}}), json!([[2, 1]]), json!([[], [2]])),
        (
            json!({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}),
            json!([[], [1]]),
            json!([[1, 1]]),
        ),
        (json!({"minProperties": 1}), json!([{"a": 1}, []]), json!([{}])),
        (json!({"maxProperties": 1}), json!([{"a": 1}]), json!([{"a": 1, "b": 2}])),
        (json!({"required": ["a", "b"]}), json!([{"a": 1, "b": null}, []]), json!([{"a": 1}, {}])),
        (
            json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false}),
            json!([{"a": ""}, {}]),
            json!([{"a": 1}, {"b": 1}]),
        ),
        (json!({"unevaluatedProperties": false}), json!([{}]), json!([{"b": 1}])),
        (
            json!({"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "integer"}}),
            json!([{"x-a": "", "b": 1}]),
            json!([{"x-a": 1}, {"b": ""}]),
        ),
        (json!({"propertyNames": {"maxLength": 2}}), json!([{"ab": 1}]), json!([{"abc": 1}])),
    ]);
}

#[test]
fn of_combinations() {
    assert_cases([
        (
            json!({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}),
            json!([{"a": 1, "b": 1}]),
            json!([{"a": 1}]),
        ),
        (json!({"anyOf": [{"type": "string"}, {"minimum": 2}]}), json!(["", 2, true]), json!([1])),
        (json!({"oneOf": [{"type": "integer"}, {"minimum": 2}]}), json!([1, 2.5]), json!([2, 1.5])),
        (json!({"not": {"type": "string"}}), json!([1]), json!([""])),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "integer"}}),
            json!(["a", 1]),
            json!(["", 1.5]),
        ),
        (json!({"dependentRequired": {"a": ["b"]}}), json!([{"a": 1, "b": 1}, {}, 1]), json!([{"a": 1}])),
        (
            json!({"dependentSchemas": {"a": {"maxProperties": 1}}}),
            json!([{"a": 1}]),
            json!([{"a": 1, "b": 2}]),
        ),
        (json!({"type": "string", "nullable": true, "enum": ["a"]}), json!(["a", null]), json!(["b", 1])),
        (
            json!({"nullable": true, "allOf": [{"type": "object", "required": ["a"]}]}),
            json!([null, {"a": 1}]),
            json!([{}, 1]),
        ),
    ]);
}

#[test]
fn a_schema_may_hold_itself() {
    let place = "#/paths/~1/post/requestBody/content/application~1json/schema";
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "in": {"$ref": place}}});
    let deep = |name: Value| json!({"in": {"in": {"in": {"name": name}}}});
    assert!(super::violations(&schema, &deep("a".into())).is_empty());
    super::assert_found(
        &super::violations(&schema, &deep(1.into())),
        &["in.in.in.name is of another type than string"],
    );
}

/// A static that refers to itself, as the generator writes it.
#[test]
fn the_debug_output_of_a_circle_is_finite() {
    use suprsend_api::rules::{Reference, Rule, Schema, Type};
    static NODE: Schema =
        Schema::new(&[Rule::Type(Type::Array), Rule::Items(&Schema::new(&[Rule::Ref(Reference(&NODE))]))]);
    assert_eq!(format!("{NODE:?}"), "Schema([Type(Array), Items(Schema([Ref(Reference(..))]))])");
    assert!(found(&NODE, &json!([[], [[]]])).is_empty());
    super::assert_found(&found(&NODE, &json!([[], [[1]]])), &["[1][0][0] is of another type than array"]);
}
