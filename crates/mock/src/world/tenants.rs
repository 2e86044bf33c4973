//! Tenants, of which one always exists, and users within tenants.

use std::borrow::Cow;

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Asked, Key, World, json as members, missing, page, profiles::Profile, store};
use crate::{
    document::{Document, list},
    server::response::HubResponse,
};

/// The tenant that exists in every workspace.
pub(super) const DEFAULT: &str = "default";

impl World {
    pub(super) fn create_default_tenant(&mut self, document: &Document) {
        let is_known = document.named("tenants", "get").is_some();
        if let Some(tenants) = self.stores.get_mut("tenants").filter(|_| is_known) {
            let named = Map::from_iter([("tenant_name".to_owned(), DEFAULT.into())]);
            tenants.upsert(&[DEFAULT.to_owned()], named, Utc::now());
        }
    }

    pub(super) fn tenants(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        if verb == "delete" && asked.parameter("tenant_id") == DEFAULT {
            return Some(Err(HubResponse::bad_request("tenant_id: the tenant `default` cannot be deleted")));
        }
        let answer = store::answer(self.stores.get_mut("tenants")?, verb, asked)?;
        if verb == "delete" && answer.is_ok() {
            self.forget_tenant(asked.parameter("tenant_id"));
        }
        // An empty string removes a social link.
        let stored = self.stores.get_mut("tenants")?.get_mut(&asked.key());
        if let Some(Value::Object(links)) = stored.and_then(|tenant| tenant.get_mut("social_links")) {
            links.retain(|_, link| link != "");
        }
        let stored = self.stores["tenants"].get(&asked.key());
        Some(answer.map(|answered| stored.map_or(answered, |tenant| Answered::Json(tenant.into()))))
    }

    fn forget_tenant(&mut self, tenant: &str) {
        let gone: Vec<Key> = self.tenant_profiles.keys(&[]).filter(|key| key[1] == tenant).cloned().collect();
        for key in gone {
            self.tenant_profiles.delete(&key);
        }
        self.preferences.forget_tenant(tenant);
    }

    /// Rejects a tenant that does not exist. If the document declares no tenants, any is accepted.
    pub(super) fn needs_tenant(&self, tenant: &str) -> Result<(), HubResponse> {
        if self.has_tenant(tenant) { Ok(()) } else { Err(missing("tenant_id", tenant)) }
    }

    pub(super) fn has_tenant(&self, tenant: &str) -> bool {
        self.stores.get("tenants").is_none_or(|tenants| tenants.has(&[tenant.to_owned()]))
    }

    /// Returns whether a tenant sends nothing on this channel.
    pub(super) fn blocks(&self, tenant: &str, channel: &str) -> bool {
        let stored = self.stores.get("tenants").and_then(|tenants| tenants.get(&[tenant.to_owned()]));
        let blocked = stored.and_then(|tenant| tenant.get("blocked_channels")?.as_array().cloned());
        blocked.is_some_and(|blocked| blocked.iter().any(|name| name == channel))
    }

    /// Performs operations on profiles of a user within tenants.
    pub(super) fn user_tenants(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let key = asked.key();
        let user = &key[..1];
        if !self.users.has(user) {
            return Some(Err(missing("distinct_id", &user[0])));
        }
        if let Some(Err(refusal)) = key.get(1).map(|tenant| self.needs_tenant(tenant)) {
            return Some(Err(refusal));
        }
        Some(match verb {
            "list" => {
                let tenants = self.tenant_profiles.keys(user).map(|key| (key[1].as_str(), key));
                let tenants: Vec<_> = tenants.collect();
                let tenant = |key: &&Key| json!({"tenant_id": key[1]});
                page::by_cursor(&tenants, page::Order::Ascending, &asked.window(), tenant)
                    .map(Answered::Json)
                    .map_err(HubResponse::bad_request)
            }
            "get" => Ok(members(self.in_tenant(&key))),
            "upsert" => asked.members().and_then(|body| {
                let problems = self.keys.problems(&[], &body);
                if !problems.is_empty() {
                    return Err(HubResponse::bad_request(list(&problems)));
                }
                self.tenant_profiles.upsert(&self.keys, &key, body, Utc::now());
                Ok(members(self.in_tenant(&key)))
            }),
            "edit" => match self.tenant_profiles.edit(&self.keys, &key, asked.list("operations"), Utc::now())
            {
                Err(problems) => Err(HubResponse::bad_request(list(&problems))),
                Ok(()) => Ok(members(self.in_tenant(&key))),
            },
            "delete" if self.tenant_profiles.delete(&key) => Ok(Answered::AsDocumented),
            "delete" => Err(asked.missing()),
            _ => return None,
        })
    }

    /// Returns the profile of a user, overridden by that of the tenant, key by key.
    pub(super) fn profile_in(&self, user: &str, tenant: &str) -> Option<Cow<'_, Profile>> {
        let key = [user.to_owned(), tenant.to_owned()];
        let own = self.users.profile(&key[..1])?;
        let within = self.tenant_profiles.profile(&key);
        Some(within.map_or(Cow::Borrowed(own), |within| Cow::Owned(own.overridden_by(within))))
    }

    /// Returns this profile, in the form of an upsert's response.
    fn in_tenant(&self, key: &[String]) -> Map<String, Value> {
        let profile = self.profile_in(&key[0], &key[1]);
        profile.map(|profile| self.users.to_json(&key[..1], &profile)).unwrap_or_default()
    }
}
