//! Keys that records get.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Makes a UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, and random bits.
pub(super) fn new() -> String {
    #[allow(clippy::cast_sign_loss, reason = "the time is not before 1970")]
    let time = now() as u64 & 0xffff_ffff_ffff;
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        time >> 16,
        time & 0xffff,
        high & 0xfff,
        0x8000 | (high >> 12 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_are_uuids_of_version_7_and_differ() {
        let keys: BTreeSet<_> = (0..10_000).map(|_| new()).collect();
        assert_eq!(keys.len(), 10_000);
        for key in keys {
            assert_eq!((key.len(), key.as_bytes()[14]), (36, b'7'), "{key}");
            assert!(matches!(key.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{key}");
            assert!(key.split('-').all(|part| u64::from_str_radix(part, 16).is_ok()), "{key}");
        }
    }
}
