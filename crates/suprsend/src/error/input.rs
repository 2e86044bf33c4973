//! Errors that are found before anything is sent.

use std::{error, fmt};

use crate::Error;

/// A setting of the client that is missing or malformed.
#[derive(Debug)]
pub struct ConfigError {
    setting: &'static str,
    reason: String,
}

impl ConfigError {
    pub(crate) fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self { setting, reason: reason.into() }
    }

    /// The setting: the name of a builder's method, such as `base_url`, or of an environment variable.
    pub fn setting(&self) -> &str {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.reason)
    }
}

impl error::Error for ConfigError {}

/// All rules that a call breaks, found before anything is sent.
#[derive(Debug)]
pub struct InvalidInput {
    violations: Vec<Violation>,
}

impl InvalidInput {
    /// The broken rules, in the order of the body's members.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid input: ")?;
        for (index, violation) in self.violations.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl error::Error for InvalidInput {}

/// A broken rule, and where. The value itself is not part of it: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    path: String,
    rule: String,
}

impl Violation {
    /// The place: `distinct_id`, `$email[1]`, `$slack[0].incoming_webhook.url`, or empty for the body as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there, and what would be right.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the body" } else { &self.path };
        write!(f, "{} {}", place.escape_debug(), self.rule)
    }
}

/// Violations as they are collected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, path: impl Into<String>, rule: impl Into<String>) {
        self.0.push(Violation { path: path.into(), rule: rule.into() });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Ends the checks: an error unless there are none.
    pub(crate) fn finish(self) -> Result<(), InvalidInput> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<Violations> for InvalidInput {
    fn from(found: Violations) -> Self {
        Self { violations: found.0 }
    }
}

impl From<Violations> for Error {
    fn from(found: Violations) -> Self {
        Self::InvalidInput(found.into())
    }
}
