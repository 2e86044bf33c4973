//! Compares schemas pair by pair.
//!
//! Pairs that a pair leads to are put into a queue. A pair that was seen before is not compared again, so recursive schemas terminate, and
//! a component is compared only once in each direction, however often it is referred to.

mod bounds;
mod object;
mod rust;
mod types;
mod union;
mod values;

use std::collections::{HashSet, VecDeque};

use anyhow::{Result, bail};
use suprsend_codegen::{Pointer, rust_type};

use self::rust::RustTypes;
use super::{
    change::{Changes, Kind, Level, Side, Way},
    document::{Documents, Place},
    numbers::same,
    view::{Schemas, View},
};

/// The maximum number of schema pairs: more than documents of some megabytes contain.
const PAIRS: usize = 300_000;

/// Two schemas to compare.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub(super) old: Schemas<'a>,
    pub(super) new: Schemas<'a>,
    pub(super) way: Way,
    /// The places of both, even if one does not exist.
    pub(super) places: (Pointer, Pointer),
    /// Whether the value is optional in its place, which Rust expresses in the same way as nullability.
    pub(super) optional: (bool, bool),
}

impl<'a> Pair<'a> {
    /// Creates a pair from two places, which may or may not have schemas.
    pub(super) fn new(old: &Place<'a>, new: &Place<'a>, key: &str, way: Way) -> Self {
        Self {
            old: old.get(key).into_iter().collect(),
            new: new.get(key).into_iter().collect(),
            way,
            places: (old.pointer.child(key), new.pointer.child(key)),
            optional: (false, false),
        }
    }
}

impl Pair<'_> {
    /// Returns the places of both, before any reference is followed.
    fn at(&self) -> (Pointer, Pointer) {
        let only = |schemas: &Schemas<'_>, or: &Pointer| match schemas.as_slice() {
            [only] => only.pointer.clone(),
            _ => or.clone(),
        };
        (only(&self.old, &self.places.0), only(&self.new, &self.places.1))
    }
}

type Key = (Vec<Pointer>, Vec<Pointer>, Way, (bool, bool));

/// Pairs that wait to be compared.
#[derive(Debug, Default)]
pub(super) struct Queue<'a> {
    waiting: VecDeque<Pair<'a>>,
    seen: HashSet<Key>,
    rust: RustTypes,
    /// The pairs that have been compared since this was emptied, by their places.
    pub(super) compared: Vec<(Pointer, Pointer)>,
}

impl<'a> Queue<'a> {
    pub(super) fn push(&mut self, pair: Pair<'a>) {
        if pair.old.is_empty() && pair.new.is_empty() {
            return;
        }
        let pointers = |schemas: &Schemas<'a>| schemas.iter().map(|place| place.pointer.clone()).collect();
        if self.seen.insert((pointers(&pair.old), pointers(&pair.new), pair.way, pair.optional)) {
            self.waiting.push_back(pair);
        }
    }

    /// Compares the waiting pairs, and those that they lead to.
    pub(super) fn work(&mut self, documents: Documents<'a>, changes: &mut Changes) -> Result<()> {
        while let Some(pair) = self.waiting.pop_front() {
            if self.seen.len() > PAIRS {
                bail!("more than {PAIRS} pairs of schemas would have to be compared; split the documents");
            }
            let at = pair.at();
            changes.schemas = Some(at.clone());
            self.compared.push(at);
            let views = (View::new(documents.old, &pair.old), View::new(documents.new, &pair.new));
            let mut context =
                Context { documents, pair: &pair, old: &views.0, new: &views.1, changes, queue: self };
            context.compare();
            changes.schemas = None;
        }
        Ok(())
    }

    /// Forgets what has been compared, so that it is compared again.
    pub(super) fn again(&mut self) {
        self.seen.clear();
        self.compared.clear();
    }
}

/// A pair, as seen by the functions that compare one aspect each.
struct Context<'c, 'a> {
    documents: Documents<'a>,
    pair: &'c Pair<'a>,
    old: &'c View<'a>,
    new: &'c View<'a>,
    changes: &'c mut Changes,
    queue: &'c mut Queue<'a>,
}

impl Context<'_, '_> {
    fn compare(&mut self) {
        self.name();
        self.annotations();
        if self.becomes_union() {
            return;
        }
        self.null();
        if !self.types() {
            return;
        }
        self.unions();
        self.values();
        self.format();
        self.constraints();
        self.object();
        self.list();
        self.others();
    }

    /// Returns one level for requests and another for responses.
    fn level(&self, request: Level, response: Level) -> Level {
        if self.pair.way == Way::Request { request } else { response }
    }

    fn add(&mut self, level: Level, kind: Kind, place: (Side, &Pointer), message: impl Into<String>) {
        self.changes.add(level, kind, place, Some(self.pair.way), message);
    }

    /// Records a change at the current place of the keyword, or else at its old place.
    fn at(
        &mut self,
        level: Level,
        kind: Kind,
        (old, new): (Option<&Pointer>, Option<&Pointer>),
        message: impl Into<String>,
    ) {
        let place = match (old, new) {
            (_, Some(new)) => (Side::New, new),
            (Some(old), None) => (Side::Old, old),
            (None, None) => (Side::New, &self.pair.places.1),
        };
        self.changes.add(level, kind, place, Some(self.pair.way), message);
    }

