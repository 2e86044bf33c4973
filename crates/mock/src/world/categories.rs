//! Categories of preferences: a default, which the tenant's preference overrides, which the choice of a user or an object overrides.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Key, missing, tags::has_tags};
use crate::{refused::Refused, server::response::HubResponse};

/// The channels of a category that does not define its own.
const CHANNELS: [&str; 9] =
    ["email", "sms", "whatsapp", "inbox", "androidpush", "iospush", "webpush", "slack", "ms_teams"];
/// The preference that cannot be changed.
const FIXED: &str = "cant_unsubscribe";
/// Members of a recipient's choice for a category.
const CHOICE: [&str; 5] =
    ["preference", "opt_in_channels", "opt_out_channels", "digest_schedule", "properties"];
/// Members of a tenant's preference for a category, and the names of their defaults, for those that have one.
const OF_TENANT: [(&str, &str); 3] = [
    ("preference", "default_preference"),
    ("mandatory_channels", "default_mandatory_channels"),
    ("opt_in_channels", "default_opt_in_channels"),
];

/// The choices by tenant and category, or by tenant and channel.
type Choices = BTreeMap<(String, String), Map<String, Value>>;

#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// The categories that a test defined, in this order.
    defined: Vec<Map<String, Value>>,
    /// The categories of the live tree of the management API.
    committed: Vec<Map<String, Value>>,
    pub(super) of_tenants: Choices,
    pub(super) own: BTreeMap<Key, Own>,
}

/// The choices of one recipient.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) categories: Choices,
    /// Whether a channel is restricted to mandatory notifications.
    pub(super) channels: BTreeMap<(String, String), bool>,
}

/// The owner of the preferences, and the tenant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) recipient: &'a [String],
    pub(super) tenant: &'a str,
}

impl Preferences {
    /// Defines a category by its slug, `category`, replacing one with the same slug.
    pub(super) fn define_category(&mut self, category: Map<String, Value>) -> Result<(), Refused> {
        define(&mut self.defined, category)
    }

    /// Replaces the committed categories.
    pub(super) fn commit_categories(&mut self, categories: Vec<Map<String, Value>>) {
        self.committed.clear();
        for category in categories {
            // The document requires the slug.
            _ = define(&mut self.committed, category);
        }
    }

    /// Returns the categories that a test defined, then the other committed ones.
    pub(super) fn categories(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let is_defined = |slug: &Value| self.defined.iter().any(|known| known["category"] == *slug);
        let others = self.committed.iter().filter(move |category| !is_defined(&category["category"]));
        self.defined.iter().chain(others)
    }

    pub(super) fn forget(&mut self, recipient: &[String]) {
        self.own.remove(recipient);
    }

    pub(super) fn forget_tenant(&mut self, tenant: &str) {
        self.of_tenants.retain(|(known, _), _| known != tenant);
        for own in self.own.values_mut() {
            own.categories.retain(|(known, _), _| known != tenant);
            own.channels.retain(|(known, _), _| known != tenant);
        }
    }

    pub(super) fn category(&self, slug: &str) -> Result<&Map<String, Value>, HubResponse> {
        let found = self.categories().find(|category| category["category"] == slug);
        found.ok_or_else(|| missing("category", slug))
    }

    /// Returns a category with the tenant's settings, in the form that the document declares for tenants.
    pub(super) fn tenant_view(&self, category: &Map<String, Value>, tenant: &str) -> Map<String, Value> {
        let mut shown = json!({
            "name": null, "description": null, "tags": [], "root_category": "promotional",
            "default_preference": "opt_in", "default_mandatory_channels": [], "default_opt_in_channels": null,
            "enabled_for_tenant": true, "visible_to_subscriber": true, "preference": null,
            "mandatory_channels": null, "opt_in_channels": null, "blocked_channels": null, "updated_at": null,
        });
        let shown = shown.as_object_mut().map(std::mem::take).unwrap_or_default();
        let slug = category["category"].as_str().unwrap_or_default().to_owned();
        let set = self.of_tenants.get(&(tenant.to_owned(), slug)).cloned().unwrap_or_default();
        let hidden = |name: &String| !["section", "channels"].contains(&name.as_str());
        let category = category.clone().into_iter().filter(|(name, _)| hidden(name));
        let mut all: Map<_, _> = shown.into_iter().chain(category).chain(set).collect();
        let tags = all["tags"].clone();
        all.entry("effective_tags").or_insert(tags);
        all
    }

