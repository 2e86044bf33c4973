//! Unions: `oneOf` and `anyOf`, and the bodies of several statuses, become enums that this crate generates.
//!
//! typify chooses the first alternative that can be decoded, or flattens the alternatives as options side by side. Both lose members that
//! the document allows, so typify does not handle unions. A union that contains objects or lists becomes a [placeholder](settle): an object
//! with a required property for each alternative, from which typify generates a struct with the required types. The syntax tree of that
//! struct is then rewritten as the enum, which decodes a value in one of two ways:
//!
//! - If the JSON type alone distinguishes the alternatives, like serde's derive for `untagged`.
//! - Otherwise it chooses the first alternative that keeps every member that any of them keeps, among those whose [checks](Check) hold.
//!   Checks are the conditions of the document on members that the Rust type does not express. A value that no alternative keeps completely
//!   stays JSON, in the variant `Other`.
//!
//! Before that, [`bases`] makes unions of bases with a `discriminator`, and [`distribute`] moves keywords next to alternatives into each of
//! them.

mod bases;
mod checks;
mod distribute;
mod kinds;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToKebabCase, ToPascalCase};
use serde_json::{Map, Value};

pub(crate) use self::checks::{Check, Test};
use self::{
    bases::BASE,
    checks::Source,
    distribute::{forget, uses},
    kinds::{COMPOUND, kinds},
    order::order,
};
pub(super) use self::{bases::bases, distribute::distribute};
use super::schema::distinct;
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    lower::ONE_OF,
    names::{self, variant_name},
    report::Kind,
};

/// The prefix of a placeholder's property, followed by the union and the number of the alternative.
pub(crate) const PLACEHOLDER: &str = "x-union/";

/// The unions by the names of their types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unions(BTreeMap<String, Union>);

/// A union.
#[derive(Debug, Clone)]
pub(crate) struct Union {
    /// Whether the JSON type distinguishes the alternatives.
    pub(crate) by_type: bool,
    /// The alternatives in the order in which they are tried.
    pub(crate) alternatives: Vec<Alternative>,
}

/// An alternative of a union.
#[derive(Debug, Clone)]
pub(crate) struct Alternative {
    /// The name of the variant.
    pub(crate) name: String,
    /// Conditions on its values that its type does not express.
    pub(crate) checks: Vec<Check>,
    /// Conditions on its values that only a `discriminator` sets.
    pub(crate) tags: Vec<Check>,
}

impl Unions {
    /// Returns the union with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Union> {
        self.0.get(name)
    }

    /// Returns the names of the unions whose values may stay JSON.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, union)| !union.by_type).map(|(name, _)| name)
    }
}

/// An alternative as declared in the document.
struct Stated {
    schema: Value,
    /// The unions that it is an alternative of: the one that is being settled, and those in between.
    unions: Vec<String>,
}

/// Turns the unions among the components into placeholders. `lowered` is the document before it was adapted.
pub(super) fn settle(document: &mut Value, lowered: &Value, report: &mut Report) -> Unions {
    let mut unions = Unions::default();
    let mut settled = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let Value::Object(schema) = schema else { continue };
        if let Some((schema, union)) = settle_one(document, lowered, name, schema.clone(), report) {
            settled.push((name.clone(), Value::Object(schema)));
            unions.0.extend(union.map(|union| (name.clone(), union)));
        }
    }
    let before = uses(document);
    names::components(document).extend(settled);
    forget(document, &before, report);
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            schema.shift_remove("discriminator");
            schema.shift_remove(ONE_OF);
        }
    });
    unions
}

/// Returns the new form of a component, and its union if this crate generates it.
fn settle_one(
    document: &Value,
    lowered: &Value,
    name: &str,
    mut schema: Map<String, Value>,
    report: &mut Report,
) -> Option<(Map<String, Value>, Option<Union>)> {
    let mut place = Pointer::from_text("/components/schemas").child(name);
    let keyword = ["oneOf", "anyOf"].into_iter().find(|keyword| schema.contains_key(*keyword))?;
    distinct(&mut schema, keyword, &place, report);
    let Some(Value::Array(alternatives)) = schema.shift_remove(keyword) else { return None };
    let excluding = schema.shift_remove(ONE_OF) == Some(Value::Bool(true));
    // The union of several bodies, and that of a base, do not exist in the document.
    let before = report.origin_in(lowered, &place);
    let stated = before.get(lowered).is_some_and(|one| one.get("oneOf").or(one.get("anyOf")).is_some());
    if stated && schema.get("discriminator").is_none_or(|one| one.get(BASE).is_none()) {
        place = place.child(if excluding { "oneOf" } else { keyword });
    }
    if alternatives.len() == 1 {
        schema.insert("allOf".to_owned(), alternatives.into());
        return Some((schema, None));
    }
    if !alternatives.iter().any(|one| kinds(document, one) & COMPOUND != 0) {
        if keyword == "anyOf" {
            let note = "the alternatives are variants of an enum; the first that matches is taken";
            report.add(Kind::Combined, &place, note);
        }
        schema.insert("oneOf".to_owned(), alternatives.into());
        return Some((schema, None));
    }
    let mut flat = Vec::new();
    flatten(document, &alternatives, &[name.to_owned()], &mut flat);
    let schemas: Vec<Value> = flat.iter().map(|one| one.schema.clone()).collect();
    let ordered = order(document, &schemas);
    if !ordered.is_sorted() {
        report.add(Kind::Reordered, &place, "alternatives that require more are tried first");
    }
    let (schemas, unions): (Vec<Value>, Vec<Vec<String>>) =
        ordered.into_iter().map(|index| (schemas[index].clone(), flat[index].unions.clone())).unzip();
    let union = union(&Source { document, lowered, report }, &schemas, &unions);
    if !union.by_type {
        let note = "a value is read as the first alternative that keeps all of its members; one that no alternative keeps whole stays \
                    JSON";
        report.add(Kind::Widened, &place, note);
    }
    Some((placeholder(name, &schema, schemas), Some(union)))
}

