//! Profiles of users and objects, and of users within a tenant, with mergeable properties and channels.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Key, edit, time};
use crate::document::{Body, Problem};

/// The maximum length of an id, in characters.
const LONGEST_ID: usize = 255;
/// A reserved property that SuprSend's SDKs know and the document does not declare.
const LANGUAGE: &str = "$preferred_language";
/// Keys of SuprSend's SDKs that describe the push addresses next to them, and the members of an entry that they become.
pub(super) const ABOUT_PUSH: [(&str, &str); 2] =
    [("$id_provider", "id_provider"), ("$bundle_id", "bundle_id")];
/// The suffix of a push channel's name.
pub(super) const PUSH: &str = "push";

/// Profiles of one kind.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// The members that identify a profile.
    names: &'static [&'static str],
    by_key: BTreeMap<Key, Profile>,
    /// The last number that was assigned to a profile.
    last: u64,
    /// The size of all profiles as JSON, in bytes.
    bytes: usize,
}

/// The channel keys and the otherwise reserved keys of an upsert, from the document's request body.
#[derive(Debug)]
pub(crate) struct Keys {
    channels: BTreeSet<String>,
    reserved: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The number of the profile in the order of creation; 0 until it is stored.
    number: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    pub(super) properties: Map<String, Value>,
    pub(super) channels: BTreeMap<String, Vec<Value>>,
    /// The size of the profile as JSON.
    bytes: usize,
}

/// The user that does not exist, of the two in a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Into,
    From,
}

impl Keys {
    /// Reads the keys from the body of an upsert, as the document declares it.
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

    /// Returns the problems with an upsert beyond the schema of its body.
    pub(crate) fn problems(&self, ids: &[(String, String)], body: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem =
            |field: &str, what: String| problems.push(Problem { field: field.to_owned(), what });
        for (name, id) in ids {
            if id.trim().is_empty() {
                problem(name, "is blank".into());
            }
            if id.chars().count() > LONGEST_ID {
                problem(name, format!("is longer than {LONGEST_ID} characters"));
            }
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

    pub(super) fn is_channel(&self, key: &str) -> bool {
        self.channels.contains(key)
    }

    pub(super) fn is_reserved(&self, key: &str) -> bool {
        self.reserved.contains(key)
    }
}

impl Profiles {
    /// Creates an empty collection whose profiles are identified by these members.
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self { names, by_key: BTreeMap::new(), last: 0, bytes: 0 }
    }

    /// Merges a valid upsert into the profile, by the rules in the crate's documentation.
    pub(crate) fn upsert(
        &mut self,
        keys: &Keys,
        key: &[String],
        mut body: Map<String, Value>,
        now: DateTime<Utc>,
    ) {
        let about_push: Vec<_> =
            ABOUT_PUSH.iter().filter_map(|(key, member)| Some((*member, body.remove(*key)?))).collect();
        let mut profile = self.take(key).unwrap_or_else(|| Profile::new(now));
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
        self.put(key, profile);
    }

    /// Performs the operations of an edit in order, all or none, on the profile or on a new one.
    pub(crate) fn edit(
        &mut self,
        keys: &Keys,
        key: &[String],
        operations: &[Value],
        now: DateTime<Utc>,
    ) -> Result<(), Vec<Problem>> {
        let mut profile = self.by_key.get(key).cloned().unwrap_or_else(|| Profile::new(now));
        edit::apply(&mut profile, keys, operations)?;
        profile.touch(now);
        self.take(key);
        self.put(key, profile);
        Ok(())
    }

    /// Deletes a profile. Returns whether it existed.
    pub(crate) fn delete(&mut self, key: &[String]) -> bool {
        self.take(key).is_some()
    }

    /// Merges a profile into another, which gains everything that only the first had. The first is deleted.
    pub(crate) fn merge(
        &mut self,
        into: &[String],
        from: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), Missing> {
        if !self.has(into) {
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
        profile.created_at = profile.created_at.min(gone.created_at);
        profile.touch(now);
        self.put(into, profile);
        Ok(())
    }

    /// Restores an earlier state; `None` if there was no profile.
    pub(crate) fn restore(&mut self, key: &[String], profile: Option<Profile>) {
        self.take(key);
        if let Some(profile) = profile {
            self.put(key, profile);
        }
    }

    fn take(&mut self, key: &[String]) -> Option<Profile> {
        let profile = self.by_key.remove(key)?;
        self.bytes -= profile.bytes;
        Some(profile)
    }

    /// Stores a profile that was taken out or is new.
    fn put(&mut self, key: &[String], mut profile: Profile) {
        if profile.number == 0 {
            self.last += 1;
            profile.number = self.last;
        }
        profile.bytes = Value::from(self.to_json(key, &profile)).to_string().len();
        self.bytes += profile.bytes;
        self.by_key.insert(key.to_vec(), profile);
    }

    pub(crate) fn has(&self, key: &[String]) -> bool {
        self.by_key.contains_key(key)
    }

    pub(crate) fn profile(&self, key: &[String]) -> Option<&Profile> {
        self.by_key.get(key)
    }

    /// Returns the stored profile, in the form of an upsert's response.
    pub(crate) fn get(&self, key: &[String]) -> Option<Map<String, Value>> {
        Some(self.to_json(key, self.by_key.get(key)?))
    }

    /// Returns all keys with this prefix, in order.
    pub(crate) fn keys<'a>(&'a self, prefix: &'a [String]) -> impl Iterator<Item = &'a Key> {
        let all = self.by_key.range(prefix.to_vec()..);
        all.map(|(key, _)| key).take_while(move |key| key.starts_with(prefix))
    }

    /// Returns all keys, each with the number that its profile was assigned when it was created.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&Key, u64)> {
        self.by_key.iter().map(|(key, profile)| (key, profile.number))
    }

    /// Returns the size of all profiles as JSON, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn to_json(&self, key: &[String], profile: &Profile) -> Map<String, Value> {
        let mut json: Map<_, _> =
            self.names.iter().zip(key).map(|(name, id)| ((*name).to_owned(), id.as_str().into())).collect();
        json.insert("properties".into(), profile.properties.clone().into());
        json.insert("created_at".into(), time(profile.created_at));
        json.insert("updated_at".into(), time(profile.updated_at));
        let filled = profile.channels.iter().filter(|(_, entries)| !entries.is_empty());
        json.extend(filled.map(|(channel, entries)| (channel.clone(), entries.clone().into())));
        json
    }
}

