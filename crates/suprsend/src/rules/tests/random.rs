//! Compares verdicts on random values and random schemas with those of the validator crate that the mock server uses.

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

/// Boxed, because the unboxed type takes minutes to compile.
fn leaf() -> BoxedStrategy<(String, Value)> {
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
        // For integers that no float can hold, the crate uses the nearest float for other fractions.
        select(vec![json!(1), json!(2), json!(0.5), json!(0.1), json!(3)]).prop_map(keyword("multipleOf")),
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
    .boxed()
}

fn schema() -> impl Strategy<Value = Value> {
    let keywords = |leaf: BoxedStrategy<(String, Value)>| {
        prop::collection::vec(leaf, 0..4)
            .prop_map(|list| Value::Object(list.into_iter().collect::<Map<_, _>>()))
    };
    let leaf = self::leaf;
    prop_oneof![8 => keywords(leaf()), 1 => any::<bool>().prop_map(Value::from)].prop_recursive(
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

/// Returns whether a schema includes itself by references and combinations alone: the generator rejects such a document.
fn includes_itself<'a>(document: &'a Value, schema: &'a Value, open: &mut Vec<&'a Value>) -> bool {
    if open.iter().any(|other| std::ptr::eq(*other, schema)) {
        return true;
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| document.pointer(&target[1..]));
    let one = ["not", "if", "then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
    let list = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
    let dependent =
        schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let included: Vec<_> = target.into_iter().chain(one).chain(list.flatten()).chain(dependent).collect();
    open.push(schema);
    let found = included.into_iter().any(|part| includes_itself(document, part, open));
    open.pop();
    found
}

/// Returns all values in a value, including itself.
fn all(value: &Value) -> Vec<&Value> {
    let mut found = vec![value];
    let mut next = 0;
    while let Some(value) = found.get(next) {
        match value {
            Value::Array(items) => found.extend(items),
            Value::Object(members) => found.extend(members.values()),
            _ => {}
        }
        next += 1;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// With a single keyword, values to which it applies are more frequent.
    #[test]
    fn a_verdict_by_one_keyword_is_that_of_the_hub(
        (keyword, value) in leaf().prop_filter("it needs a document", |(keyword, _)| keyword != "$ref"),
        instances in prop::collection::vec(instance(), 40),
    ) {
        let schema = json!({ keyword: value });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let rules = convert::schema(&schema);
        for instance in instances {
            prop_assert_eq!(found(rules, &instance).is_empty(), validator.is_valid(&instance), "{}\n{}", schema, instance);
        }
    }

    #[test]
    fn a_verdict_is_that_of_the_hub(schema in schema(), part in schema(), instances in prop::collection::vec(instance(), 12)) {
        let document = convert::document(&schema, &json!({"Part": part}));
        prop_assume!(!all(&document).into_iter().any(|value| includes_itself(&document, value, &mut Vec::new())));
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
