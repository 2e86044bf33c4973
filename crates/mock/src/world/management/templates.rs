//! Templates, their variants with the contents, and the data for previews.

use chrono::Utc;
use serde_json::{Value, json};

use super::{
    Answer, Answered, Asked, Members, Space, bad_request, members, mode, object, offset_page, system_user,
    time, without,
};

/// Separates the parts of a variant's key; no slug or id contains it.
const SEPARATOR: char = '\u{0}';

/// Returns the key of a variant, or the common prefix of several keys.
fn key(parts: &[&str]) -> String {
    parts.iter().flat_map(|part| [part, "\u{0}"]).collect()
}

impl Space {
    fn template(&self, slug: &str, mode: &str) -> Option<Members> {
        let mut shown = self.templates.by_mode(mode).get(slug)?.clone();
        let enabled = shown.get("enabled_channels").and_then(Value::as_array).cloned().unwrap_or_default();
        let of_channel = |channel: &Value| {
            let prefix = key(&[slug, channel.as_str().unwrap_or_default()]);
            let count = self.variants.by_mode(mode).keys().filter(|known| known.starts_with(&prefix)).count();
            json!({"channel": channel, "is_active": true, "variants_count": count})
        };
        let channels: Vec<Value> = enabled.iter().map(of_channel).collect();
        let beside = json!({
            "slug": slug, "status": if mode == "live" { "active" } else { "draft" }, "channels": channels,
            "updated_by": system_user(), "last_triggered_at": null,
            "active_at": if mode == "live" { shown["updated_at"].clone() } else { Value::Null },
        });
        shown.extend(object(beside));
        for name in ["description", "commit_message", "version_no"] {
            shown.entry(name).or_insert(Value::Null);
        }
        shown.entry("tags").or_insert(json!([]));
        Some(shown)
    }

