//! Two ways to send rows: as individual upserts, or as packed records.

use std::time::Duration;

use futures_util::Stream;
use suprsend::{
    Client, Error, UpsertUser,
    bulk::{Outage, SendAll, SendRecords, Summary},
};

use crate::arguments::Arguments;

/// A row to send, with its number and the id of its user.
pub(crate) type Sent = ((u64, String), UpsertUser);

/// The stream of outcomes.
pub(crate) enum Outcomes<S: Stream<Item = Sent>> {
    Upserts(SendAll<S>),
    Records(SendRecords<S>),
}

/// Calls a method that both variants have.
macro_rules! both {
    ($outcomes:expr, $both:ident => $call:expr) => {
        match $outcomes {
            Outcomes::Upserts($both) => $call,
            Outcomes::Records($both) => $call,
        }
    };
}

/// Applies the limits of the arguments to a stream.
macro_rules! limited {
    ($outcomes:expr, $arguments:expr) => {{
        let outcomes = match $arguments.concurrency {
            Some(calls) => $outcomes.fixed_concurrency(calls),
            None => $outcomes.adaptive_concurrency(1, $arguments.max_concurrency),
        };
        let outcomes = match $arguments.max_rate {
            Some(requests) => outcomes.max_rate(requests),
            None => outcomes,
        };
        outcomes.max_outage(Duration::from_secs($arguments.max_outage.into()))
    }};
}

impl<S: Stream<Item = Sent>> Outcomes<S> {
    /// Starts sending.
    pub(crate) fn new(client: &Client, arguments: &Arguments, rows: S) -> Self {
        if arguments.ingest {
            Self::Records(limited!(client.users().ingest_all(rows), arguments))
        } else {
            Self::Upserts(limited!(client.users().upsert_all(rows), arguments))
        }
    }

    /// Returns the next outcome, with the number of its row and the id of its user.
    pub(crate) async fn next(&mut self) -> Option<((u64, String), Result<(), Error>)> {
        both!(self, outcomes => {
            let outcome = outcomes.next().await?;
            Some((outcome.value, outcome.result.map(drop)))
        })
    }

    /// Stops taking rows.
    pub(crate) fn stop(&mut self) {
        both!(self, outcomes => outcomes.stop());
    }

    pub(crate) fn outage(&self) -> Option<Outage> {
        both!(self, outcomes => outcomes.outage())
    }

    pub(crate) fn summary(&self) -> Summary {
        both!(self, outcomes => outcomes.summary())
    }
}
