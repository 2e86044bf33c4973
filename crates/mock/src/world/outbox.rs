//! Everything that was sent, the resulting runs, and the idempotency keys that were seen.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::refused::Refused;

/// The time for which a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// The number of records of a request that its description covers.
const MANY: usize = 100;
/// The member that contains a request's key.
pub(super) const KEY: &str = "$idempotency_key";

/// The kind of something that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A trigger of a workflow.
    Workflow,
    /// An event of a user.
    Event,
    /// A broadcast to a list.
    Broadcast,
}

/// A trigger, an event or a broadcast that the mock server accepted. A request with many records results in several of these.
#[derive(Debug, Clone)]
pub struct Sent {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) body: Value,
    pub(super) message_id: String,
    pub(super) is_duplicate: bool,
    pub(super) recipients: Vec<String>,
    #[cfg_attr(not(feature = "page"), allow(dead_code, reason = "only the page shows it"))]
    pub(super) at: DateTime<Utc>,
    pub(super) origin: Origin,
    /// The runs, by their positions in the outbox.
    pub(super) runs: Range<usize>,
}

/// The origin of a trigger, an event or a broadcast.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The number of the request; `None` if there was none.
    pub(crate) request: Option<u64>,
    /// The id of the operation.
    #[cfg_attr(not(feature = "page"), allow(dead_code, reason = "only the page asks for it"))]
    pub(crate) operation: String,
}

impl Sent {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the workflow's slug, the event's name or the broadcast's list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the record as it was sent.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns the data or properties that were sent, or null if there were none.
    pub fn data(&self) -> &Value {
        &self.body[if self.kind == Kind::Event { "properties" } else { "data" }]
    }

    /// Returns the idempotency key.
    pub fn key(&self) -> Option<&str> {
        self.body.get(KEY)?.as_str()
    }

    /// Returns the id in the response.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns whether the idempotency key was seen in the last 24 hours, so that nothing was done.
    pub fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }

    /// Returns the recipients, each once: the `distinct_id` of a user, or `object_type/id` of an object. Users reached through an object or
    /// a list are included; users without a profile are not. If the tenant does not exist, nobody is reached.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Returns the number of the request ([`Recorded::number`](crate::Recorded::number)).
    pub fn request(&self) -> Option<u64> {
        self.origin.request
    }

    /// Returns the id of the operation that sent it.
    #[cfg(feature = "page")]
    pub(crate) fn operation(&self) -> &str {
        &self.origin.operation
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "kind": format!("{:?}", self.kind).to_lowercase(), "name": self.name, "body": self.body,
            "message_id": self.message_id, "is_duplicate": self.is_duplicate, "recipients": self.recipients,
        })
    }
}

/// A run of a workflow or a broadcast for one recipient.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) execution_id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) key: Option<String>,
    /// The recipient's id and addresses.
    pub(super) recipient: Vec<String>,
    pub(super) is_cancelled: bool,
    /// The messages, by number.
    pub(super) messages: Range<usize>,
}

/// Everything that was sent, oldest first, and the resulting runs.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(super) sent: Vec<Sent>,
    pub(super) runs: Vec<Run>,
    /// The time at which each key was first seen.
    seen: BTreeMap<(Kind, String), DateTime<Utc>>,
    /// The workflows that a test defined, by slug.
    pub(super) workflows: BTreeMap<String, Map<String, Value>>,
    pub(super) bytes: usize,
    /// The origin of the current request.
    pub(super) origin: Origin,
}

impl Outbox {
    pub(super) fn define_workflow(&mut self, workflow: Map<String, Value>) -> Result<(), Refused> {
        let slug = workflow.get("slug").and_then(Value::as_str).map(str::to_owned);
        self.workflows.insert(slug.ok_or_else(|| Refused::new("slug: is required"))?, workflow);
        Ok(())
    }

    pub(crate) fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Briefly describes the last record of a request and its recipients.
    pub(crate) fn about(&self, request: u64) -> Option<String> {
        let sent = self.sent.iter().rev().take_while(|sent| sent.origin.request == Some(request));
        let sent: Vec<_> = sent.take(MANY).collect();
        let first = sent.last()?;
        if sent.len() > 1 {
            return Some(format!("{} and others", first.name));
        }
        let to = match first.recipients.as_slice() {
            [] => String::new(),
            [one] => format!(" → {one}"),
            [one, others @ ..] => format!(" → {one} and {} more", others.len()),
        };
        Some(format!("{}{to}", first.name))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether the key was seen in the last 24 hours, and remembers it.
    pub(super) fn is_duplicate(&mut self, kind: Kind, key: Option<&str>, now: DateTime<Utc>) -> bool {
        let Some(key) = key else { return false };
        let first = self.seen.entry((kind, key.to_owned())).or_insert(now);
        let known = *first != now && now - *first < REMEMBERED;
        if !known {
            *first = now;
        }
        known
    }

    /// Cancels the matching runs and returns their ids.
    pub(super) fn cancel(&mut self, fits: impl Fn(&Run) -> bool) -> Value {
        let found = self.runs.iter_mut().filter(|run| !run.is_cancelled && fits(run));
        let ids = found.map(|run| {
            run.is_cancelled = true;
            Value::from(run.execution_id.as_str())
        });
        json!({"execution_ids": ids.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_for_a_day_from_when_it_was_seen_first() {
        let mut outbox = Outbox::default();
        let start = DateTime::UNIX_EPOCH;
        let mut seen = |kind, key, hours| outbox.is_duplicate(kind, key, start + TimeDelta::hours(hours));
        assert!(!seen(Kind::Workflow, Some("k"), 0));
        assert!(seen(Kind::Workflow, Some("k"), 23));
        assert!(!seen(Kind::Event, Some("k"), 23), "keys of one kind say nothing of another");
        assert!(!seen(Kind::Workflow, Some("k"), 24));
        assert!(seen(Kind::Workflow, Some("k"), 47));
        assert!(!seen(Kind::Workflow, None, 1) && !seen(Kind::Workflow, None, 2));
    }
}
