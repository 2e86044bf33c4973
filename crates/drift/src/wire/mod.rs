//! What the client sends: each operation, called once against a local server that records.

mod compare;
mod record;
mod sdk;

use std::{collections::BTreeMap, future::Future, pin::Pin};

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::compiled::{Arguments, Outcome};

pub(crate) use compare::compare;
pub(crate) use record::record;
pub(crate) use sdk::Sdk;

/// Headers that belong to HTTP and not to an API.
const OF_HTTP: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// What [`Calls::call`] returns.
pub(crate) type CallFuture<'a> = Pin<Box<dyn Future<Output = Result<Outcome, String>> + 'a>>;

/// What [`Calls::probe`] returns.
pub(crate) type ProbeFuture<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A client whose operations can be called by name.
pub(crate) trait Calls {
    /// Sends a request that is none of the document's, if what the client adds to every request is to be seen in it.
    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(std::future::ready(()))
    }

    /// Lets all further requests have these headers, which the probe had.
    fn add(&self, _headers: HeaderMap) {}

    /// Calls an operation by the name of the client's method.
    fn call<'a>(&'a self, operation: &'a str, arguments: Arguments) -> CallFuture<'a>;
}

/// Everything that was recorded of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    /// Where requests go if nothing else is said.
    pub(crate) base_url: String,
    /// What the client was given to authenticate with.
    pub(crate) key: String,
    /// By the name of the client's method.
    pub(crate) calls: BTreeMap<String, Call>,
}

/// One call of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) arguments: BTreeMap<String, Value>,
    /// How it ended, or why it could not be made.
    pub(crate) outcome: Result<Outcome, String>,
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
