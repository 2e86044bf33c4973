//! Triggers, events and broadcasts: their recipients and their effects.

use std::sync::Arc;

use axum::http::StatusCode;
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Asked, Key, World,
    management::is_enabled,
    messages::Cause,
    outbox::{KEY, Kind, Run, Sent},
    people::refuse_any,
    recipients::Target,
    tenants::DEFAULT,
};
use crate::{
    document::{Problem, Schemas},
    server::response::HubResponse,
};

/// The filters for runs of workflows that are to be cancelled.
const OF_WORKFLOWS: [&str; 4] = ["execution_id", "recipients", "idempotency_key", "workflow_slug"];
/// The filters for broadcasts that are to be cancelled.
const OF_BROADCASTS: [&str; 3] = ["execution_id", "list_id", "idempotency_key"];

impl World {
    /// Performs operations on workflows: `trigger`, `trigger_many`, `trigger_dynamic`, `cancel`.
    pub(super) fn workflows(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "trigger" => self.trigger(asked.body.as_ref()?).map(|id| accepted(&id)),
            "trigger_many" => Ok(self.each(asked, Self::trigger)),
            "trigger_dynamic" => self.trigger_dynamic(asked.body.as_ref()?),
            "cancel" => some_filter(asked, &OF_WORKFLOWS).map(|()| {
                let filter = |name: &str| asked.member(name).and_then(Value::as_str);
                let (id, key, slug) =
                    (filter("execution_id"), filter("idempotency_key"), filter("workflow_slug"));
                let recipients: Option<Vec<&str>> =
                    asked.member("recipients").map(|_| asked.texts("recipients").collect());
                Answered::Json(self.outbox.cancel(|run| {
                    let is_for = |who: &&str| run.recipient.iter().any(|known| known == who);
                    run.kind == Kind::Workflow
                        && id.is_none_or(|id| id == run.execution_id)
                        && key.is_none_or(|key| Some(key) == run.key.as_deref())
                        && slug.is_none_or(|slug| slug == run.name)
                        && recipients.as_ref().is_none_or(|recipients| recipients.iter().any(is_for))
                }))
            }),
            _ => return None,
        })
    }

    /// Performs operations on events: `track`, `track_many`, `send`.
    pub(super) fn events(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "track" => self.event(asked.body.as_ref()?).map(|id| accepted(&id)),
            "send" => self.event(asked.body.as_ref()?).map(|_| Answered::AsDocumented),
            "track_many" => Ok(self.each(asked, Self::event)),
            _ => return None,
        })
    }

    /// Performs operations on broadcasts: `send`, `cancel`.
    pub(super) fn broadcasts(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "send" => self.broadcast(asked.body.as_ref()?),
            "cancel" => some_filter(asked, &OF_BROADCASTS).map(|()| {
                let filter = |name: &str| asked.member(name).and_then(Value::as_str);
                let (id, key, list) = (filter("execution_id"), filter("idempotency_key"), filter("list_id"));
                Answered::Json(self.outbox.cancel(|run| {
                    run.kind == Kind::Broadcast
                        && id.is_none_or(|id| id == run.execution_id)
                        && key.is_none_or(|key| Some(key) == run.key.as_deref())
                        && list.is_none_or(|list| list == run.name)
                }))
            }),
            _ => return None,
        })
    }

    /// Processes each record of the body. A rejected record does not affect the others.
    fn each(
        &mut self,
        asked: &Asked<'_>,
        send: fn(&mut Self, &Value) -> Result<String, HubResponse>,
    ) -> Answered {
        let records = asked.body.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let outcomes: Vec<Value> = records
            .iter()
            .enumerate()
            .map(|(index, record)| match asked.refused(index).map_or_else(|| send(self, record), Err) {
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
    fn trigger(&mut self, body: &Value) -> Result<String, HubResponse> {
        let slug = text(body, "workflow").unwrap_or_default();
        let known = self.workflow(slug)?;
        self.check_data(slug, body)?;
        let member = |name: &str| known.and_then(|known| known.get(name)?.as_str()).map(str::to_owned);
        let (category, template) = (member("category"), member("template"));
        let cause = Cause { name: slug, category, template, ..Cause::new(Kind::Workflow, body) };
        self.start(&cause, body, "recipients")
    }

    /// Returns a workflow as a test defined it, or else as it was committed. Returns `None` for any slug until one is known.
    fn workflow(&self, slug: &str) -> Result<Option<&Map<String, Value>>, HubResponse> {
        let committed = self.management.live_workflow(slug);
        let found = self.outbox.workflows.get(slug).or(committed);
        let takes_any = self.outbox.workflows.is_empty() && !self.management.had_workflows();
        if committed.is_none_or(is_enabled) && (found.is_some() || takes_any) {
            Ok(found)
        } else {
            Err(HubResponse::refusal(StatusCode::NOT_FOUND, "workflow not found"))
        }
    }

    /// Rejects data that does not match the schema to which the workflow is linked.
    fn check_data(&self, workflow: &str, body: &Value) -> Result<(), HubResponse> {
        let Some(schema) = self.management.schema_of(workflow) else { return Ok(()) };
        let schemas = Schemas::new(Arc::new(schema.clone())).map_err(HubResponse::bad_request)?;
        let data = body.get("data").cloned().unwrap_or_else(|| json!({}));
        let in_body = |Problem { field, what }: Problem| {
            let field = format!("data.{field}").trim_end_matches('.').to_owned();
            Problem { field, what }
        };
        let problems: Vec<_> = schemas.schema("").problems(&data).into_iter().map(in_body).collect();
        refuse_any(&problems)
    }

    /// Handles the old form of a trigger, which includes the template and the category.
    fn trigger_dynamic(&mut self, body: &Value) -> Answer {
        let name = text(body, "name").unwrap_or_default();
        let member = |name: &str| text(body, name).map(str::to_owned);
        let (category, template) = (member("notification_category"), member("template"));
        let cause = Cause { name, category, template, ..Cause::new(Kind::Workflow, body) };
        self.start(&cause, body, "users").map(|_| Answered::AsDocumented)
    }

    /// Runs a workflow for the recipients, which are a member of the body, and stores the inline forms. Returns the id of the record.
    fn start(&mut self, cause: &Cause<'_>, body: &Value, recipients: &str) -> Result<String, HubResponse> {
        let tenant = text(body, "tenant_id");
        let recipients = body[recipients].as_array().map_or(&[][..], Vec::as_slice);
        let recipients = self.recipients(recipients, tenant)?;
        let actor = self.recipients(body.get("actor").map_or(&[], std::slice::from_ref), tenant)?;
        let (id, is_duplicate) = self.record(cause.kind, cause.name, body);
        // The API reports an unknown tenant in its log only.
        if !is_duplicate && self.has_tenant(cause.tenant) {
            let targets = self.reached(&recipients, cause.tenant);
            for recipient in recipients.into_iter().chain(actor) {
                self.store_inline(recipient, tenant, false);
            }
            self.run(cause, targets);
        }
        Ok(id)
    }

    /// Records an event. An event of an unknown user is accepted and dropped.
    fn event(&mut self, body: &Value) -> Result<String, HubResponse> {
        let (name, user) =
            (text(body, "event").unwrap_or_default(), text(body, "distinct_id").unwrap_or_default());
        for (field, value) in [("event", name), ("distinct_id", user)] {
            if value.trim().is_empty() {
                return Err(HubResponse::bad_request(format!("{field}: is blank")));
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
        let members = self
            .members_of(list)
            .ok_or_else(|| HubResponse::bad_request(format!("list_id: {list} not found")))?;
        let member = |name: &str| text(body, name).map(str::to_owned);
        let (category, template) = (member("notification_category"), member("template"));
        let cause = Cause { name: list, category, template, ..Cause::new(Kind::Broadcast, body) };
        let (_, is_duplicate) = self.record(cause.kind, list, body);
        if !is_duplicate && self.has_tenant(cause.tenant) {
            let mut targets: Vec<_> = members.iter().filter_map(|id| self.member(id, cause.tenant)).collect();
            if let Some(channels) = body.get("channels").and_then(Value::as_array) {
                let allowed = |channel: &str| channels.iter().any(|name| name == channel);
                for target in &mut targets {
                    target.addresses.retain(|(channel, _)| allowed(channel));
                }
            }
            self.run(&cause, targets);
        }
        Ok(Answered::AsDocumented)
    }

    /// Records what was sent. Returns its id, and whether its key was seen before.
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
            at: Utc::now(),
            origin: self.outbox.origin.clone(),
            runs: self.outbox.runs.len()..self.outbox.runs.len(),
        });
        (message_id, is_duplicate)
    }

    /// Creates a run for each target, with a message for each of its channels.
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
                messages: self.messages.next()..self.messages.next(),
            });
            for (channel, value) in addresses {
                let blocked = self.why_blocked(&key, cause.tenant, cause.category.as_deref(), &channel);
                self.messages.add(cause, &execution_id, &key, &channel, &value, blocked.as_deref());
            }
            if let Some(run) = self.outbox.runs.last_mut() {
                run.messages.end = self.messages.next();
            }
            if let Some(sent) = self.outbox.sent.last_mut() {
                sent.runs.end = self.outbox.runs.len();
            }
        }
    }
}

/// Rejects a cancel without any of the known filters, which would match every run.
fn some_filter(asked: &Asked<'_>, known: &[&str]) -> Result<(), HubResponse> {
    let is_given = |name: &&str| asked.member(name).is_some_and(|filter| !filter.is_null());
    if known.iter().any(is_given) {
        return Ok(());
    }
    Err(HubResponse::bad_request(format!("filters: one of {} is required", known.join(", "))))
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
            key: text(body, KEY).map(str::trim),
            tenant: text(body, "tenant_id").unwrap_or(DEFAULT),
            category: None,
            template: None,
        }
    }
}
