//! Which faults are tried again, when, and when not any more.
//!
//! The back-off is written out because the crates for it do not fit: `backon` adds its jitter on top of the delay, where full
//! jitter draws from zero to the delay, and neither a server's own delay nor a quota that is shared between calls has a place in
//! its loop.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;

use crate::error::{Error, TimeoutKind};

/// Whether a call surely had no effect: there was no connection to send it over, or it was throttled, which the API decides
/// before it does anything (RFC 6585, 4).
pub(crate) fn was_not_processed(error: &Error) -> bool {
    match error {
        Error::Connection(error) => error.is_before_sending(),
        Error::Timeout(error) => error.kind() == TimeoutKind::Connect,
        Error::Api(error) => error.status() == StatusCode::TOO_MANY_REQUESTS,
        _ => false,
    }
}

/// How often and how quickly a call is retried.
///
/// ```
/// use std::time::Duration;
///
/// use suprsend::{Client, RetryPolicy};
///
/// let policy = RetryPolicy::default().max_attempts(5).base_delay(Duration::from_millis(500));
/// let client = Client::builder().api_key("key").retry(policy).build()?;
/// # Ok::<(), suprsend::Error>(())
/// ```
///
/// Transient errors are retried: no connection or a broken one, an attempt that timed out, and the statuses 408, 429, 500, 502, 503
/// and 504. A call that is not known to be idempotent (a merge, an edit that increments or that appends to a property, a raw
/// POST) is retried only if it surely was not processed: after no connection and after 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

/// Three attempts in all; delays drawn from up to 0.5 s, 1 s, 2 s and so on, never more than 10 s; a server's own delay is
/// waited for up to 30 s.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Creates a policy that sends every call once.
    pub fn off() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets the total number of attempts. Zero counts as one.
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: attempts.max(1), ..self }
    }

    /// Sets the longest delay before the second attempt. It doubles with each further one, and each delay is drawn at random between
    /// zero and that ("full jitter"), so that clients which failed together do not come back together.
    pub fn base_delay(self, delay: Duration) -> Self {
        Self { base_delay: delay, ..self }
    }

    /// Sets the longest delay before any attempt.
    pub fn max_delay(self, delay: Duration) -> Self {
        Self { max_delay: delay, ..self }
    }

    /// Sets the longest `Retry-After` that is waited for; the delay is what it asks for and a random part as above. When the server asks for more, the call fails at once, with what it asks for
    /// in [`Error::retry_after`].
    pub fn max_retry_after(self, delay: Duration) -> Self {
        Self { max_retry_after: delay, ..self }
    }

    /// Whether there may be more than one attempt.
    pub(crate) fn is_on(&self) -> bool {
        self.max_attempts > 1
    }

    /// How long to wait after this failure of this attempt (the first is 1); `None` if that was the last one.
    pub(crate) fn delay(&self, attempt: u32, error: &Error) -> Option<Duration> {
        if attempt >= self.max_attempts || !error.is_retryable() {
            return None;
        }
        let jittered = self.back_off(attempt);
        match error.retry_after() {
            Some(asked) if asked > self.max_retry_after => None,
            // What failed together was asked for the same time: it is not to come back together either.
            Some(asked) => Some(asked.saturating_add(jittered)),
            None => Some(jittered),
        }
    }

    /// A delay after so many failures, without regard to what the server asks for.
    pub(crate) fn back_off(&self, failures: u32) -> Duration {
        self.ceiling(failures).mul_f64(fastrand::f64())
    }

    fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.base_delay.saturating_mul(doublings).min(self.max_delay)
    }
}

/// A token bucket that all clones of a client share: retries take from it, successes give back.
///
/// In an outage the bucket empties and calls are sent once, so that the outage is not multiplied by the number of attempts. The
/// numbers are those of AWS's SDKs: a full bucket allows for 100 retries in a row, or 50 of calls that timed out.
#[derive(Debug)]
pub(crate) struct Quota(Mutex<u32>);

const CAPACITY: u32 = 500;
const COST: u32 = 5;
const COST_OF_TIMEOUT: u32 = 10;
const GAIN: u32 = 1;

