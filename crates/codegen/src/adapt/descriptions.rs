//! The descriptions of properties, which the generator loses where a property has a type of its own or is stated twice.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::resolve;
use crate::{Pointer, Report};

/// The descriptions by the type and the name of the property.
#[derive(Debug, Clone, Default)]
pub(crate) struct Descriptions(BTreeMap<(String, String), String>);

impl Descriptions {
    /// The description of a property.
    pub(crate) fn get(&self, type_name: &str, property: &str) -> Option<&str> {
        self.0.get(&(type_name.to_owned(), property.to_owned())).map(String::as_str)
    }
}

/// Reads the descriptions of the properties of all components.
pub(super) fn collect(document: &Value, report: &Report) -> Descriptions {
    let mut found = Descriptions::default();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        add(document, report, name, schema, &mut found, 0);
    }
    found
}

/// The schema's own members go before those of its parts. Of the parts, the last goes first: it narrows those before it.
fn add(
    document: &Value,
    report: &Report,
    name: &str,
    schema: &Value,
    found: &mut Descriptions,
    depth: usize,
) {
    for (property, stated) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = description(document, report, stated) {
            found.0.entry((name.to_owned(), property.clone())).or_insert_with(|| text.to_owned());
        }
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().rev();
    for part in parts.filter(|_| depth < 16) {
        add(document, report, name, resolve(document, part, 0), found, depth + 1);
    }
}

/// The description of a property: its own, or that of the type that was made of it alone.
fn description<'a>(document: &'a Value, report: &Report, property: &'a Value) -> Option<&'a str> {
    let text = |schema: &'a Value| schema.get("description").and_then(Value::as_str);
    if let Some(text) = text(property) {
        return Some(text);
    }
    let option = property.get("oneOf").and_then(|alternatives| alternatives.get(0));
    let target =
        option.unwrap_or(property).get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference)?;
    let components = Pointer::from_text("/components/schemas");
    let named = report.origin(&target).parent().as_ref() == Some(&components);
    target.get(document).filter(|_| !named).and_then(text)
}
