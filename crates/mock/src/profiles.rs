//! The users that are stored.

mod edit;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::document::{Body, Problem};

pub(crate) use self::page::{Window, limit};

/// The operation that writes profiles.
pub(crate) const UPSERT: &str = "create-update-users";
/// The parameter that names a user.
pub(crate) const DISTINCT_ID: &str = "distinct_id";
/// The longest `distinct_id`, in characters.
const LONGEST_ID: usize = 255;
/// A reserved property that upstream's SDKs know, besides those of the document.
const LANGUAGE: &str = "$preferred_language";
/// Keys of upstream's SDKs that say something of the push addresses beside them, and the member of an entry that they become.
const ABOUT_PUSH: [(&str, &str); 2] = [("$id_provider", "id_provider"), ("$bundle_id", "bundle_id")];
/// What the name of a push channel ends in.
const PUSH: &str = "push";

/// What the hub knows of users.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    by_id: BTreeMap<String, Profile>,
    /// How large all of them are as JSON, in bytes.
    bytes: usize,
}

/// Which keys of an upsert are channels, and which are reserved for other uses: from the document's request body.
#[derive(Debug)]
pub(crate) struct Keys {
    channels: BTreeSet<String>,
    reserved: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Profile {
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    properties: Map<String, Value>,
    channels: BTreeMap<String, Vec<Value>>,
    /// What the user is subscribed to, as the document's lists have it, by what identifies it.
    objects: BTreeMap<String, Value>,
    lists: BTreeMap<String, Value>,
    /// How large it is as JSON.
    bytes: usize,
}

/// A kind of thing that users are subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscriptions {
    Objects,
    Lists,
}

impl Subscriptions {
    /// The operation that lists them.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Objects => "fetch-user-object-subscriptions",
            Self::Lists => "fetch-user-list-subscriptions",
        }
    }

    /// What identifies one, and where in it that stands.
    fn key(self, subscription: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match self {
            Self::Objects => {
                let object = &subscription["object"];
                format!("{}/{}", text(&object["object_type"]), text(&object["id"]))
            }
            Self::Lists => text(&subscription["list"]["list_id"]),
        }
    }
}

/// Which of two users does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Into,
    From,
}

impl Keys {
    /// The keys of the body of an upsert, as the document declares it.
    pub(crate) fn new(body: Option<&Body>) -> Self {
        let reserved = ABOUT_PUSH.map(|(key, _)| key).into_iter().chain([LANGUAGE]);
        let mut keys = Self { channels: BTreeSet::new(), reserved: reserved.map(str::to_owned).collect() };
        let known = body.into_iter().flat_map(|body| &body.properties);
        for (name, schema) in known.filter(|(name, _)| name.starts_with('$')) {
            let role = if schema["type"] == "array" { &mut keys.channels } else { &mut keys.reserved };
            role.insert(name.clone());
        }
        keys
    }

    /// What is wrong with an upsert beyond the schema of its body.
    pub(crate) fn problems(&self, distinct_id: &str, body: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem =
            |field: &str, what: String| problems.push(Problem { field: field.to_owned(), what });
        if distinct_id.trim().is_empty() {
            problem(DISTINCT_ID, "is blank".into());
        }
        if distinct_id.chars().count() > LONGEST_ID {
            problem(DISTINCT_ID, format!("is longer than {LONGEST_ID} characters"));
        }
        for (key, value) in
            body.iter().filter(|(key, _)| key.starts_with('$') && !self.channels.contains(*key))
        {
            if !self.reserved.contains(key) {
                let what = "is no channel and no reserved property; custom properties may not start with `$`";
                problem(key, what.into());
            } else if !value.is_string() {
                problem(key, "is not a string".into());
            }
        }
        problems
    }
}

