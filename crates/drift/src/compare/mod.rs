//! Comparisons without running code: pure functions from the facts of both sides to differences.

mod apart;
mod operations;
mod responses;
mod rules;
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

/// The number of compared facts of each class.
pub(crate) type Counts = BTreeMap<&'static str, usize>;

/// A schema of the document and the corresponding generated type.
#[derive(Debug, Clone)]
pub(crate) struct Pair<'a> {
    pub(crate) name: String,
    pub(crate) node: Node<'a>,
}

/// The result of comparing the facts.
#[derive(Debug, Default)]
pub(crate) struct Compared<'a> {
    pub(crate) differences: Vec<Difference>,
    pub(crate) counts: Counts,
    pub(crate) pairs: Vec<Pair<'a>>,
    /// Places of these kinds where another part of the code compensates for a difference.
    pub(crate) excused: BTreeSet<(Kind, Pointer)>,
}

impl Compared<'_> {
    /// Returns whether a difference of this kind is known at a place of the document.
    pub(crate) fn lists(&self, kind: Kind, pointer: &Pointer) -> bool {
        self.excused.contains(&(kind, pointer.clone()))
            || self.differences.iter().any(|known| known.kind == kind && known.pointer == *pointer)
    }
}

/// The code in the form in which it is compared.
#[derive(Clone, Copy)]
pub(crate) struct Rust<'a> {
    pub(crate) code: &'a Code,
    /// The schemas of its types.
    pub(crate) types: Schemas<'a>,
    /// Its rules as one JSON Schema document.
    pub(crate) rules: &'a Value,
    /// The base URL of requests that declare no server; `None` stands for the document's first server.
    pub(crate) base_url: Option<&'a str>,
}

impl<'a> Rust<'a> {
    fn beside(&self) -> operations::Beside<'a> {
        operations::Beside { code: self.code, rules: self.rules, base_url: self.base_url }
    }
}

/// Compares operations, types and rules.
pub(crate) fn compare<'a>(document: &Document<'a>, rust: Rust<'a>) -> Result<Compared<'a>> {
    let (code, schemas) = (rust.code, rust.types);
    let mut comparer = schemas::Comparer::new(document.schemas, schemas);
    comparer.compared.differences.extend(document.unread.iter().cloned());
    operations::compare(document, rust.beside(), &mut comparer).map_err(|dangling: Dangling| {
        anyhow!(
            "{}: `{}` leads nowhere or in a circle; correct the reference",
            dangling.pointer,
            dangling.reference
        )
    })?;
    let mut outcome = comparer.compared;
    outcome.differences.extend(unreached(code, schemas));
    outcome.differences.extend(unrecognised(code));
    *outcome.counts.entry("types").or_default() = code.types.len();
    outcome.differences.extend(unused_rules(code, rust.rules));
    let mut seen = BTreeSet::new();
    outcome.differences.retain(|difference| {
        let says = (difference.document.to_string(), difference.code.to_string());
        seen.insert((difference.kind, difference.place.clone(), says))
    });
    Ok(outcome)
}

/// Finds operations that only one side has, or that the code has twice.
pub(crate) fn matching<'a>(document: &Document<'a>, rust: Rust<'a>) -> Vec<Difference> {
    let mut comparer = schemas::Comparer::new(document.schemas, rust.types);
    let _ = operations::matched(document, rust.beside(), &mut comparer);
    comparer.compared.differences
}

/// Compares only the operation at this place of the document, until the differences are `enough`. [`compare`] finds the same differences,
/// too.
pub(crate) fn compare_one<'a>(
    document: &Document<'a>,
    rust: Rust<'a>,
    at: &Pointer,
    enough: &dyn Fn(&[Difference]) -> bool,
) -> Vec<Difference> {
    let mut comparer = schemas::Comparer::new(document.schemas, rust.types);
    comparer.compared.differences.extend(unrecognised(rust.code));
    if enough(&comparer.compared.differences) {
        return comparer.compared.differences;
    }
    match operations::compare_one(document, rust.beside(), &mut comparer, at, enough) {
        Ok(()) => comparer.compared.differences,
        Err(_) => Vec::new(),
    }
}

/// Returns the types that a type leads to, including itself.
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

/// Reports source that the reader does not understand.
fn unrecognised(code: &Code) -> impl Iterator<Item = Difference> {
    code.unrecognised.iter().map(|unrecognised| Difference {
        kind: Kind::Unrecognised,
        pointer: Pointer::root(),
        place: Pointer::root().child("rust").child(&unrecognised.spot),
        rust: unrecognised.spot.clone(),
        owner: None,
        document: Value::Null,
        code: unrecognised.what.clone().into(),
    })
}

/// Reports generated types that no operation leads to.
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

/// Reports rules that no parameter and no body leads to.
fn unused_rules(code: &Code, rules: &Value) -> Vec<Difference> {
    let mut reached = BTreeSet::new();
    for operation in &code.operations {
        let parameters = operation.parameters.iter().map(|(_, part)| part);
        let parts = parameters.chain(operation.body.iter().map(|(_, part)| part));
        for name in parts.filter_map(|part| part.rules.as_ref()) {
            let schema = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
            reached.extend(reachable(&schema, Schemas::new(rules)));
        }
    }
    let left = code.rules.iter().filter(|(name, _)| !reached.contains(*name));
    left.map(|(name, schema)| Difference {
        kind: Kind::RuleExtra,
        pointer: Pointer::root(),
        place: Pointer::root().child("rust").child("rules").child(name),
        rust: format!("{} rules::{name}", code.file),
        owner: None,
        document: Value::Null,
        code: schema.clone(),
    })
    .collect()
}

/// Returns the place of a type or a variant in the source.
pub(crate) fn spot(schema: &Value) -> String {
    schema["x-rust"]["spot"].as_str().unwrap_or("the generated types").to_owned()
}
