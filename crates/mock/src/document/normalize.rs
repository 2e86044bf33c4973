//! Converts habits of SuprSend's document that JSON Schema 2020-12 does not know to forms that it does.

use serde_json::{Map, Value, json};

/// Keys whose value is data and not a schema, even if it looks like one.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];
/// Keys whose members have arbitrary names, each with a schema.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "schemas"];

/// Normalizes every schema of a document.
///
/// `nullable: true`, which OpenAPI 3.1 dropped, adds `null` to the type. Keywords without a value and a `required` that is not a list are
/// meaningless and are removed. The formats `int32` and `int64` imply bounds.
pub(crate) fn normalize(document: &mut Value) {
    match document {
        Value::Object(members) => {
            normalize_keywords(members);
            for (key, value) in members {
                match value {
                    _ if DATA.contains(&key.as_str()) => {}
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        named.values_mut().for_each(normalize);
                    }
                    value => normalize(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalize),
        _ => {}
    }
}

fn normalize_keywords(schema: &mut Map<String, Value>) {
    for key in ["type", "properties", "items", "required", "enum", "format"] {
        if schema.get(key).is_some_and(Value::is_null) {
            schema.remove(key);
        }
    }
    // In a parameter, a body or a header, `required: true` appears next to these keys and has a meaning.
    let is_schema = !["in", "content", "schema"].iter().any(|key| schema.contains_key(*key));
    if is_schema && schema.get("required").is_some_and(Value::is_boolean) {
        schema.remove("required");
    }
    let greatest = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => Some(i64::from(i32::MAX)),
        Some("int64") => Some(i64::MAX),
        _ => None,
    };
    if let Some(greatest) = greatest {
        schema.entry("maximum").or_insert(greatest.into());
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        schema.remove("nullable");
        if let Some(Value::String(kind)) = schema.get("type") {
            let kinds = json!([kind, "null"]);
            schema.insert("type".into(), kinds);
        }
        if let Some(Value::Array(choices)) = schema.get_mut("enum")
            && !choices.contains(&Value::Null)
        {
            choices.push(Value::Null);
        }
    }
}

/// Returns the document for validating requests, if it differs: in OpenAPI 3.0, a `readOnly` member is required only in responses.
pub(crate) fn for_requests(document: &Value) -> Option<Value> {
    without_required(document, "readOnly")
}

/// Returns the document for validating responses, if it differs: in OpenAPI 3.0, a `writeOnly` member is required only in requests.
pub(crate) fn for_responses(document: &Value) -> Option<Value> {
    without_required(document, "writeOnly")
}

fn without_required(document: &Value, flag: &str) -> Option<Value> {
    let version = document.get("openapi").and_then(Value::as_str)?;
    version.starts_with("3.0.").then(|| {
        let mut other = document.clone();
        drop_required(&mut other, document, flag);
        other
    })
}

fn drop_required(value: &mut Value, document: &Value, flag: &str) {
    let has_flag = |schema: &Value| {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(super::local_pointer);
        let target = target.and_then(|target| document.pointer(&target));
        [Some(schema), target].into_iter().flatten().any(|it| it.get(flag) == Some(&Value::Bool(true)))
    };
    match value {
        Value::Object(members) => {
            let properties = members.get("properties").and_then(Value::as_object);
            let flagged = properties.into_iter().flatten().filter(|(_, schema)| has_flag(schema));
            let flagged: Vec<String> = flagged.map(|(name, _)| name.clone()).collect();
            if let Some(Value::Array(required)) = members.get_mut("required") {
                required.retain(|name| !flagged.iter().any(|flagged| name == flagged));
            }
            members.values_mut().for_each(|value| drop_required(value, document, flag));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| drop_required(value, document, flag)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(mut document: Value) -> Value {
        normalize(&mut document);
        document
    }

    #[test]
    fn nullable_adds_null_to_type_and_choices() {
        let schema = json!({"type": "string", "nullable": true, "enum": ["a"]});
        assert_eq!(mended(schema), json!({"type": ["string", "null"], "enum": ["a", null]}));
    }

    #[test]
    fn formats_of_integers_have_a_greatest_number() {
        let schema = json!({"type": "integer", "format": "int32", "minimum": 1});
        let expected = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": i32::MAX});
        assert_eq!(mended(schema), expected);
        assert_eq!(mended(json!({"format": "int64"})), json!({"format": "int64", "maximum": i64::MAX}));
        assert_eq!(
            mended(json!({"format": "int64", "maximum": 9})),
            json!({"format": "int64", "maximum": 9})
        );
    }

    #[test]
    fn keywords_that_say_nothing_go() {
        let schema = json!({"type": null, "properties": {"a": {"required": true, "type": "string"}}});
        assert_eq!(mended(schema), json!({"properties": {"a": {"type": "string"}}}));
    }

    #[test]
    fn a_property_called_like_a_keyword_and_data_stay() {
        let schema = json!({
            "properties": {"nullable": {"type": "boolean"}, "example": {"type": "string", "nullable": true}},
            "example": {"nullable": true, "type": "plan"}
        });
        let expected = json!({
            "properties": {"nullable": {"type": "boolean"}, "example": {"type": ["string", "null"]}},
            "example": {"nullable": true, "type": "plan"}
        });
        assert_eq!(mended(schema), expected);
    }

    #[test]
    fn a_required_parameter_stays_required() {
        let parameter = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
        assert_eq!(mended(parameter.clone()), parameter);
    }
}
