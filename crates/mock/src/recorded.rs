//! The requests that a mock server received.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use axum::http::{HeaderMap, Method, StatusCode, header, request::Parts};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// The size of requests and responses, in bytes, that is always kept; above it, older ones are dropped, so that large ones do not fill the
/// memory.
const BYTES: usize = 64 * 1024 * 1024;
/// The average size of a request, in bytes, that is allowed if many are kept.
const BYTES_EACH: usize = 4 * 1024;

/// A recorded request and its outcome.
///
/// `Debug` shows neither headers nor body, which contain credentials.
#[derive(Clone)]
pub struct Recorded {
    /// The number of the request, counted from 1 in the order of arrival.
    pub(crate) number: u64,
    pub(crate) at: DateTime<Utc>,
    method: Method,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    pub(crate) operation: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    /// The headers that contain a plain key, besides `Authorization`.
    pub(crate) credentials: Vec<String>,
    /// `None` if no response was sent.
    pub(crate) status: Option<StatusCode>,
    pub(crate) refusal: Option<String>,
    /// Whether the operation was performed, even if its response was lost.
    pub(crate) performed: bool,
    /// A short description of the fault that affected it.
    pub(crate) injected: Option<String>,
    /// A short description of the workflow, event or broadcast and its recipients.
    #[cfg_attr(not(feature = "page"), allow(dead_code, reason = "only the page shows it"))]
    pub(crate) about: Option<String>,
    /// The time from the arrival to the response.
    pub(crate) duration: Duration,
    /// The response's headers and body, even if a fault lost or truncated them.
    pub(crate) response_headers: Vec<(String, String)>,
    pub(crate) response_body: Vec<u8>,
}

impl Recorded {
    /// Copies the request: its data is part of a connection's buffer, which must not be kept alive.
    pub(crate) fn new(number: u64, head: &Parts, body: &[u8]) -> Self {
        Self {
            number,
            at: Utc::now(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: texts(&head.headers),
            body: body.to_vec(),
            operation: None,
            parameters: Vec::new(),
            credentials: Vec::new(),
            status: None,
            refusal: None,
            performed: false,
            injected: None,
            about: None,
            duration: Duration::ZERO,
            response_headers: Vec::new(),
            response_body: Vec::new(),
        }
    }

    /// Returns the number of the request. Requests are counted from 1 as they arrive.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the method in uppercase.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Returns the path of the request, percent-encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query of the request, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns a header, or the first of several with this name. Credentials are not hidden.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Returns the body as bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns the operation's id in the OpenAPI document, or `None` if the document does not declare the path or method.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Returns a decoded path parameter, such as `distinct_id`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the status of the response, or `None` if the connection was reset instead.
    pub fn status(&self) -> Option<u16> {
        self.status.map(|status| status.as_u16())
    }

    /// Returns how long the server took to respond, including the delay of a fault.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the whole response body as bytes, even if a fault lost or truncated it.
    pub fn response_body(&self) -> &[u8] {
        &self.response_body
    }

    /// Returns the message with which the server rejected the request.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Returns the number of bytes of text that it holds.
    fn size(&self) -> usize {
        let headers = self.headers.iter().chain(&self.response_headers);
        let headers = headers.map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let query = self.query.as_ref().map_or(0, String::len);
        let refusal = self.refusal.as_ref().map_or(0, String::len);
        // The path is stored twice: as received, and in the parameters.
        2 * self.path.len()
            + query
            + headers
            + self.body.len()
            + self.response_body.len()
            + refusal
            + self.about.as_ref().map_or(0, String::len)
    }

    /// Returns the log entry of the request, without headers and body.
    pub fn summary(&self) -> Value {
        json!({
            "at": self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "method": self.method(),
            "path": self.path(),
            "operation": self.operation,
            "status": self.status(),
            "refusal": self.refusal,
            "duration_ms": self.duration.as_secs_f64() * 1000.0,
        })
    }

    /// Returns the complete request as the admin API shows it, without credentials.
    pub(crate) fn to_json(&self) -> Value {
        let headers: Map<_, _> =
            self.shown_headers().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let body = |bytes: &[u8]| {
            serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes)))
        };
        let mut all = self.summary();
        all["number"] = self.number.into();
        all["query"] = self.query().into();
        all["headers"] = headers.into();
        all["body"] = body(&self.body);
        all["injected"] = self.injected.as_deref().into();
        all["response"] = body(&self.response_body);
        all
    }

    /// Returns the headers, without the secret part of credentials.
    pub(crate) fn shown_headers(&self) -> impl Iterator<Item = (&str, String)> {
        self.headers.iter().map(|(name, value)| {
            let shown = match name {
                name if name == header::AUTHORIZATION.as_str() => hidden(value),
                name if self.credentials.contains(name) => hidden(""),
                _ => value.clone(),
            };
            (name.as_str(), shown)
        })
    }

    /// Returns the headers as received, including credentials.
    #[cfg(feature = "page")]
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

/// Converts headers to strings.
pub(crate) fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

/// Returns credentials without their secret part: the scheme, or the workspace key.
fn hidden(authorization: &str) -> String {
    let end = authorization.find([' ', ':']).map_or(0, |end| end + 1);
    format!("{}[hidden]", authorization.get(..end).unwrap_or_default())
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

/// The last requests, limited by number and size.
#[derive(Debug)]
pub(crate) struct Recorder {
    limit: usize,
    largest: usize,
    /// Shared, so that they can be searched without delaying new requests.
    kept: VecDeque<Arc<Recorded>>,
    /// The total size of the kept requests.
    bytes: usize,
    dropped: u64,
}

impl Recorder {
    pub(crate) fn new(limit: usize) -> Self {
        let largest = BYTES.max(limit.saturating_mul(BYTES_EACH));
        Self { limit, largest, kept: VecDeque::new(), bytes: 0, dropped: 0 }
    }

    pub(crate) fn add(&mut self, recorded: Recorded) {
        self.bytes += recorded.size();
        self.kept.push_back(Arc::new(recorded));
        while self.kept.len() > self.limit || self.bytes > self.largest {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.size();
            self.dropped += 1;
        }
    }

    pub(crate) fn kept(&self) -> impl DoubleEndedIterator<Item = &Recorded> {
        self.kept.iter().map(AsRef::as_ref)
    }

    /// Returns the kept requests, oldest first.
    #[cfg(feature = "page")]
    pub(crate) fn snapshot(&self) -> Vec<Arc<Recorded>> {
        self.kept.iter().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Returns the number of dropped requests.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn recorded(size: usize) -> Recorded {
        let (head, ()) = Request::new(()).into_parts();
        Recorded::new(1, &head, &vec![b'x'; size])
    }

    #[test]
    fn large_requests_push_out_older_ones() {
        let mut recorder = Recorder { largest: 100, ..Recorder::new(1000) };
        for size in [40, 40, 40, 10] {
            recorder.add(recorded(size));
        }
        let sizes: Vec<_> = recorder.kept().map(|request| request.body().len()).collect();
        assert_eq!((sizes, recorder.dropped()), (vec![40, 40, 10], 1));
        recorder.add(recorded(101));
        assert_eq!((recorder.kept().count(), recorder.dropped()), (0, 5));
    }

    #[test]
    fn credentials_are_hidden_in_each_form() {
        assert_eq!(hidden("Bearer secret"), "Bearer [hidden]");
        assert_eq!(hidden("workspace:c2VjcmV0"), "workspace:[hidden]");
        assert_eq!(hidden("secret"), "[hidden]");
    }
}
