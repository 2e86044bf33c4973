//! Workflows, schemas, events, categories and translations.

use std::collections::BTreeSet;

use chrono::Utc;
use serde_json::{Value, json};

use super::{
    Answer, Answered, Asked, Members, Space, bad_request, is_enabled, members, mode, object, offset_page,
    system_user, time, validation, without,
};

/// Returns whether a slug is requested. The parameter lists slugs separated by commas; without it, all are.
fn is_asked_for(asked: &Asked<'_>, slug: &str) -> bool {
    asked.query("slugs").is_none_or(|slugs| slugs.split(',').any(|one| one.trim() == slug))
}

impl Space {
    fn workflow(&self, slug: &str, mode: &str) -> Option<Members> {
        let mut shown = self.workflows.by_mode(mode).get(slug)?.clone();
        let status = match mode {
            "live" if is_enabled(&shown) => "active",
            "live" => "inactive",
            _ => "draft",
        };
        let errors = workflow_errors(&shown);
        let beside = json!({
            "slug": slug, "status": status, "updated_by": system_user(), "last_executed_at": null,
            "active_at": if mode == "live" { shown["updated_at"].clone() } else { Value::Null },
            "validation_result": validation(&errors),
        });
        shown.extend(object(beside));
        Some(shown)
    }

    pub(super) fn workflows(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let slug = asked.parameter("slug").to_owned();
        let mode = mode(asked);
        let show = |space: &Self, mode: &str| {
            space.workflow(&slug, mode).map(members).ok_or_else(|| asked.missing())
        };
        Some(match verb {
            "list" => {
                let slugs = self.workflows.by_mode(&mode).keys().filter(|slug| is_asked_for(asked, slug));
                let found: Vec<_> = slugs.filter_map(|slug| self.workflow(slug, &mode)).collect();
                Ok(offset_page(found, asked))
            }
            "get" => show(self, &mode),
            "upsert" => asked.members().and_then(|mut body| {
                without(&mut body, &["slug", "status", "validation_result", "hash", "$schema"]);
                body.entry("is_enabled").or_insert(true.into());
                let is_valid = workflow_errors(self.workflows.save(&slug, body)).is_empty();
                if asked.flag("commit") && is_valid {
                    self.workflows.commit(&slug, asked.query("commit_message"));
                }
                show(self, "draft")
            }),
            "commit" => {
                let draft = self.workflows.draft.get(&slug);
                if draft.is_some_and(|draft| workflow_errors(draft).is_empty()) {
                    self.workflows.commit(&slug, asked.query("commit_message"));
                }
                show(self, "draft")
            }
            "set_enabled" => {
                let enabled = asked.member("is_enabled").cloned().unwrap_or_default();
                for known in [&mut self.workflows.draft, &mut self.workflows.live] {
                    if let Some(known) = known.get_mut(&slug) {
                        known.insert("is_enabled".to_owned(), enabled.clone());
                    }
                }
                let mode = if self.workflows.live.contains_key(&slug) { "live" } else { "draft" };
                show(self, mode)
            }
            "delete" if self.workflows.remove(&slug) => Ok(Answered::AsDocumented),
            "delete" => Err(asked.missing()),
            _ => return None,
        })
    }

    fn schema(&self, slug: &str, mode: &str) -> Option<Members> {
        let mut shown = self.schemas.by_mode(mode).get(slug)?.clone();
        shown.extend(object(json!({"slug": slug, "status": if mode == "live" { "live" } else { "draft" }})));
        Some(shown)
    }