impl Profile {
    /// Creates a profile; an upsert at this time will advance its `updated_at`.
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            number: 0,
            created_at: now,
            updated_at: now - TimeDelta::microseconds(1),
            properties: Map::new(),
            channels: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Returns the profile with the properties and channels of another, key by key.
    pub(super) fn overridden_by(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        merged.updated_at = other.updated_at;
        merged.properties.extend(other.properties.clone());
        let filled = other.channels.iter().filter(|(_, entries)| !entries.is_empty());
        merged.channels.extend(filled.map(|(channel, entries)| (channel.clone(), entries.clone())));
        merged
    }

    /// Records a change at this time. Two changes within the clock's resolution still differ.
    fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = now.max(self.updated_at + TimeDelta::microseconds(1));
    }

    /// Returns the active channels, without their `$`, each with its first address.
    pub(crate) fn active_channels(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.channels.iter().filter_map(|(channel, entries)| {
            let entry = entries.iter().find(|entry| entry["status"] == "active")?;
            Some((channel.trim_start_matches('$'), &entry["value"]))
        })
    }
}

/// Returns the stored form of an address, as in the document's response example.
pub(super) fn entry(channel: &str, mut value: Value, about: &[(&str, Value)]) -> Value {
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

/// Adds entries. An entry with a known value replaces the existing one.
pub(super) fn merge(known: &mut Vec<Value>, entries: impl Iterator<Item = Value>) {
    for entry in entries {
        match known.iter_mut().find(|known| known["value"] == entry["value"]) {
            Some(known) => *known = entry,
            None => known.push(entry),
        }
    }
}