    /// Compares names: components and titles name Rust types.
    fn name(&mut self) {
        let ([old], [new]) = (self.pair.old.as_slice(), self.pair.new.as_slice()) else {
            return;
        };
        let (Some((old_at, old)), Some((new_at, new))) =
            (named(self.documents.old, old), named(self.documents.new, new))
        else {
            return;
        };
        // A component always has a type.
        let component = |place: &Pointer| place.parent().is_some_and(|parent| parent == components());
        let typed = component(&old_at) || component(&new_at) || self.old.has_type() || self.new.has_type();
        if old == new || !typed {
            return;
        }
        let (old, new) = (rust_type(self.documents.old.0, &old_at), rust_type(self.documents.new.0, &new_at));
        if old != new {
            let message =
                format!("what was `{old}` in Rust is `{new}`; code that names the type has to follow");
            self.add(Level::Neutral, Kind::TypeRenamed, (Side::New, &new_at), message);
            self.changes.renamed.insert(old, new);
        }
    }

    fn annotations(&mut self) {
        for (flag, one, other) in [
            ("deprecated", Kind::Deprecated, Kind::NoLongerDeprecated),
            ("readOnly", Kind::AccessChanged, Kind::AccessChanged),
            ("writeOnly", Kind::AccessChanged, Kind::AccessChanged),
        ] {
            let (old, new) = (self.old.flags.get(flag), self.new.flags.get(flag));
            let concerned = match flag {
                "readOnly" => self.pair.way == Way::Request,
                "writeOnly" => self.pair.way == Way::Response,
                _ => false,
            };
            let level = |level: Level| if concerned { level } else { Level::Neutral };
            match (old, new) {
                (None, Some(_)) => self.at(level(Level::Breaking), one, (old, new), format!("now `{flag}`")),
                (Some(_), None) => {
                    self.at(level(Level::Additive), other, (old, new), format!("no longer `{flag}`"));
                }
                _ => {}
            }
        }
        let (old, new) = (&self.old.default, &self.new.default);
        let unchanged = match (old, new) {
            (Some(old), Some(new)) => same(old.value, new.value),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !unchanged {
            let message = format!(
                "{} became {}; the crate sends no defaults",
                shown(old.as_ref()),
                shown(new.as_ref())
            );
            let places = (old.as_ref().map(|it| &it.pointer), new.as_ref().map(|it| &it.pointer));
            self.at(Level::Neutral, Kind::DefaultChanged, places, message);
        }
    }

    fn list(&mut self) {
        let (old, new) = (self.old, self.new);
        let (one, other) = &self.pair.places;
        if old.tuple.len() != new.tuple.len() {
            let message = format!("{} elements of their own became {}", old.tuple.len(), new.tuple.len());
            let place = other.child("prefixItems");
            self.add(Level::Breaking, Kind::TupleChanged, (Side::New, &place), message);
        }
        let elements = old.tuple.iter().zip(&new.tuple).enumerate();
        let elements = elements
            .map(|(index, (old, new))| (old, new, Pointer::from_text(format!("/prefixItems/{index}"))));
        let rest = (&old.items, &new.items, Pointer::from_text("/items"));
        for (old, new, step) in elements.chain([rest]) {
            self.queue.push(Pair {
                old: old.clone(),
                new: new.clone(),
                way: self.pair.way,
                places: (one.join(&step), other.join(&step)),
                optional: (false, false),
            });
        }
    }

    /// Compares keywords for which it only matters whether they are the same.
    fn others(&mut self) {
        let (old, new) = (&self.old.others, &self.new.others);
        for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
            let (one, other) = (old.get(key), new.get(key));
            if !self.documents.alike(one.cloned(), other.cloned()) {
                let places = (one.map(|it| &it.pointer), other.map(|it| &it.pointer));
                let message = format!("`{key}` says something else");
                self.at(Level::Breaking, Kind::KeywordChanged, places, message);
            }
        }
        let (old, new) = (&self.old.discriminator, &self.new.discriminator);
        if !self.documents.alike(old.clone(), new.clone()) {
            let places = (old.as_ref().map(|it| &it.pointer), new.as_ref().map(|it| &it.pointer));
            let message = "where the crate tells variants apart by their tags, the type is listed by itself";
            self.at(Level::Neutral, Kind::DiscriminatorChanged, places, message);
        }
    }
}

fn components() -> Pointer {
    Pointer::from_text("/components/schemas")
}

/// Returns the component that a schema is or refers to, or else the schema with a title, and the resulting name.
fn named<'a>(document: super::document::Document<'a>, place: &Place<'a>) -> Option<(Pointer, String)> {
    let only_refers = place.text("$ref").is_some() && place.text("title").is_none();
    let place = if only_refers { document.resolve(place.clone()) } else { place.clone() };
    if place.pointer.parent().is_some_and(|parent| parent == components()) {
        let name = place.pointer.last();
        return Some((place.pointer, name));
    }
    let title = place.text("title")?.to_owned();
    Some((place.pointer, title))
}

fn shown(place: Option<&Place<'_>>) -> String {
    place.map_or("nothing".to_owned(), |place| format!("`{}`", place.value))
}
