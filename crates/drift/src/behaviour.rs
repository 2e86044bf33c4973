//! Checks how compiled types handle instances of the document's schemas.
//!
//! A valid instance must be decoded, and what is encoded again must be valid and equal, except for what the comparison of the types lists
//! as a normalisation. An invalid one may be decoded only if the rule that it violates is listed as unchecked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use chrono::DateTime;
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::{Value, json};

use super::{
    compare::{Compared, Pair, spot},
    document::Document,
    finding::{Difference, Kind},
    instances::{Instances, Subject, essence},
    pointer::Pointer,
    schema::{Form, How, Node, Schemas, Type, Unknown, View},
};

/// Round trips of instances through the compiled types.
pub(crate) trait Codecs: Sync {
    /// Decodes a JSON text into the type with this name and encodes it again. Returns `None` if there is no such type.
    fn read(&self, name: &str, text: &str) -> Option<Result<Value, String>>;
}

impl<F: Fn(&str, &str) -> Option<Result<Value, String>> + Sync> Codecs for F {
    fn read(&self, name: &str, text: &str) -> Option<Result<Value, String>> {
        self(name, text)
    }
}

/// The extent of the trials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// The number of valid instances of each schema, and about as many invalid ones.
    pub(crate) instances: usize,
    pub(crate) seed: u64,
}

/// Trials without findings, identified by everything that determines their outcome, so that none is repeated.
#[derive(Debug, Default)]
pub(crate) struct Clean(Mutex<BTreeSet<String>>);

impl Clean {
    fn has(&self, trial: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(trial)
    }

