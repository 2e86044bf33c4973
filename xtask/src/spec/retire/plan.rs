//! Describes the consequences of an import for the overlays and for users, as lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use serde_json::Value;
use suprsend_codegen::Pointer;

use super::{
    evidence::Id,
    given::{Fate, Verdict},
    kept::is_name,
    places::owner,
};
use crate::spec::{
    attempt::Made,
    diff::{self, Change, Compared},
};

/// The facts on which the plan is based.
pub(super) struct Facts<'a> {
    /// Upstream's document, and the previous one.
    pub(super) base: &'a Value,
    pub(super) old_base: &'a Value,
    pub(super) before: &'a Made,
    pub(super) after: &'a Made,
    /// The operations before, compared with upstream's description of them.
    pub(super) compared: &'a [Compared],
    /// The operations before, compared with those after.
    pub(super) left: &'a [Compared],
    pub(super) changes: &'a [Change],
    pub(super) verdicts: &'a BTreeMap<Id, Verdict>,
    pub(super) written: &'a [Value],
    pub(super) unused: &'a [Pointer],
}

/// The consequences of an import. `Display` prints one line for each operation, followed by further lines where necessary.
#[derive(Debug, Default)]
pub(in crate::spec) struct Plan {
    lines: Vec<String>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Plan {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        let mut plan = Self::default();
        for pair in facts.compared {
            plan.operation(facts, pair);
        }
        plan.elsewhere(facts);
        plan.types(facts);
        let corrections = facts.written.len();
        if corrections > 0 {
            plan.lines.push(format!("corrections written to {}: {corrections}", super::KEPT));
        }
        let mut summary = Vec::new();
        // Writing to a list of bytes cannot fail.
        let _ = diff::lines(facts.changes, &mut summary);
        let summary = String::from_utf8_lossy(&summary).into_owned();
        let summary = summary.lines().skip(facts.changes.len());
        plan.lines.extend(summary.map(|line| format!("users: {line}")));
        plan
    }

    fn operation(&mut self, facts: &Facts<'_>, pair: &Compared) {
        let Some(new) = pair.new.as_ref().filter(|place| place.get(facts.base).is_some()) else { return };
        let called = format!("{} {}", pair.called.0.to_uppercase(), pair.called.1);
        let mut applies = true;
        let told: Vec<&Change> = pair.changes.iter().filter(|change| !is_name(change)).collect();
        let state = match &pair.old {
            None => "new".to_owned(),
            Some(old) => {
                let ours = old.get(facts.old_base).is_none();
                applies = !told.is_empty();
                match (ours, told.is_empty()) {
                    (true, true) => format!("the same as {}", adds(facts, old)),
                    (true, false) => format!("different from {}", adds(facts, old)),
                    (false, true) => "upstream's already, the same".to_owned(),
                    (false, false) => "upstream's already, different".to_owned(),
                }
            }
        };
        self.lines.push(format!("{called}: {state}"));
        let left = facts.left.iter().find(|other| other.new == pair.new || other.called == pair.called);
        for change in told {
            let stays = left.is_some_and(|left| left.changes.iter().any(|other| other.key() == change.key()));
            let what = if stays { "upstream's is taken" } else { "a correction keeps ours" };
            self.lines.push(format!("  {change} ({what})"));
        }
        for verdict in facts.verdicts.values() {
            self.verdict(verdict, &|place| owner(place).as_ref() == Some(new), applies);
        }
    }

    /// Describes the fate of actions on components and on everything else that belongs to no operation.
    fn elsewhere(&mut self, facts: &Facts<'_>) {
        let operations: BTreeSet<&Pointer> =
            facts.compared.iter().filter_map(|pair| pair.new.as_ref()).collect();
        let header = self.lines.len();
        for verdict in facts.verdicts.values() {
            let other = |place: &Pointer| owner(place).is_none_or(|owner| !operations.contains(&owner));
            // An action that continues to apply to components or to additions is not worth mentioning.
            if verdict.parts.keys().any(other) {
                self.verdict(verdict, &other, false);
            }
        }
        if self.lines.len() > header {
            self.lines.insert(header, "components and the rest:".to_owned());
        }
    }

    /// Describes the fate of an action, as far as it concerns these places.
    fn verdict(&mut self, verdict: &Verdict, concerns: &dyn Fn(&Pointer) -> bool, applies: bool) {
        let mut fates: BTreeMap<Fate, Vec<&Pointer>> = BTreeMap::new();
        for (place, fate) in verdict.parts.iter().filter(|(place, _)| concerns(place)) {
            fates.entry(*fate).or_default().push(place);
        }
        if fates.is_empty() {
            if applies && verdict.parts.is_empty() && verdict.targets.iter().any(concerns) {
                self.lines.push(format!("  {}: a correction that still applies", verdict.action));
            }
            return;
        }
        for (fate, places) in fates {
            let what = match fate {
                Fate::Made => "a correction that upstream has made, goes",
                Fate::GivesWay => "an addition that gives way",
                Fate::Overtaken => "a correction of what upstream says in another way now, goes",
                Fate::Unused => "an addition that nothing needs any more, goes",
            };
            let mut line = format!("  {}: {what}: ", verdict.action);
            for (index, place) in places.iter().enumerate().take(SHOWN) {
                // Writing to a string cannot fail.
                let _ = write!(line, "{}{place}", if index > 0 { ", " } else { "" });
            }
            if places.len() > SHOWN {
                let _ = write!(line, " and {} more", places.len() - SHOWN);
            }
            self.lines.push(line);
        }
    }

    /// Describes the Rust types that are added and removed.
    fn types(&mut self, facts: &Facts<'_>) {
        let (before, after) = (types(&facts.before.rust), types(&facts.after.rust));
        let list = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>().join(", ")
        };
        for (what, names) in [("gone", list(&before, &after)), ("new", list(&after, &before))] {
            if !names.is_empty() {
                self.lines.push(format!("Rust types that are {what}: {names}"));
            }
        }
        if !facts.unused.is_empty() {
            let names: Vec<String> = facts.unused.iter().map(ToString::to_string).collect();
            self.lines.push(format!("no longer needed of the overlays: {}", names.join(", ")));
        }
    }
}

/// The maximum number of places on a line.
const SHOWN: usize = 8;

/// Returns the overlay that added an operation.
fn adds(facts: &Facts<'_>, operation: &Pointer) -> String {
    let verdict = facts.verdicts.values().find(|verdict| {
        verdict.parts.iter().any(|(place, fate)| *fate == Fate::GivesWay && alike(place, operation))
    });
    verdict.map_or_else(
        || "the overlays'".to_owned(),
        |verdict| format!("that of {}", verdict.action.split(':').next().unwrap_or_default()),
    )
}

/// Returns whether two places are the same apart from the names of path parameters.
fn alike(one: &Pointer, other: &Pointer) -> bool {
    let key = |place: &Pointer| {
        let tokens = place.tokens();
        (
            tokens.get(1).map(|path| suprsend_codegen::path_template(path)),
            tokens.get(2).cloned(),
            tokens.len(),
        )
    };
    key(one) == key(other)
}

/// Returns the names of the types in generated Rust.
pub(super) fn types(rust: &str) -> BTreeSet<String> {
    let of = |line: &str| {
        let line = line.trim_start();
        let name =
            ["pub struct ", "pub enum ", "pub type "].iter().find_map(|begin| line.strip_prefix(begin))?;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        Some(name[..end].to_owned())
    };
    rust.lines().filter_map(of).collect()
}
