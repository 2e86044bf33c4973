//! Turns records into requests: a stream of calls, each with a pack of records.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use suprsend_api::{Base, Operation, RequestError, Spec};
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    queue::{Held, SharedQueue},
    record::{Draft, RecordEntry, Records, limits},
};
use crate::{
    call::Call,
    checks,
    client::AsClient,
    error::{Error, Violations},
    response::Attempts,
    rules,
};

/// The time that an incomplete pack waits while the input is pending and others are in flight.
const LINGER: Duration = Duration::from_millis(20);
/// The number of waiting outcomes at which nothing more is taken from the input.
const READY: usize = 100;
/// The number of records waiting for a retry at which nothing more is taken from the input.
const AGAIN: usize = 10_000;

/// A request with a pack of records, which were validated and serialized one by one.
#[derive(Clone)]
pub(crate) struct Pack<O> {
    json: Bytes,
    idempotent: bool,
    operation: PhantomData<fn() -> O>,
}

impl<O: Records> Operation for Pack<O> {
    const SPEC: &'static Spec = O::SPEC;
    type Body = ();
    type Response = O::Response;
    type Refusal = O::Refusal;

    fn request(&self, base: &Base) -> Result<suprsend_api::Request, RequestError> {
        // Everything but the body comes from the operation.
        let mut request = O::pack(Vec::new()).request(base)?;
        *request.body_mut() = Some(self.json.clone().into());
        Ok(request)
    }

    fn is_idempotent(&self) -> bool {
        self.idempotent
    }
}

impl<O> fmt::Debug for Pack<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").finish_non_exhaustive()
    }
}

/// The records of a pack, and the time when it was made.
pub(super) type Made<E> = (Instant, Vec<Held<<E as RecordEntry>::Value>>);

/// A pack with its records.
type Packed<E, C> = (Made<E>, Call<Pack<<E as RecordEntry>::Operation>, C>);

/// Packs the records of an input, and those that are to be sent again.
pub(crate) struct Packs<S: Stream<Item: RecordEntry>, C> {
    client: C,
    /// `None` when it is exhausted or no longer needed.
    pub(super) input: Option<Pin<Box<S>>>,
    queue: SharedQueue<S::Item>,
    /// The time until which the open pack waits for more records.
    linger: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The state of the input.
enum AtHand {
    Something,
    NotNow,
    /// The maximum number of records or outcomes is already waiting.
    TooMuch,
    Nothing,
}

impl<S: Stream<Item: RecordEntry>, C: AsClient> Packs<S, C> {
    pub(super) fn new(client: C, input: S, queue: SharedQueue<S::Item>) -> Self {
        Self { client, input: Some(Box::pin(input)), queue, linger: None, timer: None }
    }

    /// Takes a record from the input, unless too much is waiting.
    fn take(&mut self, context: &mut Context<'_>) -> AtHand {
        let Some(input) = &mut self.input else { return AtHand::Nothing };
        let (is_ready, is_again) = {
            let queue = self.queue.lock();
            (queue.ready.len() >= READY, queue.again.len() >= AGAIN)
        };
        if is_ready || is_again {
            return AtHand::TooMuch;
        }
        // The queue is not locked meanwhile, because the input is foreign code.
        match C::polling(|| input.as_mut().poll_next(context)) {
            Poll::Ready(Some(entry)) => self.accept(entry),
            Poll::Ready(None) => self.input = None,
            Poll::Pending => return AtHand::NotNow,
        }
        AtHand::Something
    }

    /// Validates and serializes a record. If that fails, only this record fails.
    fn accept(&mut self, entry: S::Item) {
        let (value, draft) = match entry.into_draft() {
            Ok(entry) => entry,
            Err(error) => {
                self.queue.lock().error = Some(error);
                self.input = None;
                return;
            }
        };
        let written = self.write(draft);
        let mut queue = self.queue.lock();
        let index = queue.taken;
        queue.taken += 1;
        let held = |key, json, idempotent| Held {
            index,
            value,
            key,
            json,
            idempotent,
            attempts: Attempts::default(),
        };
        match written {
            Ok((key, json, idempotent)) => queue.pack(held(key, json, idempotent)),
            Err((key, error)) => {
                let failed = held(key, Bytes::new(), false).fail(error);
                queue.ready.push_back(failed);
            }
        }
    }

