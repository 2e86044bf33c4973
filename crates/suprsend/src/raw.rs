//! Requests to paths that this crate does not know: one more operation, whose method and path are arguments.

use std::fmt;

use http::{HeaderValue, Method, header};
use serde::{Serialize, de::DeserializeOwned};
use suprsend_api::{Base, Format, Operation, RequestError, Spec};

use crate::{
    call::Call,
    client::{AsClient, Client},
    decode::{self, Body},
    error::{Error, UndecodableResponse},
    raw_response::RawResponse,
    response::Response,
};

/// A request to a path of yours, made by [`Client::request`].
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
    /// The path starts with `/` and follows the base URL. What varies in it has to be percent-encoded.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        // RFC 9110, 9.2.2: these methods mean the same however often they are sent. Of the others only the caller knows.
        let idempotent = method.is_idempotent();
        Self { method, path: path.into(), query: Vec::new(), body: None, idempotent }
    }

    /// The URL behind the base URL, if the path stays behind it.
    fn url(&self, base: &Base) -> Option<reqwest::Url> {
        // Without a slash the path would go on with the host's name; `..` would leave the base URL's own path.
        let mut segments = self.path.split('?').next().unwrap_or_default().split(['/', '\\']);
        // The URL standard drops tabs and line breaks, wherever they are.
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

/// Whether the URL standard takes a segment for the same or the upper folder, however its dots are written.
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
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        }
        Ok(request)
    }

    fn is_idempotent(&self) -> bool {
        self.idempotent
    }
}

/// Leaves out the path, the query and the body, which hold the ids of people.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares a request to a path that this crate does not know, with the client's key, retries and errors: the raw way out.
    ///
    /// The path starts with `/` and follows the base URL. What varies in it has to be percent-encoded.
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
    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.operation_mut().query.push((name.into(), value.to_string()));
        self
    }

    /// Sets the body, as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        self.insert(String::new(), body, |request, _, body| request.body = serde_json::to_vec(&body).ok())
    }

    /// States whether sending this request twice has the effect of sending it once, so that it is retried. Otherwise it is only if it
    /// surely was not processed. Defaults to what the method says: true for GET, HEAD, PUT, DELETE, OPTIONS and TRACE, false for POST
    /// and PATCH.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.operation_mut().idempotent = idempotent;
        self
    }
}

impl Response<Body> {
    /// Reads the body as JSON, into a type of yours.
    ///
    /// # Errors
    ///
    /// [`Error::UndecodableResponse`] if the body is not JSON, or not of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self).map_err(|error| {
            let mut response = RawResponse::new(self.status(), self.headers().clone());
            response.extend(self.bytes(), usize::MAX);
            response.complete();
            UndecodableResponse::new(response, decode::reason(&error)).into()
        })
    }
}
