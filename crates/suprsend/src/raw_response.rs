//! A response as it was received, complete or cut off.

use std::{
    fmt, mem,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The maximum size of a body that is kept without being decoded, in bytes.
const KEPT: usize = 64 * 1024;

/// The headers that may contain the request id, the best first. SuprSend documents none; the last two are set by networks that APIs commonly
/// run behind. A response has few headers, so comparing each with these names is faster than looking up the names.
static REQUEST_ID: [HeaderName; 5] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("cf-ray"),
];

/// The maximum length of a request id, in bytes.
const ID: usize = 200;

/// Replaces the value of a header that echoed a secret.
const REDACTED: HeaderValue = HeaderValue::from_static("[redacted]");

/// A response, or the part of it that was received.
#[derive(Clone)]
pub(crate) struct RawResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    cut: bool,
}

impl RawResponse {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap) -> Self {
        Self { status, headers, body: Bytes::new(), cut: true }
    }

    /// Takes the head of a response whose body is still to come. The response counts as cut until it is [complete](Self::complete).
    pub(crate) fn from_head(response: &mut reqwest::Response) -> Self {
        Self::new(response.status(), mem::take(response.headers_mut()))
    }

    /// Redacts a request id that contains a secret, because ids are printed.
    pub(crate) fn redact_ids(&mut self, is_secret: impl Fn(&[u8]) -> bool) {
        for (name, id) in &mut self.headers {
            if REQUEST_ID.contains(name) && is_secret(id.as_bytes()) {
                *id = REDACTED;
            }
        }
    }

    /// Appends a part of the body, up to the limit. Returns false if it exceeds the limit.
    pub(crate) fn extend(&mut self, mut part: Bytes, limit: usize) -> bool {
        let room = limit.saturating_sub(self.body.len());
        let fits = part.len() <= room;
        part.truncate(room);
        if self.body.is_empty() {
            self.body = part;
        } else {
            // Nobody else holds the bytes, so this reuses the allocation.
            let mut body = BytesMut::from(mem::take(&mut self.body));
            body.extend_from_slice(&part);
            self.body = body.freeze();
        }
        fits
    }

    /// Marks the body as complete.
    pub(crate) fn complete(&mut self) {
        self.cut = false;
    }

    /// Returns how much of the body to read: errors are short, and only the beginning of a long one is used.
    pub(crate) fn limit(&self, limit: usize) -> usize {
        if self.status.is_success() { limit } else { limit.min(KEPT) }
    }

    pub(crate) fn shortened(mut self) -> Self {
        if self.body.len() > KEPT {
            self.body.truncate(KEPT);
            self.cut = true;
        }
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body without copying it.
    pub(crate) fn bytes(&self) -> Bytes {
        self.body.clone()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// Returns how long the API asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Bytes) {
        (self.status, self.headers, self.body)
    }
}

/// Leaves out the headers and the body, which may contain secrets.
impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("bytes", &self.body.len())
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}

/// Returns the id of a request. A value that is too long for an id is ignored.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let rank = |name| REQUEST_ID.iter().position(|other| other == name);
    let ids = headers.iter().filter_map(|(name, id)| Some((rank(name)?, id.to_str().ok()?)));
    let ids = ids.filter(|(_, id)| !id.is_empty() && id.len() <= ID);
    ids.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
}

/// Parses `Retry-After`, which contains seconds or a date.
///
/// A date is relative to the response's own `Date` header, if it has one, so that a wrong clock does no harm.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number with too many digits is a very long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = |value: &str| httpdate::parse_http_date(value).ok();
    let until = date(value)?;
    let now = headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?));
    Some(until.duration_since(now.unwrap_or_else(SystemTime::now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_header_panics(value in any::<Vec<u8>>()) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(header::RETRY_AFTER, value);
            }
            let _ = retry_after(&headers);
        }
    }
}
