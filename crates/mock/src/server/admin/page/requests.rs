//! The list of requests, newest first and with filters, and the details of one request.

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use axum::http::StatusCode;
use maud::{Markup, html};

use super::{
    CONTROLS, NOTIFICATIONS, REQUEST_FILES, REQUESTS,
    params::Params,
    shell::{Page, badge, empty, hidden_fields, option, pager, time},
    tree::Body,
};
use crate::{recorded::Recorded, server::Shared, world::Wanted};

/// The number of requests on a page.
const ROWS: usize = 50;
/// The number of requests that are searched at once, so that a search answers soon, however many there are.
const SEARCHED: usize = 5000;
/// The number of notifications that are shown for a request.
const NOTIFIED: usize = 20;
/// The statuses that can be selected.
const STATUSES: [(&str, &str); 7] = [
    ("", "Any outcome"),
    ("accepted", "Accepted"),
    ("refused", "Refused"),
    ("fault", "Injected fault"),
    ("2xx", "2xx"),
    ("4xx", "4xx"),
    ("5xx", "5xx"),
];

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    Fault,
}

impl Verdict {
    fn from_request(request: &Recorded) -> Self {
        match (&request.injected, request.performed) {
            (Some(_), false) => Self::Fault,
            (Some(_), true) if request.status().is_none() => Self::Fault,
            (_, true) => Self::Accepted,
            (None, false) => Self::Refused,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Fault => "fault",
        }
    }

    fn badge(self) -> Markup {
        let tone = match self {
            Self::Accepted => "good",
            Self::Refused => "bad",
            Self::Fault => "warn",
        };
        badge(tone, self.name())
    }
}

/// The filter for requests.
struct Filter {
    text: Option<AhoCorasick>,
    operation: Option<String>,
    recipient: Option<String>,
    status: Option<String>,
}

impl Filter {
    fn new(params: &Params) -> Self {
        let text = Some(params.text("q")).filter(|text| !text.is_empty());
        let get = |name: &str| Some(params.text(name).to_owned()).filter(|value| !value.is_empty());
        Self {
            // Parsing fails for texts longer than any URL.
            text: text
                .and_then(|text| AhoCorasick::builder().ascii_case_insensitive(true).build([text]).ok()),
            operation: get("operation"),
            recipient: get("recipient"),
            status: get("status"),
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_none() && self.operation.is_none() && self.recipient.is_none() && self.status.is_none()
    }

    /// Returns whether the filter searches bodies, which takes a while.
    fn searches(&self) -> bool {
        self.text.is_some() || self.recipient.is_some()
    }

    fn takes(&self, request: &Recorded) -> bool {
        self.operation.as_deref().is_none_or(|id| request.operation() == Some(id))
            && self.status.as_deref().is_none_or(|status| has_status(request, status))
            && self.recipient.as_deref().is_none_or(|recipient| is_for(request, recipient))
            && self.text.as_ref().is_none_or(|text| has_text(request, text))
    }
}

fn has_status(request: &Recorded, wanted: &str) -> bool {
    let status = request.status().map_or("reset".to_owned(), |status| status.to_string());
    let class = wanted.strip_suffix("xx").is_some_and(|class| status.starts_with(class) && status.len() == 3);
    class || status == wanted || Verdict::from_request(request).name() == wanted
}

/// Returns whether a request concerns a user, or an object as `type/id`: by its path, or by a string in its body.
fn is_for(request: &Recorded, recipient: &str) -> bool {
    let named = |part: &str| {
        let text = serde_json::Value::from(part).to_string();
        request.parameters.iter().any(|(_, value)| value == part) || contains(request.body(), text.as_bytes())
    };
    named(recipient) || (recipient.contains('/') && recipient.split('/').all(named))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window == part)
}

fn has_text(request: &Recorded, text: &AhoCorasick) -> bool {
    let texts = [
        Some(request.path()),
        request.query(),
        request.operation(),
        request.refusal(),
        request.injected.as_deref(),
    ];
    texts.into_iter().flatten().any(|part| text.is_match(part))
        || text.is_match(request.body())
        || text.is_match(request.response_body())
}

