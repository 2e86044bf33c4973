//! Errors of the transport to the API and back.

use std::{error, fmt, iter, sync::Arc, time::Duration};

use http::StatusCode;

use super::{Error, redact::one_line};
use crate::raw_response::RawResponse;

/// The cause of a broken connection. Its type is an implementation detail.
pub(crate) type Cause = Arc<dyn error::Error + Send + Sync>;

/// Returns the causes of an error, the nearest first.
fn causes<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    iter::successors(error.source(), |error| error.source())
}

/// Appends the causes of an error. Their texts may be foreign, such as the names in a certificate.
pub(super) fn fmt_causes(f: &mut fmt::Formatter<'_>, error: &(dyn error::Error + 'static)) -> fmt::Result {
    causes(error).try_for_each(|cause| {
        f.write_str(": ")?;
        one_line(f, &cause.to_string())
    })
}

/// The texts of an error's causes.
struct Causes<'a>(&'a (dyn error::Error + 'static));

impl fmt::Debug for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(causes(self.0).map(|cause| format_args!("{cause}").to_string())).finish()
    }
}

/// A connection that could not be made, or that broke before the response was complete.
#[derive(Clone)]
pub struct ConnectionError {
    what: &'static str,
    retryable: bool,
    response: Option<Box<RawResponse>>,
    cause: Cause,
}

impl ConnectionError {
    pub(crate) fn new(
        what: &'static str,
        retryable: bool,
        response: Option<RawResponse>,
        cause: Cause,
    ) -> Self {
        Self { what, retryable, response: response.map(Box::new), cause }
    }

    /// Returns the status of the response, if its head arrived before the connection broke.
    pub fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(|response| response.status())
    }

    /// Returns the id that the API assigned to the request, if the head of the response arrived.
    pub fn request_id(&self) -> Option<&str> {
        self.response.as_ref()?.request_id()
    }

    /// Returns the part of the response's body that arrived.
    pub fn body(&self) -> &[u8] {
        self.response.as_ref().map_or(&[], |response| response.body())
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Returns whether the connection could not be made, so that nothing was sent.
    pub(crate) fn is_before_sending(&self) -> bool {
        self.cause.downcast_ref().is_some_and(reqwest::Error::is_connect)
    }
}

/// Shows the causes as text, without the URL, which contains the id of a person.
impl fmt::Debug for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionError")
            .field("what", &self.what)
            .field("causes", &Causes(self))
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// The kind of timeout that elapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// Connecting took too long.
    Connect,
    /// One attempt took too long, from its start to the last byte of the response.
    Attempt,
    /// The whole call took too long, or there is no time left for the next attempt.
    Call,
}

/// A timeout that elapsed.
#[derive(Debug, Clone)]
pub struct TimeoutError {
    kind: TimeoutKind,
    limit: Option<Duration>,
    attempts: u32,
    response: Option<Box<RawResponse>>,
    last: Option<Box<Error>>,
}

impl TimeoutError {
    /// Creates the error of one attempt that took too long. The limit is `None` if it belongs to the caller's own HTTP client.
    pub(crate) fn for_attempt(
        kind: TimeoutKind,
        limit: Option<Duration>,
        response: Option<RawResponse>,
    ) -> Self {
        Self { kind, limit, attempts: 1, response: response.map(Box::new), last: None }
    }

    /// Creates the error of a call that took too long, during this attempt or before the next.
    pub(crate) fn for_call(
        limit: Duration,
        attempts: u32,
        response: Option<RawResponse>,
        last: Option<Error>,
    ) -> Self {
        let (response, last) = (response.map(Box::new), last.map(Box::new));
        Self { kind: TimeoutKind::Call, limit: Some(limit), attempts, response, last }
    }

    /// Returns which timeout elapsed.
    pub fn kind(&self) -> TimeoutKind {
        self.kind
    }

    /// Returns the number of attempts, including the one that was cut off.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the error of the previous attempt, if there was one.
    pub fn last(&self) -> Option<&Error> {
        self.last.as_deref()
    }

    /// Returns the status of the response if its head arrived in time, or else that of the previous attempt.
    pub fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(|response| response.status()).or_else(|| self.last()?.status())
    }

    /// Returns the id that the API assigned to the request if the head of the response arrived in time, or else that of the previous
    /// attempt.
    pub fn request_id(&self) -> Option<&str> {
        match &self.response {
            Some(response) => response.request_id(),
            None => self.last()?.request_id(),
        }
    }

    /// Returns the part of the response's body that arrived in time.
    pub fn body(&self) -> &[u8] {
        self.response.as_ref().map_or(&[], |response| response.body())
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TimeoutKind::Connect => "timed out while connecting",
            TimeoutKind::Attempt => "timed out while waiting for the response",
            TimeoutKind::Call => "timed out as a whole",
        })?;
        if let Some(limit) = self.limit {
            write!(f, " (limit {limit:?})")?;
        }
        if self.attempts > 1 {
            write!(f, " after {} attempts", self.attempts)?;
        }
        match &self.last {
            Some(last) => write!(f, "; before that: {last}"),
            None => Ok(()),
        }
    }
}

/// Skips the error of the previous attempt, whose text is part of the message.
impl error::Error for TimeoutError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(self.last()?)
    }
}

/// The error of a call whose attempts all failed.
#[derive(Debug, Clone)]
pub struct TooManyAttempts {
    attempts: u32,
    last: Box<Error>,
}

impl TooManyAttempts {
    pub(crate) fn new(attempts: u32, last: Error) -> Self {
        Self { attempts, last: Box::new(last) }
    }

    /// Returns the number of attempts.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the error of the last attempt.
    pub fn last(&self) -> &Error {
        &self.last
    }

    pub(crate) fn into_last(self) -> Error {
        *self.last
    }
}

impl fmt::Display for TooManyAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gave up after {} attempts: {}", self.attempts, self.last)
    }
}

/// Skips the last error, whose text is part of the message.
impl error::Error for TooManyAttempts {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(self.last())
    }
}
