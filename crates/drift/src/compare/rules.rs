//! Compares the rules of requests with the schemas of the document, keyword by keyword.
//!
//! Both are JSON Schema. A schema is normalized: the target of a `$ref` becomes another part of `allOf`, a schema that only applies another
//! one is replaced by it, and keywords without an effect are removed. Then each keyword must be the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schemas::{Comparer, Rust};
use crate::{finding::Kind, pointer::Pointer};

/// String formats that rules validate.
const FORMATS: [&str; 10] =
    ["date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uri-reference", "uuid"];

/// Formats that describe how a value is stored or shown, which its Rust type handles.
const STORAGE: [&str; 15] = [
    "binary", "byte", "double", "float", "int16", "int32", "int64", "int8", "password", "uint16", "uint32",
    "uint64", "uint8", "char", "decimal",
];

/// Keywords that contain a schema, a list of schemas, or schemas by name.
const ONE: [&str; 5] = ["items", "additionalProperties", "propertyNames", "contains", "not"];
const LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const NAMED: [&str; 2] = ["properties", "patternProperties"];

/// Keywords that the rules contain unchanged.
const PLAIN: [&str; 18] = [
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
];

/// Returns whether rules can express a keyword.
pub(super) fn carry(keyword: &str) -> bool {
    let others =
        ["prefixItems", "if", "then", "else", "dependentRequired", "dependentSchemas", "uniqueItems", "type"];
    PLAIN.contains(&keyword)
        || ONE.contains(&keyword)
        || LIST.contains(&keyword)
        || NAMED.contains(&keyword)
        || others.contains(&keyword)
}

/// A schema and its place.
#[derive(Clone)]
struct Part<'v> {
    schema: Cow<'v>,
    pointer: Pointer,
    place: Pointer,
}

/// A schema of a document, or one that is composed of its parts.
type Cow<'v> = std::borrow::Cow<'v, Value>;

