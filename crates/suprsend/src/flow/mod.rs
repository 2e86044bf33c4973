//! Flow control shared by all calls of one stream: concurrency, request rate and pauses.
//!
//! It holds a stream back in three ways. The *limit* adapts the number of calls in flight to what the API can handle. A *pause* delays all
//! calls for as long as the API asks for, or for a growing back-off. If consecutive failures suggest that the API is down, there is an
//! *outage*: one call at a time probes the API, and the waiting calls do not fail.

mod limit;

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, sleep_until},
};

pub(crate) use self::limit::Limit;
use crate::{error::Error, retry::RetryPolicy};

/// The default maximum pause.
const MAX_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The upper bound of any pause, whatever the caller and the API ask for: the clock cannot represent arbitrarily distant times.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The default time to wait for the end of an outage.
const MAX_OUTAGE: Duration = Duration::from_secs(10 * 60);
/// The number of consecutive failures that start an outage.
const FAILURES: u32 = 3;
/// The number of calls that may wait in an outage which one of them may cause by itself.
const OTHERS: usize = 4;
/// The time by which requests may catch up with a rate: timers are only exact to a millisecond, rates can be finer.
const SLACK: Duration = Duration::from_millis(5);

/// The state shared by a stream and its calls.
#[derive(Debug)]
pub(crate) struct FlowControl {
    state: Mutex<State>,
    /// Wakes calls that wait for a probe to end.
    probed: Notify,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    rate: Option<Rate>,
    /// Determines the length of pauses when the API does not ask for one.
    policy: RetryPolicy,
    max_pause: Duration,
    max_outage: Duration,
    paused_until: Option<Instant>,
    /// The time at which the limit was last decreased. Failures of requests sent before that provide no new information.
    decreased: Option<Instant>,
    /// The number of decreases since the last response.
    streak: u32,
    row: Row,
    outage: Option<Outage>,
    /// Whether an outage took longer than the maximum.
    is_over: bool,
    retries: u64,
}

/// The consecutive failures since the last response of the API.
#[derive(Debug)]
struct Row {
    /// Distinguishes this row from earlier ones.
    number: NonZeroU32,
    failures: u32,
    /// The number of distinct calls that failed.
    calls: u32,
}

impl Row {
    const FIRST: Self = Self { number: NonZeroU32::MIN, failures: 0, calls: 0 };

    fn next(&self) -> Self {
        Self { number: self.number.checked_add(1).unwrap_or(NonZeroU32::MIN), ..Self::FIRST }
    }
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    /// The last failure, with its causes.
    cause: Box<str>,
    /// The number of failed probes.
    probes: u32,
    probing: bool,
    /// Whether the last failure may be the fault of the calls in flight.
    may_be_calls: bool,
}

/// A request rate, stored as the time at which the next request is due.
#[derive(Debug)]
struct Rate {
    interval: Duration,
    next: Option<Instant>,
}

/// A stream's knowledge about one of its calls. It is small, because it is part of the future of every call.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    /// The last row of failures in which the call was counted, or was the probe.
    row: Option<NonZeroU32>,
    /// The number of attempts that failed because of an outage rather than the call itself.
    held: u16,
    probes: bool,
}

impl Ticket {
    /// Returns how many of these attempts count against the call.
    pub(crate) fn counted(&self, attempts: u32) -> u32 {
        attempts.saturating_sub(self.held.into())
    }

    pub(crate) fn hold(&mut self) {
        self.held = self.held.saturating_add(1);
    }
}

/// The information that a failure provides about the API as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// It is overloaded and says so.
    Throttled,
    /// It did not respond.
    Silent,
    /// It is out of order, or this particular request makes it fail.
    Failing,
    /// It responded, or the failure is final: waiting for the API would not help.
    Answered,
}

