//! Redirects the overlays' references to removed parts to the corresponding places in upstream's description.

use serde_json::Value;
use suprsend_codegen::{Pointer, Problems};

use super::{
    given::Overlays,
    places::{follow, reference},
};
use crate::spec::overlays;

/// The depth to which references are expanded.
const DEPTH: usize = 12;

/// Changes dangling references. If upstream has no such place, the previous value is written out.
pub(super) fn settle(ours: &mut Overlays, base: &Value, before: &Value) -> Result<(), Problems> {
    let (document, _) = ours.trace(base)?;
    for source in ours.sources_mut() {
        let overlay = source.parse()?;
        let mut found = Vec::new();
        let mut open = vec![(Pointer::root(), &overlay)];
        while let Some((place, value)) = open.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(target) = broken(value, &document)
                        && !place.tokens().iter().any(|token| token == "x-was")
                    {
                        found.push((place.clone(), value, target));
                    }
                    open.extend(members.iter().map(|(key, value)| (place.child(key), value)));
                }
                Value::Array(items) => {
                    open.extend(items.iter().enumerate().map(|(index, item)| (place.child(index), item)));
                }
                _ => {}
            }
        }
        for (place, value, target) in found {
            *source = match follow(&document, &target) {
                Some(there) => overlays::replace(source, &place.child("$ref"), &reference(&there).into())?,
                None => overlays::replace(source, &place, &written_out(value, &document, before, 0))?,
            };
        }
    }
    Ok(())
}

/// Returns the place that an object refers to, if it does not exist.
fn broken(value: &Value, document: &Value) -> Option<Pointer> {
    let target = Pointer::from_reference(value.get("$ref")?.as_str()?)?;
    target.get(document).is_none().then_some(target)
}

/// Returns a value in which dangling references are redirected, or replaced by the previous value.
pub(super) fn written_out(value: &Value, document: &Value, before: &Value, depth: usize) -> Value {
    let mut value = value.clone();
    if let Some(target) = broken(&value, document) {
        if let Some(there) = follow(document, &target) {
            value["$ref"] = reference(&there).into();
        } else if let Some(stood) = target.get(before).filter(|_| depth < DEPTH) {
            let mut stood = stood.clone();
            // Members next to a reference apply to this place.
            if let (Value::Object(members), Value::Object(beside)) = (&mut stood, &value) {
                members.extend(
                    beside
                        .iter()
                        .filter(|(key, _)| *key != "$ref")
                        .map(|(key, it)| (key.clone(), it.clone())),
                );
            }
            return written_out(&stood, document, before, depth + 1);
        }
    }
    match &mut value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| *member = written_out(member, document, before, depth));
        }
        Value::Array(items) => {
            for item in items {
                *item = written_out(item, document, before, depth);
            }
        }
        _ => {}
    }
    value
}
