//! Checks that every `$ref` leads to an object of the right kind, and that no schema includes itself.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Findings;
use crate::{
    Pointer,
    directions::is_3_0,
    grammar::{self, Node},
    limits::INCLUSION,
};

pub(super) fn check(document: &Value, findings: &mut Findings) {
    let mut places: HashMap<Pointer, Node> = HashMap::new();
    let mut references: Vec<(Pointer, Node, &str)> = Vec::new();
    let mut bases: HashSet<Pointer> = HashSet::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        places.insert(pointer.clone(), node);
        if node == Node::Schema && is_base(document, value) {
            bases.insert(pointer.clone());
        }
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            references.push((pointer.clone(), node, target));
        }
    });
    let mut targets: HashMap<Pointer, Vec<Pointer>> = HashMap::new();
    for (pointer, node, reference) in references {
        let place = pointer.child("$ref");
        if let Some(base) = base(&pointer, &bases) {
            findings.add(
                &place,
                format!("`{reference}` starts from the `$id` at {base}, and is followed from the root only"),
                "remove that `$id` with an overlay action, and write what is meant from the root of the document",
            );
            continue;
        }
        let Some(target) = Pointer::from_reference(reference) else {
            findings.add(
                &place,
                format!("`{reference}` does not point into this document by a JSON Pointer"),
                "bring what it refers to into `components` with an overlay, and refer to it there",
            );
            continue;
        };
        match places.get(&target) {
            Some(found) if *found == node => {
                targets.entry(pointer).or_default().push(target);
            }
            found => {
                let what = if target.get(document).is_none() {
                    "to nothing".to_owned()
                } else if found.is_some() {
                    format!("to another kind of object than the {node:?} that belongs here")
                } else {
                    "to a place that holds no object of OpenAPI".to_owned()
                };
                let reason = format!("`{reference}` leads {what}");
                findings.add(&place, reason, "correct it with an overlay action");
            }
        }
    }
    inclusion(document, &mut targets);
    circles(&targets, findings);
}

/// Returns whether references in this schema are relative to its `$id`. In 3.0 there is no `$id`, and one that is only a fragment is an
/// anchor.
fn is_base(document: &Value, schema: &Value) -> bool {
    !is_3_0(document)
        && schema.get("$id").and_then(Value::as_str).is_some_and(|id| !id.is_empty() && !id.starts_with('#'))
}

/// Returns the innermost schema with an `$id` around a place.
fn base(place: &Pointer, bases: &HashSet<Pointer>) -> Option<Pointer> {
    let mut place = Some(place.clone()).filter(|_| !bases.is_empty());
    while let Some(here) = place {
        if bases.contains(&here) {
            return Some(here);
        }
        place = here.parent();
    }
    None
}

/// Adds the schemas that a schema includes by its combinations and negations, which apply to the same place of an instance.
fn inclusion(document: &Value, targets: &mut HashMap<Pointer, Vec<Pointer>>) {
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node != Node::Schema {
            return;
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = value.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
            let place = pointer.child(keyword);
            let parts = (0..count).map(|index| place.child(index));
            targets.entry(pointer.clone()).or_default().extend(parts);
        }
        if value.get("not").is_some() {
            targets.entry(pointer.clone()).or_default().push(pointer.child("not"));
        }
    });
}

/// Finds circles, and chains that are too long.
fn circles(targets: &HashMap<Pointer, Vec<Pointer>>, findings: &mut Findings) {
    let lengths = lengths(targets);
    let mut starts: Vec<&Pointer> = targets.keys().collect();
    starts.sort();
    if let Some(long) = starts.iter().find(|place| lengths.get(*place) == Some(&(INCLUSION + 1))) {
        findings.add(
            long,
            format!("it includes more than {INCLUSION} schemas one by way of the other"),
            "let one of them stand on its own with an overlay action",
        );
    }
    // A place without a length is in a circle or leads into one, so one of its targets has no length either.
    let endless = |place: &&Pointer| !lengths.contains_key(*place);
    let mut done: HashSet<&Pointer> = HashSet::new();
    for start in starts.into_iter().filter(endless) {
        let mut way: Vec<&Pointer> = Vec::new();
        let mut next = Some(start);
        while let Some(place) = next.filter(|place| !done.contains(place)) {
            done.insert(place);
            way.push(place);
            next = targets[place].iter().find(endless);
        }
        // If the way ends on itself, it is a circle; otherwise it led to one that has been reported.
        let circle = next.and_then(|end| way.iter().position(|place| *place == end));
        if let Some(first) = circle.and_then(|begin| way[begin..].iter().min()) {
            findings.add(
                first,
                "it includes itself, by references and combinations alone",
                "let one of them be a property or an item with an overlay action",
            );
        }
    }
}

/// Returns the length of the longest chain of inclusions from each place. Places that reach a circle have none.
fn lengths(targets: &HashMap<Pointer, Vec<Pointer>>) -> HashMap<&Pointer, usize> {
    let mut users: HashMap<&Pointer, Vec<&Pointer>> = HashMap::new();
    let mut open: HashMap<&Pointer, usize> = HashMap::new();
    for (place, included) in targets {
        open.insert(place, included.len());
        for target in included {
            open.entry(target).or_insert(0);
            users.entry(target).or_default().push(place);
        }
    }
    let mut ready: Vec<&Pointer> =
        open.iter().filter(|(_, count)| **count == 0).map(|(place, _)| *place).collect();
    let mut lengths: HashMap<&Pointer, usize> = ready.iter().map(|place| (*place, 0)).collect();
    while let Some(place) = ready.pop() {
        let length = lengths[place] + 1;
        for user in users.get(place).into_iter().flatten() {
            let longest = lengths.get(user).copied().unwrap_or(0).max(length);
            let Some(count) = open.get_mut(user) else { continue };
            *count -= 1;
            if *count == 0 {
                ready.push(user);
            }
            lengths.insert(user, longest);
        }
    }
    lengths.retain(|place, _| open[place] == 0);
    lengths
}
