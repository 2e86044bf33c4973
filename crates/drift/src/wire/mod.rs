//! Records the requests of operations: each is sent once to a local server.
//!
//! They are sent as a program without the SDK sends them, so that everything in a request comes from the operation.

mod compare;
mod record;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use compare::compare;
pub(crate) use record::record;

/// Headers that belong to HTTP rather than to an API.
const OF_HTTP: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// All recorded calls, by operation name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(pub(crate) BTreeMap<String, Call>);

/// One call of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The values that it was made from, by field name.
    pub(crate) arguments: BTreeMap<String, Value>,
    /// Whether the response was a success that could be decoded; if not, the reason.
    pub(crate) outcome: Result<(), String>,
    /// The authority of the server that it was sent to.
    pub(crate) host: String,
    pub(crate) requests: Vec<Request>,
}

/// A request as received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, not decoded.
    pub(crate) target: String,
    /// Header names in lowercase.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the path and the decoded pairs of the query.
    pub(crate) fn parts(&self) -> (&str, Vec<(String, String)>) {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decoded(name), form_decoded(value))
        });
        (path, pairs.collect())
    }
}

/// Decodes a name or a value of a query or a form.
pub(crate) fn form_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}
