//! The outage that holds a stream.

use std::time::Duration;

/// An outage that holds a stream; see [`SendAll::outage`](super::SendAll::outage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    duration: Duration,
    cause: Box<str>,
}

impl Outage {
    pub(crate) fn new(duration: Duration, cause: Box<str>) -> Self {
        Self { duration, cause }
    }

    /// Returns how long it has lasted so far.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the last failure and its causes as a human-readable line.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}
