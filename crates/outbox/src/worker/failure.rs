//! Judges failed deliveries: whether a message is sent again, and when.

use std::time::Duration;

use suprsend::Error;

use crate::redact;

/// The delay after a failure of the worker itself, which says nothing about the message and does not count.
const OWN_FAULT: Duration = Duration::from_secs(5 * 60);

/// A failed delivery.
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) status: Option<u16>,
    /// The text of the error, without anything personal.
    pub(super) error: String,
    /// Whether the message may be accepted later.
    pub(super) is_transient: bool,
    /// Whether the delivery counts towards the maximum number.
    pub(super) counts: bool,
    /// The delay before the next delivery. Without it, the queue's back-off applies.
    pub(super) delay: Option<Duration>,
}

impl Failure {
    /// Judges the error of a call with these arguments.
    pub(super) fn from_error(error: &Error, arguments: &str) -> Self {
        let status = error.status().map(|status| status.as_u16());
        let is_retryable = error.is_retryable();
        // The worker is not authorized, or its client cannot reach the API.
        let is_own_fault = matches!(status, Some(401 | 403))
            || (matches!(error, Error::Config(_) | Error::Connection(_)) && !is_retryable);
        // An undecodable response may not come from the API.
        let is_transient = is_retryable || is_own_fault || matches!(error, Error::UndecodableResponse(_));
        Self {
            kind: error.kind().as_str(),
            status,
            error: redact::error(&format!("{error:#}"), arguments),
            is_transient,
            counts: !is_own_fault,
            delay: error.retry_after().or(is_own_fault.then_some(OWN_FAULT)),
        }
    }
}