    fn add(&self, trial: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(trial);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Exercised {
    pub(crate) differences: Vec<Difference>,
    pub(crate) valid: usize,
    pub(crate) invalid: usize,
}

/// Tries these pairs of a schema and a named type.
pub(crate) fn exercise(
    document: &Document<'_>,
    compared: &Compared<'_>,
    pairs: &[&Pair<'_>],
    types: Schemas<'_>,
    codecs: &dyn Codecs,
    effort: Effort,
    clean: Option<&Clean>,
) -> Exercised {
    let exercise = |pairs: &[&Pair<'_>]| {
        let mut exercised = Exercised::default();
        for pair in pairs {
            let decisive = clean.map(|clean| (clean, decisive(document, compared, pair)));
            if decisive.as_ref().is_some_and(|(clean, trial)| clean.has(trial)) {
                continue;
            }
            let definition = Pointer::root().child("$defs").child(&pair.name);
            let mut trial = Trial {
                rewriting: Rewriting::new(document.schemas, compared),
                pair,
                rust: definition.get(types.root()).map(spot).unwrap_or_default(),
                found: BTreeMap::new(),
            };
            trial.run(document, codecs, effort, &mut exercised);
            if let (Some((clean, decisive)), true) = (decisive, trial.found.is_empty()) {
                clean.add(decisive);
            }
            exercised.differences.extend(trial.found.into_values());
        }
        exercised
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pairs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let running: Vec<_> = pairs.chunks(share).map(|pairs| scope.spawn(move || exercise(pairs))).collect();
        let mut all = Exercised::default();
        for thread in running {
            match thread.join() {
                Ok(exercised) => {
                    all.differences.extend(exercised.differences);
                    all.valid += exercised.valid;
                    all.invalid += exercised.invalid;
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// Returns everything in a document that determines the outcome of a pair's trial: the schema, its place, and the known differences of it
/// and of what it refers to.
fn decisive(document: &Document<'_>, compared: &Compared<'_>, pair: &Pair<'_>) -> String {
    let (schema, mut places) = essence(document, &pair.node);
    places.push(pair.node.pointer());
    let about = |difference: &&Difference| places.iter().any(|place| place.contains(&difference.pointer));
    let mut known: Vec<(Kind, &Pointer)> = compared
        .differences
        .iter()
        .filter(about)
        .map(|difference| (difference.kind, &difference.pointer))
        .collect();
    known.sort();
    format!("{} {schema} {places:?} {known:?}", pair.name)
}

/// Instances of the schema of one pair.
pub(crate) struct Specimens {
    subject: Subject,
    valid: Vec<Value>,
    invalid: Vec<Value>,
}

impl Specimens {
    /// Returns `None` if no validator can be made for the schema.
    pub(crate) fn new(document: &Document<'_>, pair: &Pair<'_>, effort: Effort) -> Option<Self> {
        let subject = Subject::new(document, &pair.node)?;
        // A separate seed, so that the instances of one schema do not depend on the others.
        let seed = pair.name.bytes().fold(effort.seed, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        let mut instances = Instances::new(&subject, seed);
        // Null is not meant for the type itself, but for an option of it.
        let adapting = |instance: &Value| !instance.is_null() && fits(document.schemas, &pair.node, instance);
        let valid = (0..effort.instances).filter_map(|_| instances.valid()).filter(adapting).collect();
        let mut invalid: Vec<Value> = (0..effort.instances).filter_map(|_| instances.invalid()).collect();
        if effort.instances > 0 {
            // One of every type.
            let all = [json!(true), json!(7), json!(0.5), json!("drift"), json!([]), json!({})];
            invalid.extend(all.into_iter().filter(|value| !subject.validator.is_valid(value)));
        }
        Some(Self { subject, valid, invalid })
    }

    /// Returns the first difference that these instances reveal, if there is one.
    pub(crate) fn first<'a>(
        &self,
        document: &Document<'a>,
        compared: &Compared<'a>,
        pair: &Pair<'a>,
        codecs: &dyn Codecs,
    ) -> Option<Difference> {
        let rewriting = Rewriting::new(document.schemas, compared);
        let mut trial = Trial { rewriting, pair, rust: pair.name.clone(), found: BTreeMap::new() };
        trial.over(self, codecs, true);
        trial.found.into_values().next()
    }
}

/// The trial of a single pair.
struct Trial<'p, 'a> {
    rewriting: Rewriting<'p, 'a>,
    pair: &'p Pair<'a>,
    rust: String,
    /// The first difference of each kind at each place.
    found: BTreeMap<(Kind, Pointer), Difference>,
}

impl<'a> Trial<'_, 'a> {
    fn run(
        &mut self,
        document: &Document<'_>,
        codecs: &dyn Codecs,
        effort: Effort,
        exercised: &mut Exercised,
    ) {
        let Some(specimens) = Specimens::new(document, self.pair, effort) else {
            let node = &self.pair.node;
            self.differ(Kind::Unexercised, node, json!("no validator can be made of it"), Value::Null);
            return;
        };
        exercised.valid += specimens.valid.len();
        exercised.invalid += specimens.invalid.len();
        self.over(&specimens, codecs, false);
        self.all_seen();
    }

    /// Tries these instances, either all of them or until something is found.
    fn over(&mut self, specimens: &Specimens, codecs: &dyn Codecs, first: bool) {
        for instance in &specimens.valid {
            if first && !self.found.is_empty() {
                return;
            }
            self.valid(&specimens.subject, instance, codecs);
        }
        for instance in &specimens.invalid {
            if first && !self.found.is_empty() {
                return;
            }
            self.invalid(&specimens.subject, instance, codecs);
        }
    }

    fn differ(&mut self, kind: Kind, node: &Node<'a>, document: Value, code: Value) {
        let key = (kind, node.place.clone());
        let difference = Difference {
            kind,
            pointer: node.pointer(),
            place: node.place.clone(),
            rust: self.rust.clone(),
            owner: Some(self.pair.name.clone()),
            document,
            code,
        };
        self.found.entry(key).or_insert(difference);
    }

    fn valid(&mut self, subject: &Subject, instance: &Value, codecs: &dyn Codecs) {
        let node = self.pair.node.clone();
        let written = match codecs.read(&self.pair.name, &instance.to_string()) {
            None => return self.differ(Kind::Unrecognised, &node, Value::Null, json!("no such type")),
            Some(Err(reason)) => {
                return self.differ(Kind::Refused, &node, instance.clone(), reason.into());
            }
            Some(Ok(written)) => written,
        };
        let altered = self.rewriting.altered(&node, instance, &written);
        // An object may be too small after its empty list is left out; this is known.
        let left_out = |error: &ValidationError<'_>| {
            altered.is_none()
                && written != *instance
                && matches!(error.kind(), ValidationErrorKind::MinProperties { .. })
        };
        if let Some(error) = subject.validator.iter_errors(&written).find(|error| !left_out(error)) {
            let says = json!({"written": written, "error": error.to_string()});
            self.differ(Kind::Invalid, &node, instance.clone(), says);
        }
        if let Some(altered) = altered {
            let says = (json!({"read": altered.read}), json!({"written": altered.written}));
            let kind = if altered.of_another { Kind::Lost } else { Kind::Altered };
            self.differ(kind, &altered.node, says.0, says.1);
        }
    }

    fn invalid(&mut self, subject: &Subject, instance: &Value, codecs: &dyn Codecs) {
        let node = self.pair.node.clone();
        let Some(Ok(written)) = codecs.read(&self.pair.name, &instance.to_string()) else { return };
        // The type represents the bodies of several statuses, and keeps values that match none of them.
        let view = self.rewriting.schemas.view(&node).ok();
        let shared = view.is_some_and(|view| {
            let lists = |kind| self.rewriting.compared.lists(kind, &view.pointer);
            lists(Kind::ResponseShared) && lists(Kind::AlternativesKept)
        });
        if shared && (instance.is_object() || instance.is_array()) {
            return;
        }
        // Violations may have been removed or corrected; only the remaining ones have passed.
        let wrong = subject.validator.iter_errors(&written).find(|error| !self.unchecked(subject, error));
        if let Some(error) = wrong {
            let says = json!(format!("{} refused: {error}", error.instance_path()));
            self.differ(Kind::Passed, &node, says, json!({ "written": written }));
        }
    }

    /// Returns whether the comparison of the types lists the violated rule as one that the code does not check.
    fn unchecked(&self, subject: &Subject, error: &ValidationError<'_>) -> bool {
        let place = subject.place(error.schema_path().as_str());
        let kinds: &[Kind] = match error.kind() {
            // A value that matches none of the alternatives stays JSON.
            ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::AnyOf { .. }
                if (error.instance().is_object() || error.instance().is_array())
                    && self.rewriting.compared.lists(Kind::AlternativesKept, &place) =>
            {
                return true;
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                return context
                    .iter()
                    .any(|errors| errors.iter().all(|error| self.unchecked(subject, error)));
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => &[Kind::FirstMatch, Kind::AlternativesKept],
            ValidationErrorKind::Format { .. } => &[Kind::FormatUnchecked],
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => &[Kind::EnumUnchecked],
            // No further elements are allowed after the positional ones.
            ValidationErrorKind::FalseSchema if place.last() == "items" => {
                let positions = place.parent().map(|list| list.child("prefixItems"));
                return positions.is_some_and(|at| self.rewriting.compared.lists(Kind::Tuple, &at));
            }
            _ => &[Kind::Constraint, Kind::Tuple],
        };
        // `prefixItems` and similar keywords are violated at a deeper place.
        let mut place = Some(place);
        while let Some(at) = place {
            if kinds.iter().any(|kind| self.rewriting.compared.lists(*kind, &at)) {
                return true;
            }
            place = at.parent().filter(|parent| {
                ["prefixItems", "contains", "not", "if"].iter().any(|word| parent.as_str().contains(word))
            });
        }
        false
    }

    /// Reports every property and every alternative of the schema that never occurred.
    fn all_seen(&mut self) {
        let Ok(view) = self.rewriting.schemas.view(&self.pair.node) else { return };
        let parts: Vec<Node<'a>> = match view.form {
            Form::Object { properties, .. } => properties.into_values().collect(),
            Form::Union { how: How::OneOf | How::AnyOf, variants } => variants,
            _ => vec![self.pair.node.clone()],
        };
        for part in parts {
            if !self.rewriting.seen.contains(&part.pointer()) {
                self.differ(Kind::Unexercised, &part, json!("no instance has it"), Value::Null);
            }
        }
    }
}

/// Compares decoded values with what is encoded again.
pub(crate) struct Rewriting<'p, 'a> {
    schemas: Schemas<'a>,
    compared: &'p Compared<'a>,
    /// The schemas with at least one decoded and encoded instance.
    seen: BTreeSet<Pointer>,
}

/// The place where the two differ.
pub(crate) struct Altered<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) read: Option<Value>,
    pub(crate) written: Option<Value>,
    /// Whether it is in an alternative, and another alternative may have taken the value.
    pub(crate) of_another: bool,
    /// Whether it is a key that the schema does not declare.
    unnamed: bool,
}

impl<'a> Altered<'a> {
    fn new(node: &Node<'a>, read: Option<Value>, written: Option<Value>) -> Self {
        Self { node: node.clone(), read, written, of_another: false, unnamed: false }
    }

    /// Returns whether only a single member is lost, which was null.
    fn is_null(&self) -> bool {
        let members = self.read.as_ref().and_then(Value::as_object);
        members.is_some_and(|members| members.values().all(Value::is_null)) && self.written.is_none()
    }
}

impl<'p, 'a> Rewriting<'p, 'a> {
    pub(crate) fn new(schemas: Schemas<'a>, compared: &'p Compared<'a>) -> Self {
        Self { schemas, compared, seen: BTreeSet::new() }
    }

    /// Returns the first difference between encoded and decoded value, except for listed normalisations.
    pub(crate) fn altered(&mut self, node: &Node<'a>, read: &Value, written: &Value) -> Option<Altered<'a>> {
        let view = self.schemas.view(node).ok()?;
        self.seen.insert(node.pointer());
        let altered = || Some(Altered::new(node, Some(read.clone()), Some(written.clone())));
        if read.is_null() || written.is_null() {
            return if read == written { None } else { altered() };
        }
        match &view.form {
            Form::Object { properties, unknown, .. } => {
                let (Value::Object(_), Value::Object(_)) = (read, written) else { return altered() };
                self.altered_object(&view, properties, unknown, read, written)
            }
            Form::Array { items, tuple } => {
                let (Value::Array(before), Value::Array(after)) = (read, written) else {
                    return altered();
                };
                if before.len() != after.len() {
                    return altered();
                }
                before.iter().zip(after).enumerate().find_map(|(index, (before, after))| {
                    match tuple.get(index).or(items.as_ref()) {
                        Some(items) => self.altered(items, before, after),
                        None if same(before, after) => None,
                        None => altered(),
                    }
                })
            }
            Form::Union { variants, .. } => {
                let adapting: Vec<&Node<'a>> =
                    variants.iter().filter(|variant| fits(self.schemas, variant, read)).collect();
                // The members themselves may distinguish alternatives.
                let within: Vec<&Node<'a>> =
                    adapting.iter().copied().filter(|variant| within(self.schemas, variant, read)).collect();
                let adapting = if within.is_empty() { adapting } else { within };
                if adapting.is_empty() && !same(read, written) {
                    return altered();
                }
                let all: Vec<_> =
                    adapting.into_iter().map(|variant| self.altered(variant, read, written)).collect();
                // A key that one alternative does not declare may be kept by another, which may leave out null.
                let kept = all.iter().any(Option::is_none);
                let lost = all
                    .into_iter()
                    .flatten()
                    .find(|altered| !(altered.unnamed && (kept || altered.is_null())));
                lost.map(|altered| Altered { of_another: true, ..altered })
            }
            Form::Scalar { format: Some(format), .. } if format == "date-time" => {
                let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str()?).ok();
                let listed = self.compared.lists(Kind::TimeRewritten, &view.pointer);
                let equal = time(read).is_some() && time(read) == time(written);
                if read == written || (listed && equal) { None } else { altered() }
            }
            _ if same(read, written) => None,
            _ => altered(),
        }
    }

    fn altered_object(
        &mut self,
        view: &View<'a>,
        properties: &BTreeMap<String, Node<'a>>,
        unknown: &Unknown<'a>,
        read: &Value,
        written: &Value,
    ) -> Option<Altered<'a>> {
        let lists = |kind: Kind, pointer: &Pointer| self.compared.lists(kind, pointer);
        let keyword = view.pointer.child("additionalProperties");
        let dropped = lists(Kind::UnknownKeysUnstated, &keyword) || lists(Kind::UnknownKeysIgnored, &keyword);
        let nullable = lists(Kind::AbsentIsNull, &view.pointer.child("required"));
        for (name, before) in read.as_object().into_iter().flatten() {
            let ((Some(node), _) | (None, Unknown::Of(node))) = (properties.get(name), unknown) else {
                let kept = written.get(name).is_some_and(|after| same(before, after));
                if kept || (dropped && written.get(name).is_none()) {
                    continue;
                }
                let (read, written) = (Some(json!({ name: before })), written.get(name).cloned());
                return Some(Altered { unnamed: true, ..Altered::new(&view.node, read, written) });
            };
            let Some(after) = written.get(name) else {
                let pointer = self.schemas.view(node).ok()?.pointer;
                let empty = before.as_array().is_some_and(Vec::is_empty)
                    || before.as_object().is_some_and(serde_json::Map::is_empty);
                let listed = (before.is_null()
                    && self.compared.lists(Kind::NullOmitted, &pointer.child("type")))
                    || (empty && self.compared.lists(Kind::EmptyOmitted, &pointer));
                if listed {
                    continue;
                }
                return Some(Altered::new(node, Some(before.clone()), None));
            };
            if let Some(altered) = self.altered(node, before, after) {
                return Some(altered);
            }
        }
        let added = written
            .as_object()
            .into_iter()
            .flatten()
            .find(|(name, after)| read.get(name.as_str()).is_none() && !(after.is_null() && nullable));
        added.map(|(name, after)| Altered::new(&view.node, None, Some(json!({ name: after }))))
    }
}

/// Returns whether two values are equal, comparing numbers by value.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// Returns whether the members of an object satisfy their bounds, lengths and patterns.
fn within(schemas: Schemas<'_>, node: &Node<'_>, instance: &Value) -> bool {
    let Ok(View { form: Form::Object { properties, .. }, .. }) = schemas.view(node) else { return true };
    instance.as_object().into_iter().flatten().all(|(name, member)| {
        let Some(constraints) = properties.get(name).and_then(|node| schemas.constraints(node).ok()) else {
            return true;
        };
        constraints.iter().all(|(keyword, (_, limit))| match (keyword.as_str(), limit.as_f64(), member) {
            ("minimum", Some(limit), Value::Number(number)) => number.as_f64() >= Some(limit),
            ("maximum", Some(limit), Value::Number(number)) => number.as_f64() <= Some(limit),
            ("exclusiveMinimum", Some(limit), Value::Number(number)) => number.as_f64() > Some(limit),
            ("exclusiveMaximum", Some(limit), Value::Number(number)) => number.as_f64() < Some(limit),
            ("minLength", _, Value::String(text)) => {
                limit.as_u64() <= u64::try_from(text.chars().count()).ok()
            }
            ("maxLength", _, Value::String(text)) => {
                limit.as_u64() >= u64::try_from(text.chars().count()).ok()
            }
            ("pattern", _, Value::String(text)) => {
                let pattern =
                    limit.as_str().and_then(|pattern| regress::Regex::with_flags(pattern, "u").ok());
                pattern.is_none_or(|pattern| pattern.find(text).is_some())
            }
            _ => true,
        })
    })
}

/// Returns whether an instance has the form that a schema describes, including the width of numbers: a validator accepts an `int32` of any
/// size.
fn fits(schemas: Schemas<'_>, node: &Node<'_>, instance: &Value) -> bool {
    let Ok(view) = schemas.view(node) else { return false };
    if instance.is_null() {
        return view.nullable || matches!(view.form, Form::Anything | Form::Scalar { of: Type::Null, .. });
    }
    match (&view.form, instance) {
        (Form::Anything, _) => true,
        (Form::Scalar { of, format, values }, _) => {
            let listed = values.as_ref().is_none_or(|values| values.contains(&instance.to_string()));
            listed
                && match (of, instance) {
                    (Type::String, Value::String(_))
                    | (Type::Boolean, Value::Bool(_))
                    | (Type::Number, Value::Number(_)) => true,
                    (Type::Integer, Value::Number(number)) => {
                        number.as_i64().is_some_and(|number| match format.as_deref() {
                            Some("int32") => i32::try_from(number).is_ok(),
                            _ => true,
                        })
                    }
                    _ => false,
                }
        }
        (Form::Array { items, tuple }, Value::Array(values)) => {
            values.iter().enumerate().all(|(index, value)| match tuple.get(index).or(items.as_ref()) {
                Some(items) => fits(schemas, items, value),
                None => true,
            })
        }
        (Form::Object { properties, required, unknown }, Value::Object(members)) => {
            required.iter().all(|name| members.contains_key(name))
                && members.iter().all(|(name, value)| match (properties.get(name), unknown) {
                    (Some(node), _) | (None, Unknown::Of(node)) => fits(schemas, node, value),
                    (None, Unknown::Refused) => false,
                    (None, Unknown::Any | Unknown::Unstated) => true,
                })
        }
        (Form::Union { variants, .. }, _) => variants.iter().any(|variant| fits(schemas, variant, instance)),
        _ => false,
    }
}
