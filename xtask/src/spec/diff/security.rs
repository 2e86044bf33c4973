//! Ways to authenticate.

use std::collections::{BTreeMap, BTreeSet};

use suprsend_codegen::Pointer;

use super::{
    change::{Changes, Kind, Level, Side},
    document::{Documents, Operation, Place},
    operations::Context,
};

/// Which scheme of the new document an old one is, by their names.
pub(super) struct Schemes<'a>(BTreeMap<&'a str, &'a str>);

/// One way to authenticate: schemes that are needed together, each with what has to be granted.
type Requirement<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl<'a> Schemes<'a> {
    /// Matches the schemes of both documents: by name, else by what they say. Those that work otherwise now are changes.
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
            .flat_map(|operation| requirements(&root, operation).0)
            .flat_map(BTreeMap::into_keys)
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
        let (before, at) = requirements(&context.documents.old.root(), old);
        let (after, place) = requirements(&context.documents.new.root(), new);
        // By the new names, as far as there are any.
        let before: Vec<Requirement<'a>> = before
            .into_iter()
            .map(|all| {
                all.into_iter()
                    .map(|(name, scopes)| (self.0.get(name).copied().unwrap_or(name), scopes))
                    .collect()
            })
            .collect();
        let names = |all: &Requirement<'a>| all.keys().copied().collect::<Vec<_>>();
        let shown = |all: &Requirement<'a>| {
            if all.is_empty() {
                "without authentication".to_owned()
            } else {
                format!("with `{}`", names(all).join("` and `"))
            }
        };
        // Where none is needed, any is accepted.
        let open = |all: &[Requirement<'a>]| all.iter().any(BTreeMap::is_empty);
        for one in &before {
            let Some(other) = after.iter().find(|other| names(other) == names(one)) else {
                if !open(&after) {
                    let message = format!("it cannot be called {} any more", shown(one));
                    let place = if one.is_empty() { (Side::New, &place) } else { (Side::Old, &at) };
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
                context.changes.add(Level::Breaking, Kind::ScopesAdded, (Side::New, &place), None, message);
            }
            let fewer: Vec<_> = one.difference(&other).copied().collect();
            if !fewer.is_empty() {
                let message = format!("{} went", list(fewer));
                context.changes.add(Level::Additive, Kind::ScopesRemoved, (Side::New, &place), None, message);
            }
        }
        for other in &after {
            if !open(&before) && !before.iter().any(|one| names(one) == names(other)) {
                let message = format!("it can be called {}", shown(other));
                context.changes.add(Level::Additive, Kind::SecurityAdded, (Side::New, &place), None, message);
            }
        }
    }
}

/// The ways to authenticate for an operation, of which one is needed, and where they stand. An empty one is none at all.
fn requirements<'a>(root: &Place<'a>, operation: &Operation<'a>) -> (Vec<Requirement<'a>>, Pointer) {
    let Some(list) = operation.place.get("security").or_else(|| root.get("security")) else {
        return (vec![Requirement::new()], operation.place.pointer.child("security"));
    };
    let mut all: Vec<Requirement<'a>> = Vec::new();
    for element in list.elements() {
        let mut requirement = Requirement::new();
        for (name, scopes) in element.members() {
            let scopes = scopes.elements().filter_map(|scope| scope.value.as_str()).collect();
            requirement.insert(name, scopes);
        }
        all.push(requirement);
    }
    if all.is_empty() {
        all.push(Requirement::new());
    }
    (all, list.pointer)
}