    /// Returns the key of a record, its JSON, and whether it may be sent twice.
    #[allow(clippy::type_complexity, reason = "used once")]
    fn write(
        &self,
        mut draft: Draft<<S::Item as RecordEntry>::Operation>,
    ) -> Result<(Option<String>, Bytes, bool), (Option<String>, Error)> {
        type O<E> = <E as RecordEntry>::Operation;
        let client = self.client.as_client();
        O::<S::Item>::complete(&mut draft, client);
        let Draft { record, idempotent, mut violations } = draft;
        let key = O::<S::Item>::key(&record).map(str::to_owned);
        if let (Some(rules), true) = (limits::<O<S::Item>>().0, violations.is_empty()) {
            rules::check("", rules, &record, &mut violations);
        }
        // An invalid record is not serialized: it may be nested infinitely deep.
        let json = if violations.is_empty() { write(&record, &mut violations) } else { Bytes::new() };
        let most = O::<S::Item>::RECORD_BYTES;
        checks::body(&json, client.shared.settings.strict, most, &mut violations);
        match violations.finish() {
            Ok(()) => {
                let idempotent = idempotent || key.is_some();
                Ok((key, json, idempotent))
            }
            Err(error) => Err((key, error)),
        }
    }

    /// Makes the request of a pack. From then on, its records share the bytes of the body.
    fn send(&mut self, mut records: Vec<Held<<S::Item as RecordEntry>::Value>>) -> Packed<S::Item, C> {
        let bytes = records.iter().map(|held| held.json.len() + 1).sum::<usize>() + 1;
        let mut json = BytesMut::with_capacity(bytes);
        json.extend_from_slice(b"[");
        for (index, held) in records.iter().enumerate() {
            if index > 0 {
                json.extend_from_slice(b",");
            }
            json.extend_from_slice(&held.json);
        }
        json.extend_from_slice(b"]");
        let json = json.freeze();
        let mut start = 1;
        for held in &mut records {
            let end = start + held.json.len();
            held.json = json.slice(start..end);
            start = end + 1;
        }
        let idempotent = records.iter().all(|held| held.idempotent);
        self.linger = None;
        let pack = Pack { json, idempotent, operation: PhantomData };
        ((Instant::now(), records), Call::new(&self.client, pack))
    }

    /// Polls a timer. Returns true if this time has come, or if there is no clock.
    fn waited(&mut self, until: Instant, context: &mut Context<'_>) -> bool {
        // Outside of a runtime a timer would panic. In that case the call itself fails, with an error that says so.
        if Handle::try_current().is_err() {
            return true;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        let waited = timer.as_mut().poll(context).is_ready();
        if waited {
            self.timer = None;
        }
        waited
    }
}

fn write(record: &impl serde::Serialize, violations: &mut Violations) -> Bytes {
    if let Ok(json) = serde_json::to_vec(record) {
        return json.into();
    }
    violations.add("", "cannot be written as JSON");
    Bytes::new()
}

/// Sound because the only pinned data is boxed.
impl<S: Stream<Item: RecordEntry>, C> Unpin for Packs<S, C> {}

impl<S: Stream<Item: RecordEntry>, C: AsClient> Stream for Packs<S, C> {
    type Item = Packed<S::Item, C>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let due = {
                let mut queue = this.queue.lock();
                let due = queue.pack_due(Instant::now());
                if let Some(records) = queue.packs.pop_front() {
                    queue.in_flight += 1;
                    drop(queue);
                    return Poll::Ready(Some(this.send(records)));
                }
                due
            };
            let at_hand = this.take(context);
            if matches!(at_hand, AtHand::Something) {
                continue;
            }
            let mut queue = this.queue.lock();
            let is_open = !queue.open.is_empty();
            let is_idle = queue.in_flight == 0;
            if is_open && (is_idle || matches!(at_hand, AtHand::Nothing)) {
                let records = queue.open.take();
                queue.packs.extend(records);
                continue;
            }
            // Records in flight may have to be sent again.
            if matches!(at_hand, AtHand::Nothing) && is_idle && due.is_none() {
                return Poll::Ready(None);
            }
            drop(queue);
            let linger = is_open.then(|| *this.linger.get_or_insert_with(|| Instant::now() + LINGER));
            let Some(next) = due.into_iter().chain(linger).min() else { return Poll::Pending };
            if !this.waited(next, context) {
                return Poll::Pending;
            }
            let mut queue = this.queue.lock();
            if linger.is_some_and(|linger| linger <= next) {
                let records = queue.open.take();
                queue.packs.extend(records);
            } else if Handle::try_current().is_err() {
                // Without a clock nothing would become due.
                queue.again.iter_mut().for_each(|again| again.due = Instant::now());
            }
        }
    }
}
