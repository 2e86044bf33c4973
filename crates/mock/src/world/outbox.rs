//! What was sent, the runs that came of it, and the keys that were seen.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::refused::Refused;

/// How long a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// The number of records of a request that its description takes into account.
const MANY: usize = 100;
/// The member that has a request's key.
pub(super) const KEY: &str = "$idempotency_key";

/// What is sent.
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

/// A trigger, an event or a broadcast that the hub accepted; of a request with many, one of them.
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
    /// Its runs, by their places in the outbox.
    pub(super) runs: Range<usize>,
}

/// The settings of a trigger, an event or a broadcast.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The number of the request; absent if there was none.
    pub(crate) request: Option<u64>,
    /// The operation's id.
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

    /// Its idempotency key.
    pub fn key(&self) -> Option<&str> {
        self.body.get(KEY)?.as_str()
    }

    /// Returns the identifier in the response.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns whether its key was seen in the last 24 hours, so that nothing was done.
    pub fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }

    /// Returns the recipients, each once: the `distinct_id` of a user, `object_type/id` of an object. Users whom an object or a list
    /// stands for are among them, users without a profile are not.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Returns the number of its request ([`Recorded::number`](crate::Recorded::number)).
    pub fn request(&self) -> Option<u64> {
        self.origin.request
    }

    /// The id of the operation that sent it.
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
    /// The recipient's identifier and addresses.
    pub(super) recipient: Vec<String>,
    pub(super) is_cancelled: bool,
    /// Its messages, by their numbers.
    pub(super) messages: Range<usize>,
}

/// What was sent, oldest first, and the runs that came of it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(super) sent: Vec<Sent>,
    pub(super) runs: Vec<Run>,
    /// When each key was seen first.
    seen: BTreeMap<(Kind, String), DateTime<Utc>>,
    /// The workflows that a test named, by slug; with none, any is known.
    pub(super) workflows: BTreeMap<String, Map<String, Value>>,
    pub(super) bytes: usize,
    /// The settings of the current one.
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

    /// Describes in a few words the last record of a request and its recipients.
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

    /// Whether the key was seen in the last 24 hours; remembers it.
    pub(super) fn is_duplicate(&mut self, kind: Kind, key: Option<&str>, now: DateTime<Utc>) -> bool {
        let Some(key) = key else { return false };
        let first = self.seen.entry((kind, key.to_owned())).or_insert(now);
        let known = *first != now && now - *first < REMEMBERED;
        if !known {
            *first = now;
        }
        known
    }

    /// Cancels the runs that fit, and gives their identifiers.
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