impl From<&Error> for Signal {
    fn from(error: &Error) -> Self {
        match error {
            // Waiting does not make a certificate trusted.
            Error::Connection(error) if !error.is_retryable() => Self::Answered,
            Error::Timeout(_) | Error::Connection(_) => Self::Silent,
            error => match error.status() {
                Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => Self::Throttled,
                // A gateway that cannot reach the API.
                Some(StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) => Self::Silent,
                Some(StatusCode::INTERNAL_SERVER_ERROR) => Self::Failing,
                _ => Self::Answered,
            },
        }
    }
}

/// The event that a request must wait for before it may be sent.
enum Wait {
    Nothing,
    Until(Instant),
    /// The end of another call's probe.
    Probe,
}

impl FlowControl {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        let state = State {
            limit: Limit::default(),
            rate: None,
            policy,
            max_pause: MAX_PAUSE,
            max_outage: MAX_OUTAGE,
            paused_until: None,
            decreased: None,
            streak: 0,
            row: Row::FIRST,
            outage: None,
            is_over: false,
            retries: 0,
        };
        Self { state: Mutex::new(state), probed: Notify::new() }
    }

    pub(crate) fn set_limit(&self, limit: Limit) {
        self.state().limit = limit;
    }

    pub(crate) fn set_rate(&self, requests: u32) {
        self.state().rate = Some(Rate { interval: Duration::from_secs(1) / requests.max(1), next: None });
    }

    pub(crate) fn set_max_pause(&self, pause: Duration) {
        self.state().max_pause = pause;
    }

    pub(crate) fn set_max_outage(&self, outage: Duration) {
        self.state().max_outage = outage;
    }

    /// Returns the maximum number of calls in flight.
    pub(crate) fn limit(&self) -> usize {
        self.state().limit.now()
    }

    /// Returns whether one more call may be in flight in addition to these. If not, the limit counts as reached.
    pub(crate) fn has_room(&self, calls: usize) -> bool {
        let mut state = self.state();
        // More calls would only wait. But if the calls in flight themselves make the API fail, others have to show that it works.
        let most = match &state.outage {
            Some(outage) if outage.may_be_calls => OTHERS,
            Some(_) => 1,
            None => usize::MAX,
        };
        if calls >= most {
            return false;
        }
        let has_room = calls < state.limit.now();
        if !has_room {
            state.limit.reached();
        }
        has_room
    }

    /// Returns whether an outage took longer than the maximum.
    pub(crate) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Lets another call probe the API if this one did, and ended without a result: it was dropped, or could not be sent.
    pub(crate) fn leave(&self, ticket: &Ticket) {
        let mut state = self.state();
        if state.is_probed_by(ticket)
            && let Some(outage) = &mut state.outage
        {
            outage.probing = false;
            drop(state);
            self.probed.notify_waiters();
        }
    }

    /// Returns when the current outage of the stream started, and its last failure.
    pub(crate) fn outage(&self) -> Option<(Instant, Box<str>)> {
        let state = self.state();
        state.outage.as_ref().map(|outage| (outage.since, outage.cause.clone()))
    }

    pub(crate) fn retries(&self) -> u64 {
        self.state().retries
    }

    /// Returns the retry policy for a call of the stream, which waits for as long as the stream does.
    pub(crate) fn policy(&self, policy: RetryPolicy) -> RetryPolicy {
        policy.max_retry_after(self.state().max_pause)
    }

    /// Waits until this attempt (the first is 1) may be sent, and returns how long that took.
    pub(crate) async fn admit(&self, attempt: u32, ticket: &mut Ticket) -> Duration {
        let start = Instant::now();
        if attempt > 1 {
            self.state().retries += 1;
        }
        let mut now = start;
        let mut due = None;
        loop {
            // Created before the state is read, so that no wake-up is missed.
            let probed = self.probed.notified();
            let wait = self.state().wait(ticket, &mut due, now);
            match wait {
                Wait::Nothing => return now - start,
                Wait::Until(until) => sleep_until(until).await,
                Wait::Probe => probed.await,
            }
            now = Instant::now();
        }
    }

    /// Records the success of a request that was sent at this time.
    pub(crate) fn answered(&self, sent: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        state.heard();
        state.limit.answered(now - sent, now);
        drop(state);
        self.probed.notify_waiters();
    }

    /// Records the failure of a request that was sent at this time. Returns true if the stream should wait, instead of failing the call.
    pub(crate) fn failed(&self, sent: Instant, error: &Error, ticket: &mut Ticket) -> bool {
        let mut state = self.state();
        let held = state.failed(sent, error.into(), error.retry_after(), ticket, Instant::now());
        state.explain(|| format!("{error:#}"));
        drop(state);
        self.probed.notify_waiters();
        held
    }

    /// Records that the API responded to a request that was sent at this time, but rejected a part of it because of throttling.
    pub(crate) fn throttled(&self, sent: Instant) {
        self.state().slow_down(sent, Signal::Throttled, Instant::now());
    }

    /// Records that a request that was sent at this time got no response within the timeout of its call. Returns true if the stream should
    /// wait, instead of failing the call.
    pub(crate) fn not_answered(&self, sent: Instant, ticket: &mut Ticket) -> bool {
        let mut state = self.state();
        let held = state.failed(sent, Signal::Silent, None, ticket, Instant::now());
        state.explain(|| "a call was not answered in its time".to_owned());
        drop(state);
        self.probed.notify_waiters();
        held
    }

    /// Waits for the next response or failure.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.probed.notified()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns what a request must wait for before it is sent. `due` is its reserved time in the rate, if it has one.
    fn wait(&mut self, ticket: &mut Ticket, due: &mut Option<Instant>, now: Instant) -> Wait {
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            // Its reserved time passes meanwhile.
            *due = None;
            return Wait::Until(until);
        }
        let probes = self.is_probed_by(ticket);
        if let Some(outage) = self.outage.as_mut().filter(|_| !self.is_over && !probes) {
            if outage.probing {
                *due = None;
                return Wait::Probe;
            }
            (outage.probing, ticket.probes, ticket.row) = (true, true, Some(self.row.number));
        }
        let Some(rate) = &mut self.rate else { return Wait::Nothing };
        let due = *due.get_or_insert_with(|| rate.take(now));
        if now < due { Wait::Until(due) } else { Wait::Nothing }
    }

    /// Returns whether a call probes the API in the current outage. It may have been the probe of an earlier one.
    fn is_probed_by(&self, ticket: &Ticket) -> bool {
        ticket.probes && ticket.row == Some(self.row.number)
    }

    /// Records that the API responded, with whatever result.
    fn heard(&mut self) {
        self.streak = 0;
        self.row = self.row.next();
        self.outage = None;
    }

    fn failed(
        &mut self,
        sent: Instant,
        signal: Signal,
        asked: Option<Duration>,
        ticket: &mut Ticket,
        now: Instant,
    ) -> bool {
        let probed = self.is_probed_by(ticket);
        ticket.probes = false;
        if signal == Signal::Answered {
            self.heard();
            return false;
        }
        self.count(signal, ticket, now);
        if let Some(outage) = self.outage.as_mut().filter(|_| probed) {
            outage.probing = false;
            outage.probes = outage.probes.saturating_add(1);
            let back_off = self.policy.back_off(outage.probes.saturating_add(1));
            self.pause(back_off, now);
        }
        if let Some(asked) = asked {
            self.pause(asked, now);
        }
        self.slow_down(sent, signal, now);
        match &self.outage {
            Some(outage) if now.duration_since(outage.since) < self.max_outage => true,
            Some(_) => {
                // Let the waiting calls end, too.
                (self.is_over, self.paused_until) = (true, None);
                false
            }
            None => false,
        }
    }

    /// Records the cause of the outage, if there is one.
    fn explain(&mut self, cause: impl FnOnce() -> String) {
        if let Some(outage) = &mut self.outage {
            outage.cause = cause().into();
        }
    }

    /// Counts a failure, and starts an outage after enough consecutive ones. A single request may make the API fail, so failures that could
    /// be caused by the request must affect two of them.
    fn count(&mut self, signal: Signal, ticket: &mut Ticket, now: Instant) {
        let row = &mut self.row;
        row.failures = row.failures.saturating_add(1);
        if ticket.row != Some(row.number) {
            ticket.row = Some(row.number);
            row.calls += 1;
        }
        let calls = if signal == Signal::Failing { 2 } else { 1 };
        if row.failures >= FAILURES && row.calls >= calls {
            let new =
                || Outage { since: now, cause: "".into(), probes: 0, probing: false, may_be_calls: false };
            self.outage.get_or_insert_with(new).may_be_calls = signal == Signal::Failing;
        }
    }

    /// Lowers the limit, and pauses if the API does not say for how long.
    fn slow_down(&mut self, sent: Instant, signal: Signal, now: Instant) {
        if signal == Signal::Failing || self.decreased.is_some_and(|decreased| sent <= decreased) {
            return;
        }
        self.decreased = Some(now);
        self.limit.overloaded();
        // One broken connection is no reason to pause; two in a row are.
        let step = if signal == Signal::Throttled { self.streak + 1 } else { self.streak };
        self.streak = self.streak.saturating_add(1);
        if step > 0 {
            // Pause at least this long, however little the API asks for.
            self.pause(self.policy.back_off(step), now);
        }
    }

    fn pause(&mut self, pause: Duration, now: Instant) {
        if self.is_over {
            return;
        }
        let mut until = now + pause.min(self.max_pause).min(LONGEST_PAUSE);
        // The last probe is made when the time for the outage ends, however long the API asks to wait.
        if let Some(end) = self.outage.as_ref().and_then(|outage| outage.since.checked_add(self.max_outage)) {
            until = until.min(end.max(now));
        }
        self.paused_until = self.paused_until.max(Some(until));
    }
}

