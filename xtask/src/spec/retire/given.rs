//! Determines the parts of the overlays that give way to a document, and removes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use suprsend_codegen::{Pointer, Problem, Problems, Project, Source, Step, trace};

use super::{
    evidence::{Evidence, Id, restricted},
    places::{is_collection, member, owner},
};
use crate::spec::{
    habits::READINGS,
    overlays::{self, query},
};

/// The maximum number of rounds: what one round leaves can affect another action.
const ROUNDS: usize = 12;

/// The fate of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// A correction that upstream has made.
    Made,
    /// An addition that upstream contains now.
    GivesWay,
    /// A correction of something that upstream states in a third way, or that no longer exists.
    Overtaken,
    /// An addition that nothing refers to any more.
    Unused,
}

/// The fate of an action and of its places.
#[derive(Debug)]
pub(super) struct Verdict {
    /// File, line, number and target, as they were before.
    pub(super) action: String,
    /// The places that it covers, each with its fate.
    pub(super) parts: BTreeMap<Pointer, Fate>,
    /// The places where it still applies.
    pub(super) targets: Vec<Pointer>,
}

/// The overlays while they are edited.
pub(super) struct Overlays {
    sources: Vec<Source>,
    /// The original id of each action.
    ids: Vec<Vec<Id>>,
    verdicts: BTreeMap<Id, Verdict>,
}

/// A change of an action.
#[derive(Default)]
struct Edit {
    whole: bool,
    /// Parts to be removed, relative to `update`.
    parts: Vec<Pointer>,
    /// Collections that are created here for others, and would be empty here.
    emptied: Vec<Pointer>,
    /// The new value of `x-was`.
    was: Option<Value>,
    /// The new target, which selects the places where the action still applies.
    target: Option<String>,
}

/// The parts of an update that give way, each with its place in the document.
type Parts = BTreeMap<Pointer, (Pointer, Fate)>;

impl Overlays {
    pub(super) fn new(project: &Project, evidence: &Evidence) -> Self {
        let mut ids = vec![Vec::new(); project.overlays().len()];
        let mut verdicts = BTreeMap::new();
        for step in evidence.steps() {
            let id = (step.overlay, step.index);
            ids[step.overlay].push(id);
            let verdict =
                Verdict { action: step.place.clone(), parts: BTreeMap::new(), targets: step.targets.clone() };
            verdicts.insert(id, verdict);
        }
        let mut sources = project.overlays().to_vec();
        // It is rewritten for each document.
        if let Some(at) = sources.iter().position(|source| source.name == READINGS) {
            sources.remove(at);
            ids.remove(at);
            verdicts.retain(|(overlay, _), _| *overlay != at);
        }
        Self { sources, ids, verdicts }
    }

    /// Returns the remaining overlays.
    pub(super) fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    pub(super) fn sources_mut(&mut self) -> &mut [Source] {
        &mut self.sources
    }

    pub(super) fn verdicts(&self) -> &BTreeMap<Id, Verdict> {
        &self.verdicts
    }

    /// Applies them to a document, whether they match or not.
    pub(super) fn trace(&self, base: &Value) -> Result<(Value, Vec<Step>), Problems> {
        trace(base, &self.sources, &mut |_, _| {})
    }

    /// Removes what a document already contains, until everything that is left applies to it.
    pub(super) fn settle(&mut self, base: &Value, evidence: &Evidence) -> Result<(), Problems> {
        // Whole operations and components first: as long as an overlay repeats one, it finds a mixture of both.
        let mut coarse = true;
        for _ in 0..ROUNDS {
            let edits = self.edits(base, evidence, coarse)?;
            if edits.is_empty() && !coarse {
                return Ok(());
            }
            coarse = false;
            self.apply(&edits)?;
        }
        Ok(())
    }

