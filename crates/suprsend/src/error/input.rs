//! Errors that are found before anything is sent.

use std::{error, fmt};

use suprsend_api::RequestError;

use super::Error;

/// A missing or malformed setting of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    setting: &'static str,
    reason: String,
}

impl ConfigError {
    #[cold]
    pub(crate) fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self { setting, reason: reason.into() }
    }

    /// Returns the name of the setting: that of a builder's method, such as `base_url`, or of an environment variable.
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

/// All rules that a call violates, found before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    violations: Vec<Violation>,
}

impl InvalidInput {
    /// Returns all violations: those of the id and the headers, then those of values that could not be put into the body, then those of the
    /// body.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// The maximum number of violations in a message.
const SHOWN: usize = 10;
/// The maximum length of a path in a message, in characters. A path may contain the name of a property.
const PATH: usize = 200;

/// Shows the first ten violations, and how many more there are.
impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid input: ")?;
        for (index, violation) in self.violations.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        match self.violations.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl error::Error for InvalidInput {}

/// A violated rule, and its place. The value itself is not included, because it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    path: String,
    rule: String,
}

impl Violation {
    /// Returns the place: `distinct_id`, `$email[1]`, `$slack[0].incoming_webhook.url`, or empty for the whole body.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the violated rule, which describes a valid value.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the body" } else { &self.path };
        let (shown, cut) = match place.char_indices().nth(PATH) {
            Some((end, _)) => (&place[..end], "..."),
            None => (place, ""),
        };
        write!(f, "{}{cut} {}", shown.escape_debug(), self.rule)
    }
}

/// Collects violations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Violations {
    found: Vec<Violation>,
    /// A setting that the call needs. Without it nothing can be sent, whatever the input, so it is the only error.
    missing: Option<Box<ConfigError>>,
}

impl Violations {
    #[cold]
    pub(crate) fn add(&mut self, path: impl Into<String>, rule: impl Into<String>) {
        self.found.push(Violation { path: path.into(), rule: rule.into() });
    }

    /// Records that the client lacks a setting.
    pub(crate) fn lacks(&mut self, setting: ConfigError) {
        self.missing.get_or_insert_with(|| Box::new(setting));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.missing.is_none()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.found.append(&mut other.found);
        self.missing = self.missing.take().or(other.missing);
    }

    /// Returns the same violations, all at this place.
    pub(crate) fn moved_to(mut self, place: &str) -> Self {
        for Violation { path, .. } in &mut self.found {
            place.clone_into(path);
        }
        self
    }

    /// Ends the validation. Returns an error if there are any violations.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<RequestError> for Violations {
    fn from(error: RequestError) -> Self {
        let mut violations = Self::default();
        violations.add(error.place(), error.reason());
        violations
    }
}

impl From<Violations> for Error {
    fn from(Violations { found, missing }: Violations) -> Self {
        match missing {
            Some(error) => Self::Config(*error),
            None => Self::InvalidInput(InvalidInput { violations: found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_not_longer_than_can_be_read() {
        let mut found = Violations::default();
        for index in 0..60_000 {
            found.add(format!("$email[{index}]"), "is not an e-mail address");
        }
        found.add("x".repeat(100_000), "is not a text");
        let Error::InvalidInput(error) = found.into() else { panic!("another error") };
        let text = error.to_string();
        assert!(text.starts_with("invalid input: $email[0] is not"), "{text}");
        assert!(text.ends_with("$email[9] is not an e-mail address; and 59991 more"), "{text}");
        let longest = error.violations().last().unwrap().to_string();
        assert_eq!(longest, format!("{}... is not a text", "x".repeat(PATH)));
    }
}
