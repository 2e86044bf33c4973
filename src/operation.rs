//! Operations as values: everything that the document says of one, without a client.

use http::Method;
use reqwest::Request;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Base, RequestError, rules::Schema};

/// Describes an operation, independent of its arguments.
#[derive(Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The document's `operationId`: `fetch-user-profile`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path template: `/v1/user/{distinct_id}/`. A fragment distinguishes operations that share a path and is not sent.
    pub path: &'static str,
    /// The server, if the operation has one of its own.
    pub server: Option<&'static str>,
    /// The credential that the request has to carry.
    pub credential: Credential,
    /// Whether sending the request twice has the effect of sending it once, whatever its arguments.
    pub idempotent: bool,
    /// Format of a successful response.
    pub response: Format,
    /// The parameters in the order of the operation's fields.
    pub parameters: &'static [Parameter],
    /// The rules of the request body.
    pub body: Option<&'static Schema>,
    /// Where a success says whether it is one.
    pub verdict: Option<Verdict>,
}

impl Spec {
    /// Describes an operation that needs no credential, may not be repeated, has no parameters and no body, and responds with JSON.
    pub const fn new(id: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            id,
            method,
            path,
            server: None,
            credential: Credential::None,
            idempotent: false,
            response: Format::Json,
            parameters: &[],
            body: None,
            verdict: None,
        }
    }

    /// Requires a bearer token.
    pub const fn bearer(self) -> Self {
        self.credential(Credential::Bearer)
    }

    /// Requires a credential.
    pub const fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// States how a successful response is read.
    pub const fn response(mut self, format: Format) -> Self {
        self.response = format;
        self
    }

    /// Sends it to a server of its own.
    pub const fn server(mut self, url: &'static str) -> Self {
        self.server = Some(url);
        self
    }

    /// States that sending it twice has the effect of sending it once.
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Adds the parameters, in the order of the fields.
    pub const fn parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Adds the rules of the body.
    pub const fn body(mut self, rules: &'static Schema) -> Self {
        self.body = Some(rules);
        self
    }

    /// States where a success says whether it is one.
    pub const fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }
}

/// Where the body of a success says whether the operation did what was asked for, which the status alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The parameter of the query that asks for it: unless it is `true`, nothing is judged. If it is, the body has to say.
    pub asked_by: Option<&'static str>,
    /// The path to the truth value.
    pub holds: &'static [&'static str],
    /// The path to the reasons why it is false.
    pub reasons: &'static [&'static str],
}

impl Verdict {
    /// Describes a verdict that is read wherever the body has one.
    pub const fn new(holds: &'static [&'static str], reasons: &'static [&'static str]) -> Self {
        Self { asked_by: None, holds, reasons }
    }

    /// Names the parameter of the query that asks for what is judged.
    pub const fn asked_by(mut self, parameter: &'static str) -> Self {
        self.asked_by = Some(parameter);
        self
    }
}

/// A parameter of an operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name in the document.
    pub name: &'static str,
    /// The part of the request that carries it.
    pub place: Place,
    /// The rules of its value.
    pub rules: &'static Schema,
}

impl Parameter {
    /// Describes a parameter.
    pub const fn new(name: &'static str, place: Place, rules: &'static Schema) -> Self {
        Self { name, place, rules }
    }
}

/// The part of a request that carries a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A segment of the path, or a part of one.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
}

