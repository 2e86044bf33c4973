//! Many upserts, one outcome each: [`Users::upsert_all`] and what it gives.
//!
//! ```no_run
//! # async fn example(client: suprsend::Client, rows: Vec<(String, String)>) {
//! let upserts = rows.into_iter().map(|(id, email)| client.users().upsert(id).email(email));
//!
//! let mut outcomes = client.users().upsert_all(upserts).max_rate(200);
//! while let Some(outcome) = outcomes.next().await {
//!     if let Err(error) = outcome.result {
//!         eprintln!("{} (input {}): {error}", outcome.distinct_id, outcome.index);
//!     }
//! }
//! println!("{}", outcomes.summary());
//! # }
//! ```
//!
//! # What holds
//!
//! - Every input that is taken has exactly one [`Outcome`], as soon as it is known and so not in the order of the input. A failure
//!   stops nothing but itself.
//! - An input is taken only when there is room for its call, so memory is bounded by the concurrency, and a slow hub or a slow
//!   reader of the outcomes slows the source.
//! - The work is done while the outcomes are asked for: a stream that is not polled stands still, and one that is dropped is over,
//!   calls under way included. [`UpsertAll::stop`] ends it without dropping those.
//!
//! # How fast
//!
//! Unless told otherwise, four calls are under way at first, and up to 64: more as long as the time that a call takes holds,
//! half as many when the hub throttles (429, 503) or does not answer. `Retry-After` holds back all calls of the stream, and so does a
//! back-off where a throttling hub does not say how long. Waiting for the hub's sake does not count against the time that
//! a call may take.

mod limit;
mod outcome;
pub(crate) mod pace;
mod source;
mod summary;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use self::{limit::Limit, pace::Pace};
pub use self::{
    outcome::Outcome,
    source::{Iterated, Streamed, UpsertSource},
    summary::Summary,
};
use crate::{Client, Error, Response, UpsertUser, types::User, users::Users};

impl Users<'_, Client> {
    /// Sends many upserts, several at a time, and gives an outcome for each.
    ///
    /// Takes any iterator or [`Stream`] of upserts, endless ones included. See [the module](crate::bulk).
    pub fn upsert_all<Kind, S: UpsertSource<Kind>>(&self, upserts: S) -> UpsertAll<S::Upserts> {
        let policy = self.client().shared.settings.retry.clone();
        UpsertAll {
            source: Some(Box::pin(upserts.into_upserts())),
            in_flight: FuturesUnordered::new(),
            pace: Arc::new(Pace::new(policy)),
            taken: 0,
            succeeded: 0,
            failed: 0,
            start: None,
            end: None,
        }
    }
}

/// A call under way, with what its outcome says of its input.
type InFlight = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The outcomes of many upserts, made by [`Users::upsert_all`]: a [`Stream`].
///
/// The settings hold for what is sent from then on, so they are best made before the first outcome is asked for.
#[must_use = "nothing is sent unless the outcomes are asked for"]
pub struct UpsertAll<S> {
    /// Gone when it is exhausted or not wanted any more.
    source: Option<Pin<Box<S>>>,
    in_flight: FuturesUnordered<InFlight>,
    pace: Arc<Pace>,
    taken: u64,
    succeeded: u64,
    failed: u64,
    start: Option<Instant>,
    end: Option<Instant>,
}

impl<S> UpsertAll<S> {
    /// Keeps so many calls under way, whatever the hub says; zero counts as one. Pauses are still kept.
    pub fn fixed_concurrency(self, calls: usize) -> Self {
        self.adaptive_concurrency(calls, calls)
    }

    /// Lets the number of calls under way vary between these; 1 and 64 unless set. Zero counts as one, and a maximum below the
    /// minimum as the minimum.
    pub fn adaptive_concurrency(self, min: usize, max: usize) -> Self {
        self.pace.set_limit(Limit::between(min, max));
        self
    }

    /// Sends at most so many requests a second, retries included; zero counts as one. Any number unless set.
    pub fn max_rate(self, requests: u32) -> Self {
        self.pace.set_rate(requests);
        self
    }

    /// The longest time that the stream waits because the hub asks for it; 5 min unless set.
    ///
    /// Where the hub asks for more, the upserts that it asked this of fail, with what it asks for in
    /// [`Error::retry_after`], and the others go on after this time.
    pub fn max_pause(self, pause: Duration) -> Self {
        self.pace.set_max_pause(pause);
        self
    }

    /// Takes no more inputs: what is under way is finished, and then the stream ends.
    pub fn stop(&mut self) {
        self.source = None;
    }

    /// How many calls may be under way now.
    pub fn concurrency(&self) -> usize {
        self.pace.limit()
    }

    /// What came of the upserts so far, or in all once the stream has ended.
    pub fn summary(&self) -> Summary {
        let start = self.start;
        let duration =
            start.map_or(Duration::ZERO, |start| self.end.unwrap_or_else(Instant::now).duration_since(start));
        Summary {
            succeeded: self.succeeded,
            failed: self.failed,
            in_flight: self.in_flight.len(),
            retries: self.pace.retries(),
            duration,
        }
    }

    /// Sends an input on its way.
    fn push(&mut self, upsert: UpsertUser<Client>) {
        let index = self.taken;
        self.taken += 1;
        let distinct_id = upsert.distinct_id().to_owned();
        let pace = Arc::clone(&self.pace);
        // The call is made inside: a future that is captured would have room twice, where it is kept and where it is awaited.
        self.in_flight.push(Box::pin(async move {
            let result = upsert.paced(pace).await;
            Outcome { index, distinct_id, result }
        }));
    }

    fn count(&mut self, result: &Result<Response<User>, Error>) {
        match result {
            Ok(_) => self.succeeded += 1,
            Err(_) => self.failed += 1,
        }
    }
}

impl<S: Stream<Item = UpsertUser<Client>>> UpsertAll<S> {
    /// The next outcome, or `None` when there are no more.
    pub async fn next(&mut self) -> Option<Outcome> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Takes inputs while there is room for them.
    fn fill(&mut self, context: &mut Context<'_>) {
        while let Some(source) = &mut self.source {
            if !self.pace.has_room(self.in_flight.len()) {
                return;
            }
            match source.as_mut().poll_next(context) {
                Poll::Ready(Some(upsert)) => self.push(upsert),
                Poll::Ready(None) => self.source = None,
                Poll::Pending => return,
            }
        }
    }
}

impl<S: Stream<Item = UpsertUser<Client>>> Stream for UpsertAll<S> {
    type Item = Outcome;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let this = self.get_mut();
        this.start.get_or_insert_with(Instant::now);
        this.fill(context);
        match Pin::new(&mut this.in_flight).poll_next(context) {
            Poll::Ready(Some(outcome)) => {
                this.count(&outcome.result);
                Poll::Ready(Some(outcome))
            }
            // None is under way, but the source has more to come, and wakes this when it does.
            Poll::Ready(None) if this.source.is_some() => Poll::Pending,
            Poll::Ready(None) => {
                this.end.get_or_insert_with(Instant::now);
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Leaves out the source, which holds data of people.
impl<S> fmt::Debug for UpsertAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpsertAll")
            .field("summary", &self.summary())
            .field("concurrency", &self.concurrency())
            .finish_non_exhaustive()
    }
}