/// A part of the matching requests.
struct Found {
    rows: Vec<Arc<Recorded>>,
    /// The position of the last one, if there are more.
    older: Option<u64>,
}

/// Finds the newest requests before a position. Positions count from the first request that the server recorded.
fn find(all: &[Arc<Recorded>], first: u64, filter: &Filter, before: Option<u64>) -> Found {
    let end = before.map_or(all.len(), |place| {
        usize::try_from(place.saturating_sub(first)).unwrap_or(usize::MAX).min(all.len())
    });
    let places = (first..).zip(&all[..end]);
    let mut rows = Vec::new();
    let mut last = None;
    // `zip` of an open range cannot be reversed.
    for (searched, (place, request)) in places.collect::<Vec<_>>().into_iter().rev().enumerate() {
        if searched == SEARCHED && filter.searches() {
            return Found { rows, older: Some(place + 1) };
        }
        if filter.takes(request) {
            if rows.len() == ROWS {
                return Found { rows, older: last };
            }
            rows.push(Arc::clone(request));
            last = Some(place);
        }
    }
    Found { rows, older: None }
}

pub(super) async fn page(shared: Arc<Shared>, params: Params) -> axum::response::Response {
    let (all, dropped) = {
        let state = shared.state();
        (state.recorder.snapshot(), state.recorder.dropped())
    };
    let (count, total) = (all.len(), all.len() as u64 + dropped);
    let selected = params.number::<u64>("request");
    let selected = selected.map(|number| all.iter().rev().find(|request| request.number == number).cloned());
    let (filter, before) = (Filter::new(&params), params.number("before"));
    let is_filtered = !filter.is_empty();
    // Searching many bodies takes a while, during which other requests are answered.
    let found = tokio::task::spawn_blocking(move || find(&all, dropped, &filter, before)).await;
    let found = found.unwrap_or(Found { rows: Vec::new(), older: None });
    let content = html! {
        div.columns.with-detail[selected.is_some()] {
            section.list aria-labelledby="title" {
                div.head {
                    h1 #title { "Requests" }
                    p.count { (counted(count, total)) }
                }
                (filters(&shared, &params))
                @if found.rows.is_empty() {
                    @if is_filtered { (nothing_found(&params, found.older.is_some())) } @else { (nothing_yet()) }
                } @else {
                    (table(&found.rows, &params))
                }
                @let newer = params.get("before").map(|_| params.without(&["before", "request"]).link(REQUESTS));
                @let older = found.older.map(|place| params.without(&["request"]).with("before", place.to_string()).link(REQUESTS));
                (pager(newer.as_deref(), older.as_deref(), ["Newest", "Older requests"]))
            }
            @if let Some(selected) = selected {
                @match selected {
                    Some(request) => (detail(&shared, &request, &params)),
                    None => (gone(&params)),
                }
            }
        }
    };
    Page { title: "Requests", path: REQUESTS, params: &params, content }.respond(StatusCode::OK)
}

fn counted(count: usize, total: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    if total > count as u64 {
        format!("{count} request{plural} kept, {} older ones dropped", total - count as u64)
    } else {
        format!("{count} request{plural}")
    }
}

fn filters(shared: &Shared, params: &Params) -> Markup {
    let mut ids: Vec<_> = shared.document().operations().iter().map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    let kept = params.without(&["q", "operation", "recipient", "status", "before", "request"]);
    let status = params.text("status");
    html! {
        form.filters method="get" action=(REQUESTS) role="search" aria-label="Requests" {
            (hidden_fields(&kept))
            label.wide { span.sr { "Search" } input type="search" name="q" value=(params.text("q")) placeholder="Search paths, bodies and refusals"; }
            label { span.sr { "Operation" }
                select name="operation" {
                    option value="" { "Any operation" }
                    @for id in ids { (option(id, id, params.text("operation"))) }
                }
            }
            label { span.sr { "Recipient" } input type="text" name="recipient" value=(params.text("recipient")) placeholder="Recipient"; }
            label { span.sr { "Outcome" }
                select name="status" {
                    @for (value, label) in STATUSES { (option(value, label, status)) }
                    @if STATUSES.iter().all(|(value, _)| *value != status) { (option(status, status, status)) }
                }
            }
            button.button type="submit" { "Filter" }
        }
    }
}

