//! Relations between places of a document.

use serde_json::Value;
use suprsend_codegen::{Pointer, is_method, path_template};

/// The maximum length of a chain of references.
const CHAIN: usize = 64;

/// Returns the operation, the component or the member of a path item that contains a place.
pub(super) fn owner(place: &Pointer) -> Option<Pointer> {
    let tokens = place.tokens();
    let long =
        matches!(tokens.first().map(String::as_str), Some("paths" | "components")) && tokens.len() >= 3;
    long.then(|| tokens[..3].iter().fold(Pointer::root(), |place, token| place.child(token)))
}

/// Returns whether the value at a place is a collection rather than a single thing: the document, its paths, a path, components of one
/// kind.
pub(super) fn is_collection(place: &Pointer) -> bool {
    let tokens = place.tokens();
    match tokens.first().map(String::as_str) {
        None => true,
        Some("paths" | "components") => tokens.len() < 3,
        Some(_) => false,
    }
}

/// Returns whether the place is that of an operation.
pub(super) fn is_operation(place: &Pointer) -> bool {
    let tokens = place.tokens();
    tokens.len() == 3 && tokens[0] == "paths" && is_method(&tokens[2])
}

/// Returns the member of a collection, or the path that differs from it only in the names of its parameters.
pub(super) fn member<'a>(value: &'a Value, place: &Pointer, key: &str) -> Option<(&'a str, &'a Value)> {
    let members = value.as_object()?;
    if let Some((key, value)) = members.get_key_value(key) {
        return Some((key, value));
    }
    let paths = place.as_str() == "/paths";
    let twin = members.iter().find(|(other, _)| paths && path_template(other) == path_template(key))?;
    Some((twin.0, twin.1))
}

/// Follows references to the object itself.
pub(super) fn resolve(document: &Value, place: &Pointer) -> Pointer {
    let mut place = place.clone();
    for _ in 0..CHAIN {
        let target = place.get(document).and_then(|value| value.get("$ref")?.as_str());
        match target.and_then(Pointer::from_reference).filter(|target| target.get(document).is_some()) {
            Some(target) => place = target,
            None => break,
        }
    }
    place
}

/// Returns the place that steps lead to, following references on the way.
pub(super) fn follow(document: &Value, place: &Pointer) -> Option<Pointer> {
    let mut here = Pointer::root();
    for token in place.tokens() {
        let next = here.child(&token);
        here = if next.get(document).is_some() { next } else { resolve(document, &here).child(&token) };
        here.get(document)?;
    }
    Some(here)
}

/// Returns a `$ref` to a place.
pub(super) fn reference(place: &Pointer) -> String {
    format!("#{}", place.as_str().replace('%', "%25").replace('{', "%7B").replace('}', "%7D"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_on_the_way_are_followed() {
        let document = json!({"a": {"$ref": "#/b%7Bc%7D"}, "b{c}": {"d": {"$ref": "#/e"}}, "e": {"f": [1]}});
        let found = follow(&document, &Pointer::from_text("/a/d/f/0")).unwrap();
        assert_eq!(found.as_str(), "/e/f/0");
        assert_eq!(follow(&document, &Pointer::from_text("/a/x")), None);
        assert_eq!(reference(&Pointer::from_text("/b{c}/d")), "#/b%7Bc%7D/d");
        assert_eq!(resolve(&document, &Pointer::from_text("/a")).as_str(), "/b{c}");
    }

    #[test]
    fn a_path_is_the_same_whatever_its_parameters_are_called() {
        let document = json!({"/a/{x}/": 1});
        assert_eq!(member(&document, &Pointer::from_text("/paths"), "/a/{y}/"), Some(("/a/{x}/", &json!(1))));
        assert_eq!(member(&document, &Pointer::from_text("/components"), "/a/{y}/"), None);
    }
}
