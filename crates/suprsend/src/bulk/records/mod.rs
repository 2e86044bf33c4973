//! Sends many records in few requests: the types that [`trigger_all`](crate::Workflows::trigger_all),
//! [`track_all`](crate::Events::track_all) and [`ingest_all`](crate::Users::ingest_all) return.

mod envelope;
mod ingest;
mod outcome;
mod packs;
mod queue;
mod record;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use suprsend_api::types::BulkRecord;
use tokio::time::Instant;

use self::{
    packs::Packs,
    queue::{Again, Held, SharedQueue},
    record::{ReceiptOf, limits},
};
use super::{Outage, Outcome, SendAll, Source, Summary};
use crate::{
    client::{AsClient, Client},
    error::{ApiError, Error, Secrets, UndecodableResponse},
    flow::LONGEST_PAUSE,
    raw_response::RawResponse,
    response::{Attempts, Response},
    retry::{self, RetryPolicy},
    rules,
};

pub use self::{
    outcome::RecordOutcome,
    record::{Draft, Record, RecordEntry, RecordOutcomeOf, Records},
};

/// The outcomes of many records that are sent in packs: a [`Stream`], or an iterator with the blocking client.
///
/// See [the module](crate::bulk) for its guarantees. Settings apply to everything sent after they are made, so make them before you ask for
/// the first outcome.
#[must_use = "nothing is sent unless the outcomes are asked for"]
pub struct SendRecords<S: Stream<Item: RecordEntry>, C: AsClient = Client> {
    /// Sends the packs.
    inner: SendAll<Packs<S, C>, C>,
    queue: SharedQueue<S::Item>,
    policy: RetryPolicy,
    /// The last error of a call.
    last: Option<Error>,
    succeeded: u64,
    failed: u64,
    retries: u64,
}

impl<S: Stream<Item: RecordEntry>, C: AsClient> SendRecords<S, C> {
    pub(crate) fn new<Kind>(client: &C, records: impl Source<Kind, Stream = S>) -> Self {
        let queue = SharedQueue::new();
        let packs = Packs::new(client.clone(), records.into_stream(), queue.clone());
        let policy = client.as_client().shared.settings.retry.clone();
        Self {
            inner: SendAll::new(client, packs),
            queue,
            policy,
            last: None,
            succeeded: 0,
            failed: 0,
            retries: 0,
        }
    }

    /// Keeps this number of requests in flight, however the API responds. With one request, records are sent in the order of the input,
    /// except for retries. Zero counts as one. Pauses and outages still hold the stream.
    pub fn fixed_concurrency(self, requests: usize) -> Self {
        self.set(|inner| inner.fixed_concurrency(requests))
    }

    /// Lets the number of requests in flight vary between these bounds. Defaults to 1 and 64. Zero counts as one. A maximum below the
    /// minimum counts as the minimum.
    pub fn adaptive_concurrency(self, min: usize, max: usize) -> Self {
        self.set(|inner| inner.adaptive_concurrency(min, max))
    }

    /// Limits the number of requests per second, including retries. Zero counts as one. Unlimited by default.
    pub fn max_rate(self, requests: u32) -> Self {
        self.set(|inner| inner.max_rate(requests))
    }

    /// Limits the time that the stream waits when the API asks for it; see [`SendAll::max_pause`]. Defaults to 5 min.
    pub fn max_pause(self, pause: Duration) -> Self {
        self.set(|inner| inner.max_pause(pause))
    }

    /// Limits the time that the stream waits for an outage to end. Defaults to 10 min.
    ///
    /// After that, the records already taken from the input fail and the stream ends; the rest of the input is not tried.
    pub fn max_outage(self, outage: Duration) -> Self {
        self.set(|inner| inner.max_outage(outage))
    }

    /// Ends the stream after this number of consecutive requests with [retryable](Error::is_retryable) failures; see
    /// [`SendAll::give_up_after`]. By default, the stream never gives up for this reason.
    pub fn give_up_after(self, failures: u64) -> Self {
        self.set(|inner| inner.give_up_after(failures))
    }

    fn set(mut self, set: impl FnOnce(SendAll<Packs<S, C>, C>) -> SendAll<Packs<S, C>, C>) -> Self {
        self.inner = set(self.inner);
        self
    }

    /// Stops taking records. The records already taken are sent, and then the stream ends.
    pub fn stop(&mut self) {
        if let Some(packs) = self.inner.source_mut() {
            packs.input = None;
        }
    }

    /// Returns the number of requests that may currently be in flight.
    pub fn concurrency(&self) -> usize {
        self.inner.concurrency()
    }

    /// Returns the outage that currently holds the stream, if there is one.
    pub fn outage(&self) -> Option<Outage> {
        self.inner.outage()
    }

