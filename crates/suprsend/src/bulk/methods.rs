//! Methods of resources that send many.

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

/// The most recipients that an object is subscribed to in one request.
const SUBSCRIPTIONS: usize = 100;

/// Methods for both kinds of clients: what the blocking one returns is an iterator.
macro_rules! methods {
    ($client:ty) => {
        impl Workflows<$client> {
            /// Triggers many workflows, up to 100 in a request and several requests at a time, and returns an outcome for each trigger.
            ///
            /// Takes any iterator or `Stream` of triggers: calls of [`trigger`](Self::trigger) that are not sent,
            /// [`WorkflowTrigger`](crate::types::WorkflowTrigger)s, pairs of a value and one of these, whose outcome gives the value back, or
            /// `Result`s. Each trigger gets an idempotency key unless it has one, so that none runs twice. See [the
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
            /// Takes any iterator or `Stream` of events: calls of [`track`](Self::track) that are not sent,
            /// [`Event`](crate::types::Event)s, pairs of a value and one of these, whose outcome gives the value back, or `Result`s. Each event
            /// gets an idempotency key unless it has one, so that none takes effect twice. See [the module](crate::bulk#records-in-packs).
            pub fn track_all<Kind, S>(&self, events: S) -> SendRecords<S::Stream, $client>
            where
                S: Source<Kind, Entry: RecordEntry<Operation = TrackEvents>>,
            {
                SendRecords::new(&self.client, events)
            }
        }

        impl Users<$client> {
            /// Sends upserts and edits of many users, up to 400 in a request and several requests at a time: the fastest way for a million
            /// users, and the one with the least certainty.
            ///
            /// Takes any iterator or `Stream` of calls of [`upsert`](Self::upsert) and [`edit`](Self::edit) that are not sent,
            /// [`UserRecord`](crate::types::UserRecord)s, pairs of a value and one of these, or `Result`s. The client needs the UID of the
            /// workspace, [`ClientBuilder::workspace`](crate::ClientBuilder::workspace), which every record has.
            ///
            /// Its limits:
            ///
            /// - *Accepted is not stored.* The API takes a request as a whole and works on it later. It responses neither profiles nor an
            ///   outcome for each user. What fails later, such as an address that is none, appears in the logs of the dashboard only.
            /// - *An upsert adds addresses*; it does not replace those that a channel has.
            /// - *The order of users is not kept*, also that of several records of one user, unless
            ///   [`fixed_concurrency(1)`](SendRecords::fixed_concurrency) is set and nothing fails.
            /// - *A record may have 10 KB.*
            /// - A record that adds to a number or to a property that is a list is not sent again after a failure that leaves open whether it was
            ///   taken, since it would be done twice: no key tells.
            ///
            /// [`upsert_all`](Self::upsert_all) is the way with a stored profile for each user.
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
            /// Takes any iterator or `Stream` of recipients. There is an outcome for each request: its value says which of the recipients
            /// it was for, by their position in the input.
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

/// A request that subscribes recipients, beside their positions.
type Subscriptions<C> = (Range<u64>, Call<AddObjectSubscription, C>);

fn subscriptions<Kind, S, C>(
    of: ObjectsSubscriptions<C>,
    recipients: S,
) -> impl Stream<Item = Subscriptions<C>> + use<Kind, S, C>
where
    S: Source<Kind, Entry: Into<Recipient>>,
    C: AsClient,
{
    // The member `recipients`, with the braces around it.
    let portion = Portion { most: SUBSCRIPTIONS, limit: BODY_BYTES, envelope: 64 };
    let weigh = |recipient: &Recipient| serde_json::to_string(recipient).map_or(0, |json| json.len());
    let mut next = 0;
    Chunks::new(recipients.into_stream(), portion, weigh, move |recipients: Vec<Recipient>| {
        let start = next;
        next += recipients.len() as u64;
        (start..next, of.add(recipients))
    })
}
