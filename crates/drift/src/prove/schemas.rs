//! Operators on schemas.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    mutant::{Edit, Mutant},
    places::{Role, Site, says_nothing},
};
use crate::pointer::Pointer;

/// A name that no document contains.
const NEW: &str = "drift_new";

/// Makes every change of the schemas at these places.
pub(super) fn mutants(sites: &[Site<'_>]) -> Vec<Mutant> {
    let components: Vec<String> = sites
        .iter()
        .filter(|site| site.role == Role::Schema && site.pointer.as_str().starts_with("/components/schemas/"))
        .filter(|site| site.pointer.as_str().matches('/').count() == 3)
        .map(|site| format!("#{}", site.pointer))
        .collect();
    let mut mutants = Vec::new();
    let with_null: BTreeSet<Pointer> = sites
        .iter()
        .filter(|site| site.text("type") == Some("null"))
        .filter_map(|site| site.pointer.parent())
        .collect();
    let requested = requested(sites);
    // Nothing can be declared about null.
    let schemas = sites.iter().filter(|site| site.role == Role::Schema && site.text("type") != Some("null"));
    for (turn, site) in schemas.enumerate() {
        let component = format!("#{}", site.pointer);
        let mut users = sites
            .iter()
            .filter(|known| known.stated.get("$ref").and_then(Value::as_str) == Some(&component))
            .peekable();
        let in_list = |site: &Site<'_>| site.pointer.parent().is_some_and(|list| with_null.contains(&list));
        // Null is already allowed there, or wherever it is referred to.
        let beside_null = in_list(site) || (users.peek().is_some() && users.all(in_list));
        types(site, beside_null, &mut mutants);
        formats(site, &mut mutants);
        values(site, &mut mutants);
        bounds(site, turn, &mut mutants);
        properties(site, &mut mutants);
        unknown_keys(site, &mut mutants);
        items(site, &mut mutants);
        alternatives(site, beside_null, &mut mutants);
        if site.stated.get("x-sensitive") == Some(&Value::Bool(true))
            && requested.iter().any(|place| place.contains(&site.pointer))
        {
            mutants.push(site.put("mark of what is sensitive removed", "x-sensitive", false));
        }
        references(site, &components, &mut mutants);
    }
    mutants
}

/// Returns the bodies of requests and everything that they lead to.
fn requested(sites: &[Site<'_>]) -> BTreeSet<Pointer> {
    let bodies =
        sites.iter().filter(|site| site.role == Role::Body).map(|site| (site.pointer.clone(), site.stated));
    let mut open: Vec<(Pointer, &Value)> = bodies.collect();
    let mut found: BTreeSet<Pointer> = BTreeSet::new();
    let root = sites.iter().find(|site| site.role == Role::Document).map(|site| site.stated);
    while let Some((place, value)) = open.pop() {
        if found.insert(place) {
            open.extend(
                targets(value).into_iter().filter_map(|target| Some((target.clone(), target.get(root?)?))),
            );
        }
    }
    found
}

/// Returns the targets of references.
fn targets(value: &Value) -> Vec<Pointer> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            own.into_iter().chain(members.values().flat_map(targets)).collect()
        }
        Value::Array(values) => values.iter().flat_map(targets).collect(),
        _ => Vec::new(),
    }
}

/// Returns the types that a schema declares.
fn stated<'s>(site: &'s Site<'_>) -> Vec<&'s str> {
    match site.member("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has(site: &Site<'_>, keyword: &str) -> bool {
    site.member(keyword).is_some()
}

/// Returns the types that a type is most easily confused with.
fn instead_of(word: &str) -> Vec<&'static str> {
    match word {
        "string" => vec!["integer", "object"],
        "integer" => vec!["number", "string"],
        "number" => vec!["integer", "string"],
        "boolean" => vec!["string", "integer"],
        "array" => vec!["object", "string"],
        "object" => vec!["array", "string"],
        _ => Vec::new(),
    }
}

/// Returns a single type, or a list of several.
fn listed(words: &[&str]) -> Value {
    match words {
        [word] => json!(word),
        words => json!(words),
    }
}