fn table(rows: &[Arc<Recorded>], params: &Params) -> Markup {
    let selected = params.number::<u64>("request");
    html! {
        table.rows.requests role="table" aria-label="Requests, newest first" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Operation" }
                th role="columnheader" scope="col" { "Outcome" }
                th.number role="columnheader" scope="col" { "Status" }
                th.number.duration role="columnheader" scope="col" { "Duration" }
                th.number role="columnheader" scope="col" { "Time" }
            } }
            tbody role="rowgroup" data-keyed {
                @for request in rows {
                    @let is_selected = selected == Some(request.number);
                    tr role="row" id={ "request-" (request.number) } .selected[is_selected] {
                        td.main role="cell" {
                            a.row-link href=(params.with("request", request.number.to_string()).link(REQUESTS)) aria-current=[is_selected.then_some("true")] {
                                (request.operation().unwrap_or("unknown operation"))
                            }
                            span.path { span class={ "method " (request.method().to_ascii_lowercase()) } { (request.method()) } " " @if let Some(about) = &request.about { span.about-line { (about) } } @else { (request.path()) } }
                        }
                        td.verdict role="cell" { (Verdict::from_request(request).badge()) }
                        td.number.status role="cell" { (status(request)) }
                        td.number.duration role="cell" { (duration(request)) }
                        td.number.time role="cell" { (time(request.at)) }
                    }
                }
            }
        }
    }
}

fn status(request: &Recorded) -> String {
    request.status().map_or("reset".to_owned(), |status| status.to_string())
}

