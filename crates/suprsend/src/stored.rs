//! Operations that are stored now and sent later, by a queue or an outbox.
//!
//! Every operation of [`operations`](crate::operations) can be serialized, and [`operations::visit`](crate::operations::visit) finds its
//! type by its id. [`Prepare::prepare`] does what must happen once, before the operation is stored: it validates the operation and assigns
//! its idempotency key.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = suprsend::Client::builder().api_key("key").build()?;
//! use suprsend::stored::Prepare;
//!
//! let prepared = client.workflows().trigger("order-shipped").recipient("jane").prepare()?;
//! assert!(prepared.is_repeatable());
//! let stored = (prepared.id(), serde_json::to_string(prepared.operation())?);
//! assert_eq!(stored.0, "trigger-workflow-api");
//! assert!(stored.1.contains(prepared.idempotency_key().unwrap()));
//! # Ok(())
//! # }
//! ```
//!
//! The crate `suprsend-outbox` is a transactional outbox on PostgreSQL that works this way.

use std::fmt;

use suprsend_api::{Base, Operation};

use crate::{call::Call, checks, config::DEFAULT_BASE_URL, error::Error, error::Violations, keys};

/// A [`Call`] or an operation, which can be prepared for storage.
pub trait Prepare {
    /// The type of the operation.
    type Operation: Operation;

    /// Validates the operation, and assigns an idempotency key if it takes one and has none.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`], as sending it would return. A header, a timeout or a retry policy of a call is rejected, because it is not
    /// part of the operation; set it for the client that sends.
    fn prepare(self) -> Result<Prepared<Self::Operation>, Error>;
}

impl<O: Operation> Prepare for O {
    type Operation = O;

    fn prepare(self) -> Result<Prepared<O>, Error> {
        Prepared::new(self, Violations::default())
    }
}

impl<O: Operation, C> Prepare for Call<O, C> {
    type Operation = O;

    fn prepare(self) -> Result<Prepared<O>, Error> {
        let (operation, violations) =
            self.into_parts("is not stored with the operation: set it for the client that sends");
        Prepared::new(operation, violations)
    }
}

/// A valid operation with its idempotency key, returned by [`Prepare::prepare`].
#[derive(Clone)]
pub struct Prepared<O> {
    operation: O,
    key: Option<Box<str>>,
    repeatable: bool,
}

impl<O: Operation> Prepared<O> {
    fn new(mut operation: O, mut violations: Violations) -> Result<Self, Error> {
        keys::give(&mut operation);
        let checked = checks::operation(&operation);
        violations.append(checked.parameters);
        violations.append(checked.body);
        // An invalid operation is not serialized: it may be nested infinitely deep.
        if violations.is_empty() {
            match Base::new(DEFAULT_BASE_URL).and_then(|base| operation.request(&base)) {
                Ok(request) => checks::request(&request, false, &mut violations),
                Err(error) => violations.append(error.into()),
            }
        }
        violations.finish()?;
        let repeatable = checked.idempotent.unwrap_or_else(|| operation.is_idempotent());
        let key = keys::find(&mut operation);
        Ok(Self { operation, key, repeatable })
    }

    /// Returns the id of the operation, by which [`operations::visit`](crate::operations::visit) finds its type.
    pub fn id(&self) -> &'static str {
        O::SPEC.id
    }

    /// Returns the operation.
    pub fn operation(&self) -> &O {
        &self.operation
    }

    /// Consumes this and returns the operation.
    pub fn into_operation(self) -> O {
        self.operation
    }

    /// Returns the idempotency key of an operation on a single record.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns whether sending the operation twice has the same effect as sending it once: always, or within 24 hours because of its
    /// idempotency key.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }
}

/// Leaves out the arguments, which may be secrets or ids of people.
impl<O: Operation> fmt::Debug for Prepared<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("operation", &self.id())
            .field("is_repeatable", &self.repeatable)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use suprsend_api::operations::{FetchUserProfile, TriggerWorkflowApi};

    use super::*;
    use crate::Client;

    fn client() -> Client {
        Client::builder().api_key("key").build().unwrap()
    }

    #[test]
    fn a_call_gets_its_key_once_and_keeps_its_own() {
        let call = client().workflows().trigger("news").recipient("jane");
        let first = call.clone().prepare().unwrap();
        let key = first.idempotency_key().unwrap().to_owned();
        let again: TriggerWorkflowApi = first.into_operation();
        assert_eq!(again.prepare().unwrap().idempotency_key(), Some(key.as_str()));
        let own = call.idempotency_key("own").prepare().unwrap();
        assert_eq!(own.idempotency_key(), Some("own"));
    }

    #[test]
    fn a_request_that_would_be_refused_is_refused_before_it_is_stored() {
        let trigger = client().workflows().trigger("news").recipient("jane");
        let error = trigger.data("text", "x".repeat(900_000)).prepare().unwrap_err().to_string();
        assert!(error.contains("(800 KB)"), "{error}");
    }

    #[test]
    fn what_cannot_be_repeated_says_so() {
        let users = client().users();
        assert!(users.upsert("jane").email("jane@example.com").prepare().unwrap().is_repeatable());
        assert!(users.edit("jane").set("plan", "pro").prepare().unwrap().is_repeatable());
        assert!(!users.edit("jane").increment("seats", 1).prepare().unwrap().is_repeatable());
        assert!(!users.merge("jane", "joe").prepare().unwrap().is_repeatable());
        assert!(FetchUserProfile::new("jane").prepare().unwrap().is_repeatable());
    }

    #[test]
    fn what_is_wrong_and_what_would_be_lost_is_refused() {
        let empty = FetchUserProfile::new(" ").prepare().unwrap_err();
        assert!(empty.to_string().contains("distinct_id"), "{empty}");
        let lost = client().users().upsert("jane").timeout(Duration::from_secs(1)).prepare().unwrap_err();
        assert!(lost.to_string().contains("timeout is not stored"), "{lost}");
        let wrong = client().users().upsert("jane").property("$own", 1).prepare().unwrap_err();
        assert!(wrong.to_string().contains("$own"), "{wrong}");
    }
}
