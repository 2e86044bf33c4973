//! The mock server in a browser: pages that are rendered here and work without a script. With the script, they update themselves.
//!
//! The query of a page contains its complete state: selection and filters. The script requests the same pages when the server reports a
//! change, and replaces old content with new.

mod controls;
mod copy;
mod notifications;
mod params;
mod requests;
mod shell;
mod stored;
mod tree;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Redirect, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{Stream, stream};
use maud::html;

use self::{params::Params, shell::Page};
use super::{Hub, HubResponse, guard::PAGE};
use crate::{rate_limit::Limiter, recorded::Recorded, refused::Refused, server::Shared};

const REQUESTS: &str = "/_hub/";
const NOTIFICATIONS: &str = "/_hub/page/notifications";
const CONTROLS: &str = "/_hub/page/controls";
/// Followed by the name of a resource.
const STORED: &str = "/_hub/page/stored/";
/// Followed by the number of a request and the requested part of it.
const REQUEST_FILES: &str = "/_hub/page/requests/";
/// Followed by the action of a form.
const FORMS: &str = PAGE;

/// The time for which changes are collected before a page is notified.
const PAUSE: Duration = Duration::from_millis(250);

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const ICON: &str = include_str!("icon.svg");

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_hub", get(|| async { Redirect::permanent(REQUESTS) }))
        .route(REQUESTS, get(start))
        .route(NOTIFICATIONS, get(notified))
        .route("/_hub/page/stored/{resource}", get(stored))
        .route(CONTROLS, get(controls))
        .route("/_hub/page/requests/{number}/{part}", get(part))
        .route("/_hub/page/events", get(events))
        .route("/_hub/page/style.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/_hub/page/script.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/_hub/page/icon.svg", get(|| async { asset("image/svg+xml", ICON) }))
        .route("/_hub/page/{action}", post(act))
        .route("/_hub/page/{action}/{of}", post(act_on))
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], text).into_response()
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}

fn read(query: Option<String>) -> Params {
    Params::read(query.unwrap_or_default().as_bytes())
}

/// Serves the start of the admin API: a page for browsers, JSON for others.
async fn start(State(shared): Hub, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_browser = accepts.into_iter().any(|value| value.contains("text/html"));
    let mut response = if is_browser {
        requests::page(shared, read(query)).await
    } else {
        super::status(State(shared)).await.into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

async fn notified(State(shared): Hub, RawQuery(query): RawQuery) -> Response {
    notifications::page(&shared, &read(query))
}

async fn stored(State(shared): Hub, Path(resource): Path<String>, RawQuery(query): RawQuery) -> Response {
    let page = stored::page(&shared, &resource, &read(query));
    page.unwrap_or_else(|| not_found().into_response())
}

async fn controls(State(shared): Hub, RawQuery(query): RawQuery) -> Response {
    controls::page(&shared, &read(query))
}

fn not_found() -> HubResponse {
    HubResponse::refusal(StatusCode::NOT_FOUND, "the hub has no such page; /_hub/ is its start")
}

/// Returns a part of a request as plain text. It is not redacted, because somebody asked for exactly this part.
async fn part(State(shared): Hub, Path((number, part)): Path<(u64, String)>) -> Response {
    let found: Option<Recorded> =
        shared.state().recorder.kept().rev().find(|request| request.number == number).cloned();
    let Some(request) = found else {
        return HubResponse::refusal(StatusCode::NOT_FOUND, "this request is no longer recorded")
            .into_response();
    };
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let made = match part.as_str() {
        "body" => Some(lossy(request.body())),
        "response" => Some(lossy(request.response_body())),
        "curl" => Some(copy::curl(&request)),
        "rust" => {
            let operation = request.operation().and_then(|id| shared.document().operation(id));
            operation
                .filter(|_| shared.has_own_document())
                .and_then(|operation| copy::rust(&request, operation))
        }
        _ => None,
    };
    made.map_or_else(|| not_found().into_response(), text)
}

/// Notifies a page of changes, at most a few times per second. Ends with the server.
async fn events(State(shared): Hub) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = shared.changes.subscribe();
    let told = stream::unfold((shared, changes, true), |(shared, mut changes, is_first)| async move {
        let mut stopping = shared.stopping.clone();
        if !is_first {
            tokio::select! {
                change = changes.changed() => change.ok()?,
                // An error means that the hub was dropped.
                _ = stopping.wait_for(|stop| *stop) => return None,
            }
            if shared.stops_within(PAUSE).await {
                return None;
            }
        }
        let count = *changes.borrow_and_update();
        Some((Ok(Event::default().event("changed").data(count.to_string())), (shared, changes, false)))
    });
    Sse::new(told).keep_alive(KeepAlive::default())
}

async fn act(State(shared): Hub, Path(action): Path<String>, body: Bytes) -> Response {
    let form = Params::read(&body);
    let done = match action.as_str() {
        "fault" => controls::inject(&shared, &form),
        "rate-limit" => controls::limit(&shared, &form),
        "preference" => stored::set_preference(&shared, &form),
        "forget" => {
            shared.state().recorder.clear();
            Ok(())
        }
        "reset" => {
            shared.reset();
            Ok(())
        }
        _ => return not_found().into_response(),
    };
    outcome(&form, done)
}

async fn act_on(State(shared): Hub, Path((action, of)): Path<(String, String)>, body: Bytes) -> Response {
    let form = Params::read(&body);
    let done = match (action.as_str(), of.as_str()) {
        ("faults", "clear") => {
            shared.state().faults.clear();
            Ok(())
        }
        ("rate-limit", "lift") => {
            shared.state().limiter = Limiter::default();
            Ok(())
        }
        ("define", "workflow" | "category") => controls::define(&shared, &of, &form),
        _ => return not_found().into_response(),
    };
    outcome(&form, done)
}

/// Returns to the page with the form, or shows what was wrong with it.
fn outcome(form: &Params, done: Result<(), Refused>) -> Response {
    let back = form.get("return").filter(|link| is_own(link)).unwrap_or(REQUESTS);
    match done {
        Ok(()) => Redirect::to(back).into_response(),
        Err(refused) => {
            let content = html! {
                div.notice.bad role="alert" { h1 { "That did not work" } p { (refused) } p { a href=(back) { "Back" } } }
            };
            let params = Params::default();
            Page { title: "Refused", path: "", params: &params, content }.respond(StatusCode::BAD_REQUEST)
        }
    }
}

/// Returns whether a link leads to a page of the server.
fn is_own(link: &str) -> bool {
    link.starts_with("/_hub/") && !link.contains(['\\', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_the_hub_alone() {
        for (link, own) in [
            ("/_hub/page/controls?operation=x", true),
            ("//evil.example/_hub/", false),
            ("https://evil.example/_hub/", false),
            ("/_hub/\r\nx: y", false),
        ] {
            assert_eq!(is_own(link), own, "{link}");
        }
    }

    /// The policy forbids nothing that the page contains: style and script are separate files.
    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("@import"));
        }
    }
}