impl Rate {
    /// Returns the time at which the next request is due, and reserves it.
    fn take(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        let due = self.next.map_or(now, |next| next.max(earliest));
        self.next = Some(due + self.interval);
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::ConnectionError;

    const SECOND: Duration = Duration::from_secs(1);

    fn state() -> State {
        let policy = RetryPolicy::default().base_delay(SECOND).max_delay(SECOND * 8);
        FlowControl::new(policy).state.into_inner().unwrap()
    }

    /// Fails a request that belongs to a call of its own.
    fn fail(state: &mut State, sent: Instant, signal: Signal, asked: Option<Duration>, now: Instant) -> bool {
        state.failed(sent, signal, asked, &mut Ticket::default(), now)
    }

    /// Returns until when a new call has to wait.
    fn wait(state: &mut State, now: Instant) -> Option<Instant> {
        match state.wait(&mut Ticket::default(), &mut None, now) {
            Wait::Until(until) => Some(until),
            Wait::Nothing | Wait::Probe => None,
        }
    }

    /// Fails requests that were sent after the last decrease, until the stream pauses for longer than this.
    fn pauses_beyond(state: &mut State, signal: Signal, pause: Duration) -> bool {
        // Otherwise only the first ten minutes count, in which no pause may be long by chance.
        state.max_outage = LONGEST_PAUSE;
        let mut now = Instant::now();
        (0..200).any(|_| {
            now += SECOND * 60;
            fail(state, now, signal, None, now);
            state.paused_until > Some(now + pause)
        })
    }

    #[test]
    fn throttling_halves_the_limit_once_for_all_that_was_sent_before() {
        let mut state = state();
        let sent = Instant::now();
        for _ in 0..4 {
            fail(&mut state, sent, Signal::Throttled, None, sent + SECOND);
        }
        assert_eq!(state.limit.now(), 2);
        fail(&mut state, sent + SECOND * 2, Signal::Throttled, None, sent + SECOND * 3);
        assert_eq!(state.limit.now(), 1);
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_by_all_and_never_shortened() {
        let mut state = state();
        let now = Instant::now();
        fail(&mut state, now, Signal::Throttled, Some(SECOND * 9), now);
        fail(&mut state, now, Signal::Throttled, Some(SECOND * 2), now + SECOND);
        assert_eq!(wait(&mut state, now + SECOND * 8), Some(now + SECOND * 9));
        assert_eq!(wait(&mut state, now + SECOND * 9), None);
    }

    #[test]
    fn a_pause_is_no_longer_than_the_caller_allows() {
        let mut state = state();
        state.max_pause = SECOND * 5;
        let now = Instant::now();
        fail(&mut state, now, Signal::Throttled, Some(SECOND * 86_400), now);
        assert_eq!(wait(&mut state, now), Some(now + SECOND * 5));
    }

    #[test]
    fn no_pause_is_longer_than_a_clock_can_show() {
        let mut state = state();
        state.max_pause = Duration::MAX;
        let now = Instant::now();
        fail(&mut state, now, Signal::Throttled, Some(Duration::MAX), now);
        assert_eq!(wait(&mut state, now), Some(now + LONGEST_PAUSE));
    }

    #[test]
    fn throttling_without_a_time_backs_off_longer_and_longer() {
        assert!(pauses_beyond(&mut state(), Signal::Throttled, SECOND * 4));
        let mut recovering = state();
        recovering.streak = 0;
        let now = Instant::now();
        fail(&mut recovering, now, Signal::Throttled, None, now);
        assert!(recovering.paused_until <= Some(now + SECOND), "the first is at most the base delay");
    }

    #[test]
    fn a_single_broken_connection_is_no_reason_to_pause() {
        let mut state = state();
        let now = Instant::now();
        fail(&mut state, now, Signal::Silent, None, now);
        assert_eq!((state.paused_until, state.limit.now()), (None, 2));
        assert!(pauses_beyond(&mut state, Signal::Silent, SECOND * 4), "but an outage is");
    }

    #[test]
    fn an_error_of_one_request_changes_nothing() {
        let mut state = state();
        let now = Instant::now();
        fail(&mut state, now, Signal::Answered, None, now);
        assert_eq!((state.paused_until, state.limit.now(), state.streak), (None, 4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept() {
        let flow = FlowControl::new(RetryPolicy::default());
        flow.set_rate(50);
        let start = Instant::now();
        for _ in 0..=100 {
            flow.admit(1, &mut Ticket::default()).await;
        }
        let took = start.elapsed();
        assert!(took.abs_diff(SECOND * 2) < SLACK, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_above_the_resolution_of_timers_is_kept_too() {
        let flow = FlowControl::new(RetryPolicy::default());
        flow.set_rate(5000);
        let start = Instant::now();
        for _ in 0..10_000 {
            flow.admit(1, &mut Ticket::default()).await;
        }
        let took = start.elapsed();
        assert!(took.abs_diff(SECOND * 2) < SLACK * 2, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_begins_while_a_request_waits_holds_it_back_too() {
        let flow = FlowControl::new(RetryPolicy::default());
        flow.set_rate(1);
        assert_eq!(flow.admit(1, &mut Ticket::default()).await, Duration::ZERO);
        let now = Instant::now();
        let mut ticket = Ticket::default();
        let (waited, ()) = tokio::join!(flow.admit(2, &mut ticket), async {
            fail(&mut flow.state(), now, Signal::Throttled, Some(SECOND * 7), now);
        });
        assert_eq!(waited.as_secs(), 7);
        assert_eq!(flow.retries(), 1);
    }

    #[test]
    fn a_hub_that_asks_for_nothing_is_left_alone_all_the_same() {
        let mut state = state();
        let mut now = Instant::now();
        let longest = (0..200).filter_map(|_| {
            now += SECOND * 60;
            fail(&mut state, now, Signal::Throttled, Some(Duration::ZERO), now);
            Some(state.paused_until? - now)
        });
        assert!(longest.max() > Some(SECOND * 4));
    }

    #[test]
    fn what_is_about_one_request_does_not_pause_the_stream() {
        let mut state = state();
        let now = Instant::now();
        fail(&mut state, now, Signal::Answered, Some(SECOND * 60), now);
        assert_eq!(state.paused_until, None);
    }

    #[test]
    fn nobody_waits_after_a_failure_that_is_final() {
        let cause = Arc::new(std::io::Error::other("the certificate is not trusted"));
        let failure = |retryable| {
            let error = ConnectionError::new("cannot connect", retryable, None, cause.clone());
            Signal::from(&Error::from(error))
        };
        assert_eq!((failure(true), failure(false)), (Signal::Silent, Signal::Answered));
    }

    #[test]
    fn failures_in_a_row_hold_the_stream_until_a_probe_is_answered() {
        let mut state = state();
        let mut now = Instant::now();
        assert!(!fail(&mut state, now, Signal::Silent, None, now));
        assert!(!fail(&mut state, now, Signal::Silent, None, now));
        assert!(fail(&mut state, now, Signal::Silent, None, now), "it is the stream's to wait");

        // One at a time.
        now += SECOND * 60;
        let (mut probe, mut other) = (Ticket::default(), Ticket::default());
        assert!(matches!(state.wait(&mut probe, &mut None, now), Wait::Nothing));
        assert!(matches!(state.wait(&mut other, &mut None, now), Wait::Probe));
        assert!(state.failed(now, Signal::Silent, None, &mut probe, now));
        now += SECOND * 60;
        assert!(matches!(state.wait(&mut other, &mut None, now), Wait::Nothing));
        state.heard();
        assert!(matches!(state.wait(&mut probe, &mut None, now), Wait::Nothing));
        assert!(!fail(&mut state, now, Signal::Silent, None, now));
    }

    /// Puts the flow control into an outage, and returns the time after its pause.
    fn out_of_order(flow: &FlowControl) -> Instant {
        let now = Instant::now();
        for _ in 0..3 {
            fail(&mut flow.state(), now, Signal::Silent, None, now);
        }
        now + SECOND * 60
    }

    #[test]
    fn a_probe_that_ends_without_a_result_makes_room_for_another() {
        let flow = FlowControl::new(RetryPolicy::default());
        let now = out_of_order(&flow);
        let (mut first, mut second) = (Ticket::default(), Ticket::default());
        assert!(matches!(flow.state().wait(&mut first, &mut None, now), Wait::Nothing));
        flow.leave(&second);
        assert!(matches!(flow.state().wait(&mut second, &mut None, now), Wait::Probe));
        flow.leave(&first);
        assert!(matches!(flow.state().wait(&mut second, &mut None, now), Wait::Nothing));
    }

    #[test]
    fn a_probe_of_an_earlier_outage_is_not_one_of_the_current() {
        let flow = FlowControl::new(RetryPolicy::default());
        let now = out_of_order(&flow);
        let (mut earlier, mut current) = (Ticket::default(), Ticket::default());
        assert!(matches!(flow.state().wait(&mut earlier, &mut None, now), Wait::Nothing));
        flow.state().heard();
        let now = out_of_order(&flow);
        assert!(matches!(flow.state().wait(&mut current, &mut None, now), Wait::Nothing));
        assert!(matches!(flow.state().wait(&mut earlier, &mut None, now), Wait::Probe));
        flow.leave(&earlier);
        assert!(matches!(flow.state().wait(&mut Ticket::default(), &mut None, now), Wait::Probe));
    }

    #[test]
    fn one_request_that_the_hub_cannot_bear_is_no_outage() {
        let mut state = state();
        let now = Instant::now();
        let mut ticket = Ticket::default();
        for _ in 0..10 {
            assert!(!state.failed(now, Signal::Failing, None, &mut ticket, now));
        }
        assert!(fail(&mut state, now, Signal::Failing, None, now), "two are");
    }

    #[test]
    fn an_outage_is_waited_out_for_a_time() {
        let mut state = state();
        state.max_outage = SECOND * 30;
        let now = Instant::now();
        for _ in 0..3 {
            fail(&mut state, now, Signal::Silent, None, now);
        }
        assert!(fail(&mut state, now, Signal::Silent, None, now + SECOND * 29));
        assert!(!state.is_over);
        assert!(!fail(&mut state, now, Signal::Silent, None, now + SECOND * 30));
        assert!(state.is_over);
    }
}
