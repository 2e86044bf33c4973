//! Operators on operations and their parts, and on the document as a whole.

use serde_json::{Map, Value, json};

use super::{
    mutant::{Edit, Mutant},
    places::{Role, Site},
};
use crate::{document::METHODS, pointer::Pointer};

/// A name that no document contains.
const NEW: &str = "drift_new";
const HEADER: &str = "X-Drift";

/// Makes every change of operations at these places.
pub(super) fn mutants(sites: &[Site<'_>]) -> Vec<Mutant> {
    let schemes: Vec<&str> = sites
        .iter()
        .filter(|site| site.role == Role::Document)
        .filter_map(|site| site.value.pointer("/components/securitySchemes").and_then(Value::as_object))
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    let mut mutants = Vec::new();
    for site in sites {
        match site.role {
            Role::Document => document(site, &mut mutants),
            Role::Path => path(site, &mut mutants),
            Role::Operation => operation(site, &mut mutants),
            Role::Parameter => parameter(site, &mut mutants),
            Role::Body => body(site, &mut mutants),
            Role::Responses => responses(site, &mut mutants),
            Role::Response => response(site, &mut mutants),
            Role::Content => content(site, &mut mutants),
            Role::Scheme => scheme(site, &mut mutants),
            Role::Schema => {}
        }
        if matches!(site.role, Role::Document | Role::Path | Role::Operation) {
            servers(site, &mut mutants);
        }
        if matches!(site.role, Role::Document | Role::Operation) {
            security(site, &schemes, &mut mutants);
        }
    }
    mutants
}

fn document(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    if let Some(table) = site.member("x-resources") {
        resources(site, table, &site.pointer.child("x-resources"), mutants);
    }
    mutants.push(site.put("webhook added", "webhooks", json!({NEW: {"post": {"responses": {}}}})));
    let path = site.pointer.child("paths").child(format!("/{NEW}/"));
    let item = json!({"get": {"operationId": NEW, "responses": {"204": {"description": "d"}}}});
    mutants.push(site.mutant("path added", "", vec![Edit::Put(path, item)]));
    let schema = site.pointer.child("components").child("schemas").child(NEW);
    let added = vec![Edit::Put(schema, json!({"type": "object", "properties": {NEW: {"type": "string"}}}))];
    mutants.push(site.mutant("unused component added", "", added));
}

/// Makes changes of the table of resources.
fn resources(site: &Site<'_>, table: &Value, at: &Pointer, mutants: &mut Vec<Mutant>) {
    for (name, entry) in table.as_object().into_iter().flatten() {
        let at = at.child(name);
        if let Some((method, path)) = entry.as_str().and_then(|entry| entry.split_once(' ')) {
            let repeatable = matches!(method, "get" | "head" | "put" | "delete" | "options" | "trace");
            let entry = json!({method: path, "idempotent": !repeatable});
            mutants.push(site.mutant("repetition changed", name, vec![Edit::Put(at.clone(), entry)]));
        } else if METHODS
            .iter()
            .any(|method| entry.get(method).and_then(Value::as_str).is_some_and(|path| path.starts_with('/')))
        {
            let known = entry.get("idempotent").and_then(Value::as_bool);
            if let Some(known) = known {
                let edits = vec![Edit::Put(at.child("idempotent"), (!known).into())];
                mutants.push(site.mutant("repetition changed", name, edits));
            }
            if let Some(key) = entry.get("idempotency_key").and_then(Value::as_str) {
                let edits = vec![Edit::Put(at.child("idempotency_key"), format!("{key}/drift").into())];
                mutants.push(site.mutant("idempotency key changed", name, edits));
                mutants.push(site.mutant(
                    "idempotency key changed",
                    name,
                    vec![Edit::Remove(at.child("idempotency_key"))],
                ));
            }
        } else {
            resources(site, entry, &at, mutants);
        }
        if let Some(verdict) = entry.get("verdict") {
            let at = at.child("verdict");
            for part in ["holds", "reasons"] {
                let other = format!("{}/drift", verdict[part].as_str().unwrap_or_default());
                mutants.push(site.mutant(
                    "verdict changed",
                    name,
                    vec![Edit::Put(at.child(part), other.into())],
                ));
            }
            mutants.push(site.mutant(
                "verdict changed",
                name,
                vec![Edit::Put(at.child("asked_by"), "drift".into())],
            ));
            mutants.push(site.mutant("verdict removed", name, vec![Edit::Remove(at)]));
        }
    }
    if let Some(feature) = table.get("feature").and_then(Value::as_str).filter(|name| !name.contains(' ')) {
        let at = at.child("feature");
        mutants.push(site.mutant("feature changed", feature, vec![Edit::Put(at.clone(), "drift".into())]));
        mutants.push(site.mutant("feature removed", feature, vec![Edit::Remove(at)]));
    }
}

fn path(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let path = site.pointer.last();
    let mut altered = vec![format!("{path}{NEW}/"), format!("/{NEW}{path}")];
    altered.extend(path.strip_suffix('/').filter(|path| !path.is_empty()).map(str::to_owned));
    // Every part of it that is not a parameter.
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        if !segment.is_empty() && !segment.starts_with('{') {
            let mut segments = segments.clone();
            segments[index] = NEW;
            altered.push(segments.join("/"));
        }
    }
    for name in altered {
        let note = format!("as {name}");
        mutants.push(site.mutant("path changed", note, vec![Edit::Rename(site.pointer.clone(), name)]));
    }
    // A path parameter, only in the path.
    for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let renamed = path.replace(&format!("{{{name}}}"), &format!("{{{NEW}}}"));
        let edits = vec![Edit::Rename(site.pointer.clone(), renamed)];
        mutants.push(site.mutant("path parameter renamed", name, edits));
    }
    mutants.push(site.mutant("path removed", "", vec![Edit::Remove(site.pointer.clone())]));
    mutants.extend(added_parameters(site, "parameter added for a path"));
}