    /// Removes additions that nothing needs, and the corrections of those.
    pub(super) fn drop(
        &mut self,
        unused: &[Pointer],
        base: &Value,
        evidence: &Evidence,
    ) -> Result<(), Problems> {
        let mut edits: BTreeMap<(usize, usize), Edit> = BTreeMap::new();
        let (document, steps) = self.trace(base)?;
        for step in &steps {
            let mut parts = Vec::new();
            for place in unused {
                if step.targets.iter().any(|target| place.contains(target)) {
                    edits.entry((step.overlay, step.index)).or_default().whole = true;
                }
                for target in step.targets.iter().filter(|target| target.contains(place)) {
                    let below = Pointer::from_text(&place.as_str()[target.as_str().len()..]);
                    if step.action.get("update").is_some_and(|update| below.get(update).is_some()) {
                        parts.push(below);
                        self.note(step, place, Fate::Unused);
                    }
                }
            }
            if !parts.is_empty() {
                let edit = edits.entry((step.overlay, step.index)).or_default();
                edit.parts = parts;
                narrow(edit, step, &document, base);
            }
        }
        self.apply(&edits)?;
        self.settle(base, evidence)
    }

    fn note(&mut self, step: &Step, place: &Pointer, fate: Fate) {
        let id = self.ids[step.overlay][step.index];
        if let Some(verdict) = self.verdicts.get_mut(&id) {
            verdict.parts.insert(place.clone(), fate);
        }
    }

    /// Returns the edits with which the overlays apply.
    fn edits(
        &mut self,
        base: &Value,
        evidence: &Evidence,
        coarse: bool,
    ) -> Result<BTreeMap<Id, Edit>, Problems> {
        let mut edits: BTreeMap<(usize, usize), Edit> = BTreeMap::new();
        let mut notes = Vec::new();
        let ids = self.ids.clone();
        let (document, steps) = trace(base, &self.sources, &mut |step, document| {
            let Some(update) = step.action.get("update") else { return };
            let id = ids[step.overlay][step.index];
            let found = if coarse { base } else { document };
            let mut common: Option<Parts> = None;
            for target in &step.targets {
                let mut parts = Parts::new();
                let places = (target.clone(), Pointer::root());
                prune(update, evidence.found(id, target), target.get(found), &places, coarse, &mut parts);
                // Of several targets, only what gives way at all of them.
                common = Some(match common {
                    None => parts,
                    Some(common) => common.into_iter().filter(|(part, _)| parts.contains_key(part)).collect(),
                });
            }
            let parts = common.unwrap_or_default();
            if parts.is_empty() {
                return;
            }
            let mut edit = Edit { parts: parts.keys().cloned().collect(), ..Edit::default() };
            narrow(&mut edit, step, found, base);
            edits.insert((step.overlay, step.index), edit);
            notes.extend(parts.into_values().map(|(place, fate)| (step.clone(), place, fate)));
        })?;
        if !coarse {
            self.failing(&steps, (base, &document), evidence, &mut edits, &mut notes)?;
        }
        for (step, place, fate) in notes {
            self.note(&step, &place, fate);
        }
        Ok(edits)
    }

    /// Adds edits for actions that do not apply otherwise: they go, except for the targets where the document is what they expect.
    fn failing(
        &self,
        steps: &[Step],
        (base, document): (&Value, &Value),
        evidence: &Evidence,
        edits: &mut BTreeMap<Id, Edit>,
        notes: &mut Vec<(Step, Pointer, Fate)>,
    ) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for step in steps {
            let id = (step.overlay, step.index);
            let Some(problem) = step.failure.as_ref().filter(|_| !edits.contains_key(&id)) else { continue };
            let old = evidence.step(self.ids[step.overlay][step.index]);
            let targets: &[Pointer] = old.map_or(&[], |old| &old.targets);
            // Statements about an operation or a component that does not exist at all need a person's decision.
            let there = |target: &Pointer| {
                owner(target).is_some_and(|owner| owner.get(document).is_some() || self.gave_way(&owner))
            };
            if targets.is_empty() || !targets.iter().all(there) {
                problems.push(problem.clone());
                continue;
            }
            let left = still_applies(step);
            match without_the_others(step, &left, document) {
                Ok(edit) => edits.insert(id, edit),
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let given = targets.iter().filter(|target| !left.contains(target));
            notes.extend(
                given.map(|target| (step.clone(), target.clone(), fate(step, target, base, document))),
            );
        }
        Problems::none_or(problems)
    }

    fn gave_way(&self, place: &Pointer) -> bool {
        self.verdicts.values().any(|verdict| verdict.parts.contains_key(place))
    }

