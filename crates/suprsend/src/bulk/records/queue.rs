//! Records between the input and their outcomes: those waiting for a request, and outcomes waiting to be returned.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    outcome::RecordOutcome,
    record::{ENVELOPE, ReceiptOf, RecordEntry, RecordOutcomeOf, limits},
};
use crate::{bulk::packing::Packer, checks::BODY_BYTES, error::Error, response::Attempts};

/// A record as it is sent, with the position and the value that its outcome returns.
pub(crate) struct Held<V> {
    pub(super) index: u64,
    pub(super) value: V,
    pub(super) key: Option<String>,
    pub(super) json: Bytes,
    /// Whether it may be sent twice.
    pub(super) idempotent: bool,
    /// The number of times it was sent.
    pub(super) attempts: Attempts,
}

impl<V> Held<V> {
    pub(super) fn fail<R>(self, error: Error) -> RecordOutcome<R, V> {
        let Self { index, value, key, .. } = self;
        RecordOutcome { index, value, idempotency_key: key, result: Err(error) }
    }
}

/// A record that failed and will be sent again.
pub(super) struct Again<V> {
    pub(super) due: Instant,
    pub(super) held: Held<V>,
    /// The error with which it failed.
    pub(super) error: Error,
}

/// State shared by the stream of packs and the stream of outcomes.
pub(super) struct Queue<E: RecordEntry> {
    /// Known outcomes that are not yet returned.
    pub(super) ready: VecDeque<RecordOutcomeOf<E>>,
    /// The pack that is being filled.
    pub(super) open: Packer<Held<E::Value>>,
    /// Complete packs.
    pub(super) packs: VecDeque<Vec<Held<E::Value>>>,
    /// Records to be sent again, in the order in which they failed.
    pub(super) again: Vec<Again<E::Value>>,
    /// The number of packs without a result.
    pub(super) in_flight: usize,
    /// The number of records taken from the input.
    pub(super) taken: u64,
    /// The error that ended the input, kept until all other outcomes have been returned.
    pub(super) error: Option<E::Error>,
}

impl<E: RecordEntry> Queue<E> {
    pub(super) fn new() -> Self {
        let (_, most) = limits::<E::Operation>();
        Self {
            ready: VecDeque::new(),
            open: Packer::new(most, BODY_BYTES, ENVELOPE),
            packs: VecDeque::new(),
            again: Vec::new(),
            in_flight: 0,
            taken: 0,
            error: None,
        }
    }

    /// Adds a record to the open pack, or to the next one.
    pub(super) fn pack(&mut self, held: Held<E::Value>) {
        let bytes = held.json.len();
        self.packs.extend(self.open.add(held, bytes));
        self.packs.extend(self.open.take_full());
    }

    /// Packs the records that are due by now. Returns when the next one is due.
    pub(super) fn pack_due(&mut self, now: Instant) -> Option<Instant> {
        let mut next = self.again.iter().map(|again| again.due).min();
        if next.is_some_and(|next| next <= now) {
            let again = std::mem::take(&mut self.again);
            let (due, rest): (Vec<_>, Vec<_>) = again.into_iter().partition(|again| again.due <= now);
            for again in due {
                self.pack(again.held);
            }
            next = rest.iter().map(|again| again.due).min();
            self.again = rest;
        }
        next
    }

    /// Fails all waiting records, because nothing more is sent: each with its own last error, if it has one, or else with the last error of
    /// the stream.
    pub(super) fn give_up(&mut self, last: Option<&Error>) {
        for Again { held, error, .. } in std::mem::take(&mut self.again) {
            self.ready.push_back(held.fail(error));
        }
        self.packs.extend(self.open.take());
        // There is an error; otherwise the stream would not have given up.
        let Some(last) = last else { return };
        for held in self.packs.drain(..).flatten() {
            self.ready.push_back(held.fail::<ReceiptOf<E>>(last.clone()));
        }
    }
}

/// The lock is held only briefly.
pub(super) struct SharedQueue<E: RecordEntry>(Arc<Mutex<Queue<E>>>);

impl<E: RecordEntry> SharedQueue<E> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Queue::new())))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue<E>> {
        // No code that holds the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: RecordEntry> Clone for SharedQueue<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
