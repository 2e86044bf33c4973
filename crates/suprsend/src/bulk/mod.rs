//! Sends many calls or records and returns an outcome for each: [`Client::send_all`],
//! [`Workflows::trigger_all`](crate::Workflows::trigger_all) and similar methods, and the types that they return.
//!
//! ```no_run
//! # async fn example(client: suprsend::Client, rows: Vec<(String, String)>) {
//! let users = client.users();
//! let upserts = rows.into_iter().map(|(id, email)| (id.clone(), users.upsert(id).email(email)));
//!
//! let mut outcomes = client.send_all(upserts).max_rate(200);
//! while let Some(outcome) = outcomes.next().await {
//!     if let Err(error) = outcome.result {
//!         eprintln!("{} (input {}): {error}", outcome.value, outcome.index);
//!     }
//! }
//! println!("{}", outcomes.summary());
//! # }
//! ```
//!
//! # The input
//!
//! The calls are all of one operation, and come from any iterator or [`Stream`], including infinite ones. Instead of a call, an item may be
//!
//! - a pair `(value, call)`: the outcome returns the value, such as the row that the call was made from;
//! - a `Result` of a call or of a pair: then the stream returns `Result`s, too. The first error ends the stream. It comes last, after the
//!   calls in flight.
//!
//! # Guarantees
//!
//! - Every call that is taken has exactly one [`Outcome`]. Outcomes are returned as soon as they are known, so not in the order of the
//!   input. A failure affects no other call.
//! - A call is taken only when there is room for it. So memory is bounded by the concurrency, and a slow API or a slow consumer of the
//!   outcomes slows down the source.
//! - The stream is lazy: nothing happens unless you poll it. Dropping it cancels the calls in flight. [`SendAll::stop`] ends it without
//!   cancelling those.
//!
//! # Throughput
//!
//! By default, the stream starts with four calls in flight and goes up to 64. The number grows while the latency of calls remains stable,
//! and is halved when the API throttles (429, 503) or does not respond. `Retry-After` pauses all calls of the stream, and so does a
//! back-off if a throttling API does not say how long to wait. This waiting does not count against the timeout of a call.
//!
//! # Outages
//!
//! Three consecutive failures that suggest an outage (429, 5xx, no response) hold the stream: one call at a time probes whether the API is
//! back. Meanwhile the waiting calls do not fail, and nothing more is taken from the input. Only if the failures are 500s, which a call may
//! cause itself, up to four calls wait and take turns, so that a healthy one ends the outage. [`SendAll::max_outage`] limits how long that
//! may take; then the stream ends, and the rest of the input is not tried. [`SendAll::outage`] returns why the stream is held.
//!
//! # Records in packs
//!
//! [`Workflows::trigger_all`](crate::Workflows::trigger_all), [`Events::track_all`](crate::Events::track_all) and
//! [`Users::ingest_all`](crate::Users::ingest_all) send many records in one request. All of the above applies to them, with a record in
//! place of a call; statements about calls in flight apply to requests. In addition:
//!
//! - A request contains as many records as the API accepts (100 triggers or events, 400 users), and at most 800 KB as sent. Within a
//!   request, records keep the order of the input.
//! - Each record is validated before it is packed. If it is invalid, for example too large, only that record fails.
//! - A trigger or an event without an idempotency key is assigned one, by which the API recognizes a repeat for 24 hours, unless the client
//!   [generates none](crate::ClientBuilder::idempotency_keys). The outcome contains the key.
//! - A record with a transient failure, of its own (429, 5xx) or of its request, is sent again in another request with the same key, as
//!   often as the client's [`RetryPolicy`](crate::RetryPolicy) allows. It delays no other record.
//! - A request that is rejected as a whole (400, 413, 422) is split and sent again in halves, until the offending record is found.
//! - While the input is pending, an incomplete pack is sent after 20 ms, or at once if no request is in flight.
//!
//! ```no_run
//! # async fn example(client: suprsend::Client, orders: Vec<(u64, String)>) {
//! let workflows = client.workflows();
//! let triggers = orders.into_iter().map(|(order, user)| {
//!     let key = format!("order-{order}-shipped");
//!     (order, workflows.trigger("order-shipped").recipient(user).data("order", order).idempotency_key(key))
//! });
//!
//! let mut outcomes = workflows.trigger_all(triggers);
//! while let Some(outcome) = outcomes.next().await {
//!     match outcome.result {
//!         Ok(record) => println!("{}: {:?}", outcome.value, record.message_id),
//!         Err(error) => eprintln!("{}: {error}", outcome.value),
//!     }
//! }
//! println!("{}", outcomes.summary());
//! # }
//! ```

