//! Who may use the admin API: programs on this machine, not pages that a browser shows.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{super::Shared, Reply};
use crate::document::is_json;

/// Lets a request through if it was sent to a name of this machine, comes from no foreign page, and has JSON or no body.
///
/// The name is checked since a page may have its own name lead here (DNS rebinding), the content type since a browser sends
/// text to any host without asking first.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match check(&shared.setup.admin_hosts, request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(known: &BTreeSet<String>, headers: &HeaderMap, uri: &Uri) -> Result<(), Reply> {
    let text = |name: &header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(&header::HOST).or_else(|| uri.authority().map(Authority::as_str)).unwrap_or_default();
    if !is_own(known, host) {
        return Err(forbidden(
            "the host of the request is not this machine; start the hub with an admin host",
        ));
    }
    if let Some(origin) = text(&header::ORIGIN)
        && !origin.split_once("://").is_some_and(|(_, authority)| is_own(known, authority))
    {
        return Err(forbidden("the request comes from a page of another host"));
    }
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || text(&header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    match text(&header::CONTENT_TYPE) {
        Some(name) if is_json(name) => Ok(()),
        None if !has_body => Ok(()),
        _ => {
            let message = "the header Content-Type is not application/json";
            Err(Reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

fn forbidden(message: &str) -> Reply {
    Reply::refusal(StatusCode::FORBIDDEN, message)
}

/// Whether an authority, with a port or without, names this machine.
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