    fn variant(&self, key: &str, mode: &str, with_content: bool) -> Option<Members> {
        let mut shown = self.variants.by_mode(mode).get(key)?.clone();
        let mut parts = key.split(SEPARATOR).skip(1);
        let (channel, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        shown.extend(object(json!({"channel": channel, "id": id})));
        let errors = variant_errors(&shown);
        shown.insert("has_error".to_owned(), (!errors.is_empty()).into());
        if with_content {
            shown.insert("errors".to_owned(), errors.into());
            shown.entry("vendor_approvals").or_insert(json!([]));
        } else {
            without(&mut shown, &["content", "errors", "vendor_approvals"]);
        }
        Some(shown)
    }

    pub(super) fn templates(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let slug = asked.parameter("template_slug").to_owned();
        let mode = mode(asked);
        let show = |space: &Self, mode: &str| {
            space.template(&slug, mode).map(members).ok_or_else(|| asked.missing())
        };
        Some(match verb {
            "list" => {
                let slugs = self.templates.by_mode(&mode).keys();
                Ok(offset_page(
                    slugs.filter_map(|slug| self.template(slug, &mode)).collect::<Vec<_>>(),
                    asked,
                ))
            }
            "get" => show(self, &mode),
            "upsert" => asked.members().and_then(|body| {
                let mut content = self.templates.draft.get(&slug).cloned().unwrap_or_default();
                without(&mut content, &["hash", "created_at", "updated_at"]);
                content.extend(body.into_iter().filter(|(name, _)| {
                    ["name", "description", "tags", "enabled_channels"].contains(&name.as_str())
                }));
                let channels = content.get("enabled_channels").and_then(Value::as_array).cloned();
                self.templates.save(&slug, content);
                // Each channel has a variant from the start.
                for channel in channels.iter().flatten().filter_map(Value::as_str) {
                    let prefix = key(&[&slug, channel]);
                    if !self.variants.draft.keys().any(|known| known.starts_with(&prefix)) {
                        self.save_variant(
                            &key(&[&slug, channel, "default"]),
                            object(json!({"locale": "en", "content": {}})),
                        );
                    }
                }
                show(self, "draft")
            }),
            "commit" if !self.templates.draft.contains_key(&slug) => Err(asked.missing()),
            "commit" => self.commit_template(&slug, asked).and_then(|()| show(self, "live")),
            _ => return None,
        })
    }

    fn commit_template(
        &mut self,
        slug: &str,
        asked: &Asked<'_>,
    ) -> Result<(), crate::server::response::HubResponse> {
        let named = asked.member("variants").and_then(Value::as_array);
        let is_named = |known: &str| {
            let mut parts = known.split(SEPARATOR).skip(1);
            let (channel, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            named.is_none_or(|named| named.iter().any(|it| it["channel"] == channel && it["id"] == id))
        };
        let prefix = key(&[slug]);
        let all = self.variants.draft.keys().filter(|known| known.starts_with(&prefix) && is_named(known));
        let all: Vec<String> = all.cloned().collect();
        for variant in &all {
            let errors = variant_errors(&self.variants.draft[variant]);
            if !errors.is_empty() {
                let name = variant[prefix.len()..].trim_end_matches(SEPARATOR).replace(SEPARATOR, ":");
                return Err(bad_request(format!("{name} errors: {}", Value::from(errors))));
            }
        }
        for variant in &all {
            self.variants.commit(variant, None);
        }
        let version =
            self.templates.live.get(slug).and_then(|live| live.get("version_no")?.as_i64()).unwrap_or(0);
        if let Some(draft) = self.templates.draft.get_mut(slug) {
            draft.insert("version_no".to_owned(), (version + 1).into());
        }
        self.templates.commit(slug, asked.query("commit_message"));
        self.mock_data.commit(slug, None);
        Ok(())
    }

    fn save_variant(&mut self, key: &str, body: Members) {
        let mut content = object(json!({
            "locale": "en", "tenant_id": null, "conditions": null, "needs_vendor_approval": false,
            "sysgen_template_name": null, "approval_status": "auto_approved", "discard_comment": null,
            "approval_at": null, "seq_no": null, "action": null,
        }));
        content.extend(body);
        without(&mut content, &["id", "channel", "hash", "has_error", "errors", "created_at", "$schema"]);
        let saved = self.variants.save(key, content);
        saved.remove("updated_at");
    }

    pub(super) fn variants(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let slug = asked.parameter("template_slug");
        if !self.templates.draft.contains_key(slug) {
            return Some(Err(super::missing("template_slug", slug)));
        }
        let (channel, id) = (asked.parameter("channel"), asked.parameter("variant_id"));
        let mode = mode(asked);
        let with_content = asked.flag("include_content");
        let one = key(&[slug, channel, id]);
        let list = |space: &Self, prefix: String| {
            let keys = space.variants.by_mode(&mode).keys().filter(|known| known.starts_with(&prefix));
            offset_page(
                keys.filter_map(|key| space.variant(key, &mode, with_content)).collect::<Vec<_>>(),
                asked,
            )
        };
        let show = |space: &Self, mode: &str| {
            space.variant(&one, mode, true).map(members).ok_or_else(|| asked.missing())
        };
        Some(match verb {
            "list" => Ok(list(self, key(&[slug]))),
            "list_channel" => Ok(list(self, key(&[slug, channel]))),
            "get" => show(self, &mode),
            "upsert" => asked.members().and_then(|body| {
                self.save_variant(&one, body);
                show(self, "draft")
            }),
            "discard" => self
                .judge_variant(
                    &one,
                    &json!({"approval_status": "pending", "discard_comment": asked.member("comment")}),
                )
                .ok_or_else(|| asked.missing())
                .and_then(|()| show(self, "live")),
            "record_approval" => {
                let approval = asked.body.clone().unwrap_or_default();
                let status = json!({
                    "approval_status": approval["approval_status"], "approval_at": time(Utc::now()),
                    "vendor_approvals": [approval],
                });
                self.judge_variant(&one, &status)
                    .ok_or_else(|| asked.missing())
                    .and_then(|()| show(self, "live"))
            }
            _ => return None,
        })
    }

    /// Sets a vendor's verdict on a live variant.
    fn judge_variant(&mut self, key: &str, status: &Value) -> Option<()> {
        let live = self.variants.live.get_mut(key)?;
        live.extend(object(status.clone()));
        Some(())
    }

    pub(super) fn mock_data(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let slug = asked.parameter("template_slug").to_owned();
        if !self.templates.draft.contains_key(&slug) {
            return Some(Err(super::missing("template_slug", &slug)));
        }
        let none = || {
            object(json!({
                "payload": {}, "tenant_id": null, "is_batch": false, "batch_count": 0,
                "recipient_sub_type": "user", "recipient_distinct_id": null, "recipient_object": null,
                "actor_sub_type": "user", "actor_distinct_id": null, "actor_object": null,
            }))
        };
        let mode = mode(asked);
        match verb {
            "get" => {}
            "update" => {
                let body = match asked.members() {
                    Ok(body) => body,
                    Err(refusal) => return Some(Err(refusal)),
                };
                let body = body.get("data").and_then(Value::as_object).cloned().unwrap_or(body);
                let mut data = self.mock_data.draft.remove(&slug).unwrap_or_else(none);
                data.extend(body);
                self.mock_data.draft.insert(slug.clone(), data);
            }
            _ => return None,
        }
        let data = self.mock_data.by_mode(&mode).get(&slug).cloned().unwrap_or_else(none);
        let transformed = data.get("payload").cloned().unwrap_or_default();
        Some(Ok(Answered::Json(json!({"data": data, "transformed_data": transformed}))))
    }
}

/// Returns the errors of a variant. One without contents cannot be committed.
fn variant_errors(variant: &Members) -> Members {
    let is_empty = variant.get("content").and_then(Value::as_object).is_none_or(Members::is_empty);
    if is_empty { object(json!({"content": ["required"]})) } else { Members::new() }
}