mod chunks;
mod entry;
mod methods;
mod outage;
mod outcome;
mod packing;
mod records;
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

use crate::{
    client::{AsClient, Client},
    error::Error,
    flow::{FlowControl, Limit},
};

pub(crate) use self::chunks::{Chunks, Portion};
pub use self::{
    entry::{Entry, OutcomeOf},
    outage::Outage,
    outcome::Outcome,
    records::{Draft, Record, RecordEntry, RecordOutcome, RecordOutcomeOf, Records, SendRecords},
    source::{Iterated, Source, Streamed},
    summary::Summary,
};

impl Client {
    /// Sends many calls of one operation, several at a time, and returns an outcome for each.
    ///
    /// Takes any iterator or [`Stream`] of calls, including infinite ones. See [the module](crate::bulk).
    pub fn send_all<Kind, S>(&self, calls: S) -> SendAll<S::Stream>
    where
        S: Source<Kind, Entry: Entry<Client = Self>>,
    {
        SendAll::new(self, calls)
    }
}

/// A call in flight, with the position and the value that its outcome returns.
type InFlight<E> = Pin<Box<dyn Future<Output = OutcomeOf<E>> + Send>>;

/// The outcomes of many calls, returned by [`Client::send_all`]: a [`Stream`], or an iterator with the blocking client.
///
/// Settings apply to everything sent after they are made, so make them before you ask for the first outcome.
#[must_use = "nothing is sent unless the outcomes are asked for"]
pub struct SendAll<S: Stream<Item: Entry>, C = Client> {
    client: C,
    /// `None` when it is exhausted or no longer needed.
    source: Option<Pin<Box<S>>>,
    in_flight: FuturesUnordered<InFlight<S::Item>>,
    flow: Arc<FlowControl>,
    /// The error that ended the source, kept until all other outcomes have been returned.
    error: Option<<S::Item as Entry>::Error>,
    /// The number of consecutive failures that ends the stream.
    give_up_after: Option<u64>,
    failures: u64,
    gave_up: bool,
    taken: u64,
    succeeded: u64,
    failed: u64,
    start: Option<Instant>,
    end: Option<Instant>,
}

impl<S: Stream<Item: Entry<Client = C>>, C: AsClient> SendAll<S, C> {
    pub(crate) fn new<Kind>(client: &C, calls: impl Source<Kind, Stream = S>) -> Self {
        let policy = client.as_client().shared.settings.retry.clone();
        Self {
            client: client.clone(),
            source: Some(Box::pin(calls.into_stream())),
            in_flight: FuturesUnordered::new(),
            flow: Arc::new(FlowControl::new(policy)),
            error: None,
            give_up_after: None,
            failures: 0,
            gave_up: false,
            taken: 0,
            succeeded: 0,
            failed: 0,
            start: None,
            end: None,
        }
    }

    /// Keeps this number of calls in flight, however the API responds. Zero counts as one. Pauses and outages still hold the stream.
    pub fn fixed_concurrency(self, calls: usize) -> Self {
        self.adaptive_concurrency(calls, calls)
    }

    /// Lets the number of calls in flight vary between these bounds. Defaults to 1 and 64. Zero counts as one. A maximum below the minimum
    /// counts as the minimum.
    pub fn adaptive_concurrency(self, min: usize, max: usize) -> Self {
        self.flow.set_limit(Limit::between(min, max));
        self
    }

    /// Limits the number of requests per second, including retries. Zero counts as one. Unlimited by default.
    pub fn max_rate(self, requests: u32) -> Self {
        self.flow.set_rate(requests);
        self
    }

    /// Limits the time that the stream waits when the API asks for it. Defaults to 5 min.
    ///
    /// If the API asks for more, the calls that received that response fail, with the requested time in [`Error::retry_after`]. The others
    /// continue after this limit.
    pub fn max_pause(self, pause: Duration) -> Self {
        self.flow.set_max_pause(pause);
        self
    }

    /// Limits the time that the stream waits for an outage to end. Defaults to 10 min.
    ///
    /// After that, the calls in flight fail and the stream ends; the rest of the input is not tried.
    pub fn max_outage(self, outage: Duration) -> Self {
        self.flow.set_max_outage(outage);
        self
    }

    /// Ends the stream after this number of consecutive [retryable](Error::is_retryable) failures: the calls in flight are finished, and
    /// the rest of the input is not tried. Zero counts as one. By default, the stream never gives up for this reason.
    pub fn give_up_after(mut self, failures: u64) -> Self {
        self.give_up_after = Some(failures.max(1));
        self
    }

    /// Stops taking calls. The calls in flight are finished, and then the stream ends.
    pub fn stop(&mut self) {
        self.source = None;
    }

