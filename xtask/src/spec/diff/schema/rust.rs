//! Asks the generator for the Rust type of a scalar, or whether a list is one: its choice depends on formats and bounds.

use std::collections::HashMap;

use quote::ToTokens;
use serde_json::{Value, json};
use suprsend_codegen::{Settings, generate};
use syn::{Fields, Item};

use crate::spec::diff::{
    numbers::plain,
    view::{View, covers},
};

/// Types that have been requested, by their schemas.
#[derive(Debug, Default)]
pub(super) struct RustTypes(HashMap<String, Option<String>>);

impl RustTypes {
    /// Returns the Rust type, as far as it does not depend on other schemas. Schemas with variants, values or properties have none here.
    pub(super) fn lookup(&mut self, view: &View<'_>) -> Option<String> {
        let types = view.types.as_ref().filter(|types| types.len() == 1)?;
        if view.values.is_some() || !view.unions.is_empty() || covers(types, "object") {
            return None;
        }
        let mut schema = json!({"type": types.first()?});
        for (keyword, (_, bound)) in &view.bounds {
            schema[*keyword] = plain(&bound.clone().into());
        }
        if let Some((_, format)) = &view.format {
            schema["format"] = Value::from(*format);
        }
        if let Some(pattern) = view.patterns.keys().next() {
            schema["pattern"] = Value::from(*pattern);
        }
        if covers(types, "array") {
            schema["items"] = json!({"type": "string"});
        }
        self.0.entry(schema.to_string()).or_insert_with(|| field(&schema)).clone()
    }
}

/// Returns the type of a field with this schema.
fn field(schema: &Value) -> Option<String> {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Holder"}}});
    let operation =
        json!({"operationId": "get", "responses": {"200": {"description": "", "content": content}}});
    let holder = json!({"type": "object", "required": ["field"], "properties": {"field": schema}});
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "paths": {"/": {"get": operation}},
        "components": {"schemas": {"Holder": holder}},
    });
    let generated = generate(&document, &Settings::default()).ok()?;
    let file = syn::parse_file(&generated.rust).ok()?;
    let types = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    })?;
    types.1.iter().find_map(|item| match item {
        Item::Struct(holder) if holder.ident == "Holder" => match &holder.fields {
            Fields::Named(fields) => fields.named.first().map(|field| field.ty.to_token_stream().to_string()),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::field;
    use serde_json::json;

    #[test]
    fn the_generator_is_asked() {
        for (schema, part) in [
            (json!({"type": "integer"}), "i64"),
            (json!({"type": "integer", "format": "int32", "minimum": 1}), "i32"),
            (json!({"type": "string", "format": "date-time"}), "DateTime"),
            (json!({"type": "string", "maxLength": 3}), "String"),
        ] {
            let found = field(&schema).unwrap();
            assert!(found.contains(part), "{schema} is {found}");
        }
    }
}