fn duration(request: &Recorded) -> String {
    let ms = request.duration().as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

fn nothing_yet() -> Markup {
    let text = html! {
        p { "Point a client at this server, and its requests appear here while they arrive." }
        pre.code tabindex="0" role="region" aria-label="Example" { "suprsend::Client::builder()\n    .base_url(\"http://127.0.0.1:4099\")\n    .api_key(\"suprsend-mock-api-key\")\n    .build()?" }
    };
    empty("No requests yet", &text)
}

fn nothing_found(params: &Params, has_more: bool) -> Markup {
    let link = params.carried().link(REQUESTS);
    let text = html! {
        p {
            @if has_more { "None of the newest " (SEARCHED) " requests fits these filters; older ones have not been searched yet. " }
            @else { "No recorded request fits these filters. " }
            a href=(link) { "Show all requests" }
        }
    };
    empty("Nothing matches", &text)
}

fn close(params: &Params) -> Markup {
    let link = params.without(&["request"]).link(REQUESTS);
    html! { a.close.button.quiet href=(link) data-close { "Close" } }
}

fn gone(params: &Params) -> Markup {
    html! {
        section.detail aria-labelledby="detail-title" {
            div.head { h2 #detail-title tabindex="-1" { "Request" } (close(params)) }
            p.none { "This request is no longer recorded." }
        }
    }
}

/// Renders a request in full.
fn detail(shared: &Shared, request: &Recorded, params: &Params) -> Markup {
    let operation = request.operation().and_then(|id| shared.document().operation(id));
    let reveals = params.reveals();
    let body = Body::from_request(request, operation, reveals);
    let response = Body::from_response(request, operation, reveals);
    let hides = body.hides() || response.hides();
    let file = |name: &str| format!("{REQUEST_FILES}{}/{name}", request.number);
    let wanted = Wanted { request: Some(request.number), ..Wanted::default() };
    let notified = shared.state().world.notifications(&wanted, NOTIFIED);
    let headers: Vec<(String, String)> = if reveals {
        request.headers().to_vec()
    } else {
        request.shown_headers().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    html! {
        section.detail aria-labelledby="detail-title" {
            div.head {
                h2 #detail-title tabindex="-1" { (request.operation().unwrap_or("Unknown operation")) }
                (close(params))
            }
            p.line {
                span class={ "method " (request.method().to_ascii_lowercase()) } { (request.method()) } " "
                code { (request.path()) @if let Some(query) = request.query() { "?" (query) } }
            }
            p.facts {
                (Verdict::from_request(request).badge()) " " span.status { (status(request)) } " in " (duration(request)) " at " (time(request.at))
            }
            @if let Some(refusal) = request.refusal() {
                div.notice.bad { h3 { @if request.injected.is_some() { "Answer of the fault" } @else { "Refused" } } p { (refusal) } }
            }
            @if let Some(injected) = &request.injected {
                div.notice.warn { h3 { "Injected fault" } p { (injected) } }
            }
            div.actions {
                a.button href=(file("curl")) data-copy { "Copy as curl" }
                @if operation.is_some_and(|operation| operation.role.is_some()) && shared.has_own_document() {
                    a.button href=(file("rust")) data-copy { "Copy as Rust" }
                }
                @if let Some(id) = request.operation() {
                    a.button href=(params.carried().with("operation", id).link(CONTROLS)) { "Make it fail" }
                }
            }
            @if hides {
                p.hint { "Sensitive values are hidden. " a href=(params.with("reveal", "1").link(REQUESTS)) { "Show them" } }
            }
            h3 { "Request body" }
            (body.show("Request body", Some(&file("body"))))
            h3 { "Response" }
            (response.show("Response", Some(&file("response"))))
            @if !notified.is_empty() {
                h3 { "Notifications" }
                ul.plain-list {
                    @for it in &notified {
                        li { a href=(params.carried().with("notification", it.id.to_string()).link(NOTIFICATIONS)) {
                            (it.recipient.as_deref().unwrap_or("nobody")) } " " (super::notifications::badge_of(it.outcome)) }
                    }
                }
            }
            details {
                summary { "Headers" }
                h4 { "Request" } (header_list(&headers))
                h4 { "Response" } (header_list(&request.response_headers))
            }
        }
    }
}

fn header_list(headers: &[(String, String)]) -> Markup {
    html! {
        @if headers.is_empty() { p.none { "None." } }
        @else { dl.pairs { @for (name, value) in headers { dt { (name) } dd { (value) } } } }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn recorded(number: u64) -> Arc<Recorded> {
        let (head, ()) =
            Request::builder().uri(format!("/v1/user/{number}/")).body(()).expect("a head").into_parts();
        Arc::new(Recorded::new(number, &head, br#"{"plan": "Pro", "id": "user-1"}"#))
    }

    #[test]
    fn pages_follow_each_other_without_gaps() {
        let all: Vec<_> = (1..=120).map(recorded).collect();
        let filter = Filter::new(&Params::default());
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let found = find(&all, 7, &filter, before);
            seen.extend(found.rows.iter().map(|request| request.number));
            before = found.older;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_search_goes_on_where_the_last_one_ended() {
        let all: Vec<_> = (0..SEARCHED as u64 + 10).map(recorded).collect();
        let filter = Filter::new(&Params::read(b"q=/v1/user/3/"));
        let first = find(&all, 7, &filter, None);
        assert!(first.rows.is_empty());
        let second = find(&all, 7, &filter, first.older);
        assert_eq!(second.rows.iter().map(|request| request.number).collect::<Vec<_>>(), [3]);
        assert_eq!(second.older, None);
    }

    #[test]
    fn filters_go_by_text_recipient_and_status() {
        let request = recorded(5);
        for (query, takes) in [
            ("", true),
            ("q=pRO", true),
            ("q=free", false),
            ("recipient=user-1", true),
            ("recipient=user", false),
            ("status=refused", true),
            ("status=reset", true),
            ("status=2xx", false),
            ("operation=x", false),
        ] {
            assert_eq!(Filter::new(&Params::read(query.as_bytes())).takes(&request), takes, "{query}");
        }
    }
}
