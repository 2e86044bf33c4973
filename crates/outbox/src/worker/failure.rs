//! Judges failed deliveries: whether a message is sent again, and when.

use std::time::Duration;

use suprsend::{Error, error::ErrorKind};

use crate::{
    outcomes::{Outcome, Record},
    redact,
};

/// The delay after a failure of the worker itself, which says nothing about the message and does not count.
const OWN_FAULT: Duration = Duration::from_secs(5 * 60);
/// The maximum number of different refusals of records in a text.
const SHOWN: usize = 10;

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
        // An undecodable response may not come from the API, and neither may a status such as 522, which the client does not retry.
        let is_of_server = status.is_some_and(|status| status >= 500);
        let is_transient =
            is_retryable || is_own_fault || is_of_server || matches!(error, Error::UndecodableResponse(_));
        Self {
            kind: error.kind().as_str(),
            status,
            error: redact::error(&format!("{error:#}"), arguments),
            is_transient,
            counts: !is_own_fault,
            delay: error.retry_after().or(is_own_fault.then_some(OWN_FAULT)),
        }
    }

    /// Judges the outcome of a message whose request succeeded. Returns `None` if it is accepted.
    pub(super) fn from_outcome(outcome: &Outcome, arguments: &str) -> Option<Self> {
        let (kind, status, is_transient, error) = match outcome {
            Outcome::Accepted => return None,
            Outcome::Refused(records) => {
                let status = records.iter().find(|record| !record.is_accepted).map(|record| record.status);
                let kind = if status == Some(404) { ErrorKind::NotFound } else { ErrorKind::Api };
                let status = status.and_then(|status| u16::try_from(status).ok());
                let is_transient = records.iter().any(Record::is_transient);
                (kind, status, is_transient, describe(records, arguments))
            }
            Outcome::Unclear { outcomes, records } => {
                let error = format!("the response has {outcomes} outcomes for {records} records");
                (ErrorKind::UndecodableResponse, None, true, error)
            }
        };
        Some(Self { kind: kind.as_str(), status, error, is_transient, counts: true, delay: None })
    }
}

/// Describes refusals of records, each with the positions of the records that it concerns.
fn describe(records: &[Record], arguments: &str) -> String {
    let mut refusals: Vec<(String, Vec<usize>)> = Vec::new();
    for (position, record) in records.iter().enumerate().filter(|(_, record)| !record.is_accepted) {
        let refusal = format!("{} {}", record.status, redact::error(&record.error, arguments));
        match refusals.iter_mut().find(|(known, _)| *known == refusal) {
            Some((_, positions)) => positions.push(position),
            None => refusals.push((refusal, vec![position])),
        }
    }
    let accepted = records.iter().filter(|record| record.is_accepted).count();
    let mut parts = vec![format!("{accepted} of {} records were accepted", records.len())];
    let shown = refusals.iter().take(SHOWN);
    parts.extend(shown.map(|(refusal, positions)| format!("{positions:?}: {refusal}")));
    if refusals.len() > SHOWN {
        parts.push(format!("and {} other refusals", refusals.len() - SHOWN));
    }
    parts.join("; ")
}