    /// Returns a category in the form that the document declares for recipients.
    pub(super) fn recipient_view(
        &self,
        category: &Map<String, Value>,
        whose: Whose<'_>,
        with_opted_out: bool,
    ) -> Map<String, Value> {
        let tenant = self.tenant_view(category, whose.tenant);
        let [preference, mandatory, opted_in] =
            OF_TENANT.map(|(set, default)| either(&tenant[set], &tenant[default]));
        let slug = category["category"].as_str().unwrap_or_default();
        let place = (whose.tenant.to_owned(), slug.to_owned());
        let own = self.own.get(whose.recipient).and_then(|own| own.categories.get(&place));
        let chosen = |name: &str| own.and_then(|own| own.get(name)).filter(|value| !value.is_null());
        let is_fixed = preference == FIXED;
        let preference = chosen("preference").filter(|_| !is_fixed).unwrap_or(preference);
        let names = |value: &Value, channel: &str| {
            value.as_array().map(|names| names.iter().any(|name| name == channel))
        };
        let channels: Vec<&str> = match category.get("channels").and_then(Value::as_array) {
            Some(channels) => channels.iter().filter_map(Value::as_str).collect(),
            None => CHANNELS.to_vec(),
        };
        let channels = channels.into_iter().map(|channel| {
            let is_mandatory = is_fixed || names(mandatory, channel) == Some(true);
            let is_blocked = names(&tenant["blocked_channels"], channel) == Some(true);
            let listed = chosen("opt_in_channels").or(Some(opted_in).filter(|_| own.is_none()));
            let in_list = listed.and_then(|listed| names(listed, channel));
            let out = chosen("opt_out_channels").and_then(|listed| names(listed, channel)) == Some(true);
            // An explicit opt-out applies to all channels; a default opt-out may have exceptions.
            let by_choice = if own.is_some() && preference == "opt_out" { Some(false) } else { in_list };
            let is_in =
                !is_blocked && (is_mandatory || (!out && by_choice.unwrap_or(preference != "opt_out")));
            json!({
                "channel": channel, "preference": if is_in { "opt_in" } else { "opt_out" },
                "is_editable": !is_mandatory && !is_blocked,
            })
        });
        let channels: Vec<_> = channels.collect();
        let is_shown = with_opted_out || preference != "opt_out";
        let mut shown = json!({
            "name": category.get("name").unwrap_or(&category["category"]), "category": slug,
            "description": tenant["description"], "tags": tenant["tags"], "effective_tags": tenant["effective_tags"],
            "original_preference": chosen("preference"), "preference": preference, "is_editable": !is_fixed,
            "channels": if is_shown { channels } else { Vec::new() },
        });
        shown.as_object_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Returns whether a recipient has made a choice for the category.
    pub(super) fn has_chosen(&self, whose: Whose<'_>, slug: &str) -> bool {
        let place = (whose.tenant.to_owned(), slug.to_owned());
        self.own.get(whose.recipient).is_some_and(|own| own.categories.contains_key(&place))
    }

    /// Returns the tenant's categories that a recipient sees, filtered by tags.
    pub(super) fn visible<'a>(
        &'a self,
        tenant: &str,
        tags: Option<&'a Value>,
    ) -> impl Iterator<Item = &'a Map<String, Value>> {
        let tenant = tenant.to_owned();
        self.categories().filter(move |category| {
            let shown = self.tenant_view(category, &tenant);
            shown["enabled_for_tenant"] == true
                && shown["visible_to_subscriber"] == true
                && tags.is_none_or(|filter| has_tags(&shown["effective_tags"], filter))
        })
    }

    /// Returns the channels for which a recipient has made a choice.
    pub(super) fn channels(&self, whose: Whose<'_>) -> Value {
        let own = self.own.get(whose.recipient).into_iter().flat_map(|own| &own.channels);
        let here = own.filter(|((tenant, _), _)| tenant == whose.tenant);
        here.map(|((_, channel), restricted)| json!({"channel": channel, "is_restricted": restricted}))
            .collect()
    }

    pub(super) fn full(&self, whose: Whose<'_>, with_opted_out: bool, tags: Option<&Value>) -> Value {
        let shown = self
            .visible(whose.tenant, tags)
            .map(|category| (section(category), self.recipient_view(category, whose, with_opted_out).into()));
        let sections = grouped(shown).into_iter().map(|(mut section, categories)| {
            section["subcategories"] = categories.into();
            section
        });
        json!({"sections": sections.collect::<Vec<_>>(), "channel_preferences": self.channels(whose)})
    }

    /// Applies the choices of a body for channels and categories, or rejects all of them.
    pub(super) fn choose(
        &mut self,
        whose: Whose<'_>,
        channels: &[Value],
        categories: &[Value],
    ) -> Result<(), HubResponse> {
        for category in categories {
            let known = self.category(category["category"].as_str().unwrap_or_default())?;
            let shown = self.recipient_view(known, whose, true);
            if shown["is_editable"] == false && category.get("preference").is_some_and(|it| it == "opt_out") {
                return Err(HubResponse::bad_request(format!(
                    "preference: {} cannot be unsubscribed from",
                    shown["category"]
                )));
            }
        }
        let own = self.own.entry(whose.recipient.to_vec()).or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for channel in channels {
            let place = (whose.tenant.to_owned(), text(&channel["channel"]));
            own.channels.insert(place, channel["is_restricted"] == true);
        }
        for category in categories {
            let place = (whose.tenant.to_owned(), text(&category["category"]));
            let kept = own.categories.entry(place).or_default();
            let said = |(name, value): &(&str, Option<&Value>)| {
                value.map(|value| ((*name).to_owned(), value.clone()))
            };
            let said: Map<_, _> =
                CHOICE.map(|name| (name, category.get(name))).iter().filter_map(said).collect();
            // Of the two lists, the one that was sent last counts.
            if said.keys().any(|name| name.ends_with("_channels")) || said.contains_key("preference") {
                kept.retain(|name, _| !name.ends_with("_channels"));
            }
            kept.extend(said);
        }
        Ok(())
    }
}

