//! A span for each call if the feature `tracing` is enabled, with OpenTelemetry's names.
//!
//! It records the operation, the host, the outcome and the number of attempts. It never records a path, a body or a header, which contain
//! keys and ids of people, nor the message of an error, which may quote them.

#[cfg(feature = "tracing")]
pub(crate) use on::Span;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::Span;

#[cfg(feature = "tracing")]
mod on {
    use std::{borrow::Cow, time::Duration};

    use http::{Method, StatusCode};
    use reqwest::Url;
    use suprsend_api::Spec;
    use tracing::field::Empty;

    use crate::{
        error::{Error, ErrorKind},
        report::CallReport,
    };

    pub(crate) struct Span(tracing::Span);

    impl Span {
        /// Whether calls have spans.
        pub(crate) const IS_ON: bool = true;

        pub(crate) fn new(spec: &'static Spec, base: &Url) -> Self {
            Self(tracing::info_span!(
                target: "suprsend",
                "suprsend.call",
                otel.kind = "client",
                otel.name = spec.id,
                otel.status_code = Empty,
                http.request.method = Empty,
                http.response.status_code = Empty,
                server.address = base.host_str(),
                server.port = base.port_or_known_default(),
                url.template = spec.path.split('#').next().filter(|path| !path.is_empty()),
                "error.type" = Empty,
                suprsend.attempts = Empty,
                suprsend.request_id = Empty,
            ))
        }

        pub(crate) fn method(&self, method: &Method) {
            self.0.record("http.request.method", method.as_str());
        }

        /// Polls a future inside the span. A future that keeps a copy of the span would make every call larger.
        pub(crate) fn cover<T>(&self, poll: impl FnOnce() -> T) -> T {
            self.0.in_scope(poll)
        }

        pub(crate) fn retry(&self, attempt: u32, delay: Duration, error: &Error) {
            let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            let status = error.status();
            let reason = reason(error.kind(), status);
            tracing::warn!(
                target: "suprsend",
                parent: &self.0,
                {
                    "error.type" = &*reason,
                    http.response.status_code = status.map(|status| status.as_u16()),
                    attempt,
                    delay_ms,
                },
                "attempt failed, trying again"
            );
        }

        pub(crate) fn end(&self, report: &CallReport, request_id: Option<&str>) {
            let status = report.status.map(|status| status.as_u16());
            self.0.record("http.response.status_code", status);
            self.0.record("suprsend.attempts", report.attempts);
            self.0.record("suprsend.request_id", request_id);
            let Some(kind) = report.error else { return };
            let reason = reason(kind, report.status);
            self.0.record("otel.status_code", "ERROR");
            self.0.record("error.type", &*reason);
            // The caller who drops a call knows about it.
            if kind != ErrorKind::Cancelled {
                tracing::error!(
                    target: "suprsend",
                    parent: &self.0,
                    {
                        "error.type" = &*reason,
                        http.response.status_code = status,
                        attempts = report.attempts,
                    },
                    "call failed"
                );
            }
        }
    }

    /// Returns the status if the API rejected the call, as OpenTelemetry requires; otherwise the kind of the error.
    fn reason(kind: ErrorKind, status: Option<StatusCode>) -> Cow<'static, str> {
        match (kind, status) {
            (ErrorKind::Api | ErrorKind::NotFound, Some(status)) => Cow::Owned(status.as_str().to_owned()),
            _ => Cow::Borrowed(kind.as_str()),
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::time::Duration;

    use http::Method;
    use reqwest::Url;
    use suprsend_api::Spec;

    use crate::{error::Error, report::CallReport};

    /// Does nothing.
    pub(crate) struct Span;

    #[allow(clippy::unused_self, reason = "has the methods of the other form")]
    impl Span {
        /// Whether calls have spans.
        pub(crate) const IS_ON: bool = false;

        pub(crate) fn new(_spec: &'static Spec, _base: &Url) -> Self {
            Self
        }

        pub(crate) fn method(&self, _method: &Method) {}

        pub(crate) fn cover<T>(&self, poll: impl FnOnce() -> T) -> T {
            poll()
        }

        pub(crate) fn retry(&self, _attempt: u32, _delay: Duration, _error: &Error) {}

        pub(crate) fn end(&self, _report: &CallReport, _request_id: Option<&str>) {}
    }
}
