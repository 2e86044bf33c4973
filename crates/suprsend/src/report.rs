//! Reports a call when it has ended, to the hook of [`ClientBuilder::on_call`](crate::ClientBuilder::on_call) and to its span.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use suprsend_api::Spec;
use tokio::time::Instant;

use crate::{
    config::Shared,
    error::{Error, ErrorKind},
    raw_response::RawResponse,
    response::Response,
    trace,
};

/// The report of a completed call; see [`ClientBuilder::on_call`](crate::ClientBuilder::on_call).
///
/// It contains no secret and nothing that identifies a person. [The guide on observability](crate::docs::observability) counts calls with
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallReport {
    /// The id of the operation in the OpenAPI document, such as `trigger-workflow-api`; `request` for requests to paths of your own.
    pub operation: &'static str,
    /// The status of the last response, if there was one.
    pub status: Option<StatusCode>,
    /// The number of attempts. Zero if the call was rejected before anything was sent.
    pub attempts: u32,
    /// The time from sending the call to its end, including all attempts and the delays between them.
    pub duration: Duration,
    /// The number of bytes in request bodies, over all attempts.
    pub bytes_sent: u64,
    /// The number of bytes read from response bodies after decompression, over all attempts.
    pub bytes_received: u64,
    /// The kind of the error, if the call failed.
    pub error: Option<ErrorKind>,
}

/// The hook that receives every report.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn(&CallReport) + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Calls the hook. A panic in it does not affect the call.
    fn call(&self, report: &CallReport) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(report)));
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// Watches a call until it ends. If it is dropped earlier, the call was cancelled.
pub(crate) struct Watch<'a> {
    pub(crate) span: trace::Span,
    hook: Option<&'a Hook>,
    operation: &'static str,
    start: Instant,
    attempts: AtomicU32,
    sent: AtomicU64,
    received: AtomicU64,
    ended: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(spec: &'static Spec, shared: &'a Shared) -> Self {
        Self {
            span: trace::Span::new(spec, shared.host(spec).base.url()),
            hook: shared.hook.as_ref(),
            operation: spec.id,
            start: Instant::now(),
            attempts: AtomicU32::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            ended: false,
        }
    }

    /// Returns when the call was sent.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// Records the start of an attempt that sends this many bytes.
    pub(crate) fn attempt(&self, bytes: usize) {
        self.attempts.fetch_add(1, Relaxed);
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    /// Records how much of a response was read.
    pub(crate) fn received(&self, received: Option<&RawResponse>) {
        self.received.fetch_add(received.map_or(0, |received| received.body().len() as u64), Relaxed);
    }

    /// Records the end of the call. If `may_be_absent` is set, it is not a failure if nothing with the requested id exists.
    pub(crate) fn end<T>(mut self, result: &Result<Response<T>, Error>, may_be_absent: bool) {
        if !self.is_watched() {
            self.ended = true;
            return;
        }
        match result {
            Ok(response) => self.finish(Some(response.status()), response.request_id(), None),
            Err(error) => {
                let is_absence = may_be_absent && matches!(error, Error::NotFound(_));
                let kind = (!is_absence).then(|| error.kind());
                self.finish(error.status(), error.request_id(), kind);
            }
        }
    }

    /// Returns whether anybody hears of the call. If not, neither the clock nor the response is read for them.
    fn is_watched(&self) -> bool {
        self.hook.is_some() || trace::Span::IS_ON
    }

    fn finish(&mut self, status: Option<StatusCode>, request_id: Option<&str>, error: Option<ErrorKind>) {
        self.ended = true;
        let report = CallReport {
            operation: self.operation,
            status,
            attempts: self.attempts.load(Relaxed),
            duration: self.start.elapsed(),
            bytes_sent: self.sent.load(Relaxed),
            bytes_received: self.received.load(Relaxed),
            error,
        };
        self.span.end(&report, request_id);
        if let Some(hook) = self.hook {
            hook.call(&report);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.ended && self.is_watched() {
            self.finish(None, None, Some(ErrorKind::Cancelled));
        }
    }
}
