//! Leaves out parts that cannot be generated, instead of rejecting the whole document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    PathItem, Pointer, Problem, Problems, Report, Table,
    grammar::{self, Node},
    path_item,
    report::Kind,
    table::Entry,
};

/// Calls a function with the document. While that fails, drops the parts that the problems concern and tries again.
///
/// For a problem in an operation, that operation is dropped; for a problem in a path outside of its operations, the whole path. For a
/// problem in a component, it is dropped with every operation that needs it. With an operation, its entry in the table of resources is
/// dropped. The report lists each operation with the reason. A problem that concerns no operation, such as a missing `openapi`, remains an
/// error.
///
/// ```
/// use suprsend_codegen::{Settings, generate, generate_partial};
///
/// let document = serde_json::json!({
///     "openapi": "3.1.0",
///     "info": {"title": "Two operations", "version": "1"},
///     "paths": {"/thing": {
///         "get": {"operationId": "get_thing", "responses": {"204": {"description": "There"}}},
///         "trace": {"operationId": "trace_thing", "responses": {"204": {"description": "There"}}},
///     }},
/// });
/// let settings = Settings::default();
/// assert!(generate(&document, &settings).is_err());
/// let (generated, dropped) = generate_partial(&document, |document| generate(document, &settings))?;
/// assert!(generated.rust.contains("struct GetThing"));
/// assert!(dropped.to_string().starts_with("/paths/~1thing/trace: dropped: "));
/// # Ok::<(), suprsend_codegen::Problems>(())
/// ```
///
/// # Errors
///
/// The problems of the last attempt, if leaving out parts does not help.
pub fn generate_partial<T>(
    document: &Value,
    attempt: impl Fn(&Value) -> Result<T, Problems>,
) -> Result<(T, Report), Problems> {
    let mut rest = document.clone();
    let mut report = Report::default();
    loop {
        let problems = match attempt(&rest) {
            Ok(made) => return Ok((made, report)),
            Err(problems) => problems,
        };
        if !drop_all(&mut rest, &problems, &mut report) {
            return Err(problems);
        }
    }
}

/// Drops the parts that the problems concern. Returns `false` if one of the problems concerns nothing that could be dropped.
fn drop_all(document: &mut Value, problems: &Problems, report: &mut Report) -> bool {
    let mut reasons: BTreeMap<Pointer, String> = BTreeMap::new();
    for problem in problems.iter() {
        let Some(part) = problem.pointer().and_then(|place| part_of(document, place)) else {
            return false;
        };
        reasons.entry(part).or_insert_with(|| reason(problem));
    }
    dependents(document, &mut reasons);
    for (part, reason) in &reasons {
        for (place, what) in operations(document, part) {
            report.add(Kind::Dropped, &place, format!("{what}: {reason}"));
        }
        if part.tokens().first().is_some_and(|first| first != "paths") {
            report.add(Kind::Dropped, part, reason.clone());
        }
    }
    let before = path_item::operations(document);
    for part in reasons.keys() {
        remove(document, part);
    }
    let after = path_item::operations(document);
    remove_entries(document, &(&before - &after));
    true
}

/// Removes the entries of dropped operations from the table of resources, if lint can read the table.
fn remove_entries(document: &mut Value, dropped: &BTreeSet<(String, String)>) {
    let is_dropped = |entry: &Entry| dropped.contains(&(entry.method.clone(), entry.path.clone()));
    let places = Table::from_document(document).map(|table| table.places(&is_dropped));
    for place in places.unwrap_or_default() {
        remove(document, &place);
    }
}

/// Drops parts, with everything that needs them.
pub(crate) fn drop_parts<'a>(document: &mut Value, parts: impl IntoIterator<Item = &'a Pointer>) {
    let mut parts: BTreeMap<Pointer, String> =
        parts.into_iter().map(|part| (part.clone(), String::new())).collect();
    dependents(document, &mut parts);
    for part in parts.keys() {
        remove(document, part);
    }
}

fn reason(problem: &Problem) -> String {
    format!("{}, at {}", problem.reason(), problem.place())
}

/// Returns the smallest part that can be left out: an operation, a path, a component or a webhook.
fn part_of(document: &Value, place: &Pointer) -> Option<Pointer> {
    let tokens = place.tokens();
    let length = match tokens.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["paths", _, method, ..] if grammar::is_method(method) => 3,
        ["components", _, _, ..] => 3,
        ["paths" | "webhooks", _, ..] | ["components", _] => 2,
        _ => return None,
    };
    let first = |count: usize| tokens.iter().take(count).fold(Pointer::root(), |at, token| at.child(token));
    let part = first(length);
    let item = first(length - 1);
    // If the operation next to a reference were removed, the one behind the reference would replace it.
    let elsewhere = length == 3
        && path_item::target(document, &item)
            .is_some_and(|target| PathItem::read(document, &target).get(&part.last()).is_some());
    if !elsewhere && part.get(document).is_some() {
        return Some(part);
    }
    Some(item).filter(|item| length == 3 && item.get(document).is_some())
}

/// Adds everything that refers to a dropped part, directly or indirectly.
fn dependents(document: &Value, reasons: &mut BTreeMap<Pointer, String>) {
    let mut users: BTreeMap<Pointer, Vec<Pointer>> = BTreeMap::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, _, pointer| {
        let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        let target = target.and_then(|target| part_of(document, &target));
        if let (Some(target), Some(user)) = (target, part_of(document, pointer)) {
            users.entry(target).or_default().push(user);
        }
    });
    let mut open: Vec<Pointer> = reasons.keys().cloned().collect();
    while let Some(part) = open.pop() {
        // Dropping a path drops its operations, and everything that refers to those.
        let below = users.range(part.clone()..).take_while(|(target, _)| part.contains(target));
        let gone: Vec<Pointer> = below.flat_map(|(_, users)| users).cloned().collect();
        let reason = reasons[&part].clone();
        for user in gone {
            if !reasons.contains_key(&user) {
                reasons.insert(user.clone(), reason.clone());
                open.push(user);
            }
        }
    }
}

/// Returns the operations of a part, each with its common name.
fn operations(document: &Value, part: &Pointer) -> Vec<(Pointer, String)> {
    let tokens = part.tokens();
    let Some(item) = part.get(document).and_then(Value::as_object) else {
        return Vec::new();
    };
    match tokens.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["paths", path, method] => vec![(part.clone(), called(path, method, item))],
        ["paths", path] => {
            let item = PathItem::read(document, part);
            let operations = item.operations().filter_map(|(method, _, operation)| {
                Some((part.child(method), called(path, method, operation.as_object()?)))
            });
            let mut found: Vec<_> = operations.collect();
            if found.is_empty() {
                found.push((part.clone(), format!("all of {path}")));
            }
            found
        }
        _ => Vec::new(),
    }
}

fn called(path: &str, method: &str, operation: &Map<String, Value>) -> String {
    let name = format!("{} {path}", method.to_uppercase());
    match operation.get("operationId").and_then(Value::as_str) {
        Some(id) => format!("{name} ({id})"),
        None => name,
    }
}

fn remove(document: &mut Value, part: &Pointer) {
    let parent = part.parent().unwrap_or_default();
    if let Some(Value::Object(members)) = parent.get_mut(document) {
        members.shift_remove(&part.last());
    }
}
