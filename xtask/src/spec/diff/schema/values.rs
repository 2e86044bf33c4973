//! Listed values, formats and bounds.

use serde_json::Value;
use suprsend_codegen::{Pointer, is_closed};

use super::Context;
use crate::spec::diff::{
    change::{Kind, Level},
    view::{LOWER, UPPER, View},
};

impl<'a> View<'a> {
    /// The type, if it is one.
    fn only_type(&self) -> Option<&'a str> {
        let types = self.types.as_ref()?;
        types.first().copied().filter(|_| types.len() == 1)
    }

    /// Whether Rust has a type that lets the listed values pass alone.
    fn is_closed(&self) -> bool {
        self.values.as_ref().is_some_and(|(_, values)| {
            let values: Vec<Value> = values.iter().map(|value| (*value).clone()).collect();
            is_closed(&values, self.only_type())
        })
    }

    /// The format, as far as Rust has a type for it; bounds aside.
    fn rust_format(&self) -> &'a str {
        let format = self.format.as_ref().map_or("", |(_, format)| format);
        match (self.only_type(), format) {
            (Some("string"), "date" | "date-time" | "ip" | "ipv4" | "ipv6")
            | (
                Some("integer"),
                "int8" | "int16" | "int32" | "uint8" | "uint16" | "uint32" | "uint" | "uint64",
            )
            | (Some("number"), "float") => format,
            _ => "",
        }
    }
}

impl Context<'_, '_> {
    pub(super) fn values(&mut self) {
        let (old, new) = (self.old, self.new);
        let places = (old.values.as_ref().map(|(at, _)| at), new.values.as_ref().map(|(at, _)| at));
        let (before, after) = (old.is_closed(), new.is_closed());
        match (&old.values, &new.values) {
            (None, None) => {}
            (None, Some((_, values))) => {
                let reply = if after { Level::Breaking } else { Level::Neutral };
                let level = self.level(Level::Breaking, reply);
                self.at(level, Kind::EnumAdded, places, format!("only {} pass", list(values)));
            }
            (Some((_, values)), None) => {
                let level =
                    if before { Level::Breaking } else { self.level(Level::Additive, Level::Neutral) };
                let message = format!("not only {} pass", list(values));
                self.at(level, Kind::EnumRemoved, places, message);
            }
            (Some((_, one)), Some((_, other))) => {
                let gone: Vec<&Value> = one.iter().filter(|it| !other.contains(it)).copied().collect();
                let come: Vec<&Value> = other.iter().filter(|it| !one.contains(it)).copied().collect();
                let type_changes = before != after;
                if !come.is_empty() {
                    let level = match (type_changes, after) {
                        (true, _) => Level::Breaking,
                        (false, true) => self.level(Level::Additive, Level::Breaking),
                        (false, false) => self.level(Level::Additive, Level::Neutral),
                    };
                    let message = if after {
                        format!(
                            "{} came; the Rust enum gains variants, which a `match` has to know, and which older versions of \
                             the crate do not read",
                            list(&come)
                        )
                    } else {
                        format!("{} came", list(&come))
                    };
                    self.at(level, Kind::EnumValueAdded, places, message);
                }
                if !gone.is_empty() {
                    let reply = if type_changes || after { Level::Breaking } else { Level::Neutral };
                    let level = self.level(Level::Breaking, reply);
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
        let (one, other) = (self.old.rust_format(), self.new.rust_format());
        let numeric =
            [self.old, self.new].iter().all(|view| matches!(view.only_type(), Some("integer" | "number")));
        let level = match (one, other) {
            // A number that fits into the smaller type converts to the larger one.
            ("int8" | "int16" | "int32" | "float", "") if numeric => {
                self.level(Level::Additive, Level::Breaking)
            }
            (one, other) if one != other => Level::Breaking,
            // The same type in Rust, but the API may refuse more text than before.
            _ if numeric || new.is_none() => {
                self.level(if numeric { Level::Neutral } else { Level::Additive }, Level::Neutral)
            }
            _ => self.level(Level::Breaking, Level::Neutral),
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
        let (old, new) = (self.old, self.new);
        // Text that not all pass for has a type of its own, whose name and conversions come and go with that.
        let text = |view: &View<'_>| view.is_checked_text() && view.only_type() == Some("string");
        let newtype = text(old) != text(new);
        for keyword in UPPER.iter().chain(&LOWER) {
            let (one, other) = (old.bounds.get(keyword), new.bounds.get(keyword));
            let tighter = match (one, other) {
                (None, None) => continue,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some((_, one)), Some((_, other))) => match one.partial_cmp(other) {
                    None | Some(std::cmp::Ordering::Equal) => continue,
                    Some(order) => UPPER.contains(keyword) == (order == std::cmp::Ordering::Greater),
                },
            };
            let bound =
                |bound: Option<&(Pointer, f64)>| bound.map_or("nothing".to_owned(), |(_, it)| it.to_string());
            let message = format!("`{keyword}` {} became {}", bound(one), bound(other));
            let newtype = newtype && matches!(*keyword, "minLength" | "maxLength");
            self.constraint(tighter, newtype, (one.map(|it| &it.0), other.map(|it| &it.0)), message);
        }
        let gone: Vec<_> = old.patterns.iter().filter(|(it, _)| !new.patterns.contains_key(*it)).collect();
        let come: Vec<_> = new.patterns.iter().filter(|(it, _)| !old.patterns.contains_key(*it)).collect();
        match (gone.first(), come.first()) {
            (Some((one, before)), Some((other, after))) => {
                let message = format!("`{one}` became `{other}`");
                self.at(Level::Breaking, Kind::ConstraintChanged, (Some(before), Some(after)), message);
            }
            (None, Some((pattern, at))) => {
                self.constraint(true, newtype, (None, Some(at)), format!("has to match `{pattern}`"));
            }
            (Some((pattern, at)), None) => {
                self.constraint(false, newtype, (Some(at), None), format!("need not match `{pattern}`"));
            }
            (None, None) => {}
        }
        match (&old.unique, &new.unique) {
            (None, Some(at)) => self.constraint(true, false, (None, Some(at)), "has no element twice"),
            (Some(at), None) => self.constraint(false, false, (Some(at), None), "may have an element twice"),
            _ => {}
        }
    }

    fn constraint(
        &mut self,
        tighter: bool,
        newtype: bool,
        places: (Option<&Pointer>, Option<&Pointer>),
        message: impl Into<String>,
    ) {
        let mut message = message.into();
        if newtype {
            message.push_str("; the text gains or loses a type of its own in Rust");
        }
        if tighter {
            let reply = if newtype { Level::Breaking } else { Level::Neutral };
            self.at(self.level(Level::Breaking, reply), Kind::Tightened, places, message);
        } else {
            self.at(self.level(Level::Additive, Level::Breaking), Kind::Loosened, places, message);
        }
    }
}

fn list(values: &[&Value]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}
