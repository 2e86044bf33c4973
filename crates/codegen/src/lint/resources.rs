//! Checks that the table of resources contains every operation exactly once, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Findings;
use crate::{
    Pointer, Problems, Table,
    path_item::operations,
    table::{RESOURCES, Resource},
};

/// Rejects a table that omits or repeats an operation, or that has two methods with the same name. A document need not have a table.
pub(super) fn check(document: &Value) -> Result<(), Problems> {
    let table = Table::from_document(document)?;
    if table.is_empty() {
        return Ok(());
    }
    let mut findings = Findings::default();
    let mut open = operations(document);
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    for (way, entry) in table.entries() {
        let key = (entry.method.clone(), entry.path.clone());
        let name =
            way.iter().map(|resource| &*resource.name).chain([&*entry.name]).collect::<Vec<_>>().join(".");
        if let Some(other) = seen.insert(key.clone(), name) {
            findings.add(
                &entry.place,
                format!("the operation is `{other}` already"),
                "remove one of the two",
            );
        } else if !open.remove(&key) {
            let reason = format!("the document has no operation `{} {}`", entry.method, entry.path);
            findings.add(&entry.place, reason, "correct the method and the path, or remove the entry");
        }
        let handed = way.iter().flat_map(|resource| &resource.parameters);
        for parameter in handed.chain(entry.settings.iter().map(|(name, _)| name)) {
            if !entry.path.contains(&format!("{{{parameter}}}")) {
                let reason =
                    format!("the path has no parameter `{parameter}`, which a handle or a setting gives");
                findings.add(&entry.place, reason, "give parameters that all paths below have");
            }
        }
    }
    for (method, path) in open {
        let place = Pointer::root().child("paths").child(path).child(method);
        findings.add(&place, "the operation is no method of a resource", format!("add it to `{RESOURCES}`"));
    }
    let mut seen = BTreeSet::new();
    for resource in &table.resources {
        if !seen.insert(&resource.name) {
            let reason = format!("there are two resources of the name `{}`", resource.name);
            findings.add(&resource.place, reason, "give one of them another name");
        }
        names(resource, &mut findings);
        features(resource, &mut findings);
    }
    findings.settle()
}

/// Checks that everything below a resource behind a feature is behind it too.
fn features(resource: &Resource, findings: &mut Findings) {
    for below in &resource.handles {
        if resource.feature.is_some() && below.feature.is_some() {
            findings.add(
                &below.place.child("feature"),
                "the resource above is behind a feature already",
                "state the feature once",
            );
        }
        features(below, findings);
    }
}

/// Checks the names of methods and handles, which become methods in Rust.
fn names(resource: &Resource, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for handle in &resource.handles {
        if !seen.insert(handle.name.clone()) {
            let reason = format!("`{}` has two resources of this name", resource.name);
            findings.add(&handle.place, reason, "give one of them another name");
        }
    }
    for entry in &resource.methods {
        if !seen.insert(entry.name.clone()) {
            let reason = format!("`{}` has two methods of this name", resource.name);
            findings.add(&entry.place, reason, "give one of them another name");
        }
    }
    resource.handles.iter().for_each(|handle| names(handle, findings));
}
