//! Validates the parts of an overlay around the actions against the schema of Overlay 1.0 and 1.1.

use serde_json::Value;

use super::{Failure, fail};
use crate::problem::brief;

/// Returns the actions of an overlay, if everything else matches the schema of its version.
pub(super) fn document(overlay: &Value) -> Result<&Vec<Value>, Failure> {
    let version = overlay.get("overlay").and_then(Value::as_str).unwrap_or("");
    if !is_version(version) {
        return Err(fail(
            format!("`overlay: {}` is not a version this reads", brief(version)),
            "write `overlay: 1.1.0`",
        ));
    }
    unknown_members(overlay, &["overlay", "info", "extends", "actions"])?;
    if !overlay["info"].is_object() {
        return Err(fail("`info` is missing or no object", "add it, with `title` and `version`"));
    }
    unknown_members(&overlay["info"], &["title", "version", "description"])
        .map_err(|(reason, remedy)| fail(format!("in `info`, {reason}"), remedy))?;
    for member in ["title", "version"] {
        if !overlay["info"][member].is_string() {
            return Err(fail(format!("`info.{member}` is missing or no text"), "add it, as text"));
        }
    }
    if overlay["info"].get("description").is_some_and(|description| !description.is_string()) {
        return Err(fail("`info.description` is no text", "write text, or leave it out"));
    }
    let extends = overlay.get("extends");
    if let Some(extends) = extends
        && !extends.as_str().is_some_and(is_uri_reference)
    {
        return Err(fail(
            format!("`extends: {}` is no reference to a document", brief(&extends.to_string())),
            "write its URL, or leave it out",
        ));
    }
    match overlay.get("actions").and_then(Value::as_array) {
        None => Err(fail("`actions` is missing or no list", "add the list of actions")),
        Some(actions) if actions.is_empty() => {
            Err(fail("`actions` has no action", "add one, or remove the overlay"))
        }
        Some(actions) => Ok(actions),
    }
}

/// Returns whether a text is a version `1.0.N` or `1.1.N`.
fn is_version(text: &str) -> bool {
    let patch = text.strip_prefix("1.0.").or_else(|| text.strip_prefix("1.1."));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether a text can be a URI or a relative reference (RFC 3986), judging by its characters.
fn is_uri_reference(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=".contains(c);
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default();
    let encoded = |part: &str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    first.chars().all(plain) && parts.all(|part| encoded(part) && part.chars().all(plain))
}

/// Rejects members that are neither known nor extensions.
pub(super) fn unknown_members(object: &Value, known: &[&str]) -> Result<(), Failure> {
    let Some(members) = object.as_object() else {
        return Err(fail("not an object", "write `key: value` lines"));
    };
    match members.keys().find(|key| !key.starts_with("x-") && !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(fail(
            format!("`{}` is not a member the specification knows", brief(key)),
            format!("use one of {}", known.join(", ")),
        )),
    }
}
