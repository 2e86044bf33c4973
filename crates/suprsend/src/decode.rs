//! Decodes the body of a response into a type of the OpenAPI document, more leniently than the generated code does.

use std::{any::Any, borrow::Cow, fmt, ops::Deref};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, error::Category};
use suprsend_api::Format;

/// The depth to which nulls are looked for. The members that responses declare are at most this deep; everything below belongs to the
/// caller.
const DEPTH: usize = 4;

/// Decodes the body of a response. If it cannot be decoded, the error says why without quoting the body.
///
/// Only the deserialization depends on the type; it is compiled once for each type.
pub(crate) fn read<T: DeserializeOwned + 'static>(format: Format, body: Bytes) -> Result<T, String> {
    if format == Format::Bytes {
        return bytes(body).ok_or_else(|| "is not of a type that bytes are read as".to_owned());
    }
    let json = as_json(format, &body)?;
    let error = match serde_json::from_str(&json) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if json.is_empty() {
        // An empty body becomes `None` where the document declares a success without content.
        return serde_json::from_str("null").map_err(|_| "is empty".to_owned());
    }
    let read = |json: String| serde_json::from_str(&json).ok();
    lenient(&json).find_map(read).ok_or_else(|| reason(&error))
}

/// Returns the bytes unchanged, for the types that take raw bytes.
fn bytes<T: 'static>(body: Bytes) -> Option<T> {
    let mut read = None::<T>;
    let slot: &mut dyn Any = &mut read;
    if let Some(slot) = slot.downcast_mut::<Option<Body>>() {
        *slot = Some(Body(body));
    } else if let Some(slot) = slot.downcast_mut::<Option<Vec<u8>>>() {
        *slot = Some(Vec::from(body));
    }
    read
}

/// Returns the body as JSON. The error says why it is no text.
///
/// An API may send bare text with the media type of JSON, so text is taken as it is unless it is a JSON string.
fn as_json(format: Format, body: &[u8]) -> Result<Cow<'_, str>, String> {
    match format {
        // The content does not matter.
        Format::Empty => Ok(Cow::Borrowed("null")),
        Format::Text if serde_json::from_slice::<String>(body).is_err() => {
            let text = String::from_utf8_lossy(body);
            Ok(Cow::Owned(serde_json::to_string(&text).unwrap_or_default()))
        }
        // The body is checked as a whole: checking each text, as serde_json does, takes ten times as many instructions.
        _ => match str::from_utf8(body) {
            Ok(json) => Ok(Cow::Borrowed(json)),
            Err(error) => Err(format!("is not UTF-8 (byte {})", error.valid_up_to() + 1)),
        },
    }
}

/// Returns replacements for a body that cannot be decoded as it is, the smallest change first.
///
/// The API sometimes writes null for an empty list, where the document only allows lists. The generated types accept null for optional
/// values. The remaining nulls are removed, or replaced by an empty list where one is required, outermost first and no more than necessary:
/// deeper in, null may be the value of a property. A text that was cut in the middle of a character leaves half of a surrogate pair, which
/// a Rust string cannot hold.
fn lenient(json: &str) -> impl Iterator<Item = String> {
    let whole = without_lone_surrogates(json);
    let value = serde_json::from_str::<Value>(whole.as_deref().unwrap_or(json)).ok();
    let ways = (1..=DEPTH).flat_map(|depth| [(depth, None), (depth, Some(Value::Array(Vec::new())))]);
    let changed = value.into_iter().flat_map(move |value| {
        ways.clone().filter_map(move |(depth, instead)| {
            let mut value = value.clone();
            replace_nulls(&mut value, depth, instead.as_ref());
            serde_json::to_string(&value).ok()
        })
    });
    whole.into_iter().chain(changed)
}

/// Replaces halves of surrogate pairs by the replacement character. Returns `None` if there are none.
fn without_lone_surrogates(json: &str) -> Option<String> {
    let json = json.as_bytes();
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut out, mut at, mut found) = (Vec::with_capacity(json.len()), 0, false);
    while let Some(&byte) = json.get(at) {
        let length = match (byte, unit(at)) {
            (b'\\', Some(0xd800..0xdc00)) if matches!(unit(at + 6), Some(0xdc00..0xe000)) => 12,
            (b'\\', Some(0xd800..0xe000)) => {
                found = true;
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            // Includes the escaped character, which may be another backslash.
            (b'\\', _) => 2,
            _ => 1,
        };
        out.extend_from_slice(&json[at..json.len().min(at + length)]);
        at += length;
    }
    String::from_utf8(out).ok().filter(|_| found)
}

