//! A span for each call, if the feature `tracing` is on.
//!
//! It says which operation, which host, how it went and how long it took; never a path, a body or a header, which hold the ids of
//! people and keys.

#[cfg(feature = "tracing")]
pub(crate) use on::Span;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::Span;

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use tokio::time::Instant;
    use tracing::{Instrument, field::Empty};

    use crate::{error::Error, reply::Reply};

    pub(crate) struct Span {
        span: tracing::Span,
        start: Instant,
    }

    impl Span {
        pub(crate) fn new(operation: &'static str, host: &str) -> Self {
            let span = tracing::info_span!(
                "suprsend.call",
                operation,
                host,
                attempt = Empty,
                status = Empty,
                duration_ms = Empty,
                request_id = Empty,
            );
            Self { span, start: Instant::now() }
        }

        pub(crate) fn cover<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
            future.instrument(self.span.clone())
        }

        pub(crate) fn attempt(&self, attempt: u32) {
            self.span.record("attempt", attempt);
        }

        pub(crate) fn retry(&self, attempt: u32, delay: Duration, error: &Error) {
            let (delay_ms, status) = (milliseconds(delay), error.status().map(|status| status.as_u16()));
            tracing::warn!(parent: &self.span, attempt, delay_ms, status, "attempt failed, trying again");
        }

        pub(crate) fn end(&self, result: &Result<(Reply, u32), Error>) {
            let (status, id) = match result {
                Ok((reply, _)) => (Some(reply.status()), reply.request_id()),
                Err(error) => (error.status(), error.request_id()),
            };
            self.span.record("status", status.map(|status| status.as_u16()));
            self.span.record("request_id", id);
            self.span.record("duration_ms", milliseconds(self.start.elapsed()));
        }
    }

    fn milliseconds(duration: Duration) -> u64 {
        duration.as_millis().try_into().unwrap_or(u64::MAX)
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::time::Duration;

    use crate::{error::Error, reply::Reply};

    /// Does nothing.
    pub(crate) struct Span;

    #[allow(clippy::unused_self, reason = "has the methods of the other form")]
    impl Span {
        pub(crate) fn new(_operation: &'static str, _host: &str) -> Self {
            Self
        }

        pub(crate) fn cover<F: Future>(&self, future: F) -> F {
            future
        }

        pub(crate) fn attempt(&self, _attempt: u32) {}

        pub(crate) fn retry(&self, _attempt: u32, _delay: Duration, _error: &Error) {}

        pub(crate) fn end(&self, _result: &Result<(Reply, u32), Error>) {}
    }
}
