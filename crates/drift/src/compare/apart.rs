//! Compares the conditions that distinguish the alternatives of a union: those of the document, and those that the code tests.
//!
//! For a member that several alternatives share, only the differences between them count: listed values, bounds, lengths and patterns.
//! `not` counts if it concerns only members, and a `discriminator` counts if the alternatives declare nothing else about its property.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::schema::{Dangling, Form, Node, Schemas, plain_number};

/// The conditions on a value, each as JSON in a canonical order: checks, and tags by a discriminator.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Apart {
    checks: BTreeSet<String>,
    tags: BTreeSet<String>,
}

/// Returns the conditions that the code tests for the values of a variant.
pub(super) fn asked(code: Schemas<'_>, node: &Node<'_>, index: usize) -> Apart {
    let notes = node.keyword(code, "x-rust");
    let of = |key: &str| {
        let list = notes.and_then(|notes| notes.get(key)?.get(index)?.as_array());
        list.into_iter().flatten().map(sorted).collect()
    };
    Apart { checks: of("checks"), tags: of("tags") }
}

fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    if let Some(Value::Array(inner)) = value.get_mut("not") {
        inner.sort_by_key(Value::to_string);
    }
    value.to_string()
}

/// The conditions of an alternative on a member.
#[derive(Default, PartialEq)]
struct Member {
    optional: bool,
    asks: BTreeSet<String>,
}

/// Returns the document's conditions on the values of each alternative. `tags` are the discriminators above each.
pub(super) fn stated<'a>(
    document: Schemas<'a>,
    alternatives: &[Node<'a>],
    tags: &[Vec<Value>],
) -> Result<Vec<Apart>, Dangling> {
    let mut all: Vec<BTreeMap<String, Member>> = Vec::new();
    for one in alternatives {
        all.push(members(document, one)?);
    }
    let mut stated = Vec::new();
    for (index, one) in alternatives.iter().enumerate() {
        let apart = |name: &String, member: &Member| {
            let mut others = all.iter().enumerate().filter(|(other, _)| *other != index);
            !member.asks.is_empty()
                && others.any(|(_, other)| other.get(name).is_some_and(|other| other != member))
        };
        let own = all[index].iter().filter(|(name, member)| apart(name, member));
        let mut checks: BTreeSet<String> = own.flat_map(|(_, member)| member.asks.clone()).collect();
        if let Some((_, not)) = document.constraints(one)?.get("not") {
            checks.extend(negation(not));
        }
        let mut asked = BTreeSet::new();
        for tag in tags.get(index).into_iter().flatten() {
            let Some(name) = tag.get("propertyName").and_then(Value::as_str).map(str::to_owned) else {
                continue;
            };
            let Some(member) = all[index].get(&name).filter(|member| !apart(&name, member)) else { continue };
            let listed = member
                .asks
                .iter()
                .find_map(|ask| serde_json::from_str::<Value>(ask).ok()?.get("one of").cloned());
            let values = tagged(tag, one, listed.as_ref());
            if !values.is_empty() {
                asked.insert(one_of(&name, values, member.optional));
            }
        }
        stated.push(Apart { checks, tags: asked });
    }
    Ok(stated)
}

/// Returns the values of a discriminator's property that select an alternative.
fn tagged(tag: &Value, one: &Node<'_>, listed: Option<&Value>) -> BTreeSet<String> {
    let Some(reference) = one.reference() else { return BTreeSet::new() };
    let name = reference.rsplit('/').next().unwrap_or_default();
    let mapping = tag.get("mapping").and_then(Value::as_object).into_iter().flatten();
    let mut values: BTreeSet<String> = mapping
        .filter(|(_, to)| to.as_str().is_some_and(|to| to == reference || to == name))
        .map(|(value, _)| json!(value).to_string())
        .collect();
    if values.is_empty() && listed.is_none() {
        values.insert(json!(name).to_string());
    }
    let known = |value: &String| {
        listed.is_none_or(|listed| listed.as_array().into_iter().flatten().any(|one| one == value))
    };
    values.retain(known);
    values
}

