//! Triggers, events and broadcasts: what was sent, for whom, and what comes of it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Asked, Key, World, messages::Cause, recipients::Target, tenants::DEFAULT};
use crate::{refused::Refused, server::reply::Reply};

/// How long a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// The member that has a request's key.
const KEY: &str = "$idempotency_key";

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
    kind: Kind,
    name: String,
    body: Value,
    message_id: String,
    is_duplicate: bool,
    recipients: Vec<String>,
}

impl Sent {
    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The workflow's slug, the event's name or the broadcast's list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The record as it was sent.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The data or properties that were sent; null if there were none.
    pub fn data(&self) -> &Value {
        &self.body[if self.kind == Kind::Event { "properties" } else { "data" }]
    }

    /// Its idempotency key.
    pub fn key(&self) -> Option<&str> {
        self.body.get(KEY)?.as_str()
    }

    /// The identifier in the reply.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Whether its key was seen in the last 24 hours, so that nothing was done.
    pub fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }

    /// Whom it is for, each once: the `distinct_id` of a user, `object_type/id` of an object. Users whom an object or a list
    /// stands for are among them, users without a profile are not.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
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
struct Run {
    execution_id: String,
    kind: Kind,
    name: String,
    key: Option<String>,
    /// The recipient's identifier and addresses.
    recipient: Vec<String>,
    is_cancelled: bool,
}

/// What was sent, oldest first, and the runs that came of it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    sent: Vec<Sent>,
    runs: Vec<Run>,
    /// When each key was seen first.
    seen: BTreeMap<(Kind, String), DateTime<Utc>>,
    /// The workflows that a test named, by slug; with none, any is known.
    workflows: BTreeMap<String, Map<String, Value>>,
    bytes: usize,
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

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the key was seen in the last 24 hours; remembers it.
    fn is_duplicate(&mut self, kind: Kind, key: Option<&str>, now: DateTime<Utc>) -> bool {
        let Some(key) = key else { return false };
        let first = self.seen.entry((kind, key.to_owned())).or_insert(now);
        let known = *first != now && now - *first < REMEMBERED;
        if !known {
            *first = now;
        }
        known
    }

    /// Cancels the runs that fit, and gives their identifiers.
    fn cancel(&mut self, fits: impl Fn(&Run) -> bool) -> Value {
        let found = self.runs.iter_mut().filter(|run| !run.is_cancelled && fits(run));
        let ids = found.map(|run| {
            run.is_cancelled = true;
            Value::from(run.execution_id.as_str())
        });
        json!({"execution_ids": ids.collect::<Vec<_>>()})
    }
}

