//! Shows how to repeat a request: as `curl`, and as a call of the Rust SDK.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::{
    document::{Given, Operation},
    recorded::Recorded,
};

/// Headers that every client sets itself.
const OWN: [&str; 13] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-length",
    "date",
    "host",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "expect",
    "user-agent",
];

/// Returns the request as a shell command. It takes the key from the environment.
pub(super) fn curl(request: &Recorded) -> String {
    let path = request.path();
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = request.header("host").unwrap_or("127.0.0.1");
    let mut command = "curl".to_owned();
    if query.contains(['[', ']', '{', '}']) || path.contains(['[', ']', '{', '}']) {
        command.push_str(" --globoff");
    }
    if path.contains("/.") {
        command.push_str(" --path-as-is");
    }
    match request.method() {
        "HEAD" => command.push_str(" --head"),
        method => command.extend([" --request ", &quoted(method)]),
    }
    command.extend([" ", &quoted(&format!("http://{host}{path}{query}"))]);
    let mut line = |text: &str| command.extend([" \\\n  ", text]);
    if request.header("authorization").is_some() {
        line("--header \"Authorization: Bearer $SUPRSEND_API_KEY\"");
    }
    for (name, value) in request.headers().iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        if request.credentials.contains(name) {
            line(&format!("--header \"{name}: $SUPRSEND_API_KEY\""));
        } else {
            line(&format!("--header {}", quoted(&format!("{name}: {value}"))));
        }
    }
    if !request.body().is_empty() {
        line(&format!("--data-raw {}", quoted(&String::from_utf8_lossy(request.body()))));
    }
    command.push('\n');
    command
}

/// Quotes text as a single shell word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns the request as a call of the SDK: as a method if path and query are sufficient, otherwise as a stored operation. Returns `None`
/// if the operation has no method, or if the SDK cannot send the request.
pub(super) fn rust(request: &Recorded, operation: &Operation) -> Option<String> {
    let role = operation.role.as_ref()?;
    let headers: HeaderMap = request.headers().iter().filter_map(header).collect();
    let query = request.query().unwrap_or_default();
    let given = operation.given(&Given { path: &request.parameters, query, headers: &headers });
    let path: Vec<(&str, &str)> =
        request.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if request.body().is_empty() && given.len() == path.len() && operation.body.is_none() {
        return Some(format!("let response = client.{}.await?;\n", method(role, &path)));
    }
    let mut fields: Map<String, Value> =
        given.into_iter().map(|(name, value)| (field(name), value)).collect();
    if operation.body.is_some() {
        // If there is no body, it is optional.
        let body = if request.body().is_empty() { Value::Object(Map::new()) } else { request.json()? };
        fields.insert("body".into(), body);
    }
    let mut text = format!("// {}, {} {}\n", role.call(), operation.method, operation.path);
    let json = raw(&format!("{:#}", Value::Object(fields)));
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "let operation: suprsend::operations::{} = serde_json::from_str({json})?;\nlet response = client.call(operation).await?;\n",
        type_name(&operation.id)
    );
    Some(text)
}

fn header((name, value): &(String, String)) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// Returns a call of a method that only takes the path parameters.
fn method(role: &crate::document::Role, path: &[(&str, &str)]) -> String {
    let mut call = String::new();
    let literal =
        |name: &str| path.iter().find(|(known, _)| *known == name).map(|(_, value)| format!("{value:?}"));
    let mut taken = Vec::new();
    for (resource, parameters) in &role.handles {
        let values: Vec<_> = parameters.iter().filter_map(|name| literal(name)).collect();
        taken.extend(parameters.iter().map(String::as_str));
        let _ = write!(call, "{resource}({}).", values.join(", "));
    }
    let rest = path.iter().filter(|(name, _)| !taken.contains(name));
    let rest: Vec<_> = rest.map(|(_, value)| format!("{value:?}")).collect();
    let _ = write!(call, "{}({})", role.verb, rest.join(", "));
    call
}

/// Returns the type name of an operation.
fn type_name(id: &str) -> String {
    let words = id.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .filter_map(|word| Some((word.get(..1)?, word.get(1..)?)))
        .map(|(first, rest)| first.to_ascii_uppercase() + rest)
        .collect()
}

/// Returns the name of an operation's field: for `status[]` it is `status`.
fn field(parameter: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    parameter.chars().map(word).collect::<String>().trim_matches('_').to_owned()
}

/// Formats text as a raw string, with as many `#` as necessary.
fn raw(text: &str) -> String {
    let mut marks = "#".to_owned();
    while text.contains(&format!("\"{marks}")) {
        marks.push('#');
    }
    format!("r{marks}\"{text}\"{marks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_break_out_of_a_shells_quotes() {
        assert_eq!(quoted("it's $HOME `x`"), r"'it'\''s $HOME `x`'");
    }

    #[test]
    fn texts_cannot_break_out_of_a_raw_string() {
        assert_eq!(raw("plain"), "r#\"plain\"#");
        assert_eq!(raw("a \"## b"), "r###\"a \"## b\"###");
    }

    #[test]
    fn names_are_those_of_the_generated_code() {
        assert_eq!(type_name("create-update-users"), "CreateUpdateUsers");
        assert_eq!((field("status[]"), field("tenant_id")), ("status".into(), "tenant_id".into()));
    }
}
