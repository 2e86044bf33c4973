//! The comparisons that need no running code: pure functions from the facts of both sides to differences.

mod operations;
mod schemas;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::{
    code::Code,
    document::Document,
    finding::{Difference, Kind},
    pointer::Pointer,
    schema::{Dangling, Node, Schemas},
};

/// How many facts of each class have been compared.
pub(crate) type Counts = BTreeMap<&'static str, usize>;

/// A schema of the document and the generated type that stands for it.
#[derive(Debug, Clone)]
pub(crate) struct Pair<'a> {
    pub(crate) name: String,
    pub(crate) node: Node<'a>,
}

/// What the comparison of the facts gives.
#[derive(Debug, Default)]
pub(crate) struct Compared<'a> {
    pub(crate) differences: Vec<Difference>,
    pub(crate) counts: Counts,
    pub(crate) pairs: Vec<Pair<'a>>,
}

impl Compared<'_> {
    /// Whether there is a difference of this kind at a place of the document.
    pub(crate) fn lists(&self, kind: Kind, pointer: &Pointer) -> bool {
        self.differences.iter().any(|known| known.kind == kind && known.pointer == *pointer)
    }
}

/// Compares operations and types. `schemas` are those of the code.
pub(crate) fn compare<'a>(
    document: &Document<'a>,
    code: &'a Code,
    schemas: Schemas<'a>,
) -> Result<Compared<'a>> {
    let mut comparer = schemas::Comparer::new(document.schemas, schemas);
    comparer.compared.differences.extend(document.unread.iter().cloned());
    operations::compare(document, code, &mut comparer).map_err(|dangling: Dangling| {
        anyhow!(
            "{}: `{}` leads nowhere or in a circle; correct the reference",
            dangling.pointer,
            dangling.reference
        )
    })?;
    let mut outcome = comparer.compared;
    outcome.differences.extend(unreached(code, schemas));
    outcome.differences.extend(code.unrecognised.iter().map(|unrecognised| Difference {
        kind: Kind::Unrecognised,
        pointer: Pointer::root(),
        place: Pointer::root().child("rust").child(&unrecognised.spot),
        rust: unrecognised.spot.clone(),
        owner: None,
        document: Value::Null,
        code: unrecognised.what.clone().into(),
    }));
    *outcome.counts.entry("types").or_default() = code.types.len();
    let mut seen = BTreeSet::new();
    outcome.differences.retain(|difference| {
        let says = (difference.document.to_string(), difference.code.to_string());
        seen.insert((difference.kind, difference.place.clone(), says))
    });
    Ok(outcome)
}

/// Compares one operation alone, the one at this place of the document, until the differences are `enough`. What is found so is
/// found by [`compare`] too.
pub(crate) fn compare_one<'a>(
    document: &Document<'a>,
    code: &'a Code,
    schemas: Schemas<'a>,
    at: &Pointer,
    enough: &dyn Fn(&[Difference]) -> bool,
) -> Vec<Difference> {
    let mut comparer = schemas::Comparer::new(document.schemas, schemas);
    match operations::compare_one(document, code, &mut comparer, at, enough) {
        Ok(()) => comparer.compared.differences,
        Err(_) => Vec::new(),
    }
}

/// The types that a type leads to, itself among them.
pub(crate) fn reachable(schema: &Value, schemas: Schemas<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                if let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/$defs/"))
                    && found.insert(name.to_owned())
                {
                    open.extend(schemas.root().get("$defs").and_then(|types| types.get(name)));
                }
                open.extend(members.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found
}

/// The generated types that no operation leads to.
fn unreached(code: &Code, schemas: Schemas<'_>) -> Vec<Difference> {
    let mut reached = BTreeSet::new();
    for schema in code.roots.values() {
        reached.extend(reachable(schema, schemas));
    }
    let left = code.types.iter().filter(|(name, _)| !reached.contains(*name));
    left.map(|(name, schema)| Difference {
        kind: Kind::TypeUnreached,
        pointer: Pointer::root(),
        place: Pointer::root().child("rust").child(name),
        rust: spot(schema),
        owner: Some(name.clone()),
        document: Value::Null,
        code: schemas.content(schema),
    })
    .collect()
}

/// Where a type or a variant stands in the source.
pub(crate) fn spot(schema: &Value) -> String {
    schema["x-rust"]["spot"].as_str().unwrap_or("the generated types").to_owned()
}
