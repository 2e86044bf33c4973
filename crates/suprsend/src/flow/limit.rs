//! Limits the calls in flight: additive increase while the latency is stable, multiplicative decrease when the API is overloaded.
//!
//! Callers pass in the time, so this is a plain state machine.

use std::time::Duration;

use tokio::time::Instant;

/// The default bounds.
const MIN: usize = 1;
const MAX: usize = 64;
/// The initial number of calls in flight: enough to observe what the API can handle, but no burst.
const START: usize = 4;

/// The latency counts as stable up to this multiple of the base latency.
const TOLERANCE: u32 = 2;
/// Differences below this may be caused by the scheduler and say nothing about the API.
const NOISE: Duration = Duration::from_millis(1);
/// The time for which a base is used for comparison. After that it is measured again, because the API may have become permanently slower.
const BASE_AGE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Limit {
    min: usize,
    max: usize,
    now: usize,
    /// Whether there was no sign of overload yet, so that each round may double the limit.
    searching: bool,
    base: Option<Base>,
    round: Round,
}

/// The latency to compare with: that of the fastest round since the last measurement started.
#[derive(Debug, Clone, Copy)]
struct Base {
    latency: Duration,
    measured: Instant,
}

/// A number of responses equal to the limit, and their total latency.
#[derive(Debug, Default)]
struct Round {
    answers: u32,
    latency: Duration,
    /// Whether the limit was reached. If not, the round does not show how the API handles more calls.
    full: bool,
}

impl Default for Limit {
    fn default() -> Self {
        Self::between(MIN, MAX)
    }
}

impl Limit {
    pub(crate) fn between(min: usize, max: usize) -> Self {
        let min = min.max(1);
        let max = max.max(min);
        Self { min, max, now: START.clamp(min, max), searching: true, base: None, round: Round::default() }
    }

    pub(crate) fn now(&self) -> usize {
        self.now
    }

    /// Records that the limit was reached.
    pub(crate) fn reached(&mut self) {
        self.round.full = true;
    }

    /// Records a response with this latency.
    pub(crate) fn answered(&mut self, latency: Duration, now: Instant) {
        self.round.answers += 1;
        self.round.latency += latency;
        if self.round.answers as usize >= self.now {
            let round = std::mem::take(&mut self.round);
            self.judge(round.latency / round.answers, round.full, now);
        }
    }

    /// Records that the API is overloaded.
    pub(crate) fn overloaded(&mut self) {
        self.halve();
        self.base = None;
        self.round = Round::default();
    }

    fn judge(&mut self, latency: Duration, full: bool, now: Instant) {
        let base = match self.base {
            Some(base) if base.latency <= latency => base,
            _ => *self.base.insert(Base { latency, measured: now }),
        };
        if latency <= base.latency * TOLERANCE + NOISE {
            if full {
                self.now = (self.now + if self.searching { self.now } else { 1 }).min(self.max);
            }
        } else if now.duration_since(base.measured) > BASE_AGE {
            // If half as many calls are just as slow, their number is not the cause.
            self.overloaded();
        } else if self.searching {
            // The last doubling was too much.
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.now = (self.now / 2).max(self.min);
        self.searching = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates responses of an API whose latency depends on the number of calls in flight, for a number of rounds.
    fn run(limit: &mut Limit, rounds: usize, now: &mut Instant, latency: impl Fn(usize) -> Duration) {
        for _ in 0..rounds {
            let calls = limit.now();
            let latency = latency(calls);
            *now += latency;
            limit.reached();
            for _ in 0..calls {
                limit.answered(latency, *now);
            }
        }
    }

    fn milliseconds(milliseconds: usize) -> Duration {
        Duration::from_millis(milliseconds.try_into().unwrap())
    }

    #[test]
    fn it_starts_modestly_and_rises_to_its_maximum_while_latency_holds() {
        let (mut limit, mut now) = (Limit::default(), Instant::now());
        assert_eq!(limit.now(), 4);
        run(&mut limit, 2, &mut now, |_| milliseconds(50));
        assert_eq!(limit.now(), 16);
        run(&mut limit, 10, &mut now, |_| milliseconds(50));
        assert_eq!(limit.now(), 64);
    }

    #[test]
    fn it_stops_rising_where_latency_does() {
        // An API that handles ten calls at a time.
        let latency = |calls: usize| milliseconds(50 * calls.max(10) / 10);
        let (mut limit, mut now) = (Limit::default(), Instant::now());
        run(&mut limit, 100, &mut now, latency);
        assert!((10..=21).contains(&limit.now()), "{}", limit.now());
    }

    #[test]
    fn it_halves_on_overload_and_then_rises_by_one_a_round() {
        let (mut limit, mut now) = (Limit::default(), Instant::now());
        run(&mut limit, 10, &mut now, |_| milliseconds(50));
        limit.overloaded();
        assert_eq!(limit.now(), 32);
        run(&mut limit, 3, &mut now, |_| milliseconds(50));
        assert_eq!(limit.now(), 35);
    }

    #[test]
    fn it_stays_within_its_limits() {
        let (mut limit, mut now) = (Limit::between(3, 5), Instant::now());
        run(&mut limit, 10, &mut now, |_| milliseconds(50));
        assert_eq!(limit.now(), 5);
        limit.overloaded();
        limit.overloaded();
        assert_eq!(limit.now(), 3);
        assert_eq!(Limit::between(0, 0).now(), 1);
        assert_eq!(Limit::between(9, 2).now(), 9);
        let mut fixed = Limit::between(7, 7);
        fixed.overloaded();
        run(&mut fixed, 10, &mut now, |_| milliseconds(50));
        assert_eq!(fixed.now(), 7);
    }

    #[test]
    fn it_does_not_rise_for_a_source_that_is_slow() {
        let (mut limit, now) = (Limit::default(), Instant::now());
        for _ in 0..1000 {
            limit.answered(milliseconds(50), now);
        }
        assert_eq!(limit.now(), 4);
    }

    #[test]
    fn it_gets_used_to_a_hub_that_is_slower_for_good() {
        let (mut limit, mut now) = (Limit::default(), Instant::now());
        run(&mut limit, 10, &mut now, |_| milliseconds(50));
        limit.overloaded();
        let before = limit.now();
        run(&mut limit, 10, &mut now, |_| milliseconds(50));
        run(&mut limit, 200, &mut now, |_| milliseconds(200));
        assert!(limit.now() > before, "{}", limit.now());
    }
}
