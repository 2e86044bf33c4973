//! Checks a body against what the document says about it.
//!
//! The rules are read from the document itself, so that a new member is checked as soon as the document has it. Of JSON Schema
//! this knows what such documents use to say what a value has to be: `$ref`, `type`, `enum`, `required`, `properties`,
//! `additionalProperties`, `items`, `oneOf`, `anyOf`, `allOf` and `format`. What it does not know it lets through, for the API
//! to judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::{Map, Value};
use suprsend_api::DOCUMENT;

use super::format;
use crate::error::Violations;

/// Secrets that are shorter than this are not looked for in messages, since they would be found in ordinary words.
const SECRET: usize = 8;

static PARSED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap_or_default());

/// The schemas of the operations' JSON bodies, by operation id as the generated method is named.
static BODIES: LazyLock<BTreeMap<String, &Value>> = LazyLock::new(|| {
    let paths = PARSED.get("paths").and_then(Value::as_object);
    let operations =
        paths.into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values);
    operations
        .filter_map(|operation| {
            let id = operation.get("operationId")?.as_str()?.replace('-', "_").to_ascii_lowercase();
            Some((id, operation.pointer("/requestBody/content/application~1json/schema")?))
        })
        .collect()
});

/// The operations that have a JSON body, and its schema.
pub(super) fn bodies() -> impl Iterator<Item = (&'static str, &'static Value)> {
    BODIES.iter().map(|(operation, schema)| (operation.as_str(), *schema))
}

fn body_schema(operation: &str) -> Option<&'static Value> {
    BODIES.get(operation).copied()
}

/// Checks the body of an operation.
pub(crate) fn check(operation: &str, body: &Value, violations: &mut Violations) {
    if let Some(schema) = body_schema(operation) {
        walk(schema, body, "", violations);
    }
}

pub(super) fn walk(schema: &Value, value: &Value, path: &str, violations: &mut Violations) {
    let schema = resolve(schema);
    if let Some(types) = schema.get("type")
        && !names(types).any(|name| is_of(name, value))
    {
        let wanted = names(types).collect::<Vec<_>>().join(" or ");
        violations.add(path, format!("is of another type than {wanted}"));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        violations.add(path, "is none of the values that the document lists");
    }
    for part in list(schema, "allOf") {
        walk(part, value, path, violations);
    }
    one_of_several(schema, value, path, violations);
    match value {
        Value::String(text) => {
            let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
            if let Some(rule) = format::violation(format, text) {
                violations.add(path, rule);
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                walk(schema, item, &format!("{path}[{index}]"), violations);
            }
        }
        Value::Object(object) => {
            for name in missing(schema, object) {
                violations.add(member(path, name), "is missing");
            }
            for (name, value) in object {
                let schema = property(schema, name).or_else(|| schema.get("additionalProperties"));
                if let Some(schema) = schema {
                    walk(schema, value, &member(path, name), violations);
                }
            }
        }
        _ => {}
    }
}

/// `oneOf` and `anyOf`. If none fits, the variant that misses no member is the one that was meant, and what is wrong with it is
/// what is wrong.
fn one_of_several(schema: &Value, value: &Value, path: &str, violations: &mut Violations) {
    for keyword in ["oneOf", "anyOf"] {
        let judged: Vec<_> = list(schema, keyword)
            .map(|variant| {
                let mut found = Violations::default();
                walk(variant, value, path, &mut found);
                (resolve(variant), found)
            })
            .collect();
        let fitting: Vec<_> =
            judged.iter().filter(|(_, found)| found.is_empty()).map(|(variant, _)| *variant).collect();
        if judged.is_empty() || fitting.len() == 1 || (keyword == "anyOf" && !fitting.is_empty()) {
            continue;
        }
        if fitting.len() > 1 {
            let rule = format!("fits several of its variants, keep one of: {}", describe(&fitting));
            violations.add(path, rule);
            continue;
        }
        let variants: Vec<_> = judged.iter().map(|(variant, _)| *variant).collect();
        let meant = |variant: &Value| {
            let typed = variant.get("type").is_none_or(|types| names(types).any(|name| is_of(name, value)));
            typed && value.as_object().is_none_or(|object| missing(variant, object).next().is_none())
        };
        match judged.into_iter().find(|(variant, _)| meant(variant)) {
            Some((_, found)) => violations.append(found),
            None => violations.add(path, format!("fits none of its variants: {}", describe(&variants))),
        }
    }
}

/// The variants by the members that they require, or else by their types: "`email` and `access_token`, `channel` and
/// `access_token`".
fn describe(variants: &[&Value]) -> String {
    let describe = |variant: &&Value| {
        let required = list(variant, "required").filter_map(Value::as_str).map(|name| format!("`{name}`"));
        let required: Vec<_> = required.collect();
        let types = || variant.get("type").into_iter().flat_map(names).collect::<Vec<_>>().join(" or ");
        if required.is_empty() { types() } else { required.join(" and ") }
    };
    variants.iter().map(describe).collect::<Vec<_>>().join(", ")
}

