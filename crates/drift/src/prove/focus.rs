//! Selects the operation to check first, so that most mutants are found without comparing the whole document.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    check::{Evidence, glance},
    code::{self, Code},
    compare::reachable,
    document::Document,
    pointer::Pointer,
    schema::Schemas,
};

/// The operations, sorted by size.
pub(super) struct Focus(Vec<Near>);

/// An operation with everything that it leads to, and nothing else.
pub(super) struct Near {
    pub(super) at: Pointer,
    pub(super) document: Value,
    pub(super) code: Code,
    types: Value,
    rules: Value,
    /// All places of the document that it leads to.
    places: BTreeSet<Pointer>,
    /// The names of itself, and of all types and rules that it leads to.
    names: BTreeSet<String>,
}

impl Near {
    pub(super) fn evidence<'e>(&'e self, evidence: &Evidence<'e>) -> Evidence<'e> {
        Evidence { code: &self.code, types: &self.types, rules: &self.rules, ..*evidence }
    }
}

impl Focus {
    pub(super) fn new(document: &Value, evidence: &Evidence<'_>) -> Result<Self> {
        let mut all = Vec::new();
        for operation in Document::read(document)?.operations {
            let Some(own) = evidence.code.operations.iter().find(|own| operation.is(own)) else { continue };
            let at = operation.at.pointer;
            let (places, names) = (reached(document, &at), names(evidence, own));
            let code = evidence.code.part(&names);
            let (types, rules) = (code.schemas(), code.rules());
            let document = part(document, &at, &places);
            let near = Near { at, document, code, types, rules, places, names };
            // An operation whose differences are only accepted together with those of others would always be a finding.
            if glance(&near.document, &near.evidence(evidence), &near.at)?.is_none() {
                all.push(near);
            }
        }
        all.sort_by_key(|near| near.document.to_string().len());
        Ok(Self(all))
    }

    /// Returns the smallest operation that a place of the source belongs to: itself, or a type or rules that it leads to.
    pub(super) fn near_source(&self, place: &str) -> Option<&Near> {
        let place =
            place.strip_prefix("operations::").or_else(|| place.strip_prefix("rules::")).unwrap_or(place);
        let name = place.split(':').next()?;
        self.0.iter().find(|near| near.names.contains(name))
    }

    /// Returns the smallest operation that leads to a place, or contains it.
    pub(super) fn near(&self, place: &Pointer) -> Option<&Near> {
        let leads = |near: &&Near| near.places.iter().any(|known| known.contains(place));
        let in_it = |near: &&Near| {
            place.parent().is_some_and(|list| list.as_str() == "/paths") && place.contains(&near.at)
        };
        self.0.iter().find(leads).or_else(|| self.0.iter().find(in_it))
    }
}

/// Returns the document with one operation and what it leads to.
fn part(document: &Value, at: &Pointer, places: &BTreeSet<Pointer>) -> Value {
    let mut part = document.clone();
    let item = at.parent().unwrap_or_default();
    let leads = |place: &Pointer| *place == item || places.iter().any(|known| place.contains(known));
    let paths = Pointer::root().child("paths");
    // They would not be read if the operation has its own servers.
    if [at, &item].iter().any(|place| place.child("servers").get(document).is_some()) {
        part.as_object_mut().map(|members| members.shift_remove("servers"));
    }
    if let Some(Value::Object(items)) = part.get_mut("paths") {
        items.retain(|path, _| leads(&paths.child(path)));
    }
    for (category, components) in
        part.get_mut("components").and_then(Value::as_object_mut).into_iter().flatten()
    {
        let place = Pointer::root().child("components").child(category);
        if let (true, Value::Object(components)) = (category != "securitySchemes", components) {
            components.retain(|name, _| leads(&place.child(name)));
        }
    }
    part
}

fn names(evidence: &Evidence<'_>, own: &code::Operation) -> BTreeSet<String> {
    let mut names = BTreeSet::from([own.name.clone()]);
    let parts = own.parameters.iter().map(|(_, part)| part).chain(own.body.iter().map(|(_, part)| part));
    let parts: Vec<&code::Part> = parts.collect();
    let keys = parts.iter().filter_map(|part| part.ty.as_ref()).chain(&own.response).chain(&own.refusal);
    for key in keys {
        names.insert(key.clone());
        names.extend(reachable(&evidence.types["roots"][key], Schemas::new(evidence.types)));
    }
    for name in parts.iter().filter_map(|part| part.rules.as_ref()) {
        let rules = json!({ "$ref": format!("#/$defs/{name}") });
        names.extend(reachable(&rules, Schemas::new(evidence.rules)));
    }
    names
}

/// Returns the place itself, and everything that references below it lead to.
fn reached(document: &Value, at: &Pointer) -> BTreeSet<Pointer> {
    let mut found = BTreeSet::from([at.clone()]);
    let mut open: Vec<&Value> = at.get(document).into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
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
