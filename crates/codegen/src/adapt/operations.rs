//! Adapts operations: their ids, parameters and request bodies.

use serde_json::{Value, json};

use super::schema::{is_null, resolve};
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    media::{essence, sent_as},
    names::is_taken_by_client,
    report::Kind,
};

/// Returns an operation's id. It is derived from method and path if the document has none: `post-v1-user-distinct_id`.
///
/// If the generated client needs the name itself, `operation` is appended to the id.
pub(crate) fn operation_id(operation: &Value, path: &str, method: &str) -> String {
    let id = match operation.get("operationId").and_then(Value::as_str) {
        Some(id) => id.to_owned(),
        None => std::iter::once(method)
            .chain(path.split(['/', '{', '}']).filter(|part| !part.is_empty()))
            .collect::<Vec<_>>()
            .join("-"),
    };
    if is_taken_by_client(&id) { format!("{id}-operation") } else { id }
}

/// Assigns an id to every operation.
pub(super) fn identify(document: &mut Value, report: &mut Report) {
    for (path, method, place) in super::operations(document) {
        let Some(operation) = place.get_mut(document) else { continue };
        let id = operation_id(operation, &path, &method);
        if let Value::Object(members) = operation
            && members.get("operationId").is_none_or(|stated| *stated != *id)
        {
            let reason = match members.get("operationId") {
                Some(stated) => format!("the client needs the name {stated} for itself; the operation"),
                None => "without `operationId`, it".to_owned(),
            };
            report.add(Kind::Renamed, &place, format!("{reason} is `{id}`"));
            members.insert("operationId".to_owned(), id.into());
        }
    }
}

/// Replaces references to shared parameters, bodies, responses and headers with their targets.
pub(super) fn inline_references(document: &mut Value) {
    let whole = document.clone();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if matches!(node, Node::Schema | Node::PathItem) {
            return;
        }
        // Lint has rejected circles; the limit is for a document that was not linted.
        for _ in 0..32 {
            let target = value.get("$ref").and_then(Value::as_str);
            match target.and_then(Pointer::from_reference).and_then(|place| place.get(&whole)) {
                Some(next) => *value = next.clone(),
                None => return,
            }
        }
    });
}

/// Adapts the parameters and the request body of every operation.
pub(super) fn adapt(document: &mut Value, report: &mut Report) {
    let whole = document.clone();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| match node {
        Node::PathItem | Node::Operation => drop_reserved(value, pointer, report),
        Node::Parameter => parameter(&whole, value, pointer, report),
        Node::RequestBody => request_body(value, pointer, report),
        _ => {}
    });
}

/// Returns whether the specification says that header parameters with this name shall be ignored.
pub(crate) fn is_reserved(parameter: &Value) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default().to_ascii_lowercase();
    parameter["in"] == "header" && matches!(name.as_str(), "accept" | "authorization" | "content-type")
}

fn drop_reserved(value: &mut Value, pointer: &Pointer, report: &mut Report) {
    let Some(Value::Array(parameters)) = value.get_mut("parameters") else {
        return;
    };
    let place = pointer.child("parameters");
    for (index, parameter) in parameters.iter().enumerate().filter(|(_, one)| is_reserved(one)) {
        let note = format!("{} is no parameter of an operation; the client sets it", parameter["name"]);
        report.add(Kind::AnnotationDropped, &place.child(index), note);
    }
    parameters.retain(|parameter| !is_reserved(parameter));
}

fn parameter(document: &Value, value: &mut Value, pointer: &Pointer, report: &mut Report) {
    let Value::Object(parameter) = value else { return };
    let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default().to_owned();
    if place == "path" {
        // The specification requires it, but some documents omit it.
        parameter.insert("required".to_owned(), true.into());
    }
    if parameter.contains_key("content") {
        return;
    }
    let schema = parameter.entry("schema").or_insert_with(|| json!({"type": "string"}));
    if matches!(place.as_str(), "path" | "header") && !prints(document, schema, 0) {
        *schema = json!({"type": "string"});
        let note =
            "values of this type, null among them, have no text of their own; the value is passed as text";
        report.add(Kind::Widened, &pointer.child("schema"), note);
    }
}

