//! Which operation to look at first, so that most mutants are found without comparing the whole document.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

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
    /// Itself, and all types and rules that it leads to, by their names.
    names: BTreeSet<String>,
}

impl Focus {
    pub(super) fn new(document: &Value, evidence: &Evidence<'_>) -> Result<Self> {
        let mut operations = Vec::new();
        for operation in Document::read(document)?.operations {
            let names = evidence.code.operations.iter().find(|own| operation.is(own)).map(|own| names(evidence, own));
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

    /// The smallest operation that a place of the source has to do with: itself, or a type or rules that it leads to.
    pub(super) fn of_source(&self, place: &str) -> Option<&Pointer> {
        let place = place.strip_prefix("operations::").or_else(|| place.strip_prefix("rules::")).unwrap_or(place);
        let name = place.split(':').next()?;
        self.0.iter().find(|operation| operation.names.contains(name)).map(|operation| &operation.at)
    }

    /// The smallest operation that leads to a place.
    pub(super) fn of(&self, place: &Pointer) -> Option<&Pointer> {
        let leads = |operation: &&Operation| operation.places.iter().any(|known| known.contains(place));
        self.0.iter().find(leads).map(|operation| &operation.at)
    }
}

fn names(evidence: &Evidence<'_>, own: &code::Operation) -> BTreeSet<String> {
    let mut names = BTreeSet::from([own.name.clone()]);
    let parts = own.parameters.iter().map(|(_, part)| part).chain(own.body.iter().map(|(_, part)| part));
    let parts: Vec<&code::Part> = parts.collect();
    let keys = parts.iter().filter_map(|part| part.ty.as_ref()).chain(&own.reply).chain(&own.refusal);
    for key in keys {
        names.extend(reachable(&evidence.types["roots"][key], Schemas::new(evidence.types)));
    }
    for name in parts.iter().filter_map(|part| part.rules.as_ref()) {
        let rules = json!({ "$ref": format!("#/$defs/{name}") });
        names.extend(reachable(&rules, Schemas::new(evidence.rules)));
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
