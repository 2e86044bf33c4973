//! Evaluates how the overlays' actions applied before: what each found, and the evidence for statements that differ from upstream's.

use std::collections::HashMap;

use serde_json::{Map, Value};
use suprsend_codegen::{Pointer, Problems, Project, Step, trace};

use super::places::{is_collection, member, owner};

/// Words with which the reason of an action refers to what the API does, or to upstream's description of it.
const WORDS: [&str; 6] = ["sdk", "documentation", "docs", "example", "sample", "upstream"];

/// An action, by the index of the overlay and its own.
pub(super) type Id = (usize, usize);

/// The reason why an overlay differs from upstream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reason {
    /// File, line, number and target of the action.
    pub(super) action: String,
    pub(super) text: String,
    /// The `x-source` of the operation.
    pub(super) source: Option<String>,
}

/// The actions as they applied to the previous document.
#[derive(Debug)]
pub(super) struct Evidence {
    steps: Vec<Step>,
    /// The values at the targets of an update, as far as the update covers them.
    found: HashMap<(Id, Pointer), Value>,
    /// The resulting document.
    effective: Value,
}

impl Evidence {
    pub(super) fn new(project: &Project, effective: &Value) -> Result<Self, Problems> {
        let mut found = HashMap::new();
        let (_, steps) = trace(&project.document().parse()?, project.overlays(), &mut |step, document| {
            let Some(update) = step.action.get("update") else { return };
            for target in &step.targets {
                if let Some(value) = target.get(document) {
                    let id = (step.overlay, step.index);
                    found.insert((id, target.clone()), restricted(update, value, target));
                }
            }
        })?;
        Ok(Self { steps, found, effective: effective.clone() })
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn step(&self, id: Id) -> Option<&Step> {
        self.steps.iter().find(|step| (step.overlay, step.index) == id)
    }

    /// Returns what an update found at a target, as far as the update covers it.
    pub(super) fn found(&self, id: Id, target: &Pointer) -> Option<&Value> {
        self.found.get(&(id, target.clone()))
    }

    /// Returns the evidence for a statement at a place, or for its absence.
    pub(super) fn reason(&self, place: &Pointer) -> Option<Reason> {
        let operation = owner(place).and_then(|owner| owner.get(&self.effective));
        let source = operation.and_then(|operation| operation.get("x-source")?.as_str());
        let elsewhere = source.is_some_and(|source| source != "document");
        self.steps.iter().rev().find_map(|step| {
            if !speaks(step, place) {
                return None;
            }
            let text = step.action.get("description").and_then(Value::as_str).unwrap_or_default();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let lower = text.to_lowercase();
            let evident = elsewhere || WORDS.iter().any(|word| lower.contains(word));
            evident.then(|| Reason { action: step.place.clone(), text, source: source.map(str::to_owned) })
        })
    }
}

/// Returns whether an action states the value at a place, or removed something there.
fn speaks(step: &Step, place: &Pointer) -> bool {
    step.targets.iter().any(|target| {
        if step.action.get("remove") == Some(&Value::Bool(true)) {
            return target == place || target.parent().as_ref() == Some(place);
        }
        if !target.contains(place) {
            return false;
        }
        let below = Pointer::from_text(&place.as_str()[target.as_str().len()..]);
        step.action.get("update").is_none_or(|update| below.get(update).is_some())
    })
}

/// Returns the part of a value that an update covers.
pub(super) fn restricted(update: &Value, value: &Value, place: &Pointer) -> Value {
    let (Value::Object(update), Value::Object(_)) = (update, value) else {
        return value.clone();
    };
    let mut part = Map::new();
    for (key, update) in update {
        let found = if is_collection(place) {
            member(value, place, key)
        } else {
            value.get(key).map(|it| (key.as_str(), it))
        };
        if let Some((_, value)) = found {
            part.insert(key.clone(), restricted(update, value, &place.child(key)));
        }
    }
    Value::Object(part)
}
