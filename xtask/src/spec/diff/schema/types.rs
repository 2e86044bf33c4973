//! Compares types and nullability.

use std::collections::BTreeSet;

use super::Context;
use crate::spec::diff::{
    change::{Kind, Level},
    view::{View, covers},
};

impl View<'_> {
    /// Returns whether Rust has a separate type for it.
    pub(super) fn has_type(&self) -> bool {
        !self.properties.is_empty() || self.values.is_some() || !self.unions.is_empty()
    }
}

impl Context<'_, '_> {
    /// Compares the types. A wider type is a different Rust type, too: an argument of the old type does not convert to it.
    ///
    /// Returns `false` if they have so little in common that nothing else can be compared.
    pub(super) fn types(&mut self) -> bool {
        let places = (self.old.types_at.as_ref(), self.new.types_at.as_ref());
        let message = format!("{} became {}", shown(self.old), shown(self.new));
        let (old, new) = match (&self.old.types, &self.new.types) {
            (Some(old), Some(new)) => (old, new),
            (Some(_), None) if self.new.is_any() => {
                self.at(Level::Breaking, Kind::TypeWidened, places, message);
                return false;
            }
            (None, Some(_)) if self.old.is_any() => {
                self.at(Level::Breaking, Kind::TypeNarrowed, places, message);
                return false;
            }
            _ => return true,
        };
        let within =
            |one: &BTreeSet<&str>, other: &BTreeSet<&str>| one.iter().all(|name| covers(other, name));
        let (more, fewer) = (within(old, new), within(new, old));
        let kind = match (more, fewer) {
            (true, true) => return true,
            (true, false) => Kind::TypeWidened,
            (false, true) => Kind::TypeNarrowed,
            (false, false) => Kind::TypeChanged,
        };
        self.at(Level::Breaking, kind, places, message);
        old.iter().any(|name| covers(new, name)) || new.iter().any(|name| covers(old, name))
    }

    pub(super) fn null(&mut self) {
        let (old, new) = (self.old, self.new);
        if old.nullable == new.nullable || old.is_any() || new.is_any() {
            return;
        }
        let places = (old.types_at.as_ref(), new.types_at.as_ref());
        // An optional member already is an `Option`, which is left out if it is `None`.
        let (before, after) = self.pair.optional;
        let unchanged = (before || old.nullable) == (after || new.nullable);
        let level = if unchanged { Level::Neutral } else { Level::Breaking };
        if new.nullable {
            self.at(level, Kind::NullAdded, places, "null is allowed now");
        } else {
            self.at(level, Kind::NullRemoved, places, "null is no longer allowed");
        }
    }
}

fn shown(view: &View<'_>) -> String {
    match &view.types {
        None => "any type".to_owned(),
        Some(types) if types.is_empty() => "no value".to_owned(),
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}