    fn apply(&mut self, edits: &BTreeMap<Id, Edit>) -> Result<(), Problems> {
        let mut emptied = Vec::new();
        for (overlay, source) in self.sources.iter_mut().enumerate() {
            let actions = Pointer::root().child("actions");
            let (mut removed, mut replaced, mut gone) = (Vec::new(), Vec::new(), Vec::new());
            for ((_, index), edit) in edits.range((overlay, 0)..(overlay + 1, 0)) {
                let action = actions.child(index);
                if edit.whole {
                    removed.push(action);
                    gone.push(*index);
                    continue;
                }
                removed.extend(edit.parts.iter().map(|part| action.child("update").join(part)));
                let emptied = edit
                    .emptied
                    .iter()
                    .map(|part| (action.child("update").join(part), Value::Object(Map::new())));
                replaced.extend(emptied);
                replaced.extend(
                    edit.target.iter().map(|target| (action.child("target"), target.as_str().into())),
                );
                if let Some(was) = &edit.was {
                    rewrite_was(&action.child("x-was"), source, was, &mut removed, &mut replaced)?;
                }
            }
            if gone.len() == self.ids[overlay].len() {
                emptied.push(overlay);
                continue;
            }
            for (place, value) in replaced {
                *source = overlays::replace(source, &place, &value)?;
            }
            *source = overlays::remove(source, &removed)?;
            let ids = self.ids[overlay].iter().enumerate().filter(|(index, _)| !gone.contains(index));
            self.ids[overlay] = ids.map(|(_, id)| *id).collect();
        }
        for overlay in emptied.into_iter().rev() {
            self.sources.remove(overlay);
            self.ids.remove(overlay);
        }
        Ok(())
    }
}

/// Returns the targets of a failing action where the document is what it expects, unless it fails for another reason.
fn still_applies(step: &Step) -> Vec<&Pointer> {
    let left = step.targets.iter().filter(|target| !step.stale.is_empty() && !step.stale.contains(target));
    left.collect()
}

/// Leaves an action these targets; without any, it goes.
fn without_the_others(step: &Step, left: &[&Pointer], document: &Value) -> Result<Edit, Problem> {
    if left.is_empty() {
        return Ok(Edit { whole: true, ..Edit::default() });
    }
    let left: Vec<_> = left.iter().map(|target| query::steps(document, target)).collect();
    match query::united(&left).as_slice() {
        [only] => Ok(Edit { target: Some(query::from_steps(only)), ..Edit::default() }),
        _ => Err(Problem::at(
            step.place.clone(),
            "it still applies to some of its targets, which no single query selects",
            "make it several actions",
        )),
    }
}

/// Returns the fate of a target that an action no longer applies to.
fn fate(step: &Step, target: &Pointer, base: &Value, document: &Value) -> Fate {
    let removed = step.action.get("remove").is_some()
        && target.get(document).is_none()
        && target.parent().is_some_and(|parent| parent.get(document).is_some());
    let updated = step.action.get("update").is_some_and(|update| {
        target.get(base).is_some_and(|found| restricted(update, found, target) == *update)
    });
    if removed || updated { Fate::Made } else { Fate::Overtaken }
}

/// Finds the parts of an update that give way: members that are new in the document, and values that have changed.
fn prune(
    update: &Value,
    old: Option<&Value>,
    new: Option<&Value>,
    (place, part): &(Pointer, Pointer),
    coarse: bool,
    parts: &mut Parts,
) {
    let Some(new) = new else { return };
    let collection = is_collection(place);
    if let (Value::Object(members), Value::Object(_)) = (update, new)
        && (collection || old.is_some_and(Value::is_object))
    {
        for (key, update) in members {
            let (name, new) = match member(new, place, key) {
                Some((name, value)) => (name, Some(value)),
                None => (key.as_str(), None),
            };
            let old = old.and_then(|old| old.get(key));
            prune(update, old, new, &(place.child(name), part.child(key)), coarse, parts);
        }
        return;
    }
    let unit = owner(place).as_ref() == Some(place);
    if coarse && (!unit || old.is_some()) {
        return;
    }
    let fate = match (update, old) {
        _ if old == Some(new) => return,
        (update, None) if update == new && !unit => Fate::Made,
        (_, None) => Fate::GivesWay,
        (update, Some(_)) if update == new => Fate::Made,
        (Value::Array(more), Some(Value::Array(_))) if contains(new, more) => Fate::Made,
        _ => Fate::Overtaken,
    };
    parts.insert(part.clone(), (place.clone(), fate));
}