fn types(site: &Site<'_>, beside_null: bool, mutants: &mut Vec<Mutant>) {
    // If several schemas apply together, any of them may declare the type.
    if site.pointer.parent().is_some_and(|list| list.last() == "allOf") {
        return;
    }
    let words = stated(site);
    // A list of values determines the type by itself.
    let closed = has(site, "enum") || has(site, "const");
    for word in &words {
        let others: Vec<&str> = words.iter().copied().filter(|other| other != word).collect();
        for other in instead_of(word).into_iter().filter(|other| !words.contains(other)) {
            // An integer is already a number.
            if !(*word == "integer" && others.contains(&"number")) {
                let changed: Vec<&str> =
                    words.iter().map(|known| if known == word { other } else { known }).collect();
                mutants.push(site.put("type changed", "type", listed(&changed)));
            }
        }
        if !others.is_empty() {
            let operator = if *word == "null" { "null refused" } else { "type of several removed" };
            mutants.push(site.put(operator, "type", listed(&others)));
        }
    }
    if words.is_empty() {
        let structured =
            ["oneOf", "anyOf", "allOf", "enum", "const"].iter().any(|keyword| has(site, keyword));
        if !structured {
            for word in ["string", "object"] {
                mutants.push(site.put("type stated", "type", word));
            }
        }
        return;
    }
    if !closed {
        mutants.push(site.without("type removed", "type"));
        let more = ["boolean", "string"].into_iter().find(|other| !words.contains(other)).unwrap_or("array");
        mutants.push(site.put("type added", "type", [words.as_slice(), &[more]].concat()));
    }
    if !words.contains(&"null") && !beside_null {
        let mut edits =
            vec![Edit::Put(site.pointer.child("type"), json!([words.as_slice(), &["null"]].concat()))];
        if has(site, "enum") {
            edits.push(Edit::Put(site.pointer.child("enum").child("-"), Value::Null));
        }
        mutants.push(site.mutant("null allowed", "", edits));
    }
}

fn formats(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let words = stated(site);
    let known = site.text("format");
    let textual = ["date-time", "uuid", "email", "drift"];
    let mut adapting: Vec<&str> = Vec::new();
    if words.is_empty() || words.contains(&"string") {
        adapting.extend(textual);
    }
    if words.contains(&"integer") {
        adapting.extend(["int32", "int64", "uint8"]);
    }
    if words.contains(&"number") {
        adapting.extend(["float", "double"]);
    }
    let structured = words.is_empty()
        && ["oneOf", "anyOf", "allOf", "properties", "items", "additionalProperties"]
            .iter()
            .any(|keyword| has(site, keyword));
    for format in adapting.into_iter().filter(|format| known != Some(format) && !structured) {
        let operator = if known.is_some() { "format changed" } else { "format added" };
        mutants.push(site.put(operator, "format", format));
    }
    if known.is_some() {
        mutants.push(site.without("format removed", "format"));
    }
}

fn values(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let words = stated(site);
    let place = site.pointer.child("enum");
    if let Some(listed) = site.member("enum").and_then(Value::as_array) {
        let new = if listed.iter().any(Value::is_string) { json!(NEW) } else { json!(987_654) };
        mutants.push(site.mutant(
            "value added",
            new.to_string(),
            vec![Edit::Put(place.child("-"), new.clone())],
        ));
        for (index, value) in listed.iter().enumerate() {
            let at = place.element(index);
            mutants.push(site.mutant("value removed", value.to_string(), vec![Edit::Remove(at.clone())]));
            mutants.push(site.mutant("value altered", value.to_string(), vec![Edit::Put(at, new.clone())]));
        }
        mutants.push(site.without("values no longer listed", "enum"));
    } else if words.contains(&"string") {
        mutants.push(site.put("values listed", "enum", json!(["one", "two"])));
    } else if words.contains(&"integer") {
        mutants.push(site.put("values listed", "enum", json!([1, 2])));
    } else if words.is_empty() && !has(site, "oneOf") && !has(site, "anyOf") {
        mutants.push(site.put("values listed", "enum", json!(["one", "two"])));
    }
    if has(site, "const") {
        mutants.push(site.put("constant altered", "const", NEW));
        mutants.push(site.without("constant removed", "const"));
    } else if words.contains(&"string") && !has(site, "enum") {
        mutants.push(site.put("constant added", "const", NEW));
    }
}

