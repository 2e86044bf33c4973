//! The results of the mutants, and their output.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value, json};

/// The operators that must have a place in the comparison, one per line. Without this list, an operator that is no longer tried would go
/// unnoticed.
const OPERATORS: &str = include_str!("operators.txt");

/// The side that has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Document,
    Source,
    Compiled,
    Behaviour,
    Wire,
    Ledger,
    /// The document, in something without a meaning.
    Neutral,
}

impl Side {
    const ALL: [Self; 7] = [
        Self::Document,
        Self::Source,
        Self::Compiled,
        Self::Behaviour,
        Self::Wire,
        Self::Ledger,
        Self::Neutral,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Source => "source",
            Self::Compiled => "compiled",
            Self::Behaviour => "behaviour",
            Self::Wire => "wire",
            Self::Ledger => "ledger",
            Self::Neutral => "neutral",
        }
    }
}

/// The result of the check for a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    /// The first finding.
    Found(String),
    /// It could not be checked, so it proves nothing.
    Unusable(String),
}

/// Returns the operators of the list.
pub(super) fn listed() -> impl Iterator<Item = (Side, &'static str)> {
    OPERATORS.lines().filter_map(|line| {
        let (side, operator) = line.split_once(": ")?;
        Some((Side::ALL.into_iter().find(|known| known.word() == side)?, operator))
    })
}

/// A mutant that has been tried.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) side: Side,
    pub(super) operator: &'static str,
    /// The place in the document, the source or the ledger.
    pub(super) place: String,
    pub(super) note: String,
    pub(super) said: Said,
}

impl Trial {
    fn expected(&self) -> bool {
        match self.said {
            Said::Nothing => self.side == Side::Neutral,
            Said::Found(_) => self.side != Side::Neutral,
            Said::Unusable(_) => false,
        }
    }

    fn verdict(&self) -> &'static str {
        match (&self.said, self.side) {
            (Said::Unusable(_), _) => "unusable",
            (Said::Found(_), Side::Neutral) => "false alarm",
            (Said::Nothing, Side::Neutral) => "silent",
            (Said::Found(_), _) => "killed",
            (Said::Nothing, _) => "survived",
        }
    }
}

/// All trials.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    pub(super) trials: Vec<Trial>,
    /// The number of mutants that were not tried, because there are enough of their kind.
    pub(super) left_out: usize,
}

/// The results of one operator.
#[derive(Default)]
struct Row {
    right: usize,
    wrong: usize,
}

impl Matrix {
    /// Returns whether exactly the right mutants were found, and every operator was tried.
    pub(crate) fn is_proof(&self) -> bool {
        self.trials.iter().all(Trial::expected) && self.unlisted().is_empty() && self.untried().is_empty()
    }

    /// Returns the listed operators without a place.
    fn untried(&self) -> Vec<(Side, &'static str)> {
        let tried: BTreeSet<_> = self.trials.iter().map(|trial| (trial.side, trial.operator)).collect();
        listed().filter(|operator| !tried.contains(operator)).collect()
    }

    /// Returns the operators that are tried and not listed.
    fn unlisted(&self) -> BTreeSet<(Side, &'static str)> {
        let listed: BTreeSet<_> = listed().collect();
        let tried = self.trials.iter().map(|trial| (trial.side, trial.operator));
        tried.filter(|operator| !listed.contains(operator)).collect()
    }

    fn rows(&self) -> BTreeMap<(Side, &'static str), Row> {
        let mut rows: BTreeMap<_, Row> = listed().map(|operator| (operator, Row::default())).collect();
        for trial in &self.trials {
            let row = rows.entry((trial.side, trial.operator)).or_default();
            *(if trial.expected() { &mut row.right } else { &mut row.wrong }) += 1;
        }
        rows
    }

    fn count(&self, verdict: &str) -> usize {
        self.trials.iter().filter(|trial| trial.verdict() == verdict).count()
    }

