//! Records that are sent in packs, the operations that accept them, and the items of a source.

use std::convert::Infallible;

use serde::Serialize;
use suprsend_api::{
    Operation,
    operations::{TrackEvents, TriggerWorkflows},
    rules::{Rule, Schema},
    types::{BulkRecord, BulkResponse, Event, WorkflowTrigger},
};

use super::{envelope, outcome::RecordOutcome};
use crate::{
    call::Call,
    checks::BODY_BYTES,
    client::{AsClient, Client},
    error::Violations,
};

/// An operation whose body is a list of independent records.
pub trait Records: Operation + Sized + sealed::Sealed {
    /// The type of a record.
    type Record: Serialize + Send + 'static;
    /// The type of the API's response to an accepted record.
    type Receipt: Send + 'static;

    /// The maximum size of a record as JSON, in bytes.
    #[doc(hidden)]
    const RECORD_BYTES: usize = BODY_BYTES - ENVELOPE;

    /// Creates the operation.
    #[doc(hidden)]
    fn pack(records: Vec<Self::Record>) -> Self;

    /// Adds the members that every record needs and that this one lacks.
    #[doc(hidden)]
    fn complete(draft: &mut Draft<Self>, client: &Client);

    /// Returns the key by which a repeated record is recognized.
    #[doc(hidden)]
    fn key(record: &Self::Record) -> Option<&str>;

    /// Returns the outcome of each record of a pack, in order. If the response does not allow that, returns what is wrong with it.
    #[doc(hidden)]
    fn receipts(response: Self::Response, sent: usize) -> Result<Vec<Verdict<Self::Receipt>>, String>;
}

/// A receipt, or the API's response to a record that it rejects.
pub(super) type Verdict<R> = Result<R, BulkRecord>;

pub(super) mod sealed {
    /// The OpenAPI document decides which operations take records.
    pub trait Sealed {}
}

/// The size of the brackets around the records of a pack.
pub(super) const ENVELOPE: usize = 2;

/// Returns the rules of a record and the maximum number of records in a pack, as the OpenAPI document declares them.
pub(super) fn limits<O: Records>() -> (Option<&'static Schema>, usize) {
    let rules = O::SPEC.body.map_or(&[][..], Schema::rules);
    let record = rules.iter().find_map(|rule| match rule {
        Rule::Items(record) => Some(*record),
        _ => None,
    });
    let most = rules.iter().find_map(|rule| match rule {
        Rule::MaxItems(most) => usize::try_from(*most).ok(),
        _ => None,
    });
    (record, most.unwrap_or(1))
}

/// A record that is about to be packed.
pub struct Draft<O: Records> {
    pub(super) record: O::Record,
    /// Whether sending it twice has the same effect as sending it once, even without a key.
    pub(super) idempotent: bool,
    pub(super) violations: Violations,
}

impl<O: Records> Draft<O> {
    pub(super) fn new(record: O::Record) -> Self {
        Self { record, idempotent: false, violations: Violations::default() }
    }
}

/// A record, or a value that converts to one: a body of the generated type, or a call of the operation that sends a single record.
///
/// Options of a call (headers, a timeout, a retry policy) cannot apply to a record, so they are rejected.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` is no record that is sent in packs",
    label = "expected triggers, events, upserts or edits",
    note = "map the input first: `.map(|row| client.workflows().trigger(row.workflow).recipient(row.user))`, without `.await`"
)]
pub trait Record: sealed::Sealed {
    /// The operation that sends packs of these records.
    type Operation: Records;

    /// Converts this to a draft.
    #[doc(hidden)]
    fn into_draft(self) -> Draft<Self::Operation>;
}

/// An item for the methods that send packs: a [`Record`]; a pair of a value and a record, whose outcome returns the value; or a `Result` of
/// either, whose error ends the stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent in packs",
    label = "expected records, pairs `(value, record)`, or `Result`s of these"
)]
pub trait RecordEntry {
    /// The operation that sends packs of these records.
    type Operation: Records;
    /// The value paired with the record.
    type Value;
    /// The error that may take the place of a record.
    type Error;
    /// The item that the stream returns for an outcome.
    type Outcome;

    /// Splits the entry into the value and the record.
    #[doc(hidden)]
    #[allow(clippy::type_complexity, reason = "a name for it would say less")]
    fn into_draft(self) -> Result<(Self::Value, Draft<Self::Operation>), Self::Error>;

    /// Converts an outcome to an item of the stream.
    fn outcome(outcome: RecordOutcomeOf<Self>) -> Self::Outcome;

    /// Converts an error of the source to an item of the stream.
    fn failed(error: Self::Error) -> Self::Outcome;
}

