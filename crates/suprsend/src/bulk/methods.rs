//! The methods of resources that send many records.

use std::ops::Range;

use futures_core::Stream;
use suprsend_api::{
    operations::{AddObjectSubscription, IngestUsers, TrackEvents, TriggerWorkflows},
    types::Recipient,
};

use super::{Chunks, Portion, RecordEntry, SendAll, SendRecords, Source};
#[cfg(feature = "blocking")]
use crate::blocking;
use crate::{
    call::Call,
    checks::BODY_BYTES,
    client::{AsClient, Client},
    resources::{Events, ObjectsSubscriptions, Users, Workflows},
};

/// The maximum number of recipients that are subscribed to an object in one request.
const SUBSCRIPTIONS: usize = 100;

/// Defines methods for both kinds of clients. Those of the blocking client return an iterator.
macro_rules! methods {
    ($client:ty) => {
        impl Workflows<$client> {
            /// Triggers many workflows, up to 100 in a request and several requests at a time, and returns an outcome for each trigger.
            ///
            /// Takes any iterator or `Stream` of unsent calls of [`trigger`](Self::trigger), of
            /// [`WorkflowTrigger`](crate::types::WorkflowTrigger)s, of pairs of a value and one of these, whose outcome returns the value,
            /// or of `Result`s. Each trigger without an idempotency key is assigned one, so that no workflow runs twice. See [the
            /// module](crate::bulk#records-in-packs).
            pub fn trigger_all<Kind, S>(&self, triggers: S) -> SendRecords<S::Stream, $client>
            where
                S: Source<Kind, Entry: RecordEntry<Operation = TriggerWorkflows>>,
            {
                SendRecords::new(&self.client, triggers)
            }
        }

        impl Events<$client> {
            /// Tracks many events, up to 100 in a request and several requests at a time, and returns an outcome for each event.
            ///
            /// Takes any iterator or `Stream` of unsent calls of [`track`](Self::track), of [`Event`](crate::types::Event)s, of pairs of a
            /// value and one of these, whose outcome returns the value, or of `Result`s. Each event without an idempotency key is assigned
            /// one, so that none takes effect twice. See [the module](crate::bulk#records-in-packs).
            pub fn track_all<Kind, S>(&self, events: S) -> SendRecords<S::Stream, $client>
            where
                S: Source<Kind, Entry: RecordEntry<Operation = TrackEvents>>,
            {
                SendRecords::new(&self.client, events)
            }
        }

        impl Users<$client> {
            /// Sends upserts and edits of many users, up to 400 in a request and several requests at a time. This is the fastest way to
            /// send a million users, and the least reliable one.
            ///
            /// Takes any iterator or `Stream` of unsent calls of [`upsert`](Self::upsert) and [`edit`](Self::edit), of
            /// [`UserRecord`](crate::types::UserRecord)s, of pairs of a value and one of these, or of `Result`s. The client needs the UID
            /// of the workspace, [`ClientBuilder::workspace`](crate::ClientBuilder::workspace), which is part of every record.
            ///
            /// Limitations:
            ///
            /// - *Accepted does not mean stored.* The API accepts a request as a whole and processes it later. It returns neither profiles
            ///   nor an outcome for each user. Later failures, such as an invalid address, appear only in the logs on the dashboard.
            /// - *An upsert adds addresses*; it does not replace those that a channel has.
            /// - *The order of users is not preserved*, nor that of several records of one user, unless
            ///   [`fixed_concurrency(1)`](SendRecords::fixed_concurrency) is set and nothing fails.
            /// - *A record is limited to 10 KB.*
            /// - A record that increments a number or appends to a list is not retried if it may already have been accepted. Records have
            ///   no idempotency key, so the change would be applied twice.
            ///
            /// To get the stored profile of each user, use [`upsert_all`](Self::upsert_all).
            pub fn ingest_all<Kind, S>(&self, records: S) -> SendRecords<S::Stream, $client>
            where
                S: Source<Kind, Entry: RecordEntry<Operation = IngestUsers>>,
            {
                SendRecords::new(&self.client, records)
            }
        }

        impl ObjectsSubscriptions<$client> {
            /// Subscribes many users and objects to an object, 100 in a request and several requests at a time.
            ///
            /// Takes any iterator or `Stream` of recipients. There is one outcome for each request. Its value is the range of positions in
            /// the input that the request covered.
            pub fn add_all<Kind, S>(
                &self,
                recipients: S,
            ) -> SendAll<impl Stream<Item = Subscriptions<$client>> + use<Kind, S>, $client>
            where
                S: Source<Kind, Entry: Into<Recipient>>,
            {
                SendAll::new(&self.client, subscriptions(self.clone(), recipients))
            }
        }
    };
}

methods! { Client }

#[cfg(feature = "blocking")]
methods! { blocking::Client }

/// A request that subscribes recipients, with their positions.
type Subscriptions<C> = (Range<u64>, Call<AddObjectSubscription, C>);

fn subscriptions<Kind, S, C>(
    of: ObjectsSubscriptions<C>,
    recipients: S,
) -> impl Stream<Item = Subscriptions<C>> + use<Kind, S, C>
where
    S: Source<Kind, Entry: Into<Recipient>>,
    C: AsClient,
{
    // The member `recipients`, including the braces around it.
    let portion = Portion { most: SUBSCRIPTIONS, limit: BODY_BYTES, envelope: 64 };
    let weigh = |recipient: &Recipient| serde_json::to_string(recipient).map_or(0, |json| json.len());
    let mut next = 0;
    Chunks::new(recipients.into_stream(), portion, weigh, move |recipients: Vec<Recipient>| {
        let start = next;
        next += recipients.len() as u64;
        (start..next, of.add(recipients))
    })
}
