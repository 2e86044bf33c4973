//! Upstream's habits that JSON Schema 2020-12 does not know, in terms that it does.

use serde_json::{Map, Value, json};

/// Keys whose value is data, not schemas, even if it looks like one.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];
/// Keys whose members have names of the author's choosing, each with a schema.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "schemas"];

/// Mends every schema of a document.
///
/// `nullable: true`, which OpenAPI 3.1 dropped, adds `null` to the type; a keyword with no value and a `required` that is
/// not a list say nothing and go.
pub(crate) fn mend(document: &mut Value) {
    match document {
        Value::Object(members) => {
            mend_keywords(members);
            for (key, value) in members {
                match value {
                    _ if DATA.contains(&key.as_str()) => {}
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        named.values_mut().for_each(mend);
                    }
                    value => mend(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

fn mend_keywords(schema: &mut Map<String, Value>) {
    for key in ["type", "properties", "items", "required", "enum", "format"] {
        if schema.get(key).is_some_and(Value::is_null) {
            schema.remove(key);
        }
    }
    // `required: true` stands beside `in` in a parameter or a body, where it means something.
    let is_schema = !schema.contains_key("in") && !schema.contains_key("content");
    if is_schema && schema.get("required").is_some_and(Value::is_boolean) {
        schema.remove("required");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(mut document: Value) -> Value {
        mend(&mut document);
        document
    }

    #[test]
    fn nullable_adds_null_to_type_and_choices() {
        let schema = json!({"type": "string", "nullable": true, "enum": ["a"]});
        assert_eq!(mended(schema), json!({"type": ["string", "null"], "enum": ["a", null]}));
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
