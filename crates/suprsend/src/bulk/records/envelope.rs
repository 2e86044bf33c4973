//! What the envelope of a record has beside what a caller sets.

use std::time::{Duration, SystemTime};

use crate::{client::Client, keys};

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// An id that nothing else has.
pub(super) fn id() -> String {
    keys::new()
}

/// Gives a record its idempotency key, unless it has one, or the client makes none.
pub(super) fn give(key: &mut Option<String>, client: &Client) {
    if client.shared.settings.idempotency_keys {
        key.get_or_insert_with(keys::new);
    }
}