    /// Returns the counts of the records so far, or of all records once the stream has ended.
    pub fn summary(&self) -> Summary {
        let taken = self.queue.lock().taken;
        let Self { succeeded, failed, retries, .. } = *self;
        let waiting = taken.saturating_sub(succeeded + failed);
        let in_flight = usize::try_from(waiting).unwrap_or(usize::MAX);
        Summary { succeeded, failed, in_flight, retries, ..self.inner.summary() }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn client(&self) -> &C {
        self.inner.client()
    }
}

/// The result of a pack.
type PackOutcome<E> =
    Outcome<<<E as RecordEntry>::Operation as suprsend_api::Operation>::Response, packs::Made<E>>;

impl<S, C> SendRecords<S, C>
where
    S: Stream<Item: RecordEntry<Value: Send + 'static>>,
    C: AsClient,
{
    /// Takes records, sends them, and returns the next outcome.
    pub(crate) fn poll_outcome(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<<S::Item as RecordEntry>::Outcome>> {
        loop {
            let ready = self.queue.lock().ready.pop_front();
            if let Some(outcome) = ready {
                match outcome.result {
                    Ok(_) => self.succeeded += 1,
                    Err(_) => self.failed += 1,
                }
                return Poll::Ready(Some(S::Item::outcome(outcome)));
            }
            match self.inner.poll_outcome(context) {
                Poll::Ready(Some(pack)) => self.settle(pack),
                Poll::Ready(None) => {
                    // Records are left only if the stream gave up.
                    let mut queue = self.queue.lock();
                    queue.give_up(self.last.as_ref());
                    if queue.ready.is_empty() {
                        return Poll::Ready(queue.error.take().map(S::Item::failed));
                    }
                }
                // A record may have failed validation meanwhile.
                Poll::Pending if self.queue.lock().ready.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Processes the result of a pack.
    fn settle(
        &mut self,
        PackOutcome::<S::Item> { value: (sent, records), result, .. }: PackOutcome<S::Item>,
    ) {
        self.queue.lock().in_flight -= 1;
        match result {
            Ok(response) => self.read(sent, records, response),
            Err(error) => self.fail(records, error),
        }
    }

    /// Processes a response that contains an outcome for each record.
    fn read(
        &mut self,
        sent: Instant,
        records: Vec<Held<<S::Item as RecordEntry>::Value>>,
        response: Response<<<S::Item as RecordEntry>::Operation as suprsend_api::Operation>::Response>,
    ) {
        let (status, headers, attempts) =
            (response.status(), response.headers().clone(), response.all_attempts());
        let receipts = <S::Item as RecordEntry>::Operation::receipts(response.into_inner(), records.len());
        let receipts = match receipts {
            Ok(receipts) => receipts,
            Err(reason) => {
                let error = UndecodableResponse::new(RawResponse::new(status, headers), reason);
                return self.fail(records, error.into());
            }
        };
        let policy = self.inner.flow.policy(self.policy.clone());
        let mut round = Round::new(&policy, self.inner.flow.is_over());
        let client = self.inner.client.as_client();
        let keys = client.keys();
        let own: Vec<String> = client.shared.secrets(&keys).map(str::to_owned).collect();
        let mut throttled = false;
        for (mut held, receipt) in records.into_iter().zip(receipts) {
            self.count(&mut held, attempts);
            match receipt {
                Ok(receipt) => {
                    let Held { index, value, key, attempts, .. } = held;
                    let mut response = Response::from_parts(receipt, status, headers.clone(), attempts);
                    response.set_idempotency_key(key.as_deref().map(Box::from));
                    let result = Ok(response);
                    let outcome = RecordOutcome { index, value, idempotency_key: key, result };
                    self.queue.lock().ready.push_back(outcome);
                }
                Err(record) => {
                    let error = refusal::<S::Item>(&held.json, &record, &headers, &own);
                    throttled |= matches!(
                        error.status(),
                        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
                    );
                    self.again_or_failed(&mut round, held, error);
                }
            }
        }
        if throttled {
            self.inner.flow.throttled(sent);
        }
    }

    /// Processes a failed call. Its records fail with it, unless it makes sense to send them again.
    fn fail(&mut self, mut records: Vec<Held<<S::Item as RecordEntry>::Value>>, error: Error) {
        let (attempts, error) = error.into_last_attempt();
        let is_refused = matches!(
            error.status(),
            Some(StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY)
        );
        if is_refused && records.len() > 1 {
            // One of the records may be the cause. A rejected request had no effect, so each half is sent as if for the first time.
            let rest = records.split_off(records.len() / 2);
            self.queue.lock().packs.extend([records, rest]);
            return;
        }
        let policy = self.inner.flow.policy(self.policy.clone());
        let mut round = Round::new(&policy, self.inner.flow.is_over());
        for mut held in records {
            self.count(&mut held, Attempts { made: attempts, counted: attempts });
            self.again_or_failed(&mut round, held, error.clone());
        }
        self.last = Some(error);
    }

    /// Counts how often a record was sent.
    fn count(&mut self, held: &mut Held<<S::Item as RecordEntry>::Value>, attempts: Attempts) {
        let Attempts { made, counted } = attempts;
        let again = if held.attempts.made == 0 { made.saturating_sub(1) } else { made };
        self.retries += u64::from(again);
        held.attempts.made = held.attempts.made.saturating_add(made);
        held.attempts.counted = held.attempts.counted.saturating_add(counted);
    }

    /// Schedules a failed record for another request if that may help. Otherwise reports its failure.
    fn again_or_failed(
        &self,
        round: &mut Round<'_>,
        held: Held<<S::Item as RecordEntry>::Value>,
        error: Error,
    ) {
        let may_repeat = held.idempotent || retry::was_not_processed(&error);
        let mut queue = self.queue.lock();
        if let Some(delay) = round.delay(held.attempts.counted, &error).filter(|_| may_repeat) {
            // The clock cannot represent arbitrarily distant times.
            let due = Instant::now() + delay.min(LONGEST_PAUSE);
            queue.again.push(Again { due, held, error });
        } else {
            let error = error.after_attempts(held.attempts.made);
            let failed = held.fail::<ReceiptOf<S::Item>>(error);
            queue.ready.push_back(failed);
        }
    }
}

/// The delays of the records of one pack. Records that fail together are sent again together.
struct Round<'a> {
    policy: &'a RetryPolicy,
    is_over: bool,
    drawn: Vec<(u32, Option<StatusCode>, Option<Duration>)>,
}

impl<'a> Round<'a> {
    fn new(policy: &'a RetryPolicy, is_over: bool) -> Self {
        Self { policy, is_over, drawn: Vec::new() }
    }

    /// Returns the delay after this failure of this attempt, or `None` after the last attempt.
    fn delay(&mut self, attempts: u32, error: &Error) -> Option<Duration> {
        if self.is_over {
            return None;
        }
        let status = error.status();
        if let Some((.., delay)) = self.drawn.iter().find(|drawn| (drawn.0, drawn.1) == (attempts, status)) {
            return *delay;
        }
        let delay = self.policy.delay(attempts, error);
        self.drawn.push((attempts, status, delay));
        delay
    }
}

/// Converts the rejection of a single record to an error.
fn refusal<E: RecordEntry>(json: &[u8], record: &BulkRecord, headers: &HeaderMap, own: &[String]) -> Error {
    let status = u16::try_from(record.status_code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.filter(|status| status.as_u16() >= 300);
    let mut response = RawResponse::new(status.unwrap_or(StatusCode::MULTI_STATUS), headers.clone());
    // Only the record's own part, because the response covers other records too.
    response.extend(serde_json::to_vec(record).map(Bytes::from).unwrap_or_default(), usize::MAX);
    response.complete();
    if status.is_none() {
        return UndecodableResponse::new(
            response,
            "refuses a record with a status that is none of a refusal",
        )
        .into();
    }
    let rules = limits::<E::Operation>().0.zip(serde_json::from_slice::<Value>(json).ok());
    let secrets = rules.map(|(rules, record)| rules::secrets(rules, &record)).unwrap_or_default();
    let secrets = secrets.into_iter().filter(|secret| Secrets::is_long_enough(secret));
    let secrets = Secrets::new(secrets.chain(own.iter().cloned()));
    Error::of_response(ApiError::new(response, &secrets), false)
}

impl<S> SendRecords<S>
where
    S: Stream<Item: RecordEntry<Value: Send + 'static>>,
{
    /// Returns the next outcome, or `None` when there are no more. Cancel safe: if the future is dropped, the requests in flight continue
    /// with the next call of this method.
    pub async fn next(&mut self) -> Option<<S::Item as RecordEntry>::Outcome> {
        poll_fn(|context| self.poll_outcome(context)).await
    }
}

/// Sound because the only pinned data is boxed.
impl<S: Stream<Item: RecordEntry>, C: AsClient> Unpin for SendRecords<S, C> {}

impl<S> Stream for SendRecords<S>
where
    S: Stream<Item: RecordEntry<Value: Send + 'static>>,
{
    type Item = <S::Item as RecordEntry>::Outcome;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_outcome(context)
    }
}

/// Leaves out the input and the records, which contain personal data.
impl<S: Stream<Item: RecordEntry>, C: AsClient> fmt::Debug for SendRecords<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRecords")
            .field("summary", &self.summary())
            .field("concurrency", &self.concurrency())
            .finish_non_exhaustive()
    }
}
