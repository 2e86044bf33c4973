//! Keeps the names of operations and types, and the marks of schemas, which upstream lacks, whatever else it declares.

use serde_json::{Map, Value, json};
use suprsend_codegen::{Pointer, rust_type};

use super::{
    kept::{Kept, Why, both},
    places::resolve,
    unused::reached,
};
use crate::spec::diff::Compared;

/// Members that concern the description, not what it describes.
const OURS: [&str; 3] = ["x-source", "x-undocumented", "x-codeSamples"];
/// Keywords of schemas that become Rust types.
pub(super) const TYPED: [&str; 6] = ["properties", "enum", "oneOf", "anyOf", "allOf", "not"];

/// Writes corrections that keep names and marks where upstream has others or none.
pub(super) fn keep(kept: &mut Kept<'_>, pairs: &[Compared]) {
    for (old, new, _) in both(pairs) {
        let id = |document: &Value, place: &Pointer| place.child("operationId").get(document).cloned();
        if let Some(wanted) =
            id(kept.before, old).filter(|wanted| id(kept.now(), new).as_ref() != Some(wanted))
        {
            let why = Why::own(
                "Name of the operation in Rust, which stays what it was before upstream published it.",
            );
            kept.update(new, Map::from_iter([("operationId".to_owned(), wanted)]), &why);
        }
    }
    let places = || both(pairs).flat_map(|(_, _, pair)| &pair.schemas);
    // Components first: renaming them changes the names of other places.
    let mut renamed = false;
    for (old, new) in places() {
        renamed |= component(kept, old, new);
    }
    if renamed {
        return;
    }
    for (old, new) in places() {
        schema(kept, old, new);
    }
}

fn is_component(place: &Pointer) -> bool {
    let tokens = place.tokens();
    tokens.len() == 3 && tokens[0] == "components" && tokens[1] == "schemas"
}

/// Returns the name that a schema gave to its type.
fn wanted(document: &Value, place: &Pointer) -> Option<String> {
    let schema = place.get(document)?.as_object()?;
    let typed = schema.keys().any(|key| TYPED.contains(&key.as_str()));
    if is_component(place) {
        return typed.then(|| place.last());
    }
    if let Some(title) = schema.get("title").and_then(Value::as_str) {
        return Some(title.to_owned());
    }
    typed.then(|| rust_type(document, place))
}

/// Renames one of upstream's components to the previous name of the type. Returns whether it did.
fn component(kept: &mut Kept<'_>, old: &Pointer, new: &Pointer) -> bool {
    let (old, new) = (resolve(kept.before, old), resolve(kept.now(), new));
    if !is_component(&new) || new.get(kept.now()).is_none() {
        return false;
    }
    let Some(name) = wanted(kept.before, &old) else { return false };
    if rust_type(kept.before, &old) == rust_type(kept.now(), &new) || !kept.once(&new.child("name")) {
        return false;
    }
    let schemas = Pointer::from_text("/components/schemas");
    let place = schemas.child(&name);
    if place.get(kept.now()).is_some() {
        if place.get(kept.base).is_some() || reached(kept.now()).contains(&place) {
            return false;
        }
        // The overlays' own component, which is no longer needed and is removed.
        kept.take(&place);
    }
    let Some(value) = new.get(kept.now()).cloned() else { return false };
    let why = Why::own(
        "Name of the type in Rust, which stays what it was before upstream published it under another name.",
    );
    kept.update(&schemas, Map::from_iter([(name.clone(), json!({}))]), &why);
    let query = |name: &str| format!("$.components.schemas['{name}']");
    kept.write(&query(&name), &why, json!({"copy": query(&new.last())}));
    if let Some(slot) = place.get_mut(kept.now_mut()) {
        *slot = value;
    }
    let (from, to) = (format!("#{}", new.as_str()), format!("#{}", place.as_str()));
    let target = format!("$..[?@['$ref'] == '{from}']");
    kept.write(&target, &why, json!({"update": {"$ref": to.as_str()}}));
    refer(kept.now_mut(), &from, &to);
    kept.remove(&new, &why);
    true
}

fn refer(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(members) => {
            if members.get("$ref").is_some_and(|target| target == from) {
                members["$ref"] = to.into();
            }
            members.values_mut().for_each(|member| refer(member, from, to));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, from, to)),
        _ => {}
    }
}

/// Gives a schema its previous title and marks.
fn schema(kept: &mut Kept<'_>, site: &Pointer, new: &Pointer) {
    let (old, to) = (resolve(kept.before, site), resolve(kept.now(), new));
    let before = kept.before;
    let mut update = Map::new();
    for place in [&old, site] {
        let marks = place.get(before).and_then(Value::as_object).into_iter().flatten();
        for (key, value) in marks.filter(|(key, _)| key.starts_with("x-") && !OURS.contains(&key.as_str())) {
            update.insert(key.clone(), value.clone());
        }
    }
    match to.get(kept.now()) {
        Some(Value::Object(members)) => {
            let beside = new.get(kept.now()).and_then(Value::as_object);
            update.retain(|key, _| {
                !members.contains_key(key) && beside.is_none_or(|beside| !beside.contains_key(key))
            });
        }
        // Any value at all, which can only be marked as an empty schema.
        Some(Value::Bool(true)) if !update.is_empty() => {
            let why = Why::own("A mark that upstream's description does not have.");
            kept.put(&to, &Value::Object(update), &why);
            return;
        }
        _ => return,
    }
    let marked = !update.is_empty();
    let named = wanted(before, &old).filter(|_| !is_component(&to)).filter(|name| {
        let titled = old.child("title").get(before).is_some() && to.child("title").get(kept.now()).is_none();
        rust_type(before, &old) != rust_type(kept.now(), &to)
            || (titled
                && !is_component(&old)
                && to.child("title").get(kept.now()).and_then(Value::as_str) != Some(name))
    });
    if let Some(name) = named.filter(|_| kept.once(&to.child("title"))) {
        update.insert("title".to_owned(), name.into());
    }
    if update.is_empty() {
        return;
    }
    let text = match (update.contains_key("title"), marked) {
        (true, true) => "Name of the type in Rust and marks, which upstream's description does not have.",
        (true, false) => "Name of the type in Rust, which upstream's description does not have.",
        _ => "A mark that upstream's description does not have.",
    };
    // The mark of one place must not affect others that refer to the same component.
    let at = if is_component(&to) && !is_component(&old) && !update.contains_key("title") {
        new.clone()
    } else {
        to
    };
    kept.update(&at, update, &Why::own(text));
}
