//! Finds declarations of operations that progenitor cannot generate, or would generate wrongly.

use std::collections::BTreeMap;

use heck::ToPascalCase;
use serde_json::Value;

use super::{Findings, resolve};
use crate::{
    PathItem, Pointer,
    adapt::{is_reserved, operation_id},
    grammar,
    media::sent_as,
    names::{field_name, function_name, is_taken_by_body},
    path_items,
};

pub(super) fn check(document: &Value, findings: &mut Findings) {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut known: BTreeMap<(String, String), String> = BTreeMap::new();
    for (path, place, item) in path_items(document) {
        let template = template(path, &place, findings);
        for (method, _, operation) in item.operations() {
            let place = place.child(method);
            if matches!(method, "options" | "trace") {
                findings.add(
                    &place,
                    format!("the HTTP client has no method for `{}`", method.to_uppercase()),
                    "remove the operation with an overlay action",
                );
            }
            let key = (method.to_owned(), grammar::path_template(path));
            if let Some(other) = known.insert(key, path.to_owned()) {
                findings.add(
                    &place,
                    format!(
                        "`{other}` is the same path, the names of parameters aside, and has the method too"
                    ),
                    "remove one of the two with an overlay action",
                );
            }
            identity(operation, path, method, &place, &mut ids, findings);
            let body = body(document, operation, &place, findings);
            parameters(document, &item, operation, &place, template.as_deref(), body, findings);
        }
    }
}

/// Checks that no two operations result in the same function (`a-b` and `a_b`) or the same builder (`a1` and `a_1`).
fn identity(
    operation: &Value,
    path: &str,
    method: &str,
    place: &Pointer,
    ids: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let id = operation_id(operation, path, method);
    let name = function_name(&id).to_pascal_case();
    if name.is_empty() {
        let reason = format!("the operation id `{id}` has no Rust name");
        findings.add(&place.child("operationId"), reason, "give it another one with an overlay action");
    } else if let Some(other) = ids.insert(name, id.clone()) {
        findings.add(
            place,
            format!("the operation ids `{id}` and `{other}` would give one Rust function"),
            "give one of them another `operationId` with an overlay action",
        );
    }
}

/// Returns the parameters of a path template, or `None` if it is malformed.
fn template(path: &str, place: &Pointer, findings: &mut Findings) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = path;
    let remedy = "correct the path with overlay actions (copy it to the right one, remove this one)";
    while let Some(open) = rest.find(['{', '}']) {
        let close = rest[open..].find('}').map(|close| open + close);
        match close {
            Some(close) if close > open + 1 && !rest[open + 1..close].contains(['{', '/']) => {
                names.push(rest[open + 1..close].to_owned());
                rest = &rest[close + 1..];
            }
            _ => {
                findings.add(place, "the braces of the path do not pair", remedy);
                return None;
            }
        }
    }
    for (part, reason) in [
        ("//", "of two slashes in a row progenitor would send one"),
        ("?", "a query in the path would not be sent as one; it belongs to the parameters"),
        (
            "#",
            "what follows a `#` is not sent: it may be a name in lower case by which operations of one path differ",
        ),
    ] {
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-')
        };
        // OpenAPI allows one operation for a path and method; a fragment allows for another one with the same URL.
        let differs = part == "#" && path.split_once('#').is_some_and(|(_, name)| is_name(name));
        if path.contains(part) && !differs {
            findings.add(place, reason, remedy);
            return None;
        }
    }
    Some(names)
}

#[allow(
    clippy::too_many_arguments,
    reason = "the facts of one operation, which no other code wants together"
)]
fn parameters(
    document: &Value,
    item: &PathItem<'_>,
    operation: &Value,
    place: &Pointer,
    template: Option<&[String]>,
    body: bool,
    findings: &mut Findings,
) {
    let list = |parameters: Option<&Value>| {
        let parameters = parameters.and_then(Value::as_array);
        parameters.into_iter().flatten().map(|one| resolve(document, one).clone()).collect::<Vec<_>>()
    };
    let shared = item.get("parameters").map(|(_, list)| list);
    let text = |parameter: &Value, key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
    // An operation's parameter replaces that of the path with the same name and place.
    let mut all: BTreeMap<(String, String), Value> = BTreeMap::new();
    for parameter in list(shared).into_iter().chain(list(operation.get("parameters"))) {
        if is_reserved(&parameter) {
            continue;
        }
        all.insert((text(&parameter, "name"), text(&parameter, "in")), parameter);
    }
    let place = place.child("parameters");
    let remedy = "correct it with an overlay action";
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for ((name, role), parameter) in &all {
        if let Some((reason, remedy)) = unusable(document, name, role, parameter) {
            findings.add(&place, format!("the {role} parameter `{name}`: {reason}"), remedy);
            continue;
        }
        if let Some(other) = fields.insert(field_name(name), name.clone()) {
            findings.add(
                &place,
                format!("the parameters `{other}` and `{name}` would have one name in Rust"),
                "remove one of them with an overlay action",
            );
        }
        if is_taken_by_body(name, body) {
            let reason = format!("the parameter `{name}` has the name of the field that holds the body");
            findings.add(&place, reason, "remove it with an overlay action");
        }
        if let (Some(names), "path") = (template, role.as_str())
            && !names.contains(name)
        {
            let reason = format!("the path parameter `{name}` is not in the path");
            findings.add(&place, reason, remedy);
        }
    }
    for name in template.into_iter().flatten() {
        if !all.contains_key(&(name.clone(), "path".to_owned())) {
            let reason = format!("`{{{name}}}` of the path is declared by no parameter");
            findings.add(&place, reason, "declare it with an overlay action");
        }
    }
}