    /// Writes the matrix, a line for every wrong result, and a summary.
    pub(crate) fn lines(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.rows();
        let name = |side: Side, operator: &str| format!("{}: {operator}", side.word());
        let width = rows.keys().map(|(side, operator)| name(*side, operator).len()).max().unwrap_or_default();
        let (neutral, real): (Vec<_>, Vec<_>) =
            rows.iter().partition(|((side, _), _)| *side == Side::Neutral);
        for (title, [right, wrong], rows) in [
            ("mutation", ["killed", "survived"], real),
            ("no change of meaning", ["silent", "alarms"], neutral),
        ] {
            writeln!(out, "{title:width$}  {right:>8}  {wrong:>8}  {:>8}", "total")?;
            for ((side, operator), row) in rows {
                let name = name(*side, operator);
                writeln!(
                    out,
                    "{name:width$}  {:>8}  {:>8}  {:>8}",
                    row.right,
                    row.wrong,
                    row.right + row.wrong
                )?;
            }
            writeln!(out)?;
        }
        for trial in self.trials.iter().filter(|trial| !trial.expected()) {
            let Trial { side, operator, place, note, said } = trial;
            let reason = match said {
                Said::Nothing => String::new(),
                Said::Found(finding) => format!(": {finding}"),
                Said::Unusable(reason) => format!(": {reason}"),
            };
            let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
            writeln!(out, "{}: {}: {operator} at {place}{note}{reason}", trial.verdict(), side.word())?;
        }
        for (side, operator) in self.untried() {
            writeln!(
                out,
                "untried: {}: {operator}: nothing to change; if that is so, take it off operators.txt",
                side.word()
            )?;
        }
        for (side, operator) in self.unlisted() {
            writeln!(out, "unlisted: {}: {operator}: enter it in operators.txt", side.word())?;
        }
        let mutants = self.trials.iter().filter(|trial| trial.side != Side::Neutral).count();
        let (killed, survived) = (self.count("killed"), self.count("survived"));
        // Rounded down: 100 % means all of them.
        let share = (100 * killed).checked_div(mutants).unwrap_or_default();
        let unusable = match self.count("unusable") {
            0 => String::new(),
            count => format!("; {count} could not be checked"),
        };
        writeln!(
            out,
            "{mutants} mutants: {killed} killed ({share} %), {survived} survived{unusable}; {} changes without meaning: {} \
             false alarms; {} more of the same kinds were not tried",
            self.trials.len() - mutants,
            self.count("false alarm"),
            self.left_out,
        )
    }

    /// Returns the same as one JSON object. `docs/drift.md` describes its form.
    pub(crate) fn json(&self) -> Value {
        let name = |(side, operator): (Side, &str)| format!("{}: {operator}", side.word());
        let operators: Vec<Value> = self
            .rows()
            .into_iter()
            .map(|((side, operator), row)| {
                json!({
                    "side": side.word(),
                    "operator": operator,
                    "right": row.right,
                    "wrong": row.wrong,
                })
            })
            .collect();
        let wrong: Vec<Value> = self
            .trials
            .iter()
            .filter(|trial| !trial.expected())
            .map(|trial| {
                json!({
                    "verdict": trial.verdict(),
                    "side": trial.side.word(),
                    "operator": trial.operator,
                    "place": trial.place,
                    "note": trial.note,
                    "said": match &trial.said {
                        Said::Nothing => Value::Null,
                        Said::Found(text) | Said::Unusable(text) => json!(text),
                    },
                })
            })
            .collect();
        json!({
            "version": 1,
            "killed": self.count("killed"),
            "survived": self.count("survived"),
            "silent": self.count("silent"),
            "false_alarms": self.count("false alarm"),
            "not_tried": self.left_out,
            "unusable": self.count("unusable"),
            "operators": operators,
            "untried": self.untried().into_iter().map(name).collect::<Vec<_>>(),
            "unlisted": self.unlisted().into_iter().map(name).collect::<Vec<_>>(),
            "wrong": wrong,
        })
    }
}
