//! Idempotency keys, by which SuprSend recognises a repeated request.
//!
//! The OpenAPI document's table declares which operations have a key, and where. The generated operations give access to it.

use suprsend_api::Operation;
use uuid::Uuid;

/// Generates a key: a UUID of version 7, which sorts by time.
pub(crate) fn new() -> String {
    Uuid::now_v7().to_string()
}

/// Assigns a key to each record of an operation that has none. A caller's own key is kept.
pub(crate) fn give<O: Operation>(operation: &mut O) {
    operation.idempotency_keys(&mut |key| {
        key.get_or_insert_with(new);
    });
}

/// Returns the key of an operation on a single record.
pub(crate) fn find<O: Operation>(operation: &mut O) -> Option<Box<str>> {
    let (mut records, mut found) = (0_usize, None);
    operation.idempotency_keys(&mut |key| {
        records += 1;
        if records == 1 {
            found = key.as_deref().map(Box::from);
        }
    });
    found.filter(|_| records == 1)
}

#[cfg(test)]
mod tests {
    use suprsend_api::{operations, types};

    use super::*;

    fn event(key: Option<&str>) -> types::Event {
        let mut event: types::Event =
            serde_json::from_value(serde_json::json!({"distinct_id": "jane", "event": "seen"})).unwrap();
        event.idempotency_key = key.map(str::to_owned);
        event
    }

    #[test]
    fn a_key_is_a_uuid_of_version_7_and_new_each_time() {
        let keys: Vec<String> = (0..1000).map(|_| new()).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|two| two[0] != two[1]));
        assert_eq!(Uuid::parse_str(&keys[0]).unwrap().get_version_num(), 7);
    }

    #[test]
    fn each_record_of_a_list_has_one_of_its_own() {
        let events = vec![event(None), event(Some("own")), event(Some("")), event(None)];
        let mut many = operations::TrackEvents::new(events);
        give(&mut many);
        let mut keys = Vec::new();
        many.idempotency_keys(&mut |key| keys.push(key.clone().unwrap()));
        assert_eq!((keys[1].as_str(), keys[2].as_str()), ("own", ""));
        assert!(keys[0] != keys[3] && many.is_idempotent());
        assert_eq!(find(&mut many), None);
    }

    #[test]
    fn what_has_no_place_for_a_key_gets_none() {
        let mut get = operations::FetchUserProfile::new("jane");
        give(&mut get);
        assert_eq!(find(&mut get), None);
    }
}
