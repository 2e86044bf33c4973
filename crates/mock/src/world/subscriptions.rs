//! Subscribers of objects: users, and objects whose subscribers are users.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Asked, Key, World,
    page::{Order, by_cursor},
    people::page,
    recipients::Recipient,
    time,
};
use crate::server::response::HubResponse;

/// Edges from an object to its subscribers. A key of one part is a user, one of two an object.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(BTreeMap<(Key, Key), Edge>);

#[derive(Debug, Clone)]
struct Edge {
    properties: Value,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Subscriptions {
    /// Returns the subscribers of an object.
    pub(super) fn subscribers_of(&self, object: &[String]) -> impl Iterator<Item = &Key> {
        self.edges(object).map(|(subscriber, _)| subscriber)
    }

    fn edges(&self, object: &[String]) -> impl Iterator<Item = (&Key, &Edge)> {
        let from = (object.to_vec(), Vec::new());
        let object = object.to_vec();
        self.0
            .range(from..)
            .take_while(move |((parent, _), _)| *parent == object)
            .map(|((_, key), edge)| (key, edge))
    }

    /// Returns the objects that something is subscribed to.
    fn parents(&self, subscriber: &[String]) -> impl Iterator<Item = (&Key, &Edge)> {
        self.0
            .iter()
            .filter(move |((_, key), _)| *key == subscriber)
            .map(|((parent, _), edge)| (parent, edge))
    }

    pub(super) fn count(&self, object: &[String]) -> usize {
        self.edges(object).count()
    }

    /// Adds a subscriber, or replaces the properties of an existing one.
    fn add(&mut self, object: &[String], subscriber: &[String], properties: Value, now: DateTime<Utc>) {
        let edge = Edge { properties, created_at: now, updated_at: now };
        let known = self.0.entry((object.to_vec(), subscriber.to_vec())).or_insert_with(|| edge.clone());
        *known = Edge { created_at: known.created_at, ..edge };
    }

    /// Removes every edge from or to this key.
    pub(super) fn forget(&mut self, key: &[String]) {
        self.0.retain(|(parent, subscriber), _| parent != key && subscriber != key);
    }

    /// Moves the subscriptions of one subscriber to another that lacks them.
    pub(super) fn move_to(&mut self, from: &[String], into: &[String]) {
        let moved: Vec<_> = self.parents(from).map(|(parent, edge)| (parent.clone(), edge.clone())).collect();
        for (parent, edge) in moved {
            self.0.entry((parent, into.to_vec())).or_insert(edge);
        }
    }
}

impl World {
    /// Performs operations on the subscribers of an object.
    pub(super) fn subscribers(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let object = asked.key();
        if verb != "add" && !self.objects.has(&object) {
            return Some(Err(asked.missing()));
        }
        Some(match verb {
            "list" => {
                let edges =
                    self.subscriptions.edges(&object).map(|(key, edge)| (key.join("\0"), (key, edge)));
                let edges: Vec<_> = edges.collect();
                page(by_cursor(&edges, Order::Ascending, &asked.window(), |(key, edge)| {
                    self.subscriber(key, edge)
                }))
            }
            "add" => self.subscribe(&object, asked),
            "remove" => {
                for recipient in asked.list("recipients") {
                    let Ok(recipient) = Recipient::new(recipient) else { continue };
                    self.subscriptions.0.remove(&(object.clone(), recipient.key));
                }
                Ok(Answered::AsDocumented)
            }
            _ => return None,
        })
    }

    fn subscribe(&mut self, object: &[String], asked: &Asked<'_>) -> Answer {
        let now = Utc::now();
        let parent = asked.member("parent_object_properties").and_then(Value::as_object).cloned();
        if parent.is_none() && !self.objects.has(object) {
            return Err(asked.missing());
        }
        let recipients = self.recipients(asked.list("recipients"), None)?;
        for recipient in &recipients {
            if recipient.key.is_empty() {
                return Err(HubResponse::bad_request("recipients: a transient user cannot be subscribed"));
            }
            // A parent, its child and the child's users: no object may be between two others.
            let is_child = self.subscriptions.parents(object).next().is_some();
            let has_children = self.subscriptions.subscribers_of(&recipient.key).any(|key| key.len() == 2);
            if recipient.key.len() == 2 && (is_child || has_children || recipient.key == object) {
                return Err(HubResponse::bad_request(
                    "recipients: subscriptions are at most two levels deep",
                ));
            }
        }
        if let Some(parent) = parent {
            self.objects.upsert(&self.keys, object, parent, now);
        }
        let properties = asked.member("properties").cloned().unwrap_or_else(|| json!({}));
        for recipient in recipients {
            let key = recipient.key.clone();
            self.store_inline(recipient, None, true);
            self.subscriptions.add(object, &key, properties.clone(), now);
        }
        let added = asked.list("recipients").iter().filter_map(|recipient| Recipient::new(recipient).ok());
        let edges = added
            .filter_map(|it| Some((self.subscriptions.0.get(&(object.to_vec(), it.key.clone()))?, it.key)));
        let results: Vec<_> = edges.map(|(edge, key)| self.subscriber(&key, edge)).collect();
        Ok(Answered::Json(json!({"results": results})))
    }

    fn subscriber(&self, key: &[String], edge: &Edge) -> Value {
        let (user, object) = match key {
            [id] => {
                let stored = self.users.get(key).and_then(|mut user| user.remove("updated_at"));
                (json!({"distinct_id": id, "updated_at": stored}), Value::Null)
            }
            _ => (Value::Null, self.reference(key)),
        };
        json!({
            "user": user, "object": object, "properties": edge.properties,
            "created_at": time(edge.created_at), "updated_at": time(edge.updated_at),
        })
    }

    /// Returns an object in the form that subscriptions contain.
    fn reference(&self, key: &[String]) -> Value {
        let shown = ["object_type", "id", "properties", "subscriptions_count", "updated_at"];
        let object = self.object(key).into_iter().filter(|(name, _)| shown.contains(&name.as_str()));
        object.collect::<Map<_, _>>().into()
    }

    /// Returns the objects that a user or an object is subscribed to.
    pub(super) fn parents(&self, subscriber: &[String], asked: &Asked<'_>) -> Answer {
        let edges: Vec<_> = self
            .subscriptions
            .parents(subscriber)
            .map(|(parent, edge)| (parent.join("\0"), (parent, edge)))
            .collect();
        let shown = |(parent, edge): &(&Key, &Edge)| {
            json!({
                "object": self.reference(parent), "properties": edge.properties,
                "created_at": time(edge.created_at), "updated_at": time(edge.updated_at),
            })
        };
        page(by_cursor(&edges, Order::Ascending, &asked.window(), shown))
    }

    /// Subscribes a user without a request.
    pub(crate) fn subscribe_to_object(&mut self, distinct_id: &str, object: &Value, properties: Value) {
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let key = [text("object_type"), text("id")];
        let own = object["properties"].as_object().cloned().unwrap_or_default();
        self.objects.upsert(&self.keys, &key, own, Utc::now());
        self.subscriptions.add(&key, &[distinct_id.to_owned()], properties, Utc::now());
    }
}
