//! What all calls of a stream go by together: how many, how fast, and when not at all.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::time::{Instant, sleep_until};

use super::limit::Limit;
use crate::{Error, RetryPolicy};

/// The longest pause unless the caller sets another.
const MAX_PAUSE: Duration = Duration::from_secs(5 * 60);
/// No pause is longer, whatever the caller and the hub say: a clock cannot show any time.
const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How far requests may catch up with a rate: timers are exact to a millisecond, and rates are not bound to that.
const SLACK: Duration = Duration::from_millis(5);

/// Shared by a stream and its calls.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    limit: Limit,
    rate: Option<Rate>,
    /// Says how pauses grow that the hub does not give the length of.
    policy: RetryPolicy,
    max_pause: Duration,
    paused_until: Option<Instant>,
    /// When the limit was last decreased: what was sent before says nothing new.
    decreased: Option<Instant>,
    /// Decreases since the last answer.
    streak: u32,
    retries: u64,
}

/// A rate of requests, as the time at which the next one is due.
#[derive(Debug)]
struct Rate {
    interval: Duration,
    next: Option<Instant>,
}

/// What a failure says about the hub as a whole.
enum Sign {
    /// It has too much, and says so.
    Throttled,
    /// It did not answer.
    Silent,
    /// It answered, so this is about the one request.
    Answered,
}

impl Sign {
    fn of(error: &Error) -> Self {
        match error {
            Error::Timeout(_) | Error::Connection(_) => Self::Silent,
            error => match error.status() {
                Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => Self::Throttled,
                // A gateway that does not reach the hub.
                Some(StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) => Self::Silent,
                _ => Self::Answered,
            },
        }
    }
}

impl Pace {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self(Mutex::new(State {
            limit: Limit::default(),
            rate: None,
            policy,
            max_pause: MAX_PAUSE,
            paused_until: None,
            decreased: None,
            streak: 0,
            retries: 0,
        }))
    }

    pub(super) fn set_limit(&self, limit: Limit) {
        self.state().limit = limit;
    }

    pub(super) fn set_rate(&self, requests: u32) {
        self.state().rate = Some(Rate { interval: Duration::from_secs(1) / requests.max(1), next: None });
    }

    pub(super) fn set_max_pause(&self, pause: Duration) {
        self.state().max_pause = pause;
    }

    /// How many calls may be under way.
    pub(super) fn limit(&self) -> usize {
        self.state().limit.now()
    }

    /// Whether one more call may be under way than these. If not, as many are as may be.
    pub(super) fn has_room(&self, calls: usize) -> bool {
        let limit = &mut self.state().limit;
        let has_room = calls < limit.now();
        if !has_room {
            limit.reached();
        }
        has_room
    }

    pub(super) fn retries(&self) -> u64 {
        self.state().retries
    }

    /// The policy of a call of the stream: it waits as long as the stream does.
    pub(crate) fn policy(&self, policy: RetryPolicy) -> RetryPolicy {
        policy.max_retry_after(self.state().max_pause)
    }

    /// Waits until this attempt (the first is 1) may be sent, and says how long that was.
    pub(crate) async fn admit(&self, attempt: u32) -> Duration {
        let start = Instant::now();
        if attempt > 1 {
            self.state().retries += 1;
        }
        let mut now = start;
        let mut due = None;
        loop {
            let wait = self.state().wait(&mut due, now);
            let Some(until) = wait else { return now - start };
            sleep_until(until).await;
            now = Instant::now();
        }
    }

    /// A request that was sent then is answered with a success.
    pub(crate) fn answered(&self, sent: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        state.streak = 0;
        state.limit.answered(now - sent, now);
    }

    /// A request that was sent then failed.
    pub(crate) fn failed(&self, sent: Instant, error: &Error) {
        self.state().failed(sent, &Sign::of(error), error.retry_after(), Instant::now());
    }

    /// A request that was sent then was not answered in the time of its call.
    pub(crate) fn not_answered(&self, sent: Instant) {
        self.state().failed(sent, &Sign::Silent, None, Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Until when a request has to wait, if it has to. `due` is its place in the rate, once it has one.
    fn wait(&mut self, due: &mut Option<Instant>, now: Instant) -> Option<Instant> {
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            // Its place passes meanwhile.
            *due = None;
            return Some(until);
        }
        let rate = self.rate.as_mut()?;
        let due = *due.get_or_insert_with(|| rate.take(now));
        (now < due).then_some(due)
    }

    fn failed(&mut self, sent: Instant, sign: &Sign, asked: Option<Duration>, now: Instant) {
        if let Some(asked) = asked {
            self.pause(asked, now);
        }
        if matches!(sign, Sign::Answered) {
            self.streak = 0;
            return;
        }
        if self.decreased.is_some_and(|decreased| sent <= decreased) {
            return;
        }
        self.decreased = Some(now);
        self.limit.overloaded();
        // One connection that breaks is no reason to pause, two in a row are.
        let step = if matches!(sign, Sign::Throttled) { self.streak + 1 } else { self.streak };
        self.streak = self.streak.saturating_add(1);
        if step > 0 && asked.is_none() {
            self.pause(self.policy.back_off(step), now);
        }
    }

    fn pause(&mut self, pause: Duration, now: Instant) {
        let until = now + pause.min(self.max_pause).min(LONGEST_PAUSE);
        self.paused_until = self.paused_until.max(Some(until));
    }
}