impl Quota {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(CAPACITY))
    }

    /// Takes what a retry after this error costs; `None` if there is not enough left.
    pub(crate) fn take(&self, error: &Error) -> Option<u32> {
        let cost = match error {
            Error::Timeout(error) if error.kind() != TimeoutKind::Call => COST_OF_TIMEOUT,
            _ => COST,
        };
        self.change(|tokens| tokens.checked_sub(cost)).then_some(cost)
    }

    /// Gives back what the call's last retry took, or a little where it needed none.
    pub(crate) fn succeeded(&self, taken: Option<u32>) {
        self.change(|tokens| Some(tokens.saturating_add(taken.unwrap_or(GAIN)).min(CAPACITY)));
    }

    fn change(&self, change: impl FnOnce(u32) -> Option<u32>) -> bool {
        // A number is whole even if a thread panicked while it held the lock.
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(*tokens);
        if let Some(changed) = changed {
            *tokens = changed;
        }
        changed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        error::{ApiError, Secrets, TimeoutError},
        raw_response::RawResponse,
    };

    fn refusal(status: StatusCode, retry_after: Option<&str>) -> Error {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        }
        ApiError::new(RawResponse::new(status, headers), &Secrets::default()).into()
    }

    fn busy() -> Error {
        refusal(StatusCode::SERVICE_UNAVAILABLE, None)
    }

    #[test]
    fn delays_are_drawn_from_zero_to_a_bound_that_doubles() {
        let policy = RetryPolicy::default().max_attempts(10);
        for (attempt, bound) in
            [(1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 8000), (6, 10_000), (9, 10_000)]
        {
            let bound = Duration::from_millis(bound);
            let delays: Vec<_> = (0..500).map(|_| policy.delay(attempt, &busy()).unwrap()).collect();
            assert!(delays.iter().all(|delay| *delay <= bound));
            // Full jitter: the whole range is used. That 500 draws all miss a quarter of it has a chance of 10^-62.
            assert!(delays.iter().any(|delay| *delay < bound / 4));
            assert!(delays.iter().any(|delay| *delay > bound * 3 / 4));
        }
    }

    #[test]
    fn attempts_are_counted_in_all() {
        let policy = RetryPolicy::default();
        assert!(policy.delay(2, &busy()).is_some());
        assert!(policy.delay(3, &busy()).is_none());
        assert!(RetryPolicy::off().delay(1, &busy()).is_none());
        assert!(RetryPolicy::default().max_attempts(0).delay(1, &busy()).is_none());
    }

    #[test]
    fn the_servers_own_delay_is_a_minimum_and_bounded() {
        let policy = RetryPolicy::default();
        let delay = |seconds: &str| policy.delay(1, &refusal(StatusCode::TOO_MANY_REQUESTS, Some(seconds)));
        let (asked, spread) = (Duration::from_secs(30), Duration::from_millis(500));
        let delays: Vec<_> = (0..500).map(|_| delay("30").unwrap()).collect();
        assert!(delays.iter().all(|delay| (asked..=asked + spread).contains(delay)));
        assert!(
            delays.iter().any(|delay| *delay > asked + spread / 2),
            "spread, so that not all come back at once"
        );
        assert_eq!(delay("31"), None);
        assert!(delay("0").unwrap() <= Duration::from_millis(500));
    }

    #[test]
    fn refusals_are_final() {
        for status in [400, 401, 403, 404, 409, 413, 422, 501] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(RetryPolicy::default().delay(1, &refusal(status, Some("1"))), None);
        }
    }

    #[test]
    fn the_quota_empties_and_fills() {
        let quota = Quota::new();
        let timeout = TimeoutError::for_attempt(TimeoutKind::Attempt, None, None).into();
        for _ in 0..50 {
            assert_eq!(quota.take(&timeout), Some(10));
        }
        assert_eq!(quota.take(&busy()), None);
        for _ in 0..5 {
            quota.succeeded(None);
        }
        assert_eq!(quota.take(&timeout), None);
        assert_eq!(quota.take(&busy()), Some(5));
        quota.succeeded(Some(5));
        assert_eq!(quota.take(&busy()), Some(5));
        // It never holds more than at first.
        for _ in 0..1000 {
            quota.succeeded(Some(10));
        }
        assert_eq!((0..1000).take_while(|_| quota.take(&busy()).is_some()).count(), 100);
    }

    proptest! {
        #[test]
        fn no_policy_panics(attempt in 1_u32.., base in any::<u64>(), most in any::<u64>()) {
            let policy = RetryPolicy::default()
                .max_attempts(u32::MAX)
                .base_delay(Duration::from_secs(base))
                .max_delay(Duration::from_secs(most));
            let _ = policy.delay(attempt, &busy());
        }
    }
}
