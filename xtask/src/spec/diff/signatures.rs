//! Compares the Rust code of both documents, and lists losses that nothing else explains.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use suprsend_codegen::{Pointer, Problems, deep, rust_type};

use super::{
    change::{Changes, Kind, Level, Side},
    document::{Document, Operation, Place},
    surface::{Facts, Owner, Surface, words},
};
use crate::spec::attempt::Made;

/// The maximum number of losses that a message lists.
const SHOWN: usize = 2;

/// The kinds of changes that explain another credential, and nothing else.
const CREDENTIALS: [Kind; 3] = [Kind::SecurityRemoved, Kind::ScopesAdded, Kind::SchemeChanged];

pub(super) fn compare(old: &Made, new: &Made, changes: &mut Changes) -> Result<(), Problems> {
    for (place, mut lost) in deep(|| Ok(unexplained(old, new, changes)))? {
        let more = lost.len().saturating_sub(SHOWN);
        lost.truncate(SHOWN);
        if more > 0 {
            lost.push(format!("and {more} more"));
        }
        let message = lost.join("; ");
        changes.add(Level::Breaking, Kind::SignatureChanged, (Side::New, &place), None, message);
    }
    Ok(())
}

/// Returns the losses by their places in the new document.
fn unexplained(old: &Made, new: &Made, changes: &Changes) -> BTreeMap<Pointer, Vec<String>> {
    let mut found: BTreeMap<Pointer, Vec<String>> = BTreeMap::new();
    // Upstream's documents have no table of resources; it is not gone if an overlay brings it.
    let resources = !old.resources.is_empty() && !new.resources.is_empty();
    let (Some(before), Some(after)) = (Surface::new(old, resources), Surface::new(new, resources)) else {
        return found;
    };
    let stable = |name: &str| before.has_type(name) && after.has_type(name);
    let one = Half::new(Side::Old, old, &before, &stable, changes);
    let other = Half::new(Side::New, new, &after, &stable, changes);
    for ((was, is), lost) in Comparison::new(&before, &after, &changes.renamed).run() {
        if one.explains(&was) || other.explains(&is) {
            continue;
        }
        if let Some(place) = other.home(&is) {
            found.entry(place).or_default().extend(lost);
        }
    }
    found
}

/// A comparison of everything that has the same name in both, and of types that have another name.
struct Comparison<'a> {
    before: &'a Surface,
    after: &'a Surface,
    /// The types that are known to have another name.
    renamed: &'a BTreeMap<String, String>,
    open: Vec<(Owner, Owner)>,
    seen: BTreeSet<(Owner, Owner)>,
}

impl<'a> Comparison<'a> {
    fn new(before: &'a Surface, after: &'a Surface, renamed: &'a BTreeMap<String, String>) -> Self {
        let both = before.facts.keys().filter(|owner| after.facts.contains_key(owner));
        let open = both.map(|owner| (owner.clone(), owner.clone())).collect();
        Self { before, after, renamed, open, seen: BTreeSet::new() }
    }

    /// Returns what was lost, by owner. An owner that is gone has lost nothing by itself: whatever referred to it differs.
    fn run(mut self) -> BTreeMap<(Owner, Owner), Vec<String>> {
        let mut lost: BTreeMap<_, Vec<String>> = BTreeMap::new();
        while let Some(pair) = self.open.pop() {
            let (Some(old), Some(new)) = (self.before.facts.get(&pair.0), self.after.facts.get(&pair.1))
            else {
                continue;
            };
            if !self.seen.insert(pair.clone()) {
                continue;
            }
            for (member, rest) in old {
                let now = self.counterpart(member, new);
                if now.is_some_and(|now| self.is_same(rest, now)) {
                    continue;
                }
                let message = message(&pair.0, member, rest, now);
                lost.entry(pair.clone()).or_default().push(message);
            }
        }
        lost
    }

    /// Returns the rest of the signature of a member, which may contain the name of a type.
    fn counterpart<'f>(&self, member: &str, new: &'f Facts) -> Option<&'f String> {
        new.get(member).or_else(|| {
            let name = |word: &str| self.renamed.get(word).map_or(word.to_owned(), Clone::clone);
            let wanted: Vec<String> = words(member).map(name).collect();
            new.iter()
                .find(|(other, _)| words(other).eq(wanted.iter().map(String::as_str)))
                .map(|(_, rest)| rest)
        })
    }

    /// Returns whether two signatures are the same, except for the names of types that are compared in turn.
    fn is_same(&mut self, old: &str, new: &str) -> bool {
        let mut types = Vec::new();
        let (mut one, mut other) = (words(old), words(new));
        loop {
            match (one.next(), other.next()) {
                (None, None) => break,
                (Some(one), Some(other)) if one == other => {}
                (Some(one), Some(other)) if self.is_renamed(one, other) => {
                    types.push((Owner::Type(one.to_owned()), Owner::Type(other.to_owned())));
                }
                _ => return false,
            }
        }
        self.open.extend(types);
        true
    }

    fn is_renamed(&self, old: &str, new: &str) -> bool {
        let gone = self.before.has_type(old) && !self.after.has_type(old);
        let came = self.after.has_type(new) && !self.before.has_type(new);
        (gone && came) || self.renamed.get(old).is_some_and(|renamed| renamed == new)
    }
}

/// Describes what became of a member.
fn message(owner: &Owner, member: &str, rest: &str, now: Option<&String>) -> String {
    let name = if let Owner::Type(name) = owner { format!("types::{name}") } else { String::new() };
    match now {
        Some(now) => {
            let now = now.trim_start_matches([':', ',', '=', ' ']);
            format!("`{name}{member}{rest}` became `{now}`")
        }
        None => format!("`{name}{member}{rest}` is gone"),
    }
}

