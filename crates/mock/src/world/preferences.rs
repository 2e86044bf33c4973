//! Preferences: a category's default, over it the tenant's, over it what a user or an object chose.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Asked, Key, World, missing,
    page::{Window, by_offset},
    tenants::DEFAULT,
    time,
};
use crate::{refused::Refused, server::reply::Reply};

/// The channels of a category that does not name its own.
const CHANNELS: [&str; 9] =
    ["email", "sms", "whatsapp", "inbox", "androidpush", "iospush", "webpush", "slack", "ms_teams"];
/// The results of a page, unless asked for.
const LIMIT: usize = 10;
/// The preference that nobody can change.
const FIXED: &str = "cant_unsubscribe";
/// Members of a recipient's choice for a category.
const CHOICE: [&str; 5] =
    ["preference", "opt_in_channels", "opt_out_channels", "digest_schedule", "properties"];
/// Members of a tenant's preference for a category, and of its default the names of those that have one.
const OF_TENANT: [(&str, &str); 3] = [
    ("preference", "default_preference"),
    ("mandatory_channels", "default_mandatory_channels"),
    ("opt_in_channels", "default_opt_in_channels"),
];

/// What was chosen, by tenant and category, or by tenant and channel.
type Choices = BTreeMap<(String, String), Map<String, Value>>;

#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// In the order in which they were set up.
    categories: Vec<Map<String, Value>>,
    of_tenants: Choices,
    own: BTreeMap<Key, Own>,
}

/// What one recipient chose.
#[derive(Debug, Default)]
struct Own {
    categories: Choices,
    /// Whether a channel is restricted to what is mandatory.
    channels: BTreeMap<(String, String), bool>,
}

/// Whose preferences, and in which tenant.
#[derive(Debug, Clone, Copy)]
struct Whose<'a> {
    recipient: &'a [String],
    tenant: &'a str,
}

