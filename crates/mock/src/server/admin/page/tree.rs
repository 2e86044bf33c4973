//! Renders bodies: JSON on several lines, without sensitive values.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use crate::{document::Operation, recorded::Recorded};

/// The maximum number of values of a body that are shown; a link leads to the rest.
const VALUES: usize = 2000;
/// The maximum number of characters of a text that are shown.
const CHARACTERS: usize = 20_000;

/// A body to render.
pub(super) enum Body {
    Empty,
    /// JSON, with JSON pointers to the sensitive values.
    Json(Value, BTreeSet<String>),
    Text(String),
    /// Text in which sensitive parts cannot be identified, by its size.
    Hidden(usize),
}

impl Body {
    /// Creates the body of a request.
    pub(super) fn from_request(request: &Recorded, operation: Option<&Operation>, reveals: bool) -> Self {
        let marks = |value: &Value| operation.and_then(|operation| operation.sensitive_in_body(value));
        Self::new(request.body(), reveals, marks)
    }

    /// Creates the body of a response. That of a rejected request repeats nothing that is stored.
    pub(super) fn from_response(request: &Recorded, operation: Option<&Operation>, reveals: bool) -> Self {
        let is_known = reveals || !request.performed || operation.is_none();
        let status = request.status().and_then(|status| StatusCode::from_u16(status).ok());
        let marks = |value: &Value| operation?.sensitive_in_response(status?, value);
        Self::new(request.response_body(), is_known, marks)
    }

    /// Creates a body from one record of a request that may contain many.
    pub(super) fn from_record(record: &Value, operation: Option<&Operation>, reveals: bool) -> Self {
        if reveals {
            return Self::Json(record.clone(), BTreeSet::new());
        }
        let alone = operation.and_then(|operation| operation.sensitive_in_body(record));
        // The schema of a list does not apply to a single record.
        let listed = Value::Array(vec![record.clone()]);
        let listed = operation.and_then(|operation| operation.sensitive_in_body(&listed));
        let listed = listed.into_iter().flatten().filter_map(|at| Some(at.strip_prefix("/0")?.to_owned()));
        let marks =
            alone.map_or_else(|| [String::new()].into(), |alone| alone.into_iter().chain(listed).collect());
        Self::Json(record.clone(), marks)
    }

    /// Creates a body from a stored value, as the operation that reads it returns it.
    pub(super) fn from_stored(value: &Value, get: Option<&Operation>, reveals: bool) -> Self {
        if reveals {
            return Self::Json(value.clone(), BTreeSet::new());
        }
        let marks = get.and_then(|get| get.sensitive_in_response(get.success().status, value));
        Self::Json(value.clone(), marks.unwrap_or_else(|| [String::new()].into()))
    }

    /// Creates a body. If `marks` does not know it, all of it is sensitive.
    fn new(bytes: &[u8], reveals: bool, marks: impl FnOnce(&Value) -> Option<BTreeSet<String>>) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        match serde_json::from_slice(bytes) {
            Ok(value) if reveals => Self::Json(value, BTreeSet::new()),
            Ok(value) => {
                let marks = marks(&value).unwrap_or_else(|| [String::new()].into());
                Self::Json(value, marks)
            }
            Err(_) if reveals => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            Err(_) => Self::Hidden(bytes.len()),
        }
    }

    /// Returns whether something is hidden.
    pub(super) fn hides(&self) -> bool {
        match self {
            Self::Json(_, marks) => !marks.is_empty(),
            Self::Hidden(_) => true,
            Self::Empty | Self::Text(_) => false,
        }
    }

    /// Renders the body under a name for screen readers; `whole` links to the complete body.
    pub(super) fn show(&self, name: &str, whole: Option<&str>) -> Markup {
        let block =
            |content: Markup| html! { pre.code tabindex="0" role="region" aria-label=(name) { (content) } };
        match self {
            Self::Empty => html! { p.none { "No body." } },
            Self::Hidden(bytes) => html! { p.none { "Not JSON, " (bytes) " bytes, hidden." } },
            Self::Text(text) => {
                let shown =
                    text.char_indices().nth(CHARACTERS).map_or(text.as_str(), |(end, _)| &text[..end]);
                html! { (block(html! { (shown) })) @if shown.len() < text.len() { (cut(whole)) } }
            }
            Self::Json(value, marks) => {
                let mut printer = Printer { marks, left: VALUES };
                let shown = printer.value(value, &mut String::new(), 0);
                let is_cut = printer.left == 0;
                html! { (block(shown)) @if is_cut { (cut(whole)) } }
            }
        }
    }
}