impl World {
    /// Workflows: `trigger`, `trigger_many`, `trigger_dynamic`, `cancel`.
    pub(super) fn workflows(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "trigger" => self.trigger(asked.body.as_ref()?).map(|id| accepted(&id)),
            "trigger_many" => Ok(self.each(asked, Self::trigger)),
            "trigger_dynamic" => self.trigger_dynamic(asked.body.as_ref()?),
            "cancel" => {
                let filter = |name: &str| asked.member(name).and_then(Value::as_str);
                let (id, key, slug) =
                    (filter("execution_id"), filter("idempotency_key"), filter("workflow_slug"));
                let recipients: Option<Vec<&str>> =
                    asked.member("recipients").map(|_| asked.texts("recipients").collect());
                Ok(Answered::Json(self.outbox.cancel(|run| {
                    let is_for = |who: &&str| run.recipient.iter().any(|known| known == who);
                    run.kind == Kind::Workflow
                        && id.is_none_or(|id| id == run.execution_id)
                        && key.is_none_or(|key| Some(key) == run.key.as_deref())
                        && slug.is_none_or(|slug| slug == run.name)
                        && recipients.as_ref().is_none_or(|recipients| recipients.iter().any(is_for))
                })))
            }
            _ => return None,
        })
    }

    /// Events: `track`, `track_many`, `send`.
    pub(super) fn events(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "track" => self.event(asked.body.as_ref()?).map(|id| accepted(&id)),
            "send" => self.event(asked.body.as_ref()?).map(|_| Answered::AsDocumented),
            "track_many" => Ok(self.each(asked, Self::event)),
            _ => return None,
        })
    }

    /// Broadcasts: `send`, `cancel`.
    pub(super) fn broadcasts(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "send" => self.broadcast(asked.body.as_ref()?),
            "cancel" => {
                let filter = |name: &str| asked.member(name).and_then(Value::as_str);
                let (id, key, list) = (filter("execution_id"), filter("idempotency_key"), filter("list_id"));
                Ok(Answered::Json(self.outbox.cancel(|run| {
                    run.kind == Kind::Broadcast
                        && id.is_none_or(|id| id == run.execution_id)
                        && key.is_none_or(|key| Some(key) == run.key.as_deref())
                        && list.is_none_or(|list| list == run.name)
                })))
            }
            _ => return None,
        })
    }

    /// Does something with each record of the body; what is refused is so alone.
    fn each(&mut self, asked: &Asked<'_>, send: fn(&mut Self, &Value) -> Result<String, Reply>) -> Answered {
        let records = asked.body.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let outcomes: Vec<Value> = records
            .iter()
            .map(|record| match send(self, record) {
                Ok(id) => json!({"status": "success", "status_code": 202, "message_id": id}),
                Err(refusal) => {
                    let kind =
                        if refusal.status == StatusCode::NOT_FOUND { "not_found" } else { "bad_request" };
                    let error = json!({"type": kind, "message": refusal.message()});
                    json!({"status": "error", "status_code": refusal.status.as_u16(), "error": error})
                }
            })
            .collect();
        let body = json!({"status": "success", "records": outcomes});
        let many = StatusCode::MULTI_STATUS;
        if asked.operation.declares(many) { Answered::JsonWith(many, body) } else { Answered::Json(body) }
    }

    /// Runs a workflow for the recipients of a record.
    fn trigger(&mut self, body: &Value) -> Result<String, Reply> {
        let slug = text(body, "workflow").unwrap_or_default();
        let known = self.outbox.workflows.get(slug);
        if known.is_none() && !self.outbox.workflows.is_empty() {
            return Err(Reply::refusal(StatusCode::NOT_FOUND, "workflow not found"));
        }
        let member = |name: &str| known.and_then(|known| known.get(name)?.as_str()).map(str::to_owned);
        let (category, template) = (member("category"), member("template"));
        let tenant = text(body, "tenant_id");
        let values = body["recipients"].as_array().map_or(&[][..], Vec::as_slice);
        let recipients = self.recipients(values, tenant)?;
        let actor = self.recipients(body.get("actor").map_or(&[], std::slice::from_ref), tenant)?;
        let (id, is_duplicate) = self.record(Kind::Workflow, slug, body);
        if !is_duplicate {
            let targets = self.reached(&recipients);
            for recipient in recipients.into_iter().chain(actor) {
                self.store_inline(recipient, tenant, false);
            }
            let cause = Cause { name: slug, category, template, ..Cause::new(Kind::Workflow, body) };
            self.run(&cause, targets);
        }
        Ok(id)
    }

    /// The old form of a trigger: template and category are part of it.
    fn trigger_dynamic(&mut self, body: &Value) -> Answer {
        let name = text(body, "name").unwrap_or_default();
        let member = |name: &str| text(body, name).map(str::to_owned);
        let tenant = text(body, "tenant_id");
        let recipients = self.recipients(body["users"].as_array().map_or(&[][..], Vec::as_slice), tenant)?;
        let (_, is_duplicate) = self.record(Kind::Workflow, name, body);
        if !is_duplicate {
            let targets = self.reached(&recipients);
            for recipient in recipients {
                self.store_inline(recipient, tenant, false);
            }
            let (category, template) = (member("notification_category"), member("template"));
            self.run(&Cause { name, category, template, ..Cause::new(Kind::Workflow, body) }, targets);
        }
        Ok(Answered::AsDocumented)
    }

    /// Records an event. That of an unknown user is accepted and dropped.
    fn event(&mut self, body: &Value) -> Result<String, Reply> {
        let (name, user) =
            (text(body, "event").unwrap_or_default(), text(body, "distinct_id").unwrap_or_default());
        for (field, value) in [("event", name), ("distinct_id", user)] {
            if value.trim().is_empty() {
                return Err(Reply::bad_request(format!("{field}: is blank")));
            }
        }
        let (id, _) = self.record(Kind::Event, name, body);
        let is_known = self.users.has(&[user.to_owned()]);
        if let Some(sent) = self.outbox.sent.last_mut().filter(|sent| is_known && !sent.is_duplicate) {
            sent.recipients.push(user.to_owned());
        }
        Ok(id)
    }

    fn broadcast(&mut self, body: &Value) -> Answer {
        let list = text(body, "list_id").unwrap_or_default();
        let members =
            self.members_of(list).ok_or_else(|| Reply::bad_request(format!("list_id: {list} not found")))?;
        let (_, is_duplicate) = self.record(Kind::Broadcast, list, body);
        if !is_duplicate {
            let mut targets: Vec<_> = members.iter().filter_map(|id| self.member(id)).collect();
            if let Some(channels) = body.get("channels").and_then(Value::as_array) {
                let allowed = |channel: &str| channels.iter().any(|name| name == channel);
                for target in &mut targets {
                    target.addresses.retain(|(channel, _)| allowed(channel));
                }
            }
            let member = |name: &str| text(body, name).map(str::to_owned);
            let (category, template) = (member("notification_category"), member("template"));
            self.run(&Cause { name: list, category, template, ..Cause::new(Kind::Broadcast, body) }, targets);
        }
        Ok(Answered::AsDocumented)
    }

    /// Records what was sent. Gives its identifier, and whether its key was seen before.
    fn record(&mut self, kind: Kind, name: &str, body: &Value) -> (String, bool) {
        let key = text(body, KEY).map(str::trim);
        let is_duplicate = self.outbox.is_duplicate(kind, key, Utc::now());
        let message_id = format!("request-{}", self.outbox.sent.len() + 1);
        self.outbox.bytes += body.to_string().len();
        self.outbox.sent.push(Sent {
            kind,
            name: name.to_owned(),
            body: body.clone(),
            message_id: message_id.clone(),
            is_duplicate,
            recipients: Vec::new(),
        });
        (message_id, is_duplicate)
    }

    /// A run for each target, with a message for each of its channels.
    fn run(&mut self, cause: &Cause<'_>, targets: Vec<Target>) {
        for Target { key, addresses } in targets {
            let execution_id = format!("dsl_{}", self.outbox.runs.len() + 1);
            let named = |key: &Key| key.join("/");
            if let Some(sent) = self.outbox.sent.last_mut().filter(|_| !key.is_empty()) {
                sent.recipients.push(named(&key));
            }
            let texts = addresses.iter().filter_map(|(_, value)| Some(value.as_str()?.to_owned()));
            self.outbox.runs.push(Run {
                execution_id: execution_id.clone(),
                kind: cause.kind,
                name: cause.name.to_owned(),
                key: cause.key.map(str::to_owned),
                recipient: texts.chain([named(&key)]).collect(),
                is_cancelled: false,
            });
            for (channel, value) in addresses {
                let blocked = self.why_blocked(
                    &key,
                    cause.tenant.unwrap_or(DEFAULT),
                    cause.category.as_deref(),
                    &channel,
                );
                self.messages.add(cause, &execution_id, &key, &channel, &value, blocked);
            }
        }
    }
}

fn accepted(message_id: &str) -> Answered {
    Answered::Json(json!({"status": "success", "message_id": message_id}))
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str()
}

impl<'a> Cause<'a> {
    fn new(kind: Kind, body: &'a Value) -> Self {
        Self {
            kind,
            name: "",
            key: text(body, KEY),
            tenant: text(body, "tenant_id"),
            category: None,
            template: None,
        }
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