fn operation(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let at = &site.pointer;
    let item = at.parent().unwrap_or_default();
    let method = at.last();
    // To all other methods, including existing ones: in that case, the change merges two operations into one.
    for other in METHODS.into_iter().filter(|other| *other != method) {
        let edits = vec![Edit::Rename(at.clone(), other.to_owned())];
        mutants.push(site.mutant("method changed", format!("{method} as {other}"), edits));
        let copy = vec![Edit::Put(item.child(other), site.value.clone())];
        mutants.push(site.mutant("operation copied to a method", other, copy));
    }
    mutants.push(site.mutant("operation removed", &method, vec![Edit::Remove(at.clone())]));
    mutants.push(site.put("operation id changed", "operationId", NEW));
    if site.member("operationId").is_some() {
        mutants.push(site.without("operation id removed", "operationId"));
    }
    let deprecated = site.member("deprecated") == Some(&Value::Bool(true));
    mutants.push(site.put("operation deprecated", "deprecated", !deprecated));
    mutants.push(site.put(
        "callback added",
        "callbacks",
        json!({NEW: {"{$url}": {"post": {"responses": {}}}}}),
    ));
    mutants.extend(added_parameters(site, "parameter added"));
    if site.member("requestBody").is_none() {
        for required in [true, false] {
            let schema = json!({"type": "object", "properties": {NEW: {"type": "string"}}});
            let body = json!({"required": required, "content": {"application/json": {"schema": schema}}});
            mutants.push(site.put("body added", "requestBody", body));
        }
    }
    if site.member("responses").is_some() {
        mutants.push(site.without("responses removed", "responses"));
    }
}

/// Adds one parameter at each place.
fn added_parameters(site: &Site<'_>, operator: &'static str) -> Vec<Mutant> {
    let place = site.pointer.child("parameters");
    let kinds = [("query", false), ("query", true), ("header", false), ("header", true), ("cookie", false)];
    let added = kinds.into_iter().map(|(word, required)| {
        let parameter = json!({"name": NEW, "in": word, "required": required, "schema": {"type": "string"}});
        let edit = if site.member("parameters").is_some() {
            Edit::Put(place.child("-"), parameter)
        } else {
            Edit::Put(place.clone(), json!([parameter]))
        };
        let presence = if required { "required" } else { "optional" };
        site.mutant(operator, format!("{presence}, in {word}"), vec![edit])
    });
    added.collect()
}

