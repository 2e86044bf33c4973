//! The ledger: known and accepted differences, in one reviewed file.
//!
//! An entry names a kind, a place and a hash of both sides there, so it accepts nothing but what somebody has seen. Its reason is written
//! in words, once for all entries with the same reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{
    finding::{Comparison, Difference, Entry, Finding, Kind},
    pointer::Pointer,
};

const HEAD: &str = "\
# Where the generated code is known to differ from the corrected document, and why that is accepted.
#
# An entry is a place and a hash of what stands there on both sides. The place is a JSON Pointer, in which a parameter goes by
# place and name, and an alternative by its position in the code. `cargo xtask drift` reports what is missing here, what has
# changed and what is no longer so. `cargo xtask drift --accept` enters what generated code cannot carry, by rule; anything
# else is entered by hand, with a reason of its own.
";

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<(Kind, Pointer), Accepted>,
}

#[derive(Debug, Clone)]
struct Accepted {
    hash: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    kind: String,
    reason: String,
    at: BTreeMap<String, String>,
}

/// The differences of each component: the kind, the place below it and the hash.
type About<'a> = BTreeMap<&'a str, BTreeSet<(Kind, &'a str, String)>>;

impl Ledger {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let groups: Option<Vec<Group>> =
            yaml_serde::from_str(text).context("the ledger is no list of `kind`, `reason`, `at`")?;
        let mut entries = BTreeMap::new();
        for group in groups.unwrap_or_default() {
            let Some(kind) = Kind::from_name(&group.kind) else {
                bail!("the ledger: there is no kind `{}`; correct the name", group.kind);
            };
            ensure!(
                !group.reason.trim().is_empty(),
                "the ledger: `{}` is accepted without a reason; state it",
                group.kind
            );
            for (place, hash) in group.at {
                let accepted = Accepted { hash, reason: group.reason.trim().to_owned() };
                if entries.insert((kind, Pointer::from_text(&place)), accepted).is_some() {
                    bail!("the ledger: `{}` at {place} is there twice; remove one", group.kind);
                }
            }
        }
        Ok(Self { entries })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the kinds and places of all entries.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (Kind, &Pointer)> {
        self.entries.keys().map(|(kind, place)| (*kind, place))
    }

    /// Returns the ledger without an entry.
    pub(crate) fn without(&self, kind: Kind, place: &Pointer) -> Self {
        let mut entries = self.entries.clone();
        entries.remove(&(kind, place.clone()));
        Self { entries }
    }

    /// Returns the ledger with an additional or replaced entry.
    pub(crate) fn with(&self, kind: Kind, place: Pointer, hash: &str) -> Self {
        let mut entries = self.entries.clone();
        entries.insert((kind, place), Accepted { hash: hash.to_owned(), reason: "stated".to_owned() });
        Self { entries }
    }

    /// Removes known differences. Returns the remaining ones as findings, and the number of those removed.
    ///
    /// `done` are the comparisons that have been made: an entry about another one cannot be stale yet.
    pub(crate) fn settle(&self, differences: &[Difference], done: &[Comparison]) -> (Vec<Finding>, usize) {
        let mut findings = Vec::new();
        let mut met = BTreeSet::new();
        let mut accepted = 0;
        let renamed = self.renamed(differences, done);
        for difference in differences {
            let mut key = (difference.kind, difference.place.clone());
            if let Some((component, rest)) = in_component(&difference.place)
                && let Some(old) = renamed.get(component)
            {
                key.1 = Pointer::from_text(format!("{COMPONENTS}{old}{rest}"));
            }
            let entry = match self.entries.get(&key) {
                None => Entry::Missing,
                Some(known) if known.hash == difference.hash() => {
                    met.insert(key);
                    accepted += 1;
                    continue;
                }
                Some(_) => Entry::Changed,
            };
            met.insert(key);
            findings.push(Finding { difference: difference.clone(), entry });
        }
        let stale: Vec<Finding> = self
            .entries
            .keys()
            .filter(|key| !met.contains(*key) && done.contains(&key.0.comparison()))
            // A change around an entry is more informative than the fact that the entry no longer applies.
            .filter(|(_, place)| !findings.iter().any(|finding| around(finding, place)))
            .map(|(kind, place)| Finding {
                difference: Difference {
                    kind: *kind,
                    pointer: place.clone(),
                    place: place.clone(),
                    rust: "drift.yaml".to_owned(),
                    owner: None,
                    document: Value::Null,
                    code: Value::Null,
                },
                entry: Entry::Stale,
            })
            .collect();
        findings.extend(stale);
        (findings, accepted)
    }

    /// Returns components that have another name than in the ledger, with that name: nothing else about them has changed.
    fn renamed(&self, differences: &[Difference], done: &[Comparison]) -> BTreeMap<String, String> {
        let entries = || self.entries.iter().filter(|((kind, _), _)| done.contains(&kind.comparison()));
        let names = |places: &mut dyn Iterator<Item = &Pointer>| -> BTreeSet<String> {
            places.filter_map(in_component).map(|(component, _)| component.to_owned()).collect()
        };
        let known = names(&mut entries().map(|((_, place), _)| place));
        if known.is_subset(&names(&mut differences.iter().map(|difference| &difference.place))) {
            return BTreeMap::new();
        }
        let (mut known, mut found) = (About::new(), About::new());
        for ((kind, place), accepted) in entries() {
            if let Some((component, rest)) = in_component(place) {
                known.entry(component).or_default().insert((*kind, rest, accepted.hash.clone()));
            }
        }
        for difference in differences {
            if let Some((component, rest)) = in_component(&difference.place) {
                let about = (difference.kind, rest, difference.hash());
                found.entry(component).or_default().insert(about);
            }
        }
        let gone = known.iter().filter(|(old, _)| !found.contains_key(*old));
        let renamed = gone.filter_map(|(old, about)| {
            let mut same = found.iter().filter(|(new, other)| !known.contains_key(*new) && *other == about);
            Some(((*same.next()?.0).to_owned(), (*old).to_owned()))
        });
        renamed.collect()
    }

    /// Returns a ledger that accepts these differences as far as rules do, in addition to its manual entries.
    pub(crate) fn accepting(&self, differences: &[Difference]) -> Self {
        let mut entries: BTreeMap<_, _> = self
            .entries
            .iter()
            .filter(|((kind, _), _)| kind.rule().is_none())
            .map(|(key, accepted)| (key.clone(), accepted.clone()))
            .collect();
        for difference in differences {
            let Some(rule) = difference.kind.rule() else { continue };
            let key = (difference.kind, difference.place.clone());
            let reason = self.entries.get(&key).map_or(rule, |known| known.reason.as_str()).to_owned();
            entries.insert(key, Accepted { hash: difference.hash(), reason });
        }
        Self { entries }
    }

    /// Returns the text of the file.
    pub(crate) fn to_text(&self) -> String {
        let mut groups: BTreeMap<(&str, &str), BTreeMap<&str, &str>> = BTreeMap::new();
        for ((kind, place), accepted) in &self.entries {
            let group = groups.entry((kind.name(), &accepted.reason)).or_default();
            group.insert(place.as_str(), &accepted.hash);
        }
        let mut text = HEAD.to_owned();
        for ((kind, reason), at) in groups {
            let _ = write!(text, "\n- kind: {kind}\n  reason: >-\n{}  at:\n", folded(reason));
            for (place, hash) in at {
                let _ = writeln!(text, "    '{}': '{hash}'", place.replace('\'', "''"));
            }
        }
        text
    }
}

const COMPONENTS: &str = "/components/schemas/";

/// Returns the name of the component that contains a place, and the rest of the place.
fn in_component(place: &Pointer) -> Option<(&str, &str)> {
    let inner = place.as_str().strip_prefix(COMPONENTS)?;
    Some(inner.split_at(inner.find('/').unwrap_or(inner.len())))
}

/// Returns whether a finding concerns this place or a place around it.
fn around(finding: &Finding, place: &Pointer) -> bool {
    let found = &finding.difference.place;
    found.contains(place) || found.parent().is_some_and(|node| node.contains(place) && !is_wide(&node))
}

/// Returns whether a place is the whole document, or all its paths: a finding there explains nothing elsewhere.
fn is_wide(place: &Pointer) -> bool {
    matches!(place.as_str(), "" | "/paths" | "/rust" | "/info")
}

/// Formats text as the lines of an indented block.
fn folded(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + word.len() > 100 {
            let _ = writeln!(lines, "    {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(lines, "    {line}");
    lines
}
