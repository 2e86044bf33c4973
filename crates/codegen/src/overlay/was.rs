//! Compares the document with the expectation that an action declares with `x-was`.

use std::fmt;

use serde_json::Value;

use crate::{Pointer, lower::whole, problem::brief};

/// The maximum number of an object's members that a message lists.
const NAMES: usize = 5;
/// The length of text that a message shows around the place where it differs.
const AROUND: usize = 20;

/// The first member in which the document differs from `x-was`. Its `Display` is one line, which never shows a whole object or list.
pub(super) struct Difference {
    place: Pointer,
    stated: String,
    found: String,
}

impl Difference {
    fn new(place: Pointer, stated: Option<&Value>, found: Option<&Value>) -> Self {
        // If a part of a text differs, it is shown from there.
        if let (Some(Value::String(one)), Some(Value::String(other))) = (stated, found)
            && one.chars().count().min(other.chars().count()) > 2 * AROUND
        {
            let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
            let part = |text: &str| {
                let from: String = text.chars().skip(same.saturating_sub(AROUND / 2)).take(AROUND).collect();
                format!("`…{from}…` around character {}", same + 1)
            };
            return Self { place, stated: part(one), found: part(other) };
        }
        Self { place, stated: shown(stated), found: shown(found) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, stated, found } = self;
        write!(f, "`x-was` says {stated} at {place}, the document says {found}")
    }
}

/// Returns the first place in which the document differs from `x-was`.
pub(super) fn differs(was: &Value, found: &Value, place: &Pointer) -> Option<Difference> {
    match (was, found) {
        (Value::Object(stated), Value::Object(members)) => stated.iter().find_map(|(key, stated)| {
            let place = place.child(key);
            match members.get(key) {
                Some(found) => differs(stated, found, &place),
                None if is_absence(stated) => None,
                None => Some(Difference::new(place, Some(stated), None)),
            }
        }),
        _ if equal(was, found) => None,
        _ => Some(first_difference(was, found, place)),
    }
}

/// Returns where two different values first differ. A member that only the document has counts as well, because the whole values are
/// compared.
fn first_difference(was: &Value, found: &Value, place: &Pointer) -> Difference {
    match (was, found) {
        (Value::Array(stated), Value::Array(items)) => {
            let pairs = stated.iter().zip(items).enumerate();
            let mut pairs = pairs.filter(|(_, (stated, item))| !equal(stated, item));
            if let Some((index, (stated, item))) = pairs.next() {
                return first_difference(stated, item, &place.child(index));
            }
            let index = stated.len().min(items.len());
            Difference::new(place.child(index), stated.get(index), items.get(index))
        }
        (Value::Object(stated), Value::Object(members)) => {
            for key in stated.keys().chain(members.keys()) {
                let place = place.child(key);
                match (stated.get(key), members.get(key)) {
                    (Some(stated), Some(found)) if equal(stated, found) => {}
                    (Some(stated), Some(found)) => return first_difference(stated, found, &place),
                    (stated, found) => return Difference::new(place, stated, found),
                }
            }
            Difference::new(place.clone(), Some(was), Some(found))
        }
        _ => Difference::new(place.clone(), Some(was).filter(|was| !was.is_null()), Some(found)),
    }
}

/// Returns whether two values are equal. Numbers are compared by value, however they are written.
fn equal(one: &Value, other: &Value) -> bool {
    one == other || sorted(one) == sorted(other)
}

/// Formats a value for a message: for an object the names of its members, for a list its length.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Object(members)) => {
            let mut names: Vec<String> =
                members.keys().take(NAMES).map(|name| format!("`{}`", brief(name))).collect();
            if members.len() > NAMES {
                names.push(format!("{} more", members.len() - NAMES));
            }
            if names.is_empty() {
                return "an empty object".to_owned();
            }
            format!("an object with {}", names.join(", "))
        }
        Some(Value::Array(items)) => match items.len() {
            0 => "an empty list".to_owned(),
            1 => "a list of one element".to_owned(),
            count => format!("a list of {count} elements"),
        },
        Some(value) => brief(&value.to_string()).into_owned(),
    }
}

/// Returns whether an expectation only names absent members.
fn is_absence(stated: &Value) -> bool {
    match stated {
        Value::Null => true,
        Value::Object(members) => !members.is_empty() && members.values().all(is_absence),
        _ => false,
    }
}

/// Sorts the members of every object by name, and normalizes numbers.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().collect())
        }
        number => whole(number).map_or_else(|| number.clone(), Value::from),
    }
}