fn cut(whole: Option<&str>) -> Markup {
    html! { p.none { "It is longer than this page shows." @if let Some(link) = whole { " " a href=(link) { "All of it" } } } }
}

/// Renders the replacement for a hidden value.
pub(super) fn hidden() -> Markup {
    html! { span.hidden-value title="Hidden: the document marks it as sensitive" { span aria-hidden="true" { "••••••" } span.sr { "hidden" } } }
}

struct Printer<'a> {
    marks: &'a BTreeSet<String>,
    left: usize,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value, at: &mut String, depth: usize) -> Markup {
        if self.left == 0 {
            return html! { "…" };
        }
        self.left -= 1;
        if self.marks.contains(at.as_str()) {
            return hidden();
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                let mut lines = Vec::new();
                for (name, member) in members {
                    let end = at.len();
                    at.push('/');
                    at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    let shown = self.value(member, at, depth + 1);
                    at.truncate(end);
                    lines.push(html! { span.json-key { (Value::from(name.as_str())) } ": " (shown) });
                    if self.left == 0 {
                        break;
                    }
                }
                lines_of('{', &lines, '}', depth)
            }
            Value::Array(items) if !items.is_empty() => {
                let mut lines = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let end = at.len();
                    at.push('/');
                    at.push_str(&index.to_string());
                    lines.push(self.value(item, at, depth + 1));
                    at.truncate(end);
                    if self.left == 0 {
                        break;
                    }
                }
                lines_of('[', &lines, ']', depth)
            }
            Value::String(_) => html! { span.json-text { (value) } },
            Value::Object(_) | Value::Array(_) => html! { (value) },
            _ => html! { span.json-other { (value) } },
        }
    }
}

fn lines_of(open: char, lines: &[Markup], close: char, depth: usize) -> Markup {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let last = lines.len().saturating_sub(1);
    html! {
        (open) "\n"
        @for (index, line) in lines.iter().enumerate() { (inner) (line) @if index < last { "," } "\n" }
        (outer) (close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hostile_texts_stay_text_and_marked_ones_are_not_there() {
        let value = json!({"<script>": ["</pre><img src=x onerror=alert(1)>"], "key": "secret"});
        let shown = Body::Json(value, ["/key".to_owned()].into()).show("Body", None).into_string();
        assert!(
            !shown.contains("<script>") && !shown.contains("<img") && !shown.contains("secret"),
            "{shown}"
        );
        assert!(shown.contains("&lt;img src=x onerror=alert(1)&gt;"), "{shown}");
    }

    #[test]
    fn what_nobody_knows_is_hidden_until_asked_for() {
        assert!(
            matches!(Body::new(b"{\"a\": 1}", false, |_| None), Body::Json(_, marks) if marks.contains(""))
        );
        assert!(matches!(Body::new(b"a secret", false, |_| None), Body::Hidden(8)));
        assert!(!Body::new(b"a secret", true, |_| None).hides());
    }

    #[test]
    fn a_long_body_is_cut() {
        let value: Value = (0..VALUES * 2).collect();
        let shown = Body::Json(value, BTreeSet::new()).show("Body", Some("/whole")).into_string();
        assert!(shown.contains("/whole") && shown.len() < 100 * VALUES);
    }
}