impl Rate {
    /// The time at which the next request is due, and one more is taken.
    fn take(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let due = self.next.map_or(now, |next| next.max(earliest));
        self.next = Some(due + self.interval);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn state() -> State {
        let policy = RetryPolicy::default().base_delay(SECOND).max_delay(SECOND * 8);
        Pace::new(policy).0.into_inner().unwrap()
    }

    /// Fails requests that were sent after the last decrease, until the stream pauses for longer than this.
    fn pauses_beyond(state: &mut State, sign: &Sign, pause: Duration) -> bool {
        let mut now = Instant::now();
        (0..200).any(|_| {
            now += SECOND * 60;
            state.failed(now, sign, None, now);
            state.paused_until > Some(now + pause)
        })
    }

    #[test]
    fn throttling_halves_the_limit_once_for_all_that_was_sent_before() {
        let mut state = state();
        let sent = Instant::now();
        for _ in 0..4 {
            state.failed(sent, &Sign::Throttled, None, sent + SECOND);
        }
        assert_eq!(state.limit.now(), 2);
        state.failed(sent + SECOND * 2, &Sign::Throttled, None, sent + SECOND * 3);
        assert_eq!(state.limit.now(), 1);
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_by_all_and_never_shortened() {
        let mut state = state();
        let now = Instant::now();
        state.failed(now, &Sign::Throttled, Some(SECOND * 9), now);
        state.failed(now, &Sign::Throttled, Some(SECOND * 2), now + SECOND);
        assert_eq!(state.wait(&mut None, now + SECOND * 8), Some(now + SECOND * 9));
        assert_eq!(state.wait(&mut None, now + SECOND * 9), None);
    }

    #[test]
    fn a_pause_is_no_longer_than_the_caller_allows() {
        let mut state = state();
        state.max_pause = SECOND * 5;
        let now = Instant::now();
        state.failed(now, &Sign::Throttled, Some(SECOND * 86_400), now);
        assert_eq!(state.wait(&mut None, now), Some(now + SECOND * 5));
    }

    #[test]
    fn no_pause_is_longer_than_a_clock_can_show() {
        let mut state = state();
        state.max_pause = Duration::MAX;
        let now = Instant::now();
        state.failed(now, &Sign::Throttled, Some(Duration::MAX), now);
        assert_eq!(state.wait(&mut None, now), Some(now + LONGEST_PAUSE));
    }

    #[test]
    fn throttling_without_a_time_backs_off_longer_and_longer() {
        assert!(pauses_beyond(&mut state(), &Sign::Throttled, SECOND * 4));
        let mut recovering = state();
        recovering.streak = 0;
        let now = Instant::now();
        recovering.failed(now, &Sign::Throttled, None, now);
        assert!(recovering.paused_until <= Some(now + SECOND), "the first is at most the base delay");
    }

    #[test]
    fn a_single_broken_connection_is_no_reason_to_pause() {
        let mut state = state();
        let now = Instant::now();
        state.failed(now, &Sign::Silent, None, now);
        assert_eq!((state.paused_until, state.limit.now()), (None, 2));
        assert!(pauses_beyond(&mut state, &Sign::Silent, SECOND * 4), "but an outage is");
    }

    #[test]
    fn an_error_of_one_request_changes_nothing() {
        let mut state = state();
        let now = Instant::now();
        state.failed(now, &Sign::Answered, None, now);
        assert_eq!((state.paused_until, state.limit.now(), state.streak), (None, 4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept() {
        let pace = Pace::new(RetryPolicy::default());
        pace.set_rate(50);
        let start = Instant::now();
        for _ in 0..=100 {
            pace.admit(1).await;
        }
        let took = start.elapsed();
        assert!(took.abs_diff(SECOND * 2) < SLACK, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_above_the_resolution_of_timers_is_kept_too() {
        let pace = Pace::new(RetryPolicy::default());
        pace.set_rate(5000);
        let start = Instant::now();
        for _ in 0..10_000 {
            pace.admit(1).await;
        }
        let took = start.elapsed();
        assert!(took.abs_diff(SECOND * 2) < SLACK * 2, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_begins_while_a_request_waits_holds_it_back_too() {
        let pace = Pace::new(RetryPolicy::default());
        pace.set_rate(1);
        assert_eq!(pace.admit(1).await, Duration::ZERO);
        let now = Instant::now();
        let (waited, ()) = tokio::join!(pace.admit(2), async {
            pace.state().failed(now, &Sign::Throttled, Some(SECOND * 7), now);
        });
        assert_eq!(waited.as_secs(), 7);
        assert_eq!(pace.retries(), 1);
    }
}
