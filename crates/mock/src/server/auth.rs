//! Authenticates requests: API keys, and the signatures of the official SDKs.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::response::HubResponse;
use crate::document::Credential;

/// Returns the scheme of the header `Authorization`.
pub(super) fn scheme(headers: &HeaderMap) -> Option<&str> {
    text(headers, &header::AUTHORIZATION)?.split_once(' ').map(|(scheme, _)| scheme)
}

/// The credentials that the server accepts.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) api_keys: BTreeSet<String>,
    /// Workspace keys with their secrets. If there are none, every signature is accepted.
    pub(crate) workspaces: BTreeMap<String, String>,
}

impl Accepted {
    /// Checks the credentials of a request against those that its operation requires.
    pub(crate) fn check(
        &self,
        asked: &BTreeSet<Credential>,
        head: &Parts,
        body: &[u8],
    ) -> Result<(), HubResponse> {
        if asked.is_empty() {
            return Ok(());
        }
        let header_key = |credential: &Credential| match credential {
            Credential::Header { name } => head.headers.get(name)?.to_str().ok(),
            Credential::Authorization { .. } => None,
        };
        if asked.iter().filter_map(header_key).any(|key| self.api_keys.contains(key)) {
            return Ok(());
        }
        let Some(value) = text(&head.headers, &header::AUTHORIZATION) else {
            return Err(unauthorized("the header Authorization is missing"));
        };
        match value.split_once(' ') {
            Some((scheme, key)) => {
                let is_scheme = |credential: &Credential| match credential {
                    Credential::Authorization { scheme: asked } => asked.eq_ignore_ascii_case(scheme),
                    Credential::Header { .. } => false,
                };
                if !asked.iter().any(is_scheme) {
                    return Err(unauthorized(format!("the operation does not take {scheme} credentials")));
                }
                if self.api_keys.contains(key.trim()) {
                    Ok(())
                } else {
                    Err(unauthorized("the API key is not known"))
                }
            }
            None => self.check_signature(value, head, body),
        }
    }

    /// Checks `<workspace key>:<signature>`, as the official SDKs send it.
    fn check_signature(&self, value: &str, head: &Parts, body: &[u8]) -> Result<(), HubResponse> {
        let Some((workspace, signature)) = value.split_once(':') else {
            return Err(unauthorized(
                "the header Authorization is neither `Bearer <API key>` nor `<workspace key>:<signature>`",
            ));
        };
        let signature = BASE64.decode(signature).map_err(|_| unauthorized("the signature is not base64"))?;
        if self.workspaces.is_empty() {
            return Ok(());
        }
        let secret =
            self.workspaces.get(workspace).ok_or_else(|| unauthorized("the workspace key is not known"))?;
        let signed = signed_text(head, body)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| {
            HubResponse::refusal(StatusCode::INTERNAL_SERVER_ERROR, "the workspace's secret cannot be used")
        })?;
        mac.update(signed.as_bytes());
        mac.verify_slice(&signature).map_err(|_| unauthorized("the signature does not fit the request"))
    }
}

/// Returns the text to sign: method, MD5 of the body, content type, date, path with query, each on its own line.
fn signed_text(head: &Parts, body: &[u8]) -> Result<String, HubResponse> {
    let date = text(&head.headers, &header::DATE)
        .ok_or_else(|| unauthorized("a signed request needs the header Date"))?;
    let content_type = text(&head.headers, &header::CONTENT_TYPE).unwrap_or_default();
    let digest = if body.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(&Md5::digest(body)) };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(format!("{}\n{digest:x}\n{content_type}\n{date}\n{path}", head.method))
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn unauthorized(message: impl Into<String>) -> HubResponse {
    HubResponse::refusal(StatusCode::UNAUTHORIZED, message)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
