//! A value that is built from the outside in, without recursion, for any parser.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    Pointer, limits,
    problem::{brief, cut},
};

/// The rejection of a text: the reason with the place in the document, and the remedy.
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) remedy: &'static str,
}

/// A list or an object that is not yet complete.
enum Open {
    List(Vec<Value>),
    Object {
        members: Map<String, Value>,
        /// The key whose value comes next.
        key: Option<String>,
        /// The members that YAML's `<<` adds, and their position.
        merged: Option<(usize, Map<String, Value>)>,
        /// Whether the next value is that of a `<<`.
        merging: bool,
    },
}

/// The value as far as it has been parsed.
pub(super) struct Tree {
    open: Vec<Open>,
    whole: Option<Value>,
    /// The number of further values that are allowed.
    left: usize,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), whole: None, left: limits::VALUES }
    }

    /// Returns the number of lists and objects around the current place.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn open_list(&mut self) -> Result<(), Refusal> {
        self.open(Open::List(Vec::new()))
    }

    pub(super) fn open_object(&mut self) -> Result<(), Refusal> {
        self.open(Open::Object { members: Map::new(), key: None, merged: None, merging: false })
    }

    fn open(&mut self, opened: Open) -> Result<(), Refusal> {
        self.spend(1)?;
        self.fits(1)?;
        self.open.push(opened);
        Ok(())
    }

    /// Checks that a value with this nesting may be placed here.
    pub(super) fn fits(&self, depth: usize) -> Result<(), Refusal> {
        if self.open.len() + depth > limits::NESTING {
            let reason = format!("it nests more than {} levels deep", limits::NESTING);
            return Err(self.refuse(reason, "make the inner parts components, and refer to them"));
        }
        Ok(())
    }

    /// Counts values towards the limit.
    pub(super) fn spend(&mut self, values: usize) -> Result<(), Refusal> {
        let Some(left) = self.left.checked_sub(values) else {
            let reason = format!("more than {} values, aliases written out,", limits::VALUES);
            return Err(self.refuse(reason, "split it"));
        };
        self.left = left;
        Ok(())
    }

    /// Returns whether a key comes next.
    pub(super) fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { key: None, merging: false, .. }))
    }

    pub(super) fn key(&mut self, text: String) -> Result<(), Refusal> {
        if let Some(Open::Object { members, .. }) = self.open.last()
            && members.contains_key(&text)
        {
            let reason = format!("the key `{}` stands twice", brief(&text));
            return Err(self.refuse(reason, "leave it out once"));
        }
        if let Some(Open::Object { key, .. }) = self.open.last_mut() {
            *key = Some(text);
        }
        Ok(())
    }

    /// Handles the key `<<`, whose value is merged into the object.
    pub(super) fn merge_key(&mut self) -> Result<(), Refusal> {
        match self.open.last_mut() {
            Some(Open::Object { merged: None, merging, .. }) => {
                *merging = true;
                Ok(())
            }
            _ => Err(self
                .refuse("the merge key `<<` stands twice", "write one, with a list: `<<: [*one, *other]`")),
        }
    }

    /// Closes and returns the innermost list or object, which must then be put in its place.
    pub(super) fn close(&mut self) -> Value {
        match self.open.pop() {
            Some(Open::List(items)) => Value::Array(items),
            Some(Open::Object { members, merged, .. }) => Value::Object(united(members, merged)),
            None => Value::Null,
        }
    }

    /// Puts a value that has already been counted in its place.
    pub(super) fn put(&mut self, value: Value) -> Result<(), Refusal> {
        match self.open.last_mut() {
            None => self.whole = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Object { members, key, merged, merging }) => {
                if *merging {
                    let Some(more) = mergeable(value) else {
                        let reason =
                            "the merge key `<<` has a value that is neither a map nor a list of maps";
                        return Err(
                            self.refuse(reason, "give it an alias of a map, or put the key in quotes")
                        );
                    };
                    *merged = Some((members.len(), more));
                    *merging = false;
                } else if let Some(key) = key.take() {
                    members.insert(key, value);
                }
            }
        }
        Ok(())
    }

    /// Rejects a number of which some digits would be lost.
    pub(super) fn inexact(&self, text: &str, nearest: f64) -> Refusal {
        let reason = format!("the number `{}`, which would be read as {nearest:e},", brief(text));
        self.refuse(reason, "write no more digits than 64 bits hold, or text in quotes")
    }

    pub(super) fn whole(self) -> Option<Value> {
        self.whole
    }

    /// Rejects the value that is being parsed.
    pub(super) fn refuse(&self, reason: impl fmt::Display, remedy: &'static str) -> Refusal {
        let place = self.open.iter().fold(Pointer::root(), |place, open| match open {
            Open::List(items) => place.child(items.len()),
            Open::Object { merging: true, .. } => place.child("<<"),
            Open::Object { key: Some(key), .. } => place.child(key),
            Open::Object { key: None, .. } => place,
        });
        Refusal { reason: format!("{reason} at {}", cut(&place.to_string(), 300)), remedy }
    }
}

/// Returns the members that `<<` adds. Of several maps, the first that has a key wins.
fn mergeable(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::Array(maps) => {
            let mut all = Map::new();
            for map in maps {
                let Value::Object(members) = map else { return None };
                for (key, value) in members {
                    all.entry(key).or_insert(value);
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// Merges an object's own members, which take precedence, with merged ones, which take the position of its `<<`.
fn united(members: Map<String, Value>, merged: Option<(usize, Map<String, Value>)>) -> Map<String, Value> {
    let Some((place, mut more)) = merged else { return members };
    more.retain(|key, _| !members.contains_key(key));
    let mut members = members.into_iter();
    let mut all: Map<String, Value> = members.by_ref().take(place).collect();
    all.extend(more);
    all.extend(members);
    all
}
