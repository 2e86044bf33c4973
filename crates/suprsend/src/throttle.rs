//! Flow control for calls that are not sent by a stream.

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::select;
use tokio::sync::Notify;

use crate::{
    bulk::Outage,
    client::Client,
    flow::{FlowControl, LONGEST_PAUSE, Limit},
};

/// Flow control shared by calls that are made one at a time, such as those of a worker that takes them from a queue.
///
/// It works like that of [`Client::send_all`]: when the API throttles one call, all of them pause for as long as the API asks, and fewer
/// are sent at a time afterwards. After three consecutive failures that suggest an outage, one call at a time probes whether the API is
/// back while the others wait. Unlike a stream, a throttle never gives up, so set a time limit of your own where that matters. Only a call
/// that can be repeated by its idempotency key alone fails after 23 hours, because SuprSend recognizes keys for 24 hours. Clones share the
/// flow control.
///
/// ```no_run
/// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
/// let throttle = client.throttle();
/// // In every task of the worker:
/// let permit = throttle.permit().await;
/// client.users().upsert("jane").email("jane@example.com").throttle(&throttle).await?;
/// drop(permit);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Throttle {
    flow: Arc<FlowControl>,
    room: Arc<Room>,
}

/// The permits that are in use.
#[derive(Debug, Default)]
struct Room {
    taken: Mutex<usize>,
    freed: Notify,
}

impl Room {
    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the calls in flight, returned by [`Throttle::permit`]. Dropping it frees the place.
#[derive(Debug)]
#[must_use = "the place is free again as soon as the permit is dropped"]
pub struct Permit {
    room: Arc<Room>,
}

impl Client {
    /// Creates flow control for calls that are made one at a time. Its back-off is that of the client's retry policy.
    pub fn throttle(&self) -> Throttle {
        let flow = FlowControl::new(self.shared.settings.retry.clone());
        flow.set_max_outage(LONGEST_PAUSE);
        Throttle { flow: Arc::new(flow), room: Arc::default() }
    }
}

impl Throttle {
    /// Lets the number of permits vary between these bounds. Defaults to 1 and 64. Zero counts as one. A maximum below the minimum counts
    /// as the minimum.
    pub fn adaptive_concurrency(self, min: usize, max: usize) -> Self {
        self.flow.set_limit(Limit::between(min, max));
        self
    }

    /// Limits the number of requests per second, including retries. Zero counts as one. Unlimited by default.
    pub fn max_rate(self, requests: u32) -> Self {
        self.flow.set_rate(requests);
        self
    }

    /// Limits the time that calls wait when the API asks for it. Defaults to 5 min.
    ///
    /// If the API asks for more, the calls that received that response fail, with the requested time in
    /// [`Error::retry_after`](crate::Error::retry_after).
    pub fn max_pause(self, pause: Duration) -> Self {
        self.flow.set_max_pause(pause);
        self
    }

    /// Returns the number of permits that may currently be in use.
    pub fn concurrency(&self) -> usize {
        self.flow.limit()
    }

    /// Returns the outage that currently holds back the calls, if there is one.
    pub fn outage(&self) -> Option<Outage> {
        self.flow.outage().map(|(since, cause)| Outage::new(since.elapsed(), cause))
    }

    /// Waits for a place among the calls in flight. Cancel safe.
    pub async fn permit(&self) -> Permit {
        loop {
            // Created before the count is read, so that no wake-up is missed.
            let freed = pin!(self.room.freed.notified());
            let changed = pin!(self.flow.changed());
            {
                let mut taken = self.room.taken();
                if self.flow.has_room(*taken) {
                    *taken += 1;
                    break;
                }
            }
            select(freed, changed).await;
        }
        Permit { room: Arc::clone(&self.room) }
    }

    pub(crate) fn flow(&self) -> Arc<FlowControl> {
        Arc::clone(&self.flow)
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("concurrency", &self.concurrency())
            .field("in_flight", &*self.room.taken())
            .finish_non_exhaustive()
    }
}

/// Frees the place and wakes all waiters: the response may have raised the limit before.
impl Drop for Permit {
    fn drop(&mut self) {
        *self.room.taken() -= 1;
        self.room.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Poll};

    use super::*;

    #[tokio::test]
    async fn permits_are_bounded_and_come_back() {
        let client = Client::builder().api_key("key").build().unwrap();
        let throttle = client.throttle().adaptive_concurrency(2, 2);
        let (first, _second) = (throttle.permit().await, throttle.permit().await);
        let other = throttle.clone();
        let mut third = pin!(other.permit());
        std::future::poll_fn(|context| {
            assert!(third.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(first);
        let _permit = third.await;
    }
}
