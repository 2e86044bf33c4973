//! Finds the operations and schemas that make the generator fail.
//!
//! Lint knows the failures that have occurred so far. This finds others, and those that only occur when everything is combined.
//!
//! Parts are tried in [small documents](parts::Parts::around) that contain little else, by bisection. So the total takes only a few times
//! as long as generating the document, however many culprits there are. Failures among the rest, which only occur in the whole document,
//! are searched in the whole document.

mod parts;

use serde_json::Value;

use crate::{Pointer, Problem, Problems, limits, partial};
use parts::{Parts, only};

/// After this number of culprits that only fail in the whole document, the rest is left to the next run.
const MOST: usize = 10;

/// The multiple of the document's size that is spent on trying culprits with everything that they need.
const BUDGET: usize = 4;

/// Finds the operations and schemas for which `fails` returns a reason, as it does for the whole document. Each becomes a problem, in the
/// order of the document.
pub(super) fn bisect(document: &Value, reason: &str, fails: impl Fn(&Value) -> Option<String>) -> Problems {
    let remedy = "state it in another way with an overlay action, or remove the operation there";
    let mut problems = Vec::new();
    let mut rest = document.clone();
    let mut reason = Some(reason.to_owned());
    if let Some(alone) = fails(&only(document, &[])) {
        return Problem::new(&Pointer::root(), alone, remedy).into();
    }
    let suspects = suspects(document, &fails);
    if !suspects.is_empty() {
        partial::drop_parts(&mut rest, suspects.iter().map(|(culprit, _)| culprit));
        reason = fails(&rest);
    }
    problems.extend(suspects.into_iter().map(|(culprit, reason)| Problem::new(&culprit, reason, remedy)));
    for _ in 0..MOST {
        let Some(known) = reason else { break };
        let Some((culprit, first)) = first(&rest, known.clone(), &fails) else {
            problems.push(Problem::new(&Pointer::root(), known, remedy));
            break;
        };
        problems.push(Problem::new(&culprit, first, remedy));
        partial::drop_parts(&mut rest, [&culprit]);
        reason = fails(&rest);
    }
    match Problems::none_or(problems) {
        Err(problems) => problems,
        Ok(()) => Problem::new(&Pointer::root(), "it cannot be generated", remedy).into(),
    }
}

/// Returns the parts that fail with their neighbours, except those that need others of these.
fn suspects(document: &Value, fails: &impl Fn(&Value) -> Option<String>) -> Vec<(Pointer, String)> {
    let parts = Parts::new(document);
    let mut found = Vec::new();
    halve(&parts, &parts.all(), None, fails, &mut found);
    let included: Vec<_> = found.iter().map(|(place, _)| parts.included(place)).collect();
    let needs = |one: usize, other: usize| {
        let place: &Pointer = &found[other].0;
        one != other && included[one].contains(place)
    };
    let is_own = |one: usize| {
        let mut others = (0..found.len()).filter(|other| needs(one, *other));
        // Of those that need each other, only the first is kept.
        !others.any(|other| other < one || !needs(other, one))
    };
    let own: Vec<bool> = (0..found.len()).map(is_own).collect();
    let mut own = own.into_iter();
    found.retain(|_| own.next() == Some(true));
    let mut budget = limits::measure(document).0.saturating_mul(BUDGET);
    found.retain(|(place, _)| {
        if budget == 0 {
            return true;
        }
        let needed = only(document, std::slice::from_ref(place));
        budget = budget.saturating_sub(limits::measure(&needed).0);
        fails(&needed).is_some()
    });
    found
}

/// Adds the parts that fail. It may be known that one fails, and why. Returns whether any does.
fn halve(
    parts: &Parts<'_>,
    some: &[Pointer],
    known: Option<String>,
    fails: &impl Fn(&Value) -> Option<String>,
    found: &mut Vec<(Pointer, String)>,
) -> bool {
    if some.is_empty() {
        return false;
    }
    // The known reason for several parts need not be that of a single one.
    let known = known.filter(|_| some.len() > 1);
    let Some(reason) = known.or_else(|| fails(&parts.around(some))) else { return false };
    if let [one] = some {
        found.push((one.clone(), reason));
        return true;
    }
    let (one, other) = some.split_at(some.len() / 2);
    let first = halve(parts, one, None, fails, found);
    // If it is not the first half, it is the second, unless both only fail together; that is found when the rest is tried.
    let second = halve(parts, other, Some(reason).filter(|_| !first), fails, found);
    first || second
}

/// Returns the first operation or schema with which the document fails, while it does not fail with only those before it, and the reason.
/// Returns `None` if it fails without any.
fn first(
    document: &Value,
    mut reason: String,
    fails: &impl Fn(&Value) -> Option<String>,
) -> Option<(Pointer, String)> {
    let parts = Parts::new(document).all();
    let (mut well, mut failing) = (0, parts.len());
    while failing - well > 1 {
        let middle = usize::midpoint(well, failing);
        match fails(&only(document, &parts[..middle])) {
            Some(earlier) => {
                failing = middle;
                reason = earlier;
            }
            None => well = middle,
        }
    }
    Some((parts.get(failing.checked_sub(1)?)?.clone(), reason))
}

#[cfg(test)]
mod tests;
