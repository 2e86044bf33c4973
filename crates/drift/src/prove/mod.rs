//! `cargo xtask drift --prove`: proves that the check fails when it should, and only then.
//!
//! Everything that the check looks at is changed, one thing at a time, wherever possible: the document, the generated source, the schemas
//! of the compiled types, the behaviour of those types, the recorded requests of the client, and the ledger. Each of these mutants must
//! cause a finding. Changes of the document without a meaning must cause none. Operators know OpenAPI and the form of generated code; none
//! knows an operation or a type by name.

mod evidence;
mod focus;
mod matrix;
mod mutant;
mod neutral;
mod operations;
mod places;
mod schemas;
mod sent;
mod source;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use serde_json::Value;

use self::{
    focus::Focus,
    matrix::{Said, Side, Trial},
    mutant::Mutant,
    source::Source,
};
use super::{
    behaviour::{Clean, Effort},
    check::{Depth, Evidence, Report, check, glance, matching},
    compare::compare,
    compiled::Definitions,
    document::Document,
    finding::Kind,
    output,
    pointer::Pointer,
    specs::Constants,
};

pub(super) use matrix::Matrix;

/// The code from which mutants are made.
#[derive(Clone, Copy)]
pub(super) struct Own<'o> {
    /// The text of the generated source.
    pub(super) source: &'o str,
    /// The schemas of the compiled types.
    pub(super) definitions: &'o Definitions,
    /// The compiled constants.
    pub(super) constants: &'o Constants,
}

/// Tries every mutant. `base` is the report on the unchanged input, without findings.
pub(super) fn prove(
    document: &Value,
    own: Own<'_>,
    base: &Report,
    evidence: &Evidence<'_>,
    effort: Effort,
) -> Result<Matrix> {
    let left_out = LeftOut::default();
    let mut trials = documents(document, evidence, &left_out)?;
    trials.extend(sources(document, evidence, own.source, &left_out)?);
    trials.extend(base_url(document, evidence));
    trials.extend(evidence::compiled(evidence.code, evidence.ledger, own, &left_out));
    let read = Document::read(document)?;
    let compared = compare(&read, evidence.rust())?;
    trials.extend(evidence::behaviour(&read, &compared, evidence, effort));
    trials.extend(sent::trials(&read, &compared, evidence, &left_out));
    trials.extend(evidence::ledger(base, evidence.ledger, &left_out));
    trials.extend(neutral(document, evidence, effort, &left_out)?);
    Ok(Matrix { trials, left_out: left_out.get() })
}

/// Makes changes of the document that have a meaning.
fn documents(document: &Value, evidence: &Evidence<'_>, left_out: &LeftOut) -> Result<Vec<Trial>> {
    // A separate test shows that prose is irrelevant; here it would only be copied.
    let document = &neutral::lean(document, &places::sites(document));
    let sites = places::sites(document);
    let focus = Focus::new(document, evidence)?;
    let mut mutants = operations::mutants(&sites);
    mutants.extend(schemas::mutants(&sites));
    let mutants = sampled(mutants, left_out, |mutant| mutant.operator);
    // Instances must find what nothing else finds, although they are few.
    let effort = Effort { instances: 10, seed: 1 };
    let clean = Clean::default();
    let evidence = &Evidence { clean: Some(&clean), ..*evidence };
    Ok(shared_out(&mutants, |mutant| {
        let near = focus.near(&mutant.pointer);
        let glanced = near.and_then(|near| {
            glance(&mutant.apply(&near.document), &near.evidence(evidence), &near.at).ok()?
        });
        let said = if let Some(finding) = glanced {
            Said::Found(output::line(&finding))
        } else {
            let changed = mutant.apply(document);
            match matching(&changed, evidence) {
                Some(finding) => Said::Found(output::line(&finding)),
                None => said(check(&changed, evidence, effort, Depth::First)),
            }
        };
        trial(Side::Document, mutant, said)
    }))
}

/// Makes changes of the document without a meaning.
fn neutral(
    document: &Value,
    evidence: &Evidence<'_>,
    effort: Effort,
    left_out: &LeftOut,
) -> Result<Vec<Trial>> {
    let mutants = neutral::mutants(document, &places::sites(document))?;
    let mutants = sampled(mutants, left_out, |mutant| mutant.operator);
    let clean = Clean::default();
    let evidence = &Evidence { clean: Some(&clean), ..*evidence };
    Ok(shared_out(&mutants, |mutant| {
        // Execution depends only on the schemas, which instances cover once each.
        let depth = if mutant.pointer == Pointer::root() { Depth::First } else { Depth::Facts };
        trial(Side::Neutral, mutant, said(check(&mutant.apply(document), evidence, effort, depth)))
    }))
}

