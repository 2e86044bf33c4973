//! Operations as values: everything that the OpenAPI document declares, without a client.

use http::Method;
use reqwest::Request;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Base, RequestError, rules::Schema};

/// The description of an operation, independent of its arguments.
#[derive(Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The `operationId` in the OpenAPI document: `fetch-user-profile`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path template: `/v1/user/{distinct_id}/`. A fragment distinguishes operations that share a path, and is not sent.
    pub path: &'static str,
    /// The server, if the operation has its own.
    pub server: Option<&'static str>,
    /// The credential that the request must carry.
    pub credential: Credential,
    /// Whether sending the request twice has the same effect as sending it once, whatever its arguments.
    pub idempotent: bool,
    /// The format of a successful response.
    pub response: Format,
    /// The parameters in the order of the operation's fields.
    pub parameters: &'static [Parameter],
    /// The rules of the request body.
    pub body: Option<&'static Schema>,
    /// The place where the body of a successful response reports whether it is a success.
    pub verdict: Option<Verdict>,
}

impl Spec {
    /// Describes an operation that needs no credential, is not idempotent, has no parameters and no body, and returns JSON.
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

    /// Sets the format of a successful response.
    pub const fn response(mut self, format: Format) -> Self {
        self.response = format;
        self
    }

    /// Sets a server of the operation's own.
    pub const fn server(mut self, url: &'static str) -> Self {
        self.server = Some(url);
        self
    }

    /// Marks the operation as idempotent: sending it twice has the same effect as sending it once.
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

    /// Sets where the body of a successful response reports whether it is a success.
    pub const fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }
}

/// The place where the body of a successful response reports whether the operation was carried out, which the status alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The query parameter that requests the report. Unless it is `true`, nothing is checked; if it is, the body must contain the report.
    pub asked_by: Option<&'static str>,
    /// The path to the boolean.
    pub holds: &'static [&'static str],
    /// The path to the reasons why the boolean is false.
    pub reasons: &'static [&'static str],
}

impl Verdict {
    /// Describes a verdict that is checked whenever the body contains one.
    pub const fn new(holds: &'static [&'static str], reasons: &'static [&'static str]) -> Self {
        Self { asked_by: None, holds, reasons }
    }

    /// Sets the query parameter that requests the report.
    pub const fn asked_by(mut self, parameter: &'static str) -> Self {
        self.asked_by = Some(parameter);
        self
    }
}

/// A parameter of an operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// The name in the OpenAPI document.
    pub name: &'static str,
    /// The part of the request that carries the parameter.
    pub place: Place,
    /// The rules of the value.
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
    /// A segment of the path, or part of one.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
}

