//! Notifications by recipient: what was sent, on which channels, and what preferences blocked.

use std::{fmt, str::FromStr};

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    NOTIFICATIONS, REQUESTS, STORED,
    params::Params,
    shell::{Page, badge, empty, hidden_fields, option, pager, time},
    tree::{Body, hidden},
};
use crate::{
    server::Shared,
    world::{Kind, Notification, Outcome, Place, Wanted},
};

/// The number of notifications on a page.
const ROWS: usize = 50;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (sent, run) = text.split_once('-').ok_or(())?;
        Ok(Self(sent.parse().map_err(|_| ())?, run.parse().map_err(|_| ())?))
    }
}

pub(super) fn badge_of(outcome: Outcome) -> Markup {
    let tone = match outcome {
        Outcome::Delivered | Outcome::Tracked => "good",
        Outcome::Blocked => "bad",
        Outcome::PartlyBlocked | Outcome::NoChannel | Outcome::Nobody => "warn",
        Outcome::Duplicate | Outcome::Cancelled => "muted",
    };
    badge(tone, outcome.name())
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflow => "workflow",
        Kind::Event => "event",
        Kind::Broadcast => "broadcast",
    }
}

pub(super) fn page(shared: &Shared, params: &Params) -> Response {
    let get = |name: &str| Some(params.text(name).to_owned()).filter(|value| !value.is_empty());
    let wanted = Wanted {
        text: params.text("q").to_lowercase(),
        recipient: get("recipient"),
        outcome: get("status"),
        request: None,
        before: params.number("before"),
    };
    let is_filtered = !wanted.text.is_empty() || wanted.recipient.is_some() || wanted.outcome.is_some();
    let (mut rows, count) = {
        let state = shared.state();
        (state.world.notifications(&wanted, ROWS + 1), state.world.count_sent())
    };
    let has_more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let older = rows.last().filter(|_| has_more).map(|last| last.id.to_string());
    let selected = params.number::<Place>("notification");
    let content = html! {
        div.columns.with-detail[selected.is_some()] {
            section.list aria-labelledby="title" {
                div.head {
                    h1 #title { "Notifications" }
                    p.count { (count) " trigger" @if count != 1 { "s" } ", events and broadcasts" }
                }
                (filters(params))
                @if rows.is_empty() {
                    @if is_filtered {
                        @let link = params.carried().link(NOTIFICATIONS);
                        (empty("Nothing matches", &html! { p { "No notification fits these filters. " a href=(link) { "Show all notifications" } } }))
                    } @else {
                        (empty("No notifications yet", &html! { p { "Trigger a workflow, track an event or send a broadcast: what each recipient would get appears here, with the channels and what blocked them." } }))
                    }
                } @else { (table(&rows, params)) }
                @let newer = params.get("before").map(|_| params.without(&["before", "notification"]).link(NOTIFICATIONS));
                @let older = older.map(|place| params.without(&["notification"]).with("before", place).link(NOTIFICATIONS));
                (pager(newer.as_deref(), older.as_deref(), ["Newest", "Older notifications"]))
            }
            @if let Some(place) = selected { (detail(shared, place, params)) }
        }
    };
    Page { title: "Notifications", path: NOTIFICATIONS, params, content }.respond(StatusCode::OK)
}

fn filters(params: &Params) -> Markup {
    let kept = params.without(&["q", "recipient", "status", "before", "notification"]);
    html! {
        form.filters method="get" action=(NOTIFICATIONS) role="search" aria-label="Notifications" {
            (hidden_fields(&kept))
            label.wide { span.sr { "Search" } input type="search" name="q" value=(params.text("q")) placeholder="Search workflows, recipients and keys"; }
            label { span.sr { "Recipient" } input type="text" name="recipient" value=(params.text("recipient")) placeholder="Recipient"; }
            label { span.sr { "Outcome" }
                select name="status" {
                    option value="" { "Any outcome" }
                    @for outcome in Outcome::ALL { (option(outcome.name(), outcome.name(), params.text("status"))) }
                }
            }
            button.button type="submit" { "Filter" }
        }
    }
}

fn table(rows: &[Notification], params: &Params) -> Markup {
    let selected = params.number::<Place>("notification");
    html! {
        table.rows.notifications role="table" aria-label="Notifications, newest first" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Recipient" }
                th role="columnheader" scope="col" { "Channels" }
                th role="columnheader" scope="col" { "Outcome" }
                th.number role="columnheader" scope="col" { "Time" }
            } }
            tbody role="rowgroup" data-keyed {
                @for it in rows {
                    @let is_selected = selected == Some(it.id);
                    tr role="row" id={ "notification-" (it.id) } .selected[is_selected] {
                        td.main role="cell" {
                            a.row-link href=(params.with("notification", it.id.to_string()).link(NOTIFICATIONS)) aria-current=[is_selected.then_some("true")] {
                                (it.recipient.as_deref().unwrap_or("nobody"))
                            }
                            span.path { span.kind { (kind(it.kind)) } " " (it.name) }
                        }
                        td.channels role="cell" { (chips(&it.messages)) }
                        td.verdict role="cell" { (badge_of(it.outcome)) }
                        td.number.time role="cell" { (time(it.at)) }
                    }
                }
            }
        }
    }
}

