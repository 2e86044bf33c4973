//! Collects the requests of a document, and the schemas that are reachable from them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::{
    model::{Id, Operation, Parameter, Rule},
    schema::{self, Context, Source, resolve},
};
use crate::{
    Pointer, Report,
    adapt::is_reserved,
    directions::{self, Direction},
    media, path_items,
    report::Kind,
};

/// The schemas of all requests as they occur in the document; equal ones may occur several times.
pub(super) struct Collected {
    /// The rules of each schema.
    pub(super) schemas: Vec<Vec<Rule>>,
    /// The place of each schema.
    pub(super) sources: Vec<Source>,
    /// The operations.
    pub(super) operations: Vec<Operation>,
}

/// Collects the requests of a corrected document.
pub(super) fn collect(document: &Value, report: &mut Report) -> Collected {
    let is_3_0 = directions::is_3_0(document);
    let read_only = if is_3_0 { directions::optional(document, Direction::Sent) } else { HashSet::new() };
    let context = Context { is_3_0, read_only, document, report };
    let mut collector =
        Collector { context, ids: BTreeMap::new(), sources: Vec::new(), as_text: BTreeSet::new() };
    let operations = collector.operations();
    // Reading a schema finds further ones, which are queued after it.
    let mut schemas = Vec::new();
    while let Some(source) = collector.sources.get(schemas.len()).cloned() {
        let Collector { context, ids, sources, .. } = &mut collector;
        schemas.push(schema::read(&source, context, &mut |source| number(ids, sources, source)));
    }
    Collected { schemas, sources: collector.sources, operations }
}

/// Returns the number of a source, which is queued if it is new.
fn number(ids: &mut BTreeMap<Source, Id>, sources: &mut Vec<Source>, source: Source) -> Id {
    *ids.entry(source).or_insert_with_key(|source| {
        sources.push(source.clone());
        sources.len() - 1
    })
}

struct Collector<'a> {
    context: Context<'a>,
    ids: BTreeMap<Source, Id>,
    sources: Vec<Source>,
    /// The schemas of parameters that are passed as text.
    as_text: BTreeSet<Pointer>,
}

impl Collector<'_> {
    fn id(&mut self, source: Source) -> Id {
        number(&mut self.ids, &mut self.sources, source)
    }

    fn operations(&mut self) -> Vec<Operation> {
        let document = self.context.document;
        let mut found = Vec::new();
        for (path, _, item) in path_items(document) {
            let shared = item.get("parameters").map(|(place, _)| place);
            for (method, place, _) in item.operations() {
                let parameters = self.parameters(shared, place);
                let body = self.body(&place.child("requestBody"));
                found.push(Operation { path: path.to_owned(), method: method.to_owned(), parameters, body });
            }
        }
        found
    }

    /// Returns the place of the object that references from this place lead to.
    fn place(&self, place: &Pointer) -> Pointer {
        let mut place = place.clone();
        for _ in 0..64 {
            let target = place.get(self.context.document).and_then(|value| value.get("$ref")?.as_str());
            match target.and_then(Pointer::from_reference) {
                Some(target) => place = target,
                None => break,
            }
        }
        place
    }

    /// Returns the parameters of an operation, which replace those that its path item shares with the same name and place.
    fn parameters(&mut self, shared: Option<&Pointer>, operation: &Pointer) -> Vec<Parameter> {
        let document = self.context.document;
        let mut found: Vec<Parameter> = Vec::new();
        for list in shared.cloned().into_iter().chain([operation.child("parameters")]) {
            let count = list.get(document).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                let place = self.place(&list.child(index));
                let Some(parameter) = place.get(document).filter(|one| !is_reserved(one)) else { continue };
                let text =
                    |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let (name, role) = (text("name"), text("in"));
                let schema = self.parameter_schema(parameter, &place, &role);
                found.retain(|other| (&other.name, &other.place) != (&name, &role));
                found.push(Parameter { name, place: role, schema });
            }
        }
        found
    }

    fn parameter_schema(&mut self, parameter: &Value, place: &Pointer, role: &str) -> Id {
        let place = place.child("schema");
        let Some(schema) = parameter.get("schema") else { return self.id(Source::Anything) };
        if matches!(role, "path" | "header") && !is_plain(resolve(self.context.document, schema)) {
            // A parameter that several operations share is reported only once.
            if self.as_text.insert(place.clone()) {
                let note = "the value is passed as text, which the rules of other types do not concern";
                self.context.report.add(Kind::Widened, &place, note);
            }
            return self.id(Source::Anything);
        }
        self.id(Source::At(place))
    }

    fn body(&mut self, place: &Pointer) -> Option<Id> {
        let place = self.place(place).child("content");
        let content = place.get(self.context.document)?.as_object()?;
        let name = media::sent_as(content.keys().map(String::as_str))?;
        let is_structured =
            matches!(media::essence(name).as_str(), media::JSON | "application/x-www-form-urlencoded");
        let schema = place.child(name).child("schema");
        match schema.get(self.context.document) {
            _ if !is_structured => None,
            Some(_) => Some(self.id(Source::At(schema))),
            None => Some(self.id(Source::Anything)),
        }
    }
}

/// Returns whether values of the schema have a single Rust type that can be written as text: a single type that is not a container. Values
/// with several types, nullable ones, and listed ones without a type that are no text, are passed as text that the caller writes.
fn is_plain(schema: &Value) -> bool {
    let names = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name.as_str()],
        Some(_) => return false,
        None => Vec::new(),
    };
    let is_nullable = schema.get("nullable") == Some(&Value::Bool(true));
    let is_combined = ["allOf", "anyOf", "not", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
    let is_single = match names.as_slice() {
        [] => lists_text(schema),
        [name] => matches!(*name, "boolean" | "integer" | "number" | "string"),
        _ => false,
    };
    // For these, text is passed anyway.
    (is_single && !is_combined && !is_nullable) || names == ["string"]
}

/// Returns whether a schema lists its values, and all of them are text.
fn lists_text(schema: &Value) -> bool {
    let values = schema.get("const").map(std::slice::from_ref);
    let values = values.or_else(|| schema.get("enum")?.as_array().map(Vec::as_slice));
    values.is_some_and(|values| values.iter().all(Value::is_string))
}
