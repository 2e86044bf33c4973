//! The record of every step on the way to Rust that lost, moved or renamed something.

use std::{collections::HashMap, fmt};

use serde_json::Value;

use crate::{Pointer, problem::line};

/// How a step changed what the document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A constraint is gone or weaker: more is accepted than the document says.
    Widened,
    /// Something that constrains no instance is gone.
    AnnotationDropped,
    /// The same thing goes by another name.
    Renamed,
    /// Several things became one.
    Combined,
    /// The same things stand in another order.
    Reordered,
    /// An operation, or something that only dropped operations need, is left out. Only [`generate_partial`](crate::generate_partial) does.
    Dropped,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Widened => "widened",
            Self::AnnotationDropped => "annotation dropped",
            Self::Renamed => "renamed",
            Self::Combined => "combined",
            Self::Reordered => "reordered",
            Self::Dropped => "dropped",
        })
    }
}

/// One entry of the [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place in the corrected document.
    pub pointer: Pointer,
    /// The kind of change.
    pub kind: Kind,
    /// What changed, in words.
    pub note: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&format!("{}: {}: {}", self.pointer, self.kind, self.note)))
    }
}

/// What lowering and adapting changed, in the order in which it happened. Its `Display` is a line an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    entries: Vec<Entry>,
    /// Schemas that became components: where each stood before, by the component's name.
    moves: HashMap<String, Pointer>,
    /// Schemas that were made of several: where what each was made for stands, by the component's name.
    made: HashMap<String, Pointer>,
}

impl Report {
    pub(crate) fn add(&mut self, kind: Kind, pointer: &Pointer, note: impl Into<String>) {
        self.entries.push(Entry { pointer: pointer.clone(), kind, note: note.into() });
    }

    /// Notes that the schema at `from` is the component `name` now.
    pub(crate) fn moved(&mut self, from: &Pointer, name: &str) {
        self.moves.insert(name.to_owned(), from.clone());
    }

    /// Notes that the component `name` was made of what stands at `place` and of others.
    pub(crate) fn made(&mut self, place: &Pointer, name: &str) {
        self.made.insert(name.to_owned(), place.clone());
    }

    /// Returns whether a component was made of several.
    pub(crate) fn is_made(&self, name: &str) -> bool {
        self.made.contains_key(name)
    }

    /// Returns the place in the corrected document of the schema that has moved to `place`, or of which it was made.
    pub(crate) fn origin(&self, place: &Pointer) -> Pointer {
        let mut place = place.clone();
        // What it stood in may have moved before. Every move has a name of its own, so there are no more steps than moves.
        for _ in 0..self.moves.len() + self.made.len() {
            let made = || self.made.get(&Self::component(&place)?).cloned();
            let Some(before) = self.step(&place).or_else(made) else { break };
            place = before;
        }
        place
    }

    /// The component that a place is in.
    fn component(place: &Pointer) -> Option<String> {
        let tokens = place.tokens();
        tokens.get(2).filter(|_| tokens[0] == "components" && tokens[1] == "schemas").cloned()
    }

    /// Returns the place in an earlier form of the document of the schema that has moved to `place`.
    pub(crate) fn origin_in(&self, earlier: &Value, place: &Pointer) -> Pointer {
        let mut place = place.clone();
        for _ in 0..self.moves.len() {
            if place.get(earlier).is_some() {
                break;
            }
            let Some(before) = self.step(&place) else { break };
            place = before;
        }
        place
    }

    /// The place before the last move of what stands here.
    fn step(&self, place: &Pointer) -> Option<Pointer> {
        let tokens = place.tokens();
        let from = self.moves.get(&Self::component(place)?)?;
        Some(tokens[3..].iter().fold(from.clone(), |place, token| place.child(token)))
    }

    /// Names every place as the corrected document does, undoing the moves.
    pub(crate) fn settle(&mut self) {
        let places: Vec<Pointer> = self.entries.iter().map(|entry| self.origin(&entry.pointer)).collect();
        for (entry, place) in self.entries.iter_mut().zip(places) {
            entry.pointer = place;
        }
    }

    /// The entries in the order in which they arose.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
