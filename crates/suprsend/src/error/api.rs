//! Error responses in all forms in which the API reports them.

use std::{error, fmt, time::Duration};

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::redact::{OneLine, Secrets, one_line};
use crate::raw_response::RawResponse;

/// A response with an unsuccessful status.
#[derive(Clone)]
pub struct ApiError {
    response: Box<RawResponse>,
    shape: Box<Shape>,
}

/// The content of an error body, parsed from any of the API's forms.
#[derive(Debug, Clone, Default, PartialEq)]
struct Shape {
    /// Whether the body is JSON with a message and a code, or the word for a failure, where the API's own errors have them.
    in_own_words: bool,
    code: Option<i64>,
    message: Option<String>,
    error_code: Option<String>,
    kind: Option<String>,
    detail: Option<Value>,
}

impl ApiError {
    /// Creates an error. `secrets` are the texts that the response may echo and that must not be shown.
    pub(crate) fn new(response: RawResponse, secrets: &Secrets) -> Self {
        let shape = Box::new(Shape::read(&response).without(secrets));
        Self { response: Box::new(response), shape }
    }

    /// Returns the HTTP status. It takes precedence over the body's own [`code`](Self::code) if the two differ.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the body's `code`.
    pub fn code(&self) -> Option<i64> {
        self.shape.code
    }

    /// Returns the API's message. API keys and other secrets that it echoes are replaced by `[redacted]`.
    pub fn message(&self) -> Option<&str> {
        self.shape.message.as_deref()
    }

    /// Returns the body's `error_code`, which stays the same when the message changes.
    pub fn error_code(&self) -> Option<&str> {
        self.shape.error_code.as_deref()
    }

    /// Returns the body's `type`: the class of the error.
    pub fn error_type(&self) -> Option<&str> {
        self.shape.kind.as_deref()
    }

    /// Returns the body's `detail` unchanged: a string, a list, or a map by field.
    pub fn detail(&self) -> Option<&Value> {
        self.shape.detail.as_ref()
    }

    /// Returns the id that the API assigned to the request. Quote it to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id()
    }

    /// Returns the headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the raw body, up to 64 KiB.
    pub fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// Returns whether the body is incomplete: either it is longer than the limit, or the connection broke.
    pub fn body_is_cut(&self) -> bool {
        self.response.is_cut()
    }

    /// Deserializes the body into a type of your choice, such as the one that the OpenAPI document declares for the status.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body()).ok()
    }

    /// Returns how long the API asks to wait, from either form of `Retry-After`. A date in the past is returned as zero.
    pub fn retry_after(&self) -> Option<Duration> {
        self.response.retry_after()
    }

    /// Returns whether the response comes from the API itself, not from a gateway on the way to it: JSON in the form of the API's own
    /// errors.
    pub(crate) fn is_in_own_words(&self) -> bool {
        self.shape.in_own_words
    }

    pub(crate) fn is_retryable(&self) -> bool {
        // The transient statuses: request timeout, throttling, and server errors.
        matches!(self.status().as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
    }
}

/// Leaves out the headers, the body and `detail`, which may echo the request.
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("response", &self.response)
            .field("code", &self.shape.code)
            .field("message", &self.message().map(OneLine))
            .field("error_code", &self.error_code().map(OneLine))
            .field("error_type", &self.error_type().map(OneLine))
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API answered {}", self.status())?;
        if let Some(message) = self.message() {
            f.write_str(": ")?;
            one_line(f, message)?;
        }
        if let Some(code) = self.error_code().or(self.error_type()) {
            f.write_str(" (")?;
            one_line(f, code)?;
            f.write_str(")")?;
        }
        if let Some(id) = self.request_id() {
            write!(f, " [request id {id}]")?;
        }
        Ok(())
    }
}

impl error::Error for ApiError {}

impl Shape {
    /// Parses the forms in which SuprSend's documentation and gateways report errors:
    ///
    /// - `{code, message}`, `{code, error_code, type, message, detail}`, `{code, detail, message}`;
    /// - `{status: "fail", message}`, `{status, error: {message, type}}`;
    /// - plain text; HTML, which contains nothing worth showing.
    fn read(response: &RawResponse) -> Self {
        match serde_json::from_slice(response.body()) {
            Ok(Value::Object(body)) => Self::from_object(&body),
            Ok(Value::String(message)) => Self { message: Some(message), ..Self::default() },
            Ok(_) => Self::default(),
            Err(_) => Self { message: plain_text(response), ..Self::default() },
        }
    }