    /// Returns the number of calls that may currently be in flight.
    pub fn concurrency(&self) -> usize {
        self.flow.limit()
    }

    /// Returns the outage that currently holds the stream, if there is one.
    pub fn outage(&self) -> Option<Outage> {
        self.flow.outage().map(|(since, cause)| Outage::new(since.elapsed(), cause))
    }

    /// Returns the counts of the calls so far, or of all calls once the stream has ended.
    pub fn summary(&self) -> Summary {
        let start = self.start;
        let duration =
            start.map_or(Duration::ZERO, |start| self.end.unwrap_or_else(Instant::now).duration_since(start));
        Summary {
            succeeded: self.succeeded,
            failed: self.failed,
            in_flight: self.in_flight.len(),
            retries: self.flow.retries(),
            duration,
            gave_up: self.gave_up,
        }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn client(&self) -> &C {
        &self.client
    }

    /// Returns the source, unless it has ended.
    fn source_mut(&mut self) -> Option<&mut S>
    where
        S: Unpin,
    {
        self.source.as_mut().map(|source| Pin::get_mut(source.as_mut()))
    }

    /// Counts a result, and ends the stream if there were too many failures.
    fn count(&mut self, failure: Option<&Error>) {
        match failure {
            None => (self.succeeded, self.failures) = (self.succeeded + 1, 0),
            Some(error) => {
                self.failed += 1;
                self.failures = if error.is_retryable() { self.failures + 1 } else { 0 };
            }
        }
        let too_many = self.give_up_after.is_some_and(|most| self.failures >= most);
        if (too_many || self.flow.is_over()) && self.source.is_some() {
            self.gave_up = true;
            self.stop();
        }
    }
}

impl<S, C> SendAll<S, C>
where
    S: Stream<Item: Entry<Client = C, Value: Send + 'static>>,
    C: AsClient,
{
    /// Starts a call.
    fn push(&mut self, entry: S::Item) {
        let (value, call) = match entry.into_call() {
            Ok(entry) => entry,
            Err(error) => {
                self.error = Some(error);
                return self.stop();
            }
        };
        let index = self.taken;
        self.taken += 1;
        let flow = Arc::clone(&self.flow);
        // The call is created inside the future: a captured future would take up space twice, where it is stored and where it is awaited.
        self.in_flight.push(Box::pin(async move {
            let result = call.flowing(flow).run().await;
            Outcome { index, value, result }
        }));
    }

    /// Takes calls from the source while there is room for them.
    fn fill(&mut self, context: &mut Context<'_>) {
        while let Some(source) = &mut self.source {
            if !self.flow.has_room(self.in_flight.len()) {
                return;
            }
            match C::polling(|| source.as_mut().poll_next(context)) {
                Poll::Ready(Some(entry)) => self.push(entry),
                Poll::Ready(None) => self.source = None,
                Poll::Pending => return,
            }
        }
    }

    /// Takes calls, sends them, and returns the next outcome.
    pub(crate) fn poll_outcome(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<<S::Item as Entry>::Outcome>> {
        self.start.get_or_insert_with(Instant::now);
        self.fill(context);
        match Pin::new(&mut self.in_flight).poll_next(context) {
            Poll::Ready(Some(outcome)) => {
                self.count(outcome.result.as_ref().err());
                Poll::Ready(Some(S::Item::outcome(outcome)))
            }
            // Nothing is in flight, but the source is not exhausted and will wake this task.
            Poll::Ready(None) if self.source.is_some() => Poll::Pending,
            Poll::Ready(None) => {
                self.end.get_or_insert_with(Instant::now);
                Poll::Ready(self.error.take().map(S::Item::failed))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S> SendAll<S>
where
    S: Stream<Item: Entry<Client = Client, Value: Send + 'static>>,
{
    /// Returns the next outcome, or `None` when there are no more. Cancel safe: if the future is dropped, the calls in flight continue with
    /// the next call of this method.
    pub async fn next(&mut self) -> Option<<S::Item as Entry>::Outcome> {
        poll_fn(|context| self.poll_outcome(context)).await
    }
}

/// Sound because the only pinned data is boxed.
impl<S: Stream<Item: Entry>, C> Unpin for SendAll<S, C> {}

impl<S> Stream for SendAll<S>
where
    S: Stream<Item: Entry<Client = Client, Value: Send + 'static>>,
{
    type Item = <S::Item as Entry>::Outcome;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_outcome(context)
    }
}

/// Leaves out the source, which contains personal data.
impl<S: Stream<Item: Entry<Client = C>>, C: AsClient> fmt::Debug for SendAll<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendAll")
            .field("summary", &self.summary())
            .field("concurrency", &self.concurrency())
            .finish_non_exhaustive()
    }
}