/// Makes changes of the generated source.
fn sources(
    document: &Value,
    evidence: &Evidence<'_>,
    source: &str,
    left_out: &LeftOut,
) -> Result<Vec<Trial>> {
    let changes = sampled(Source::new(source)?.changes(), left_out, |change| change.name());
    let focus = Focus::new(document, evidence)?;
    // A syntax tree cannot leave its thread.
    let effort = Effort { instances: 0, seed: 1 };
    Ok(shared_out_with(
        &changes,
        || Source::new(source),
        |source, change| {
            let operator = change.name();
            let (place, said) = match source {
                Err(error) => (String::new(), Said::Unusable(error.to_string())),
                Ok(source) => {
                    let place = source.place(*change);
                    let near = focus.near_source(&place);
                    let glanced = near.and_then(|near| {
                        let code = source.read(*change, &near.code);
                        let (types, rules) = (code.schemas(), code.rules());
                        let mutated = Evidence { code: &code, types: &types, rules: &rules, ..*evidence };
                        glance(&near.document, &mutated, &near.at).ok()?
                    });
                    let said = if let Some(finding) = glanced {
                        Said::Found(output::line(&finding))
                    } else {
                        let code = source.read(*change, evidence.code);
                        let (types, rules) = (code.schemas(), code.rules());
                        let mutated = Evidence {
                            code: &code,
                            types: &types,
                            rules: &rules,
                            unverified: &[],
                            ..*evidence
                        };
                        said(check(document, &mutated, effort, Depth::Facts))
                    };
                    (place, said)
                }
            };
            Trial { side: Side::Source, operator, place, note: String::new(), said }
        },
    ))
}

/// Lets the SDK send to another host by default.
fn base_url(document: &Value, evidence: &Evidence<'_>) -> Option<Trial> {
    evidence.base_url?;
    let mutated = Evidence { base_url: Some("https://drift.example"), ..*evidence };
    let said = said(check(document, &mutated, Effort { instances: 0, seed: 1 }, Depth::Facts));
    let (place, note) = ("DEFAULT_BASE_URL".to_owned(), String::new());
    Some(Trial { side: Side::Source, operator: "base URL changed", place, note, said })
}

fn trial(side: Side, mutant: &Mutant, said: Said) -> Trial {
    let place = mutant.pointer.to_string();
    Trial { side, operator: mutant.operator, place, note: mutant.note.clone(), said }
}

fn said(checked: Result<Report>) -> Said {
    match checked {
        Err(error) => Said::Unusable(format!("{error:#}")),
        // A missing random instance says nothing about a change.
        Ok(report) => report
            .findings
            .iter()
            .find(|finding| finding.difference.kind != Kind::Unexercised)
            .map_or(Said::Nothing, |finding| Said::Found(output::line(finding))),
    }
}

/// The number of mutants of one kind that are tried. If there are more, the sample is spread evenly over all of them.
const SAMPLE: usize = 24;

/// Returns as many of each kind as are tried.
fn sampled<T>(work: Vec<T>, left_out: &LeftOut, kind: impl Fn(&T) -> &'static str) -> Vec<T> {
    let all = work.len();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for one in &work {
        *counts.entry(kind(one)).or_default() += 1;
    }
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut keep = |one: &T| {
        let kind = kind(one);
        let (count, index) = (counts[kind], seen.entry(kind).or_default());
        let before = *index * SAMPLE / count;
        *index += 1;
        count <= SAMPLE || *index * SAMPLE / count > before
    };
    let kept: Vec<T> = work.into_iter().filter(|one| keep(one)).collect();
    left_out.set(left_out.get() + all - kept.len());
    kept
}

/// The number of mutants that are not tried, because there are enough of their kind.
type LeftOut = Cell<usize>;

/// Distributes the work over as many threads as there are processors. Returns the results in the order of the work.
fn shared_out<T: Sync, U: Send>(work: &[T], one: impl Fn(&T) -> U + Sync) -> Vec<U> {
    shared_out_with(work, || (), |(), work| one(work))
}

/// Does the same, with something that each thread creates for itself.
fn shared_out_with<S, T: Sync, U: Send>(
    work: &[T],
    start: impl Fn() -> S + Sync,
    one: impl Fn(&S, &T) -> U + Sync,
) -> Vec<U> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, U)> = std::thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            let own = start();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(work) = work.get(index) else { return done };
                done.push((index, one(&own, work)));
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
