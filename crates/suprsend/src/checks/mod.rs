//! What is checked before anything is sent: what the document states, and the limits that SuprSend's documentation and SDKs give.

mod format;
mod quick;
pub(crate) mod schema;
mod strict;

use serde::Serialize;
use serde_json::Value;

use crate::{
    error::Violations,
    types::{UserBulkDelete, UserEdit, UserUpsert},
};

/// The longest id of a user, in characters.
const ID_CHARACTERS: usize = 255;

/// The largest body, in bytes: the limit of SuprSend's own SDKs, 800 KB.
const BODY_BYTES: usize = 800 * 1024;

/// Names of SuprSend's own that its documentation uses and the document does not declare. A body may have them, as texts.
const RESERVED: [&str; 3] = ["$preferred_language", "$id_provider", "$bundle_id"];

/// Checks the id of a user, and returns it without the white space around it, which SuprSend's own SDKs drop too.
pub(crate) fn distinct_id<'a>(id: &'a str, violations: &mut Violations) -> &'a str {
    self::id("distinct_id", id, violations)
}

/// As [`distinct_id`], for the id of a user that stands at another place.
pub(crate) fn id<'a>(place: &str, id: &'a str, violations: &mut Violations) -> &'a str {
    let trimmed = id.trim();
    let mut add = |rule: &str| violations.add(place, rule);
    if id.is_empty() {
        add("is empty: it is the user's id in your system");
    } else if trimmed.is_empty() {
        add("is only white space: it is the user's id in your system");
    }
    if matches!(trimmed, "." | "..") {
        add("is `.` or `..`, which in the path of a URL means another path");
    }
    if trimmed.chars().count() > ID_CHARACTERS {
        add("has more than 255 characters");
    }
    if trimmed.chars().any(char::is_control) {
        add("has control characters");
    }
    trimmed
}

/// Checks the size of a body in bytes.
pub(crate) fn body_size(bytes: usize, violations: &mut Violations) {
    if bytes > BODY_BYTES {
        violations.add("", format!("has {bytes} bytes, and at most {BODY_BYTES} are accepted (800 KB)"));
    }
}

/// Checks the body of an upsert.
pub(crate) fn user(body: &UserUpsert, strict: bool, violations: &mut Violations) {
    for (name, value) in &body.extra {
        if !RESERVED.contains(&name.as_str()) {
            property(name, violations);
        } else if !value.is_string() {
            violations.add(name, "is not a text");
        }
    }
    let further = |value: &Value, violations: &mut Violations| strict::user(value, "", violations);
    self::body("create_update_users", body, violations, strict.then_some(further));
}

/// Checks the body of an edit.
pub(crate) fn edit(body: &UserEdit, strict: bool, violations: &mut Violations) {
    if body.operations.is_empty() {
        violations.add("operations", "is empty: there is nothing to do");
    }
    let further = |value: &Value, violations: &mut Violations| {
        let operations = value.get("operations").and_then(Value::as_array);
        for (index, operation) in operations.into_iter().flatten().enumerate() {
            // What is taken away may well be what was wrong.
            for member in ["$set", "$set_once", "$append"] {
                let place = format!("operations[{index}].{member}.");
                strict::user(&operation[member], &place, violations);
            }
        }
    };
    self::body("edit_user_profile", body, violations, strict.then_some(further));
}

/// Checks the body of a bulk delete.
pub(crate) fn bulk_delete(body: &UserBulkDelete, violations: &mut Violations) {
    if body.distinct_ids.is_empty() {
        violations.add("distinct_ids", "is empty: there is nobody to delete");
    }
    self::body("bulk_delete_users", body, violations, None::<fn(&Value, &mut Violations)>);
}

/// Checks a body against the document, further rules and the limit of its size.
fn body(
    operation: &str,
    body: &impl Serialize,
    violations: &mut Violations,
    further: Option<impl FnOnce(&Value, &mut Violations)>,
) {
    if further.is_none() && quick::is_surely_right(operation, body, BODY_BYTES) {
        return;
    }
    match (serde_json::to_value(body), serde_json::to_vec(body)) {
        (Ok(value), Ok(text)) => {
            schema::check(operation, &value, violations);
            if let Some(further) = further {
                further(&value, violations);
            }
            body_size(text.len(), violations);
        }
        _ => violations.add("", "cannot be written as JSON"),
    }
}

/// Checks the name of a custom property, of which those that begin with `$` are SuprSend's own.
pub(crate) fn property(name: &str, violations: &mut Violations) {
    if !name.starts_with('$') {
        return;
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
        name if RESERVED.contains(&name) => "it is SuprSend's own: set it in a whole body, with `with_json`",
        _ => {
            "names that begin with `$` are SuprSend's own; `Client::request` sends what this crate does not know"
        }
    };
    violations.add(name, format!("is no custom property: {remedy}"));
}

/// Checks the name of a custom property in an edit. False if it is none.
pub(crate) fn edited_property(name: &str, violations: &mut Violations) -> bool {
    let is_reserved = name.starts_with('$');
    if is_reserved {
        let rule = "is no custom property: names that begin with `$` are SuprSend's own, and have methods of their own; \
                    `operation` sends what has none";
        violations.add(name, rule);
    }
    !is_reserved
}