/// The type of the API's response to the record of an entry.
pub(super) type ReceiptOf<E> = <<E as RecordEntry>::Operation as Records>::Receipt;

/// The outcome of an entry.
pub type RecordOutcomeOf<E> = RecordOutcome<ReceiptOf<E>, <E as RecordEntry>::Value>;

impl<R: Record> RecordEntry for R {
    type Operation = R::Operation;
    type Value = ();
    type Error = Infallible;
    type Outcome = RecordOutcomeOf<Self>;

    fn into_draft(self) -> Result<((), Draft<R::Operation>), Infallible> {
        Ok(((), Record::into_draft(self)))
    }

    fn outcome(outcome: RecordOutcomeOf<Self>) -> Self::Outcome {
        outcome
    }

    fn failed(error: Infallible) -> Self::Outcome {
        match error {}
    }
}

impl<V, R: Record> RecordEntry for (V, R) {
    type Operation = R::Operation;
    type Value = V;
    type Error = Infallible;
    type Outcome = RecordOutcomeOf<Self>;

    fn into_draft(self) -> Result<(V, Draft<R::Operation>), Infallible> {
        Ok((self.0, Record::into_draft(self.1)))
    }

    fn outcome(outcome: RecordOutcomeOf<Self>) -> Self::Outcome {
        outcome
    }

    fn failed(error: Infallible) -> Self::Outcome {
        match error {}
    }
}

impl<T: RecordEntry<Error = Infallible>, E> RecordEntry for Result<T, E> {
    type Operation = T::Operation;
    type Value = T::Value;
    type Error = E;
    type Outcome = Result<T::Outcome, E>;

    fn into_draft(self) -> Result<(T::Value, Draft<T::Operation>), E> {
        self.map(|entry| match entry.into_draft() {
            Ok(draft) => draft,
            Err(never) => match never {},
        })
    }

    fn outcome(outcome: RecordOutcomeOf<Self>) -> Self::Outcome {
        Ok(T::outcome(outcome))
    }

    fn failed(error: E) -> Self::Outcome {
        Err(error)
    }
}

/// Lists operations whose response contains an outcome for each record: the operation that takes many records, the type of a record, and
/// the operations whose calls also convert to records.
macro_rules! operations {
    ($($many:ident of $record:ident, or $($one:ident),*;)*) => {
        $(impl sealed::Sealed for $many {}

        impl Records for $many {
            type Record = $record;
            type Receipt = BulkRecord;

            fn pack(records: Vec<$record>) -> Self {
                Self::new(records)
            }

            fn complete(draft: &mut Draft<Self>, client: &Client) {
                draft.record.complete(client);
            }

            fn key(record: &$record) -> Option<&str> {
                record.idempotency_key.as_deref()
            }

            fn receipts(response: BulkResponse, sent: usize) -> Result<Vec<Verdict<BulkRecord>>, String> {
                receipts(response, sent)
            }
        }

        impl sealed::Sealed for $record {}

        impl Record for $record {
            type Operation = $many;

            fn into_draft(self) -> Draft<$many> {
                Draft::new(self)
            }
        }

        $(impl<C: AsClient> sealed::Sealed for Call<suprsend_api::operations::$one, C> {}

        impl<C: AsClient> Record for Call<suprsend_api::operations::$one, C> {
            type Operation = $many;

            fn into_draft(self) -> Draft<$many> {
                let (operation, violations) = self.into_record();
                Draft { violations, ..Draft::new(operation.body) }
            }
        })*)*
    };
}

operations! {
    TriggerWorkflows of WorkflowTrigger, or TriggerWorkflowApi;
    TrackEvents of Event, or TrackEvent, EventApi;
}

/// Completes the envelope of a record.
trait Complete {
    fn complete(&mut self, client: &Client);
}

impl Complete for WorkflowTrigger {
    fn complete(&mut self, client: &Client) {
        envelope::give(&mut self.idempotency_key, client);
    }
}

/// Adds the envelope that SuprSend's own SDKs send, including the workspace if it is known.
impl Complete for Event {
    fn complete(&mut self, client: &Client) {
        envelope::give(&mut self.idempotency_key, client);
        self.insert_id.get_or_insert_with(envelope::id);
        self.time.get_or_insert_with(envelope::now);
        self.env = self.env.take().or_else(|| client.workspace_setting().map(str::to_owned));
    }
}

/// Converts a response that contains an outcome for each record.
fn receipts(response: BulkResponse, sent: usize) -> Result<Vec<Verdict<BulkRecord>>, String> {
    let received = response.records.len();
    if received != sent {
        return Err(format!("has {received} outcomes for {sent} records"));
    }
    let judge = |record: BulkRecord| if record.is_accepted() { Ok(record) } else { Err(record) };
    Ok(response.records.into_iter().map(judge).collect())
}