    pub(super) fn schemas(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let slug = asked.parameter("schema_slug").to_owned();
        let mode = mode(asked);
        let errors = |content: &Members| -> Vec<String> {
            let is_object = content.get("json_schema").is_some_and(|schema| schema["type"] == "object");
            if is_object {
                Vec::new()
            } else {
                vec!["json_schema: the type of its root is not object".to_owned()]
            }
        };
        Some(match verb {
            "list" => {
                let slugs = self.schemas.by_mode(&mode).keys();
                Ok(offset_page(slugs.filter_map(|slug| self.schema(slug, &mode)).collect::<Vec<_>>(), asked))
            }
            "get" => self.schema(&slug, &mode).map(members).ok_or_else(|| asked.missing()),
            "upsert" => asked.members().map(|mut body| {
                without(&mut body, &["slug", "status", "hash", "commit_result"]);
                let errors = errors(self.schemas.save(&slug, body));
                let asked_for = asked.flag("commit");
                if asked_for && errors.is_empty() {
                    self.schemas.commit(&slug, asked.query("commit_message"));
                }
                let mut shown = self.schema(&slug, "draft").unwrap_or_default();
                without(&mut shown, &["committed_at", "commit_message"]);
                let result = json!({"is_committed": errors.is_empty(), "errors": errors});
                shown.insert("commit_result".to_owned(), if asked_for { result } else { Value::Null });
                members(shown)
            }),
            "commit" => match self.schemas.draft.get(&slug).map(errors) {
                None => Err(asked.missing()),
                Some(errors) if !errors.is_empty() => Err(bad_request(errors.join("; "))),
                Some(_) => {
                    self.schemas.commit(&slug, asked.query("commit_message"));
                    self.schema(&slug, "live").map(members).ok_or_else(|| asked.missing())
                }
            },
            _ => return None,
        })
    }

    pub(super) fn events(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let name = asked.parameter("event_name").to_owned();
        let linked = asked.member("payload_schema").filter(|link| !link.is_null());
        if let Some(slug) = linked.and_then(|link| link["schema"].as_str())
            && !self.schemas.live.contains_key(slug)
        {
            return Some(Err(bad_request(format!("payload_schema: there is no live schema {slug}"))));
        }
        if verb == "list" {
            return Some(Ok(offset_page(self.events.values().cloned(), asked)));
        }
        if verb == "create" {
            let name = asked.text("name").to_owned();
            if self.events.contains_key(&name) {
                return Some(Err(bad_request(format!("name: there is an event {name} already"))));
            }
            let event = json!({
                "name": name, "description": asked.member("description"),
                "payload_schema": linked.map(whole_link), "created_at": time(Utc::now()),
            });
            self.events.insert(name, object(event.clone()));
            return Some(Ok(Answered::Json(event)));
        }
        let Some(event) = self.events.get_mut(&name) else { return Some(Err(asked.missing())) };
        Some(match verb {
            "get" => Ok(members(event.clone())),
            "update" => asked.members().map(|body| {
                let description = body.get("description").cloned();
                event.extend(description.map(|description| ("description".to_owned(), description)));
                event.extend(linked.map(|link| ("payload_schema".to_owned(), whole_link(link))));
                members(event.clone())
            }),
            "unlink_schema" if event["payload_schema"].is_null() => Err(bad_request("no schema is linked")),
            "unlink_schema" => {
                event.insert("payload_schema".to_owned(), Value::Null);
                Ok(members(event.clone()))
            }
            "linked_workflows" => {
                let fits = |it: &Members| {
                    it.get("trigger_events")
                        .and_then(Value::as_array)
                        .is_some_and(|all| all.iter().any(|one| *one == *name))
                };
                let found = self.workflows.draft.iter().filter(|(_, it)| fits(it));
                let found: Vec<Value> =
                    found.map(|(slug, _)| json!({"slug": slug, "usage": ["Trigger Event"]})).collect();
                Ok(Answered::Json(json!({"results": found})))
            }
            _ => return None,
        })
    }

    fn tree(&self, mode: &str) -> Members {
        let empty = || {
            let roots = ["system", "transactional", "promotional"]
                .map(|name| json!({"root_category": name, "sections": []}));
            object(json!({"root_categories": roots}))
        };
        let mut tree = self.categories.by_mode(mode).get("").cloned().unwrap_or_else(empty);
        without(&mut tree, &["created_at", "updated_at"]);
        tree.insert("status".to_owned(), if mode == "live" { "active" } else { "draft" }.into());
        if mode != "live" {
            tree.insert("validation_result".to_owned(), validation(&self.tree_errors(&tree)));
        }
        tree
    }

