//! A client that sends each operation once.

use http::{HeaderValue, Method, StatusCode, header};

use crate::{Base, Error, Format, Operation, RequestError, parameter::set_header};

/// A client without its own retries, validation and timeouts, for programs that bring their own.
///
/// ```
/// use suprsend_api::{Client, operations::FetchUserProfile};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new("https://hub.suprsend.com", reqwest::Client::new())?.bearer("key")?;
/// let user = client.send(&FetchUserProfile::new("user-123")).await?;
/// println!("{:?}", user.updated_at);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    base: Base,
    http: reqwest::Client,
    authorization: Option<HeaderValue>,
}

impl Client {
    /// Creates a client for a base URL. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a base URL; see [`Base::new`].
    pub fn new(base_url: &str, http: reqwest::Client) -> Result<Self, RequestError> {
        Ok(Self { base: Base::new(base_url)?, http, authorization: None })
    }

    /// Sends `Authorization: Bearer <token>` with every request.
    ///
    /// # Errors
    ///
    /// Fails if the token contains characters that a header cannot carry.
    pub fn bearer(self, token: &str) -> Result<Self, RequestError> {
        self.scheme("Bearer", token)
    }

    /// Sends `Authorization: <scheme> <token>` with every request, for an API with a scheme of its own.
    ///
    /// # Errors
    ///
    /// Fails if the scheme or the token contains characters that a header cannot carry.
    pub fn scheme(mut self, scheme: &str, token: &str) -> Result<Self, RequestError> {
        self.authorization = Some(authorization(scheme, token)?);
        Ok(self)
    }

    /// Sends operations that declare this server as their own to the base URL instead.
    pub fn in_place_of(self, server: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { base: self.base.in_place_of(server), ..self }
    }

    /// Sends an operation once and decodes the response.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send<O: Operation>(&self, operation: &O) -> Result<O::Response, Error<O::Refusal>> {
        let mut request = operation.request(&self.base)?;
        if let Some(value) = &self.authorization {
            set_header(&mut request, header::AUTHORIZATION, value.clone());
        }
        let is_head = request.method() == Method::HEAD;
        let response = self.http.execute(request).await?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            return Err(Error::Refused { status, refusal: serde_json::from_slice(&body).ok() });
        }
        // RFC 9110, 9.3.2, 15.3.5 and 15.3.6: these responses have no content, whatever the OpenAPI document declares.
        let is_empty = is_head
            || body.is_empty()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        let content =
            if is_empty && O::SPEC.response == Format::Json { Format::Empty } else { O::SPEC.response };
        content.read(&body).map_err(|_| Error::Undecodable { status })
    }
}

fn authorization(scheme: &str, token: &str) -> Result<HeaderValue, RequestError> {
    let mut value = HeaderValue::try_from(format!("{scheme} {token}"))
        .map_err(|_| RequestError::new("token", "has characters that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Leaves out the credential.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("host", &self.base.url().host_str()).finish_non_exhaustive()
    }
}
