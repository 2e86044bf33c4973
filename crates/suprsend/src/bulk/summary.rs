//! The counts of all calls together.

use std::{fmt, time::Duration};

/// The counts of many calls or many records. `Display` prints a human-readable line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of calls or records that succeeded.
    pub succeeded: u64,
    /// The number of calls or records that failed.
    pub failed: u64,
    /// The number of calls or records that were taken from the input and have no outcome yet.
    pub in_flight: usize,
    /// The number of times that calls or records were sent again.
    pub retries: u64,
    /// The time from the first request for an outcome until the last outcome, or until now.
    pub duration: Duration,
    /// Whether the stream gave up because of an outage or of consecutive failures, so that the rest of the input was not tried.
    pub gave_up: bool,
}

impl Summary {
    /// Returns the number of calls or records that succeeded or failed.
    pub fn finished(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// Returns the number of calls or records finished per second.
    pub fn rate(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
        let finished = self.finished() as f64;
        if seconds > 0.0 { finished / seconds } else { 0.0 }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { succeeded, failed, retries, duration, gave_up, .. } = self;
        let (seconds, rate) = (duration.as_secs_f64(), self.rate());
        write!(
            f,
            "{succeeded} succeeded, {failed} failed, {retries} retries in {seconds:.1} s ({rate:.0} a second)"
        )?;
        if *gave_up { f.write_str("; gave up, the rest was not tried") } else { Ok(()) }
    }
}