/// One of the documents, the Rust code that was generated from it, and the places of breaking changes.
struct Half<'a> {
    made: &'a Made,
    surface: &'a Surface,
    /// Tells which types exist in both.
    stable: &'a dyn Fn(&str) -> bool,
    /// The places where these types are declared.
    homes: Vec<Pointer>,
    /// The places of breaking changes, and whether they concern credentials.
    broken: Vec<(Pointer, bool)>,
}

impl<'a> Half<'a> {
    fn new(
        side: Side,
        made: &'a Made,
        surface: &'a Surface,
        stable: &'a dyn Fn(&str) -> bool,
        changes: &Changes,
    ) -> Self {
        let document = Document(&made.document);
        let target = |pointer: &Pointer| {
            let value = pointer.get(&made.document)?;
            Some(document.resolve(Place { pointer: pointer.clone(), value }).pointer)
        };
        let mut broken = Vec::new();
        for change in changes.breaking() {
            let stated = Some(&change.pointer).filter(|_| change.side == side).cloned();
            let schemas = change.schemas.as_ref();
            let schema = schemas.and_then(|(old, new)| target(if side == Side::Old { old } else { new }));
            let credentials = CREDENTIALS.contains(&change.kind);
            broken.extend(stated.into_iter().chain(schema).map(|place| (place, credentials)));
        }
        let types = surface.facts.keys().filter_map(|owner| match owner {
            Owner::Type(name) if stable(name) => Some(declared(made, name)),
            _ => None,
        });
        Self { made, surface, stable, homes: types.collect(), broken }
    }

    /// Returns the place that a change of the owner is listed at.
    fn home(&self, owner: &Owner) -> Option<Pointer> {
        match owner {
            // The generator makes some types of several schemas.
            Owner::Type(name) => {
                let place = declared(self.made, name);
                let there = |place: &Pointer| place.get(&self.made.document).is_some();
                std::iter::successors(Some(place), Pointer::parent).find(there)
            }
            Owner::Operation(name) | Owner::Credential(name) => Some(self.operation(name)?.place.pointer),
            Owner::Handle(_) => Some(Pointer::root().child("x-resources")),
        }
    }

    fn operation(&self, name: &str) -> Option<Operation<'a>> {
        let (method, path) = self.surface.operations.get(name)?;
        let operations = Document(&self.made.document).operations();
        operations.into_iter().find(|it| it.method == method && it.path == path)
    }

    /// Returns whether a breaking change concerns the owner.
    fn explains(&self, owner: &Owner) -> bool {
        let credentials = matches!(owner, Owner::Credential(_));
        let places = self.reached(self.starts(owner));
        let broken = self.broken.iter().filter(|(_, of_credentials)| *of_credentials == credentials);
        broken.map(|(change, _)| change).any(|change| {
            let inner = |place: &Pointer| {
                let between = |home: &&Pointer| *home != place && *home != change && place.contains(home);
                self.homes.iter().filter(between).any(|home| home.contains(change))
            };
            places.iter().any(|place| change.contains(place) || (place.contains(change) && !inner(place)))
        })
    }

    /// Returns the places where the owner is declared.
    fn starts(&self, owner: &Owner) -> Vec<Pointer> {
        let mut starts: Vec<Pointer> = self.home(owner).into_iter().collect();
        let document = Document(&self.made.document);
        match owner {
            Owner::Operation(name) => {
                let Some(operation) = self.operation(name) else { return starts };
                starts.extend(operation.shared("parameters").map(|list| list.pointer));
                // Members of the body are arguments.
                let body = operation.place.get("requestBody").map(|body| document.resolve(body));
                let content = body.and_then(|body| body.get("content"));
                let media = content.into_iter().flat_map(|content| content.members());
                let schemas = media.filter_map(|(_, media)| media.get("schema"));
                starts.extend(schemas.map(|schema| document.resolve(schema).pointer));
            }
            Owner::Credential(_) => {
                starts.extend(["/security", "/components/securitySchemes"].map(Pointer::from_text));
            }
            Owner::Type(_) | Owner::Handle(_) => {}
        }
        starts
    }

    /// Adds what the places refer to, except for types with a name of their own, of which the place only has the name.
    fn reached(&self, mut open: Vec<Pointer>) -> Vec<Pointer> {
        let mut found: Vec<Pointer> = Vec::new();
        while let Some(place) = open.pop() {
            if found.contains(&place) {
                continue;
            }
            if let Some(value) = place.get(&self.made.document) {
                self.references(value, false, &mut open);
            }
            found.push(place);
        }
        found
    }

    /// Finds references; `combined` tells whether their targets are merged into the type.
    fn references(&self, value: &Value, combined: bool, found: &mut Vec<Pointer>) {
        match value {
            Value::Object(members) => {
                let target = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
                let own = |target: &Pointer| (self.stable)(&rust_type(&self.made.document, target));
                found.extend(target.filter(|target| combined || !own(target)));
                for (key, value) in members {
                    let combined = matches!(key.as_str(), "allOf" | "anyOf" | "oneOf");
                    self.references(value, combined, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.references(item, combined, found)),
            _ => {}
        }
    }
}

/// Returns the place of the schema that a type was generated from.
fn declared(made: &Made, name: &str) -> Pointer {
    made.report.origin(&Pointer::root().child("components").child("schemas").child(name))
}
