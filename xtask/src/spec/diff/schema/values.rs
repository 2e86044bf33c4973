//! Compares listed values, formats and bounds.

use serde_json::Value;
use suprsend_codegen::{Pointer, is_closed};

use super::Context;
use crate::spec::diff::{
    change::{Kind, Level},
    numbers::{plain, same},
    view::View,
};

impl<'a> View<'a> {
    /// Returns the type, if there is only one.
    pub(super) fn only_type(&self) -> Option<&'a str> {
        let types = self.types.as_ref()?;
        types.first().copied().filter(|_| types.len() == 1)
    }

    /// Returns whether Rust has a type that accepts only the listed values.
    fn is_closed(&self) -> bool {
        self.values.as_ref().is_some_and(|(_, values)| {
            let values: Vec<Value> = values.iter().map(|value| plain(value)).collect();
            is_closed(&values, self.only_type())
        })
    }
}

impl<'a> Context<'_, 'a> {
    pub(super) fn values(&mut self) {
        let (old, new) = (self.old, self.new);
        let places = (old.values.as_ref().map(|(at, _)| at), new.values.as_ref().map(|(at, _)| at));
        let (before, after) = (old.is_closed(), new.is_closed());
        match (&old.values, &new.values) {
            (None, None) => {}
            (None, Some((_, values))) => {
                let response = if after { Level::Breaking } else { Level::Neutral };
                let level = self.level(Level::Breaking, response);
                self.at(level, Kind::EnumAdded, places, format!("only {} pass", list(values)));
            }
            (Some((_, values)), None) => {
                let level =
                    if before { Level::Breaking } else { self.level(Level::Additive, Level::Neutral) };
                let message = format!("not only {} pass", list(values));
                self.at(level, Kind::EnumRemoved, places, message);
            }
            (Some((_, one)), Some((_, other))) => {
                let missing = |from: &[&'a Value], of: &[&'a Value]| -> Vec<&'a Value> {
                    of.iter().filter(|value| !from.iter().any(|known| same(known, value))).copied().collect()
                };
                let (gone, come) = (missing(other, one), missing(one, other));
                let type_changes = before != after;
                let is_text = other.iter().all(|value| value.is_string());
                if !come.is_empty() {
                    let level = match (type_changes, after) {
                        (true, _) => Level::Breaking,
                        // Text that is not listed is read unchanged.
                        (false, true) if is_text => Level::Additive,
                        (false, true) => self.level(Level::Additive, Level::Breaking),
                        (false, false) => self.level(Level::Additive, Level::Neutral),
                    };
                    let message = if after && is_text {
                        format!("{} came; the Rust enum gains variants", list(&come))
                    } else if after {
                        format!("{} came, which older versions of the crate do not read", list(&come))
                    } else {
                        format!("{} came", list(&come))
                    };
                    self.at(level, Kind::EnumValueAdded, places, message);
                }
                if !gone.is_empty() {
                    let response = if type_changes || after { Level::Breaking } else { Level::Neutral };
                    let level = self.level(Level::Breaking, response);
                    self.at(level, Kind::EnumValueRemoved, places, format!("{} went", list(&gone)));
                }
            }
        }
    }

    pub(super) fn format(&mut self) {
        let (old, new) = (&self.old.format, &self.new.format);
        let text = |format: &Option<(Pointer, &str)>| {
            format.as_ref().map_or("none".to_owned(), |(_, it)| format!("`{it}`"))
        };
        if old.as_ref().map(|it| it.1) == new.as_ref().map(|it| it.1) {
            return;
        }
        let numeric =
            [self.old, self.new].iter().all(|view| matches!(view.only_type(), Some("integer" | "number")));
        let level = if self.retyped().is_some() {
            Level::Breaking
        } else if numeric {
            Level::Neutral
        } else {
            // The type is the same in Rust, but the API may reject more text than before.
            self.level(if new.is_none() { Level::Additive } else { Level::Breaking }, Level::Neutral)
        };
        let message = format!("{} became {}", text(old), text(new));
        self.at(
            level,
            Kind::FormatChanged,
            (old.as_ref().map(|it| &it.0), new.as_ref().map(|it| &it.0)),
            message,
        );
    }

    pub(super) fn constraints(&mut self) {
        self.bounds();
        let (old, new) = (self.old, self.new);
        let gone: Vec<_> = old.patterns.iter().filter(|(it, _)| !new.patterns.contains_key(*it)).collect();
        let come: Vec<_> = new.patterns.iter().filter(|(it, _)| !old.patterns.contains_key(*it)).collect();
        match (gone.first(), come.first()) {
            (Some((one, before)), Some((other, after))) => {
                let message = format!("`{one}` became `{other}`");
                self.at(Level::Breaking, Kind::ConstraintChanged, (Some(before), Some(after)), message);
            }
            (None, Some((pattern, at))) => {
                self.constraint(true, (None, Some(at)), format!("has to match `{pattern}`"));
            }
            (Some((pattern, at)), None) => {
                self.constraint(false, (Some(at), None), format!("need not match `{pattern}`"));
            }
            (None, None) => {}
        }
        match (&old.unique, &new.unique) {
            (None, Some(at)) => self.constraint(true, (None, Some(at)), "has no element twice"),
            (Some(at), None) => self.constraint(false, (Some(at), None), "may have an element twice"),
            _ => {}
        }
    }

    pub(super) fn constraint(
        &mut self,
        tighter: bool,
        places: (Option<&Pointer>, Option<&Pointer>),
        message: impl Into<String>,
    ) {
        let mut message = message.into();
        let (mut request, mut response) = (Level::Additive, Level::Neutral);
        if let Some((one, other)) = self.retyped() {
            message = format!("{message}; in Rust {one} became {other}");
            (request, response) = (Level::Breaking, Level::Breaking);
        }
        if tighter {
            self.at(self.level(Level::Breaking, response), Kind::Tightened, places, message);
        } else {
            self.at(self.level(request, Level::Breaking), Kind::Loosened, places, message);
        }
    }

    /// Returns the Rust types before and after, if the schema alone determines both and they differ.
    pub(super) fn retyped(&mut self) -> Option<(String, String)> {
        let (one, other) = (self.queue.rust.lookup(self.old)?, self.queue.rust.lookup(self.new)?);
        let shown = |name: &str| {
            if name.ends_with("HolderField") {
                "a type of its own".to_owned()
            } else {
                format!("`{}`", name.replace(' ', ""))
            }
        };
        (one != other).then(|| (shown(&one), shown(&other)))
    }
}

fn list(values: &[&Value]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}
