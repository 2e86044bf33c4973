//! Changes without a meaning: the check must not report them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use suprsend_codegen::Source;

use super::{
    mutant::{Edit, Mutant},
    places::{Role, Site, says_nothing},
};
use crate::pointer::Pointer;

const NEW: &str = "DriftNew";

/// Makes every such change of the document.
pub(super) fn mutants(document: &Value, sites: &[Site<'_>]) -> Result<Vec<Mutant>> {
    let mut mutants =
        vec![whole("keys in the opposite order", reversed(document)), whole("keys sorted", sorted(document))];
    mutants.push(whole("prose removed everywhere", lean(document, sites)));
    mutants.extend(notations(document)?);
    mutants.extend(renamed_components(document));
    let mut small = Vec::new();
    for site in sites.iter().filter(|site| !site.is_reference()) {
        prose(site, &mut small);
        defaults(site, &mut small);
        orders(site, &mut mutants);
    }
    mutants.extend(gathered(small));
    let everywhere = mutants.iter().filter(|mutant| mutant.operator == "prose");
    let edits = everywhere.flat_map(|mutant| mutant.edits.clone()).collect();
    mutants.push(Mutant {
        operator: "prose everywhere",
        pointer: Pointer::root(),
        note: String::new(),
        edits,
    });
    Ok(mutants)
}

/// Combines the changes of each operation and each component into one, instead of one for each place in it.
fn gathered(mutants: Vec<Mutant>) -> Vec<Mutant> {
    let mut gathered: BTreeMap<(&'static str, String), Mutant> = BTreeMap::new();
    for mutant in mutants {
        let owner: Vec<&str> = mutant.pointer.as_str().split('/').take(4).collect();
        let pointer = Pointer::from_text(owner.join("/"));
        let fresh = Mutant { pointer, note: String::new(), edits: Vec::new(), ..mutant };
        gathered.entry((mutant.operator, owner.join("/"))).or_insert(fresh).edits.extend(mutant.edits);
    }
    gathered.into_values().collect()
}

fn whole(operator: &'static str, document: Value) -> Mutant {
    let edits = vec![Edit::Whole(document)];
    Mutant { operator, pointer: Pointer::root(), note: String::new(), edits }
}

/// Returns the document without its prose and its examples, which are most of it.
pub(super) fn lean(document: &Value, sites: &[Site<'_>]) -> Value {
    let prose = ["description", "summary", "title", "example", "examples", "externalDocs", "tags"];
    let mut lean = document.clone();
    let mut strip = |place: &Pointer| {
        if let Some(Value::Object(members)) = place.get_mut(&mut lean) {
            let read = |key: &str| ["x-resources", "x-sensitive"].contains(&key);
            members.retain(|key, _| read(key) || (!key.starts_with("x-") && !prose.contains(&key.as_str())));
        }
    };
    for site in sites {
        match site.role {
            // Its members are media types.
            Role::Content => site.members().iter().for_each(|name| strip(&site.pointer.child(name))),
            Role::Responses => {}
            _ => strip(&site.pointer),
        }
    }
    lean
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .rev()
            .map(|(key, value)| (key.clone(), reversed(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(reversed).collect(),
        _ => value.clone(),
    }
}

fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}

/// Returns the document in other notations, parsed like every document.
fn notations(document: &Value) -> Result<Vec<Mutant>> {
    let texts = [
        ("written as YAML in blocks", yaml_serde::to_string(document).context("the document as YAML")?),
        ("written as JSON", document.to_string()),
        ("written as indented JSON", format!("{document:#}")),
    ];
    let mut mutants = Vec::new();
    for (operator, text) in texts {
        mutants.push(whole(operator, Source::new("the document", text).parse()?));
    }
    Ok(mutants)
}

/// Renames each component, with the references to it.
fn renamed_components(document: &Value) -> Vec<Mutant> {
    let at = Pointer::root().child("components");
    let mut mutants = Vec::new();
    for (category, components) in document.get("components").and_then(Value::as_object).into_iter().flatten()
    {
        for name in components.as_object().into_iter().flatten().map(|(name, _)| name) {
            let pointer = at.child(category).child(name);
            let mut edits = vec![Edit::Rename(pointer.clone(), NEW.to_owned())];
            if category == "securitySchemes" {
                edits.extend(renamed_scheme(document, name));
            }
            mutants.push(Mutant { operator: "component renamed", pointer, note: String::new(), edits });
        }
    }
    mutants
}

/// Renames a scheme in requirements, which refer to it by name.
fn renamed_scheme(document: &Value, scheme: &str) -> Vec<Edit> {
    let mut lists = vec![Pointer::root().child("security")];
    let paths = Pointer::root().child("paths");
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let item = item.as_object().into_iter().flatten();
        lists.extend(item.map(|(method, _)| paths.child(path).child(method).child("security")));
    }
    let mut edits = Vec::new();
    for list in lists {
        let requirements = list.get(document).and_then(Value::as_array).into_iter().flatten();
        for (index, _) in
            requirements.enumerate().filter(|(_, requirement)| requirement.get(scheme).is_some())
        {
            edits.push(Edit::Rename(list.element(index).child(scheme), NEW.to_owned()));
        }
    }
    edits
}

/// Changes all prose of a place at once.
fn prose(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let mut members = vec![("x-drift", json!({"type": "null"}))];
    let text = || json!("Drift: `$ref` {type: null}");
    match site.role {
        Role::Document => {
            members.push(("tags", json!([{"name": "drift"}])));
            members.push(("externalDocs", json!({"url": "https://drift.example.com"})));
        }
        Role::Operation => {
            members.push(("tags", json!(["drift"])));
            members.push(("summary", text()));
            members.push(("description", text()));
            members.push(("externalDocs", json!({"url": "https://drift.example.com"})));
        }
        Role::Path => members.push(("summary", text())),
        Role::Schema => {
            members.push(("title", text()));
            members.push(("description", text()));
            members.push(("examples", json!([null])));
            members.push(("$comment", text()));
        }
        Role::Parameter => {
            members.push(("description", text()));
            members.push(("example", json!(null)));
        }
        Role::Body | Role::Response | Role::Scheme => members.push(("description", text())),
        Role::Responses => {}
        Role::Content => members.clear(),
    }
    if members.is_empty() {
        return;
    }
    let edits = members.into_iter().map(|(key, value)| Edit::Put(site.pointer.child(key), value)).collect();
    mutants.push(site.mutant("prose", "", edits));
    if site.member("description").is_some() {
        mutants.push(site.without("description removed", "description"));
    }
}

/// Reorders lists whose order is irrelevant.
fn orders(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let keywords: &[&str] = match site.role {
        Role::Schema => &["required", "enum", "type", "oneOf", "anyOf", "allOf"],
        Role::Operation | Role::Path => &["parameters", "security"],
        Role::Document => &["security"],
        _ => &[],
    };
    for keyword in keywords {
        if site.member(keyword).and_then(Value::as_array).is_some_and(|values| values.len() > 1) {
            let edits = vec![Edit::Reverse(site.pointer.child(keyword))];
            mutants.push(site.mutant("list in the opposite order", *keyword, edits));
        }
    }
}

/// States defaults explicitly.
fn defaults(site: &Site<'_>, mutants: &mut Vec<Mutant>) {
    let form = matches!(site.text("in"), Some("query" | "cookie"));
    let stated: Vec<(&str, Value)> = match site.role {
        Role::Schema => vec![
            ("deprecated", json!(false)),
            ("readOnly", json!(false)),
            ("minItems", json!(0)),
            ("minLength", json!(0)),
            ("uniqueItems", json!(false)),
        ],
        Role::Operation => vec![("deprecated", json!(false)), ("parameters", json!([]))],
        Role::Parameter => vec![
            ("deprecated", json!(false)),
            ("required", json!(false)),
            ("style", json!(if form { "form" } else { "simple" })),
            ("explode", json!(form)),
        ],
        Role::Body => vec![("required", json!(false))],
        _ => Vec::new(),
    };
    let fresh = stated.into_iter().filter(|(key, _)| site.member(key).is_none());
    let edits: Vec<Edit> = fresh.map(|(key, value)| Edit::Put(site.pointer.child(key), value)).collect();
    if !edits.is_empty() {
        mutants.push(site.mutant("default stated", "", edits));
    }
    if site.role == Role::Schema && site.member("additionalProperties").is_some_and(says_nothing) {
        mutants.push(site.put("default stated", "additionalProperties", true));
    }
    if site.role == Role::Schema && site.member("items").is_some_and(says_nothing) {
        mutants.push(site.without("default no longer stated", "items"));
    }
}
