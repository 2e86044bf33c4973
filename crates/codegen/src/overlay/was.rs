//! Whether the document still says what an action states with `x-was`.

use serde_json::Value;

use crate::{Pointer, lower::whole, problem::brief};

/// The first place at which the document is not what `x-was` states, with both values in brief.
pub(super) fn differs(was: &Value, found: &Value, place: &Pointer) -> Option<(Pointer, String, String)> {
    match (was, found) {
        (Value::Object(stated), Value::Object(members)) => stated.iter().find_map(|(key, stated)| {
            let place = place.child(key);
            match members.get(key) {
                Some(found) => differs(stated, found, &place),
                None if is_absence(stated) => None,
                None => Some((place, shown(stated), "nothing".to_owned())),
            }
        }),
        _ if equal(was, found) => None,
        _ => Some(first_difference(was, found, place)),
    }
}

/// Where two values that are not the same first differ. A member that only the document has counts here too, since it is the whole
/// value that is compared.
fn first_difference(was: &Value, found: &Value, place: &Pointer) -> (Pointer, String, String) {
    match (was, found) {
        (Value::Array(stated), Value::Array(items)) => {
            let pairs = stated.iter().zip(items).enumerate();
            let mut pairs = pairs.filter(|(_, (stated, item))| !equal(stated, item));
            if let Some((index, (stated, item))) = pairs.next() {
                return first_difference(stated, item, &place.child(index));
            }
            let index = stated.len().min(items.len());
            let at = |list: &[Value]| list.get(index).map_or("nothing".to_owned(), shown);
            (place.child(index), at(stated), at(items))
        }
        (Value::Object(stated), Value::Object(members)) => {
            for key in stated.keys().chain(members.keys()) {
                let place = place.child(key);
                match (stated.get(key), members.get(key)) {
                    (Some(stated), Some(found)) if equal(stated, found) => {}
                    (Some(stated), Some(found)) => return first_difference(stated, found, &place),
                    (stated, found) => {
                        let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), shown);
                        return (place, show(stated), show(found));
                    }
                }
            }
            (place.clone(), shown(was), shown(found))
        }
        _ => (place.clone(), if was.is_null() { "nothing".to_owned() } else { shown(was) }, shown(found)),
    }
}

/// Whether two values say the same. A number is what it counts, however it is written.
fn equal(one: &Value, other: &Value) -> bool {
    one == other || sorted(one) == sorted(other)
}

/// A value as a message can show it.
fn shown(value: &Value) -> String {
    brief(&value.to_string()).into_owned()
}

/// Whether a statement says of everything it names that it is absent.
fn is_absence(stated: &Value) -> bool {
    match stated {
        Value::Null => true,
        Value::Object(members) => !members.is_empty() && members.values().all(is_absence),
        _ => false,
    }
}

/// A value with the members of every object in the order of their names, and numbers as what they count.
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
