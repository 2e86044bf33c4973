//! Limits of documents. Exceeding one is reported as a problem with its place, and never causes a crash.
//!
//! - A text has at most [`TEXT`] bytes.
//! - A text nests at most [`NESTING`] levels deep.
//! - A document has at most [`VALUES`] values after its aliases are expanded and its overlays are applied, and nests at most [`DEPTH`]
//!   levels deep. A megabyte of YAML has some 50,000 values.
//! - A chain of schemas that include each other, by `$ref` and combinations, has at most [`INCLUSION`] schemas.

use std::{panic, thread};

use serde_json::Value;

use crate::{Pointer, Problem, Problems};

/// The maximum size of a text in bytes: 64 megabytes. A document with some hundred operations has one or two.
pub const TEXT: usize = 64 << 20;

/// The maximum nesting of a text.
pub(crate) const NESTING: usize = 128;

/// The maximum number of values in a document, not counting keys.
pub(crate) const VALUES: usize = 2_000_000;

/// The maximum nesting of a document.
pub(crate) const DEPTH: usize = 256;

/// The maximum length of a chain of schemas that include each other.
pub(crate) const INCLUSION: usize = 256;

/// The stack size for a document at its limits. Only the part that is used takes memory.
const STACK: usize = 256 << 20;

/// Runs the work with enough stack for recursion over the deepest document that passes lint: the stack of a thread may be as small as two
/// megabytes, and an overflow would abort the process. Reading the generated Rust takes as much.
///
/// # Errors
///
/// Those of the work, or if no thread can be started.
pub fn deep<T: Send>(work: impl FnOnce() -> Result<T, Problems> + Send) -> Result<T, Problems> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).map_err(|error| {
            Problem::new(
                &Pointer::root(),
                format!("no thread could be started for the work: {error}"),
                "free memory, or raise the limits of the process",
            )
        })?;
        worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

/// Rejects a document that has too many values or is nested too deep, without using recursion.
pub(crate) fn check(document: &Value) -> Result<(), (String, String)> {
    let mut count = 0;
    let mut open = vec![(document, 1)];
    while let Some((value, depth)) = open.pop() {
        count += 1;
        if count > VALUES {
            return Err((format!("the document has more than {VALUES} values"), "split it".to_owned()));
        }
        if depth > DEPTH {
            return Err((
                format!("the document nests more than {DEPTH} levels deep"),
                "make the inner parts components, and refer to them".to_owned(),
            ));
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// An upper bound for the size of a document while actions change it, so that all of it is counted only near the limits.
pub(crate) struct Bound {
    values: usize,
    depth: usize,
}

impl Bound {
    pub(crate) fn of(document: &Value) -> Self {
        let (values, nesting) = measure(document);
        Self { values, depth: nesting + 1 }
    }

    /// Adds values that are written to a place as many levels below the root, and nest as deep as this.
    pub(crate) fn add(&mut self, values: usize, nesting: usize, below: usize) {
        self.values = self.values.saturating_add(values);
        // The root is the first level, an item that is appended to a list is one level below the list, and a scalar below its container.
        self.depth = self.depth.max(below + nesting + 2);
    }

    /// Rejects the document that it is a bound for, as [`check`] does.
    pub(crate) fn check(&mut self, document: &Value) -> Result<(), (String, String)> {
        if self.values <= VALUES && self.depth <= DEPTH {
            return Ok(());
        }
        *self = Self::of(document);
        check(document)
    }
}

/// Returns the number of values in a value, including itself, and the nesting of lists and objects in it.
pub(crate) fn measure(value: &Value) -> (usize, usize) {
    let (mut count, mut deepest) = (0, 0);
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        count += 1;
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    (count, deepest)
}
