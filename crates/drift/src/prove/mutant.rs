//! A single change of a document, which preserves the targets of all references in it.

use serde_json::{Map, Value};

use crate::pointer::Pointer;

/// A step of a change.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// Replaces a value, or adds it to the object or the list that should contain it.
    Put(Pointer, Value),
    Remove(Pointer),
    /// Gives a member another key; it keeps its position.
    Rename(Pointer, String),
    /// Replaces the whole document.
    Whole(Value),
    /// Reverses the order of a list.
    Reverse(Pointer),
}

/// A change with its name.
#[derive(Debug, Clone)]
pub(super) struct Mutant {
    pub(super) operator: &'static str,
    /// The place in the document.
    pub(super) pointer: Pointer,
    /// Details of the change, as far as the operator does not imply them.
    pub(super) note: String,
    pub(super) edits: Vec<Edit>,
}

impl Mutant {
    pub(super) fn apply(&self, document: &Value) -> Value {
        let mut changed = document.clone();
        for edit in &self.edits {
            edit.apply(&mut changed);
        }
        changed
    }
}

impl Edit {
    fn apply(&self, document: &mut Value) {
        match self {
            Self::Put(pointer, value) => {
                let below = |target: &Pointer| pointer.contains(target) && pointer != target;
                let mut value = value.clone();
                if refers(&value, &below) {
                    detach(&mut value, document, &below);
                }
                let lost = |target: &Pointer| below(target) && !stands_in(pointer, &value, target);
                detach_in(document, &lost);
                put(document, pointer, value);
            }
            Self::Whole(value) => *document = value.clone(),
            Self::Remove(pointer) => {
                let parent = pointer.parent().unwrap_or_default();
                // Removing an element moves those behind it.
                let gone = if parent.get(document).is_some_and(Value::is_array) { &parent } else { pointer };
                let lost = |target: &Pointer| gone.contains(target) && gone != target || target == pointer;
                detach_in(document, &lost);
                remove(document, pointer);
            }
            Self::Rename(pointer, name) => {
                let parent = pointer.parent().unwrap_or_default();
                let renamed = parent.child(name);
                if renamed.get(document).is_some() {
                    Self::Remove(renamed.clone()).apply(document);
                }
                refer(document, &|target| {
                    let rest =
                        pointer.contains(target).then(|| &target.as_str()[pointer.as_str().len()..])?;
                    Some(Pointer::from_text(format!("{renamed}{rest}")))
                });
                if let Some(Value::Object(members)) = parent.get_mut(document) {
                    let key = pointer.last();
                    let renamed = std::mem::take(members).into_iter().map(|(known, value)| {
                        if known == key { (name.clone(), value) } else { (known, value) }
                    });
                    *members = renamed.collect();
                }
            }
            Self::Reverse(pointer) => {
                detach_in(document, &|target| pointer.contains(target) && pointer != target);
                if let Some(Value::Array(values)) = pointer.get_mut(document) {
                    values.reverse();
                }
            }
        }
    }
}

/// Returns whether something still exists at `target` after `value` is put at `pointer`.
fn stands_in(pointer: &Pointer, value: &Value, target: &Pointer) -> bool {
    target.as_str().strip_prefix(pointer.as_str()).is_some_and(|rest| value.pointer(rest).is_some())
}

fn put(document: &mut Value, pointer: &Pointer, value: Value) {
    if let Some(place) = pointer.get_mut(document) {
        *place = value;
        return;
    }
    match pointer.parent().and_then(|parent| parent.get_mut(document)) {
        Some(Value::Object(members)) => drop(members.insert(pointer.last(), value)),
        Some(Value::Array(values)) => values.push(value),
        _ => {}
    }
}

fn remove(document: &mut Value, pointer: &Pointer) {
    let key = pointer.last();
    match pointer.parent().and_then(|parent| parent.get_mut(document)) {
        Some(Value::Object(members)) => drop(members.shift_remove(&key)),
        Some(Value::Array(values)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < values.len()) {
                values.remove(index);
            }
        }
        _ => {}
    }
}

/// Replaces references whose targets are about to be lost or changed with copies of the targets.
fn detach(value: &mut Value, whole: &Value, lost: &dyn Fn(&Pointer) -> bool) {
    // A copy may itself refer to what is removed; that of a recursive object does so without end.
    for _ in 0..4 {
        if !refers(value, lost) {
            return;
        }
        walk(value, &mut |members| {
            let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            let Some(target) = target.filter(|target| lost(target)) else { return };
            let Some(Value::Object(copy)) = target.get(whole) else { return };
            let mut copy = copy.clone();
            members.shift_remove("$ref");
            copy.extend(std::mem::take(members));
            *members = copy;
        });
    }
}

/// Does the same in the document itself.
fn detach_in(document: &mut Value, lost: &dyn Fn(&Pointer) -> bool) {
    if refers(document, lost) {
        let whole = document.clone();
        detach(document, &whole, lost);
    }
}

/// Returns whether there is a reference to such a place.
fn refers(value: &Value, to: &dyn Fn(&Pointer) -> bool) -> bool {
    match value {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            target.is_some_and(|target| to(&target)) || members.values().any(|value| refers(value, to))
        }
        Value::Array(values) => values.iter().any(|value| refers(value, to)),
        _ => false,
    }
}

/// Redirects references.
fn refer(document: &mut Value, moved: &dyn Fn(&Pointer) -> Option<Pointer>) {
    walk(document, &mut |members| {
        if let Some(Value::String(reference)) = members.get_mut("$ref")
            && let Some(target) = Pointer::from_reference(reference).and_then(|target| moved(&target))
        {
            *reference = format!("#{}", target.as_str().replace('%', "%25"));
        }
    });
}

/// Visits every object, outer ones first.
fn walk(value: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values_mut().for_each(|value| walk(value, visit));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, visit)),
        _ => {}
    }
}
