//! Reduces each operation to one success type and one error type, as progenitor requires.

use serde_json::{Map, Value, json};

use super::schema::is_null;
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    media::{JSON, allows_content, is_json, may_lack_content, read_as},
    names::{self, Names, type_name},
    report::Kind,
};

/// The kind of a response's body, as far as progenitor distinguishes them.
#[derive(Clone, PartialEq)]
enum Body {
    Nothing,
    Json(Value),
    Bytes,
}

pub(super) fn unify(document: &mut Value, report: &mut Report) {
    let mut names = Names::from_components(document);
    for (path, method, place) in super::operations(document) {
        let Some(operation) = place.get(document) else { continue };
        let id = super::operation_id(operation, &path, &method);
        let place = place.child("responses");
        let Some(Value::Object(responses)) = place.get(document) else {
            continue;
        };
        let mut responses = responses.clone();
        for (status, response) in &mut responses {
            if !allows_content(&method, status) {
                drop_content(response, &place.child(status), report);
            }
            read_as_json(response, &place.child(status), report);
        }
        expand_default(&mut responses, &place, report);
        for status in
            responses.keys().filter(|status| role(status) == Role::None && !status.starts_with("x-"))
        {
            let note = "it is neither success nor error for the client; it arrives as an unexpected response";
            report.add(Kind::Widened, &place.child(status), note);
        }
        for (wanted, role_name) in [(Role::Success, "Success"), (Role::Error, "Error")] {
            let statuses: Vec<String> =
                responses.keys().filter(|status| role(status) == wanted).cloned().collect();
            let name = type_name(&format!("{id} {role_name}"));
            one_type(document, &mut responses, &statuses, (&mut names, &name), &place, report);
        }
        if let Some(slot) = place.get_mut(document) {
            *slot = Value::Object(responses);
        }
    }
}

/// Removes content that HTTP does not allow.
fn drop_content(response: &mut Value, place: &Pointer, report: &mut Report) {
    let Value::Object(members) = response else { return };
    if members
        .shift_remove("content")
        .is_some_and(|content| content.as_object().is_some_and(|content| !content.is_empty()))
    {
        report.add(
            Kind::AnnotationDropped,
            &place.child("content"),
            "HTTP has no content here, so none is read",
        );
    }
}

/// Reduces a response to at most one media type, under the name that progenitor decodes.
fn read_as_json(response: &mut Value, place: &Pointer, report: &mut Report) {
    let Some(Value::Object(content)) = response.get_mut("content") else {
        return;
    };
    let place = place.child("content");
    let chosen = read_as(content.keys().map(String::as_str)).map(str::to_owned);
    let Some(chosen) = chosen else { return };
    for name in content.keys().filter(|name| **name != chosen) {
        let note = format!("the response is read as `{chosen}`");
        report.add(Kind::AnnotationDropped, &place.child(name), note);
    }
    let Some(mut media) = content.shift_remove(&chosen) else { return };
    let json = is_json(&chosen);
    if let Value::Object(media) = &mut media {
        media.shift_remove("encoding");
        if json {
            media.entry("schema").or_insert_with(|| json!({}));
        }
    }
    content.clear();
    if json && chosen != JSON {
        let note = format!("the body is JSON and read as `{JSON}`");
        report.add(Kind::Renamed, &place.child(&chosen), note);
    }
    content.insert(if json { JSON.to_owned() } else { chosen }, media);
}

/// The role that progenitor assigns to a status.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Success,
    Error,
    None,
}

fn role(status: &str) -> Role {
    if status == "101" || status.starts_with('2') {
        Role::Success
    } else if status.starts_with(['4', '5']) {
        Role::Error
    } else {
        Role::None
    }
}

/// Expands `default`, which would count as success and as error, to all statuses that are not declared.
fn expand_default(responses: &mut Map<String, Value>, place: &Pointer, report: &mut Report) {
    let Some(default) = responses.shift_remove("default") else {
        return;
    };
    if responses.keys().any(|status| status.starts_with('2')) {
        let note =
            "beside a success it stands for errors; any other status arrives as an unexpected response";
        report.add(Kind::Widened, &place.child("default"), note);
    } else {
        responses.insert("2XX".to_owned(), default.clone());
    }
    for range in ["4XX", "5XX"] {
        responses.entry(range).or_insert_with(|| default.clone());
    }
}