fn parameter(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let (name, place) = (site.text("name").unwrap_or_default(), site.text("in").unwrap_or_default());
    mutants.push(site.put("parameter renamed", "name", NEW));
    for other in ["path", "query", "header", "cookie"] {
        if other != place {
            mutants.push(site.put("parameter in another place", "in", other));
        }
    }
    if site.pointer.as_str().starts_with("/paths/") {
        let edits = vec![Edit::Remove(site.pointer.clone())];
        // Not a change of this place only: a reference to it is removed completely.
        let (pointer, note) = (site.pointer.clone(), name.to_owned());
        mutants.push(Mutant { operator: "parameter removed", pointer, note, edits });
    }
    let required = site.member("required") == Some(&Value::Bool(true));
    mutants.push(site.put("parameter required or optional", "required", !required));
    let form = matches!(place, "query" | "cookie");
    for style in if form { ["spaceDelimited", "deepObject"] } else { ["label", "matrix"] } {
        mutants.push(site.put("parameter style changed", "style", style));
    }
    mutants.push(site.put("parameter style changed", "explode", !form));
    for flag in ["deprecated", "allowEmptyValue", "allowReserved"] {
        mutants.push(site.put("parameter flag set", flag, true));
    }
    if let Some(schema) = site.member("schema") {
        mutants.push(site.without("parameter schema removed", "schema"));
        for media in ["application/json", "text/plain"] {
            let edits = vec![
                Edit::Put(site.pointer.child("content"), json!({media: {"schema": schema}})),
                Edit::Remove(site.pointer.child("schema")),
            ];
            mutants.push(site.mutant("parameter with a media type", media, edits));
        }
    }
}

fn body(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let required = site.member("required") == Some(&Value::Bool(true));
    mutants.push(site.put("body required or optional", "required", !required));
    if site.pointer.as_str().starts_with("/paths/") {
        let (pointer, edits) = (site.pointer.clone(), vec![Edit::Remove(site.pointer.clone())]);
        mutants.push(Mutant { operator: "body removed", pointer, note: String::new(), edits });
    }
}

fn responses(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let statuses: Vec<&str> = site.members();
    for status in &statuses {
        let class = status.chars().next().unwrap_or_default();
        // Every possible difference.
        let others = [
            format!("{class}XX"),
            "default".to_owned(),
            format!("{class}19"),
            "200".to_owned(),
            "503".to_owned(),
        ];
        for other in others.iter().filter(|other| !statuses.contains(&other.as_str())) {
            let edits = vec![Edit::Rename(site.pointer.child(status), other.clone())];
            mutants.push(site.mutant("status changed", format!("{status} as {other}"), edits));
        }
        mutants.push(site.without("status removed", status));
    }
    let schema = json!({"type": "object", "title": NEW, "properties": {NEW: {"type": "string"}}});
    for status in
        ["200", "202", "204", "2XX", "302", "400", "403", "404", "422", "4XX", "500", "5XX", "default"]
    {
        if statuses.contains(&status) {
            continue;
        }
        let bodies = [
            ("no body", json!({"description": "d"})),
            ("JSON", json!({"description": "d", "content": {"application/json": {"schema": schema}}})),
            ("text", json!({"description": "d", "content": {"text/plain": {"schema": {"type": "string"}}}})),
        ];
        let range = site.value.get(format!("{}XX", &status[..1]));
        for (what, response) in bodies {
            // Whether the whole class of statuses carries the same anyway.
            let same = |range: &Value| {
                range.get("$ref").is_none() && range.get("content") == response.get("content")
            };
            if range.is_some_and(same) {
                continue;
            }
            let edits = vec![Edit::Put(site.pointer.child(status), response)];
            mutants.push(site.mutant("status added", format!("{status}, {what}"), edits));
        }
    }
}

fn response(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let header = json!({HEADER: {"schema": {"type": "string"}}});
    mutants.push(site.put("response header added", "headers", header));
    mutants.push(site.put("link added", "links", json!({NEW: {"operationId": NEW}})));
    if site.member("content").is_none() {
        let schema = json!({"type": "object", "properties": {NEW: {"type": "string"}}});
        mutants.push(site.put(
            "response body added",
            "content",
            json!({"application/json": {"schema": schema}}),
        ));
        mutants.push(site.put(
            "response body added",
            "content",
            json!({"text/plain": {"schema": {"type": "string"}}}),
        ));
    } else {
        mutants.push(site.without("response body removed", "content"));
    }
}

