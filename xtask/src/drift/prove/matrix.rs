//! What became of the mutants, and how it is said.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Value, json};

/// What has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Document,
    Source,
    Compiled,
    Behaviour,
    Wire,
    Ledger,
    /// The document, in what means nothing.
    Neutral,
}

impl Side {
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

/// What the check said of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    /// The first finding.
    Found(String),
    /// It could not be checked, so it proves nothing.
    Unusable(String),
}

/// One mutant, tried.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) side: Side,
    pub(super) operator: &'static str,
    /// Where: a place of the document, of the source, of the ledger.
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
pub(crate) struct Matrix(pub(super) Vec<Trial>);

/// How many of one operator went which way.
#[derive(Default)]
struct Row {
    right: usize,
    wrong: usize,
}

impl Matrix {
    /// Whether every mutant was found, and nothing else.
    pub(crate) fn is_proof(&self) -> bool {
        self.0.iter().all(Trial::expected)
    }

    fn rows(&self) -> BTreeMap<(Side, &'static str), Row> {
        let mut rows: BTreeMap<_, Row> = BTreeMap::new();
        for trial in &self.0 {
            let row = rows.entry((trial.side, trial.operator)).or_default();
            *(if trial.expected() { &mut row.right } else { &mut row.wrong }) += 1;
        }
        rows
    }

    fn count(&self, verdict: &str) -> usize {
        self.0.iter().filter(|trial| trial.verdict() == verdict).count()
    }

    /// The matrix, a line for every trial that went wrong, and a summary.
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
        for trial in self.0.iter().filter(|trial| !trial.expected()) {
            let Trial { side, operator, place, note, said } = trial;
            let reason = match said {
                Said::Nothing => String::new(),
                Said::Found(finding) => format!(": {finding}"),
                Said::Unusable(reason) => format!(": {reason}"),
            };
            let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
            writeln!(out, "{}: {}: {operator} at {place}{note}{reason}", trial.verdict(), side.word())?;
        }
        let mutants = self.0.iter().filter(|trial| trial.side != Side::Neutral).count();
        let (killed, survived) = (self.count("killed"), self.count("survived"));
        // Rounded down: 100 % is all of them.
        let share = (100 * killed).checked_div(mutants).unwrap_or_default();
        let unusable = match self.count("unusable") {
            0 => String::new(),
            count => format!("; {count} could not be checked"),
        };
        writeln!(
            out,
            "{mutants} mutants: {killed} killed ({share} %), {survived} survived{unusable}; {} changes without meaning: {} \
             false alarms",
            self.0.len() - mutants,
            self.count("false alarm"),
        )
    }

    /// The same as one JSON object. Its form is described in `docs/drift.md`.
    pub(crate) fn json(&self) -> Value {
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
            .0
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
            "unusable": self.count("unusable"),
            "operators": operators,
            "wrong": wrong,
        })
    }
}