impl Profiles {
    /// Merges a valid upsert into the user's profile, and replies it. See the crate's documentation for how.
    pub(crate) fn upsert(
        &mut self,
        keys: &Keys,
        distinct_id: &str,
        mut body: Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Value {
        let about_push: Vec<_> =
            ABOUT_PUSH.iter().filter_map(|(key, member)| Some((*member, body.remove(*key)?))).collect();
        let mut profile = self.take(distinct_id).unwrap_or_else(|| Profile::new(now));
        profile.touch(now);
        for (key, value) in body {
            match value {
                Value::Array(values) if keys.channels.contains(&key) => {
                    let about: &[_] = if key.ends_with(PUSH) { &about_push } else { &[] };
                    let entries = values.into_iter().map(|value| entry(&key, value, about));
                    merge(profile.channels.entry(key.clone()).or_default(), entries);
                }
                value => {
                    profile.properties.insert(key, value);
                }
            }
        }
        self.put(distinct_id, profile)
    }

    /// Does the operations of an edit in order, all or none. Nothing if there is no such user.
    pub(crate) fn edit(
        &mut self,
        keys: &Keys,
        distinct_id: &str,
        operations: &[Value],
        now: DateTime<Utc>,
    ) -> Option<Result<Value, Vec<Problem>>> {
        let mut profile = self.by_id.get(distinct_id)?.clone();
        if let Err(problems) = edit::apply(&mut profile, keys, operations) {
            return Some(Err(problems));
        }
        profile.touch(now);
        self.take(distinct_id);
        Some(Ok(self.put(distinct_id, profile)))
    }

    /// Whether there was such a user.
    pub(crate) fn delete(&mut self, distinct_id: &str) -> bool {
        self.take(distinct_id).is_some()
    }

    /// Merges a user into another: what only the first had the other gains, and the first is gone.
    pub(crate) fn merge(&mut self, into: &str, from: &str, now: DateTime<Utc>) -> Result<Value, Missing> {
        if !self.by_id.contains_key(into) {
            return Err(Missing::Into);
        }
        let gone = self.take(from).ok_or(Missing::From)?;
        let mut profile = self.take(into).ok_or(Missing::Into)?;
        for (name, value) in gone.properties {
            profile.properties.entry(name).or_insert(value);
        }
        for (channel, entries) in gone.channels {
            let known = profile.channels.entry(channel).or_default();
            let new = |entry: &Value| !known.iter().any(|known| known["value"] == entry["value"]);
            let new: Vec<_> = entries.into_iter().filter(new).collect();
            known.extend(new);
        }
        for (known, gone) in [(&mut profile.objects, gone.objects), (&mut profile.lists, gone.lists)] {
            for (key, subscription) in gone {
                known.entry(key).or_insert(subscription);
            }
        }
        profile.created_at = profile.created_at.min(gone.created_at);
        profile.touch(now);
        Ok(self.put(into, profile))
    }

    /// A page of all users, by `distinct_id`, without their channels.
    pub(crate) fn list(&self, window: &Window) -> Result<Value, String> {
        page::page(&self.by_id, window, |distinct_id, profile| {
            Value::Object(profile.without_channels(distinct_id))
        })
    }

    /// A page of what a user is subscribed to. Nothing if there is no such user.
    pub(crate) fn subscriptions(
        &self,
        distinct_id: &str,
        kind: Subscriptions,
        window: &Window,
    ) -> Option<Result<Value, String>> {
        let profile = self.by_id.get(distinct_id)?;
        let stored = match kind {
            Subscriptions::Objects => &profile.objects,
            Subscriptions::Lists => &profile.lists,
        };
        Some(page::page(stored, window, |_, subscription| subscription.clone()))
    }

    /// Subscribes a user; one to the same thing is replaced. Whether there is such a user.
    pub(crate) fn subscribe(&mut self, distinct_id: &str, kind: Subscriptions, subscription: Value) -> bool {
        let Some(mut profile) = self.take(distinct_id) else { return false };
        let stored = match kind {
            Subscriptions::Objects => &mut profile.objects,
            Subscriptions::Lists => &mut profile.lists,
        };
        stored.insert(kind.key(&subscription), subscription);
        self.put(distinct_id, profile);
        true
    }

    fn take(&mut self, distinct_id: &str) -> Option<Profile> {
        let profile = self.by_id.remove(distinct_id)?;
        self.bytes -= profile.bytes;
        Some(profile)
    }

    /// Stores a profile that was taken or is new, and gives it as an upsert replies it.
    fn put(&mut self, distinct_id: &str, mut profile: Profile) -> Value {
        let reply = profile.to_json(distinct_id);
        let size = |value: &Value| value.to_string().len();
        let subscriptions = profile.objects.values().chain(profile.lists.values());
        profile.bytes = size(&reply) + subscriptions.map(size).sum::<usize>();
        self.bytes += profile.bytes;
        self.by_id.insert(distinct_id.to_owned(), profile);
        reply
    }

    /// The stored profile, in the form in which an upsert replies it.
    pub(crate) fn get(&self, distinct_id: &str) -> Option<Value> {
        Some(self.by_id.get(distinct_id)?.to_json(distinct_id))
    }

    /// All stored profiles, by `distinct_id`.
    pub(crate) fn all(&self) -> Map<String, Value> {
        self.by_id.iter().map(|(id, profile)| (id.clone(), profile.to_json(id))).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// How large all profiles are as JSON, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Profile {
    /// One that an upsert made at this time will move on from.
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            created_at: now,
            updated_at: now - TimeDelta::microseconds(1),
            properties: Map::new(),
            channels: BTreeMap::new(),
            objects: BTreeMap::new(),
            lists: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Says that something changes now. Two changes within the clock's resolution still differ.
    fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = now.max(self.updated_at + TimeDelta::microseconds(1));
    }

    fn to_json(&self, distinct_id: &str) -> Value {
        let mut profile = self.without_channels(distinct_id);
        let filled = self.channels.iter().filter(|(_, entries)| !entries.is_empty());
        profile.extend(filled.map(|(channel, entries)| (channel.clone(), entries.clone().into())));
        profile.into()
    }

    fn without_channels(&self, distinct_id: &str) -> Map<String, Value> {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, false);
        let mut profile = Map::new();
        profile.insert(DISTINCT_ID.into(), distinct_id.into());
        profile.insert("properties".into(), self.properties.clone().into());
        profile.insert("created_at".into(), time(self.created_at).into());
        profile.insert("updated_at".into(), time(self.updated_at).into());
        profile
    }
}

/// What the hub stores of one address: as the document's response example shows it.
fn entry(channel: &str, mut value: Value, about: &[(&str, Value)]) -> Value {
    if channel == "$slack"
        && let Some(address) = value.as_object_mut()
        && let Some(email) = address.remove("email")
    {
        address.insert("email_id".into(), email);
    }
    let mut entry = json!({"value": value, "status": "active", "perma_status": "active"});
    if channel == "$inbox" {
        entry["id_provider"] = "suprsend".into();
    }
    for (member, said) in about {
        entry[*member] = said.clone();
    }
    entry
}

/// Adds entries; one whose value is known takes that one's place.
fn merge(known: &mut Vec<Value>, entries: impl Iterator<Item = Value>) {
    for entry in entries {
        match known.iter_mut().find(|known| known["value"] == entry["value"]) {
            Some(known) => *known = entry,
            None => known.push(entry),
        }
    }
}
