//! The arguments of calls: ids of any type, one value or several, a value or none.

use std::{fmt, iter};

/// An id in your own system, as text. Surrounding whitespace is trimmed.
///
/// Any type that implements `Display` can be an id: a string, a number, a UUID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// Returns the id as it will be sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: fmt::Display> From<T> for Id {
    fn from(id: T) -> Self {
        Self(text(id))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

/// Leaves out the id, which identifies a person.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id")
    }
}

/// Converts the value of a path parameter, trimming surrounding whitespace, as SuprSend's other SDKs do. A value of only whitespace is
/// kept, so that validation reports it.
pub(crate) fn text(value: impl fmt::Display) -> String {
    let mut text = value.to_string();
    let trimmed = text.trim();
    if trimmed.len() < text.len() && !trimmed.is_empty() {
        text = trimmed.to_owned();
    }
    text
}

/// Converts the value of a path parameter that comes from a setting of the client; empty if it is not set.
pub(crate) fn setting(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

/// Converts several ids.
pub(crate) fn texts<Kind>(ids: impl OneOrMore<Id, Kind>) -> Vec<String> {
    ids.into_values().map(String::from).collect()
}

/// One value or several: `"a"`, `["a", "b"]`, a `Vec`, an `Option`, or any other iterator of values that convert to a `T`.
///
/// `Kind` distinguishes these and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{T}` nor several of them",
    label = "expected one value that becomes a `{T}`, or an array, a `Vec`, an `Option` or an iterator of such values",
    note = "convert the value first, with `.to_string()` or `.into()`; of an iterator over references to references, take `.copied()`"
)]
pub trait OneOrMore<T, Kind> {
    /// Returns the values.
    fn into_values(self) -> impl Iterator<Item = T>;
}

/// A marker for a single value.
#[derive(Debug)]
pub struct One;

/// A marker for any number of values, including none.
#[derive(Debug)]
pub struct Several;

impl<T, V: Into<T>> OneOrMore<T, One> for V {
    fn into_values(self) -> impl Iterator<Item = T> {
        iter::once(self.into())
    }
}

impl<T, I: IntoIterator<Item: Into<T>>> OneOrMore<T, Several> for I {
    fn into_values(self) -> impl Iterator<Item = T> {
        self.into_iter().map(Into::into)
    }
}

/// A value or none: `"a"`, `Some("a")` or `None`.
///
/// `Kind` distinguishes these and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{T}` nor an `Option` of one",
    label = "expected a value that becomes a `{T}`, or an `Option` of such a value",
    note = "convert the value first, with `.to_string()` or `.into()`"
)]
pub trait OneOrNone<T, Kind> {
    /// Returns the value.
    fn into_value(self) -> Option<T>;
}

#[diagnostic::do_not_recommend]
impl<T, V: Into<T>> OneOrNone<T, One> for V {
    fn into_value(self) -> Option<T> {
        Some(self.into())
    }
}

impl<T, V: Into<T>> OneOrNone<T, Several> for Option<V> {
    fn into_value(self) -> Option<T> {
        self.map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many<Kind>(values: impl OneOrMore<String, Kind>) -> Vec<String> {
        values.into_values().collect()
    }

    fn maybe<Kind>(value: impl OneOrNone<i64, Kind>) -> Option<i64> {
        value.into_value()
    }

    fn ids<Kind>(ids: impl OneOrMore<Id, Kind>) -> Vec<String> {
        ids.into_values().map(String::from).collect()
    }

    #[test]
    fn one_or_more() {
        assert_eq!(many("a"), ["a"]);
        assert_eq!(many(String::from("a")), ["a"]);
        assert_eq!(many('a'), ["a"]);
        assert_eq!(many(["a", "b"]), ["a", "b"]);
        assert_eq!(many(&["a".to_owned(), "b".to_owned()]), ["a", "b"]);
        assert_eq!(many(vec!["a"]), ["a"]);
        assert_eq!(many(Some("a")), ["a"]);
        assert_eq!(many(None::<String>), [""; 0]);
        assert_eq!(many((0..2).map(|number| format!("a{number}"))), ["a0", "a1"]);
    }

    #[test]
    fn one_or_none() {
        assert_eq!(maybe(5), Some(5));
        assert_eq!(maybe(5_u8), Some(5));
        assert_eq!(maybe(Some(5)), Some(5));
        assert_eq!(maybe(None::<i64>), None);
    }

    #[test]
    fn ids_are_anything_that_can_be_displayed() {
        assert_eq!(ids(" a "), ["a"]);
        assert_eq!(ids(7), ["7"]);
        assert_eq!(ids([7_u64, 8]), ["7", "8"]);
        assert_eq!(ids(vec!["a", "b"]), ["a", "b"]);
        assert_eq!(ids([&"a".to_owned()]), ["a"]);
        assert_eq!(text(" \t"), " \t");
    }
}