/// A keyword in its normalized form.
enum Said<'v> {
    Data(Value),
    One(Part<'v>),
    List(Vec<Part<'v>>),
    Named(BTreeMap<String, Part<'v>>),
    /// Conditions: if, then, else.
    Conditions(Vec<Vec<Part<'v>>>),
}

/// The keywords of a schema, each with its place. `None` is a schema that rejects everything.
type Keywords<'v> = Option<BTreeMap<String, (Pointer, Said<'v>)>>;

pub(super) struct Rules<'p, 'a> {
    code: &'p Value,
    comparer: &'p mut Comparer<'a>,
    rust: Rust,
}

impl<'p, 'a> Rules<'p, 'a> {
    pub(super) fn new(rules: &'p Value, comparer: &'p mut Comparer<'a>, rust: Rust) -> Self {
        Self { code: rules, comparer, rust }
    }

    /// Compares the schema at a place of the document with the rules with this name.
    pub(super) fn compare(self, schema: Option<(Pointer, Pointer)>, name: Option<&str>) {
        let root = self.comparer.document().root();
        let stated = schema.as_ref().and_then(|(pointer, place)| {
            let schema = Cow::Borrowed(pointer.get(root)?);
            Some(Part { schema, pointer: pointer.clone(), place: place.clone() })
        });
        let at = Pointer::root().child("$defs").child(name.unwrap_or_default());
        let rules = at.get(self.code).map(|schema| Part {
            schema: Cow::Borrowed(schema),
            pointer: at.clone(),
            place: Pointer::root(),
        });
        let (pointer, place) = schema.unwrap_or_default();
        match (stated, rules) {
            (Some(stated), Some(rules)) => {
                let seen = std::mem::take(&mut self.comparer.compared_rules);
                let mut walk = Walk {
                    document: root,
                    rules: self.code,
                    found: Vec::new(),
                    counted: 0,
                    seen,
                    added: Vec::new(),
                };
                walk.schemas(&stated, &rules);
                let (found, counted) = (walk.found, walk.counted);
                self.comparer.compared_rules = walk.seen;
                *self.comparer.compared.counts.entry("rules").or_default() += counted;
                for Found { kind, pointer, place, document, code } in found {
                    self.comparer.differ(kind, pointer, place, &self.rust, document, code);
                }
            }
            (None, None) => {}
            (None, Some(_)) => {
                self.comparer.differ(Kind::RuleExtra, pointer, place, &self.rust, Value::Null, json!(name));
            }
            (Some(_), None) => {
                let says = json!("a schema");
                self.comparer.differ(Kind::RuleMissing, pointer, place, &self.rust, says, json!(name));
            }
        }
    }
}

struct Found {
    kind: Kind,
    pointer: Pointer,
    place: Pointer,
    document: Value,
    code: Value,
}

struct Walk<'v> {
    document: &'v Value,
    rules: &'v Value,
    found: Vec<Found>,
    counted: usize,
    /// Schemas that are or have been compared: circles end there.
    seen: BTreeSet<(Pointer, Pointer)>,
    /// The schemas that a trial has added.
    added: Vec<(Pointer, Pointer)>,
}

impl<'v> Walk<'v> {
    fn differ(&mut self, kind: Kind, (pointer, place): (Pointer, Pointer), document: Value, code: Value) {
        self.found.push(Found { kind, pointer, place, document, code });
    }

    fn schemas(&mut self, stated: &Part<'v>, own: &Part<'v>) {
        let (stated, own) = (alone(self.document, stated.clone()), alone(self.rules, own.clone()));
        let pair = (stated.pointer.clone(), own.pointer.clone());
        if !self.seen.insert(pair.clone()) {
            return;
        }
        self.added.push(pair);
        let place = stated.place.clone();
        let (one, mut other) = match (keywords(self.document, &stated), keywords(self.rules, &own)) {
            (Some(one), Some(other)) => (one, other),
            (None, None) => return,
            (one, _) => {
                let word = |never: bool| json!(if never { "nothing" } else { "a schema" });
                let says = (word(one.is_none()), word(one.is_some()));
                return self.differ(Kind::Rule, (stated.pointer.clone(), place), says.0, says.1);
            }
        };
        for (keyword, (pointer, said)) in one {
            self.counted += 1;
            let at = (pointer, place.child(&keyword));
            match (said, other.remove(&keyword).map(|(_, said)| said)) {
                (said, None) => {
                    let kind = if is_known(&keyword, &said) { Kind::RuleMissing } else { Kind::RuleUnknown };
                    self.differ(kind, at, shown(&said), Value::Null);
                }
                (Said::Data(one), Some(Said::Data(other))) if one == other => {}
                (Said::One(one), Some(Said::One(other))) => self.schemas(&one, &other),
                (Said::List(one), Some(Said::List(other))) if one.len() == other.len() => {
                    if keyword == "prefixItems" {
                        one.iter().zip(&other).for_each(|(one, other)| self.schemas(one, other));
                    } else {
                        self.any_order(one, other);
                    }
                }
                (Said::Named(one), Some(Said::Named(other))) => self.named(&at, one, other),
                (Said::Conditions(one), Some(Said::Conditions(other))) if one.len() == other.len() => {
                    let (one, other) = (one.into_iter().map(joined), other.into_iter().map(joined));
                    self.any_order(one.collect(), other.collect());
                }
                (one, Some(other)) => self.differ(Kind::Rule, at, shown(&one), shown(&other)),
            }
        }
        for (keyword, (_, said)) in other {
            let at = (stated.pointer.child(&keyword), place.child(&keyword));
            self.differ(Kind::RuleExtra, at, Value::Null, shown(&said));
        }
    }

    fn named(
        &mut self,
        at: &(Pointer, Pointer),
        one: BTreeMap<String, Part<'v>>,
        mut other: BTreeMap<String, Part<'v>>,
    ) {
        for (name, one) in one {
            if let Some(other) = other.remove(&name) {
                self.schemas(&one, &other);
            } else {
                let at = (one.pointer.clone(), one.place.clone());
                self.differ(Kind::RuleMissing, at, json!(name), Value::Null);
            }
        }
        for name in other.into_keys() {
            self.differ(Kind::RuleExtra, (at.0.child(&name), at.1.child(&name)), Value::Null, json!(name));
        }
    }

    /// Compares each with the first one that is equal, and the rest in order.
    fn any_order(&mut self, one: Vec<Part<'v>>, mut other: Vec<Part<'v>>) {
        let mut left = Vec::new();
        for one in one {
            let same = other.iter().position(|other| {
                let (found, counted, start) = (self.found.len(), self.counted, self.added.len());
                self.schemas(&one, other);
                let same = self.found.len() == found;
                if !same {
                    // Undo the trial.
                    self.found.truncate(found);
                    self.counted = counted;
                    for pair in self.added.split_off(start) {
                        self.seen.remove(&pair);
                    }
                }
                same
            });
            match same {
                Some(index) => drop(other.remove(index)),
                None => left.push(one),
            }
        }
        left.iter().zip(&other).for_each(|(one, other)| self.schemas(one, other));
    }
}

/// Returns whether rules have a keyword, or for a format, whether they validate it.
fn is_known(keyword: &str, said: &Said<'_>) -> bool {
    match said {
        Said::Data(Value::String(format)) if keyword == "format" => FORMATS.contains(&format.as_str()),
        _ => carry(keyword) || keyword == "x-sensitive",
    }
}

fn shown(said: &Said<'_>) -> Value {
    match said {
        Said::Data(value) => value.clone(),
        Said::One(part) => part.schema.clone().into_owned(),
        Said::List(parts) => json!(parts.len()),
        Said::Named(parts) => json!(parts.keys().collect::<Vec<_>>()),
        Said::Conditions(parts) => json!(parts.len()),
    }
}

/// Returns a condition as one schema with three parts.
fn joined(parts: Vec<Part<'_>>) -> Part<'_> {
    let (pointer, place) =
        parts.first().map(|part| (part.pointer.clone(), part.place.clone())).unwrap_or_default();
    let parts: Vec<Value> = parts.into_iter().map(|part| part.schema.into_owned()).collect();
    let schema = Cow::Owned(json!({ "prefixItems": parts }));
    // It has the place of the condition, but is another schema.
    Part { schema, pointer: pointer.child("if"), place }
}

/// Returns the schema that this one applies, if it contains nothing else.
fn alone<'v>(root: &'v Value, mut part: Part<'v>) -> Part<'v> {
    for _ in 0..64 {
        let Some(members) = part.schema.as_object() else { break };
        let saying: Vec<&String> =
            members.iter().filter(|(key, value)| says(root, key, value)).map(|(key, _)| key).collect();
        part = match saying.as_slice() {
            [one] if *one == "$ref" => {
                let target = members["$ref"].as_str().and_then(Pointer::from_reference);
                let Some((pointer, schema)) =
                    target.and_then(|target| Some((target.clone(), target.get(root)?)))
                else {
                    break;
                };
                Part { schema: Cow::Borrowed(schema), place: pointer.clone(), pointer }
            }
            [one] if *one == "allOf" => match members["allOf"].as_array().map(Vec::as_slice) {
                Some([_]) => child(&part, "allOf").into_list().remove(0),
                _ => break,
            },
            _ => break,
        };
    }
    part
}

/// Returns whether a keyword constrains values.
fn says(root: &Value, keyword: &str, value: &Value) -> bool {
    match keyword {
        "$ref" | "type" | "$dynamicRef" | "unevaluatedProperties" | "unevaluatedItems" | "dependencies" => {
            true
        }
        "x-sensitive" | "uniqueItems" | "nullable" => *value == Value::Bool(true),
        "minItems" | "minLength" | "minProperties" => *value != json!(0),
        "required" => value.as_array().is_some_and(|names| !names.is_empty()),
        "properties" | "patternProperties" => value.as_object().is_some_and(|members| !members.is_empty()),
        "format" => value.as_str().is_some_and(|format| !STORAGE.contains(&format)),
        "additionalProperties" | "items" | "propertyNames" => !is_any(root, value, 0),
        _ => carry(keyword),
    }
}

/// Returns whether a schema obviously accepts everything.
fn is_any(root: &Value, schema: &Value, depth: usize) -> bool {
    let Value::Object(members) = schema else { return *schema == Value::Bool(true) };
    let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
    let is_any_too = |target: Pointer| {
        depth < 64 && target.get(root).is_some_and(|target| is_any(root, target, depth + 1))
    };
    members.iter().all(|(key, value)| key == "$ref" || !says(root, key, value))
        && target.is_none_or(is_any_too)
}

fn child<'v>(part: &Part<'v>, keyword: &str) -> Said<'v> {
    let (pointer, place) = (part.pointer.child(keyword), part.place.child(keyword));
    let inner = |key: Option<String>, of: &dyn Fn(&Value) -> Option<&Value>| {
        let schema = match &part.schema {
            Cow::Borrowed(schema) => of(schema.get(keyword)?).map(Cow::Borrowed),
            Cow::Owned(schema) => of(schema.get(keyword)?).cloned().map(Cow::Owned),
        };
        let at = |base: &Pointer| key.as_ref().map_or_else(|| base.clone(), |key| base.child(key));
        Some(Part { schema: schema?, pointer: at(&pointer), place: at(&place) })
    };
    match part.schema.get(keyword) {
        Some(Value::Array(list)) => {
            let parts =
                (0..list.len()).filter_map(|index| inner(Some(index.to_string()), &|list| list.get(index)));
            Said::List(parts.collect())
        }
        Some(Value::Object(members)) if NAMED.contains(&keyword) => {
            let parts = members.keys().filter_map(|name| {
                Some((name.clone(), inner(Some(name.clone()), &|members| members.get(name))?))
            });
            Said::Named(parts.collect())
        }
        _ => inner(None, &|schema| Some(schema)).map_or_else(|| Said::List(Vec::new()), Said::One),
    }
}

