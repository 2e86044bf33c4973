//! A record of every step on the way to Rust that lost, moved or renamed something.

use std::{collections::HashMap, fmt};

use serde_json::Value;

use crate::{Pointer, problem::line};

/// The way in which a step changed the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A constraint was removed or weakened: more is accepted than the document allows.
    Widened,
    /// Something that does not constrain instances was removed.
    AnnotationDropped,
    /// Something was renamed.
    Renamed,
    /// Several things became one.
    Combined,
    /// Things were reordered.
    Reordered,
    /// An operation, or something that only dropped operations need, was left out. Only [`generate_partial`](crate::generate_partial) does
    /// this.
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
    /// A description of the change.
    pub note: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&format!("{}: {}: {}", self.pointer, self.kind, self.note)))
    }
}

/// The changes by lowering and adapting, in the order in which they happened. `Display` prints one line for each entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    entries: Vec<Entry>,
    /// Schemas that became components: their original places by component name.
    moves: HashMap<String, Pointer>,
    /// Schemas that were made of several: the places that they were made for, by component name.
    made: HashMap<String, Pointer>,
}

impl Report {
    pub(crate) fn add(&mut self, kind: Kind, pointer: &Pointer, note: impl Into<String>) {
        self.entries.push(Entry { pointer: pointer.clone(), kind, note: note.into() });
    }

    /// Records that the schema at `from` is now the component `name`.
    pub(crate) fn moved(&mut self, from: &Pointer, name: &str) {
        self.moves.insert(name.to_owned(), from.clone());
    }

    /// Records that the component `name` was made of the schema at `place` and of others.
    pub(crate) fn made(&mut self, place: &Pointer, name: &str) {
        self.made.insert(name.to_owned(), place.clone());
    }

    /// Returns whether a component was made of several schemas.
    pub(crate) fn is_made(&self, name: &str) -> bool {
        self.made.contains_key(name)
    }

    /// Returns the place in the corrected document of the schema that was moved to `place`, or that it was made of.
    pub fn origin(&self, place: &Pointer) -> Pointer {
        let mut place = place.clone();
        // The surrounding schema may have been moved earlier. Every move has a name of its own, so there are no more steps than moves.
        for _ in 0..self.moves.len() + self.made.len() {
            let made = || self.made.get(&Self::component(&place)?).cloned();
            let Some(before) = self.step(&place).or_else(made) else { break };
            place = before;
        }
        place
    }

    /// Returns the component that contains a place.
    fn component(place: &Pointer) -> Option<String> {
        let tokens = place.tokens();
        tokens.get(2).filter(|_| tokens[0] == "components" && tokens[1] == "schemas").cloned()
    }

    /// Returns the place in an earlier form of the document of the schema that was moved to `place`.
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

    /// Returns the place of this object before its last move.
    fn step(&self, place: &Pointer) -> Option<Pointer> {
        let tokens = place.tokens();
        let from = self.moves.get(&Self::component(place)?)?;
        Some(tokens[3..].iter().fold(from.clone(), |place, token| place.child(token)))
    }

    /// Undoes the moves in every place, so that places refer to the corrected document.
    pub(crate) fn settle(&mut self) {
        let places: Vec<Pointer> = self.entries.iter().map(|entry| self.origin(&entry.pointer)).collect();
        for (entry, place) in self.entries.iter_mut().zip(places) {
            entry.pointer = place;
        }
    }

    /// Returns the entries in the order in which they were added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
