//! The responses of the mock server.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body::Frame;
use serde_json::{Value, json};

/// A status, headers and a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HubResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
}

/// The body of a response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Empty,
    Json(Value),
    /// Text whose media type is among the headers.
    Text(String),
}

impl HubResponse {
    pub(crate) fn new(status: StatusCode, content: Content) -> Self {
        Self { status, headers: Vec::new(), content }
    }

    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self::new(status, Content::Json(body))
    }

    /// Creates a rejection in the form of the document's 400: `code` and `message`.
    pub(crate) fn refusal(status: StatusCode, message: impl Into<String>) -> Self {
        Self::json(status, json!({"code": status.as_u16(), "message": message.into()}))
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the message of a rejection.
    pub(crate) fn message(&self) -> Option<&str> {
        match &self.content {
            Content::Json(body) if !self.status.is_success() => body.get("message")?.as_str(),
            _ => None,
        }
    }

    /// Returns whether there is no body that could be truncated.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Json(_) => false,
            Content::Text(text) => text.is_empty(),
        }
    }

    /// Returns the response with a body that ends after its first half: the head promises more than is sent.
    pub(crate) fn truncated(self) -> Response {
        let (status, headers, bytes) = self.into_parts();
        let length = bytes.len();
        let body = Body::new(Truncated::Half(bytes.slice(..length / 2)));
        (status, headers, [(header::CONTENT_LENGTH, length)], body).into_response()
    }

    /// Returns the headers and body as they are sent.
    pub(crate) fn shown(&self) -> (HeaderMap, Vec<u8>) {
        let (_, headers, body) = self.clone().into_parts();
        (headers, body.to_vec())
    }

    fn into_parts(self) -> (StatusCode, HeaderMap, Bytes) {
        let Self { status, headers, content } = self;
        let mut headers: HeaderMap = headers.into_iter().collect();
        let (media_type, bytes) = match content {
            Content::Empty => return (status, headers, Bytes::new()),
            Content::Json(body) => ("application/json", body.to_string().into()),
            Content::Text(text) => ("text/plain; charset=utf-8", text.into()),
        };
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
        (status, headers, bytes)
    }
}

impl IntoResponse for HubResponse {
    fn into_response(self) -> Response {
        let (status, headers, bytes) = self.into_parts();
        // Not as bytes, which would set their own content type.
        (status, headers, Body::from(bytes)).into_response()
    }
}

/// A body that breaks off.
enum Truncated {
    Half(Bytes),
    /// The first half is being sent; it leaves while the body is polled.
    Sent,
    Over,
}

impl http_body::Body for Truncated {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match std::mem::replace(&mut *self, Self::Over) {
            Self::Half(bytes) => {
                *self = Self::Sent;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Sent => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Over => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
        }
    }
}