impl<'v> Said<'v> {
    fn into_list(self) -> Vec<Part<'v>> {
        match self {
            Self::List(parts) => parts,
            Self::One(part) => vec![part],
            _ => Vec::new(),
        }
    }
}

fn keywords<'v>(root: &'v Value, part: &Part<'v>) -> Keywords<'v> {
    let Some(members) = part.schema.as_object() else {
        return (*part.schema != Value::Bool(false)).then(BTreeMap::new);
    };
    let mut found: BTreeMap<String, (Pointer, Said<'v>)> = BTreeMap::new();
    let mut conditions: Vec<Vec<Part<'v>>> = Vec::new();
    let mut all: Vec<Part<'v>> = Vec::new();
    for (key, value) in members.iter().filter(|(key, value)| says(root, key, value)) {
        let said = match key.as_str() {
            "$ref" => {
                let target = value.as_str().and_then(Pointer::from_reference);
                let target = target.and_then(|pointer| Some((pointer.get(root)?, pointer)));
                all.extend(target.map(|(schema, pointer)| Part {
                    schema: Cow::Borrowed(schema),
                    place: pointer.clone(),
                    pointer,
                }));
                continue;
            }
            "allOf" => {
                all.extend(child(part, key).into_list());
                continue;
            }
            "type" => Said::Data(types(value, members)),
            "enum" | "required" => Said::Data(sorted(value)),
            "if" => {
                conditions.extend(condition(part, members));
                continue;
            }
            "then" | "else" | "nullable" | "minContains" | "maxContains" => continue,
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                conditions.extend(dependencies(part, key, value));
                continue;
            }
            "contains" => {
                let bound = |keyword: &str, otherwise: u64| {
                    members.get(keyword).and_then(Value::as_u64).unwrap_or(otherwise)
                };
                let bounds = json!([bound("minContains", 1), bound("maxContains", u32::MAX.into())]);
                found.insert("minContains".to_owned(), (part.pointer.child(key), Said::Data(bounds)));
                child(part, key)
            }
            key if ONE.contains(&key)
                || LIST.contains(&key)
                || NAMED.contains(&key)
                || key == "prefixItems" =>
            {
                child(part, key)
            }
            _ => Said::Data(numbers(value)),
        };
        found.insert(key.clone(), (part.pointer.child(key), said));
    }
    if !all.is_empty() {
        found.insert("allOf".to_owned(), (part.pointer.child("allOf"), Said::List(all)));
    }
    if !conditions.is_empty() {
        found.insert("if".to_owned(), (part.pointer.child("if"), Said::Conditions(conditions)));
    }
    Some(found)
}

