//! Verdicts on random values by random schemas, compared with those of the crate by which the mock hub judges.

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{convert, found};

const BODY: &str = "#/paths/~1/post/requestBody/content/application~1json/schema";

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "x-c", "é"]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3..4_i64).prop_map(Value::from),
        select(vec![0.5, 1.0, 1.5, -0.0, 0.1, 0.3, 2.0]).prop_map(Value::from),
        select(vec![9_007_199_254_740_992_u64, 9_007_199_254_740_993, u64::MAX]).prop_map(Value::from),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => number(),
        3 => select(vec!["", "a", "ab", "é🦀", "abc", "a@b.c", "http://a", "2025-04-04"]).prop_map(Value::from),
    ]
}

fn instance() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn types() -> impl Strategy<Value = Value> {
    let names = vec!["string", "boolean", "null", "integer", "number", "array", "object"];
    prop_oneof![
        select(names.clone()).prop_map(Value::from),
        prop::sample::subsequence(names, 1..4).prop_map(Value::from)
    ]
}

fn leaf() -> impl Strategy<Value = (String, Value)> {
    let keyword = |name: &'static str| move |value: Value| (name.to_owned(), value);
    let count = || (0..4_u64).prop_map(Value::from);
    prop_oneof![
        types().prop_map(keyword("type")),
        prop::collection::vec(scalar(), 1..4).prop_map(Value::from).prop_map(keyword("enum")),
        instance().prop_map(keyword("const")),
        select(vec!["email", "uri", "date"]).prop_map(Value::from).prop_map(keyword("format")),
        count().prop_map(keyword("minLength")),
        count().prop_map(keyword("maxLength")),
        select(vec!["^a", "b$", "^[a-z]*$", "\\d"]).prop_map(Value::from).prop_map(keyword("pattern")),
        number().prop_map(keyword("minimum")),
        number().prop_map(keyword("maximum")),
        number().prop_map(keyword("exclusiveMinimum")),
        number().prop_map(keyword("exclusiveMaximum")),
        select(vec![json!(1), json!(2), json!(0.5), json!(0.1), json!(3), json!(1.5)]).prop_map(keyword("multipleOf")),
        count().prop_map(keyword("minItems")),
        count().prop_map(keyword("maxItems")),
        any::<bool>().prop_map(Value::from).prop_map(keyword("uniqueItems")),
        count().prop_map(keyword("minProperties")),
        count().prop_map(keyword("maxProperties")),
        prop::collection::btree_set(name(), 0..3)
            .prop_map(|names| names.into_iter().collect::<Value>())
            .prop_map(keyword("required")),
        prop::collection::btree_map(name(), prop::collection::btree_set(name(), 0..3), 0..3)
            .prop_map(|map| json!(map))
            .prop_map(keyword("dependentRequired")),
        select(vec![BODY, "#/components/schemas/Part"]).prop_map(Value::from).prop_map(keyword("$ref")),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    let keywords = |leaf: BoxedStrategy<(String, Value)>| {
        prop::collection::vec(leaf, 0..4).prop_map(|list| Value::Object(list.into_iter().collect::<Map<_, _>>()))
    };
    let leaf = self::leaf;
    prop_oneof![8 => keywords(leaf().boxed()), 1 => any::<bool>().prop_map(Value::from)].prop_recursive(
        3,
        12,
        3,
        move |inner| {
            let one = |name: &'static str| inner.clone().prop_map(move |value| (name.to_owned(), value));
            let list = |name: &'static str| {
                let list = prop::collection::vec(inner.clone(), 1..4);
                list.prop_map(move |list| (name.to_owned(), Value::from(list)))
            };
            let map = |keyword: &'static str| {
                let map = prop::collection::btree_map(name(), inner.clone(), 0..3);
                map.prop_map(move |map| (keyword.to_owned(), json!(map)))
            };
            let nested = prop_oneof![
                one("items"),
                list("prefixItems"),
                one("contains"),
                map("properties"),
                map("properties"),
                map("patternProperties"),
                one("additionalProperties"),
                one("propertyNames"),
                list("allOf"),
                list("anyOf"),
                list("oneOf"),
                one("not"),
                one("if"),
                one("then"),
                one("else"),
                map("dependentSchemas"),
                (0..3_u64).prop_map(|count| ("minContains".to_owned(), count.into())),
                (0..3_u64).prop_map(|count| ("maxContains".to_owned(), count.into())),
            ];
            keywords(prop_oneof![leaf(), nested].boxed())
        },
    )
}

/// Whether a schema includes itself, by references and combinations alone: the generator refuses such a document.
fn includes_itself(document: &Value) -> bool {
    fn visit(document: &Value, schema: &Value, depth: usize) -> bool {
        let one = |keyword: &str| schema.get(keyword).is_some_and(|part| visit(document, part, depth + 1));
        let all = |keyword: &str| {
            let parts = schema.get(keyword).and_then(Value::as_array);
            parts.is_some_and(|parts| parts.iter().any(|part| visit(document, part, depth + 1)))
        };
        let dependent = |schema: &Value| {
            let parts = schema.get("dependentSchemas").and_then(Value::as_object);
            parts.is_some_and(|parts| parts.values().any(|part| visit(document, part, depth + 1)))
        };
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| document.pointer(&target[1..]));
        depth > 24
            || target.is_some_and(|target| visit(document, target, depth + 1))
            || ["allOf", "anyOf", "oneOf"].into_iter().any(all)
            || ["not", "if", "then", "else"].into_iter().any(one)
            || dependent(schema)
    }
    let part = document.pointer("/components/schemas/Part").unwrap();
    let mut open = vec![document.pointer(&BODY[1..]).unwrap(), part];
    while let Some(value) = open.pop() {
        if value.is_object() && visit(document, value, 0) {
            return true;
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_is_that_of_the_hub(schema in schema(), part in schema(), instances in prop::collection::vec(instance(), 12)) {
        let document = convert::document(schema, json!({"Part": part}));
        prop_assume!(!includes_itself(&document));
        let mut theirs = document.clone();
        theirs["$ref"] = BODY.into();
        let validator = jsonschema::options().should_validate_formats(true).build(&theirs).unwrap();
        let rules = convert::body(&document);
        for instance in instances {
            let found = found(rules, &instance);
            prop_assert_eq!(
                found.is_empty(), validator.is_valid(&instance),
                "{}\n{}\n{:?}\n{:#?}", document, instance, found, rules
            );
        }
    }
}