/// Returns keywords that limit the instances of a type, each with a value.
fn bounds_of(word: &str) -> Vec<(&'static str, Value)> {
    match word {
        "string" => vec![("minLength", json!(7)), ("maxLength", json!(77)), ("pattern", json!("^drift$"))],
        "integer" | "number" => vec![
            ("minimum", json!(-7)),
            ("maximum", json!(77)),
            ("exclusiveMinimum", json!(-8)),
            ("exclusiveMaximum", json!(78)),
            ("multipleOf", json!(7)),
        ],
        "array" => vec![
            ("minItems", json!(7)),
            ("maxItems", json!(77)),
            ("uniqueItems", json!(true)),
            ("contains", json!({"type": "string"})),
        ],
        "object" => vec![
            ("minProperties", json!(7)),
            ("maxProperties", json!(77)),
            ("propertyNames", json!({"maxLength": 7})),
            ("patternProperties", json!({"^drift": {"type": "string"}})),
            ("dependentRequired", json!({"drift": ["new"]})),
            ("unevaluatedProperties", json!(false)),
        ],
        _ => Vec::new(),
    }
}

/// Changes all existing bounds, and adds some of the possible ones, in turn.
fn bounds(site: &Site<'_>, turn: usize, mutants: &mut Vec<Mutant>) {
    for word in stated(site) {
        let all = bounds_of(word);
        let next = (0..2).map(|step| (2 * turn + step) % all.len().max(1)).collect::<Vec<_>>();
        for (index, (keyword, value)) in all.into_iter().enumerate() {
            if has(site, keyword) {
                mutants.push(site.without("bound removed", keyword));
                if site.member(keyword) != Some(&value) {
                    mutants.push(site.put("bound altered", keyword, value));
                }
            } else if next.contains(&index) {
                mutants.push(site.put("bound added", keyword, value));
            }
        }
    }
    let default = match stated(site).first() {
        Some(&"integer" | &"number") => json!(7),
        Some(&"boolean") => json!(true),
        Some(&"array") => json!([]),
        Some(&"object") => json!({}),
        _ => json!("drift"),
    };
    if has(site, "default") {
        mutants.push(site.without("default removed", "default"));
    }
    if site.member("default") != Some(&default) {
        let operator = if has(site, "default") { "default altered" } else { "default added" };
        mutants.push(site.put(operator, "default", default));
    }
    if turn.is_multiple_of(4) {
        mutants.push(site.put("bound added", "not", json!({"enum": ["drift"]})));
    }
    for (index, flag) in ["readOnly", "writeOnly", "deprecated"].into_iter().enumerate() {
        let set = site.member(flag) == Some(&Value::Bool(true));
        if set || index == turn % 3 {
            mutants.push(site.put("flag changed", flag, !set));
        }
    }
}

fn properties(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let place = site.pointer.child("properties");
    let required: Vec<&str> = site
        .member("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for name in site.names("properties") {
        let at = place.child(name);
        let index = required.iter().position(|known| *known == name);
        let listed = index.map(|index| site.pointer.child("required").element(index));
        let mut renamed = vec![Edit::Rename(at.clone(), NEW.to_owned())];
        let mut removed = vec![Edit::Remove(at)];
        if let Some(listed) = &listed {
            renamed.push(Edit::Put(listed.clone(), NEW.into()));
            removed.push(Edit::Remove(listed.clone()));
        }
        mutants.push(site.mutant("property renamed", name, renamed));
        mutants.push(site.mutant("property removed", name, removed));
        if let Some(listed) = listed {
            mutants.push(site.mutant("property made optional", name, vec![Edit::Remove(listed)]));
        } else {
            mutants.push(site.mutant("property made required", name, vec![require(site, name)]));
        }
    }
    let object = stated(site).contains(&"object") || has(site, "properties");
    if object {
        let mut added = Vec::new();
        if !has(site, "properties") {
            added.push(Edit::Put(place.clone(), json!({})));
        }
        added.push(Edit::Put(place.child(NEW), json!({"type": "string"})));
        mutants.push(site.mutant("property added", "optional", added.clone()));
        added.push(require(site, NEW));
        mutants.push(site.mutant("property added", "required", added));
        mutants.push(site.mutant("unnamed property required", "", vec![require(site, NEW)]));
        if !has(site, "allOf") {
            let all = json!([{"properties": {NEW: {"type": "string"}}}]);
            mutants.push(site.put("property added by allOf", "allOf", all));
        }
    }
}

