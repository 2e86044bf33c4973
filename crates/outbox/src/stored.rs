//! Operations as rows: an id, and arguments as JSON.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::AtomicU32},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use suprsend::{
    Client, Error, Method, Operation, Response, Throttle, operations,
    stored::{Prepare, Prepared},
};
use suprsend_api::{Spec, Visitor};

use crate::{
    error::Refused,
    outcomes::{self, Outcome},
};

/// An operation that can be stored: any of [`operations`](suprsend::operations).
pub trait Storable: Operation + Serialize {}

impl<O: Operation + Serialize> Storable for O {}

/// Operations that are safe to deliver twice or not, depending on their arguments: those that take an idempotency key, and edits.
const CONDITIONAL: [&str; 9] = [
    "trigger-workflow-api",
    "trigger-workflows",
    "dynamic-workflow-trigger",
    "event-api",
    "track-event",
    "track-events",
    "edit-user-profile",
    "edit-object-profile",
    "edit-user-tenant-profile",
];

/// An operation that makes a draft a list, after which there is no draft.
const FINISH: &str = "finish-sync";

/// The reason why an operation is rejected.
const NOT_REPEATABLE: &str = "it cannot be delivered twice safely and has no idempotency key. Send it directly, or state the result \
                              instead of the change";
const UNKNOWN: &str = "a worker cannot find it by its id, since it is not in `suprsend::operations`";
const OTHER_SERVER: &str = "it is of the management API. Send it directly";

/// Returns the operations that may be stored. Those of the management API are excluded, so that the features with which a program is built
/// make no difference.
pub(crate) fn storable() -> impl Iterator<Item = &'static str> {
    let may_be_stored = |spec: &&&Spec| {
        spec.server.is_none()
            && spec.method != Method::GET
            && (spec.idempotent || CONDITIONAL.contains(&spec.id))
    };
    operations::ALL.iter().filter(may_be_stored).map(|spec| spec.id)
}

/// Checks that a prepared operation may be stored.
pub(crate) fn check<O: Operation>(prepared: &Prepared<O>) -> Result<(), Refused> {
    let is_same = |spec: &&Spec| std::ptr::eq(*spec, O::SPEC);
    if !operations::ALL.iter().any(is_same) {
        return Err(Refused::new(prepared.id(), UNKNOWN));
    }
    if O::SPEC.server.is_some() {
        return Err(Refused::new(prepared.id(), OTHER_SERVER));
    }
    if !prepared.is_repeatable() {
        return Err(Refused::new(prepared.id(), NOT_REPEATABLE));
    }
    Ok(())
}

/// A function that sends an operation under a throttle, and counts the attempts that the API may have processed.
type Send = Box<dyn FnOnce(&Client, &Throttle, &Arc<AtomicU32>) -> Sending + std::marker::Send>;
type Sending = Pin<Box<dyn Future<Output = Result<Response<Outcome>, Error>> + std::marker::Send>>;

/// A stored operation that was loaded, with its type erased.
pub(crate) struct Loaded {
    pub(crate) send: Send,
    /// The arguments with the keys that they lacked, to be stored before they are sent.
    pub(crate) completed: Option<String>,
    /// Whether it can be repeated safely without a key, however late.
    pub(crate) is_idempotent: bool,
    /// Whether the API misses the item once it has taken effect.
    pub(crate) removes: bool,
}

/// The reason why a stored operation cannot be sent.
pub(crate) enum Unusable {
    Unknown,
    Undecodable,
    Refused(Refused),
    Invalid(Error),
}

/// Loads a stored operation.
pub(crate) fn load(operation: &str, arguments: &RawValue) -> Result<Loaded, Unusable> {
    operations::visit(operation, Load { arguments }).unwrap_or(Err(Unusable::Unknown))
}

struct Load<'a> {
    arguments: &'a RawValue,
}

impl Visitor for Load<'_> {
    type Output = Result<Loaded, Unusable>;

    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + Serialize + DeserializeOwned,
    {
        let mut operation: O =
            serde_json::from_str(self.arguments.get()).map_err(|_| Unusable::Undecodable)?;
        let (mut keys, mut lacks_key) = (0, false);
        operation.idempotency_keys(&mut |key| {
            keys += 1;
            lacks_key |= key.is_none();
        });
        let prepared = operation.prepare().map_err(Unusable::Invalid)?;
        check(&prepared).map_err(Unusable::Refused)?;
        let operation = prepared.into_operation();
        let completed = lacks_key.then(|| serde_json::to_string(&operation)).transpose();
        let completed = completed.map_err(|_| Unusable::Undecodable)?;
        let is_idempotent = O::SPEC.idempotent || keys == 0;
        let send: Send = Box::new(move |client, throttle, uncertain| {
            let call = client.call(operation).throttle(throttle).count_uncertain(uncertain);
            Box::pin(async move { Ok(call.await?.map(|response| outcomes::judge(&response, keys))) })
        });
        let removes = O::SPEC.method == Method::DELETE || O::SPEC.id == FINISH;
        Ok(Loaded { send, completed, is_idempotent, removes })
    }
}
