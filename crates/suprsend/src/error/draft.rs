//! A draft that was saved and not committed.

use std::{error, fmt};

use http::StatusCode;
use serde_json::Value;

use super::redact::{Secrets, one_line};
use crate::raw_response::RawResponse;

/// The API saved a draft, but did not commit it, since it has errors: the live version is what it was.
#[derive(Clone)]
pub struct InvalidDraft(Box<Parts>);

/// An error is in the future of every call, so it is small: this is behind a pointer.
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

    /// What is wrong with the draft, usually a text each, as the API says it.
    pub fn reasons(&self) -> &[Value] {
        &self.0.reasons
    }

    /// The status of the response, which is a success.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The id that the API gave the request, to quote to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

/// How many reasons a message names.
const SHOWN: usize = 10;

/// The first ten reasons, and how many more there are.
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

/// Shows what the message shows, since a reason may quote the draft.
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
