//! The complete check, from facts to findings.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{
    behaviour::{self, Clean, Codecs, Effort},
    code::{self, Code},
    compare::{self, Counts, Pair, Rust, reachable},
    document::{Document, Operation},
    finding::{Comparison, Difference, Finding},
    ledger::Ledger,
    pointer::Pointer,
    schema::Schemas,
    wire::{self, Wire},
};

/// The facts about the code. They are collected once, however many documents are compared with it.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'e> {
    pub(crate) code: &'e Code,
    /// The types of the code as one JSON Schema document.
    pub(crate) types: &'e Value,
    /// Its rules as another JSON Schema document.
    pub(crate) rules: &'e Value,
    /// The base URL of requests that declare no server; `None` stands for the document's first server.
    pub(crate) base_url: Option<&'e str>,
    /// The differences between the source and the compiled types.
    pub(crate) unverified: &'e [Difference],
    pub(crate) codecs: &'e dyn Codecs,
    pub(crate) wire: &'e Wire,
    pub(crate) ledger: &'e Ledger,
    /// Results of earlier checks with the same code and the same effort: what instances have already shown.
    pub(crate) clean: Option<&'e Clean>,
}

impl<'e> Evidence<'e> {
    pub(crate) fn rust(&self) -> Rust<'e> {
        Rust { code: self.code, types: Schemas::new(self.types), rules: self.rules, base_url: self.base_url }
    }
}

/// The depth of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Only declared facts: nothing is executed.
    Facts,
    /// Until something is found, starting with the cheap comparisons.
    First,
    /// Everything.
    Whole,
}

/// The comparisons that have been made after only the facts were compared.
pub(crate) const OF_FACTS: [Comparison; 3] = [Comparison::Operations, Comparison::Types, Comparison::Rules];

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// Every difference, including those that the ledger accepts.
    pub(crate) differences: Vec<Difference>,
    pub(crate) accepted: usize,
    pub(crate) counts: Counts,
}

/// Returns the first finding about the facts of one operation, if there is one. [`check`] reports it, too: this is a shortcut to find out
/// whether there is one.
pub(crate) fn glance(document: &Value, evidence: &Evidence<'_>, at: &Pointer) -> Result<Option<Finding>> {
    let document = Document::read_of(document, at)?;
    // Nothing is stale yet, because the entries of other operations have not been seen.
    let findings = |differences: &[Difference]| evidence.ledger.settle(differences, &[]).0;
    let enough = |differences: &[Difference]| !findings(differences).is_empty();
    let mut differences = document.unread.clone();
    if !enough(&differences) {
        differences = compare::compare_one(&document, evidence.rust(), at, &enough);
    }
    Ok(findings(&differences).into_iter().next())
}

/// Returns the first operation that only one side has, or that the code has twice.
pub(crate) fn matching(document: &Value, evidence: &Evidence<'_>) -> Option<Finding> {
    let document = Document::read(document).ok()?;
    let differences = compare::matching(&document, evidence.rust());
    evidence.ledger.settle(&differences, &[]).0.into_iter().next()
}

pub(crate) fn check(
    document: &Value,
    evidence: &Evidence<'_>,
    effort: Effort,
    depth: Depth,
) -> Result<Report> {
    let document = Document::read(document)?;
    let types = Schemas::new(evidence.types);
    let mut compared = compare::compare(&document, evidence.rust())?;
    compared.differences.extend(evidence.unverified.iter().cloned());
    // A known difference would only be found again by every instance and every call. Differences that rules can accept do not have this
    // effect.
    let (findings, accepted) = evidence.ledger.settle(&compared.differences, &OF_FACTS);
    if depth == Depth::Facts || (depth == Depth::First && !findings.is_empty()) {
        let (differences, counts) = (compared.differences, compared.counts);
        return Ok(Report { findings, differences, accepted, counts });
    }
    let hard: Vec<&Difference> = findings
        .iter()
        .map(|finding| &finding.difference)
        .filter(|difference| difference.kind.rule().is_none())
        .collect();
    let wrong: BTreeSet<&str> = hard.iter().filter_map(|difference| difference.owner.as_deref()).collect();
    let sound = |schema: &Value| reachable(schema, types).iter().all(|name| !wrong.contains(name.as_str()));
    let as_read = |operation: &Operation<'_>, own: &code::Operation| {
        let body = own.body.as_ref().and_then(|(_, part)| part.ty.as_ref());
        !hard.iter().any(|difference| operation.at.place.contains(&difference.place))
            && body.is_none_or(|key| sound(&evidence.types["roots"][key]))
    };
    let sent = wire::compare(&document, evidence.code, &compared, evidence.wire, &as_read, &|_| true);
    let mut counts = compared.counts.clone();
    counts.insert("calls", evidence.wire.0.len());
    let mut differences = compared.differences.clone();
    differences.extend(sent);
    if depth == Depth::First {
        let done = [OF_FACTS.as_slice(), &[Comparison::Wire]].concat();
        let (findings, accepted) = evidence.ledger.settle(&differences, &done);
        if !findings.is_empty() {
            return Ok(Report { findings, differences, accepted, counts });
        }
    }
    let tried =
        |pair: &&Pair<'_>| !wrong.contains(pair.name.as_str()) && sound(&evidence.types["$defs"][&pair.name]);
    let pairs: Vec<&Pair<'_>> = compared.pairs.iter().filter(tried).collect();
    let exercised =
        behaviour::exercise(&document, &compared, &pairs, types, evidence.codecs, effort, evidence.clean);
    counts.insert("types tried", pairs.len());
    counts.insert("valid instances", exercised.valid);
    counts.insert("invalid instances", exercised.invalid);
    differences.extend(exercised.differences);
    let (findings, accepted) = evidence.ledger.settle(&differences, &Comparison::ALL);
    Ok(Report { findings, differences, accepted, counts })
}
