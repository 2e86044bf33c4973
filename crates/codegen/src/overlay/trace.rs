//! Traces the actions of overlays one by one: what each finds and whether it applies, for those who edit overlays.

use serde_json::Value;

use super::{Action, actions_of, every, locate};
use crate::{Pointer, Problem, Problems, Source, limits};

/// An action of an overlay, and what it found in a document.
#[derive(Debug, Clone)]
pub struct Step {
    /// The index of the overlay, from 0, in the order of application.
    pub overlay: usize,
    /// The index of the action in its overlay, from 0.
    pub index: usize,
    /// File, line, number and target, as in problems.
    pub place: String,
    /// The action as written.
    pub action: Value,
    /// The places that the target matches in the document after the previous actions.
    pub targets: Vec<Pointer>,
    /// Those of the targets that `x-was` does not match.
    pub stale: Vec<Pointer>,
    /// The reason why the action does not apply: `x-was` does not match the document, or it cannot be applied.
    pub failure: Option<Problem>,
}

/// Applies the actions of the overlays to the document, and returns what each found. A failing action does not stop the others.
///
/// `see` is called before each action with the current document.
///
/// # Errors
///
/// Problems of overlays that cannot be parsed, or of a document that exceeds the limits.
pub fn trace(
    document: &Value,
    overlays: &[Source],
    see: &mut dyn FnMut(&Step, &Value),
) -> Result<(Value, Vec<Step>), Problems> {
    let read = every(overlays.iter().map(Source::parse))?;
    let actions = every(read.iter().zip(overlays).map(|(overlay, source)| actions_of(overlay, source)))?;
    let mut result = document.clone();
    let mut bound = limits::Bound::of(&result);
    let mut steps = Vec::new();
    for (overlay, (actions, source)) in actions.iter().zip(overlays).enumerate() {
        for action in actions {
            let targets = locate(&action.path, &result);
            let stale = targets.iter().filter(|target| action.differs(target, &result).is_some());
            let mut step = Step {
                stale: stale.cloned().collect(),
                overlay,
                index: action.index,
                place: action.place(source),
                action: read[overlay]["actions"][action.index].clone(),
                targets,
                failure: None,
            };
            see(&step, &result);
            step.failure = run(action, &step, &mut result, &mut bound);
            if let Err((reason, remedy)) = bound.check(&result) {
                return Err(Problem::at(step.place, reason, remedy).into());
            }
            steps.push(step);
        }
    }
    Ok((result, steps))
}

fn run(action: &Action<'_>, step: &Step, document: &mut Value, bound: &mut limits::Bound) -> Option<Problem> {
    let stated = action.check(&step.targets, document);
    let applied = action.apply(step.targets.clone(), document, bound);
    let (reason, remedy) = stated.and(applied).err()?;
    Some(Problem::at(step.place.clone(), reason, remedy))
}
