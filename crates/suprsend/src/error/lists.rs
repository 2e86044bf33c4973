//! Errors of results that are looked up or listed.

use std::{error, fmt};

use crate::error::ApiError;

/// There is nothing of this id, which the API says in its own words: a 404 with a message, not one of something on the way to it.
#[derive(Clone)]
pub struct NotFound(ApiError);

impl NotFound {
    /// Returns the API's error.
    pub fn api(&self) -> &ApiError {
        &self.0
    }
}

impl fmt::Debug for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NotFound").field(&self.0).finish()
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for NotFound {}

impl NotFound {
    /// The error as one of this kind, if it is one.
    pub(crate) fn new(error: ApiError) -> Result<Self, ApiError> {
        if error.status() == http::StatusCode::NOT_FOUND && error.is_in_own_words() {
            Ok(Self(error))
        } else {
            Err(error)
        }
    }
}

/// A list cannot be read to its end, because of what the API says of its pages. The pages before the error are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagingError {
    repeated: bool,
    request_id: Option<String>,
}

impl PagingError {
    pub(crate) fn repeated(request_id: Option<&str>) -> Self {
        Self { repeated: true, request_id: request_id.map(str::to_owned) }
    }

    pub(crate) fn without_cursor(request_id: Option<&str>) -> Self {
        Self { repeated: false, request_id: request_id.map(str::to_owned) }
    }

    /// Returns whether the next page is one that was read already, so that reading would never end.
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Returns the id that the API gave the request for the last page, to quote to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for PagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.repeated {
            "the list has no end: the cursor of its next page is that of a page which was read already"
        } else {
            "the list goes on, but the API did not give the cursor of its next page"
        })
    }
}

impl error::Error for PagingError {}