/// The credential that a request must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// No credential.
    None,
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// `Authorization: Basic <credentials>`.
    Basic,
    /// `Authorization: <scheme> <token>`, with an API-specific scheme.
    Scheme(&'static str),
    /// An API key in the header of this name.
    Header(&'static str),
    /// An API key in the query parameter of this name.
    Query(&'static str),
    /// Another kind of scheme, by its name in the OpenAPI document.
    Other(&'static str),
}

/// The format of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The response has no body, or one without information.
    Empty,
    /// JSON.
    Json,
    /// Text; the response is a `String`.
    Text,
    /// Bytes; the response is a `Vec<u8>`.
    Bytes,
}

impl Format {
    /// Decodes a response.
    ///
    /// An API may send bare text with the media type of JSON, so text is taken as it is unless it is a JSON string.
    ///
    /// # Errors
    ///
    /// Fails if the response does not match the type.
    pub fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, serde_json::Error> {
        match self {
            Self::Empty => T::deserialize(Value::Null),
            // The body is checked as a whole: checking each text, as serde_json does, takes ten times as many instructions.
            Self::Json => match str::from_utf8(body) {
                Ok(json) => serde_json::from_str(json),
                Err(error) => Err(serde::de::Error::custom(error)),
            },
            Self::Text => {
                let quoted = serde_json::from_slice::<String>(body);
                let text = quoted.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
                T::deserialize(Value::String(text))
            }
            Self::Bytes => T::deserialize(Value::Array(body.iter().copied().map(Value::from).collect())),
        }
    }
}

/// Implements `Debug` for an operation: with these fields only, since others may be secrets or the ids of people.
#[doc(hidden)]
#[macro_export]
macro_rules! partial_debug {
    ($name:ident { $($shown:ident),* }) => {
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!($name))
                    $(.field(::std::stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        }
    };
}

/// An operation with its arguments.
///
/// The generated [`operations`](crate::operations) implement it. Implement it for an operation that the OpenAPI document does not declare,
/// and every client that accepts an `Operation` can send it.
pub trait Operation: Send + Sync + 'static {
    /// Everything about the operation that does not depend on its arguments.
    const SPEC: &'static Spec;
    /// The type of the request body, `()` if there is none.
    type Body: Serialize + ?Sized;
    /// The type of a successful response.
    type Response: DeserializeOwned + Send + 'static;
    /// The type of an error's body.
    type Refusal: DeserializeOwned + Send + 'static;

    /// Builds the request, without a credential. A client may call this once per attempt, so the result must be the same each time.
    ///
    /// # Errors
    ///
    /// Fails if a path parameter would address another resource (it is empty, `.` or `..`), if a header cannot carry its value, or if the
    /// body cannot be serialized.
    fn request(&self, base: &Base) -> Result<Request, RequestError>;

    /// Returns the request body.
    fn body(&self) -> Option<&Self::Body> {
        None
    }

    /// Passes each parameter that has a value, and the body, to an inspector.
    fn inspect<I: Inspector>(&self, inspector: &mut I) {
        let _ = inspector;
    }

    /// Returns whether sending the request twice has the same effect as sending it once.
    fn is_idempotent(&self) -> bool {
        Self::SPEC.idempotent
    }

    /// Passes each idempotency key of the body to a function, which may set it: the one of a single record, or that of every record of a
    /// list. Does nothing if the operation has no such key.
    fn idempotency_keys(&mut self, visit: &mut dyn FnMut(&mut Option<String>)) {
        let _ = visit;
    }
}

/// An inspector of the values of an operation, each with its rules from the OpenAPI document.
pub trait Inspector {
    /// Inspects a parameter.
    fn parameter<T: Serialize + ?Sized>(&mut self, parameter: &'static Parameter, value: &T);

    /// Inspects an optional parameter.
    fn optional<T: Serialize>(&mut self, parameter: &'static Parameter, value: &Option<T>) {
        if let Some(value) = value {
            self.parameter(parameter, value);
        }
    }

    /// Inspects the body.
    fn body<T: Serialize + ?Sized>(&mut self, rules: &'static Schema, body: &T);
}

/// An operation that reads a single item that may not exist: the OpenAPI document declares a 404 for it.
pub trait Lookup: Operation {}

/// An operation that returns a list one page at a time.
pub trait Paged: Operation + Clone {
    /// The type of an item of the list.
    type Item: Send + 'static;

    /// Limits the number of items on a page.
    fn set_limit(&mut self, limit: i64);

    /// Selects another page.
    fn go_to(&mut self, position: Position);

    /// Returns the position of the page in its list.
    fn page(response: &Self::Response) -> Page<'_>;

    /// Returns the items of the page. A page may be empty even if further pages follow.
    fn items(response: &Self::Response) -> &[Self::Item];

    /// Takes the items out of the page.
    fn into_items(response: Self::Response) -> Vec<Self::Item>;
}

/// A [`Paged`] operation whose pages are addressed by cursors.
pub trait CursorPaged: Paged {}

/// A [`Paged`] operation whose pages are addressed by the number of items before them.
pub trait OffsetPaged: Paged {}

/// The position of a page in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// The page after this cursor.
    After(String),
    /// The page before this cursor.
    Before(String),
    /// The page after this number of items.
    Offset(i64),
}

/// The paging information of a response. Missing values are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page<'a> {
    /// The total number of items in the list.
    pub count: Option<i64>,
    /// The maximum number of items on a page.
    pub limit: Option<i64>,
    /// The number of items before this page.
    pub offset: Option<i64>,
    /// Whether there is a page after this one.
    pub has_next: Option<bool>,
    /// The cursor of the page after this one.
    pub after: Option<&'a str>,
    /// Whether there is a page before this one.
    pub has_prev: Option<bool>,
    /// The cursor of the page before this one.
    pub before: Option<&'a str>,
}

/// A handler for an operation whose type is only known by its id; see [`operations::visit`](crate::operations::visit).
pub trait Visitor {
    /// The result of the visit.
    type Output;

    /// Visits the operation.
    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + Serialize + DeserializeOwned;
}
