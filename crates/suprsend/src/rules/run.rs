//! One run over a value: its findings, and how far it goes.

use std::{collections::BTreeSet, fmt};

use serde::ser;
use suprsend_api::rules::{Rule, Schema};

use super::message;
use crate::error::Violations;

/// The number of values that may be inspected again to check combinations of schemas: a number for each value of the body, and a minimum in
/// all. Repetitions may multiply if alternatives contain themselves. Beyond the budget, validation is left to the API.
const BUDGET: u32 = 100;
const LEAST_BUDGET: u32 = 10_000;

/// The minimum length of a secret that is looked for in messages. Shorter ones would be found in ordinary words.
const SECRET: usize = 8;

/// The goal of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Collects all violations.
    Report,
    /// Ends at the first violation, without reporting it.
    Test,
    /// Like `Test`, but checks only what tells which of several variants is meant: the type, required members, and the tags of the members.
    Meant,
    /// Like `Test`, but checks only the constant of a member that may be a tag.
    Tag,
    /// Collects sensitive texts instead of violations.
    Secrets,
}

/// The reason why a run ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The result is already known.
    Known,
    /// The value cannot be serialized.
    Unwritable,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the check has ended")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Unwritable
    }
}

/// One run over a value.
pub(super) struct Run<'r> {
    violations: &'r mut Violations,
    mode: Mode,
    /// Whether the value is inspected for the first time. If so, all of it is, even where no rule applies.
    is_first: bool,
    budget: u32,
    /// The number of open arrays and objects.
    pub(super) depth: u16,
    /// The number of open wrappers.
    pub(super) wrappers: u16,
    /// Whether the value, or one that contains it, is sensitive. Known only in a run for secrets.
    is_sensitive: bool,
    secrets: BTreeSet<String>,
}

impl<'r> Run<'r> {
    pub(super) fn new(violations: &'r mut Violations) -> Self {
        Self {
            violations,
            mode: Mode::Report,
            is_first: true,
            budget: LEAST_BUDGET,
            depth: 0,
            wrappers: 0,
            is_sensitive: false,
            secrets: BTreeSet::new(),
        }
    }

    pub(super) fn for_secrets(violations: &'r mut Violations) -> Self {
        Self { mode: Mode::Secrets, ..Self::new(violations) }
    }

    pub(super) fn into_secrets(self) -> BTreeSet<String> {
        self.secrets
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns whether to validate a value against a schema. The first time, always, which adds to the budget. Later, only if there is
    /// anything to check and the budget is not exhausted.
    pub(super) fn spend(&mut self, schema: &Schema) -> bool {
        if self.is_first {
            self.budget = self.budget.saturating_add(BUDGET);
            return true;
        }
        if schema.rules().is_empty() && !self.is_sensitive {
            return false;
        }
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    /// Inspects a sensitive value.
    pub(super) fn sensitive<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_sensitive, true);
        let found = look(self);
        self.is_sensitive = before;
        found
    }

    /// Collects a text if it is sensitive.
    pub(super) fn keep(&mut self, secret: &str) {
        if self.is_sensitive && secret.len() >= SECRET {
            self.secrets.insert(secret.to_owned());
        }
    }

    /// Reports a violated rule, if this mode checks it.
    #[cold]
    pub(super) fn broken(&mut self, path: &Path<'_>, rule: &Rule) -> Result<(), Stop> {
        let counts = match self.mode {
            Mode::Report | Mode::Test => true,
            Mode::Meant => {
                matches!(rule, Rule::Type(_) | Rule::Types(_) | Rule::Never | Rule::Required(_))
            }
            Mode::Tag => matches!(rule, Rule::Const(_) | Rule::Enum([_])),
            Mode::Secrets => false,
        };
        if counts { self.violation(path, || message::describe(rule)) } else { Ok(()) }
    }

    /// Reports a violation at a path.
    pub(super) fn violation(&mut self, path: &Path<'_>, rule: impl FnOnce() -> String) -> Result<(), Stop> {
        if self.budget == 0 {
            return Ok(());
        }
        match self.mode {
            Mode::Report => self.violations.add(path.to_string(), rule()),
            Mode::Secrets => {}
            Mode::Test | Mode::Meant | Mode::Tag => return Err(Stop::Known),
        }
        Ok(())
    }

    /// Reports a value that is not JSON.
    #[cold]
    pub(super) fn fault(&mut self, path: &Path<'_>, rule: &str) {
        if self.is_first {
            self.violations.add(path.to_string(), rule);
        }
    }

    /// Inspects a value again in the same mode.
    pub(super) fn again<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        self.aside(self.mode, look)
    }

    /// Inspects a value again. Returns true if there are no violations.
    pub(super) fn fits(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> Result<(), Stop>) -> bool {
        self.aside(mode, look).is_ok()
    }

    fn aside<T>(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.mode, self.is_first, self.depth, self.wrappers, self.is_sensitive);
        (self.mode, self.is_first) = (mode, false);
        let found = look(self);
        // If the inspection ended early, it left containers open.
        (self.mode, self.is_first, self.depth, self.wrappers, self.is_sensitive) = before;
        found
    }

    /// Inspects a part of the value in another mode.
    pub(super) fn part<T>(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.mode, mode);
        let found = look(self);
        self.mode = before;
        found
    }
}

/// The path of a value, as a list from the inside out, so that it costs nothing until it is printed.
pub(super) enum Path<'a> {
    /// The whole value, by its name.
    Root(&'a str),
    /// A member of an object.
    Member(&'a Path<'a>, &'a str),
    /// An item of an array.
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(place) => f.write_str(place),
            Self::Member(Self::Root(""), name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