/// Flattens nested alternatives, so that no union among them accepts a value that another alternative keeps.
fn flatten(document: &Value, alternatives: &[Value], unions: &[String], flat: &mut Vec<Stated>) {
    for one in alternatives {
        let target = one.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        let resolved = target.as_ref().and_then(|target| target.get(document)).unwrap_or(one);
        let nested = resolved.get("oneOf").or(resolved.get("anyOf")).and_then(Value::as_array);
        let seen = target.as_ref().is_some_and(|target| unions.contains(&target.last()));
        match nested {
            Some(nested) if !seen && kinds(document, one) & COMPOUND != 0 => {
                let unions: Vec<String> =
                    unions.iter().cloned().chain(target.map(|target| target.last())).collect();
                flatten(document, nested, &unions, flat);
            }
            _ if flat.iter().any(|known| known.schema == *one) => {}
            _ => flat.push(Stated { schema: one.clone(), unions: unions.to_vec() }),
        }
    }
}

fn union(source: &Source<'_>, schemas: &[Value], unions: &[Vec<String>]) -> Union {
    let kinds: Vec<u8> = schemas.iter().map(|one| kinds(source.document, one)).collect();
    let by_type =
        kinds.iter().enumerate().all(|(index, one)| kinds[index + 1..].iter().all(|other| one & other == 0));
    let checks =
        if by_type { vec![(Vec::new(), Vec::new()); kinds.len()] } else { source.checks(schemas, unions) };
    let alternatives = variant_names(schemas)
        .into_iter()
        .zip(checks)
        .map(|(name, (checks, tags))| Alternative { name, checks, tags })
        .collect();
    Union { by_type, alternatives }
}

/// Returns an object with a required property for each alternative.
fn placeholder(name: &str, schema: &Map<String, Value>, alternatives: Vec<Value>) -> Map<String, Value> {
    let properties: Map<String, Value> = alternatives
        .into_iter()
        .enumerate()
        .map(|(index, one)| (format!("{PLACEHOLDER}{name}/{index}"), one))
        .collect();
    let mut placeholder = Map::new();
    placeholder.insert("type".to_owned(), "object".into());
    placeholder.extend(schema.get("description").map(|text| ("description".to_owned(), text.clone())));
    placeholder.insert("required".to_owned(), properties.keys().cloned().collect());
    placeholder.insert("properties".to_owned(), properties.into());
    placeholder
}

/// Returns the names of the types without their common prefix, or numbers.
fn variant_names(alternatives: &[Value]) -> Vec<String> {
    let names: Option<Vec<Vec<String>>> = alternatives.iter().map(words).collect();
    let shorter = names.and_then(|names| {
        let first = names.first()?;
        let common = (0..first.len())
            .take_while(|index| names.iter().all(|name| name.get(*index) == first.get(*index)));
        let common = common.count();
        let names: Vec<String> = names.iter().map(|name| name[common..].join("-").to_pascal_case()).collect();
        let usable = |name: &String| syn::parse_str::<syn::Ident>(name).is_ok();
        let distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
        (distinct && names.iter().all(usable)).then_some(names)
    });
    shorter.unwrap_or_else(|| (0..alternatives.len()).map(|index| format!("Variant{index}")).collect())
}

/// Returns the words of an alternative's name.
fn words(alternative: &Value) -> Option<Vec<String>> {
    if let Some([only]) = alternative.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return words(only);
    }
    let text = |keyword: &str| alternative.get(keyword).and_then(Value::as_str);
    let name = match text("$ref") {
        Some(target) => Pointer::from_reference(target)?.last(),
        None => variant_name(text("title").or_else(|| text("format")).or_else(|| text("type"))?),
    };
    Some(name.to_kebab_case().split('-').map(str::to_owned).collect())
}