fn types(value: &Value, members: &Map<String, Value>) -> Value {
    let words = match value {
        Value::String(word) => vec![word.as_str()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut words: BTreeSet<&str> = words.into_iter().collect();
    if words.contains("number") {
        words.remove("integer");
    }
    if members.get("nullable") == Some(&Value::Bool(true)) {
        words.insert("null");
    }
    json!(words)
}

/// Reads `if`, `then` and `else`; in the rules they are three schemas in a list.
fn condition<'v>(part: &Part<'v>, members: &Map<String, Value>) -> Vec<Vec<Part<'v>>> {
    if let Some(Value::Array(list)) = members.get("if") {
        let all = child(part, "if").into_list();
        let inner = |(part, list): (Part<'v>, &Value)| -> Vec<Part<'v>> {
            let count = list.as_array().map_or(0, Vec::len);
            let one = |index: usize| Part {
                schema: Cow::Owned(part.schema.get(index).cloned().unwrap_or_default()),
                pointer: part.pointer.element(index),
                place: part.place.element(index),
            };
            (0..count).map(one).collect()
        };
        return all.into_iter().zip(list).map(inner).collect();
    }
    if !members.contains_key("then") && !members.contains_key("else") {
        return Vec::new();
    }
    let one = |keyword: &str| match child(part, keyword) {
        Said::One(part) => part,
        _ => anything(part, keyword),
    };
    vec![["if", "then", "else"].into_iter().map(one).collect()]
}

fn anything<'v>(part: &Part<'v>, keyword: &str) -> Part<'v> {
    Part {
        schema: Cow::Owned(json!({})),
        pointer: part.pointer.child(keyword),
        place: part.place.child(keyword),
    }
}

