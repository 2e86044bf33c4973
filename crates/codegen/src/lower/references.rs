//! Makes a component of every schema that something refers to.
//!
//! A `$ref` in 3.1 may point at any schema: into `paths`, at a property of a component, at a `$defs` entry. Lowering and adapting move
//! schemas, so every target of a reference gets a permanent place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names::{self, Names},
    report::Kind,
};

pub(super) fn bundle(document: &mut Value, report: &mut Report) {
    let targets = targets(document);
    let mut names = Names::from_components(document);
    let moved: BTreeMap<Pointer, String> = targets
        .iter()
        .map(|target| (target.clone(), names.take(&names::describe(document, target))))
        .collect();
    rewrite_references(document, &moved);
    // From the inside out, so that an outer schema contains references to the inner ones instead of copies.
    let mut inside_out: Vec<_> = moved.iter().collect();
    inside_out.sort_by_key(|(target, _)| std::cmp::Reverse(target.tokens().len()));
    for (target, name) in inside_out {
        let reference = json!({"$ref": reference_to(name)});
        let Some(slot) = target.get_mut(document) else {
            continue;
        };
        let schema = std::mem::replace(slot, reference);
        names::components(document).insert(name.clone(), schema);
        report.moved(target, name);
        report.add(
            Kind::Renamed,
            &Pointer::root().child("components").child("schemas").child(name),
            format!("referred to, so it is the component `{name}`"),
        );
    }
    drop_definitions(document);
}

fn reference_to(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// Returns the schemas that are referred to or defined under `$defs`, and that are not components yet.
fn targets(document: &Value) -> Vec<Pointer> {
    let components = Pointer::from_text("/components/schemas");
    let mut found = Vec::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node != Node::Schema {
            return;
        }
        let target = value.get("$ref").and_then(Value::as_str);
        found.extend(target.and_then(Pointer::from_reference));
        for keyword in ["$defs", "definitions"] {
            if let Some(Value::Object(definitions)) = value.get(keyword) {
                let place = pointer.child(keyword);
                found.extend(definitions.keys().map(|name| place.child(name)));
            }
        }
    });
    found.sort();
    found.dedup();
    found.retain(|target| target.parent().is_some_and(|parent| parent != components));
    found
}

fn rewrite_references(document: &mut Value, moved: &BTreeMap<Pointer, String>) {
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if node != Node::Schema {
            return;
        }
        if let Some(Value::String(target)) = value.get_mut("$ref")
            && let Some(name) = Pointer::from_reference(target).and_then(|place| moved.get(&place))
        {
            *target = reference_to(name);
        }
    });
}

/// Removes definitions, which are components now; only references to those remain.
fn drop_definitions(document: &mut Value) {
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if let (Node::Schema, Value::Object(schema)) = (node, value) {
            drop_keys(schema, &["$defs", "definitions"]);
        }
    });
}

fn drop_keys(schema: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        schema.shift_remove(*key);
    }
}
