//! Provides the page's view of stored and sent data.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Key, World,
    lists::ALL,
    outbox::{Kind, Run, Sent},
};

/// A notification to one recipient: a run of a trigger or a broadcast, or a record without a run.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) id: Place,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) key: Option<String>,
    pub(crate) message_id: String,
    pub(crate) request: Option<u64>,
    pub(crate) recipient: Option<String>,
    pub(crate) execution_id: Option<String>,
    pub(crate) outcome: Outcome,
    /// In the form in which the API lists them.
    pub(crate) messages: Vec<Value>,
}

/// The position of a notification: the index of what was sent, and of the run in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(pub(crate) usize, pub(crate) usize);

/// The outcome of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    PartlyBlocked,
    Blocked,
    Cancelled,
    /// The recipient has no active channel.
    NoChannel,
    /// Its idempotency key was already known.
    Duplicate,
    /// It reached no known recipient.
    Nobody,
    /// An event, which results in no message.
    Tracked,
}

impl Outcome {
    pub(crate) const ALL: [Self; 8] = [
        Self::Delivered,
        Self::PartlyBlocked,
        Self::Blocked,
        Self::Cancelled,
        Self::NoChannel,
        Self::Duplicate,
        Self::Nobody,
        Self::Tracked,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::PartlyBlocked => "partly blocked",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::NoChannel => "no channel",
            Self::Duplicate => "duplicate",
            Self::Nobody => "no recipient",
            Self::Tracked => "event recorded",
        }
    }
}

/// The filter for notifications.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A part of a name, a recipient or a key, in lowercase.
    pub(crate) text: String,
    pub(crate) recipient: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) request: Option<u64>,
    /// Only notifications older than this one.
    pub(crate) before: Option<Place>,
}

