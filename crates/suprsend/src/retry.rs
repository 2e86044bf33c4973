//! The retry policy: which errors are retried, when, and how often.
//!
//! The back-off is implemented here because the crates for it do not fit: `backon` adds its jitter on top of the delay, where full jitter
//! draws from zero to the delay, and its loop has no place for a server's own delay or for a quota shared between calls.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;

use crate::error::{Error, TimeoutKind};

/// Returns whether a call certainly had no effect: there was no connection to send it over, or it was throttled (RFC 6585, 4) or its key was
/// not accepted, which the API decides before it does anything.
pub(crate) fn was_not_processed(error: &Error) -> bool {
    match error {
        Error::Connection(error) => error.is_before_sending(),
        Error::Timeout(error) => error.kind() == TimeoutKind::Connect,
        Error::Api(error) => matches!(
            error.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        ),
        _ => false,
    }
}

/// The policy for how often and how quickly a call is retried.
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
/// Transient errors are retried: no connection or a broken one, a timed-out attempt, and the statuses 408, 429, 500, 502, 503 and 504.
/// A call that is not known to be idempotent (a merge, an edit that increments or appends to a property, a raw POST) is retried only if it
/// certainly was not processed: if there was no connection, or after 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

/// Three attempts in all, with delays drawn from up to 0.5 s, 1 s, 2 s and so on, never more than 10 s. A server's own delay is respected
/// up to 30 s.
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

    /// Sets the upper bound of the delay before the second attempt. The bound doubles with each further attempt. Each delay is drawn at
    /// random between zero and the bound ("full jitter"), so that clients that failed together do not retry together.
    pub fn base_delay(self, delay: Duration) -> Self {
        Self { base_delay: delay, ..self }
    }

    /// Sets the upper bound of the delay before any attempt.
    pub fn max_delay(self, delay: Duration) -> Self {
        Self { max_delay: delay, ..self }
    }

    /// Sets the longest `Retry-After` to wait for. The delay is the requested time plus a random part as above. If the server asks for
    /// more, the call fails at once, with the requested time in [`Error::retry_after`].
    pub fn max_retry_after(self, delay: Duration) -> Self {
        Self { max_retry_after: delay, ..self }
    }

    /// Returns whether there may be more than one attempt.
    pub(crate) fn is_on(&self) -> bool {
        self.max_attempts > 1
    }

    /// Returns how long to wait after this failure of this attempt (the first is 1), or `None` if it was the last one.
    pub(crate) fn delay(&self, attempt: u32, error: &Error) -> Option<Duration> {
        if attempt >= self.max_attempts || !error.is_retryable() {
            return None;
        }
        let jittered = self.back_off(attempt);
        match error.retry_after() {
            Some(asked) if asked > self.max_retry_after => None,
            // Calls that failed together were given the same time, but must not retry together either.
            Some(asked) => Some(asked.saturating_add(jittered)),
            None => Some(jittered),
        }
    }

    /// Returns a delay after this number of failures, regardless of the server's own delay.
    pub(crate) fn back_off(&self, failures: u32) -> Duration {
        self.ceiling(failures).mul_f64(fastrand::f64())
    }

    fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.base_delay.saturating_mul(doublings).min(self.max_delay)
    }
}

/// A token bucket that all clones of a client share: retries take tokens, successes return them.
///
/// In an outage the bucket empties. Then calls are sent only once, so that the number of attempts does not multiply the load. The numbers
/// are those of AWS's SDKs: a full bucket allows 100 retries in a row, or 50 of calls that timed out.
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

    /// Takes the cost of a retry after this error. Returns `None` if there are not enough tokens left.
    pub(crate) fn take(&self, error: &Error) -> Option<u32> {
        let cost = match error {
            Error::Timeout(error) if error.kind() != TimeoutKind::Call => COST_OF_TIMEOUT,
            _ => COST,
        };
        self.change(|tokens| tokens.checked_sub(cost)).then_some(cost)
    }

    /// Returns the tokens that the call's last retry took, or a few if it needed none.
    pub(crate) fn succeeded(&self, taken: Option<u32>) {
        self.change(|tokens| Some(tokens.saturating_add(taken.unwrap_or(GAIN)).min(CAPACITY)));
    }

    fn change(&self, change: impl FnOnce(u32) -> Option<u32>) -> bool {
        // The number is valid even if a thread panicked while it held the lock.
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
            // Full jitter uses the whole range. The probability that 500 draws all miss a quarter of it is 10^-62.
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
        // The bucket never holds more than its initial number.
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
