//! Errors of lookups and lists.

use std::{error, fmt};

use crate::error::ApiError;

/// The error for an id that does not exist. The API itself reported this: the 404 has the form of its own errors, and does not come from a
/// gateway.
#[derive(Debug, Clone)]
pub struct NotFound {
    api: ApiError,
    may_be_done: bool,
}

impl NotFound {
    /// Returns the API's error.
    pub fn api(&self) -> &ApiError {
        &self.api
    }

    /// Returns whether an earlier attempt of the same call may have taken effect, because its response was lost. The item may be missing for
    /// that reason: a deletion has then succeeded, and a draft that was to be finished has gone live.
    pub fn may_be_done(&self) -> bool {
        self.may_be_done
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.api.fmt(f)?;
        if self.may_be_done { f.write_str("; an earlier attempt may have taken effect") } else { Ok(()) }
    }
}

impl error::Error for NotFound {}

impl NotFound {
    /// Converts the error, or returns it unchanged if it is of another kind.
    pub(crate) fn new(api: ApiError, may_be_done: bool) -> Result<Self, ApiError> {
        if api.status() == http::StatusCode::NOT_FOUND && api.is_in_own_words() {
            Ok(Self { api, may_be_done })
        } else {
            Err(api)
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
