//! Messages, one for each recipient and channel of a run, and operations on them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Answer, Answered, Asked, World,
    outbox::Kind,
    page::{Order, Window, by_cursor},
    people::page,
    time,
};
use crate::server::response::HubResponse;

/// The default number of results on a page.
const LIMIT: usize = 10;
/// Final statuses.
const TERMINAL: [&str; 5] =
    ["trigger_blocked", "trigger_failed", "not_to_be_triggered", "failure_by_vendor", "delivery_failure"];
/// Further statuses that the filter `triggered` covers.
const TRIGGERED: [&str; 4] = ["trigger_blocked", "not_to_be_triggered", "to_be_triggered", "sent_by_vendor"];

/// The cause of messages.
#[derive(Debug, Clone)]
pub(super) struct Cause<'a> {
    pub(super) kind: Kind,
    /// The workflow, or the list of a broadcast.
    pub(super) name: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) tenant: &'a str,
    pub(super) category: Option<String>,
    pub(super) template: Option<String>,
}

/// The messages by ascending number.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_number: BTreeMap<String, Value>,
    bytes: usize,
}

impl Messages {
    /// Sends a message, unless it is blocked for the given reason.
    pub(super) fn add(
        &mut self,
        cause: &Cause<'_>,
        execution_id: &str,
        recipient: &[String],
        channel: &str,
        address: &Value,
        blocked: Option<&str>,
    ) {
        let number = key(self.next());
        let now = time(Utc::now());
        let sent_at = if blocked.is_none() { now.clone() } else { Value::Null };
        let recipient = match recipient {
            [kind, id] => json!({"$type": "object", "object_type": kind, "id": id, "distinct_id": null}),
            user => json!({"$type": "user", "distinct_id": user.first(), "object_type": null, "id": null}),
        };
        let is_campaign = cause.kind == Kind::Broadcast;
        let slug = if is_campaign { None } else { Some(cause.name) };
        let message = json!({
            "message_id": format!("message-{}", self.by_number.len() + 1),
            "status": if blocked.is_some() { "trigger_blocked" } else { "delivered" },
            "failure_reason": blocked,
            "channel": channel,
            // An address that is not a string contains credentials.
            "channel_identity": address.as_str().map(|address| json!({"value": address})),
            "category": cause.category,
            "recipient": recipient,
            "created_at": now, "updated_at": now, "triggered_at": now, "delivered_at": sent_at,
            "seen_at": null, "clicked_at": null, "dismissed_at": null, "read_at": null, "unread_at": null,
            "archived_at": null, "unarchived_at": null,
            "is_read": false, "is_archived": false,
            "idempotency_key": cause.key,
            "execution_id": execution_id, "parent_execution_id": null,
            "parent_entity_id": null, "parent_entity_type": null,
            "is_campaign": is_campaign,
            "tenant_id": cause.tenant,
            "vendor": {"name": "suprsend-mock", "nickname": null},
            "workflow": {"slug": slug, "version_id": null, "name": slug, "node_ref": null},
            "template": {"name": cause.template, "slug": cause.template, "version_no": null},
        });
        self.bytes += message.to_string().len();
        self.by_number.insert(number, message);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of the next message.
    pub(super) fn next(&self) -> usize {
        self.by_number.len() + 1
    }

    #[cfg(feature = "page")]
    pub(super) fn get(&self, number: usize) -> Option<&Value> {
        self.by_number.get(&key(number))
    }

    /// Performs an action on one message. Returns the status of the outcome, and the reason if it was not performed.
    fn act(&mut self, id: &str, action: &str) -> (u16, Value) {
        let error =
            |status: u16, kind: &str, message: &str| (status, json!({"type": kind, "message": message}));
        let Some(message) = self.by_number.values_mut().find(|message| message["message_id"] == id) else {
            return error(404, "not_found", "message not found");
        };
        let channel = message["channel"].as_str().unwrap_or_default();
        let is_supported = match action {
            "seen" | "clicked" => true,
            "dismissed" => ["androidpush", "iospush"].contains(&channel),
            _ => channel == "inbox",
        };
        if !is_supported {
            return error(422, "action_not_supported", "the channel does not support the action");
        }
        if TERMINAL.iter().any(|status| message["status"] == *status) {
            return error(422, "status_blocked", "the message was not sent");
        }
        match action {
            "seen" | "clicked" | "dismissed" => {}
            "read" => message["is_read"] = true.into(),
            "unread" => message["is_read"] = false.into(),
            _ => message["is_archived"] = (action == "archived").into(),
        }
        if stage(action) > stage(message["status"].as_str().unwrap_or_default()) {
            message["status"] = action.into();
        }
        let now = time(Utc::now());
        let stamp = &mut message[format!("{action}_at")];
        // Times of this form sort as texts.
        if stamp.as_str() < now.as_str() {
            *stamp = now.clone();
        }
        message["updated_at"] = now;
        (202, Value::Null)
    }
}

impl World {
    pub(super) fn messages(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "list" => {
                let found = self.messages.by_number.iter().rev().filter(|(_, message)| fits(message, asked));
                let found: Vec<_> = found.collect();
                // Older messages come after newer ones; `after` takes precedence over `before`.
                page(by_cursor(&found, Order::Descending, &window(asked.query), |message| (*message).clone()))
            }
            "edit_many" => {
                let mut known = BTreeSet::new();
                let ids = asked
                    .list("messages")
                    .iter()
                    .map(|update| update["message_id"].as_str().unwrap_or_default());
                if let Some(twice) = ids.into_iter().find(|id| !known.insert(id.to_owned())) {
                    return Some(Err(HubResponse::bad_request(format!(
                        "messages: {twice} stands there twice"
                    ))));
                }
                let records = asked.list("messages").iter().map(|update| {
                    let text = |name: &str| update[name].as_str().unwrap_or_default();
                    let (status, error) = self.messages.act(text("message_id"), text("action"));
                    json!({"message_id": text("message_id"), "status_code": status, "error": error})
                });
                let records: Vec<_> = records.collect();
                Ok(Answered::Json(json!({"records": records})))
            }
            _ => return None,
        })
    }
}

