//! A run over a value: what it finds, and how far it goes.

use std::{collections::BTreeSet, fmt};

use serde::ser;
use suprsend_api::rules::{Rule, Schema};

use super::message;
use crate::error::Violations;

/// How many values are looked at once more for the sake of combinations, for each one of the body and in all at least. They may
/// multiply where alternatives hold themselves; what is beyond is left for the API to judge.
const BUDGET: u32 = 100;
const LEAST_BUDGET: u32 = 10_000;

/// Secrets that are shorter than this are not looked for in messages, since they would be found in ordinary words.
const SECRET: usize = 8;

/// How far a run goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Finds all violations.
    Report,
    /// Ends at the first one, which is not told.
    Test,
    /// As `Test`, for what says which of several variants is meant: the type, what is required, and the tags of the members.
    Meant,
    /// As `Test`, for a member that may be a tag: a constant.
    Tag,
    /// Finds no violations, but texts that are sensitive.
    Secrets,
}

/// Why a run ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Enough is known.
    Known,
    /// The value refuses to be serialized.
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

/// A run over a value.
pub(super) struct Run<'r> {
    violations: &'r mut Violations,
    mode: Mode,
    /// Whether the value is looked at for the first time: then its bytes are counted, also where no rule applies.
    is_first: bool,
    size: usize,
    budget: u32,
    /// How many arrays and objects are open.
    pub(super) depth: u16,
    /// How many wrappers are open.
    pub(super) wrappers: u16,
    /// Whether the value, or one that it is in, is sensitive. Known only where secrets are looked for.
    is_sensitive: bool,
    secrets: BTreeSet<String>,
}

impl<'r> Run<'r> {
    pub(super) fn new(violations: &'r mut Violations) -> Self {
        Self {
            violations,
            mode: Mode::Report,
            is_first: true,
            size: 0,
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

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    /// Counts bytes of JSON.
    pub(super) fn count(&mut self, bytes: usize) {
        self.size += bytes;
    }

    /// Whether to look at a value by a schema: the first time, which adds to the budget, and later if there is anything to find
    /// and something left of it.
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

    /// Looks at a value that is sensitive.
    pub(super) fn sensitive<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_sensitive, true);
        let found = look(self);
        self.is_sensitive = before;
        found
    }

    /// Keeps a text if it is sensitive.
    pub(super) fn keep(&mut self, secret: &str) {
        if self.is_sensitive && secret.len() >= SECRET {
            self.secrets.insert(secret.to_owned());
        }
    }

    /// A rule is broken.
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

    /// Something is wrong at a place.
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

    /// The value is no JSON.
    pub(super) fn fault(&mut self, path: &Path<'_>, rule: &str) {
        if self.is_first {
            self.violations.add(path.to_string(), rule);
        }
    }

    /// Looks at a value once more, in the same mode.
    pub(super) fn again<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        self.aside(self.mode, look)
    }

    /// Looks at a value once more. True if that finds nothing.
    pub(super) fn fits(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> Result<(), Stop>) -> bool {
        self.aside(mode, look).is_ok()
    }

    fn aside<T>(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.mode, self.is_first, self.size, self.depth, self.wrappers, self.is_sensitive);
        (self.mode, self.is_first) = (mode, false);
        let found = look(self);
        // Where the look ended early, what it had opened is open still.
        (self.mode, self.is_first, self.size, self.depth, self.wrappers, self.is_sensitive) = before;
        found
    }

    /// Looks at a part of the value in another mode.
    pub(super) fn part<T>(&mut self, mode: Mode, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.mode, mode);
        let found = look(self);
        self.mode = before;
        found
    }
}

/// The place of a value, as a list from the inside out, so that it costs nothing unless it is written.
pub(super) enum Path<'a> {
    /// The whole value, by the name of its place.
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
