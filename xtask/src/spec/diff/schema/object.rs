//! Compares properties, and undeclared keys.

use suprsend_codegen::Pointer;

use super::{Context, Pair, Place};
use crate::spec::diff::{
    change::{Kind, Level, Side, Way},
    view::{Extra, Schemas, View},
};

impl<'a> View<'a> {
    /// Returns how undeclared keys are handled. An object without properties is a map.
    fn extra(&self) -> Extra<'a> {
        let object = self.types.as_ref().is_some_and(|types| types.contains("object"));
        match &self.extra {
            None if object && self.properties.is_empty() && self.unions.is_empty() => {
                Extra::Kept(Pointer::root(), Vec::new())
            }
            None => Extra::Ignored,
            Some(extra) => extra.clone(),
        }
    }
}

impl View<'_> {
    /// Returns the place where a property is declared, or else required.
    fn place_of<'v>(&'v self, name: &str, schemas: &'v [Place<'_>]) -> Option<&'v Pointer> {
        schemas.first().map(|place| &place.pointer).or_else(|| self.required.get(name))
    }
}

impl<'a> Context<'_, 'a> {
    pub(super) fn object(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, schemas) in &old.properties {
            if !new.properties.contains_key(name) {
                let message = format!("`{name}` is gone");
                let place = old.place_of(name, schemas);
                self.at(Level::Breaking, Kind::PropertyRemoved, (place, None), message);
            }
        }
        for (name, schemas) in &new.properties {
            let required = new.required.contains_key(name);
            if let Some(before) = old.properties.get(name) {
                let optional = (!old.required.contains_key(name), !required);
                let place =
                    |view: &View<'_>, schemas| view.place_of(name, schemas).cloned().unwrap_or_default();
                self.queue.push(Pair {
                    old: before.clone(),
                    new: schemas.clone(),
                    way: self.pair.way,
                    places: (place(old, before), place(new, schemas)),
                    optional,
                });
                continue;
            }
            self.came(name, schemas, required);
        }
        self.required();
        self.extra();
    }

    /// Handles a new property, which may have been one of the undeclared keys before.
    fn came(&mut self, name: &str, schemas: &Schemas<'a>, required: bool) {
        let place = self.new.place_of(name, schemas);
        let how = if required { ", and is required" } else { "" };
        let Extra::Kept(_, before) = self.old.extra() else {
            let level = if required { self.level(Level::Breaking, Level::Additive) } else { Level::Additive };
            self.at(level, Kind::PropertyAdded, (None, place), format!("`{name}` came{how}"));
            return;
        };
        if self.old.properties.is_empty() {
            let message = format!("`{name}` came{how}; what was a map in Rust is a struct");
            self.at(Level::Breaking, Kind::PropertyAdded, (None, place), message);
            return;
        }
        // A value that was sent among the undeclared keys is still sent; one that is read is no longer found there.
        let request = if required { Level::Breaking } else { Level::Additive };
        let message = format!("`{name}` came{how}, and is no longer among the other keys");
        self.at(self.level(request, Level::Breaking), Kind::PropertyAdded, (None, place), message);
        if self.pair.way == Way::Request {
            self.queue.push(Pair {
                old: before,
                new: schemas.clone(),
                way: Way::Request,
                places: (
                    self.pair.places.0.child("additionalProperties"),
                    place.cloned().unwrap_or_default(),
                ),
                optional: (true, !required),
            });
        }
    }

    /// Compares which properties are required, including names that neither document declares as properties.
    fn required(&mut self) {
        let (old, new) = (self.old, self.new);
        let names =
            old.required.keys().chain(new.required.keys().filter(|it| !old.required.contains_key(*it)));
        for name in names {
            let (one, other) = (old.required.get(name), new.required.get(name));
            let (before, after) = (old.properties.get(name), new.properties.get(name));
            if one.is_some() == other.is_some() || before.is_some() != after.is_some() {
                continue;
            }
            let place = after.and_then(|it| it.first()).map(|it| it.pointer.clone());
            let place = place.as_ref().or(other);
            let option =
                |required: bool, view: Option<View<'_>>| !required || view.is_some_and(|view| view.nullable);
            let unchanged = option(one.is_some(), before.map(|it| View::new(self.documents.old, it)))
                == option(other.is_some(), after.map(|it| View::new(self.documents.new, it)));
            let retyped = !unchanged && before.is_some();
            let response = if retyped { Level::Breaking } else { Level::Neutral };
            if other.is_some() {
                let level = self.level(Level::Breaking, response);
                let message =
                    format!("`{name}` is always there; in Rust no longer an `Option`, unless it may be null");
                self.at(level, Kind::PropertyRequired, (one, place), message);
            } else {
                // A setter's argument must convert to the `Option`, which text, for example, does not.
                let request = if retyped { Level::Breaking } else { Level::Additive };
                let level = self.level(request, response);
                let message = format!("`{name}` may be left out; in Rust an `Option`");
                self.at(level, Kind::PropertyOptional, (one, place), message);
            }
        }
    }

    fn extra(&mut self) {
        let place = self.pair.places.1.child("additionalProperties");
        let before = self.pair.places.0.child("additionalProperties");
        match (self.old.extra(), self.new.extra()) {
            (Extra::Kept(_, old), Extra::Kept(_, new)) => self.queue.push(Pair {
                old,
                new,
                way: self.pair.way,
                places: (before, place),
                optional: (false, false),
            }),
            (Extra::Kept(at, _), Extra::Ignored | Extra::Forbidden(_)) => {
                let at = if at == Pointer::root() { &before } else { &at };
                let message = "the Rust type has no map for other keys any more";
                self.add(Level::Breaking, Kind::ExtraRemoved, (Side::Old, at), message);
            }
            (Extra::Ignored | Extra::Forbidden(_), Extra::Kept(at, _)) => {
                let at = if at == Pointer::root() { &place } else { &at };
                let message = "the Rust type gains a map for other keys";
                self.add(Level::Additive, Kind::ExtraAdded, (Side::New, at), message);
            }
            (Extra::Ignored, Extra::Forbidden(at)) => {
                let message = "the crate has no way to send any";
                self.add(Level::Neutral, Kind::ExtraForbidden, (Side::New, &at), message);
            }
            (Extra::Forbidden(at), Extra::Ignored) => {
                let message = "the crate ignores them, and has no way to send any";
                self.add(Level::Neutral, Kind::ExtraAllowed, (Side::Old, &at), message);
            }
            (Extra::Ignored, Extra::Ignored) | (Extra::Forbidden(_), Extra::Forbidden(_)) => {}
        }
    }
}