fn content(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let names: Vec<String> =
        site.value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let others = [
        "application/json",
        "application/merge-patch+json",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "application/xml",
        "text/plain",
        "application/octet-stream",
    ];
    for name in &names {
        for other in others.iter().filter(|other| !names.iter().any(|known| known == *other)) {
            mutants.push(site.renamed("media type changed", name, other));
        }
        let at = site.pointer.child(name);
        let media = &site.value[name];
        if media.get("schema").is_some() {
            mutants.push(site.mutant("body schema removed", name, vec![Edit::Remove(at.child("schema"))]));
        }
        let encoding = vec![Edit::Put(at.child("encoding"), json!({NEW: {"style": "form"}}))];
        mutants.push(site.mutant("body encoding added", name, encoding));
        if names.len() > 1 {
            mutants.push(site.without("media type removed", name));
        }
    }
    for other in others.iter().filter(|other| !names.iter().any(|known| known == *other)) {
        let edits = vec![Edit::Put(site.pointer.child(other), json!({"schema": {"type": "string"}}))];
        mutants.push(site.mutant("media type added", *other, edits));
    }
}

fn servers(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let other = json!({"url": "https://drift.example.com"});
    let place = site.pointer.child("servers");
    let Some(servers) = site.member("servers").and_then(Value::as_array) else {
        mutants.push(site.put("server stated", "servers", json!([other])));
        return;
    };
    for (index, server) in servers.iter().enumerate() {
        let at = place.element(index);
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        for url in [format!("{url}/drift"), url.replacen("https:", "http:", 1), "/".to_owned()] {
            let edits = vec![Edit::Put(at.child("url"), url.clone().into())];
            mutants.push(site.mutant("server changed", url, edits));
        }
        mutants.push(site.mutant("server removed", url, vec![Edit::Remove(at.clone())]));
        let variables = vec![Edit::Put(at.child("variables"), json!({NEW: {"default": "d"}}))];
        mutants.push(site.mutant("server variable added", url, variables));
    }
    mutants.push(site.mutant("server added", "", vec![Edit::Put(place.child("-"), other)]));
    mutants.push(site.without("servers removed", "servers"));
}

fn security(site: &Site<'_>, schemes: &[&str], mutants: &mut Vec<Mutant>) {
    let place = site.pointer.child("security");
    let basic = site.role == Role::Operation;
    let Some(requirements) = site.member("security").and_then(Value::as_array) else {
        // An operation inherits what it does not declare from the document.
        if basic {
            mutants.push(site.put("security stated", "security", json!([])));
        }
        return;
    };
    if !requirements.is_empty() {
        mutants.push(site.put("security waived", "security", json!([])));
    }
    mutants.push(site.without("security no longer stated", "security"));
    if !requirements.is_empty() {
        let none = vec![Edit::Put(place.child("-"), json!({}))];
        mutants.push(site.mutant("security made optional", "", none));
    }
    for scheme in schemes {
        let alone = json!({*scheme: []});
        if !requirements.contains(&alone) {
            mutants.push(site.mutant(
                "way to authenticate added",
                *scheme,
                vec![Edit::Put(place.child("-"), alone.clone())],
            ));
            mutants.push(site.put("way to authenticate changed", "security", json!([alone])));
        }
        for (index, requirement) in requirements.iter().enumerate() {
            let at = place.element(index).child(scheme);
            if requirement.get(scheme).is_none() {
                mutants.push(site.mutant("two schemes together", *scheme, vec![Edit::Put(at, json!([]))]));
            } else {
                mutants.push(site.mutant("scope asked for", *scheme, vec![Edit::Put(at, json!(["drift"]))]));
            }
        }
    }
    if requirements.len() > 1 {
        for index in 0..requirements.len() {
            let edits = vec![Edit::Remove(place.element(index))];
            mutants.push(site.mutant("way to authenticate removed", index.to_string(), edits));
        }
    }
}

fn scheme(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    match site.text("type") {
        Some("http") => {
            mutants.push(site.put("security scheme changed", "scheme", "basic"));
        }
        Some("apiKey") => {
            mutants.push(site.put("security scheme changed", "name", HEADER));
            let other = if site.text("in") == Some("query") { "header" } else { "query" };
            mutants.push(site.put("security scheme changed", "in", other));
        }
        _ => {}
    }
    for other in ["http", "apiKey", "openIdConnect", "mutualTLS"] {
        if site.text("type") != Some(other) {
            mutants.push(site.put("security scheme changed", "type", other));
        }
    }
    mutants.push(site.put("security scheme changed", "bearerFormat", "drift"));
}
