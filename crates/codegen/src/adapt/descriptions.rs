//! Collects descriptions that the generator loses: those of properties with a named type or with several declarations, and those of
//! alternatives without a named type.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::resolve;
use crate::{Pointer, Report};

/// The descriptions by type and property name, and by union and JSON type of the alternative.
#[derive(Debug, Clone, Default)]
pub(crate) struct Descriptions {
    properties: BTreeMap<(String, String), String>,
    alternatives: BTreeMap<(String, String), String>,
}

impl Descriptions {
    /// Returns the description of a property.
    pub(crate) fn get(&self, type_name: &str, property: &str) -> Option<&str> {
        self.properties.get(&(type_name.to_owned(), property.to_owned())).map(String::as_str)
    }

    /// Returns the description of a union's alternative with this JSON type, if it is the only one of that type.
    pub(crate) fn alternative(&self, union: &str, json_type: &str) -> Option<&str> {
        self.alternatives.get(&(union.to_owned(), json_type.to_owned())).map(String::as_str)
    }
}

/// Collects the descriptions of the properties of all components.
pub(super) fn collect(document: &Value, report: &Report) -> Descriptions {
    let mut found = Descriptions::default();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        add(document, report, name, schema, &mut found, 0);
        add_alternatives(name, schema, &mut found);
    }
    found
}

fn add_alternatives(name: &str, schema: &Value, found: &mut Descriptions) {
    let lists = ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
    let of_type = |part: &Value| part.get("type").and_then(Value::as_str).map(str::to_owned);
    for parts in lists {
        for part in parts {
            let text = part.get("description").and_then(Value::as_str);
            let Some((json_type, text)) = of_type(part).zip(text) else { continue };
            if parts.iter().filter(|other| of_type(other).as_ref() == Some(&json_type)).count() == 1 {
                found.alternatives.insert((name.to_owned(), json_type), text.to_owned());
            }
        }
    }
}

/// Adds descriptions. The schema's own members take precedence over those of its parts, and the last part over earlier ones, which it
/// narrows.
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
            found.properties.entry((name.to_owned(), property.clone())).or_insert_with(|| text.to_owned());
        }
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().rev();
    for part in parts.filter(|_| depth < 16) {
        add(document, report, name, resolve(document, part, 0), found, depth + 1);
    }
}

/// Returns the description of a property: its own, or that of a type that was made for this property only.
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
