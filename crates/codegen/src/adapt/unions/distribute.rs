//! Moves keywords next to alternatives into each alternative, because an enum has no place for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    super::schema::{is_null, resolve},
    kinds::{COMPOUND, kinds},
};
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names::{self, Names, type_name},
    report::Kind,
};

type Schema = Map<String, Value>;

/// The maximum number of combinations of alternatives. Nobody would use a type with more.
const MOST: usize = 64;

/// Keywords that do not affect which values are valid.
const ANNOTATIONS: [&str; 7] =
    ["deprecated", "description", "discriminator", "readOnly", "title", "writeOnly", "x-sensitive"];

/// Rewrites every component that has alternatives and other keywords next to them, directly or in a part.
pub(in crate::adapt) fn distribute(document: &mut Value, report: &mut Report) {
    let whole = document.clone();
    let before = uses(document);
    let mut names = Names::from_components(document);
    let components = Pointer::from_text("/components/schemas");
    for (name, schema) in whole["components"]["schemas"].as_object().into_iter().flatten() {
        let Value::Object(schema) = schema else { continue };
        let place = components.child(name);
        let split = Split::new(&whole, schema);
        let alone = split.parts.is_empty() && split.unions.len() < 2;
        if split.unions.is_empty() || alone || kinds(&whole, &schema.clone().into()) & COMPOUND == 0 {
            continue;
        }
        let mut rewritten: Schema = schema
            .iter()
            .filter(|(keyword, _)| ANNOTATIONS.contains(&keyword.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if split.unions.iter().flatten().all(says_only_what_is_required) {
            let note = "the alternatives differ in what they require, which no struct can say";
            report.add(Kind::Widened, &place, note);
            rewritten.insert("allOf".to_owned(), split.parts.into());
        } else if let Some(alternatives) = combinations(&whole, &split) {
            let mut list = Vec::new();
            let once = |target: &str| {
                let with = alternatives
                    .iter()
                    .filter(|parts| parts.last().is_some_and(|last| last["$ref"] == target));
                with.count() == 1 && before.get(target) == Some(&1)
            };
            for (index, parts) in alternatives.iter().cloned().enumerate() {
                list.push(component(
                    document,
                    (name, index, split.parts.len()),
                    parts,
                    once,
                    &mut names,
                    report,
                ));
            }
            rewritten.insert("oneOf".to_owned(), list.into());
        } else {
            let note = format!("more than {MOST} combinations of alternatives; any JSON passes");
            report.add(Kind::Widened, &place, note);
        }
        names::components(document).insert(name.clone(), Value::Object(rewritten));
    }
    forget(document, &before, report);
}

/// Removes the components that had no name of their own and that nothing refers to any more.
pub(super) fn forget(document: &mut Value, before: &BTreeMap<String, usize>, report: &Report) {
    let after = uses(document);
    let components = Pointer::from_text("/components/schemas");
    names::components(document).retain(|name, _| {
        let target = reference(name);
        let named = !report.is_made(name)
            && report.origin(&components.child(name)).parent().as_ref() == Some(&components);
        named || after.contains_key(&target) || !before.contains_key(&target)
    });
}

fn reference(name: &str) -> String {
    format!("#{}", Pointer::from_text("/components/schemas").child(name).as_str())
}

/// The keywords of a schema, split up.
struct Split {
    /// Conditions on every value.
    parts: Vec<Value>,
    /// Lists of alternatives. One alternative of each list applies.
    unions: Vec<Vec<Value>>,
}

impl Split {
    fn new(document: &Value, schema: &Schema) -> Self {
        let mut split = Self { parts: Vec::new(), unions: Vec::new() };
        split.add(document, schema, 0);
        split
    }

    fn add(&mut self, document: &Value, schema: &Schema, depth: usize) {
        let combining = ["allOf", "anyOf", "oneOf"];
        let own: Schema = schema
            .iter()
            .filter(|(keyword, _)| {
                !combining.contains(&keyword.as_str()) && !ANNOTATIONS.contains(&keyword.as_str())
            })
            .filter(|(keyword, _)| *keyword != crate::lower::ONE_OF)
            .map(|(keyword, value)| (keyword.clone(), value.clone()))
            .collect();
        let has_alternatives = schema.contains_key("oneOf") || schema.contains_key("anyOf");
        let only_type = own.len() == 1 && own.contains_key("type") && has_alternatives;
        let implied = || {
            let of_type = kinds(document, &Value::Object(own.clone()));
            let alternatives = ["oneOf", "anyOf"]
                .into_iter()
                .filter_map(|keyword| schema.get(keyword)?.as_array())
                .flatten();
            alternatives.filter(|one| !is_null(one)).all(|one| kinds(document, one) & !of_type == 0)
        };
        let says_nothing = own.is_empty() || (only_type && implied());
        if !says_nothing {
            self.parts.push(Value::Object(own.clone()));
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            match resolve(document, part, 0) {
                Value::Object(target) if depth < 16 && has_union(document, target, 0) => {
                    self.add(document, target, depth + 1);
                }
                _ => self.parts.push(part.clone()),
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(alternatives) = schema.get(keyword).and_then(Value::as_array) {
                self.unions.push(alternatives.iter().filter(|one| !is_null(one)).cloned().collect());
            }
        }
    }
}

fn has_union(document: &Value, schema: &Schema, depth: usize) -> bool {
    let of_parts = || {
        let mut parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        parts.any(|part| match resolve(document, part, 0) {
            Value::Object(target) => has_union(document, target, depth + 1),
            _ => false,
        })
    };
    schema.contains_key("oneOf") || schema.contains_key("anyOf") || (depth < 16 && of_parts())
}

fn says_only_what_is_required(alternative: &Value) -> bool {
    alternative.as_object().is_some_and(|schema| {
        schema.contains_key("required")
            && schema.iter().all(|(keyword, value)| match keyword.as_str() {
                "required" => true,
                "type" => value == "object",
                other => ANNOTATIONS.contains(&other),
            })
    })
}

/// Returns the parts of every combination of alternatives, or `None` if there are too many.
fn combinations(document: &Value, split: &Split) -> Option<Vec<Vec<Value>>> {
    let mut combinations: Vec<Vec<Value>> = vec![split.parts.clone()];
    for union in &split.unions {
        let mut next = Vec::new();
        for combination in &combinations {
            for alternative in union {
                for parts in expanded(document, alternative, 0)? {
                    let mut all = combination.clone();
                    all.extend(parts);
                    if kinds(document, &json!({"allOf": all})) != 0 {
                        next.push(all);
                    }
                }
            }
        }
        if next.len() > MOST {
            return None;
        }
        combinations = next;
    }
    Some(combinations)
}

/// Returns an alternative as the parts of each of its own alternatives.
fn expanded(document: &Value, alternative: &Value, depth: usize) -> Option<Vec<Vec<Value>>> {
    let Value::Object(target) = resolve(document, alternative, 0) else {
        return Some(vec![vec![alternative.clone()]]);
    };
    if !has_union(document, target, 0) || kinds(document, alternative) & COMPOUND == 0 {
        return Some(vec![vec![alternative.clone()]]);
    }
    if depth > 8 {
        return None;
    }
    let split = Split::new(document, target);
    let mut all = vec![split.parts];
    for union in &split.unions {
        let mut next = Vec::new();
        for one in union {
            for parts in expanded(document, one, depth + 1)? {
                next.extend(
                    all.iter().map(|before| before.iter().chain(&parts).cloned().collect::<Vec<_>>()),
                );
            }
        }
        if next.len() > MOST {
            return None;
        }
        all = next;
    }
    Some(all)
}

/// Counts the references to each component.
pub(super) fn uses(document: &Value) -> BTreeMap<String, usize> {
    let mut uses = BTreeMap::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if let (Node::Schema, Some(target)) = (node, value.get("$ref").and_then(Value::as_str)) {
            *uses.entry(target.to_owned()).or_default() += 1;
        }
    });
    uses
}

/// Returns a name made of the union's name and those of the combined parts that have one.
fn combined(union: &str, index: usize, parts: &[Value]) -> String {
    let targets = parts.iter().filter_map(|part| part.get("$ref")?.as_str()?.rsplit('/').next());
    let names = targets.map(|name| name.strip_prefix(union).unwrap_or(name)).collect::<Vec<_>>();
    if names.is_empty() {
        return type_name(&format!("{union} Variant {index}"));
    }
    type_name(&format!("{union} {}", names.join(" ")))
}

/// Makes a component of an alternative with all its parts. If nothing else refers to the alternative, it keeps its name.
fn component(
    document: &mut Value,
    (union, index, beside): (&str, usize, usize),
    mut parts: Vec<Value>,
    once: impl Fn(&str) -> bool,
    names: &mut Names,
    report: &mut Report,
) -> Value {
    if let [only] = parts.as_slice()
        && only.get("$ref").is_some()
    {
        return only.clone();
    }
    let last = parts.last().and_then(|part| part.get("$ref")?.as_str().map(str::to_owned));
    let own = last.filter(|target| once(target)).and_then(|target| Pointer::from_reference(&target));
    let name = if let Some(place) = own {
        if let (Some(slot), Some(content)) = (parts.last_mut(), place.get(document)) {
            *slot = content.clone();
        }
        place.last()
    } else {
        let name = names.take(&combined(union, index, &parts[beside.min(parts.len())..]));
        report.made(&Pointer::from_text("/components/schemas").child(union), &name);
        name
    };
    let mut schema = Schema::new();
    if let Some(Value::Object(last)) = parts.last_mut() {
        for keyword in ["description", "x-sensitive"] {
            schema.extend(last.shift_remove(keyword).map(|value| (keyword.to_owned(), value)));
        }
    }
    schema.insert("allOf".to_owned(), parts.into());
    names::components(document).insert(name.clone(), Value::Object(schema));
    json!({"$ref": reference(&name)})
}
