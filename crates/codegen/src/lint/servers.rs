//! Checks servers and credentials of operations. Otherwise only a call would reveal an unusable server or a credential that no request can
//! carry.

use serde_json::{Map, Value};

use super::{Findings, resolve};
use crate::{Pointer, path_items};

pub(super) fn check(document: &Value, findings: &mut Findings) {
    for (_, place, item) in path_items(document) {
        if let Some((place, servers)) = item.get("servers") {
            self::servers(place, servers, findings);
        }
        for (method, _, operation) in item.operations() {
            let place = place.child(method);
            if let Some(servers) = operation.get("servers") {
                self::servers(&place.child("servers"), servers, findings);
            }
            if let Some(stated) = operation.get("security") {
                security(document, &place.child("security"), stated, findings);
            }
        }
    }
    if let Some(stated) = document.get("security") {
        security(document, &Pointer::root().child("security"), stated, findings);
    }
}

/// Checks the first server, which requests are sent to.
fn servers(place: &Pointer, servers: &Value, findings: &mut Findings) {
    let Some(server) = servers.get(0) else { return };
    let place = place.child("0").child("url");
    let Some(url) = server["url"].as_str() else { return };
    let variables = server["variables"].as_object();
    let has_default = |name: &str| {
        variables.is_some_and(|variables| variables.get(name).is_some_and(|it| it["default"].is_string()))
    };
    let unset =
        url.split('{').skip(1).filter_map(|part| part.split('}').next()).find(|name| !has_default(name));
    if let Some(name) = unset {
        let reason = format!("the variable `{name}` of the server has no default");
        findings.add(&place, reason, "state one with an overlay action");
    } else if !url.starts_with("https://") && !url.starts_with("http://") && !url.starts_with('{') {
        let reason = format!("an operation's own server is an absolute URL, which `{url}` is not");
        findings.add(&place, reason, "state scheme and host with an overlay action");
    }
}

/// Checks the security requirements. Of several alternatives, one that can be met is enough.
fn security(document: &Value, place: &Pointer, stated: &Value, findings: &mut Findings) {
    let alternatives = stated.as_array().into_iter().flatten().filter_map(Value::as_object);
    let reasons = alternatives.enumerate().map(|(index, requirement)| {
        let (name, reason) = unmet(document, requirement)?;
        Some((place.child(index.to_string()).child(name), reason))
    });
    let reasons: Option<Vec<_>> = reasons.collect();
    for (place, reason) in reasons.unwrap_or_default() {
        findings.add(&place, reason, "correct the scheme, or state another, with an overlay action");
    }
}

/// Returns the scheme of a security requirement that no request can meet, and the reason, or `None` if a request can meet all. A client
/// certificate is set on the HTTP client.
pub(crate) fn unmet<'a>(document: &Value, requirement: &'a Map<String, Value>) -> Option<(&'a str, String)> {
    let mut open = requirement.keys().filter(|name| scheme(document, name)["type"] != "mutualTLS");
    let (first, second) = (open.next()?, open.next());
    let reason = refused(document, first);
    let reason = reason.or_else(|| second.map(|_| "asks for two credentials at once".to_owned()));
    reason.map(|reason| (first.as_str(), reason))
}

/// Returns the reason why a scheme cannot be met, if there is one.
fn refused(document: &Value, name: &str) -> Option<String> {
    let stated = scheme(document, name);
    let text = |key: &str| stated[key].as_str().unwrap_or_default();
    let is_token = |text: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        !text.is_empty() && text.chars().all(known)
    };
    match (text("type"), text("in")) {
        ("http", _) if is_token(text("scheme")) => None,
        ("http", _) => Some(format!("the scheme `{}` of `{name}` is no scheme of HTTP", text("scheme"))),
        ("apiKey", "header") if is_token(text("name")) => None,
        ("apiKey", "header") => {
            Some(format!("`{}`, which `{name}` asks for, is no name of a header", text("name")))
        }
        ("apiKey", "query") | ("oauth2" | "openIdConnect" | "mutualTLS", _) => None,
        ("apiKey", place) => Some(format!("`{name}` is a key in `{place}`, which the client does not send")),
        _ => Some(format!("there is no security scheme `{name}`, or none of a known type")),
    }
}

fn scheme<'a>(document: &'a Value, name: &str) -> &'a Value {
    resolve(document, &document["components"]["securitySchemes"][name])
}
