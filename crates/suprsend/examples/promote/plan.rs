//! The difference between two workspaces, and the obstacles to making them equal.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    arguments::Arguments,
    snapshot::{self, Content, Key, Kind, Snapshot},
};

pub(crate) enum State {
    Same,
    New,
    /// With the names of the members that differ.
    Changed(Vec<String>),
}

pub(crate) struct Plan {
    states: BTreeMap<Key, State>,
    /// Items that only the target has.
    others: Vec<Key>,
    /// The reasons why nothing is done.
    pub(crate) refused: Vec<String>,
}

impl Plan {
    pub(crate) fn new(source: &Snapshot, live: &Snapshot) -> Self {
        let state = |key: &Key, content: &Content| match live.get(key) {
            None => State::New,
            Some(there) if there == content => State::Same,
            Some(there) => {
                let names: BTreeSet<_> = content.keys().chain(there.keys()).collect();
                let differing = names.into_iter().filter(|name| content.get(*name) != there.get(*name));
                State::Changed(differing.cloned().collect())
            }
        };
        Self {
            states: source.iter().map(|(key, content)| (key.clone(), state(key, content))).collect(),
            others: live.keys().filter(|key| !source.contains_key(key)).cloned().collect(),
            refused: Vec::new(),
        }
    }

    /// Returns the items that differ between the target and the source.
    pub(crate) fn left(&self) -> impl Iterator<Item = &Key> {
        self.states.iter().filter(|(_, state)| !matches!(state, State::Same)).map(|(key, _)| key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left().next().is_none()
    }

    pub(crate) fn show(&self, from: &str, to: &str) {
        println!("from {from} to {to}:");
        let [mut new, mut changed, mut same] = [0; 3];
        for (key, state) in &self.states {
            let (count, line) = match state {
                State::New => (&mut new, format!("new      {key}")),
                State::Changed(names) => (&mut changed, format!("changed  {key}: {}", names.join(", "))),
                State::Same => (&mut same, format!("same     {key}")),
            };
            *count += 1;
            println!("  {line}");
        }
        for key in &self.others {
            println!("  left     {key}, which only {to} has");
        }
        println!("{new} new, {changed} changed, {same} the same");
    }

    /// Adds the actions that would end up incomplete.
    pub(crate) fn refuse(
        &mut self,
        source: &Snapshot,
        live: &Snapshot,
        draft: &Snapshot,
        arguments: &Arguments,
    ) {
        let to = &arguments.to;
        let is_foreign = |key: &Key| {
            let there = draft.get(key);
            there != live.get(key) && there != source.get(key)
        };
        let touched: BTreeSet<&Key> = self.left().collect();
        // A commit of a template names the variants that it publishes, and one of translations covers all of them.
        let templates: BTreeSet<&str> =
            touched.iter().filter(|key| key.is_of_template()).map(|key| key.name.as_str()).collect();
        let beside = |key: &Key| match key.kind {
            Kind::Translation => touched.iter().any(|key| key.kind == Kind::Translation),
            Kind::Template | Kind::MockData => templates.contains(key.name.as_str()),
            // If none of them has changed, all are named.
            Kind::Variant => {
                let is_sibling = |one: &&Key| one.kind == Kind::Variant && one.name == key.name;
                templates.contains(key.name.as_str()) && !touched.iter().any(is_sibling)
            }
            _ => false,
        };
        let all: BTreeSet<&Key> = [source, live, draft].into_iter().flat_map(Snapshot::keys).collect();
        let mut refused = Vec::new();
        for key in all.into_iter().filter(|key| is_foreign(key)) {
            if touched.contains(key) && !arguments.allowed.overwrite_drafts {
                refused.push(format!(
                    "{key} has a draft in {to} that is not committed; --overwrite-drafts overwrites it"
                ));
            } else if !touched.contains(key) && beside(key) {
                refused.push(format!(
                    "{key} has a draft in {to} that would be committed too: commit or discard it there"
                ));
            }
        }
        let tree = Key::new(Kind::Categories, "");
        if touched.contains(&tree) && !arguments.allowed.delete_categories {
            let kept = snapshot::categories(source.get(&tree));
            let gone = snapshot::categories(live.get(&tree));
            for slug in gone.difference(&kept) {
                refused.push(format!("the category {slug} is only in {to}; --delete-categories deletes it"));
            }
        }
        for key in touched {
            if let Some(version) = source.get(key).and_then(snapshot::pinned) {
                refused.push(format!(
                    "{key} is linked to version {version} of its schema, which may be another one in {to}; --unpin links it to the live \
                     version"
                ));
            }
        }
        self.refused.extend(refused);
    }
}
