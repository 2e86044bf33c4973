//! Resources that are stored as they are sent, as the document's table describes them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{
    Answer, Answered, Asked, Key,
    page::{Order, by_cursor, by_offset},
    time,
};
use crate::{
    document::{Document, Operation},
    refused::Refused,
    server::response::HubResponse,
};

/// The minimum size of a value.
const BYTES: usize = 64;

/// The values of one resource.
#[derive(Debug)]
pub(crate) struct Store {
    /// The members of a value that form its key.
    names: Vec<String>,
    /// The members of a response, each with whether it may be null.
    members: BTreeMap<String, bool>,
    values: BTreeMap<Key, Map<String, Value>>,
}

/// Creates a store for every resource of the table that can be read by its key.
pub(super) fn stores(document: &Document) -> BTreeMap<String, Store> {
    let read =
        document.operations().iter().filter_map(|operation| Some((operation.role.as_ref()?, operation)));
    let read = read.filter(|(role, _)| role.verb == "get");
    read.map(|(role, operation)| (role.resource.clone(), Store::new(operation))).collect()
}

/// Answers operations that are the same for all resources. Returns `None` for other verbs.
pub(super) fn answer(store: &mut Store, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
    Some(match verb {
        "get" => {
            store.get(&asked.key()).ok_or_else(|| asked.missing()).map(|value| Answered::Json(value.into()))
        }
        "list" => store.list(asked),
        "upsert" => asked.members().and_then(|members| {
            let key = store.key_of(asked, &members)?;
            store.upsert(&key, members, Utc::now());
            Ok(Answered::Json(store.get(&key).unwrap_or_default().into()))
        }),
        "delete" if store.delete(&asked.key()) => Ok(Answered::AsDocumented),
        "delete" => Err(asked.missing()),
        _ => return None,
    })
}

impl Store {
    /// Creates a store for the values that this operation reads. `template_slug` of a path is the member `slug`, if there is no member with
    /// the longer name.
    fn new(get: &Operation) -> Self {
        let members = get.members().clone();
        let name = |parameter: String| {
            let short = parameter.split_once('_').map_or("", |(_, short)| short);
            let is_short = !members.contains_key(&parameter) && members.contains_key(short);
            if is_short { short.to_owned() } else { parameter }
        };
        let names = get.path_parameters().map(name).collect();
        Self { names, members, values: BTreeMap::new() }
    }

    /// Stores a value that contains its own key.
    pub(super) fn define(&mut self, value: Map<String, Value>) -> Result<(), Refused> {
        let id = |name: &String| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let key: Option<Key> = self.names.iter().map(id).collect();
        let key = key.ok_or_else(|| Refused::new(format!("{}: is required", self.names.join(", "))))?;
        self.upsert(&key, value, Utc::now());
        Ok(())
    }

    /// Returns the key of a value: from the path, or else from the body.
    fn key_of(&self, asked: &Asked<'_>, body: &Map<String, Value>) -> Result<Key, HubResponse> {
        let mut key = asked.key();
        for name in self.names.iter().skip(key.len()) {
            let id = body.get(name).and_then(Value::as_str);
            key.push(id.ok_or_else(|| HubResponse::bad_request(format!("{name}: is required")))?.to_owned());
        }
        Ok(key)
    }

    /// Stores members, which replace existing ones; if both are objects, they are merged by key.
    pub(super) fn upsert(&mut self, key: &[String], members: Map<String, Value>, now: DateTime<Utc>) {
        let value = self.values.entry(key.to_vec()).or_default();
        for (name, member) in members {
            match (value.get_mut(&name), member) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (_, member) => {
                    value.insert(name, member);
                }
            }
        }
        value.extend(self.names.iter().zip(key).map(|(name, id)| (name.clone(), id.as_str().into())));
        for name in ["created_at", "updated_at"].into_iter().filter(|name| self.members.contains_key(*name)) {
            if name == "updated_at" || !value.contains_key(name) {
                value.insert(name.into(), time(now));
            }
        }
    }

    /// Returns the value as in a response: members that were never set are null if they may be.
    pub(super) fn get(&self, key: &[String]) -> Option<Map<String, Value>> {
        let mut value = self.values.get(key)?.clone();
        for (name, _) in self.members.iter().filter(|(_, null)| **null) {
            value.entry(name.clone()).or_insert(Value::Null);
        }
        Some(value)
    }

    pub(super) fn get_mut(&mut self, key: &[String]) -> Option<&mut Map<String, Value>> {
        self.values.get_mut(key)
    }

    #[cfg(feature = "page")]
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.values.keys()
    }

    pub(super) fn has(&self, key: &[String]) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn delete(&mut self, key: &[String]) -> bool {
        self.values.remove(key).is_some()
    }

    /// Returns the items below the path of the request, in the form of list that its query selects.
    fn list(&self, asked: &Asked<'_>) -> Answer {
        let prefix = asked.key();
        let below = self.values.keys().filter(|key| key.starts_with(&prefix));
        let found: Vec<_> = below.filter_map(|key| Some((key.join("\0"), self.get(key)?.into()))).collect();
        let page = if asked.operation.takes("offset") {
            let found: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
            Ok(by_offset(&found, &asked.window()))
        } else {
            by_cursor(&found, Order::Ascending, &asked.window(), Value::clone)
        };
        page.map(Answered::Json).map_err(HubResponse::bad_request)
    }

    pub(super) fn bytes(&self) -> usize {
        self.values.len() * BYTES
    }
}
