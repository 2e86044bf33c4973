//! Reports a call when it has ended: to the hook of [`ClientBuilder::on_call`](crate::ClientBuilder::on_call), and to its span.

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

/// The report of a call that has ended; see [`ClientBuilder::on_call`](crate::ClientBuilder::on_call).
///
/// It has nothing that identifies a person, and no secret. [The guide on observability](crate::docs::observability) counts calls with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallReport {
    /// The operation, by its id in the document, such as `trigger-workflow-api`; `request` for requests to paths of your own.
    pub operation: &'static str,
    /// The status of the last response, if one came.
    pub status: Option<StatusCode>,
    /// The number of attempts; zero if nothing was sent, since the call was refused before.
    pub attempts: u32,
    /// The time from sending the call to its end, with all attempts and the delays between them.
    pub duration: Duration,
    /// The bytes of the request's body, over all attempts.
    pub bytes_sent: u64,
    /// The bytes of the responses' bodies that were read, over all attempts, after decompression.
    pub bytes_received: u64,
    /// The kind of the error, if the call failed.
    pub error: Option<ErrorKind>,
}

/// Hook that is called with every report.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn(&CallReport) + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Calls it. A panic of it is not one of the call.
    fn call(&self, report: &CallReport) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(report)));
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// Watches a call until it ends. If it is dropped before, the call was cancelled.
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

    /// An attempt begins that sends this many bytes.
    pub(crate) fn attempt(&self, bytes: usize) {
        self.attempts.fetch_add(1, Relaxed);
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    /// This much of a response was read.
    pub(crate) fn received(&self, received: Option<&RawResponse>) {
        self.received.fetch_add(received.map_or(0, |received| received.body().len() as u64), Relaxed);
    }

    /// The call has ended. `may_be_absent` says that it is no failure if there is nothing of the id that is asked for.
    pub(crate) fn end<T>(mut self, result: &Result<Response<T>, Error>, may_be_absent: bool) {
        match result {
            Ok(response) => self.finish(Some(response.status()), response.request_id(), None),
            Err(error) => {
                let is_absence = may_be_absent && matches!(error, Error::NotFound(_));
                let kind = (!is_absence).then(|| error.kind());
                self.finish(error.status(), error.request_id(), kind);
            }
        }
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
        if !self.ended {
            self.finish(None, None, Some(ErrorKind::Cancelled));
        }
    }
}
