//! Operations on users that the OpenAPI document cannot express: complete bodies and many upserts at once.

use serde_json::Value;
use suprsend_api::{Operation, operations::CreateUpdateUsers, types::UserUpsert};

#[cfg(feature = "blocking")]
use crate::blocking;
use crate::{
    bulk::{Entry, SendAll, Source},
    call::Call,
    client::Client,
    error::Violations,
    rules,
};

pub use crate::{
    edit::{Edits, Push},
    resources::Users,
};

/// An upsert of a user, returned by [`Users::upsert`].
pub type UpsertUser<C = Client> = Call<CreateUpdateUsers, C>;

/// An edit of a user, returned by [`Users::edit`].
pub type EditUser<C = Client> = Call<suprsend_api::operations::EditUserProfile, C>;

impl<C> Call<CreateUpdateUsers, C> {
    /// Replaces everything set so far with a body of the generated type.
    pub fn with_body(mut self, body: UserUpsert) -> Self {
        self.operation_mut().body = body;
        *self.refused_mut() = Violations::default();
        self
    }

    /// Replaces everything set so far with a JSON body, which is validated against the OpenAPI document.
    ///
    /// Members that the document does not declare are custom properties. Inside a channel's entry they are not sent.
    pub fn with_json(mut self, body: Value) -> Self {
        let mut found = Violations::default();
        if let Some(rules) = CreateUpdateUsers::SPEC.body {
            rules::check("", rules, &body, &mut found);
        }
        if found.is_empty() {
            match serde_json::from_value(body) {
                Ok(body) => self.operation_mut().body = body,
                Err(_) => found.add("", "has not the form that the document declares"),
            }
        }
        *self.refused_mut() = found;
        self
    }

    /// Returns the id of the user as it will be sent.
    pub fn distinct_id(&self) -> &str {
        &self.operation().distinct_id
    }

    /// Returns the body as it will be sent. Serializing the call produces the same.
    pub fn body(&self) -> &UserUpsert {
        &self.operation().body
    }
}

impl Users {
    /// Sends many upserts, several at a time, and returns an outcome for each. This is [`Client::send_all`] under a familiar name.
    pub fn upsert_all<Kind, S>(&self, upserts: S) -> SendAll<S::Stream>
    where
        S: Source<Kind, Entry: Entry<Client = Client, Operation = CreateUpdateUsers>>,
    {
        SendAll::new(&self.client, upserts)
    }
}

#[cfg(feature = "blocking")]
impl Users<blocking::Client> {
    /// Sends many upserts, several at a time, and returns an iterator over the outcomes. See [`Client::send_all`].
    pub fn upsert_all<Kind, S>(&self, upserts: S) -> SendAll<S::Stream, blocking::Client>
    where
        S: Source<Kind, Entry: Entry<Client = blocking::Client, Operation = CreateUpdateUsers>>,
    {
        SendAll::new(&self.client, upserts)
    }
}