    /// Returns the errors of a tree. A category that an active workflow uses cannot be removed.
    fn tree_errors(&self, tree: &Members) -> Vec<String> {
        let known: BTreeSet<String> = categories_of(tree).iter().map(slug_of).collect();
        let live = self.categories.live.get("").map(categories_of).unwrap_or_default();
        let active = self.workflows.live.values().filter(|it| is_enabled(it));
        let used: BTreeSet<&str> = active.filter_map(|it| it.get("category")?.as_str()).collect();
        let gone =
            live.iter().map(slug_of).filter(|slug| !known.contains(slug) && used.contains(slug.as_str()));
        gone.collect()
    }

    pub(super) fn categories(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let mut commits = verb == "commit";
        match verb {
            "get" => return Some(Ok(members(self.tree(&mode(asked))))),
            "replace" => {
                let mut body = match asked.members() {
                    Ok(body) => body,
                    Err(refusal) => return Some(Err(refusal)),
                };
                body.retain(|name, _| name == "root_categories");
                let roots = body.entry("root_categories").or_insert(json!([]));
                for root in roots.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                    root.entry("sections").or_insert(json!([]));
                }
                self.categories.save("", body);
                commits = asked.flag("commit");
            }
            "commit" => {}
            _ => return None,
        }
        let draft = self.tree("draft");
        let is_valid = self.tree_errors(&draft).is_empty();
        if commits && is_valid {
            let version =
                self.categories.live.get("").and_then(|live| live["version_no"].as_i64()).unwrap_or(0) + 1;
            let draft = self.categories.draft.entry(String::new()).or_insert(draft);
            draft.extend(object(json!({"version_no": version, "committed_at": time(Utc::now())})));
            self.categories.commit("", asked.query("commit_message"));
        }
        let mut shown = self.tree("draft");
        if verb == "commit" && is_valid {
            shown.remove("validation_result");
        }
        Some(Ok(members(shown)))
    }

    pub(super) fn category_translations(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let locale = asked.parameter("locale").to_owned();
        Some(match verb {
            "locales" => {
                let found: Vec<Value> =
                    self.category_translations.keys().map(|locale| json!({"locale": locale})).collect();
                Ok(Answered::Json(json!({"results": found})))
            }
            "get" => {
                self.category_translations.get(&locale).cloned().map(members).ok_or_else(|| asked.missing())
            }
            "put" => asked.members().map(|body| {
                self.category_translations.insert(locale, body.clone());
                members(body)
            }),
            "delete" if self.category_translations.remove(&locale).is_some() => Ok(Answered::AsDocumented),
            "delete" => Err(asked.missing()),
            _ => return None,
        })
    }

    /// Returns a file with the members that the last commit adds.
    fn file(&self, name: &str, mode: &str, with_content: bool) -> Option<Members> {
        let file = self.translations.by_mode(mode).get(name)?;
        let live = self.translations.live.get(name);
        let action = match live {
            _ if mode == "live" => "unchanged",
            _ if file.get("is_deleted").is_some() => "deleted",
            None => "added",
            Some(live) if live["content"] == file["content"] => "unchanged",
            Some(_) => "updated",
        };
        let (namespace, locale) = match name.trim_end_matches(".json").rsplit_once('.') {
            Some((namespace, locale)) => (Value::from(namespace), locale.to_owned()),
            None => (Value::Null, name.trim_end_matches(".json").to_owned()),
        };
        let mut shown = object(json!({
            "filename": name, "locale": locale, "locale_name": locale, "namespace": namespace,
            "action": action, "updated_at": file["updated_at"],
        }));
        if with_content {
            shown.insert("content".to_owned(), file["content"].clone());
        }
        Some(shown)
    }

    fn files(&self, mode: &str, asked: &Asked<'_>) -> Answered {
        let with_content = asked.flag("include_content");
        let names = self.translations.by_mode(mode).keys();
        offset_page(names.filter_map(|name| self.file(name, mode, with_content)).collect::<Vec<_>>(), asked)
    }

    pub(super) fn translations(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let name = asked.parameter("locale_file").to_owned();
        let version = |space: &Self, parameter: &str| {
            let number = asked.parameter(parameter).parse::<usize>().unwrap_or_default();
            number
                .checked_sub(1)
                .and_then(|index| space.versions.get(index).cloned())
                .ok_or_else(|| asked.missing())
        };
        Some(match verb {
            "list" => Ok(self.files(&mode(asked), asked)),
            "get" => self.file(&name, &mode(asked), true).map(members).ok_or_else(|| asked.missing()),
            "put" => {
                let content = asked.member("content").cloned().unwrap_or_default();
                self.translations.save(&name, object(json!({"content": content})));
                self.file(&name, "draft", true).map(members).ok_or_else(|| asked.missing())
            }
            "delete" => match self.translations.draft.get_mut(&name) {
                None => Err(asked.missing()),
                Some(_) if !self.translations.live.contains_key(&name) => {
                    self.translations.remove(&name);
                    Ok(Answered::AsDocumented)
                }
                Some(file) => {
                    file.insert("is_deleted".to_owned(), true.into());
                    Ok(Answered::AsDocumented)
                }
            },
            "version" => version(self, "version").map(|files| {
                let mut of_version = Self::default();
                of_version.translations.live = files;
                of_version.files("live", asked)
            }),
            "rollback" => version(self, "version_no").map(|files| {
                self.translations.draft = files;
                self.files("draft", asked)
            }),
            "commit" => {
                self.translations.draft.retain(|_, file| !file.contains_key("is_deleted"));
                self.translations.live = self.translations.draft.clone();
                self.versions.push(self.translations.live.clone());
                Ok(self.files("live", asked))
            }
            _ => return None,
        })
    }
}