/// The texts in a body that the document marks as sensitive (`x-sensitive`), which a message must not show.
pub(crate) fn secrets(operation: &str, body: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let (Some(schema), Ok(body)) = (body_schema(operation), serde_json::from_slice(body)) {
        collect(schema, &body, false, &mut found);
    }
    found
}

fn collect(schema: &Value, value: &Value, sensitive: bool, found: &mut BTreeSet<String>) {
    let schema = resolve(schema);
    let sensitive = sensitive || schema.get("x-sensitive").is_some_and(|mark| mark == true);
    for keyword in ["allOf", "oneOf", "anyOf"] {
        list(schema, keyword).for_each(|part| collect(part, value, sensitive, found));
    }
    match value {
        Value::String(text) if sensitive && text.len() >= SECRET => {
            found.insert(text.clone());
        }
        Value::Array(items) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            for item in items {
                collect(schema, item, sensitive, found);
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                // Without `additionalProperties`: custom properties are private, but words like any other.
                if let Some(schema) = property(schema, name) {
                    collect(schema, value, sensitive, found);
                }
            }
        }
        _ => {}
    }
}

/// Follows references within the document, which the generator has seen to lead somewhere.
pub(super) fn resolve(mut schema: &Value) -> &Value {
    // More hops than any document has in a row, fewer than a circle.
    for _ in 0..16 {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        match target.and_then(|pointer| PARSED.pointer(pointer)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

fn list<'a>(schema: &'a Value, keyword: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

fn missing<'a>(schema: &'a Value, object: &Map<String, Value>) -> impl Iterator<Item = &'a str> {
    list(schema, "required").filter_map(Value::as_str).filter(|name| !object.contains_key(*name))
}

fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `type` is a name or a list of names.
pub(super) fn names(types: &Value) -> impl Iterator<Item = &str> {
    types.as_str().into_iter().chain(types.as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        // 1.0 is an integer to JSON Schema.
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(schema: &Value, value: &Value) -> Vec<String> {
        let mut violations = Violations::default();
        walk(schema, value, "", &mut violations);
        violations.finish().map_or_else(
            |error| error.violations().iter().map(ToString::to_string).collect(),
            |()| Vec::new(),
        )
    }

    /// The rules come from the document: without it nothing would be checked.
    #[test]
    fn the_document_is_read() {
        assert!(body_schema("create_update_users").is_some());
        assert!(body_schema("no_such_operation").is_none());
    }

    #[test]
    fn keywords() {
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": ["string", "null"]},
                "size": {"type": "integer"},
                "mode": {"enum": ["a", 1]},
                "either": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["x"]}]},
                "both": {"allOf": [{"required": ["x"]}, {"required": ["y"]}]},
                "any": true,
            },
            "additionalProperties": {"type": "boolean"},
        });
        let good = json!({"id": null, "size": 1.0, "mode": 1, "either": "x", "both": {"x": 1, "y": 1}, "any": 1, "more": true});
        assert_eq!(found(&schema, &good), Vec::<String>::new());
        let bad = json!({"size": 1.5, "mode": "b", "either": {}, "both": {"x": 1}, "more": 1});
        // Members come in the order of the map, which depends on how serde_json is built.
        let mut found = found(&schema, &bad);
        found.sort();
        assert_eq!(
            found,
            [
                "both.y is missing",
                "either fits none of its variants: string, `x`",
                "id is missing",
                "mode is none of the values that the document lists",
                "more is of another type than boolean",
                "size is of another type than integer",
            ]
        );
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let entry = json!({"items": {"$ref": "#/components/schemas/ChannelEntry"}});
        assert_eq!(found(&entry, &json!([{"status": 1}])), ["[0].status is of another type than string"]);
        let circle = json!({"$ref": "#/components/schemas/NoSuchSchema"});
        assert_eq!(found(&circle, &json!(1)), Vec::<String>::new());
    }

    #[test]
    fn secrets_are_those_that_the_document_marks() {
        let body = json!({
            "$email": ["jane@example.com"],
            "$androidpush": ["android-token", "short"],
            "$slack": [{"email": "jane@example.com", "access_token": "xoxb-token"}],
            "$webpush": [{"endpoint": "https://push.example.com", "keys": {"p256dh": "public-key", "auth": "auth-secret"}}],
            "plan": "professional",
        });
        let found = secrets("create_update_users", body.to_string().as_bytes());
        assert_eq!(
            Vec::from_iter(found),
            ["android-token", "auth-secret", "https://push.example.com", "public-key", "xoxb-token"]
        );
        assert!(secrets("create_update_users", b"not json").is_empty());
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            ".{0,5}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let name = prop_oneof!["\\$(email|slack|webpush|ms_teams)", "type|items|keys|\\$ref|required"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((name, inner), 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_and_no_schema_panics(schema in anything(), value in anything()) {
            found(&schema, &value);
            check("create_update_users", &value, &mut Violations::default());
            secrets("create_update_users", value.to_string().as_bytes());
        }
    }
}
