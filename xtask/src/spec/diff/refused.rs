//! Finds what the generator rejects in the new document and did not reject in the old one.

use std::collections::BTreeSet;

use suprsend_codegen::{Pointer, Problem, generatable};

use super::{
    change::{Changes, Kind, Level, Side},
    document::{Document, Documents},
};

/// The number of a pointer's steps that identify an operation or a component.
const OWNER: usize = 3;

pub(super) fn compare(documents: Documents<'_>, changes: &mut Changes) {
    let known: BTreeSet<_> = problems(documents.old).iter().map(|(at, problem)| key(at, problem)).collect();
    for (at, problem) in problems(documents.new) {
        if !known.contains(&key(&at, &problem)) {
            changes.forget_writing(&at);
            let message = format!("{}; {}", problem.reason(), problem.remedy());
            changes.add(Level::Breaking, Kind::Refused, (Side::New, &at), None, message);
        }
    }
}

fn problems(document: Document<'_>) -> Vec<(Pointer, Problem)> {
    let found = generatable(document.0).err();
    let found = found.iter().flat_map(suprsend_codegen::Problems::iter);
    found.filter_map(|problem| Some((problem.pointer()?.clone(), problem.clone()))).collect()
}

/// Identifies a problem, wherever it has moved within its operation or component.
fn key(at: &Pointer, problem: &Problem) -> (String, String) {
    let owner: Vec<_> = at.as_str().split('/').take(OWNER + 1).collect();
    (owner.join("/"), problem.reason().to_owned())
}
