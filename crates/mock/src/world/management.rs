//! The management API: workspaces, their keys, and the content edited on the dashboard, as drafts, live versions and earlier versions.
//!
//! [`Drafts`] stores everything that has drafts. The rest of the module defines what is specific to each kind: when it is valid, what a
//! commit replaces, and which of it the mock server's other operations then know.

mod contents;
mod keys;
mod templates;

use std::{collections::BTreeMap, fmt::Write};

use axum::http::StatusCode;
use chrono::Utc;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Answered, Asked, World, json as members, missing, page, time};
use crate::server::response::HubResponse;

/// The workspaces that always exist. Content committed in the last one becomes known to the mock server's other operations.
const WORKSPACES: [(&str, &str, &str); 2] =
    [("staging", "Staging", "sandbox"), ("production", "Production", "production")];
const OF_HUB: &str = "production";

type Members = Map<String, Value>;

/// All workspaces of the account.
pub(super) struct Management {
    workspaces: Vec<Workspace>,
}

struct Workspace {
    shown: Members,
    space: Space,
}

/// The content of a workspace.
#[derive(Default)]
struct Space {
    workflows: Drafts,
    schemas: Drafts,
    events: BTreeMap<String, Members>,
    /// A single tree, under the empty name.
    categories: Drafts,
    category_translations: BTreeMap<String, Members>,
    translations: Drafts,
    /// The committed sets of translations. The first has the number 1.
    versions: Vec<BTreeMap<String, Members>>,
    templates: Drafts,
    /// Indexed by template, channel and id.
    variants: Drafts,
    mock_data: Drafts,
    api_keys: Vec<Members>,
    public_keys: Vec<Members>,
    signing_keys: Vec<Members>,
    /// The number of keys created so far.
    made: u64,
}

/// Content that is edited as drafts and committed.
#[derive(Default)]
struct Drafts {
    draft: BTreeMap<String, Members>,
    live: BTreeMap<String, Members>,
    /// Whether anything was ever committed, even if it was removed since.
    was_live: bool,
}

impl Drafts {
    fn by_mode(&self, mode: &str) -> &BTreeMap<String, Members> {
        if mode == "live" { &self.live } else { &self.draft }
    }

    /// Saves a draft, which replaces the previous one. Stamped members are not part of its hash.
    fn save(&mut self, key: &str, content: Members) -> &mut Members {
        let now = time(Utc::now());
        let created = self.draft.get(key).and_then(|known| known.get("created_at")).cloned();
        let mut saved = content;
        saved.insert("hash".to_owned(), hash(&saved).into());
        saved.insert("created_at".to_owned(), created.unwrap_or_else(|| now.clone()));
        saved.insert("updated_at".to_owned(), now);
        self.draft.insert(key.to_owned(), saved);
        self.draft.entry(key.to_owned()).or_default()
    }

    /// Makes a draft the live version. The message belongs to this version.
    fn commit(&mut self, key: &str, message: Option<String>) {
        let Some(draft) = self.draft.get_mut(key) else { return };
        draft.insert("commit_message".to_owned(), message.into());
        self.live.insert(key.to_owned(), draft.clone());
        self.was_live = true;
    }

    fn remove(&mut self, key: &str) -> bool {
        self.live.remove(key);
        self.draft.remove(key).is_some()
    }

    fn bytes(&self) -> usize {
        (self.draft.len() + self.live.len()) * 1024
    }
}

/// Returns a hash of the content that is independent of the order of its members.
fn hash(content: &Members) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(members) => {
                let sorted: BTreeMap<_, _> = members.iter().collect();
                for (name, member) in sorted {
                    _ = write!(out, "{name:?}:");
                    write(member, out);
                }
                out.push('}');
            }
            Value::Array(values) => {
                for value in values {
                    write(value, out);
                }
                out.push(']');
            }
            other => _ = write!(out, "{other},"),
        }
    }
    let mut text = String::new();
    write(&content.clone().into(), &mut text);
    Sha256::digest(text.as_bytes()).iter().take(6).fold(String::new(), |mut hash, byte| {
        _ = write!(hash, "{byte:02x}");
        hash
    })
}

impl Default for Management {
    fn default() -> Self {
        let mut management = Self { workspaces: Vec::new() };
        for (slug, name, mode) in WORKSPACES {
            management.create(slug, name, &Value::Null, mode);
        }
        management
    }
}

impl Management {
    fn create(&mut self, slug: &str, name: &str, description: &Value, mode: &str) {
        let shown = json!({
            "uid": format!("wksp_{}", self.workspaces.len() + 1), "slug": slug, "name": name,
            "description": description, "mode": mode, "data_center": {}, "is_expired": false,
            "has_limit_reached": false,
        });
        self.workspaces.push(Workspace { shown: object(shown), space: Space::default() });
    }

    fn space(&mut self, slug: &str) -> Option<&mut Space> {
        let is_it = |it: &&mut Workspace| it.shown["slug"] == slug || it.shown["uid"] == slug;
        self.workspaces.iter_mut().find(is_it).map(|it| &mut it.space)
    }

