//! Finds components of the overlays that nothing refers to any more.

use std::collections::BTreeSet;

use serde_json::Value;
use suprsend_codegen::Pointer;

use super::places::owner;

/// Returns the components that operations needed before, that upstream lacks, and that no operation needs now.
pub(super) fn find(before: &Value, base: &Value, now: &Value) -> Vec<Pointer> {
    let needed = reached(now);
    let ours = |place: &Pointer| place.tokens()[0] == "components" && place.get(base).is_none();
    reached(before).into_iter().filter(|place| ours(place) && !needed.contains(place)).collect()
}

/// Returns the operations and components that operations lead to.
pub(super) fn reached(document: &Value) -> BTreeSet<Pointer> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = ["paths", "webhooks"].iter().filter_map(|key| document.get(*key)).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                open.extend(members.values());
                let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
                if let Some(owner) = target.and_then(|target| owner(&target))
                    && found.insert(owner.clone())
                {
                    open.extend(owner.get(document));
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
