//! Validation before anything is sent: the rules of the OpenAPI document, and rules that it cannot express.

mod strict;
mod users;

use std::any::Any;

use reqwest::Request;
use serde::Serialize;
use serde_json::Value;
use suprsend_api::{Inspector, Operation, Parameter, Place, parameter::is_plain, rules::Schema};

use crate::{error::Violations, rules};

/// The maximum length of a user's id, in characters.
const ID_CHARACTERS: usize = 255;

/// The maximum size of a body, in bytes: the limit of SuprSend's own SDKs, 800 KB.
pub(crate) const BODY_BYTES: usize = 800 * 1024;

/// The result of validating an operation.
#[derive(Default)]
pub(crate) struct Checked {
    /// Violations found in the parameters.
    pub(crate) parameters: Violations,
    /// Violations found in the body.
    pub(crate) body: Violations,
    /// Whether it may be sent twice, if the operation itself cannot tell.
    pub(crate) idempotent: Option<bool>,
}

/// Validates an operation by the rules of the OpenAPI document and the additional rules of this crate.
pub(crate) fn operation<O: Operation>(operation: &O) -> Checked {
    let mut checked = Checked::default();
    operation.inspect(&mut checked);
    users::check(operation, &mut checked);
    checked
}

/// Returns whether a decoded value is a result, rather than other JSON that happens to decode because the OpenAPI document requires no
/// member.
pub(crate) fn is_result<T: Any>(value: &T) -> bool {
    users::is_result(value)
}

/// Validates a request that is about to be sent: the size of its body, and in strict mode the forms that SuprSend's documentation
/// describes.
pub(crate) fn request(request: &Request, strict: bool, violations: &mut Violations) {
    let bytes = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    body(bytes, strict, BODY_BYTES, violations);
}

/// Validates JSON that is about to be sent, up to this number of bytes.
pub(crate) fn body(body: &[u8], strict: bool, most: usize, violations: &mut Violations) {
    if strict && let Ok(value) = serde_json::from_slice(body) {
        strict::check(&value, violations);
    }
    let bytes = body.len();
    if bytes > most {
        let kilobytes = most.div_ceil(1024);
        violations.add("", format!("has {bytes} bytes, and at most {most} are accepted ({kilobytes} KB)"));
    }
}

impl Inspector for Checked {
    fn parameter<T: Serialize + ?Sized>(&mut self, parameter: &'static Parameter, value: &T) {
        // The rest is the same for values of every type.
        match serde_json::to_value(value) {
            Ok(value) => self.value(parameter, &value),
            Err(_) => self.parameters.add(parameter.name, "cannot be written as JSON"),
        }
    }

    fn body<T: Serialize + ?Sized>(&mut self, rules: &'static Schema, body: &T) {
        rules::check("", rules, body, &mut self.body);
    }
}

impl Checked {
    fn value(&mut self, parameter: &'static Parameter, value: &Value) {
        let mut found = Violations::default();
        if let (Place::Path, Value::String(text)) = (parameter.place, value) {
            segment(parameter.name, text, &mut found);
        }
        if found.is_empty() {
            rules::check(parameter.name, parameter.rules, value, &mut found);
        }
        self.parameters.append(found);
    }
}

/// Returns the values of an operation's parameters that must not be shown.
pub(crate) fn secrets<O: Operation>(operation: &O) -> Vec<String> {
    let mut secrets = Sensitive::default();
    operation.inspect(&mut secrets);
    secrets.0
}

/// Collects the values of parameters that must not be shown.
#[derive(Default)]
struct Sensitive(Vec<String>);

impl Inspector for Sensitive {
    fn parameter<T: Serialize + ?Sized>(&mut self, parameter: &'static Parameter, value: &T) {
        self.0.extend(rules::secrets(parameter.rules, value));
    }

    fn body<T: Serialize + ?Sized>(&mut self, _: &'static Schema, _: &T) {}
}

/// Validates text that becomes a segment of the path.
fn segment(name: &str, text: &str, violations: &mut Violations) {
    if text.len() > ID_CHARACTERS || !is_plain(text) {
        unusual_segment(name, text, violations);
    }
}

/// Validates text that is no plain segment: nearly every id is.
#[cold]
fn unusual_segment(name: &str, text: &str, violations: &mut Violations) {
    let remark = if name == "distinct_id" { ": it is the user's id in your system" } else { "" };
    let mut add = |rule: String| violations.add(name, rule);
    let trimmed = text.trim();
    if text.is_empty() {
        add(format!("is empty{remark}"));
    } else if trimmed.is_empty() {
        add(format!("is only whitespace{remark}"));
    }
    if matches!(trimmed, "." | "..") {
        add("is `.` or `..`, which in the path of a URL means another path".to_owned());
    }
    if name == "distinct_id" && trimmed.chars().count() > ID_CHARACTERS {
        add("has more than 255 characters".to_owned());
    }
    if trimmed.chars().any(char::is_control) {
        add("has control characters".to_owned());
    }
}

/// Validates the id of a user in a body.
pub(crate) fn id(place: &str, id: &str, violations: &mut Violations) {
    let mut found = Violations::default();
    segment("distinct_id", id, &mut found);
    violations.append(found.moved_to(place));
}

/// Validates the name of a custom property; those that begin with `$` are reserved for SuprSend. Returns false if it is invalid.
pub(crate) fn property(name: &str, violations: &mut Violations) -> bool {
    if !name.starts_with('$') {
        return true;
    }
    let remedy = match name {
        "$email" => "use `email`",
        "$sms" => "use `sms`",
        "$whatsapp" => "use `whatsapp`",
        "$inbox" => "use `inbox`",
        "$webpush" => "use `web_push`",
        "$androidpush" => "use `android_push`",
        "$iospush" => "use `ios_push`",
        "$slack" => "use `slack`",
        "$ms_teams" => "use `ms_teams`",
        "$timezone" => "use `timezone`",
        "$locale" => "use `locale`",
        name if users::RESERVED.contains(&name) => {
            "it is SuprSend's own: set it in a whole body, with `with_json`"
        }
        _ => {
            "names that begin with `$` are SuprSend's own; `Client::request` sends what this crate does not know"
        }
    };
    violations.add(name, format!("is no custom property: {remedy}"));
    false
}

/// Validates the name of a custom property in an edit. Returns false if it is invalid.
pub(crate) fn edited_property(name: &str, violations: &mut Violations) -> bool {
    let is_reserved = name.starts_with('$');
    if is_reserved {
        let rule = "is no custom property: names that begin with `$` are SuprSend's own, and have methods of their own; \
                    `operations` sends what has none";
        violations.add(name, rule);
    }
    !is_reserved
}
