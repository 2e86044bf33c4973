//! Which operation to look at first, so that most mutants are found without comparing the whole document.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::drift::{
    check::{Evidence, glance},
    document::Document,
    pointer::Pointer,
};

/// The operations in the order of their size, each with all places that it leads to.
pub(super) struct Focus(Vec<(Pointer, BTreeSet<Pointer>)>);

impl Focus {
    pub(super) fn new(document: &Value, evidence: &Evidence<'_>) -> Result<Self> {
        let mut operations = Vec::new();
        for operation in Document::read(document)?.operations {
            let at = operation.at.pointer;
            // One whose differences are only accepted among those of others would be a finding in any case.
            if glance(document, evidence, &at)?.is_none() {
                let places = reached(document, &at);
                operations.push((at, places));
            }
        }
        operations.sort_by_key(|(_, places)| size(document, places));
        Ok(Self(operations))
    }

    /// The smallest operation that leads to a place.
    pub(super) fn of(&self, place: &Pointer) -> Option<&Pointer> {
        let leads = |places: &BTreeSet<Pointer>| places.iter().any(|known| known.contains(place));
        self.0.iter().find(|(_, places)| leads(places)).map(|(at, _)| at)
    }
}

/// The place itself, and all that references below it lead to.
fn reached(document: &Value, at: &Pointer) -> BTreeSet<Pointer> {
    let mut found = BTreeSet::from([at.clone()]);
    let mut open: Vec<&Value> = at.get(document).into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::of_reference);
                if let Some(target) = target
                    && found.insert(target.clone())
                {
                    open.extend(target.get(document));
                }
                open.extend(members.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found
}

fn size(document: &Value, places: &BTreeSet<Pointer>) -> usize {
    places.iter().filter_map(|place| place.get(document)).map(|value| value.to_string().len()).sum()
}
