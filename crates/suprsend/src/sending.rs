//! Setters of triggers and broadcasts that the OpenAPI document cannot express: a single recipient, and fallible attachments.

use suprsend_api::{
    AttachmentError,
    operations::{CancelWorkflow, TriggerWorkflowApi},
    types::Recipient,
};

use crate::{
    call::Call,
    error::{Error, Violations},
    values::Id,
};

impl<C> Call<TriggerWorkflowApi, C> {
    /// Adds a recipient: the `distinct_id` of a user, a [user with channels](Recipient::user), or an [object](Recipient::object).
    pub fn recipient(self, recipient: impl Into<Recipient>) -> Self {
        self.recipients(recipient.into())
    }
}

impl<C> Call<CancelWorkflow, C> {
    /// Adds a recipient whose runs are cancelled, by `distinct_id` or by an address on a channel.
    pub fn recipient(self, recipient: impl Into<Id>) -> Self {
        self.recipients(String::from(recipient.into()))
    }
}

/// Converts a file that cannot be attached to invalid input, at `$attachments`.
impl From<AttachmentError> for Error {
    fn from(error: AttachmentError) -> Self {
        let mut found = Violations::default();
        found.add("$attachments", format!("lacks a file: {error}"));
        found.into()
    }
}