/// The credential that a request has to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// None.
    None,
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// `Authorization: Basic <credentials>`.
    Basic,
    /// `Authorization: <scheme> <token>`, with a scheme of the API's own.
    Scheme(&'static str),
    /// An API key in the header of this name.
    Header(&'static str),
    /// An API key in the query parameter of this name.
    Query(&'static str),
    /// A scheme of another kind, by its name in the document.
    Other(&'static str),
}

/// Format of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The response has no body, or one that says nothing.
    Empty,
    /// JSON.
    Json,
    /// Text; the response is a `String`.
    Text,
    /// Bytes; the response is a `Vec<u8>`.
    Bytes,
}

impl Format {
    /// Reads a response.
    ///
    /// An API may send bare text under the media type of JSON, so a text is taken as it is unless it is a JSON string.
    ///
    /// # Errors
    ///
    /// The response is not what the type requires.
    pub fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, serde_json::Error> {
        match self {
            Self::Empty => T::deserialize(Value::Null),
            Self::Json => serde_json::from_slice(body),
            Self::Text => {
                let quoted = serde_json::from_slice::<String>(body);
                let text = quoted.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
                T::deserialize(Value::String(text))
            }
            Self::Bytes => T::deserialize(Value::Array(body.iter().copied().map(Value::from).collect())),
        }
    }
}

/// An operation with its arguments.
///
/// The generated [`operations`](crate::operations) implement it. Implement it for an operation that the document does not have, and
/// every client that takes an `Operation` sends it.
pub trait Operation: Send + Sync + 'static {
    /// Everything about the operation that does not depend on its arguments.
    const SPEC: &'static Spec;
    /// The type of the request body, `()` if there is none.
    type Body: Serialize + ?Sized;
    /// The type of a successful response.
    type Response: DeserializeOwned + Send + 'static;
    /// The type of an error's body.
    type Refusal: DeserializeOwned + Send + 'static;

    /// Makes the request, without a credential.
    ///
    /// # Errors
    ///
    /// A path parameter that would address another resource (it is empty, `.` or `..`), a header that cannot carry its value, and a
    /// body that cannot be written.
    fn request(&self, base: &Base) -> Result<Request, RequestError>;

    /// Returns the request body.
    fn body(&self) -> Option<&Self::Body> {
        None
    }

    /// Shows each parameter that has a value, and the body, to an inspector.
    fn inspect<I: Inspector>(&self, inspector: &mut I) {
        let _ = inspector;
    }

    /// Returns whether sending the request twice has the effect of sending it once.
    fn is_idempotent(&self) -> bool {
        Self::SPEC.idempotent
    }

    /// Shows each idempotency key of the body to a function, which may set it: the one of a single record, or that of every record of a
    /// list. Does nothing for an operation that has no such key.
    fn idempotency_keys(&mut self, visit: &mut dyn FnMut(&mut Option<String>)) {
        let _ = visit;
    }
}

/// Looks at the values of an operation, each with the rules that the document has for it.
pub trait Inspector {
    /// Looks at a parameter.
    fn parameter<T: Serialize + ?Sized>(&mut self, parameter: &'static Parameter, value: &T);

    /// Looks at a parameter that may be absent.
    fn optional<T: Serialize>(&mut self, parameter: &'static Parameter, value: &Option<T>) {
        if let Some(value) = value {
            self.parameter(parameter, value);
        }
    }

    /// Looks at the body.
    fn body<T: Serialize + ?Sized>(&mut self, rules: &'static Schema, body: &T);
}

/// An operation that reads one thing, and for which the document declares 404: the thing may be absent.
pub trait Lookup: Operation {}

/// An operation that returns a list one page at a time.
pub trait Paged: Operation + Clone {
    /// The type of an item of the list.
    type Item: Send + 'static;

    /// Limits the number of items of a page.
    fn set_limit(&mut self, limit: i64);

    /// Goes to another page.
    fn go_to(&mut self, position: Position);

    /// Returns where the page stands in its list.
    fn page(response: &Self::Response) -> Page<'_>;

    /// Returns the items of the page. There may be none, even if further pages follow.
    fn items(response: &Self::Response) -> &[Self::Item];

    /// Takes the items out of the page.
    fn into_items(response: Self::Response) -> Vec<Self::Item>;
}

/// Marks a [`Paged`] operation whose pages are addressed by cursors.
pub trait CursorPaged: Paged {}

/// Marks a [`Paged`] operation whose pages are addressed by the number of items before them.
pub trait OffsetPaged: Paged {}

/// The position of a page in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// The page after this cursor.
    After(String),
    /// The page before this cursor.
    Before(String),
    /// The page that follows this number of items.
    Offset(i64),
}

/// What a response says of its page; what it does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page<'a> {
    /// The number of items that the whole list has.
    pub count: Option<i64>,
    /// The largest number of items of a page.
    pub limit: Option<i64>,
    /// The number of items before this page.
    pub offset: Option<i64>,
    /// Whether a page follows.
    pub has_next: Option<bool>,
    /// The cursor of the page that follows.
    pub after: Option<&'a str>,
    /// Whether there is a page before this one.
    pub has_prev: Option<bool>,
    /// The cursor of the page before this one.
    pub before: Option<&'a str>,
}

/// Does something with an operation whose type is only known by its id; see [`operations::visit`](crate::operations::visit).
pub trait Visitor {
    /// The result.
    type Output;

    /// Visits the operation.
    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + Serialize + DeserializeOwned;
}
