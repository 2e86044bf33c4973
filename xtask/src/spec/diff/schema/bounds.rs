//! Compares bounds by the values that they allow: for integers, `minimum: 1` is the same as `exclusiveMinimum: 0`.

use std::cmp::Ordering;

use serde_json::Number;
use suprsend_codegen::Pointer;

use super::Context;
use crate::spec::diff::{
    change::{Kind, Level},
    numbers::Exact,
    view::View,
};

/// Keywords that together bound the values on one side.
struct Side {
    keywords: &'static [&'static str],
    upper: bool,
}

const SIDES: [Side; 8] = [
    Side { keywords: &["exclusiveMaximum", "maximum"], upper: true },
    Side { keywords: &["maxItems"], upper: true },
    Side { keywords: &["maxLength"], upper: true },
    Side { keywords: &["maxProperties"], upper: true },
    Side { keywords: &["exclusiveMinimum", "minimum"], upper: false },
    Side { keywords: &["minItems"], upper: false },
    Side { keywords: &["minLength"], upper: false },
    Side { keywords: &["minProperties"], upper: false },
];

/// The limit of the allowed values on one side.
struct End<'v> {
    keyword: &'static str,
    stated: &'v (Pointer, Number),
    value: Exact,
    /// Whether the limit itself is excluded.
    open: bool,
}

impl Side {
    /// Returns the strictest bound of this side, if there is a restriction.
    fn end<'v>(&self, view: &'v View<'_>) -> Option<End<'v>> {
        let whole = view.only_type() == Some("integer");
        let ends = self.keywords.iter().filter_map(|keyword| {
            let stated = view.bounds.get(keyword)?;
            let exclusive = keyword.starts_with("exclusive");
            let value = Exact::new(&stated.1)?;
            let (value, open) = match (whole, self.upper) {
                (false, _) => (value, exclusive),
                (true, true) if exclusive => (value.ceil().next(-1), false),
                (true, true) => (value.floor(), false),
                (true, false) if exclusive => (value.floor().next(1), false),
                (true, false) => (value.ceil(), false),
            };
            Some(End { keyword, stated, value, open })
        });
        let end = ends.reduce(|one, other| if self.tightness(&one, &other).is_lt() { other } else { one })?;
        // Nothing has fewer than zero elements.
        let idle = end.keyword.starts_with("min") && end.keyword != "minimum" && end.value <= Exact::Whole(0);
        (!idle).then_some(end)
    }

    /// Compares which of two bounds is stricter.
    fn tightness(&self, one: &End<'_>, other: &End<'_>) -> Ordering {
        let order = one.value.cmp(&other.value);
        (if self.upper { order.reverse() } else { order }).then(one.open.cmp(&other.open))
    }
}

impl Context<'_, '_> {
    pub(super) fn bounds(&mut self) {
        for side in SIDES {
            let (old, new) = (side.end(self.old), side.end(self.new));
            let tighter = match (&old, &new) {
                (None, None) => {
                    self.idle(&side);
                    continue;
                }
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some(one), Some(other)) => match side.tightness(one, other) {
                    Ordering::Equal => continue,
                    order => order.is_lt(),
                },
            };
            let places = (old.as_ref().map(|it| &it.stated.0), new.as_ref().map(|it| &it.stated.0));
            self.constraint(tighter, places, message(old.as_ref(), new.as_ref()));
        }
    }

    /// Handles an ineffective bound that was added or removed; Rust may have another type for it.
    fn idle(&mut self, side: &Side) {
        for keyword in side.keywords {
            let (old, new) = (self.old.bounds.get(keyword), self.new.bounds.get(keyword));
            if old.is_some() != new.is_some()
                && let Some((one, other)) = self.retyped()
            {
                let places = (old.map(|(at, _)| at), new.map(|(at, _)| at));
                let message = format!("`{keyword}` forbids nothing; in Rust {one} became {other}");
                self.at(Level::Breaking, Kind::ConstraintChanged, places, message);
            }
        }
    }
}

fn message(old: Option<&End<'_>>, new: Option<&End<'_>>) -> String {
    let keyword = old.or(new).map_or("", |end| end.keyword);
    let number = |end: Option<&End<'_>>| end.map_or("nothing".to_owned(), |end| end.stated.1.to_string());
    match new {
        Some(end) if end.keyword != keyword => {
            format!("`{keyword}` {} became `{}` {}", number(old), end.keyword, number(new))
        }
        _ => format!("`{keyword}` {} became {}", number(old), number(new)),
    }
}