/// Removes members that are null, or replaces them.
fn replace_nulls(value: &mut Value, depth: usize, instead: Option<&Value>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(members) => {
            members.retain(|_, member| {
                if member.is_null() {
                    let Some(instead) = instead else { return false };
                    *member = instead.clone();
                }
                replace_nulls(member, depth - 1, instead);
                true
            });
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace_nulls(item, depth - 1, instead)),
        _ => {}
    }
}

/// The raw bytes of a body. It dereferences to them.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Bytes);

impl Body {
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.clone()
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|bytes| Self(bytes.into()))
    }
}

/// Leaves out the bytes, which may contain secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// Describes an error without the value, which serde_json's own message quotes.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "ends before its JSON does",
        Category::Data => "has not the form that the document declares",
        Category::Syntax | Category::Io => "is not JSON",
    };
    if error.line() == 0 {
        return what.to_owned();
    }
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use suprsend_api::types::{User, UserList};

    fn json<T: DeserializeOwned + 'static>(body: impl Into<Vec<u8>>) -> Result<T, String> {
        read(Format::Json, Bytes::from(body.into()))
    }

    #[test]
    fn nulls_are_dropped_from_the_outside() {
        let user: User =
            json(br#"{"$sms": null, "properties": {"a": null}, "created_at": null, "x": null}"#).unwrap();
        assert!(user.sms.is_empty());
        assert_eq!(user.properties["a"], Value::Null);
        let lists: Vec<User> = json(br#"[{"$sms": null, "properties": {"a": 1}}]"#).unwrap();
        assert_eq!(lists[0].properties["a"], 1);
    }

    #[test]
    fn a_list_that_is_required_is_empty_instead() {
        let list: UserList =
            json(br#"{"meta": {"count": 0, "limit": 20, "before": null, "has_prev": false, "after": null, "has_next": false}, "results": null}"#)
                .unwrap();
        assert!(list.results.is_empty());
        assert_eq!(list.meta.limit, Some(20));
    }

    #[test]
    fn reasons_do_not_quote() {
        for (body, said) in [
            (
                &br#"{"$sms": "secret"}"#[..],
                "has not the form that the document declares (line 1, column 17)",
            ),
            (br#"{"$sms": ["#, "ends before its JSON does (line 1, column 10)"),
            (b"secret", "is not JSON (line 1, column 1)"),
            (b"{\"$sms\": \"\xff\"}", "is not UTF-8 (byte 11)"),
            (b"", "is empty"),
        ] {
            assert_eq!(json::<User>(body).unwrap_err(), said);
        }
    }

    #[test]
    fn an_empty_body_is_a_result_where_none_is_declared() {
        read::<()>(Format::Empty, Bytes::new()).unwrap();
        read::<()>(Format::Empty, Bytes::from_static(b"<html>")).unwrap();
    }

    #[test]
    fn texts_are_read_as_they_are_or_unquoted() {
        let text = |body: &'static str| read::<String>(Format::Text, Bytes::from(body)).unwrap();
        assert_eq!(text("done"), "done");
        assert_eq!(text("\"done\""), "done");
        assert_eq!(text("{\"a\": 1}"), "{\"a\": 1}");
        assert_eq!(text(""), "");
    }

    #[test]
    fn bytes_are_not_read() {
        let bytes = Bytes::from_static(b"\xff");
        assert_eq!(read::<Vec<u8>>(Format::Bytes, bytes.clone()), Ok(vec![0xff]));
        assert_eq!(&read::<Body>(Format::Bytes, bytes.clone()).unwrap()[..], b"\xff");
        read::<User>(Format::Bytes, bytes).unwrap_err();
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let profile = br#"{"properties": {"a": "\ud83d", "b": "\ud83d\ude00", "c": "\\ud83d", "d": "\udc00\ud83d\u0041"}}"#;
        let user: User = json(&profile[..]).unwrap();
        let property = |name: &str| user.properties[name].as_str().unwrap();
        assert_eq!(property("a"), "\u{fffd}");
        assert_eq!(property("b"), "😀");
        assert_eq!(property("c"), "\\ud83d");
        assert_eq!(property("d"), "\u{fffd}\u{fffd}A");
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}:,\"a$0-9enul ]{0,30}".prop_map(String::into_bytes)]) {
            let _ = json::<User>(body);
        }
    }
}
