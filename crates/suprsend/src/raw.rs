//! Requests to paths that this crate does not know.

use std::{
    fmt,
    future::{Future, IntoFuture},
    ops::Deref,
    pin::Pin,
};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use reqwest::Url;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Client, Error, Response,
    call::{self, Options, option_methods},
    checks, decode,
    error::{UndecodableReply, Violations},
    reply::Reply,
};

/// A request to a path of the caller's, made by [`Client::request`].
#[derive(Clone)]
#[must_use = "a request is sent when it is awaited, or by `send`"]
pub struct Request<C> {
    client: C,
    parts: Parts,
}

#[derive(Clone)]
struct Parts {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    options: Options,
    violations: Violations,
}

impl<C> Request<C> {
    pub(crate) fn new(client: C, method: Method, path: String) -> Self {
        // RFC 9110, 9.2.2: these methods mean the same however often they are sent. Of the others only the caller knows.
        let options = Options::idempotent(method.is_idempotent());
        let parts =
            Parts { method, path, query: Vec::new(), body: None, options, violations: Violations::default() };
        Self { client, parts }
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.parts.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets the body, as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.parts.body = Some(body),
            Err(_) => self.parts.violations.add("", "cannot be written as JSON"),
        }
        self
    }

    option_methods!(parts.options, parts.violations);

    /// States whether sending this request twice does the same as sending it once, in which case it is retried. Otherwise it is
    /// only if it surely was not processed. Unless stated,
    /// GET, HEAD, PUT, DELETE, OPTIONS and TRACE are taken to, POST and PATCH are not.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.parts.options.idempotent = Some(idempotent);
        self
    }
}

impl Parts {
    async fn send(self, client: &Client) -> Result<Response<Body>, Error> {
        let Self { method, path, query, body, options, mut violations } = self;
        checks::body_size(body.as_ref().map_or(0, Vec::len), &mut violations);
        let base = &client.shared.base;
        let url = Url::parse(&format!("{}{path}", base.text)).ok().filter(|url| {
            // Without a slash the path would go on with the host's name; `..` would leave the base URL's own path.
            let segments = path.split('?').next().unwrap_or_default().split(['/', '\\']);
            // The URL standard drops tabs and line breaks, wherever they are.
            let moves = segments.into_iter().any(is_dots) || path.contains(char::is_control);
            path.starts_with('/') && !moves && url.fragment().is_none()
        });
        let Some(mut url) = url else {
            violations.add("path", "is no path that begins with a slash and can follow the base URL");
            return Err(violations.into());
        };
        violations.finish()?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = reqwest::Request::new(method, url);
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            *request.body_mut() = Some(body.into());
        }
        call::send_raw(client, &options, request).await
    }
}

/// Whether the URL standard takes a segment for the same or the upper folder, however its dots are written.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

impl Request<Client> {
    /// Sends the request. Awaiting it does the same.
    pub async fn send(self) -> Result<Response<Body>, Error> {
        self.parts.send(&self.client).await
    }
}

impl IntoFuture for Request<Client> {
    type Output = Result<Response<Body>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

#[cfg(feature = "blocking")]
impl Request<crate::blocking::Client> {
    /// Sends the request and waits for the reply.
    pub fn send(self) -> Result<Response<Body>, Error> {
        self.client.wait(self.parts.send(self.client.inner()))
    }
}

/// Leaves out the path, the query and the body, which hold the ids of people.
impl<C> fmt::Debug for Request<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.parts.method).finish_non_exhaustive()
    }
}

/// The body of a reply to a [`Request`], as it came. It derefs to its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Bytes);

impl Body {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Leaves out the bytes, which may hold secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl Response<Body> {
    /// The body as a type of the caller's.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self).map_err(|error| {
            let mut reply = Reply::new(self.status(), self.headers().clone());
            reply.extend(self.0.clone(), usize::MAX);
            reply.complete();
            UndecodableReply::new(reply, decode::reason(&error)).into()
        })
    }
}
