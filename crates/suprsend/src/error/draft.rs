//! A draft that was saved but not committed.

use std::{error, fmt};

use http::StatusCode;
use serde_json::Value;

use super::redact::{Secrets, one_line};
use crate::raw_response::RawResponse;

/// A draft that the API saved but did not commit, because it has errors. The live version is unchanged.
#[derive(Clone)]
pub struct InvalidDraft(Box<Parts>);

/// Boxed to keep errors small, because an error is part of the future of every call.
#[derive(Clone)]
struct Parts {
    status: StatusCode,
    request_id: Option<String>,
    reasons: Vec<Value>,
    texts: Vec<String>,
}

impl InvalidDraft {
    pub(crate) fn new(response: &RawResponse, reasons: Vec<Value>, secrets: &Secrets) -> Self {
        let text = |reason: &Value| {
            let mut text = reason.as_str().map_or_else(|| reason.to_string(), str::to_owned);
            secrets.blank(&mut text);
            text
        };
        let texts = reasons.iter().map(text).collect();
        let request_id = response.request_id().map(str::to_owned);
        Self(Parts { status: response.status(), request_id, reasons, texts }.into())
    }

    /// Returns the errors of the draft as the API reports them, usually one string each.
    pub fn reasons(&self) -> &[Value] {
        &self.0.reasons
    }

    /// Returns the status of the response, which is a success.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the id that the API assigned to the request. Quote it to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

/// The maximum number of reasons in a message.
const SHOWN: usize = 10;

/// Shows the first ten reasons, and how many more there are.
impl fmt::Display for InvalidDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the draft was saved but not committed, since it has errors")?;
        for (index, text) in self.0.texts.iter().take(SHOWN).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            one_line(f, text)?;
        }
        match self.0.texts.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Shows the same as the message, because a reason may quote the draft.
impl fmt::Debug for InvalidDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.texts.iter().take(SHOWN).cloned().collect();
        f.debug_struct("InvalidDraft")
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("reasons", &texts)
            .finish_non_exhaustive()
    }
}

impl error::Error for InvalidDraft {}
