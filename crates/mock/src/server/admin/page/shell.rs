//! Renders the parts that all pages share: head, navigation, and small elements.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use maud::{DOCTYPE, Markup, html};

use super::{
    CONTROLS, NOTIFICATIONS, REQUESTS, STORED,
    params::Params,
    stored::{self},
};

/// A page of the mock server.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// The path of the page.
    pub(super) path: &'a str,
    pub(super) params: &'a Params,
    pub(super) content: Markup,
}

impl Page<'_> {
    pub(super) fn respond(self, status: StatusCode) -> Response {
        (status, Html(self.markup().into_string())).into_response()
    }

    fn markup(&self) -> Markup {
        let carried = self.params.carried();
        let stored = stored::KINDS.iter().map(|kind| (format!("{STORED}{}", kind.resource), kind.title));
        let head = [(REQUESTS.to_owned(), "Requests"), (NOTIFICATIONS.to_owned(), "Notifications")];
        let links = head.into_iter().chain(stored).chain([(CONTROLS.to_owned(), "Controls")]);
        let reveals = self.params.reveals();
        let reveal = if reveals {
            self.params.without(&["reveal"]).link(self.path)
        } else {
            self.params.with("reveal", "1").link(self.path)
        };
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · SuprSend mock server" }
                    link rel="icon" href="/_hub/page/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/_hub/page/style.css";
                    script src="/_hub/page/script.js" defer {}
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        a.brand href=(carried.link(REQUESTS)) {
                            span.mark aria-hidden="true" {}
                            span { "SuprSend " b { "mock server" } }
                        }
                        nav #nav aria-label="Pages" {
                            ul {
                                @for (path, title) in links {
                                    li { a href=(carried.link(&path)) aria-current=[(path == self.path).then_some("page")] { (title) } }
                                }
                            }
                        }
                        div.tools {
                            a #reload.button.quiet href=(self.params.link(self.path)) { "Reload" }
                            button #live.button.quiet type="button" aria-pressed="true" hidden { span.dot aria-hidden="true" {} span.word { "Live" } }
                            a #reveal.button.quiet href=(reveal) {
                                @if reveals { "Hide sensitive values" } @else { "Show sensitive values" }
                            }
                        }
                    }
                    main #main tabindex="-1" { (self.content) }
                    p #announce.sr role="status" {}
                }
            }
        }
    }
}

/// Renders the text of an empty page.
pub(super) fn empty(title: &str, text: &Markup) -> Markup {
    html! { div.empty { span.mark aria-hidden="true" {} h2 { (title) } (text) } }
}

/// Renders a time as an element: the time of day for people, the full timestamp for machines.
pub(super) fn time(at: DateTime<Utc>) -> Markup {
    let whole = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    html! { time datetime=(whole) title=(whole) { (at.format("%H:%M:%S%.3f").to_string()) } }
}

/// Renders a highlighted word, in the colour of its kind.
pub(super) fn badge(tone: &str, text: &str) -> Markup {
    html! { span class={ "badge " (tone) } { (text) } }
}

/// Renders an option of a form.
pub(super) fn option(value: &str, label: &str, chosen: &str) -> Markup {
    html! { option value=(value) selected[value == chosen] { (label) } }
}

/// Renders the hidden fields of a form.
pub(super) fn hidden_fields(params: &Params) -> Markup {
    html! { @for (name, value) in params.pairs() { input type="hidden" name=(name) value=(value); } }
}

/// Renders links to the previous and the next page.
pub(super) fn pager(newer: Option<&str>, older: Option<&str>, words: [&str; 2]) -> Markup {
    html! {
        @if newer.is_some() || older.is_some() {
            nav.pager aria-label="More" {
                @if let Some(link) = newer { a.button.quiet href=(link) { (words[0]) } }
                @if let Some(link) = older { a.button.quiet href=(link) { (words[1]) } }
            }
        }
    }
}
