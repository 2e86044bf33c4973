//! Which operation or schema makes the generator fail.
//!
//! Lint knows the ways to fail that have been met; this is for those that have not, and for those that only show when
//! everything is put together.

use serde_json::{Map, Value, json};

use crate::{Pointer, Problem, Problems, grammar, lenient};

/// After so many the rest is left for the next run.
const MOST: usize = 10;

/// Finds what makes `fails` give a reason, which it does for the whole document.
pub(super) fn find(document: &Value, reason: &str, fails: impl Fn(&Value) -> Option<String>) -> Problems {
    let remedy = "state it in another way with an overlay action, or remove the operation there";
    let mut rest = document.clone();
    let mut reason = reason.to_owned();
    let mut found = Vec::new();
    while found.len() < MOST {
        let Some(culprit) = first(&rest, &mut reason, &fails) else {
            found.push(Problem::new(&Pointer::root(), &reason, remedy));
            break;
        };
        found.push(Problem::new(&culprit, &reason, remedy));
        lenient::drop_part(&mut rest, &culprit);
        match fails(&rest) {
            Some(next) => reason = next,
            None => break,
        }
    }
    match Problems::none_or(found) {
        Err(problems) => problems,
        Ok(()) => Problem::new(&Pointer::root(), reason, remedy).into(),
    }
}

/// The first operation or schema with which the document fails, while it does not with those before it. `reason` becomes
/// the reason for that. `None` if it fails without any.
fn first(
    document: &Value,
    reason: &mut String,
    fails: &impl Fn(&Value) -> Option<String>,
) -> Option<Pointer> {
    let parts = parts(document);
    if fails(&only(document, &[])).is_some() {
        return None;
    }
    let (mut well, mut failing) = (0, parts.len());
    while failing - well > 1 {
        let middle = usize::midpoint(well, failing);
        match fails(&only(document, &parts[..middle])) {
            Some(earlier) => {
                failing = middle;
                *reason = earlier;
            }
            None => well = middle,
        }
    }
    parts.get(failing.checked_sub(1)?).cloned()
}

/// The schemas first, so that an operation is blamed for nothing but what it does itself.
fn parts(document: &Value) -> Vec<Pointer> {
    let mut parts = Vec::new();
    let schemas = Pointer::from_text("/components/schemas");
    if let Some(Value::Object(members)) = schemas.get(document) {
        parts.extend(members.keys().map(|name| schemas.child(name)));
    }
    let paths = Pointer::from_text("/paths");
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let methods = item.as_object().into_iter().flat_map(Map::keys).filter(|key| grammar::is_method(key));
        parts.extend(methods.map(|method| paths.child(path).child(method)));
    }
    parts
}

/// The document with these parts only, and with the schemas that they need.
fn only(document: &Value, parts: &[Pointer]) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut open: Vec<String> = Vec::new();
    for part in parts {
        match part.tokens().as_slice() {
            [first, path, method] if first == "paths" => {
                let Some(Value::Object(item)) = document["paths"].get(path) else { continue };
                let shared = item.iter().filter(|(key, _)| !grammar::is_method(key));
                let slot = paths
                    .entry(path)
                    .or_insert_with(|| Value::Object(shared.map(|(k, v)| (k.clone(), v.clone())).collect()));
                slot[method] = item.get(method).cloned().unwrap_or_default();
                needs(slot, &mut open);
            }
            [_, _, name] => open.push(name.clone()),
            _ => {}
        }
    }
    while let Some(name) = open.pop() {
        if let Some(schema) = document["components"]["schemas"].get(&name)
            && !schemas.contains_key(&name)
        {
            needs(schema, &mut open);
            schemas.insert(name, schema.clone());
        }
    }
    json!({
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// The components that a value refers to. A fitted document has no data in which a `$ref` could stand for something else.
fn needs(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| needs(item, names)),
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            names.extend(target.map(|target| target.last()));
            members.values().for_each(|member| needs(member, names));
        }
        _ => {}
    }
}
