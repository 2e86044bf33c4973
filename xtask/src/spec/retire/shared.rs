//! What several operations share, and upstream writes out for each: a correction refers to it, so that it stays one type.

use serde_json::Value;
use suprsend_codegen::Pointer;

use super::{
    evidence::Evidence,
    kept::{Kept, Why, both, contradicts, is_name},
    names::TYPED,
    places::{owner, resolve},
};
use crate::spec::diff::{Change, Compared};

/// Lets upstream's descriptions refer to what they repeat, where they say the same, or differ by nothing but what would be corrected.
pub(super) fn keep(kept: &mut Kept<'_>, pairs: &[Compared], evidence: &Evidence) {
    let mut replaced: Vec<Pointer> = Vec::new();
    let mut wanted = Vec::new();
    for (_, new, pair) in both(pairs) {
        if new.get(kept.base).is_none() {
            continue;
        }
        for (site, at) in &pair.schemas {
            let Some(reference) = site.get(kept.before).filter(|value| value.get("$ref").is_some()) else { continue };
            let target = resolve(kept.before, site);
            let found = at.get(kept.now());
            let plain = found.is_some_and(|found| found.is_object() && !refers(found));
            let inside = replaced.iter().any(|place| place.contains(at)) || target.contains(at);
            if !plain || inside || !typed(kept.before, &target) || !clean(kept, pairs, &target) {
                continue;
            }
            let below = |change: &&Change| change.schemas.as_ref().is_some_and(|(_, new)| at.contains(new));
            let mut why = None;
            let corrected = pair.changes.iter().filter(|change| !is_name(change)).filter(below).all(|change| {
                let reason = kept.reason(change, evidence).filter(|_| contradicts(change.kind));
                let evident = reason.is_some();
                why = why.take().or(reason.map(|reason| Why::of(reason, change)));
                evident
            });
            if corrected {
                replaced.push(at.clone());
                wanted.push((at.clone(), reference.clone(), why));
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
        Value::Object(members) => members.get("$ref").is_some_and(Value::is_string) || members.values().any(refers),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Whether a type or a mark depends on the schema.
fn typed(document: &Value, place: &Pointer) -> bool {
    let keys = place.get(document).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
    keys.into_iter().any(|key| TYPED.contains(&key) || key.starts_with("x-") || key == "items")
}

/// Whether what stands at a place says what it said before.
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