/// Returns the reason why a parameter cannot be generated, and the remedy.
fn unusable(
    document: &Value,
    name: &str,
    role: &str,
    parameter: &Value,
) -> Option<(&'static str, &'static str)> {
    let remedy = "declare it in another way with an overlay action, or remove it there";
    let schema = parameter.get("schema").map(|schema| resolve(document, schema));
    let scalar = schema.is_none_or(|schema| is_scalar(document, schema, 0));
    let style = parameter.get("style").and_then(Value::as_str);
    let reason = match role {
        _ if name.is_empty() => "it has no name",
        "cookie" => "progenitor sends no cookies",
        "path" | "query" | "header" if parameter.get("content").is_some() => {
            "progenitor sends no parameters with a media type"
        }
        "path" if style.is_some_and(|style| style != "simple") => "progenitor knows the style `simple` only",
        "header" if style.is_some_and(|style| style != "simple") => {
            "progenitor knows the style `simple` only"
        }
        "query" if style.is_some_and(|style| style != "form") => "progenitor knows the style `form` only",
        "path" | "header" if !scalar => "only text, numbers and booleans can be sent there",
        "query" if schema.is_some_and(|schema| has_members(document, schema, 0)) => {
            return Some((
                "progenitor has no form for an object whose members are described",
                "declare each member as a parameter with an overlay action, which is what `form` sends",
            ));
        }
        "query" if schema.is_some_and(|schema| nests(document, schema, 0)) => {
            "a list or a map in a query can have text, numbers and booleans only"
        }
        "query" if !scalar && parameter.get("explode") == Some(&Value::Bool(false)) => {
            "progenitor would repeat the parameter for each value, whatever `explode` says"
        }
        "header" if !is_token(name) => "no HTTP header can have that name",
        "path" | "query" | "header" => return None,
        _ => "it is in no place where parameters can be",
    };
    Some((reason, remedy))
}

fn is_token(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Returns whether a value of the schema is text, a number or a boolean.
fn is_scalar(document: &Value, schema: &Value, depth: usize) -> bool {
    !may_be(document, schema, "array", depth) && !may_be(document, schema, "object", depth)
}

/// Returns whether the schema, one of its parts or one of its alternatives allows values of the type.
fn may_be(document: &Value, schema: &Value, wanted: &str, depth: usize) -> bool {
    let schema = resolve(document, schema);
    let stated = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        Some(name) => name == wanted,
        None => false,
    };
    let described = match wanted {
        "object" => ["properties", "additionalProperties", "patternProperties"].as_slice(),
        _ => &["items", "prefixItems"],
    };
    let implied =
        schema.get("type").is_none() && described.iter().any(|keyword| schema.get(keyword).is_some());
    // Nobody nests alternatives deeper than this, so nothing is assumed there.
    stated || implied || depth >= 32 || parts(schema).any(|part| may_be(document, part, wanted, depth + 1))
}

/// Returns whether an object's members are declared, here or in what is merged with this schema.
fn has_members(document: &Value, schema: &Value, depth: usize) -> bool {
    let schema = resolve(document, schema);
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    // A single alternative next to null is the schema itself.
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
    let single = alternatives.filter_map(|list| {
        let mut others = list.iter().filter(|one| !may_be(document, one, "null", 0));
        others.next().filter(|_| others.next().is_none())
    });
    schema.get("properties").is_some()
        || (depth < 32 && parts.chain(single).any(|part| has_members(document, part, depth + 1)))
}

/// Returns whether the schema allows lists or objects in a list or a map.
fn nests(document: &Value, schema: &Value, depth: usize) -> bool {
    let schema = resolve(document, schema);
    let keywords = ["additionalProperties", "items", "prefixItems"];
    let inner = keywords.into_iter().filter_map(|keyword| schema.get(keyword));
    let mut inner = inner.flat_map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
    inner.any(|item| !is_scalar(document, item, depth + 1))
        || (depth < 32 && parts(schema).any(|part| nests(document, part, depth + 1)))
}

fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
    lists.flatten()
}

/// Checks the request body, and returns whether there is one.
fn body(document: &Value, operation: &Value, place: &Pointer, findings: &mut Findings) -> bool {
    let Some(body) = operation.get("requestBody") else {
        return false;
    };
    let place = place.child("requestBody");
    let Some(Value::Object(content)) = resolve(document, body).get("content") else {
        return false;
    };
    if content.is_empty() {
        return false;
    }
    if sent_as(content.keys().map(String::as_str)).is_none() {
        let names: Vec<_> = content.keys().map(String::as_str).collect();
        findings.add(
            &place,
            format!("progenitor cannot send {}", names.join(" or ")),
            "declare a body of `application/json` with an overlay action, or remove the operation there",
        );
    }
    true
}
