//! Guards the admin API, which is for programs on this machine and the server's own page, not for other pages in a browser.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{super::Shared, HubResponse};
use crate::document::is_json;

/// Paths below `/_hub/` for browsers. Only forms are posted there.
pub(super) const PAGE: &str = "/_hub/page/";

/// The security policy in every response: nothing is loaded from elsewhere, no inline script or style runs, and no other page may frame,
/// use or cache the response.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Accepts a request if it was sent to a name of this machine, does not come from a foreign page, and has JSON or no body. A form must come
/// from the server's own page.
///
/// The name is checked because a page may resolve its own name to this machine (DNS rebinding). The content type is checked because a
/// browser sends text and forms to any host without asking first.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let changes = *request.method() != Method::GET;
    let takes_form = changes && request.uri().path().starts_with(PAGE);
    let mut response = match check(&shared.setup.admin_hosts, takes_form, request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if changes {
        shared.changed();
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(
    known: &BTreeSet<String>,
    takes_form: bool,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<(), HubResponse> {
    let text = |name: &header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(&header::HOST).or_else(|| uri.authority().map(Authority::as_str)).unwrap_or_default();
    if !is_own(known, host) {
        return Err(forbidden(
            "the host of the request is not this machine; start the hub with an admin host",
        ));
    }
    let origin =
        text(&header::ORIGIN).map(|origin| origin.split_once("://").map_or("", |(_, authority)| authority));
    if origin.is_some_and(|origin| !is_own(known, origin)) {
        return Err(forbidden("the request comes from a page of another host"));
    }
    if takes_form {
        // A browser posts a form without asking first, but names the page in the request.
        if origin != Some(host) {
            return Err(forbidden("the form does not come from the hub's own page"));
        }
        let media_type = text(&header::CONTENT_TYPE).and_then(|value| value.split(';').next());
        return match media_type {
            Some("application/x-www-form-urlencoded") => Ok(()),
            _ => Err(unsupported("the header Content-Type is not application/x-www-form-urlencoded")),
        };
    }
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || text(&header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    match text(&header::CONTENT_TYPE) {
        Some(name) if is_json(name) => Ok(()),
        None if !has_body => Ok(()),
        _ => Err(unsupported("the header Content-Type is not application/json")),
    }
}

fn unsupported(message: &str) -> HubResponse {
    HubResponse::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}

fn forbidden(message: &str) -> HubResponse {
    HubResponse::refusal(StatusCode::FORBIDDEN, message)
}

/// Returns whether an authority, with or without a port, names this machine.
fn is_own(known: &BTreeSet<String>, authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host().to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    host == "localhost"
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || known.contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let known = BTreeSet::from(["hub.internal".to_owned()]);
        for own in ["localhost", "LOCALHOST:80", "127.0.0.1:4099", "127.8.9.1", "[::1]:1", "hub.internal:80"]
        {
            assert!(is_own(&known, own), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "x.localhost",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "user@localhost",
            "localhost@evil.example",
            "2130706433",
            "null",
        ] {
            assert!(!is_own(&known, foreign), "{foreign}");
        }
    }
}
