//! What came back: a reply as it was read, and the result that the caller gets.

use std::{fmt, mem, ops::Deref};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

/// How much of a body is kept where it is not decoded, in bytes.
const KEPT: usize = 64 * 1024;

/// Headers in which the id of a request is looked for, in this order. SuprSend documents none; the last two are those of the
/// networks that APIs are commonly behind.
const REQUEST_ID: [&str; 5] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/// A reply, or as much of it as came.
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    cut: bool,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap) -> Self {
        Self { status, headers, body: Bytes::new(), cut: true }
    }

    /// The head of a reply, out of a response whose body is still to come: until it is [complete](Self::complete) it counts as cut.
    pub(crate) fn of_head(response: &mut reqwest::Response) -> Self {
        Self::new(response.status(), mem::take(response.headers_mut()))
    }

    /// Adds a part of the body; false if that exceeds the limit, up to which it is added.
    pub(crate) fn extend(&mut self, mut part: Bytes, limit: usize) -> bool {
        let room = limit.saturating_sub(self.body.len());
        let fits = part.len() <= room;
        part.truncate(room);
        if self.body.is_empty() {
            self.body = part;
        } else {
            // Nobody else holds the bytes, so this goes on in the same allocation.
            let mut body = BytesMut::from(mem::take(&mut self.body));
            body.extend_from_slice(&part);
            self.body = body.freeze();
        }
        fits
    }

    /// The body came to its end.
    pub(crate) fn complete(&mut self) {
        self.cut = false;
    }

    /// How much of this reply's body is worth reading: errors are short, and all that is made of a long one is its beginning.
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

    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Bytes) {
        (self.status, self.headers, self.body)
    }
}

/// Leaves out the headers and the body, which may hold secrets.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("bytes", &self.body.len())
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    REQUEST_ID.iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

/// The result of a call, with what the reply said beside it. It derefs to the result.
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    attempts: u32,
}

impl<T> Response<T> {
    pub(crate) fn new(value: T, status: StatusCode, headers: HeaderMap, attempts: u32) -> Self {
        Self { value, status, headers, attempts }
    }

    /// The result alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The HTTP status, always a success (2xx).
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reply's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The id that the API gave the request, to quote to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// The attempts that it took.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Leaves out the headers, which may hold a cookie.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("value", &self.value)
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
