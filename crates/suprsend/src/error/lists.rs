//! Errors of lookups and lists.

use std::{error, fmt};

use crate::error::ApiError;

/// The error for an id that does not exist. The API itself reported this: the 404 contains one of its own messages, and does not come from
/// a gateway.
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
    /// Converts the error, or returns it unchanged if it is of another kind.
    pub(crate) fn new(error: ApiError) -> Result<Self, ApiError> {
        if error.status() == http::StatusCode::NOT_FOUND && error.is_in_own_words() {
            Ok(Self(error))
        } else {
            Err(error)
        }
    }
}

/// A list that cannot be read to its end, because of the API's paging information. The pages before the error are complete.
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

    /// Returns whether the next page was already read, so that reading would never end.
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Returns the id that the API assigned to the request for the last page. Quote it to SuprSend's support.
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
