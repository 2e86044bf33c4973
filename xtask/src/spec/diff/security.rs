//! Compares ways to authenticate.

use std::collections::{BTreeMap, BTreeSet};

use suprsend_codegen::Pointer;

use super::{
    change::{Changes, Kind, Level, Side},
    document::{Documents, Operation, Place},
    operations::Context,
};

/// The new names of the old document's schemes.
pub(super) struct Schemes<'a>(BTreeMap<&'a str, &'a str>);

/// One way to authenticate: schemes that are needed together, each with the required scopes.
type Requirement<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The ways to authenticate, each with its place. An empty one means that no credential is needed.
type Requirements<'a> = Vec<(Requirement<'a>, Pointer)>;

impl<'a> Schemes<'a> {
    /// Matches the schemes of both documents by name, or else by content. Those that work differently now are changes.
    pub(super) fn matched(documents: Documents<'a>, changes: &mut Changes) -> Self {
        let all = |document: super::document::Document<'a>| -> Vec<(&'a str, Place<'a>)> {
            let schemes = document.root().get("components").and_then(|it| it.get("securitySchemes"));
            let schemes = schemes.into_iter().flat_map(|all| all.members());
            schemes.map(|(name, place)| (name, document.resolve(place))).collect()
        };
        let (old, mut new) = (all(documents.old), all(documents.new));
        let root = documents.old.root();
        let used: BTreeSet<&str> = documents
            .old
            .operations()
            .iter()
            .flat_map(|operation| requirements(&root, operation))
            .flat_map(|(all, _)| all.into_keys())
            .collect();
        let mut matched = BTreeMap::new();
        for (name, one) in &old {
            if let Some((_, other)) = new.iter().find(|(other, _)| other == name) {
                if !documents.alike(Some(one.clone()), Some(other.clone())) {
                    let level = if used.contains(name) { Level::Breaking } else { Level::Neutral };
                    let message = format!("`{name}` works otherwise");
                    changes.add(level, Kind::SchemeChanged, (Side::New, &other.pointer), None, message);
                }
                matched.insert(*name, *name);
            }
        }
        new.retain(|(name, _)| !matched.contains_key(name));
        for (name, one) in &old {
            let twin =
                |(_, other): &(&str, Place<'a>)| documents.alike(Some(one.clone()), Some(other.clone()));
            if !matched.contains_key(name)
                && let Some(index) = new.iter().position(twin)
            {
                matched.insert(*name, new.remove(index).0);
            }
        }
        Self(matched)
    }

    pub(super) fn compare(&self, context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
        let mut before = requirements(&context.documents.old.root(), old);
        let after = requirements(&context.documents.new.root(), new);
        // Uses the new names, as far as there are any.
        for (all, _) in &mut before {
            let renamed = |name| self.0.get(name).copied().unwrap_or(name);
            *all = std::mem::take(all).into_iter().map(|(name, scopes)| (renamed(name), scopes)).collect();
        }
        let names = |all: &Requirement<'a>| all.keys().copied().collect::<Vec<_>>();
        let shown = |all: &Requirement<'a>| {
            if all.is_empty() {
                "without authentication".to_owned()
            } else {
                format!("with `{}`", names(all).join("` and `"))
            }
        };
        // If no credential is needed, any is accepted.
        let open = |all: &Requirements<'a>| all.iter().any(|(all, _)| all.is_empty());
        for (one, at) in &before {
            let Some((other, place)) = after.iter().find(|(other, _)| names(other) == names(one)) else {
                if !open(&after) {
                    let message = format!("it cannot be called {} any more", shown(one));
                    // If no credential is needed, there may be no list; the new list shows that one is needed now.
                    let now = list(&context.documents.new.root(), new);
                    let now = now.as_ref().map_or(at, |list| &list.pointer);
                    let place = if one.is_empty() { (Side::New, now) } else { (Side::Old, at) };
                    context.changes.add(Level::Breaking, Kind::SecurityRemoved, place, None, message);
                }
                continue;
            };
            let scopes = |all: &Requirement<'a>| all.values().flatten().copied().collect::<BTreeSet<_>>();
            let (one, other) = (scopes(one), scopes(other));
            let list = |scopes: Vec<&str>| format!("`{}`", scopes.join("`, `"));
            let more: Vec<_> = other.difference(&one).copied().collect();
            if !more.is_empty() {
                let message = format!("{} came", list(more));
                context.changes.add(Level::Breaking, Kind::ScopesAdded, (Side::New, place), None, message);
            }
            let fewer: Vec<_> = one.difference(&other).copied().collect();
            if !fewer.is_empty() {
                let message = format!("{} went", list(fewer));
                context.changes.add(Level::Additive, Kind::ScopesRemoved, (Side::New, place), None, message);
            }
        }
        for (other, place) in &after {
            if !open(&before) && !before.iter().any(|(one, _)| names(one) == names(other)) {
                let message = format!("it can be called {}", shown(other));
                context.changes.add(Level::Additive, Kind::SecurityAdded, (Side::New, place), None, message);
            }
        }
    }
}

/// Returns the list that applies to an operation: its own, or else that of the document.
fn list<'a>(root: &Place<'a>, operation: &Operation<'a>) -> Option<Place<'a>> {
    operation.place.get("security").or_else(|| root.get("security"))
}

/// Returns the ways to authenticate for an operation, one of which is needed.
fn requirements<'a>(root: &Place<'a>, operation: &Operation<'a>) -> Requirements<'a> {
    let list = list(root, operation);
    let mut all = Requirements::new();
    for element in list.iter().flat_map(Place::elements) {
        let scopes = |scopes: Place<'a>| scopes.elements().filter_map(|scope| scope.value.as_str()).collect();
        let requirement = element.members().map(|(name, all)| (name, scopes(all))).collect();
        all.push((requirement, element.pointer));
    }
    if all.is_empty() {
        let place = list.map_or_else(|| operation.place.pointer.child("security"), |list| list.pointer);
        all.push((Requirement::new(), place));
    }
    all
}
