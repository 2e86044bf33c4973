//! Pages of lists, by cursor and by offset. A cursor is the key at the end of a page, so that items that are added or removed meanwhile do
//! not shift the others.

use std::cmp::Ordering;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The maximum number of results on a page. A larger limit is reduced to it, and a limit of zero counts as one.
const GREATEST: usize = 1000;

/// The requested page.
#[derive(Debug, Default)]
pub(crate) struct Window {
    limit: usize,
    before: Option<String>,
    after: Option<String>,
    offset: usize,
}

/// The order of a list by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

impl Window {
    /// Parses a query. `limit` is the default number of results.
    pub(crate) fn new(query: &str, limit: usize) -> Self {
        let mut window = Self { limit, ..Self::default() };
        // The document guarantees whole numbers. A number that is too large counts as the greatest number.
        let number = |text: &str| text.parse().unwrap_or(if text.starts_with('-') { 0 } else { usize::MAX });
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "limit" => window.limit = number(&value).clamp(1, GREATEST),
                "offset" => window.offset = number(&value),
                "before" => window.before = Some(value.into_owned()),
                "after" => window.after = Some(value.into_owned()),
                _ => {}
            }
        }
        window
    }
}

/// Returns a page of items sorted by key, in the form of the document's cursor lists.
pub(crate) fn by_cursor<K: AsRef<str>, T>(
    sorted: &[(K, T)],
    order: Order,
    window: &Window,
    to_json: impl Fn(&T) -> Value,
) -> Result<Value, String> {
    let read = |name: &str, cursor: &str| {
        let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        key.ok_or_else(|| format!("{name}: is no cursor of this list"))
    };
    let place = |key: &str, cursor: &str| match order {
        Order::Ascending => key.cmp(cursor),
        Order::Descending => cursor.cmp(key),
    };
    let count_until =
        |cursor: &str, last: Ordering| sorted.partition_point(|(key, _)| place(key.as_ref(), cursor) <= last);
    let (start, end) = match (&window.before, &window.after) {
        (Some(_), Some(_)) => {
            return Err("before: stands beside after; a page is before or after another".into());
        }
        (Some(before), None) => {
            let end = count_until(&read("before", before)?, Ordering::Less);
            (end.saturating_sub(window.limit), end)
        }
        (None, Some(after)) => {
            let start = count_until(&read("after", after)?, Ordering::Equal);
            (start, start + window.limit)
        }
        (None, None) => (0, window.limit),
    };
    let end = end.min(sorted.len());
    let page = &sorted[start..end];
    let cursor = |entry: Option<&(K, T)>| entry.map(|(key, _)| URL_SAFE_NO_PAD.encode(key.as_ref()));
    let before = cursor(page.first().filter(|_| start > 0));
    let after = cursor(page.last().filter(|_| end < sorted.len()));
    Ok(json!({
        "meta": {
            "count": sorted.len(),
            "limit": window.limit,
            "has_prev": before.is_some(),
            "before": before,
            "has_next": after.is_some(),
            "after": after,
        },
        "results": page.iter().map(|(_, value)| to_json(value)).collect::<Value>(),
    }))
}

/// Returns a page in the form of the document's offset lists.
pub(crate) fn by_offset(all: &[Value], window: &Window) -> Value {
    let page = all.iter().skip(window.offset).take(window.limit);
    json!({
        "meta": {"count": all.len(), "limit": window.limit, "offset": window.offset},
        "results": page.collect::<Vec<_>>(),
    })
}
