//! The recipients of triggers and subscriptions, and everybody they reach.

use std::{borrow::Cow, collections::BTreeSet};

use chrono::Utc;
use serde_json::{Map, Value};

use super::{Key, World};
use crate::{document::Problem, document::list, server::response::HubResponse};

/// Keys of a recipient that are neither channels nor properties.
const ABOUT: [&str; 7] = [
    "distinct_id",
    "object_type",
    "id",
    "is_transient",
    "$channels",
    "$skip_create",
    "$object_subscriptions_query",
];

/// One recipient of a request.
#[derive(Debug)]
pub(super) struct Recipient {
    /// One part for a user, two for an object; empty for a transient user.
    pub(super) key: Key,
    /// Channels and properties given in the request; `None` for a bare id.
    inline: Option<Map<String, Value>>,
    /// The only channels to use.
    channels: Option<Vec<String>>,
    depth: u64,
    skip_create: bool,
    /// The tenant in which the inline form is stored in the user's profile.
    context: Option<String>,
}

/// A recipient of a run, with an address for each channel.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) key: Key,
    pub(super) addresses: Vec<(String, Value)>,
}

impl Recipient {
    pub(super) fn new(value: &Value) -> Result<Self, Problem> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let problem = |field: &str, what: &str| Problem { field: field.into(), what: what.into() };
        let key = match value {
            Value::String(id) => vec![id.clone()],
            Value::Object(_) if value["is_transient"] == true => Vec::new(),
            Value::Object(_) => match (text("object_type"), text("id"), text("distinct_id")) {
                (Some(kind), Some(id), _) => vec![kind, id],
                (_, _, Some(id)) => vec![id],
                _ => return Err(problem("distinct_id", "is required unless is_transient is true")),
            },
            _ => return Err(problem("", "is neither a text nor an object")),
        };
        let mut inline = value.as_object().cloned();
        let context = inline.as_mut().and_then(|inline| inline.remove("$context"));
        let names = |names: &Vec<Value>| names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let recipient = Self {
            key,
            channels: value.get("$channels").and_then(Value::as_array).map(names),
            depth: value["$object_subscriptions_query"]["depth"].as_u64().unwrap_or(2),
            skip_create: value["$skip_create"] == true,
            context: context.and_then(|context| Some(context.get("tenant_id")?.as_str()?.to_owned())),
            inline: inline.map(|inline| {
                inline.into_iter().filter(|(name, _)| !ABOUT.contains(&name.as_str())).collect()
            }),
        };
        if recipient.key.is_empty() && !recipient.inline_channels().any(|_| true) {
            return Err(problem("", "is transient and has no channel"));
        }
        Ok(recipient)
    }

    /// Returns the channels of the inline form, without their `$`, each with its first address.
    fn inline_channels(&self) -> impl Iterator<Item = (String, Value)> {
        self.inline.iter().flatten().filter_map(|(name, values)| {
            Some((name.strip_prefix('$')?.to_owned(), values.as_array()?.first()?.clone()))
        })
    }

    fn may_use(&self, channel: &str) -> bool {
        self.channels.as_ref().is_none_or(|channels| channels.iter().any(|name| name == channel))
    }
}

impl World {
    /// Parses the recipients of a request for this tenant.
    pub(super) fn recipients(
        &self,
        values: &[Value],
        tenant: Option<&str>,
    ) -> Result<Vec<Recipient>, HubResponse> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let mut add = |problem: Problem| {
                let place = format!("recipients[{index}].{}", problem.field);
                problems.push(Problem { field: place.trim_end_matches('.').to_owned(), what: problem.what });
            };
            match Recipient::new(value) {
                Err(problem) => add(problem),
                Ok(recipient) => {
                    let wrong = recipient.context.as_deref().is_some_and(|context| Some(context) != tenant);
                    if wrong {
                        let what = "is not the tenant of the request".into();
                        add(Problem { field: "$context.tenant_id".into(), what });
                    }
                    let inline = recipient.inline.clone().unwrap_or_default();
                    self.keys.problems(&[], &inline).into_iter().for_each(add);
                    found.push(recipient);
                }
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(HubResponse::bad_request(list(&problems))) }
    }

    /// Stores the inline form in the profile. For a bare id, a missing profile is created only if `create` is set.
    pub(super) fn store_inline(&mut self, recipient: Recipient, tenant: Option<&str>, create: bool) {
        let Recipient { key, inline, skip_create, context, .. } = recipient;
        let is_known = match key.len() {
            0 => return,
            1 => self.users.has(&key),
            _ => self.objects.has(&key),
        };
        let is_bare = inline.is_none();
        if (is_bare && (is_known || !create)) || (skip_create && !is_known) {
            return;
        }
        let (inline, now) = (inline.unwrap_or_default(), Utc::now());
        if key.len() == 2 {
            self.objects.upsert(&self.keys, &key, inline, now);
        } else if let Some(tenant) = context.as_deref().or(tenant).filter(|_| context.is_some()) {
            if !is_known {
                self.users.upsert(&self.keys, &key, Map::new(), now);
            }
            self.tenant_profiles.upsert(&self.keys, &[key[0].clone(), tenant.to_owned()], inline, now);
        } else {
            self.users.upsert(&self.keys, &key, inline, now);
        }
    }

    /// Returns everybody whom the recipients reach, each once: users, objects, and through objects their subscribers.
    pub(super) fn reached(&self, recipients: &[Recipient], tenant: &str) -> Vec<Target> {
        let mut seen = BTreeSet::new();
        let mut targets = Vec::new();
        for recipient in recipients {
            let mut level = vec![recipient.key.clone()];
            for depth in 0..=recipient.depth {
                let mut next = Vec::new();
                for key in level {
                    let is_own = depth == 0;
                    if key.is_empty() || seen.insert(key.clone()) {
                        let target = self.target(&key, recipient, tenant, is_own);
                        targets.extend(target);
                    }
                    if key.len() == 2 {
                        next.extend(self.subscriptions.subscribers_of(&key).cloned());
                    }
                }
                level = next;
            }
        }
        targets
    }

    /// Returns a target, in which the channels of the inline form replace those of the profile. A recipient without a profile is ignored.
    fn target(&self, key: &[String], recipient: &Recipient, tenant: &str, is_own: bool) -> Option<Target> {
        let mut addresses: Vec<_> = if is_own { recipient.inline_channels().collect() } else { Vec::new() };
        if addresses.is_empty() {
            addresses = self.addresses(key, tenant)?;
        }
        addresses.retain(|(channel, _)| recipient.may_use(channel));
        Some(Target { key: key.to_vec(), addresses })
    }

    /// Returns a user as the member of a list that receives a broadcast.
    pub(super) fn member(&self, id: &str, tenant: &str) -> Option<Target> {
        let key = vec![id.to_owned()];
        let addresses = self.addresses(&key, tenant)?;
        Some(Target { key, addresses })
    }

    /// Returns the active channels of the profile that a user has within the tenant, or of that of an object, each with an address.
    fn addresses(&self, key: &[String], tenant: &str) -> Option<Vec<(String, Value)>> {
        let profile = match key {
            [user] => self.profile_in(user, tenant)?,
            _ => Cow::Borrowed(self.objects.profile(key)?),
        };
        let active = profile.active_channels();
        Some(active.map(|(channel, value)| (channel.to_owned(), value.clone())).collect())
    }
}
