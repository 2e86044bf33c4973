//! A value made from a schema, for replies of which the document has no example.

use serde_json::{Map, Value};

use super::local_pointer;

/// A value that has the form of the schema: its own example, default, constant or first choice, otherwise one made from its
/// type. Nothing for a schema that contains itself without a way out.
pub(super) fn sample(document: &Value, schema: &Value) -> Option<Value> {
    Sampler { document, inside: Vec::new() }.make(schema)
}

struct Sampler<'a> {
    document: &'a Value,
    /// The references that are being followed; a schema that contains itself ends there.
    inside: Vec<&'a str>,
}

impl<'a> Sampler<'a> {
    fn make(&mut self, schema: &'a Value) -> Option<Value> {
        let shown = ["example", "default", "const"].iter().find_map(|key| schema.get(key));
        let first = || ["examples", "enum"].iter().find_map(|key| schema.get(key)?.get(0));
        if let Some(value) = shown.or_else(first) {
            return Some(value.clone());
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.follow(reference);
        }
        if let Some(variants) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            return variants.iter().find_map(|variant| self.make(variant));
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut all = Map::new();
            for part in parts {
                match self.make(part)? {
                    Value::Object(members) => all.extend(members),
                    value => return Some(value),
                }
            }
            return Some(all.into());
        }
        self.of_type(schema)
    }

    fn follow(&mut self, reference: &'a str) -> Option<Value> {
        if self.inside.contains(&reference) {
            return None;
        }
        let target = self.document.pointer(&local_pointer(reference)?)?;
        self.inside.push(reference);
        let made = self.make(target);
        self.inside.pop();
        made
    }

    fn of_type(&mut self, schema: &'a Value) -> Option<Value> {
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            Some(kind) => kind.as_str(),
            None if schema.get("properties").is_some() => Some("object"),
            None if schema.get("items").is_some() => Some("array"),
            None => None,
        };
        let minimum = || schema.get("minimum").cloned();
        Some(match kind {
            Some("object") => return self.object(schema),
            Some("array") => schema.get("items").and_then(|items| self.make(items)).into_iter().collect(),
            Some("string") => text(schema.get("format").and_then(Value::as_str)).into(),
            Some("integer") => minimum().unwrap_or_else(|| 1.into()),
            Some("number") => minimum().unwrap_or_else(|| 1.5.into()),
            Some("boolean") => true.into(),
            _ => Value::Null,
        })
    }

    /// A member that cannot be made is left out, if it may be.
    fn object(&mut self, schema: &'a Value) -> Option<Value> {
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut members = Map::new();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            match self.make(schema) {
                Some(value) => {
                    members.insert(name.clone(), value);
                }
                None if required.iter().any(|required| required == name) => return None,
                None => {}
            }
        }
        Some(members.into())
    }
}

fn text(format: Option<&str>) -> &'static str {
    match format {
        Some("date-time") => "2025-04-04T09:55:12.397Z",
        Some("date") => "2025-04-04",
        Some("time") => "09:55:12Z",
        Some("email") => "user@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "018f4f2e-7a3c-7b1d-9a55-3c1f0e9d2b64",
        Some("ipv4") => "127.0.0.1",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_of_schema_gives_a_value_of_its_form() {
        let document = json!({"components": {"schemas": {
            "Tree": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Tree"},
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
            }},
            "Endless": {"type": "object", "required": ["self"], "properties": {
                "self": {"$ref": "#/components/schemas/Endless"}
            }}
        }}});
        let cases = [
            (json!({"$ref": "#/components/schemas/Tree"}), Some(json!({"name": "text", "children": []}))),
            (json!({"$ref": "#/components/schemas/Endless"}), None),
            (json!({"$ref": "#/nowhere"}), None),
            (json!({"oneOf": [{"$ref": "#/components/schemas/Endless"}, {"const": 1}]}), Some(json!(1))),
            (
                json!({"allOf": [{"properties": {"a": {"enum": ["x"]}}}, {"properties": {"b": {"type": "boolean"}}}]}),
                Some(json!({"a": "x", "b": true})),
            ),
            (json!({"type": ["integer", "null"], "minimum": 7}), Some(json!(7))),
            (json!({"type": "string", "format": "email"}), Some(json!("user@example.com"))),
            (json!({}), Some(Value::Null)),
        ];
        for (schema, expected) in &cases {
            assert_eq!(sample(&document, schema), *expected, "{schema}");
        }
    }
}
