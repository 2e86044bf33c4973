//! What came of all inputs together.

use std::{fmt, time::Duration};

/// What came of many upserts. `Display` is one line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Upserts that are stored.
    pub succeeded: u64,
    /// Upserts that ended with an error.
    pub failed: u64,
    /// Upserts that were taken from the input and have no outcome yet.
    pub in_flight: usize,
    /// Requests that were sent again.
    pub retries: u64,
    /// From when the first outcome was asked for until the last one, or until now.
    pub duration: Duration,
}

impl Summary {
    /// How many upserts ended.
    pub fn finished(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// How many upserts ended in a second.
    pub fn rate(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53 upserts")]
        let finished = self.finished() as f64;
        if seconds > 0.0 { finished / seconds } else { 0.0 }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { succeeded, failed, retries, duration, .. } = self;
        let (seconds, rate) = (duration.as_secs_f64(), self.rate());
        write!(
            f,
            "{succeeded} upserted, {failed} failed, {retries} retries in {seconds:.1} s ({rate:.0} a second)"
        )
    }
}
