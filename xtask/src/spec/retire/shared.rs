//! Keeps types that several operations share and that upstream writes out for each: corrections refer to them, so that they stay one type.

use serde_json::{Value, json};
use suprsend_codegen::Pointer;

use super::{
    evidence::Evidence,
    kept::{Kept, Why, both, contradicts, is_name},
    names::TYPED,
    places::{self, owner, resolve},
};
use crate::spec::diff::{Change, Compared};

/// Replaces repeated upstream descriptions with references, if they are equal, or differ only in what would be corrected.
pub(super) fn keep(kept: &mut Kept<'_>, pairs: &[Compared], evidence: &Evidence) {
    let mut replaced: Vec<Pointer> = Vec::new();
    let mut wanted = Vec::new();
    for (old, new, pair) in both(pairs) {
        if new.get(kept.base).is_none() {
            continue;
        }
        for (site, at) in &pair.schemas {
            let Some(stood) = site.get(kept.before) else { continue };
            let target = resolve(kept.before, site);
            let refers_itself = stood.get("$ref").is_some();
            // A target in another operation or in a component is shared, even if the reference is further out.
            if !refers_itself && (owner(&target).as_ref() == Some(old) || !names_type(kept.before, &target)) {
                continue;
            }
            let reference =
                if refers_itself { stood.clone() } else { json!({"$ref": places::reference(&target)}) };
            let found = at.get(kept.now());
            let plain = found.is_some_and(|found| found.is_object() && !refers(found));
            let inside = replaced.iter().any(|place| place.contains(at)) || target.contains(at);
            if !plain || inside || !typed(kept.before, &target) || !clean(kept, pairs, &target) {
                continue;
            }
            let below = |change: &&Change| change.schemas.as_ref().is_some_and(|(_, new)| at.contains(new));
            let mut why = None;
            let corrected =
                pair.changes.iter().filter(|change| !is_name(change)).filter(below).all(|change| {
                    let reason = kept.reason(old, change, evidence).filter(|_| contradicts(change.kind));
                    let evident = reason.is_some();
                    why = why.take().or(reason.map(|reason| Why::new(reason, change)));
                    evident
                });
            if corrected {
                replaced.push(at.clone());
                wanted.push((at.clone(), reference, why));
            }
        }
    }
    for (at, reference, why) in wanted {
        let why = why.unwrap_or_else(|| {
            Why::own("Upstream writes out here what several operations share. It stays one type, and is described in one place.")
        });
        kept.put(&at, &reference, &why);
    }
}

fn refers(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.get("$ref").is_some_and(Value::is_string) || members.values().any(refers)
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Returns whether a type or a mark depends on the schema.
fn typed(document: &Value, place: &Pointer) -> bool {
    let keys = place.get(document).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key);
    names_type(document, place) || keys.into_iter().any(|key| key.starts_with("x-") || key == "items")
}

/// Returns whether the schema becomes a separate type.
fn names_type(document: &Value, place: &Pointer) -> bool {
    let schema = place.get(document).and_then(Value::as_object);
    schema.is_some_and(|schema| schema.keys().any(|key| TYPED.contains(&key.as_str())))
}

/// Returns whether the value at a place is the same as before.
fn clean(kept: &Kept<'_>, pairs: &[Compared], place: &Pointer) -> bool {
    if place.get(kept.now()).is_none() {
        return false;
    }
    if owner(place).is_some_and(|owner| owner.get(kept.base).is_none()) {
        return true;
    }
    let within = |change: &Change| change.schemas.as_ref().is_some_and(|(_, new)| place.contains(new));
    !pairs.iter().flat_map(|pair| &pair.changes).any(|change| !is_name(change) && within(change))
}