impl World {
    /// Returns the newest matching notifications, up to the limit.
    pub(crate) fn notifications(&self, wanted: &Wanted, limit: usize) -> Vec<Notification> {
        let mut found = Vec::new();
        let all = &self.outbox.sent;
        let end = wanted.before.map_or(all.len(), |before| before.0.saturating_add(1).min(all.len()));
        for (index, sent) in all.iter().enumerate().take(end).rev() {
            if wanted.request.is_some_and(|request| sent.origin.request != Some(request)) {
                continue;
            }
            let runs = self.outbox.runs.get(sent.runs.clone()).unwrap_or_default();
            let mut add = |place: Place, run: Option<&Run>| {
                if wanted.before.is_none_or(|before| place < before)
                    && let Some(notification) = self.notification(wanted, place, sent, run)
                {
                    found.push(notification);
                }
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let flow = if runs.is_empty() {
                add(Place(index, 0), None)
            } else {
                runs.iter()
                    .enumerate()
                    .rev()
                    .try_for_each(|(number, run)| add(Place(index, number), Some(run)))
            };
            if flow.is_break() {
                break;
            }
        }
        found
    }

    /// Returns the notification at a position, and what was sent.
    pub(crate) fn notification_at(&self, place: Place) -> Option<(Notification, &Sent)> {
        let sent = self.outbox.sent.get(place.0)?;
        let run = self.outbox.runs.get(sent.runs.clone()).and_then(|runs| runs.get(place.1));
        Some((self.notification(&Wanted::default(), place, sent, run)?, sent))
    }

    /// Returns the number of records that were sent.
    pub(crate) fn count_sent(&self) -> usize {
        self.outbox.sent.len()
    }

    fn notification(
        &self,
        wanted: &Wanted,
        place: Place,
        sent: &Sent,
        run: Option<&Run>,
    ) -> Option<Notification> {
        // The last text of a run is the id; the others are addresses.
        let recipient = match run {
            Some(run) => run.recipient.last(),
            None => sent.recipients.first(),
        };
        let recipient = recipient.map(String::as_str).filter(|name| !name.is_empty());
        // The intended recipient of a record without runs.
        let recipient = recipient.or_else(|| named(&sent.body).next());
        let is_meant = |known: &str| {
            recipient == Some(known) || (run.is_none() && named(&sent.body).any(|id| id == known))
        };
        if wanted.recipient.as_deref().is_some_and(|meant| !is_meant(meant)) {
            return None;
        }
        if !wanted.text.is_empty() {
            let texts = [Some(sent.name.as_str()), recipient, sent.key(), Some(sent.message_id.as_str())];
            let has = |text: &str| text.to_lowercase().contains(&wanted.text);
            if !texts.into_iter().flatten().any(has) {
                return None;
            }
        }
        let messages =
            || run.iter().flat_map(|run| run.messages.clone()).filter_map(|it| self.messages.get(it));
        let blocked = messages().filter(|message| message["status"] == "trigger_blocked").count();
        let outcome = match run {
            _ if sent.is_duplicate => Outcome::Duplicate,
            None if sent.kind == Kind::Event && !sent.recipients.is_empty() => Outcome::Tracked,
            None => Outcome::Nobody,
            Some(run) if run.is_cancelled => Outcome::Cancelled,
            Some(run) if run.messages.is_empty() => Outcome::NoChannel,
            Some(_) if blocked == 0 => Outcome::Delivered,
            Some(run) if blocked == run.messages.len() => Outcome::Blocked,
            Some(_) => Outcome::PartlyBlocked,
        };
        if wanted.outcome.as_deref().is_some_and(|name| name != outcome.name()) {
            return None;
        }
        Some(Notification {
            id: place,
            kind: sent.kind,
            name: sent.name.clone(),
            at: sent.at,
            key: sent.key().map(str::to_owned),
            message_id: sent.message_id.clone(),
            request: sent.origin.request,
            recipient: recipient.map(str::to_owned),
            execution_id: run.map(|run| run.execution_id.clone()),
            outcome,
            messages: messages().cloned().collect(),
        })
    }

    /// Returns the stored keys of a resource that contain a lowercase text, after skipping a number of them, and their total number.
    pub(crate) fn stored_keys(
        &self,
        resource: &str,
        text: &str,
        skip: usize,
        limit: usize,
    ) -> (Vec<Key>, usize) {
        let has = |key: &&Key| text.is_empty() || key.iter().any(|part| part.to_lowercase().contains(text));
        let page = |keys: &mut dyn Iterator<Item = &Key>| {
            let mut found = Vec::new();
            let mut count = 0;
            for key in keys.filter(has) {
                if count >= skip && found.len() < limit {
                    found.push(key.clone());
                }
                count += 1;
            }
            (found, count)
        };
        match resource {
            "users" => page(&mut self.users.keys(&[])),
            "objects" => page(&mut self.objects.keys(&[])),
            "lists" => {
                let mut keys: Vec<Key> = self.lists.ids().map(|id| vec![id.to_owned()]).collect();
                keys.push(vec![ALL.to_owned()]);
                keys.sort_unstable();
                page(&mut keys.iter())
            }
            _ => match self.stores.get(resource) {
                Some(store) => page(&mut store.keys()),
                None => (Vec::new(), 0),
            },
        }
    }

    /// Returns the slugs and names of the defined workflows and categories.
    pub(crate) fn defined(&self) -> (Vec<Value>, Vec<Value>) {
        let workflows = self.outbox.workflows.values().cloned().map(Value::Object);
        let is_committed = |slug: &String| !self.outbox.workflows.contains_key(slug);
        let committed = self.management.live_workflows().filter(|(slug, _)| is_committed(slug));
        let committed = committed.map(|(slug, it)| json!({"slug": slug, "category": it.get("category")}));
        let categories = self.preferences.categories().cloned().map(Value::Object);
        (workflows.chain(committed).collect(), categories.collect())
    }
}

/// Returns the users that a record names, for example in an event, or in a trigger that reached nobody.
fn named(body: &Value) -> impl Iterator<Item = &str> {
    let listed = ["recipients", "users"].into_iter().filter_map(|name| body.get(name)?.as_array()).flatten();
    std::iter::once(body).chain(listed).filter_map(|it| it.get("distinct_id").unwrap_or(it).as_str())
}
