//! Finds the parts of a value that the document marks as sensitive (`x-sensitive`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{escape, local_pointer};

/// Keywords whose schemas all apply to the same value.
const SAME: [&str; 4] = ["allOf", "if", "then", "else"];
/// Keywords with schemas of which one or several apply.
const ALTERNATIVES: [&str; 2] = ["anyOf", "oneOf"];

/// Returns the JSON pointers of the parts that are marked. Children of a marked part are not listed.
///
/// The value need not be valid: a part is marked if any schema that may apply to it says so. One part too many is better than one too few.
pub(super) fn sensitive(document: &Value, schema: &Value, value: &Value) -> BTreeSet<String> {
    let mut search = Search { document, found: BTreeSet::new() };
    search.visit(schema, value, "", &mut Vec::new());
    search.found
}

struct Search<'a> {
    document: &'a Value,
    found: BTreeSet<String>,
}

impl<'a> Search<'a> {
    /// Visits a value with a schema. `followed` are the references that led here from the same value.
    fn visit(&mut self, schema: &'a Value, value: &Value, at: &str, followed: &mut Vec<&'a str>) {
        if value.is_null() {
            return;
        }
        if schema.get("x-sensitive") == Some(&Value::Bool(true)) {
            self.found.insert(at.to_owned());
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && !followed.contains(&reference)
            && let Some(target) = local_pointer(reference).and_then(|target| self.document.pointer(&target))
        {
            followed.push(reference);
            self.visit(target, value, at, followed);
            followed.pop();
        }
        for keyword in SAME {
            self.visit_all(several(schema.get(keyword)), value, at, followed);
        }
        for keyword in ALTERNATIVES {
            let all = several(schema.get(keyword));
            let possible: Vec<_> = all.iter().filter(|schema| self.may_apply(schema, value)).collect();
            // If none can apply, the value is invalid, and it is unknown which one was meant.
            let chosen: Vec<_> = if possible.is_empty() { all.iter().collect() } else { possible };
            for schema in chosen {
                self.visit(schema, value, at, followed);
            }
        }
        // If the value has another JSON type than the schema, it itself contains what its parts should contain.
        if !value.is_array() {
            for keyword in ["items", "prefixItems"] {
                self.visit_all(several(schema.get(keyword)), value, at, followed);
            }
        }
        if !value.is_object() {
            let members = schema.get("properties").and_then(Value::as_object);
            for schema in members.into_iter().flat_map(|members| members.values()) {
                self.visit(schema, value, at, followed);
            }
        }
        match value {
            Value::Object(members) => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, member) in members {
                    let at = format!("{at}/{}", escape(name));
                    if let Some(schema) = known.and_then(|known| known.get(name)) {
                        self.visit(schema, member, &at, &mut Vec::new());
                        continue;
                    }
                    let patterns = schema.get("patternProperties").and_then(Value::as_object);
                    let others = ["additionalProperties", "unevaluatedProperties"];
                    let others = others.iter().filter_map(|keyword| schema.get(*keyword));
                    for schema in patterns.into_iter().flat_map(|it| it.values()).chain(others) {
                        self.visit(schema, member, &at, &mut Vec::new());
                    }
                }
            }
            Value::Array(items) => {
                let first =
                    schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                for (index, item) in items.iter().enumerate() {
                    let at = format!("{at}/{index}");
                    if let Some(schema) = first.get(index).or_else(|| schema.get("items")) {
                        self.visit(schema, item, &at, &mut Vec::new());
                    }
                }
            }
            _ => {}
        }
    }

    fn visit_all(&mut self, schemas: &'a [Value], value: &Value, at: &str, followed: &mut Vec<&'a str>) {
        for schema in schemas {
            self.visit(schema, value, at, followed);
        }
    }

    /// Returns whether an alternative may be the intended one: its JSON type matches, and no required member is missing.
    fn may_apply(&self, schema: &Value, value: &Value) -> bool {
        let mut schema = schema;
        // Chains of references are rare; a dangling reference rules nothing out.
        for _ in 0..8 {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(local_pointer);
            match target.and_then(|target| self.document.pointer(&target)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_name = |known: &Value| known == name || (known == "integer" && name == "number");
        let fits = match schema.get("type") {
            None => true,
            Some(Value::Array(names)) => names.iter().any(is_name),
            Some(known) => is_name(known),
        };
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        fits && (!value.is_object()
            || required.filter_map(Value::as_str).all(|member| value.get(member).is_some()))
    }
}

/// Returns a single schema or a list of schemas as a slice.
fn several(schemas: Option<&Value>) -> &[Value] {
    match schemas {
        Some(Value::Array(schemas)) => schemas,
        Some(schema) => std::slice::from_ref(schema),
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schema: &Value, value: &Value) -> Vec<String> {
        let document = json!({"components": {"schemas": {
            "Loop": {"properties": {"next": {"$ref": "#/components/schemas/Loop"}, "key": {"x-sensitive": true}}},
            "Self": {"$ref": "#/components/schemas/Self"},
        }}});
        sensitive(&document, schema, value).into_iter().collect()
    }

    #[test]
    fn marks_are_found_wherever_schemas_are() {
        let secret = json!({"x-sensitive": true});
        let cases = [
            (json!({"properties": {"a": secret}}), json!({"a": 1, "b": 2}), vec!["/a"]),
            (
                json!({"additionalProperties": secret, "properties": {"b": {}}}),
                json!({"a/~": 1, "b": 2}),
                vec!["/a~1~0"],
            ),
            (json!({"patternProperties": {"^a": secret}}), json!({"a": 1}), vec!["/a"]),
            (json!({"items": secret}), json!([1, 2]), vec!["/0", "/1"]),
            (json!({"prefixItems": [{}, secret]}), json!([1, 2]), vec!["/1"]),
            (json!({"allOf": [{"properties": {"a": secret}}]}), json!({"a": {"b": 1}}), vec!["/a"]),
            (json!({"then": {"properties": {"a": secret}}}), json!({"a": 1}), vec!["/a"]),
            (
                json!({"$ref": "#/components/schemas/Loop"}),
                json!({"next": {"next": {"key": 1}}}),
                vec!["/next/next/key"],
            ),
            (json!({"$ref": "#/components/schemas/Self"}), json!({"a": 1}), vec![]),
            (json!({"properties": {"a": {"items": secret}}}), json!({"a": "text"}), vec!["/a"]),
            (
                json!({"properties": {"a": {"items": {"properties": {"b": secret}}}}}),
                json!({"a": 1}),
                vec!["/a"],
            ),
            (json!({"properties": {"a": {"properties": {"b": secret}}}}), json!({"a": [1]}), vec!["/a"]),
            (json!({"properties": {"a": secret}}), json!({"a": null}), vec![]),
            (json!({"$ref": "#/components/schemas/Loop"}), json!({"next": "text"}), vec!["/next"]),
            (secret, json!({"a": 1}), vec![""]),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(found(&schema, &value), expected, "{schema} {value}");
        }
    }

    #[test]
    fn alternatives_that_cannot_be_meant_mark_nothing() {
        let schema = json!({"oneOf": [
            {"type": "object", "required": ["id"], "properties": {"id": {}}, "additionalProperties": {"x-sensitive": true}},
            {"type": "object", "properties": {"name": {}, "key": {"x-sensitive": true}}},
        ]});
        assert_eq!(found(&schema, &json!({"name": 1, "key": 2})), ["/key"]);
        assert_eq!(found(&schema, &json!({"id": 1, "name": 2})), ["/name"]);
        let strict = json!({"oneOf": [{"required": ["id"], "properties": {"key": {"x-sensitive": true}}}]});
        assert_eq!(found(&strict, &json!({"key": 1})), ["/key"], "none can be meant, so all may be");
    }
}