    /// Returns the workspace whose live content the mock server's other operations know.
    fn of_hub(&self) -> Option<&Space> {
        self.workspaces.iter().find(|it| it.shown["slug"] == OF_HUB).map(|it| &it.space)
    }

    /// Returns the live workflows by slug.
    pub(super) fn live_workflows(&self) -> impl Iterator<Item = (&String, &Members)> {
        self.of_hub().into_iter().flat_map(|space| &space.workflows.live)
    }

    pub(super) fn live_workflow(&self, slug: &str) -> Option<&Members> {
        self.of_hub()?.workflows.live.get(slug)
    }

    /// Returns the live JSON schema to which a live workflow is linked.
    pub(super) fn schema_of(&self, workflow: &str) -> Option<&Value> {
        let slug = self.live_workflow(workflow)?.get("payload_schema")?.get("schema")?.as_str()?;
        self.of_hub()?.schemas.live.get(slug)?.get("json_schema")
    }

    /// Returns whether a workflow was ever live.
    pub(super) fn had_workflows(&self) -> bool {
        self.of_hub().is_some_and(|space| space.workflows.was_live)
    }

    fn live_categories(&self) -> Vec<Members> {
        let trees = self.of_hub().into_iter().flat_map(|space| space.categories.live.values());
        trees.flat_map(contents::categories_of).collect()
    }

    fn workspaces(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        match verb {
            "list" => {}
            "create" => {
                let name = asked.text("name").to_owned();
                let slug: String =
                    name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
                // It is unknown whether a name may be used twice.
                let mut number = 1;
                let mut free = slug.clone();
                while self.space(&free).is_some() {
                    number += 1;
                    free = format!("{slug}-{number}");
                }
                let slug = free;
                let description = asked.member("description").cloned().unwrap_or_default();
                self.create(&slug, &name, &description, "sandbox");
            }
            _ => return None,
        }
        let all: Vec<Value> = self.workspaces.iter().map(|it| it.shown.clone().into()).collect();
        Some(Ok(Answered::Json(page::by_offset(&all, &asked.window()))))
    }

    pub(super) fn bytes(&self) -> usize {
        let of = |space: &Space| {
            let drafts = [
                &space.workflows,
                &space.schemas,
                &space.categories,
                &space.translations,
                &space.templates,
                &space.variants,
                &space.mock_data,
            ];
            let files: usize = space.versions.iter().map(BTreeMap::len).sum();
            let keys = space.api_keys.len() + space.public_keys.len() + space.signing_keys.len();
            let rest = space.events.len() + space.category_translations.len() + files + keys;
            drafts.into_iter().map(Drafts::bytes).sum::<usize>() + rest * 1024
        };
        self.workspaces.iter().map(|it| of(&it.space)).sum()
    }
}

impl World {
    pub(super) fn management(&mut self, resource: &str, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        if resource == "workspaces" {
            return self.management.workspaces(verb, asked);
        }
        let slug = asked.parameter("workspace");
        let Some(space) = self.management.space(slug) else { return Some(Err(missing("workspace", slug))) };
        let answer = match resource {
            "workspace.api_keys" => space.api_keys(verb, asked),
            "workspace.public_keys" => space.public_keys(verb, asked),
            "workspace.signing_keys" => space.signing_keys(verb, asked),
            "workspace.workflows" => space.workflows(verb, asked),
            "workspace.schemas" => space.schemas(verb, asked),
            "workspace.events" => space.events(verb, asked),
            "workspace.categories" => space.categories(verb, asked),
            "workspace.categories.translations" => space.category_translations(verb, asked),
            "workspace.translations" => space.translations(verb, asked),
            "workspace.templates" => space.templates(verb, asked),
            "workspace.template.variants" => space.variants(verb, asked),
            "workspace.template.mock_data" => space.mock_data(verb, asked),
            _ => None,
        }?;
        if resource == "workspace.categories" {
            self.preferences.commit_categories(self.management.live_categories());
        }
        Some(answer)
    }
}

/// Returns whether a workflow may run.
pub(super) fn is_enabled(workflow: &Members) -> bool {
    workflow.get("is_enabled") != Some(&Value::Bool(false))
}

fn object(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        _ => Members::new(),
    }
}

fn without(members: &mut Members, names: &[&str]) {
    members.retain(|name, _| !names.contains(&name.as_str()));
}

/// Returns the user behind a service token.
fn system_user() -> Value {
    json!({"name": "Service Token", "email": "service-token@system.example"})
}

fn mode(asked: &Asked<'_>) -> String {
    asked.query("mode").unwrap_or_else(|| "draft".to_owned())
}

fn offset_page(all: impl IntoIterator<Item = Members>, asked: &Asked<'_>) -> Answered {
    let all: Vec<Value> = all.into_iter().map(Value::from).collect();
    Answered::Json(page::by_offset(&all, &asked.window()))
}

/// Returns the result of a validation.
fn validation(errors: &[String]) -> Value {
    json!({"is_valid": errors.is_empty(), "errors": errors})
}

fn bad_request(message: impl Into<String>) -> HubResponse {
    HubResponse::refusal(StatusCode::BAD_REQUEST, message)
}