impl Preferences {
    /// A category by its slug, `category`; one of the same is replaced.
    pub(super) fn define_category(&mut self, category: Map<String, Value>) -> Result<(), Refused> {
        let slug = category.get("category").and_then(Value::as_str).map(str::to_owned);
        let slug = slug.ok_or_else(|| Refused::new("category: is required"))?;
        match self.categories.iter_mut().find(|known| known["category"] == slug.as_str()) {
            Some(known) => *known = category,
            None => self.categories.push(category),
        }
        Ok(())
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

    fn category(&self, slug: &str) -> Result<&Map<String, Value>, Reply> {
        let found = self.categories.iter().find(|category| category["category"] == slug);
        found.ok_or_else(|| missing("category", slug))
    }

    /// A category with what the tenant says of it, as the document shows it to tenants.
    fn of_tenant(&self, category: &Map<String, Value>, tenant: &str) -> Map<String, Value> {
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

    /// A category as the document shows it to a recipient.
    fn of_recipient(
        &self,
        category: &Map<String, Value>,
        whose: Whose<'_>,
        with_opted_out: bool,
    ) -> Map<String, Value> {
        let tenant = self.of_tenant(category, whose.tenant);
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
            // A choice to opt out is for all channels; a default to do so may have exceptions.
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

    /// What a recipient sees of a tenant's categories, with these tags.
    fn visible<'a>(
        &'a self,
        tenant: &str,
        tags: Option<&'a Value>,
    ) -> impl Iterator<Item = &'a Map<String, Value>> {
        let tenant = tenant.to_owned();
        self.categories.iter().filter(move |category| {
            let shown = self.of_tenant(category, &tenant);
            shown["enabled_for_tenant"] == true
                && shown["visible_to_subscriber"] == true
                && tags.is_none_or(|filter| has_tags(&shown["effective_tags"], filter))
        })
    }

    /// The channels of which a recipient said something.
    fn channels(&self, whose: Whose<'_>) -> Value {
        let own = self.own.get(whose.recipient).into_iter().flat_map(|own| &own.channels);
        let here = own.filter(|((tenant, _), _)| tenant == whose.tenant);
        here.map(|((_, channel), restricted)| json!({"channel": channel, "is_restricted": restricted}))
            .collect()
    }

    fn full(&self, whose: Whose<'_>, with_opted_out: bool, tags: Option<&Value>) -> Value {
        let shown = self
            .visible(whose.tenant, tags)
            .map(|category| (section(category), self.of_recipient(category, whose, with_opted_out).into()));
        let sections = grouped(shown).into_iter().map(|(mut section, categories)| {
            section["subcategories"] = categories.into();
            section
        });
        json!({"sections": sections.collect::<Vec<_>>(), "channel_preferences": self.channels(whose)})
    }

    /// Takes over what a body says of channels and categories, or refuses all of it.
    fn choose(&mut self, whose: Whose<'_>, channels: &[Value], categories: &[Value]) -> Result<(), Reply> {
        for category in categories {
            let known = self.category(category["category"].as_str().unwrap_or_default())?;
            let shown = self.of_recipient(known, whose, true);
            if shown["is_editable"] == false && category.get("preference").is_some_and(|it| it == "opt_out") {
                return Err(Reply::bad_request(format!(
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
            // Of the two lists the one that was sent last counts.
            if said.keys().any(|name| name.ends_with("_channels")) || said.contains_key("preference") {
                kept.retain(|name, _| !name.ends_with("_channels"));
            }
            kept.extend(said);
        }
        Ok(())
    }
}

impl World {
    /// Preferences of a user or an object.
    pub(super) fn preferences(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        if !["get", "edit"].contains(&verb)
            && !["_category", "_categories", "_channels"].iter().any(|end| verb.ends_with(end))
        {
            return None;
        }
        let is_category = verb.ends_with("_category");
        let mut recipient = asked.key();
        let slug = if is_category { recipient.pop() } else { None };
        let exists =
            if recipient.len() == 2 { self.objects.has(&recipient) } else { self.users.has(&recipient) };
        if !exists {
            let (name, value) = asked.path.get(recipient.len() - 1)?;
            return Some(Err(missing(name, value)));
        }
        let tenant = asked.query("tenant_id").unwrap_or_else(|| DEFAULT.to_owned());
        if let Err(refusal) = self.needs_tenant(&tenant) {
            return Some(Err(refusal));
        }
        let whose = Whose { recipient: &recipient, tenant: &tenant };
        let (all, tags) = (asked.flag("show_opt_out_channels"), tags(asked));
        let stored = &mut self.preferences;
        let chosen = match verb {
            "edit" => stored.choose(whose, asked.list("channel_preferences"), asked.list("categories")),
            "edit_channels" => stored.choose(whose, asked.list("channel_preferences"), &[]),
            "edit_category" => {
                let mut choice = asked.body.clone().unwrap_or_default();
                choice["category"] = slug.clone().into();
                stored.choose(whose, &[], &[choice])
            }
            _ => Ok(()),
        };
        let category = || {
            let category = stored.category(slug.as_deref().unwrap_or_default())?;
            Ok(Answered::Json(stored.of_recipient(category, whose, all).into()))
        };
        Some(chosen.and_then(|()| match verb {
            "get_category" | "edit_category" => category(),
            "get_channels" | "edit_channels" => {
                Ok(Answered::Json(json!({"channel_preferences": stored.channels(whose)})))
            }
            "list_categories" => {
                let shown = stored.visible(&tenant, tags.as_ref());
                let shown: Vec<_> = shown.map(|it| stored.of_recipient(it, whose, all).into()).collect();
                Ok(Answered::Json(by_offset(&shown, &Window::new(asked.query, LIMIT))))
            }
            _ => Ok(Answered::Json(stored.full(whose, all, tags.as_ref()))),
        }))
    }

    /// Preferences of a tenant.
    pub(super) fn tenant_preferences(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        if verb != "get" && !["_category", "_categories"].iter().any(|end| verb.ends_with(end)) {
            return None;
        }
        let tenant = asked.parameter("tenant_id").to_owned();
        if let Err(refusal) = self.needs_tenant(&tenant) {
            return Some(Err(refusal));
        }
        let slug = asked.key().get(1).cloned().unwrap_or_default();
        let stored = &mut self.preferences;
        let changed = if verb.starts_with("edit_") {
            stored.category(&slug).map(|_| ()).map(|()| {
                let set = stored.of_tenants.entry((tenant.clone(), slug.clone())).or_default();
                set.extend(asked.body.as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
                set.insert("updated_at".into(), time(Utc::now()));
                // These are sent in another form than they are shown in.
                set.retain(|name, _| name != "digest_schedule" && name != "properties");
            })
        } else {
            Ok(())
        };
        Some(changed.and_then(|()| match verb {
            "get_category" | "edit_category" | "edit_default_category" => {
                let category = stored.category(&slug)?;
                Ok(Answered::Json(stored.of_tenant(category, &tenant).into()))
            }
            "list_categories" | "list_default_categories" => {
                let (disabled, tags) = (asked.flag("include_disabled"), tags(asked));
                let shown = stored.categories.iter().map(|category| stored.of_tenant(category, &tenant));
                let shown = shown.filter(|it| disabled || it["enabled_for_tenant"] == true);
                let shown =
                    shown.filter(|it| tags.as_ref().is_none_or(|tags| has_tags(&it["effective_tags"], tags)));
                let shown: Vec<_> = shown.map(Value::Object).collect();
                Ok(Answered::Json(by_offset(&shown, &Window::new(asked.query, LIMIT))))
            }
            _ => {
                let roots = grouped(stored.categories.iter().map(|category| {
                    let mut shown = stored.of_tenant(category, &tenant);
                    let root = shown.remove("root_category").unwrap_or_default();
                    (json!({"root_category": root}), json!([section(category), shown]))
                }));
                let roots = roots.into_iter().map(|(mut root, members)| {
                    let members = members.into_iter().map(|pair| (pair[0].clone(), pair[1].clone()));
                    let sections = grouped(members).into_iter().map(|(mut section, categories)| {
                        section["categories"] = categories.into();
                        section
                    });
                    root["sections"] = sections.collect();
                    root
                });
                Ok(Answered::Json(json!({"root_categories": roots.collect::<Vec<_>>()})))
            }
        }))
    }

    /// Preferences of many users at once; those who do not exist are passed over.
    pub(super) fn bulk_preferences(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        if !["edit_preferences_of_many", "reset_preferences_of_many"].contains(&verb) {
            return None;
        }
        let tenant = asked.query("tenant_id").unwrap_or_else(|| DEFAULT.to_owned());
        if let Err(refusal) = self.needs_tenant(&tenant) {
            return Some(Err(refusal));
        }
        for id in asked.texts("distinct_ids") {
            let recipient = [id.to_owned()];
            if !self.users.has(&recipient) {
                continue;
            }
            let whose = Whose { recipient: &recipient, tenant: &tenant };
            if verb.starts_with("edit") {
                let (channels, categories) = (asked.list("channel_preferences"), asked.list("categories"));
                if let Err(refusal) = self.preferences.choose(whose, channels, categories) {
                    return Some(Err(refusal));
                }
            } else if let Some(own) = self.preferences.own.get_mut(recipient.as_slice()) {
                let is_reset = |name: &str| asked.member(name) != Some(&false.into());
                let (channels, categories) =
                    (is_reset("reset_channel_preferences"), is_reset("reset_categories"));
                own.channels.retain(|(known, _), _| !channels || *known != tenant);
                own.categories.retain(|(known, _), _| !categories || *known != tenant);
            }
        }
        Some(Ok(Answered::Json(json!({"success": true}))))
    }

    /// Why a message of this category is not sent; nothing if it is. A category that was not set up blocks nothing.
    pub(super) fn why_blocked(
        &self,
        recipient: &[String],
        tenant: &str,
        category: Option<&str>,
        channel: &str,
    ) -> Option<&'static str> {
        if self.blocks(tenant, channel) {
            return Some("the tenant blocks the channel");
        }
        let category = self.preferences.category(category?).ok()?;
        if self.preferences.of_tenant(category, tenant)["enabled_for_tenant"] == false {
            return Some("the category is disabled for the tenant");
        }
        let shown = self.preferences.of_recipient(category, Whose { recipient, tenant }, true);
        let channels = shown["channels"].as_array()?;
        let found = channels.iter().find(|it| it["channel"] == channel)?;
        if found["preference"] == "opt_out" {
            return Some("the recipient's preferences block the channel");
        }
        let place = (tenant.to_owned(), channel.to_owned());
        let is_restricted = self.preferences.own.get(recipient).and_then(|own| own.channels.get(&place));
        let blocked = is_restricted == Some(&true) && found["is_editable"] == true;
        blocked.then_some("the recipient restricts the channel to what is mandatory")
    }

    /// A template's channel.
    pub(super) fn template_channel(&self, asked: &Asked<'_>) -> Answer {
        let (template, channel) = (asked.parameter("template_slug"), asked.parameter("channel_slug"));
        let stored = self.stores.get("templates").and_then(|templates| templates.get(&[template.to_owned()]));
        let stored = stored.ok_or_else(|| missing("template_slug", template))?;
        let channels = stored.get("channels").and_then(Value::as_array);
        let found = channels.into_iter().flatten().find(|it| it["channel"]["slug"] == channel);
        found.cloned().map(Answered::Json).ok_or_else(|| asked.missing())
    }
}

/// The first of two values that says something.
fn either<'a>(set: &'a Value, default: &'a Value) -> &'a Value {
    if set.is_null() { default } else { set }
}

/// The section that a category belongs to: set up as its name, or as an object.
fn section(category: &Map<String, Value>) -> Value {
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

/// Values with the same head together, in the order in which heads appear.
fn grouped(pairs: impl Iterator<Item = (Value, Value)>) -> Vec<(Value, Vec<Value>)> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (head, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == head) {
            Some((_, values)) => values.push(value),
            None => groups.push((head, vec![value])),
        }
    }
    groups
}

/// The filter of a query: a tag, or JSON that combines tags.
fn tags(asked: &Asked<'_>) -> Option<Value> {
    asked.query("tags").map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Whether tags fit a filter of tags, `and`, `or`, `not` and `exists`.
fn has_tags(tags: &Value, filter: &Value) -> bool {
    let known = tags.as_array().map_or(&[][..], Vec::as_slice);
    let all = |filters: &Value, any: bool| {
        let mut filters = filters.as_array().into_iter().flatten().map(|filter| has_tags(tags, filter));
        if any { filters.any(|it| it) } else { filters.all(|it| it) }
    };
    match filter {
        Value::Object(filter) => filter.iter().all(|(word, value)| match word.as_str() {
            "and" => all(value, false),
            "or" => all(value, true),
            "not" => !has_tags(tags, value),
            "exists" => known.is_empty() != (*value == true),
            _ => false,
        }),
        tag => known.contains(tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_combined() {
        let tags = json!(["a", "b"]);
        for (filter, fits) in [
            (json!("a"), true),
            (json!("c"), false),
            (json!({"and": ["a", "b"]}), true),
            (json!({"or": [{"and": ["a", "c"]}, "b"]}), true),
            (json!({"not": "a"}), false),
            (json!({"exists": true}), true),
            (json!({"exists": false}), false),
        ] {
            assert_eq!(has_tags(&tags, &filter), fits, "{filter}");
        }
        assert!(has_tags(&Value::Null, &json!({"exists": false})));
    }
}