fn body_of(response: &Value) -> Body {
    let content = response.get("content").and_then(Value::as_object);
    match content.and_then(|content| content.iter().next()) {
        None => Body::Nothing,
        Some((name, media)) if name == JSON => {
            Body::Json(media.get("schema").cloned().unwrap_or_else(|| json!({})))
        }
        Some(_) => Body::Bytes,
    }
}

/// Combines the bodies of these statuses into one type. The first kind among JSON, bytes and nothing is kept. A status with another kind is
/// left undeclared: it reaches the caller with its status and an unread body.
fn one_type(
    document: &mut Value,
    responses: &mut Map<String, Value>,
    statuses: &[String],
    (names, name): (&mut Names, &str),
    place: &Pointer,
    report: &mut Report,
) {
    let mut bodies: Vec<Value> = Vec::new();
    let mut bytes = false;
    for status in statuses {
        match body_of(&responses[status]) {
            Body::Json(schema) if !bodies.contains(&schema) => bodies.push(schema),
            Body::Bytes => bytes = true,
            Body::Json(_) | Body::Nothing => {}
        }
    }
    // A success without content next to one with JSON is `None`.
    let empty = |status: &String| status.starts_with('2') && body_of(&responses[status]) == Body::Nothing;
    let lacks = |status: &String| may_lack_content(status, body_of(&responses[status]) != Body::Nothing);
    let optional = !bodies.is_empty() && statuses.iter().any(lacks);
    let mut left_out = Vec::new();
    for status in statuses {
        let kept = match body_of(&responses[status]) {
            Body::Json(_) => true,
            Body::Bytes => bodies.is_empty(),
            Body::Nothing => bodies.is_empty() && !bytes,
        };
        if kept {
            continue;
        }
        let (kind, note) = if optional && empty(status) {
            (Kind::Combined, "a success without content is `None` beside those with a body")
        } else {
            let note = "beside statuses with another kind of body it is undeclared; it arrives as an unexpected response";
            (Kind::Widened, note)
        };
        report.add(kind, &place.child(status), note);
        left_out.push(status);
    }
    for status in left_out {
        responses.shift_remove(status);
    }
    if bodies.len() < 2 && !optional {
        return;
    }
    let statuses: Vec<&str> =
        statuses.iter().map(String::as_str).filter(|status| responses.contains_key(*status)).collect();
    let several = bodies.len() > 1;
    let distinct = distinct(document, bodies);
    let mut schema = if let [only] = distinct.as_slice() {
        if several {
            let note = format!("the bodies of {} are the same, so they are one type", statuses.join(", "));
            report.add(Kind::Combined, place, note);
        }
        only.clone()
    } else {
        let name = names.take(name);
        report.moved(place, &name);
        let note = format!("{} have bodies of their own, all of the type `{name}`", statuses.join(", "));
        report.add(Kind::Combined, place, note);
        names::components(document).insert(name.clone(), json!({"anyOf": distinct}));
        json!({"$ref": format!("#/components/schemas/{name}")})
    };
    let is_option =
        |schema: &Value| schema["oneOf"].as_array().is_some_and(|parts| parts.iter().any(is_null));
    if optional && !is_option(&schema) {
        schema = json!({"oneOf": [schema, {"enum": [null]}]});
    }
    for status in statuses {
        if let Some(slot) = responses
            .get_mut(status)
            .and_then(|response| response.pointer_mut("/content/application~1json/schema"))
        {
            *slot = schema.clone();
        }
    }
}

/// Returns the schemas without duplicates, that is, without those that declare the same as an earlier one.
fn distinct(document: &Value, schemas: Vec<Value>) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    let mut distinct = Vec::new();
    for schema in schemas {
        let target = schema.get("$ref").and_then(Value::as_str);
        let place = target.and_then(Pointer::from_reference);
        let mut stated = place.and_then(|place| place.get(document)).unwrap_or(&schema).clone();
        grammar::rewrite(&mut stated, Node::Schema, &Pointer::root(), &mut |value, _, _| {
            if let Value::Object(schema) = value {
                schema.shift_remove("description");
            }
        });
        if !seen.contains(&stated) {
            seen.push(stated);
            distinct.push(schema);
        }
    }
    distinct
}