fn chips(messages: &[Value]) -> Markup {
    html! {
        @if messages.is_empty() { span.none { "none" } }
        @for message in messages {
            @let is_blocked = message["status"] == "trigger_blocked";
            span.chip.blocked[is_blocked] {
                (message["channel"].as_str().unwrap_or_default())
                @if is_blocked { span.sr { " blocked" } }
            } " "
        }
    }
}

fn detail(shared: &Shared, place: Place, params: &Params) -> Markup {
    let link = params.without(&["notification"]).link(NOTIFICATIONS);
    let state = shared.state();
    let Some((it, sent)) = state.world.notification_at(place) else {
        return html! {
            section.detail aria-labelledby="detail-title" {
                div.head { h2 #detail-title tabindex="-1" { "Notification" } a.close.button.quiet href=(link) data-close { "Close" } }
                p.none { "This notification is gone: the hub was reset." }
            }
        };
    };
    let reveals = params.reveals();
    let operation = shared.document().operation(sent.operation());
    // A request with many records lists them; this is one of them.
    let body = Body::from_record(sent.body(), operation, reveals);
    let hides = body.hides() || it.messages.iter().any(|message| !message["channel_identity"].is_null());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let first = it.messages.first();
    let facts = [
        ("Kind", Some(kind(it.kind).to_owned())),
        ("Category", first.and_then(|message| text(&message["category"]))),
        ("Template", first.and_then(|message| text(&message["template"]["slug"]))),
        ("Tenant", first.and_then(|message| text(&message["tenant_id"]))),
        ("Idempotency key", it.key.clone()),
        ("Message id", Some(it.message_id.clone())),
        ("Execution", it.execution_id.clone()),
    ];
    html! {
        section.detail aria-labelledby="detail-title" {
            div.head { h2 #detail-title tabindex="-1" { (it.name) } a.close.button.quiet href=(link) data-close { "Close" } }
            p.facts { (badge_of(it.outcome)) " " b { (it.recipient.as_deref().unwrap_or("nobody")) } " at " (time(it.at)) }
            @match it.outcome {
                Outcome::Duplicate => div.notice { p { "The idempotency key was used within the last 24 hours, so nothing was sent." } },
                Outcome::Nobody => div.notice.warn { p { "It reached nobody: the recipients have no profile." } },
                Outcome::NoChannel => div.notice.warn { p { "The recipient has no active channel." } },
                _ => {}
            }
            div.actions {
                @if let Some(number) = it.request { a.button href=(params.carried().with("request", number.to_string()).link(REQUESTS)) { "Open the request" } }
                @if let Some(recipient) = &it.recipient { a.button href=(recipient_link(recipient, state.world.user(recipient).is_some(), params)) { "Open the recipient" } }
            }
            @if hides && !reveals {
                p.hint { "Sensitive values are hidden. " a href=(params.with("reveal", "1").link(NOTIFICATIONS)) { "Show them" } }
            }
            @if !it.messages.is_empty() {
                h3 { "Channels" }
                ul.deliveries {
                    @for message in &it.messages {
                        @let is_blocked = message["status"] == "trigger_blocked";
                        li {
                            span.chip.blocked[is_blocked] { (message["channel"].as_str().unwrap_or_default()) }
                            span.address { @match message["channel_identity"]["value"].as_str() {
                                Some(address) if reveals => (address),
                                Some(_) => (hidden()),
                                None => "no text address",
                            } }
                            @if is_blocked { span.reason { "blocked: " (message["failure_reason"].as_str().unwrap_or_default()) } }
                            @else { span.good { (message["status"].as_str().unwrap_or_default()) } }
                        }
                    }
                }
            }
            h3 { "Details" }
            dl.pairs { @for (name, value) in facts { @if let Some(value) = value { dt { (name) } dd { (value) } } } }
            h3 { "Record" }
            (body.show("Record", None))
        }
    }
}

/// Links to the profile of a recipient; an object is given as `type/id`.
fn recipient_link(recipient: &str, is_user: bool, params: &Params) -> String {
    let (resource, parts) = match recipient.split_once('/').filter(|_| !is_user) {
        Some((kind, id)) => ("objects", vec![kind, id]),
        None => ("users", vec![recipient]),
    };
    let params = parts.into_iter().fold(params.carried(), |params, part| params.and("id", part));
    params.link(&format!("{STORED}{resource}"))
}
