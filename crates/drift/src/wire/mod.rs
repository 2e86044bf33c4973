//! Requests of operations: each is sent once to a local server that records.
//!
//! They are sent as a program without the SDK sends them, so that everything in a request comes from the operation.

mod compare;
mod record;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use compare::compare;
pub(crate) use record::record;

/// Headers that belong to HTTP and not to an API.
const OF_HTTP: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// Everything that was recorded, by the names of the operations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(pub(crate) BTreeMap<String, Call>);

/// One call of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The values that it was made of, by the names of its fields.
    pub(crate) arguments: BTreeMap<String, Value>,
    /// Whether the response was a success that could be read; if not, why.
    pub(crate) outcome: Result<(), String>,
    /// The authority of the server that it was sent to.
    pub(crate) host: String,
    pub(crate) requests: Vec<Request>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, undecoded.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path and the decoded pairs of the query.
    pub(crate) fn parts(&self) -> (&str, Vec<(String, String)>) {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decoded(name), form_decoded(value))
        });
        (path, pairs.collect())
    }
}

/// A name or a value of a query or a form.
pub(crate) fn form_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}