/// Returns whether the Rust type of a schema has a `Display` implementation with the text to send.
fn prints(document: &Value, schema: &Value, depth: usize) -> bool {
    let schema = resolve(document, schema, 0);
    if depth > 8 || is_null(schema) || schema.get("nullable") == Some(&Value::Bool(true)) {
        return false;
    }
    let of_all = |keyword: &str| {
        let parts = schema.get(keyword).and_then(Value::as_array);
        parts.is_some_and(|parts| parts.iter().all(|part| prints(document, part, depth + 1)))
    };
    match schema.get("type").and_then(Value::as_str) {
        Some(name) => {
            matches!(name, "boolean" | "integer" | "number" | "string")
                && !["allOf", "anyOf", "not", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some())
        }
        // Several parts are merged; the result is not known here.
        None if schema.get("allOf").and_then(Value::as_array).is_some_and(|parts| parts.len() == 1) => {
            of_all("allOf")
        }
        None => of_all("oneOf") || schema.get("enum").is_some(),
    }
}

/// Reduces a request body to a single media type.
fn request_body(value: &mut Value, pointer: &Pointer, report: &mut Report) {
    let Some(Value::Object(content)) = value.get_mut("content") else {
        return;
    };
    // Lint has rejected a body that cannot be sent.
    let chosen = sent_as(content.keys().map(String::as_str)).map(str::to_owned);
    let Some(chosen) = chosen.or_else(|| content.keys().next().cloned()) else {
        return;
    };
    let place = pointer.child("content");
    for name in content.keys().filter(|name| **name != chosen) {
        report.add(Kind::AnnotationDropped, &place.child(name), format!("the request is sent as `{chosen}`"));
    }
    content.retain(|name, _| *name == chosen);
    if let Some(Value::Object(media)) = content.get_mut(&chosen) {
        media.shift_remove("encoding");
        let schema = match essence(&chosen).as_str() {
            "application/octet-stream" => Some(json!({"type": "string", "format": "binary"})),
            "text/plain" | "text/x-markdown" => Some(json!({"type": "string"})),
            _ => None,
        };
        match schema {
            Some(schema) => {
                media.insert("schema".to_owned(), schema);
            }
            None => {
                media.entry("schema").or_insert_with(|| json!({}));
            }
        }
    }
}

/// Removes everything that progenitor ignores, so that it cannot cause errors in the parser of the document.
pub(super) fn strip(document: &mut Value, report: &mut Report) {
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let Value::Object(members) = value else { return };
        let silent: &[&str] = match node {
            Node::Document => &["externalDocs", "tags"],
            Node::PathItem => &["description", "servers", "summary"],
            Node::Operation => &["deprecated", "externalDocs", "security", "servers", "tags"],
            Node::Parameter | Node::Header | Node::MediaType => &["example", "examples"],
            Node::Components => &[
                "callbacks",
                "examples",
                "headers",
                "links",
                "parameters",
                "pathItems",
                "requestBodies",
                "responses",
                "securitySchemes",
            ],
            _ => &[],
        };
        let noted: &[(&str, &str)] = match node {
            Node::Operation => &[("callbacks", "requests that the API sends are no part of a client")],
            Node::Response => &[
                ("headers", "headers of responses are read by name, not by type"),
                ("links", "links have no Rust form"),
            ],
            _ => &[],
        };
        members.retain(|key, _| {
            (!key.starts_with("x-") || matches!(node, Node::Paths | Node::Responses))
                && !silent.contains(&key.as_str())
        });
        for (key, note) in noted {
            if members.shift_remove(*key).is_some() {
                report.add(Kind::AnnotationDropped, &pointer.child(key), *note);
            }
        }
        if node == Node::Document {
            members.shift_remove("security");
            members.shift_remove("servers");
            if let Some(Value::Object(info)) = members.get_mut("info") {
                let read = ["description", "termsOfService", "title", "version"];
                info.retain(|key, value| value.is_string() && read.contains(&key.as_str()));
            }
        }
    });
}