/// Reads dependencies: if a member exists, others must exist, or a schema applies.
fn dependencies<'v>(part: &Part<'v>, keyword: &str, value: &Value) -> Vec<Vec<Part<'v>>> {
    let of = |(name, dependency): (&String, &Value)| {
        let at = |step: &str, schema: Value| Part {
            schema: Cow::Owned(schema),
            pointer: part.pointer.child(keyword).child(name).child(step),
            place: part.place.child(keyword).child(name).child(step),
        };
        let then = if dependency.is_array() { json!({ "required": dependency }) } else { dependency.clone() };
        vec![at("if", json!({"type": "object", "required": [name]})), at("then", then), at("else", json!({}))]
    };
    value.as_object().into_iter().flatten().map(of).collect()
}

/// Returns a set of values in a canonical order.
fn sorted(value: &Value) -> Value {
    let mut values: Vec<Value> = value.as_array().into_iter().flatten().map(numbers).collect();
    values.sort_by_key(Value::to_string);
    values.dedup();
    values.into()
}

/// Normalizes data, so that equal numbers are written alike and members are sorted.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[allow(clippy::cast_possible_truncation, reason = "the bound is checked")]
            Some(float)
                if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 && float.abs() < 9e15 =>
            {
                json!(float as i64)
            }
            _ => value.clone(),
        },
        Value::Array(values) => values.iter().map(numbers).collect(),
        Value::Object(members) => {
            let mut members: Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), numbers(value))).collect();
            members.sort_keys();
            members.into()
        }
        _ => value.clone(),
    }
}