fn one_of(name: &str, mut values: BTreeSet<String>, null: bool) -> String {
    if null {
        values.insert("null".to_owned());
    }
    sorted(&json!({"member": name, "one of": values}))
}

/// Returns the conditions of an alternative on its members, if it is an object.
fn members<'a>(document: Schemas<'a>, one: &Node<'a>) -> Result<BTreeMap<String, Member>, Dangling> {
    let Form::Object { properties, required, .. } = document.view(one)?.form else {
        return Ok(BTreeMap::new());
    };
    let mut members = BTreeMap::new();
    for (name, node) in properties {
        let optional = !required.contains(&name);
        let mut asks = BTreeSet::new();
        let mut values = BTreeSet::new();
        let view = document.view(&node)?;
        if listed(document, &node, &mut values)? {
            asks.insert(one_of(&name, values, optional || view.nullable));
        }
        let constraints = document.constraints(&node)?;
        let limit = |keyword: &str| constraints.get(keyword).and_then(|(_, value)| value.as_f64());
        for (keyword, exclusive, operators, least) in [
            ("minimum", "exclusiveMinimum", [">=", ">"], true),
            ("maximum", "exclusiveMaximum", ["<=", "<"], false),
        ] {
            let bound = match (limit(keyword), limit(exclusive)) {
                (Some(one), Some(other)) if if least { one > other } else { one < other } => {
                    Some((operators[0], one))
                }
                (_, Some(other)) => Some((operators[1], other)),
                (one, None) => one.map(|one| (operators[0], one)),
            };
            if let Some((operator, limit)) = bound {
                asks.insert(ask(&name, "bound", &format!("{operator} {}", plain_number(limit))));
            }
        }
        for (keyword, operator) in [("minLength", ">="), ("maxLength", "<=")] {
            if let Some(limit) = limit(keyword) {
                asks.insert(ask(&name, "length", &format!("{operator} {}", plain_number(limit))));
            }
        }
        if let Some((_, Value::String(pattern))) = constraints.get("pattern") {
            asks.insert(ask(&name, "pattern", pattern));
        }
        members.insert(name, Member { optional, asks });
    }
    Ok(members)
}

fn ask(name: &str, kind: &str, value: &str) -> String {
    sorted(&json!({"member": name, kind: value}))
}

/// Collects the values that a schema lists. Returns whether it lists all values that it allows.
fn listed<'a>(
    document: Schemas<'a>,
    node: &Node<'a>,
    values: &mut BTreeSet<String>,
) -> Result<bool, Dangling> {
    match document.view(node)?.form {
        Form::Scalar { values: Some(listed), .. } => {
            values.extend(listed.iter().map(|value| plain(value)));
            Ok(true)
        }
        Form::Union { variants, .. } => {
            for variant in &variants {
                if !listed(document, variant, values)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Returns a value as JSON, in the same form for equal numbers.
fn plain(value: &str) -> String {
    serde_json::from_str::<f64>(value).map_or_else(|_| value.to_owned(), plain_number)
}

/// Returns the condition in `not`, if it concerns only members.
fn negation(not: &Value) -> Option<String> {
    let required: Vec<&str> = not
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut asks: Vec<Value> = required.iter().map(|name| json!({ "present": name })).collect();
    for (keyword, value) in not.as_object()? {
        match keyword.as_str() {
            "required" => {}
            "type" if value == "object" => {}
            "properties" => {
                for (name, member) in value.as_object()? {
                    let constant = member.get("const").map(|value| vec![value.clone()]);
                    let values = constant.or_else(|| member.get("enum")?.as_array().cloned())?;
                    let scalar = values.iter().all(|value| !value.is_array() && !value.is_object());
                    let known = ["const", "enum", "type"];
                    if !scalar || !member.as_object()?.keys().all(|keyword| known.contains(&keyword.as_str()))
                    {
                        return None;
                    }
                    let values = values.iter().map(|value| plain(&value.to_string())).collect();
                    let ask = one_of(name, values, !required.contains(&name.as_str()));
                    asks.push(serde_json::from_str(&ask).ok()?);
                }
            }
            _ => return None,
        }
    }
    (!asks.is_empty()).then(|| sorted(&json!({ "not": asks })))
}