    fn from_object(body: &Map<String, Value>) -> Self {
        let nested = |name: &str| body.get("error")?.get(name);
        let own_words = [body.get("message"), nested("message")];
        let message = own_words.into_iter().chain([body.get("error"), body.get("detail")]);
        let kind = [body.get("type"), nested("type")];
        let code = [body.get("code"), body.get("status")];
        // A gateway's message stands alone, or beside the status as a number and the word for it.
        let is_nested = nested("message").is_some() && body.contains_key("status");
        let is_marked = body.get("code").and_then(number).is_some()
            || body.get("status").is_some_and(Value::is_string)
            || is_nested;
        Self {
            in_own_words: is_marked && own_words.into_iter().any(|message| text(message).is_some()),
            message: message.into_iter().find_map(text),
            kind: kind.into_iter().find_map(text),
            error_code: text(body.get("error_code")),
            code: code.into_iter().flatten().find_map(number),
            detail: body.get("detail").filter(|detail| !detail.is_null()).cloned(),
        }
    }

    fn without(mut self, secrets: &Secrets) -> Self {
        for text in [&mut self.message, &mut self.error_code, &mut self.kind].into_iter().flatten() {
            secrets.blank(text);
        }
        self
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns the body as a message, if it looks like one: text that is neither markup nor the beginning of JSON.
fn plain_text(response: &RawResponse) -> Option<String> {
    let text = std::str::from_utf8(response.body()).ok()?.trim();
    (!text.is_empty() && !text.starts_with(['<', '{', '['])).then(|| text.to_owned())
}

/// A successful status with a body that cannot be decoded.
///
/// The call may have taken effect.
#[derive(Clone)]
pub struct UndecodableResponse {
    response: Box<RawResponse>,
    reason: String,
}

impl UndecodableResponse {
    #[cold]
    pub(crate) fn new(response: RawResponse, reason: impl Into<String>) -> Self {
        Self { response: Box::new(response.shortened()), reason: reason.into() }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the id that the API assigned to the request. Quote it to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id()
    }

    /// Returns the headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the raw body, up to 64 KiB.
    pub fn body(&self) -> &[u8] {
        self.response.body()
    }

    /// Returns whether the body is incomplete.
    pub fn body_is_cut(&self) -> bool {
        self.response.is_cut()
    }
}

impl fmt::Debug for UndecodableResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndecodableResponse")
            .field("response", &self.response)
            .field("reason", &self.reason)
            .finish()
    }
}

impl fmt::Display for UndecodableResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API answered {}, but its response {}", self.status(), self.reason)
    }
}

impl error::Error for UndecodableResponse {}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn refusal(body: Vec<u8>, secrets: &[&str]) -> ApiError {
        let mut response = RawResponse::new(StatusCode::BAD_REQUEST, HeaderMap::new());
        response.extend(Bytes::from(body), usize::MAX);
        ApiError::new(response, &Secrets::new(secrets.iter().map(ToString::to_string)))
    }

    #[test]
    fn messages_stay_on_one_line_and_end() {
        let body = format!("first\r\nsecond\u{1b}[31m {}", "x".repeat(1000));
        let shown = refusal(body.into_bytes(), &[]).to_string();
        assert!(shown.starts_with("the API answered 400 Bad Request: first  second [31m xxx"), "{shown}");
        assert!(shown.ends_with("x..."));
        assert!(shown.len() < 400);
    }

    #[test]
    fn secrets_are_blanked_out_wherever_they_stand() {
        let body = br#"{"message": "key-1 and key-1", "error_code": "key-1", "type": "t"}"#.to_vec();
        let error = refusal(body, &["key-1"]);
        assert_eq!(error.message(), Some("[redacted] and [redacted]"));
        assert_eq!(
            error.to_string(),
            "the API answered 400 Bad Request: [redacted] and [redacted] ([redacted])"
        );
    }

    proptest! {
        #[test]
        fn no_body_panics(body in any::<Vec<u8>>(), text in any::<String>()) {
            for body in [body, text.clone().into_bytes(), serde_json::json!({"message": text}).to_string().into_bytes()] {
                let error = refusal(body, &[&text]);
                prop_assert_eq!(error.to_string().lines().count(), 1);
            }
        }
    }
}