/// Returns a link to a schema with all its members.
fn whole_link(link: &Value) -> Value {
    json!({"schema": link["schema"], "version_no": link["version_no"]})
}

/// Returns the reasons why a workflow cannot be committed.
fn workflow_errors(workflow: &Members) -> Vec<String> {
    let mut errors = Vec::new();
    let nodes = workflow.get("tree").and_then(|tree| tree["nodes"].as_array());
    if !nodes.is_some_and(|nodes| nodes.iter().any(acts)) {
        errors.push("tree: at least one step has to send a notification or call a URL".to_owned());
    }
    let is_by_event = workflow.get("trigger_type").is_some_and(|kind| kind == "event");
    let events = workflow.get("trigger_events").and_then(Value::as_array);
    if is_by_event && events.is_none_or(Vec::is_empty) {
        errors.push("trigger_events: an event has to start the workflow".to_owned());
    }
    errors
}

/// Returns whether a step, or one below it, sends anything.
fn acts(node: &Value) -> bool {
    let kind = node["node_type"].as_str().unwrap_or_default();
    let below = node["branches"].as_array().into_iter().flatten();
    kind.starts_with("send_")
        || kind.starts_with("httpapi_")
        || below.filter_map(|branch| branch["nodes"].as_array()).flatten().any(acts)
}

/// Returns the categories of a tree, each with its root and section.
pub(super) fn categories_of(tree: &Members) -> Vec<Members> {
    let mut found = Vec::new();
    for root in tree.get("root_categories").and_then(Value::as_array).into_iter().flatten() {
        for section in root["sections"].as_array().into_iter().flatten() {
            for category in section["categories"].as_array().into_iter().flatten() {
                let mut category = object(category.clone());
                category.insert("root_category".to_owned(), root["root_category"].clone());
                category.insert("section".to_owned(), section["name"].clone());
                found.push(category);
            }
        }
    }
    found
}

fn slug_of(category: &Members) -> String {
    category.get("category").and_then(Value::as_str).unwrap_or_default().to_owned()
}
