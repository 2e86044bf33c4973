//! Operations on the preferences of users, objects and tenants.

use chrono::Utc;
use serde_json::{Value, json};

use super::{
    Answer, Answered, Asked, World,
    categories::{Whose, grouped, section},
    missing,
    page::{Window, by_offset},
    tags::has_tags,
    tenants::DEFAULT,
    time,
};

/// The default number of results on a page.
const LIMIT: usize = 10;

impl World {
    /// Performs operations on the preferences of a user or an object.
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
            Ok(Answered::Json(stored.recipient_view(category, whose, all).into()))
        };
        Some(chosen.and_then(|()| match verb {
            "get_category" | "edit_category" => category(),
            "get_channels" | "edit_channels" => {
                Ok(Answered::Json(json!({"channel_preferences": stored.channels(whose)})))
            }
            "list_categories" => {
                let shown = stored.visible(&tenant, tags.as_ref());
                let shown: Vec<_> = shown.map(|it| stored.recipient_view(it, whose, all).into()).collect();
                Ok(Answered::Json(by_offset(&shown, &Window::new(asked.query, LIMIT))))
            }
            _ => Ok(Answered::Json(stored.full(whose, all, tags.as_ref()))),
        }))
    }

    /// Performs operations on the preferences of a tenant.
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
                // These are returned in another form than they are sent in.
                set.retain(|name, _| name != "digest_schedule" && name != "properties");
            })
        } else {
            Ok(())
        };
        Some(changed.and_then(|()| match verb {
            "get_category" | "edit_category" | "edit_default_category" => {
                let category = stored.category(&slug)?;
                Ok(Answered::Json(stored.tenant_view(category, &tenant).into()))
            }
            "list_categories" | "list_default_categories" => {
                let (disabled, tags) = (asked.flag("include_disabled"), tags(asked));
                let shown = stored.categories().map(|category| stored.tenant_view(category, &tenant));
                let shown = shown.filter(|it| disabled || it["enabled_for_tenant"] == true);
                let shown =
                    shown.filter(|it| tags.as_ref().is_none_or(|tags| has_tags(&it["effective_tags"], tags)));
                let shown: Vec<_> = shown.map(Value::Object).collect();
                Ok(Answered::Json(by_offset(&shown, &Window::new(asked.query, LIMIT))))
            }
            _ => {
                let roots = grouped(stored.categories().map(|category| {
                    let mut shown = stored.tenant_view(category, &tenant);
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

    /// Performs operations on the preferences of many users at once. Users that do not exist are skipped.
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

    /// Returns the preference that blocks a message of this category, or `None` if it is sent. An undefined category blocks nothing.
    pub(super) fn why_blocked(
        &self,
        recipient: &[String],
        tenant: &str,
        category: Option<&str>,
        channel: &str,
    ) -> Option<String> {
        if self.blocks(tenant, channel) {
            return Some(format!("the tenant `{tenant}` blocks the channel"));
        }
        let (slug, whose) = (category?, Whose { recipient, tenant });
        let category = self.preferences.category(slug).ok()?;
        let of_tenant = self.preferences.tenant_view(category, tenant);
        if of_tenant["enabled_for_tenant"] == false {
            return Some(format!("the category `{slug}` is disabled for the tenant `{tenant}`"));
        }
        let shown = self.preferences.recipient_view(category, whose, true);
        let channels = shown["channels"].as_array()?;
        let found = channels.iter().find(|it| it["channel"] == channel)?;
        if found["preference"] == "opt_out" {
            let is_named =
                |list: &Value| list.as_array().is_some_and(|names| names.iter().any(|name| name == channel));
            let says = if is_named(&of_tenant["blocked_channels"]) {
                format!("the tenant `{tenant}` blocks the channel for")
            } else if self.preferences.has_chosen(whose, slug) {
                "the recipient opted out of".to_owned()
            } else if ["preference", "opt_in_channels"].iter().any(|name| !of_tenant[*name].is_null()) {
                format!("the preference of the tenant `{tenant}` is to opt out of")
            } else {
                "the default is to opt out of".to_owned()
            };
            return Some(format!("{says} the category `{slug}`"));
        }
        let place = (tenant.to_owned(), channel.to_owned());
        let is_restricted = self.preferences.own.get(recipient).and_then(|own| own.channels.get(&place));
        let blocked = is_restricted == Some(&true) && found["is_editable"] == true;
        blocked.then(|| "the recipient restricts the channel to what is mandatory".to_owned())
    }
}

/// Returns the filter of a query: a tag, or JSON that combines tags.
fn tags(asked: &Asked<'_>) -> Option<Value> {
    asked.query("tags").map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
