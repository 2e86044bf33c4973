//! The stored data of the mock server, and the effects of the document's operations.
//!
//! An operation is identified by its place in the document's table of resources. Items that are created, read, listed and deleted by their
//! key alone are handled generically for all resources ([`store`]). The other modules implement what is specific to a resource.

mod asked;
mod categories;
mod edit;
mod lists;
mod management;
mod messages;
mod outbox;
mod page;
mod people;
mod preferences;
mod profiles;
mod recipients;
mod sent;
mod store;
mod subscriptions;
mod tags;
mod templates;
mod tenants;
#[cfg(feature = "page")]
mod view;

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

pub use self::outbox::{Kind, Sent};
#[cfg(feature = "page")]
pub(crate) use self::view::{Notification, Outcome, Place, Wanted};
pub(crate) use self::{asked::Asked, profiles::Keys};
use self::{
    categories::Preferences,
    lists::Lists,
    management::Management,
    messages::Messages,
    outbox::{Origin, Outbox},
    profiles::Profiles,
    store::Store,
    subscriptions::Subscriptions,
};
use crate::{document::Document, refused::Refused, server::response::HubResponse};

/// Identifies an item: the parameters of its path, in order.
pub(crate) type Key = Vec<String>;

/// A response's body, or a refusal.
pub(crate) type Answer = Result<Answered, HubResponse>;

/// The content of a successful response.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The success that the document shows: no body, or a fixed text.
    AsDocumented,
    Json(Value),
    JsonWith(StatusCode, Value),
}

/// Everything that operations change.
pub(crate) struct World {
    keys: Arc<Keys>,
    users: Profiles,
    objects: Profiles,
    /// Profiles of users within tenants, which override those of the users.
    tenant_profiles: Profiles,
    subscriptions: Subscriptions,
    lists: Lists,
    preferences: Preferences,
    outbox: Outbox,
    messages: Messages,
    management: Management,
    /// Resources that are stored as they are sent, by name.
    stores: BTreeMap<String, Store>,
}

impl World {
    pub(crate) fn new(keys: Arc<Keys>, document: &Document) -> Self {
        let mut world = Self {
            keys,
            users: Profiles::new(&["distinct_id"]),
            objects: Profiles::new(&["object_type", "id"]),
            tenant_profiles: Profiles::new(&["distinct_id", "tenant_id"]),
            subscriptions: Subscriptions::default(),
            lists: Lists::default(),
            preferences: Preferences::default(),
            outbox: Outbox::default(),
            messages: Messages::default(),
            management: Management::default(),
            stores: store::stores(document),
        };
        world.create_default_tenant(document);
        world
    }

    /// Answers an operation of the table of resources. Returns `None` if it is unknown.
    pub(crate) fn answer(&mut self, asked: &Asked<'_>) -> Option<Answer> {
        let role = asked.operation.role.as_ref()?;
        let verb = role.verb.as_str();
        self.outbox.origin = Origin { request: asked.number, operation: asked.operation.id.clone() };
        let special = match role.resource.as_str() {
            "users" => self.people(verb, asked).or_else(|| self.bulk_preferences(verb, asked)),
            "users.tenants" => self.user_tenants(verb, asked),
            "objects" => self.things(verb, asked),
            "objects.subscriptions" => self.subscribers(verb, asked),
            "users.preferences" | "objects.preferences" => self.preferences(verb, asked),
            "tenants.preferences" => self.tenant_preferences(verb, asked),
            "tenants" if verb == "upsert" || verb == "delete" => self.tenants(verb, asked),
            "lists" => self.lists(verb, asked),
            "lists.subscribers" => self.list_subscribers(verb, asked),
            "lists.drafts" => self.drafts(verb, asked),
            "workflows" => self.workflows(verb, asked),
            "events" => self.events(verb, asked),
            "broadcasts" => self.broadcasts(verb, asked),
            "messages" => self.messages(verb, asked),
            resource if resource == "workspaces" || resource.starts_with("workspace.") => {
                self.management(resource, verb, asked)
            }
            "templates" if verb == "get_channel" => Some(self.template_channel(asked)),
            _ => None,
        };
        special.or_else(|| store::answer(self.stores.get_mut(&role.resource)?, verb, asked))
    }

    /// Defines something that the API cannot create: `workflow`, `category` or `template`.
    pub(crate) fn define(&mut self, kind: &str, value: Value) -> Result<(), Refused> {
        let Value::Object(members) = value else {
            return Err(Refused::new(format!("a {kind} is a JSON object")));
        };
        match kind {
            "workflow" => self.outbox.define_workflow(members),
            "category" => self.preferences.define_category(members),
            "template" => {
                let templates = self.stores.get_mut("templates");
                templates.ok_or_else(|| Refused::new("the document has no templates"))?.define(members)
            }
            _ => Err(Refused::new(format!(
                "a {kind} cannot be set up; a workflow, a category or a template can"
            ))),
        }
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns the approximate size of all stored data as JSON, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let stores: usize = self.stores.values().map(Store::bytes).sum();
        let profiles = self.users.bytes() + self.objects.bytes() + self.tenant_profiles.bytes();
        profiles
            + stores
            + self.outbox.bytes()
            + self.messages.bytes()
            + self.lists.bytes()
            + self.management.bytes()
    }
}

/// Formats a time as the document does.
fn time(time: DateTime<Utc>) -> Value {
    time.to_rfc3339_opts(SecondsFormat::Micros, false).into()
}

/// Returns the document's response for something that does not exist.
fn missing(parameter: &str, value: &str) -> HubResponse {
    HubResponse::refusal(StatusCode::NOT_FOUND, format!("{parameter}: {value} not found"))
}

fn json(members: Map<String, Value>) -> Answered {
    Answered::Json(members.into())
}
