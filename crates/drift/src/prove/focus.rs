//! Which operation to look at first, so that most mutants are found without comparing the whole document.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::{
    check::{Evidence, glance},
    code,
    compare::reachable,
    document::Document,
    pointer::Pointer,
    schema::Schemas,
};

/// The operations in the order of their size.
pub(super) struct Focus(Vec<Operation>);

struct Operation {
    at: Pointer,
    /// All places of the document that it leads to.
    places: BTreeSet<Pointer>,
    /// Its builder and all types that it leads to, by their names.
    names: BTreeSet<String>,
}

impl Focus {
    pub(super) fn new(document: &Value, evidence: &Evidence<'_>) -> Result<Self> {
        let mut operations = Vec::new();
        for operation in Document::read(document)?.operations {
            let shape = operation.shape().0;
            let same = |own: &&code::Operation| own.method == operation.method && own.shape() == shape;
            let names = evidence.code.operations.iter().find(same).map(|own| names(evidence, own));
            let at = operation.at.pointer;
            // One whose differences are only accepted among those of others would be a finding in any case.
            if glance(document, evidence, &at)?.is_none() {
                let places = reached(document, &at);
                operations.push(Operation { at, places, names: names.unwrap_or_default() });
            }
        }
        operations.sort_by_key(|operation| size(document, &operation.places));
        Ok(Self(operations))
    }

    /// The smallest operation that a place of the source has to do with: its builder, or a type that it leads to.
    pub(super) fn of_source(&self, place: &str) -> Option<&Pointer> {
        let name = place.strip_prefix("builder::").unwrap_or(place).split(':').next()?;
        self.0.iter().find(|operation| operation.names.contains(name)).map(|operation| &operation.at)
    }

    /// The smallest operation that leads to a place.
    pub(super) fn of(&self, place: &Pointer) -> Option<&Pointer> {
        let leads = |operation: &&Operation| operation.places.iter().any(|known| known.contains(place));
        self.0.iter().find(leads).map(|operation| &operation.at)
    }
}

fn names(evidence: &Evidence<'_>, own: &code::Operation) -> BTreeSet<String> {
    let mut keys: Vec<&String> = own.body.iter().filter_map(|(_, part)| part.ty.as_ref()).collect();
    let mut names = BTreeSet::new();
    for arm in &own.arms {
        if let code::Decoded::Type(key) = &arm.decoded {
            keys.push(key);
        }
        names.extend(
            arm.spot
                .item()
                .strip_prefix("builder::")
                .and_then(|rest| rest.split(':').next())
                .map(str::to_owned),
        );
    }
    for key in keys {
        names.extend(reachable(&evidence.types["roots"][key], Schemas::new(evidence.types)));
    }
    names
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
