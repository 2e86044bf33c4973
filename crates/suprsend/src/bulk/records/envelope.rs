//! Members of a record's envelope that the caller does not set.

use std::time::{Duration, SystemTime};

use crate::{client::Client, keys};

/// Returns the current time in milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Returns a unique id.
pub(super) fn id() -> String {
    keys::new()
}

/// Assigns an idempotency key to a record, unless it has one or the client generates none.
pub(super) fn give(key: &mut Option<String>, client: &Client) {
    if client.shared.settings.idempotency_keys {
        key.get_or_insert_with(keys::new);
    }
}
