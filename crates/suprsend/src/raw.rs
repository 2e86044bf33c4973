//! Requests to paths that this crate does not know. Such a request is an operation, too, whose method and path are arguments.

use std::fmt;

use http::{HeaderValue, Method, header};
use serde::{Serialize, de::DeserializeOwned};
use suprsend_api::{Base, Format, Operation, RequestError, Spec, parameter::set_header};

use crate::{
    call::Call,
    client::{AsClient, Client},
    decode::{self, Body},
    error::{Error, UndecodableResponse},
    raw_response::RawResponse,
    response::Response,
};

/// A request to a path of your choice, returned by [`Client::request`].
///
/// ```no_run
/// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
/// use suprsend::Method;
///
/// let body = serde_json::json!({"name": "Jane"});
/// let response = client.request(Method::PUT, "/v1/brand-new/").query("limit", 10).json(&body).await?;
/// println!("{}", response.json::<serde_json::Value>()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    idempotent: bool,
}

impl Request {
    /// Creates a request.
    ///
    /// The path starts with `/` and is appended to the base URL. Variable parts must be percent-encoded.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        // RFC 9110, 9.2.2: these methods have the same effect however often they are sent. For others, only the caller knows.
        let idempotent = method.is_idempotent();
        Self { method, path: path.into(), query: Vec::new(), body: None, idempotent }
    }

    /// Returns the base URL followed by the path, or `None` if the path would leave the base URL.
    fn url(&self, base: &Base) -> Option<reqwest::Url> {
        // Without a slash, the path would continue the host name; `..` would leave the base URL's own path.
        let mut segments = self.path.split('?').next().unwrap_or_default().split(['/', '\\']);
        // The URL standard drops tabs and line breaks anywhere in a URL.
        let moves = segments.any(is_dots) || self.path.contains(char::is_control);
        if !self.path.starts_with('/') || moves {
            return None;
        }
        let text = format!("{}{}", base.url().as_str().trim_end_matches('/'), self.path);
        let mut url = reqwest::Url::parse(&text).ok().filter(|url| url.fragment().is_none())?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

/// Returns whether the URL standard interprets a segment as the same or the parent folder, however its dots are written.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

impl Operation for Request {
    const SPEC: &'static Spec = &Spec::new("request", Method::GET, "").bearer().response(Format::Bytes);
    type Body = ();
    type Response = Body;
    type Refusal = serde_json::Value;

    fn request(&self, base: &Base) -> Result<reqwest::Request, RequestError> {
        let url = self
            .url(base)
            .ok_or_else(|| RequestError::new("path", "must start with `/` and stay below the base URL"))?;
        let mut request = reqwest::Request::new(self.method.clone(), url);
        if let Some(body) = &self.body {
            set_header(&mut request, header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        }
        Ok(request)
    }

    fn is_idempotent(&self) -> bool {
        self.idempotent
    }
}

/// Leaves out the path, the query and the body, which contain ids of people.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares a request to a path that this crate does not know, with the client's key, retries and errors.
    ///
    /// The path starts with `/` and is appended to the base URL. Variable parts must be percent-encoded.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// use suprsend::Method;
    ///
    /// let response = client.request(Method::GET, "/v1/brand-new/").await?;
    /// let value: serde_json::Value = response.json()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<Request> {
        self.call(Request::new(method, path))
    }
}

impl<C: AsClient> Call<Request, C> {
    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.operation_mut().query.push((name.into(), value.to_string()));
        self
    }

    /// Sets the body, serialized as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        self.insert(String::new(), body, |request, _, body| request.body = serde_json::to_vec(&body).ok())
    }

    /// Sets whether sending the request twice has the same effect as sending it once, so that it can be retried. Otherwise it is retried
    /// only if it certainly was not processed. Defaults to the semantics of the method: true for GET, HEAD, PUT, DELETE, OPTIONS and TRACE,
    /// false for POST and PATCH.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.operation_mut().idempotent = idempotent;
        self
    }
}

impl Response<Body> {
    /// Deserializes the body from JSON into a type of your choice.
    ///
    /// # Errors
    ///
    /// [`Error::UndecodableResponse`] if the body is not JSON, or does not match the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self).map_err(|error| {
            let mut response = RawResponse::new(self.status(), self.headers().clone());
            response.extend(self.bytes(), usize::MAX);
            response.complete();
            UndecodableResponse::new(response, decode::reason(&error)).into()
        })
    }
}