/// Adds a category, replacing one with the same slug.
fn define(known: &mut Vec<Map<String, Value>>, category: Map<String, Value>) -> Result<(), Refused> {
    let slug = category.get("category").filter(|slug| slug.is_string());
    let slug = slug.ok_or_else(|| Refused::new("category: is required"))?;
    match known.iter_mut().find(|known| known["category"] == *slug) {
        Some(known) => *known = category,
        None => known.push(category),
    }
    Ok(())
}

/// Returns the first of two values that is not null.
fn either<'a>(set: &'a Value, default: &'a Value) -> &'a Value {
    if set.is_null() { default } else { set }
}

/// Returns the section of a category, which is defined by its name or as an object.
pub(super) fn section(category: &Map<String, Value>) -> Value {
    let mut shown = json!({"name": null, "slug": null, "description": null, "tags": null});
    match category.get("section") {
        Some(Value::Object(section)) => {
            if let Some(shown) = shown.as_object_mut() {
                shown.extend(section.clone());
            }
        }
        Some(name) => shown["name"] = name.clone(),
        None => {}
    }
    shown
}

/// Groups values with the same head, in the order in which heads first appear.
pub(super) fn grouped(pairs: impl Iterator<Item = (Value, Value)>) -> Vec<(Value, Vec<Value>)> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (head, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == head) {
            Some((_, values)) => values.push(value),
            None => groups.push((head, vec![value])),
        }
    }
    groups
}
