//! Pages of what is stored by key. A cursor is the key that a page ended with, so that what comes and goes meanwhile moves nothing.

use std::{collections::BTreeMap, ops::Bound};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The results of a page, unless asked for.
const LIMIT: usize = 20;
/// The most results of a page. Who asks for more gets these, and who asks for none gets one.
const GREATEST: usize = 1000;

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) limit: usize,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Default for Window {
    fn default() -> Self {
        Self { limit: LIMIT, before: None, after: None }
    }
}

/// The `limit` of a request, which the document has seen to be a whole number.
pub(crate) fn limit(text: &str) -> usize {
    text.parse().unwrap_or(if text.starts_with('-') { 1 } else { GREATEST }).clamp(1, GREATEST)
}

/// The page of `stored` that is asked for, in the form of the document's lists.
pub(super) fn page<T>(
    stored: &BTreeMap<String, T>,
    window: &Window,
    to_json: impl Fn(&str, &T) -> Value,
) -> Result<Value, String> {
    let key =
        |name: &str, cursor: &Option<String>| cursor.as_deref().map(|text| read(name, text)).transpose();
    let found: Vec<_> = match (key("before", &window.before)?, key("after", &window.after)?) {
        (Some(_), Some(_)) => {
            return Err("before: stands beside after; a page is before or after another".into());
        }
        (Some(before), None) => {
            let mut found: Vec<_> = stored.range(..before).rev().take(window.limit).collect();
            found.reverse();
            found
        }
        (None, Some(after)) => {
            let rest = stored.range((Bound::Excluded(after), Bound::Unbounded));
            rest.take(window.limit).collect()
        }
        (None, None) => stored.iter().take(window.limit).collect(),
    };
    let (first, last) = (found.first().map(|(key, _)| *key), found.last().map(|(key, _)| *key));
    let before = first.filter(|first| stored.range::<String, _>(..*first).next().is_some());
    let after = last.filter(|last| {
        stored.range::<String, _>((Bound::Excluded(*last), Bound::Unbounded)).next().is_some()
    });
    let results: Vec<_> = found.iter().map(|(key, value)| to_json(key, value)).collect();
    Ok(json!({
        "meta": {
            "count": stored.len(),
            "limit": window.limit,
            "has_prev": before.is_some(),
            "before": before.map(|key| URL_SAFE_NO_PAD.encode(key)),
            "has_next": after.is_some(),
            "after": after.map(|key| URL_SAFE_NO_PAD.encode(key)),
        },
        "results": results,
    }))
}

fn read(name: &str, cursor: &str) -> Result<String, String> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| format!("{name}: is no cursor of this list"))
}