fn contains(value: &Value, more: &[Value]) -> bool {
    value.as_array().is_some_and(|items| more.iter().all(|item| items.contains(item)))
}

/// Extends parts to the objects that they would leave empty, and adapts `x-was` to the rest.
fn narrow(edit: &mut Edit, step: &Step, document: &Value, base: &Value) {
    let mut update = step.action.get("update").cloned().unwrap_or_default();
    let mut grown = Vec::new();
    // Another action may add to a collection that upstream lacks and that this one creates.
    let made = |part: &Pointer| {
        let place = step.targets.first().map(|target| target.join(part));
        *part != Pointer::root()
            && place.is_some_and(|place| is_collection(&place) && place.get(base).is_none())
    };
    for part in &edit.parts {
        let mut part = part.clone();
        loop {
            let parent = part.parent().unwrap_or_default();
            if let Some(Value::Object(members)) = parent.get_mut(&mut update) {
                members.shift_remove(&part.last());
                if !members.is_empty() {
                    break;
                }
            }
            if made(&parent) {
                edit.emptied.push(parent.clone());
                break;
            }
            if parent == Pointer::root() {
                edit.whole = true;
                return;
            }
            part = parent;
        }
        grown.push(part);
    }
    // A part may have grown to contain another.
    let all = grown.clone();
    grown.retain(|part| !all.iter().any(|other| other != part && other.contains(part)));
    grown.dedup();
    grown.retain(|part| !edit.emptied.iter().any(|emptied| emptied.contains(part)));
    edit.parts = grown;
    if let Some(was) = step.action.get("x-was") {
        let found = step.targets.first().and_then(|target| target.get(document).or_else(|| target.get(base)));
        edit.was = Some(left_of(was, Some(&update), found));
    }
}

/// Returns the `x-was` for the rest of an update: nothing about removed parts, and of existing ones only what is still absent.
fn left_of(was: &Value, update: Option<&Value>, found: Option<&Value>) -> Value {
    let Value::Object(members) = was else { return was.clone() };
    let mut left = Map::new();
    for (key, was) in members {
        let update = update.and_then(|update| update.get(key));
        let found = found.and_then(|found| found.get(key));
        match (was, update, found) {
            (Value::Null, None, Some(_)) => {}
            (Value::Null, Some(Value::Object(update)), Some(Value::Object(found))) => {
                let absent: Map<String, Value> = update
                    .keys()
                    .filter(|key| !found.contains_key(*key))
                    .map(|key| (key.clone(), Value::Null))
                    .collect();
                if !absent.is_empty() {
                    left.insert(key.clone(), Value::Object(absent));
                }
            }
            (Value::Object(_), update, found) => {
                let part = left_of(was, update, found);
                if part.as_object().is_none_or(|part| !part.is_empty()) {
                    left.insert(key.clone(), part);
                }
            }
            // A statement about something that has changed, and that the action no longer touches.
            (was, None, Some(found)) if was != found && !was.is_null() => {}
            _ => {
                left.insert(key.clone(), was.clone());
            }
        }
    }
    Value::Object(left)
}

/// Returns the edits that set an `x-was` to its new value.
fn rewrite_was(
    place: &Pointer,
    source: &Source,
    wanted: &Value,
    removed: &mut Vec<Pointer>,
    replaced: &mut Vec<(Pointer, Value)>,
) -> Result<(), Problems> {
    let document = source.parse()?;
    let mut open = vec![(place.clone(), wanted.clone())];
    while let Some((place, wanted)) = open.pop() {
        let Some(now) = place.get(&document) else { continue };
        match (now, &wanted) {
            (_, Value::Object(wanted)) if wanted.is_empty() => removed.push(place),
            (Value::Object(now), Value::Object(wanted)) => {
                for key in now.keys() {
                    match wanted.get(key) {
                        None => removed.push(place.child(key)),
                        Some(wanted) => open.push((place.child(key), wanted.clone())),
                    }
                }
            }
            (now, wanted) if now != wanted => replaced.push((place, wanted.clone())),
            _ => {}
        }
    }
    Ok(())
}
