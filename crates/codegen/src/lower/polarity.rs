//! Finds places where a weaker schema makes the whole stricter.
//!
//! A weaker schema accepts more, except below `not` (a weaker `not` rejects more) and in `oneOf` (two variants that now both match reject
//! what one alone accepted). A `not` over a weakened schema is dropped, and a `oneOf` with a weakened variant becomes `anyOf`. Both are
//! weakenings themselves, so this is repeated until nothing changes.
//!
//! This runs before the schemas are lowered, while every schema is still in its original place.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::schema::ONE_OF;

use crate::{
    Pointer, Report,
    grammar::{self, Node},
    report::Kind,
};

pub(super) fn settle(document: &mut Value, is_3_0: bool, report: &mut Report) {
    let mut weakened: HashSet<Pointer> = HashSet::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema && super::schema::will_weaken(value, is_3_0) {
            weakened.insert(pointer.clone());
        }
    });
    loop {
        let reached = reached(document, &weakened);
        let mut found = Vec::new();
        grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
            if node != Node::Schema {
                return;
            }
            let Value::Object(schema) = value else { return };
            if schema.contains_key("not") && reached.contains(&pointer.child("not")) {
                schema.shift_remove("not");
                found.push((pointer.clone(), "`not` over a schema that 3.0 cannot state is gone"));
            }
            let variants = pointer.child("oneOf");
            let count = schema.get("oneOf").and_then(Value::as_array).map_or(0, Vec::len);
            if (0..count).any(|index| reached.contains(&variants.child(index))) {
                let Some(variants) = schema.shift_remove("oneOf") else { return };
                any_of(schema, &variants);
                found.push((pointer.clone(), "`oneOf` over a weaker variant is `anyOf`"));
            }
        });
        if found.is_empty() {
            return;
        }
        for (pointer, note) in found {
            report.add(Kind::Widened, &pointer, note);
            weakened.insert(pointer);
        }
    }
}

/// Adds alternatives that exclude each other in the document to those that the schema has.
fn any_of(schema: &mut Map<String, Value>, variants: &Value) {
    let Value::Object(part) = json!({"anyOf": variants, ONE_OF: true}) else { return };
    if !schema.contains_key("anyOf") {
        schema.extend(part);
    } else if let Some(Value::Array(parts)) = schema.get_mut("allOf") {
        parts.push(part.into());
    } else {
        schema.insert("allOf".to_owned(), json!([part]));
    }
}

/// Returns every schema that is weaker than in 3.1: itself, below it, or behind a reference.
fn reached(document: &Value, weakened: &HashSet<Pointer>) -> HashSet<Pointer> {
    let mut reached = HashSet::new();
    let mark = |pointer: &Pointer, reached: &mut HashSet<Pointer>| {
        let mut place = Some(pointer.clone());
        let mut new = false;
        while let Some(pointer) = place {
            place = pointer.parent();
            new |= reached.insert(pointer);
        }
        new
    };
    for pointer in weakened {
        mark(pointer, &mut reached);
    }
    let mut references = Vec::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let target = value.get("$ref").and_then(Value::as_str);
        if let (Node::Schema, Some(target)) = (node, target.and_then(Pointer::from_reference)) {
            references.push((pointer.clone(), target));
        }
    });
    loop {
        let mut new = false;
        for (pointer, target) in &references {
            if reached.contains(target) {
                new |= mark(pointer, &mut reached);
            }
        }
        if !new {
            return reached;
        }
    }
}
