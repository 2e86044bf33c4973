//! The two ways to send rows: as upserts one by one, or as records many at a time.

use std::time::Duration;

use futures_util::Stream;
use suprsend::{
    Client, Error, UpsertUser,
    bulk::{Outage, SendAll, SendRecords, Summary},
};

use crate::arguments::Arguments;

/// A row that is sent, by its number and the id of its user.
pub(crate) type Sent = ((u64, String), UpsertUser);

/// Outcomes of rows, as they come.
pub(crate) enum Outcomes<S: Stream<Item = Sent>> {
    Upserts(SendAll<S>),
    Records(SendRecords<S>),
}

/// Calls a method that both have.
macro_rules! both {
    ($outcomes:expr, $both:ident => $call:expr) => {
        match $outcomes {
            Outcomes::Upserts($both) => $call,
            Outcomes::Records($both) => $call,
        }
    };
}

/// Limits a stream as the arguments say.
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
    /// Begins to send.
    pub(crate) fn new(client: &Client, arguments: &Arguments, rows: S) -> Self {
        if arguments.ingest {
            Self::Records(limited!(client.users().ingest_all(rows), arguments))
        } else {
            Self::Upserts(limited!(client.users().upsert_all(rows), arguments))
        }
    }

    /// Returns what came of the next row, by its number and the id of its user.
    pub(crate) async fn next(&mut self) -> Option<((u64, String), Result<(), Error>)> {
        both!(self, outcomes => {
            let outcome = outcomes.next().await?;
            Some((outcome.value, outcome.result.map(drop)))
        })
    }

    /// Takes no more rows.
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
