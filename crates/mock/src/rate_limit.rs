//! Limits the rate of requests that a mock server accepts.

use std::time::Duration;

use tokio::time::Instant;

/// The maximum period, so that the clock does not overflow.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A number of requests per period: a bucket of that size, which refills evenly.
///
/// Requests over the limit are answered with 429 and a `Retry-After` header with the number of whole seconds until the next one is
/// accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    requests: u32,
    per: Duration,
}

impl RateLimit {
    /// Allows this number of requests per period: at least one request, in at most a year.
    pub fn new(requests: u32, per: Duration) -> Self {
        Self { requests: requests.max(1), per: per.min(YEAR) }
    }

    /// Returns how long it takes until one more request is allowed.
    fn interval(self) -> Duration {
        self.per / self.requests
    }
}

/// The state of a limit.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Option<(RateLimit, Instant)>);

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        // The state of the bucket is the time at which it will be, or was, full.
        Self(limit.map(|limit| (limit, Instant::now())))
    }

    pub(crate) fn limit(&self) -> Option<RateLimit> {
        self.0.map(|(limit, _)| limit)
    }

    /// Accepts a request, or returns how long to wait.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let Some((limit, full_at)) = &mut self.0 else {
            return Ok(());
        };
        let next = (*full_at).max(now) + limit.interval();
        let over = next.saturating_duration_since(now + limit.per);
        // Rounding may lose nanoseconds for each request, but never gains any.
        if over.is_zero() {
            *full_at = next;
            return Ok(());
        }
        Err(over)
    }
}

impl RateLimit {
    pub(crate) fn requests(self) -> u32 {
        self.requests
    }

    pub(crate) fn per(self) -> Duration {
        self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_taken_and_the_bucket_fills_again() {
        let mut limiter = Limiter::new(Some(RateLimit::new(3, Duration::from_secs(3))));
        let start = Instant::now();
        let taken: Vec<_> = (0..4).map(|_| limiter.take(start)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Ok(()), Err(Duration::from_secs(1))]);
        assert_eq!(limiter.take(start + Duration::from_millis(999)), Err(Duration::from_millis(1)));
        assert_eq!(limiter.take(start + Duration::from_secs(1)), Ok(()));
        assert_eq!(limiter.take(start + Duration::from_secs(1)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn no_limit_overflows() {
        for (requests, per) in [(0, Duration::MAX), (u32::MAX, Duration::ZERO), (1, Duration::MAX)] {
            let mut limiter = Limiter::new(Some(RateLimit::new(requests, per)));
            assert_eq!(limiter.take(Instant::now()), Ok(()));
        }
    }

    #[test]
    fn without_a_limit_everything_is_taken() {
        assert_eq!(Limiter::new(None).take(Instant::now()), Ok(()));
    }
}
