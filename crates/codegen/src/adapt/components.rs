//! Makes a named component of every schema that becomes a Rust type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{schema::is_null, states};
use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names::{self, Names, type_name},
    report::Kind,
};

/// Turns inline schemas into components and references to them. Returns the names of the components that existed before.
/// `lowered` is the document before its schemas were adapted.
pub(super) fn hoist(document: &mut Value, lowered: &Value, report: &mut Report) -> BTreeSet<String> {
    let whole = document.clone();
    let mut names = Names::default();
    let stated: BTreeSet<String> = names::components(document).keys().map(|name| type_name(name)).collect();
    for name in &stated {
        names.take(name);
    }
    let components = Pointer::from_text("/components/schemas");
    let mut hoisted: Vec<(String, Value)> = Vec::new();
    let mut marks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let own = pointer.parent().is_some_and(|parent| parent == components);
        if node != Node::Schema || own || is_part(&whole, pointer) || !becomes_type(value) {
            return;
        }
        let wanted = names::describe(&whole, pointer);
        let titled = value.get("title").is_some();
        let null = take_null(value);
        let marked = states::marked(pointer, value, lowered, report);
        let is_twin =
            |name: &String, schema: &Value| *name == wanted && schema == value && marks[name] == marked;
        let twin = hoisted.iter().find(|(name, schema)| titled && is_twin(name, schema));
        let name = if let Some((name, _)) = twin {
            let note = format!("the same as another `{name}`, so the two are one type");
            report.add(Kind::Combined, pointer, note);
            name.clone()
        } else {
            let name = names.take(&wanted);
            report.moved(pointer, &name);
            marks.insert(name.clone(), marked);
            hoisted.push((name.clone(), value.clone()));
            name
        };
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        *value = if null { json!({"oneOf": [reference, {"enum": [null]}]}) } else { reference };
    });
    names::components(document).extend(hoisted);
    stated
}

/// Returns whether a schema is one of several parts that are merged into one type.
fn is_part(document: &Value, pointer: &Pointer) -> bool {
    let list = pointer.parent().filter(|list| list.last() == "allOf");
    let parts = list.as_ref().and_then(|list| list.get(document)).and_then(Value::as_array);
    let whole = list.and_then(|list| list.parent()).and_then(|whole| whole.get(document));
    parts.is_some_and(|parts| parts.len() > 1) || (parts.is_some() && whole.is_some_and(becomes_type))
}

/// Returns whether progenitor would generate a type for this schema, and invent a name for it.
fn becomes_type(value: &Value) -> bool {
    let Value::Object(schema) = value else {
        return false;
    };
    if is_null(value) {
        return false;
    }
    for keyword in ["oneOf", "anyOf"] {
        // An option needs no name: its type is `Option`.
        if let Some(Value::Array(variants)) = schema.get(keyword)
            && variants.len() == 2
            && variants.iter().any(is_null)
        {
            return false;
        }
    }
    let named = ["anyOf", "enum", "maxLength", "minLength", "not", "oneOf", "pattern", "properties"];
    if schema.keys().any(|keyword| named.contains(&keyword.as_str())) {
        return true;
    }
    match schema.get("allOf") {
        // A reference with a description next to it.
        Some(Value::Array(parts)) if parts.len() == 1 => {
            let annotations = ["allOf", "deprecated", "description", "readOnly", "title", "writeOnly"];
            !schema.keys().all(|keyword| annotations.contains(&keyword.as_str()))
        }
        Some(_) => true,
        None => false,
    }
}

/// Removes null from a schema that gets a name: a nullable type is an `Option` of the named type.
pub(super) fn take_null(value: &mut Value) -> bool {
    let Value::Object(schema) = value else {
        return false;
    };
    let mut null = schema.shift_remove("nullable") == Some(Value::Bool(true));
    let typed = schema.contains_key("type");
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(alternatives)) = schema.get_mut(keyword)
            && alternatives.len() > 1
            && alternatives.iter().any(is_null)
        {
            alternatives.retain(|one| !is_null(one));
            null |= !typed;
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && values.len() > 1
        && values.contains(&Value::Null)
    {
        values.retain(|value| !value.is_null());
        null |= !typed;
    }
    null
}

/// Removes null from components: one that may be null is an `Option` wherever it is used.
pub(super) fn settle_nulls(document: &mut Value) {
    let mut nullable: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = nullable.len();
        for (name, schema) in names::components(document) {
            let refers =
                |one: &Value| one.get("$ref").and_then(Value::as_str).is_some_and(|to| nullable.contains(to));
            let parts = |keyword: &str| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
            let by_reference = refers(schema)
                || parts("oneOf").chain(parts("anyOf")).any(refers)
                || (parts("allOf").next().is_some()
                    && schema.get("type").is_none()
                    && parts("allOf").all(refers));
            if take_null(schema) || by_reference {
                nullable.insert(format!("#/components/schemas/{name}"));
            }
        }
        if nullable.len() == before {
            break;
        }
    }
    if nullable.is_empty() {
        return;
    }
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let tokens = pointer.tokens();
        let combined = tokens
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|list| matches!(list.as_str(), "allOf" | "anyOf" | "oneOf"));
        let part =
            combined && tokens.len() > 2 && tokens.last().is_some_and(|last| last.parse::<usize>().is_ok());
        let component = tokens.len() == 3 && tokens[0] == "components";
        if node != Node::Schema || component || part {
            return;
        }
        let refers =
            |one: &Value| one.get("$ref").and_then(Value::as_str).is_some_and(|to| nullable.contains(to));
        if refers(value) {
            *value = json!({"oneOf": [value.take(), {"enum": [null]}]});
        } else if let Value::Object(schema) = value
            && let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && refers(only)
        {
            // A reference with a description next to it.
            let only = only.clone();
            schema.shift_remove("allOf");
            schema.insert("oneOf".to_owned(), json!([only, {"enum": [null]}]));
        }
    });
}

/// Renames every component to the name of its Rust type. No two get the same name.
pub(super) fn rename(document: &mut Value, report: &mut Report) {
    let schemas = names::components(document);
    let mut names = Names::default();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    // A component that already has this name keeps it.
    for name in schemas.keys().filter(|name| type_name(name) == **name) {
        renamed.insert(name.clone(), names.take(name));
    }
    for name in schemas.keys() {
        if !renamed.contains_key(name) {
            renamed.insert(name.clone(), names.take(&type_name(name)));
        }
    }
    let place = Pointer::from_text("/components/schemas");
    for (from, to) in renamed.iter().filter(|(from, to)| from != to) {
        report.add(Kind::Renamed, &place.child(from), format!("its Rust type is `{to}`"));
        report.moved(&place.child(from), to);
    }
    *schemas = std::mem::take(schemas)
        .into_iter()
        .map(|(name, mut schema)| {
            // The name is explicit now; a title would only be taken for another name.
            if let Value::Object(schema) = &mut schema {
                schema.shift_remove("title");
            }
            (renamed[&name].clone(), schema)
        })
        .collect::<Map<_, _>>();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if node != Node::Schema {
            return;
        }
        if let Some(Value::String(target)) = value.get_mut("$ref") {
            let name = Pointer::from_reference(target).map(|place| place.last());
            if let Some(name) = name.and_then(|name| renamed.get(&name)) {
                *target = format!("#/components/schemas/{name}");
            }
        }
    });
}
