//! From a reply's body to a type of the document's, more leniently than the generated code does it.

use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};

/// How deep nulls are looked for. The replies' own members are this deep; what is below belongs to the caller.
const DEPTH: usize = 4;

/// Decodes a body, or says why it cannot be decoded, without quoting it.
///
/// The API writes null for a list that is empty now and then, where the document has only lists. The generated types take null
/// for what is optional, so what is left is taken away, or becomes an empty list where one is required, outermost first and no more
/// than is necessary: further in, null may be the value of a property.
pub(crate) fn lenient<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let error = match serde_json::from_slice(if body.is_empty() { b"null" } else { body }) {
        Ok(value) => return Ok(value),
        Err(_) if body.is_empty() => return Err("is empty".to_owned()),
        Err(error) => error,
    };
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        for depth in 1..=DEPTH {
            for instead in [None, Some(Value::Array(Vec::new()))] {
                let mut value = value.clone();
                replace_nulls(&mut value, depth, instead.as_ref());
                if let Ok(decoded) = T::deserialize(value) {
                    return Ok(decoded);
                }
            }
        }
    }
    Err(reason(&error))
}

/// Takes away members that are null, or puts something in their place.
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

/// serde_json's own message quotes the value that it stumbles over.
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
    use crate::types::{User, UserList};

    #[test]
    fn nulls_are_dropped_from_the_outside() {
        let user: User =
            lenient(br#"{"$sms": null, "properties": {"a": null}, "created_at": null, "x": null}"#).unwrap();
        assert!(user.sms.is_empty());
        assert_eq!(user.properties["a"], Value::Null);
        let lists: Vec<User> = lenient(br#"[{"$sms": null, "properties": {"a": 1}}]"#).unwrap();
        assert_eq!(lists[0].properties["a"], 1);
    }

    #[test]
    fn a_list_that_is_required_is_empty_instead() {
        let list: UserList =
            lenient(br#"{"meta": {"count": 0, "limit": 20, "before": null, "has_prev": false, "after": null, "has_next": false}, "results": null}"#)
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
            (b"", "is empty"),
        ] {
            assert_eq!(lenient::<User>(body).unwrap_err(), said);
        }
    }

    #[test]
    fn an_empty_body_is_a_result_where_none_is_declared() {
        lenient::<()>(b"").unwrap();
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}:,\"a$0-9enul ]{0,30}".prop_map(String::into_bytes)]) {
            let _ = lenient::<User>(&body);
        }
    }
}
