//! The result of a call.

use std::{fmt, ops::Deref};

use http::{HeaderMap, StatusCode};
use serde::{Serialize, Serializer};

use crate::raw_response::{self, RawResponse};

/// The result of a call, with the status and the headers of the response. It dereferences to the result.
///
/// ```no_run
/// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
/// let user = client.users().get("jane").await?;
/// println!("{} e-mail addresses, by request {:?}", user.email.len(), user.request_id());
/// let profile: suprsend::types::User = user.into_inner();
/// # Ok(())
/// # }
/// ```
///
/// Only the result is serialized.
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    attempts: Attempts,
    idempotency_key: Option<Box<str>>,
}

/// The number of attempts of a call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attempts {
    /// All of them.
    pub(crate) made: u32,
    /// Those that count against the retry policy: an outage does not.
    pub(crate) counted: u32,
}

impl<T> Response<T> {
    /// Combines a result with the response that it was decoded from.
    pub(crate) fn new(value: T, received: RawResponse, attempts: Attempts) -> Self {
        let (status, headers, _) = received.into_parts();
        Self { value, status, headers, attempts, idempotency_key: None }
    }

    /// Combines a part of a result with the metadata of the whole response.
    pub(crate) fn from_parts(value: T, status: StatusCode, headers: HeaderMap, attempts: Attempts) -> Self {
        Self { value, status, headers, attempts, idempotency_key: None }
    }

    /// Returns only the result.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Transforms the result and keeps the rest.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        let Self { value, status, headers, attempts, idempotency_key } = self;
        Response { value: change(value), status, headers, attempts, idempotency_key }
    }

    /// Returns the HTTP status, which is always a success (2xx).
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the id that the API assigned to the request. Quote it to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        raw_response::request_id(&self.headers)
    }

    /// Returns the idempotency key that was sent: yours, or the one generated for the call. `None` if the operation takes none or has
    /// several records.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    pub(crate) fn set_idempotency_key(&mut self, key: Option<Box<str>>) {
        self.idempotency_key = key;
    }

    /// Returns the number of attempts that the call took.
    pub fn attempts(&self) -> u32 {
        self.attempts.made
    }

    pub(crate) fn all_attempts(&self) -> Attempts {
        self.attempts
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Serialize for Response<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// Leaves out the headers, which may contain a cookie.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("value", &self.value)
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("attempts", &self.attempts())
            .finish_non_exhaustive()
    }
}