/// Adds a property to the required ones.
fn require(site: &Site<'_>, name: &str) -> Edit {
    let place = site.pointer.child("required");
    if has(site, "required") {
        Edit::Put(place.child("-"), name.into())
    } else {
        Edit::Put(place, json!([name]))
    }
}

fn unknown_keys(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let keyword = "additionalProperties";
    if !stated(site).contains(&"object") && !has(site, keyword) && !has(site, "properties") {
        return;
    }
    let known = site.member(keyword);
    // The mark of sensitive values matters only in requests, and has an operator of its own.
    let open = known.is_some_and(|known| {
        let mut plain = known.clone();
        plain.as_object_mut().map(|members| members.shift_remove("x-sensitive"));
        says_nothing(&plain)
    });
    if known.is_some() {
        mutants.push(site.without("unknown keys left open", keyword));
    }
    if known != Some(&Value::Bool(false)) {
        mutants.push(site.put("unknown keys refused", keyword, false));
    }
    if !open {
        mutants.push(site.put("unknown keys allowed", keyword, true));
    }
    for word in ["string", "integer", "object"] {
        if known.and_then(|known| known.get("type")).and_then(Value::as_str) != Some(word) {
            mutants.push(site.put("unknown keys of a type", keyword, json!({"type": word})));
        }
    }
}

fn items(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let known = site.member("items");
    if known.is_some_and(|items| !says_nothing(items)) {
        mutants.push(site.without("items removed", "items"));
    }
    if known.is_none() && stated(site).contains(&"array") {
        for word in ["string", "integer", "object"] {
            mutants.push(site.put("items stated", "items", json!({"type": word})));
        }
    }
    if stated(site).contains(&"array") && !has(site, "prefixItems") {
        mutants.push(site.put("items by position", "prefixItems", json!([{"type": "string"}])));
    }
}

fn alternatives(site: &Site<'_>, beside_null: bool, mutants: &mut Vec<Mutant>) {
    for (keyword, other) in [("oneOf", "anyOf"), ("anyOf", "oneOf")] {
        let Some(variants) = site.member(keyword).and_then(Value::as_array) else { continue };
        let place = site.pointer.child(keyword);
        for index in 0..variants.len() {
            let edits = vec![Edit::Remove(place.element(index))];
            mutants.push(site.mutant("variant removed", format!("{keyword} {index}"), edits));
        }
        let new = json!({"type": "object", "required": [NEW], "properties": {NEW: {"type": "string"}}});
        mutants.push(site.mutant("variant added", keyword, vec![Edit::Put(place.child("-"), new)]));
        let null = json!({"type": "null"});
        let known = variants.iter().filter(|variant| **variant != null).count();
        if known == variants.len() {
            mutants.push(site.mutant("null allowed", keyword, vec![Edit::Put(place.child("-"), null)]));
        }
        if known > 1 {
            mutants.push(site.renamed("one of them or any", keyword, other));
        }
    }
    // As an alternative to something else, or to null.
    let plain = ["oneOf", "anyOf", "allOf"].iter().all(|keyword| !has(site, keyword));
    if plain && !stated(site).is_empty() {
        let more = if stated(site).contains(&"boolean") { "string" } else { "boolean" };
        for (operator, word) in [("made one of two", more), ("null allowed", "null")] {
            if stated(site).contains(&word) || (word == "null" && beside_null) {
                continue;
            }
            let either = json!({"oneOf": [site.stated, {"type": word}]});
            let edits = vec![Edit::Put(site.pointer.clone(), either)];
            mutants.push(Mutant {
                operator,
                pointer: site.pointer.clone(),
                note: format!("oneOf with {word}"),
                edits,
            });
        }
    }
}

fn references(site: &Site<'_>, components: &[String], mutants: &mut Vec<Mutant>) {
    let reference = site.stated.get("$ref").and_then(Value::as_str);
    if !site.is_reference() && !has(site, "properties") {
        return;
    }
    // Not to the enclosing one, which would be infinite.
    let other = components.iter().find(|component| {
        reference != Some(component.as_str()) && !format!("#{}", site.pointer).starts_with(component.as_str())
    });
    if let Some(other) = other {
        let edits = vec![Edit::Put(site.pointer.clone(), json!({"$ref": other}))];
        let (pointer, note) = (site.pointer.clone(), other.clone());
        mutants.push(Mutant { operator: "reference to another schema", pointer, note, edits });
    }
}
