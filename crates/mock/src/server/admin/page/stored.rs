//! Renders stored users, objects, tenants and lists, and preferences.

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    FORMS, NOTIFICATIONS, STORED,
    params::Params,
    shell::{Page, badge, empty, hidden_fields, option, pager},
    tree::Body,
};
use crate::{refused::Refused, server::Shared};

/// The number of items on a page.
const ROWS: usize = 100;
/// The number of tenants that can be selected, and of list members that are shown.
const LISTED: usize = 100;
/// The tenant of a user or an object if no other is named.
const TENANT: &str = "default";

/// A kind of stored items.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The name in the document's table of resources.
    pub(super) resource: &'static str,
    pub(super) title: &'static str,
    has_preferences: bool,
    empty: &'static str,
}

/// The kinds that have a page.
pub(super) const KINDS: [Kind; 4] = [
    Kind {
        resource: "users",
        title: "Users",
        has_preferences: true,
        empty: "An upsert, or a trigger with an inline profile, creates them.",
    },
    Kind {
        resource: "objects",
        title: "Objects",
        has_preferences: true,
        empty: "Upserting an object, or subscribing to one, creates it.",
    },
    Kind {
        resource: "tenants",
        title: "Tenants",
        has_preferences: false,
        empty: "Upserting a tenant creates it.",
    },
    Kind { resource: "lists", title: "Lists", has_preferences: false, empty: "Upserting a list creates it." },
];