/// Converts a number to a key, so that keys sort like numbers.
fn key(number: usize) -> String {
    format!("{number:012}")
}

/// Returns how far a message has come that has this status. Actions that are no status have come nowhere.
fn stage(status: &str) -> usize {
    match status {
        "seen" => 1,
        "read" => 2,
        "clicked" | "dismissed" => 3,
        _ => 0,
    }
}

/// Parses the query. If there are both cursors, the page starts after `after`.
fn window(query: &str) -> Window {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let has_after = pairs.iter().any(|(name, _)| name == "after");
    let kept = pairs.iter().filter(|(name, _)| name != "before" || !has_after);
    Window::new(&form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish(), LIMIT)
}

/// Returns whether a message matches the query.
fn fits(message: &Value, asked: &Asked<'_>) -> bool {
    let has_status = |filter: &String| match filter.as_str() {
        "triggered" => {
            message["status"] == "triggered" || TRIGGERED.iter().any(|status| message["status"] == *status)
        }
        "delivery_failed" => message["status"] == "delivery_failure",
        "unread" => message["is_read"] == false,
        "archived" => message["is_archived"] == true,
        status => message["status"] == status,
    };
    let among = |name: &str, value: &Value| {
        let asked_for = asked.queries(name);
        asked_for.is_empty() || asked_for.iter().any(|one| value == one)
    };
    let statuses = asked.queries("status[]");
    let created = message["created_at"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let bound = |name: &str| asked.query(name).and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let fields = [
        ("recipient_id[]", &message["recipient"]["distinct_id"]),
        ("category[]", &message["category"]),
        ("channel", &message["channel"]),
        ("workflow_slug", &message["workflow"]["slug"]),
        ("execution_id", &message["execution_id"]),
        ("idempotency_key", &message["idempotency_key"]),
        ("message_id", &message["message_id"]),
        ("tenant_id", &message["tenant_id"]),
        ("object_type", &message["recipient"]["object_type"]),
        ("object_id", &message["recipient"]["id"]),
    ];
    (statuses.is_empty() || statuses.iter().any(has_status))
        && fields.iter().all(|(name, value)| among(name, value))
        && asked.query("is_campaign").is_none_or(|flag| message["is_campaign"] == (flag == "true"))
        && bound("created_at_gte").is_none_or(|bound| created >= Some(bound))
        // Compared in seconds, including the last one.
        && bound("created_at_lte").is_none_or(|bound| created.map(|at| at.timestamp()) <= Some(bound.timestamp()))
}
