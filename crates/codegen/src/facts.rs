//! Facts about operations that their types do not express: path, server, credential, parameters, and whether they may be repeated.
//!
//! They are read from the lowered document, before adapting removes what the generator does not read.

use serde_json::{Map, Value};

use crate::{
    Pointer, adapt, grammar, lint, media, names,
    table::{Table, Verdict},
};

/// The facts that the document declares about one operation.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// The name of the function that the generator creates for it.
    pub(crate) function: String,
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The URL of the operation's own server.
    pub(crate) server: Option<String>,
    pub(crate) credential: Credential,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// Whether it is deprecated.
    pub(crate) deprecated: bool,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) idempotent: bool,
    /// The place of the idempotency key in the body, as tokens of a pointer; `*` stands for every item of a list.
    pub(crate) key: Option<Vec<String>>,
    /// The Cargo feature that enables it.
    pub(crate) feature: Option<String>,
    /// The place where the body of a successful response reports whether it is a success.
    pub(crate) verdict: Option<Verdict>,
    /// Whether a success with content is text in any case.
    pub(crate) text: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The description of the body.
    pub(crate) body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) description: String,
    /// Whether it must not be printed.
    pub(crate) sensitive: bool,
}

/// The credential of an operation, from the first security requirement that a client can meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    None,
    Bearer,
    Basic,
    /// `Authorization: <scheme> <credential>`.
    Scheme(String),
    Header(String),
    Query(String),
    Other(String),
}

/// Collects the facts of all operations. The table of resources tells which may be repeated although their method does not imply it.
pub(crate) fn collect(document: &Value, table: &Table) -> Vec<Facts> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if grammar::is_method(method) {
                found.push(operation_facts(document, table, (path, item), (method, operation)));
            }
        }
    }
    found
}

fn operation_facts(
    document: &Value,
    table: &Table,
    (path, item): (&str, &Value),
    (method, operation): (&str, &Value),
) -> Facts {
    let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
    let entry = table.entry(method, path);
    // RFC 9110, 9.2.2.
    let by_method = matches!(method, "get" | "head" | "put" | "delete" | "options" | "trace");
    let id = operation["operationId"].as_str().map(str::to_owned);
    Facts {
        function: names::rust_function(operation, path, method),
        id: id.unwrap_or_else(|| adapt::operation_id(operation, path, method)),
        method: method.to_owned(),
        path: path.to_owned(),
        server: own_server(operation).or_else(|| own_server(item)),
        credential: credential(document, operation),
        summary: text("summary"),
        description: text("description"),
        deprecated: operation["deprecated"] == true,
        idempotent: entry.and_then(|entry| entry.idempotent).unwrap_or(by_method),
        key: entry.and_then(|entry| entry.idempotency_key.clone()),
        feature: table.feature(method, path).map(str::to_owned),
        verdict: entry.and_then(|entry| entry.verdict.clone()),
        text: is_text(document, method, operation),
        parameters: parameters(document, item, operation),
        body: follow(document, &operation["requestBody"])["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn own_server(value: &Value) -> Option<String> {
    let server = value.get("servers")?.get(0)?;
    let mut url = server["url"].as_str()?.to_owned();
    for (name, variable) in server["variables"].as_object().into_iter().flatten() {
        url = url.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    // A relative URL is below the server of the document.
    url.contains("://").then(|| url.trim_end_matches('/').to_owned())
}

fn credential(document: &Value, operation: &Value) -> Credential {
    let stated = operation.get("security").or_else(|| document.get("security"));
    let mut alternatives =
        stated.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    // Lint rejects an operation if no request can meet any of them.
    let met = alternatives.find(|requirement| lint::unmet(document, requirement).is_none());
    let name = met.and_then(|requirement| requirement.keys().next());
    name.map_or(Credential::None, |name| scheme(document, name))
}

fn scheme(document: &Value, name: &str) -> Credential {
    let scheme = follow(document, &document["components"]["securitySchemes"][name]);
    let text = |key: &str| scheme[key].as_str().unwrap_or_default();
    match (text("type"), text("in"), text("scheme").to_ascii_lowercase().as_str()) {
        ("http", _, "bearer") | ("oauth2" | "openIdConnect", ..) => Credential::Bearer,
        ("http", _, "basic") => Credential::Basic,
        ("http", _, scheme) if !scheme.is_empty() => Credential::Scheme(text("scheme").to_owned()),
        ("apiKey", "header", _) => Credential::Header(text("name").to_owned()),
        ("apiKey", "query", _) => Credential::Query(text("name").to_owned()),
        _ => Credential::Other(name.to_owned()),
    }
}

/// Returns whether a success with content is text, whatever its status and its media type. `default` is a success only if no other is
/// declared.
fn is_text(document: &Value, method: &str, operation: &Value) -> bool {
    let responses = || operation["responses"].as_object().into_iter().flatten();
    let has_success = responses().any(|(status, _)| status.starts_with('2'));
    let mut media = responses()
        .filter(|(status, _)| media::allows_content(method, status))
        .filter(|(status, _)| status.starts_with('2') || (*status == "default" && !has_success))
        .filter_map(|(_, response)| follow(document, response)["content"].as_object())
        .flat_map(Map::keys)
        .peekable();
    media.peek().is_some() && media.all(|name| media::essence(name).starts_with("text/"))
}

fn parameters(document: &Value, item: &Value, operation: &Value) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    for stated in [operation, item].into_iter().filter_map(|value| value["parameters"].as_array()).flatten() {
        let parameter = follow(document, stated);
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        let one = Parameter {
            name: text("name"),
            place: text("in"),
            description: text("description"),
            sensitive: adapt::is_sensitive(document, &parameter["schema"]),
        };
        // An operation's own parameter replaces that of the path.
        if !found.iter().any(|other| (&other.name, &other.place) == (&one.name, &one.place)) {
            found.push(one);
        }
    }
    found
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..32 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        match target.and_then(|place| place.get(document)) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}