pub(super) fn page(shared: &Shared, resource: &str, params: &Params) -> Option<Response> {
    let kind = KINDS.iter().find(|kind| kind.resource == resource)?;
    let path = format!("{STORED}{resource}");
    let skip = params.number::<usize>("skip").unwrap_or_default();
    let text = params.text("q").to_lowercase();
    let (keys, count) = shared.state().world.stored_keys(resource, &text, skip, ROWS);
    let id: Vec<&str> = params.all("id").collect();
    let without = params.without(&["id", "tenant"]);
    let link = |key: &[String]| {
        key.iter().fold(without.clone(), |params, part| params.and("id", part.as_str())).link(&path)
    };
    let move_to = |skip: usize| without.with("skip", skip.to_string()).link(&path);
    let content = html! {
        div.columns.with-detail[!id.is_empty()] {
            section.list aria-labelledby="title" {
                div.head { h1 #title { (kind.title) } p.count { (count) @if !text.is_empty() { " found" } } }
                form.filters method="get" action=(path) role="search" aria-label=(kind.title) {
                    (hidden_fields(&params.without(&["q", "skip", "id", "tenant"])))
                    label.wide { span.sr { "Search" } input type="search" name="q" value=(params.text("q")) placeholder="Search identifiers"; }
                    button.button type="submit" { "Search" }
                }
                @if keys.is_empty() && !text.is_empty() {
                    (empty("Nothing matches", &html! { p { "No identifier contains this text." } }))
                } @else if keys.is_empty() {
                    (empty(&format!("No {} yet", kind.title.to_lowercase()), &html! { p { (kind.empty) } }))
                } @else {
                    ul.keys {
                        @for key in &keys {
                            @let is_selected = key.iter().map(String::as_str).eq(id.iter().copied());
                            li.selected[is_selected] id={ "stored-" (key.join("/")) } {
                                a href=(link(key)) aria-current=[is_selected.then_some("true")] { (key.join(" / ")) }
                            }
                        }
                    }
                }
                @let newer = (skip > 0).then(|| move_to(skip.saturating_sub(ROWS)));
                @let older = (skip + keys.len() < count).then(|| move_to(skip + ROWS));
                (pager(newer.as_deref(), older.as_deref(), ["Previous", "Next"]))
            }
            @if !id.is_empty() { (detail(shared, kind, &id, &path, params)) }
        }
    };
    Some(Page { title: kind.title, path: &path, params, content }.respond(StatusCode::OK))
}

fn detail(shared: &Shared, kind: &Kind, id: &[&str], path: &str, params: &Params) -> Markup {
    let close = params.without(&["id", "tenant"]).link(path);
    let stored = shared.read(kind.resource, id);
    let reveals = params.reveals();
    let body = stored
        .as_ref()
        .map(|stored| Body::from_stored(stored, shared.document().named(kind.resource, "get"), reveals));
    html! {
        section.detail aria-labelledby="detail-title" {
            div.head { h2 #detail-title tabindex="-1" { (id.join(" / ")) } a.close.button.quiet href=(close) data-close { "Close" } }
            @match body {
                None => p.none { "It does not exist." },
                Some(body) => {
                    @if kind.has_preferences {
                        div.actions {
                            a.button href=(params.carried().with("recipient", id.join("/")).link(NOTIFICATIONS)) { "Notifications" }
                        }
                        (preferences(shared, kind, id, path, params))
                    }
                    @if kind.resource == "lists" { (members(shared, id)) }
                    h3 { "Profile" }
                    @if body.hides() { p.hint { "Sensitive values are hidden. " a href=(params.with("reveal", "1").link(path)) { "Show them" } } }
                    (body.show("Profile", None))
                }
            }
        }
    }
}

fn members(shared: &Shared, id: &[&str]) -> Markup {
    let query = format!("limit={LISTED}");
    let found = at(shared, "lists.subscribers", "list", id, &query, Value::Null).unwrap_or_default();
    let users: Vec<_> = found["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["distinct_id"].as_str())
        .collect();
    let count = found["meta"]["count"].as_u64().unwrap_or_default();
    html! {
        h3 { "Members" }
        @if users.is_empty() { p.none { "None." } }
        @else {
            ul.plain-list {
                @for user in &users { li { a href=(Params::from([("id", *user)]).link(&format!("{STORED}users"))) { (user) } } }
            }
            @if count > users.len() as u64 { p.none { "The newest " (users.len()) " of " (count) "." } }
        }
    }
}

/// Performs an operation of the table, with the key in its path.
fn at(
    shared: &Shared,
    resource: &str,
    verb: &str,
    key: &[&str],
    query: &str,
    body: Value,
) -> Result<Value, Refused> {
    let operation = shared.document().named(resource, verb);
    let names: Vec<_> = operation.into_iter().flat_map(crate::document::Operation::path_parameters).collect();
    if names.len() != key.len() {
        return Err(Refused::new(format!("{resource}.{verb} has another path")));
    }
    let path: Vec<_> = names.iter().map(String::as_str).zip(key.iter().copied()).collect();
    shared.call_with((resource, verb), &path, query, body)
}

/// Returns the query of operations on the preferences in a tenant.
fn query(tenant: &str) -> String {
    let pairs = [("tenant_id", tenant), ("show_opt_out_channels", "true"), ("limit", "1000")];
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn preferences(shared: &Shared, kind: &Kind, id: &[&str], path: &str, params: &Params) -> Markup {
    let tenant = Some(params.text("tenant")).filter(|name| !name.is_empty()).unwrap_or(TENANT);
    let resource = format!("{}.preferences", kind.resource);
    let read = |verb: &str| at(shared, &resource, verb, id, &query(tenant), Value::Null).unwrap_or_default();
    let (categories, channels) = (read("list_categories"), read("get_channels"));
    let categories: Vec<&Value> = categories["results"].as_array().into_iter().flatten().collect();
    let (tenants, _) = shared.state().world.stored_keys("tenants", "", 0, LISTED);
    let back = params.link(path);
    let hidden =
        Params::from([("resource", resource.as_str()), ("tenant", tenant), ("return", back.as_str())]);
    let hidden = id.iter().fold(hidden, |params, part| params.and("id", *part));
    let is_restricted = |channel: &str| {
        let known = channels["channel_preferences"].as_array().into_iter().flatten();
        known.into_iter().any(|it| it["channel"] == channel && it["is_restricted"] == true)
    };
    let mut names: Vec<&str> = Vec::new();
    for channel in categories.iter().filter_map(|it| it["channels"].as_array()).flatten() {
        let name = channel["channel"].as_str().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    html! {
        div.head {
            h3 { "Preferences" }
            @if tenants.len() > 1 {
                form.inline method="get" action=(path) data-auto {
                    (hidden_fields(&params.without(&["tenant"])))
                    label { "Tenant " select name="tenant" { @for key in &tenants { (option(&key[0], &key[0], tenant)) } } }
                    button.button.small type="submit" { "Show" }
                }
            }
        }
        @if categories.is_empty() {
            p.none { "No category is set up. Add one on the page " a href=(params.carried().link(super::CONTROLS)) { "Controls" } ", or with " code { "Hub::define_category" } "." }
        } @else {
            @for category in &categories {
                @let slug = category["category"].as_str().unwrap_or_default();
                @let has_opted_in = category["preference"] != "opt_out";
                div.preference id={ "preference-" (slug) } {
                    div.head {
                        h4 { (category["name"].as_str().unwrap_or(slug)) " " code { (slug) } }
                        @if category["is_editable"] == true {
                            (toggle(&hidden, &[("category", slug)], has_opted_in, &format!("{}: {slug} on all channels", opted(has_opted_in)), opted(has_opted_in)))
                        } @else { (badge("muted", "cannot be unsubscribed")) }
                    }
                    div.toggles {
                        @for channel in category["channels"].as_array().into_iter().flatten() {
                            @let name = channel["channel"].as_str().unwrap_or_default();
                            @let is_on = channel["preference"] == "opt_in";
                            @if channel["is_editable"] == true {
                                (toggle(&hidden, &[("category", slug), ("channel", name)], is_on, &format!("{slug} on {name}"), name))
                            } @else { span.chip title="Cannot be changed" { (name) " " (if is_on { "always" } else { "never" }) } }
                        }
                    }
                }
            }
            details {
                summary { "Restrict channels to what is mandatory" }
                div.toggles {
                    @for name in &names {
                        (toggle(&hidden, &[("restrict", *name)], is_restricted(name), &format!("restrict {name}"), name))
                    }
                }
            }
        }
    }
}

fn opted(has_opted_in: bool) -> &'static str {
    if has_opted_in { "opted in" } else { "opted out" }
}

/// Renders a button that turns something on or off.
fn toggle(hidden: &Params, more: &[(&str, &str)], is_on: bool, label: &str, text: &str) -> Markup {
    let params = more.iter().fold(hidden.clone(), |params, (name, value)| params.and(name, *value));
    html! {
        form.inline method="post" action={ (FORMS) "preference" } {
            (hidden_fields(&params))
            button.toggle type="submit" name="value" value=(if is_on { "off" } else { "on" }) aria-pressed=(if is_on { "true" } else { "false" }) aria-label=(label) { (text) }
        }
    }
}

/// Sets a preference from the form of a toggle.
pub(super) fn set_preference(shared: &Shared, form: &Params) -> Result<(), Refused> {
    let (resource, is_on) = (form.text("resource"), form.text("value") == "on");
    if !KINDS.iter().any(|kind| resource.strip_suffix(".preferences") == Some(kind.resource)) {
        return Err(Refused::new("resource: has no preferences"));
    }
    let tenant = Some(form.text("tenant")).filter(|name| !name.is_empty()).unwrap_or(TENANT);
    let mut key: Vec<&str> = form.all("id").collect();
    let query = query(tenant);
    if let Some(channel) = form.get("restrict") {
        let body = json!({"channel_preferences": [{"channel": channel, "is_restricted": is_on}]});
        return at(shared, resource, "edit_channels", &key, &query, body).map(drop);
    }
    key.push(form.text("category"));
    let body = match form.get("channel") {
        None => json!({"preference": if is_on { "opt_in" } else { "opt_out" }}),
        Some(changed) => {
            let now = at(shared, resource, "get_category", &key, &query, Value::Null)?;
            let channels = now["channels"].as_array().map_or(&[][..], Vec::as_slice);
            let is_out = |it: &&Value| match it["channel"].as_str() {
                Some(name) if name == changed => !is_on,
                _ => it["preference"] == "opt_out" && it["is_editable"] == true,
            };
            let out: Vec<&Value> = channels.iter().filter(is_out).map(|it| &it["channel"]).collect();
            json!({"preference": "opt_in", "opt_out_channels": out})
        }
    };
    at(shared, resource, "edit_category", &key, &query, body).map(drop)
}
