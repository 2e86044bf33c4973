//! How large a document may be. What is beyond a limit is a problem with its place, never a crash.
//!
//! - A text has at most [`TEXT`] bytes.
//! - A text nests at most [`NESTING`] levels deep.
//! - A document has at most [`VALUES`] values once its aliases are written out and its overlays applied, and nests at
//!   most [`DEPTH`] levels deep. A megabyte of YAML has some 50,000 values.
//! - A schema includes at most [`INCLUSION`] others one by way of the other, by `$ref` and combinations.

use std::{panic, thread};

use serde_json::Value;

use crate::{Pointer, Problem, Problems};

/// The most bytes of a text: 64 megabytes. A document of some hundred operations has one or two.
pub const TEXT: usize = 64 << 20;

/// The most levels that a text may nest.
pub(crate) const NESTING: usize = 128;

/// The most values, keys not counted, that a document may have.
pub(crate) const VALUES: usize = 2_000_000;

/// The most levels that a document may nest.
pub(crate) const DEPTH: usize = 256;

/// The longest chain of schemas that include each other.
pub(crate) const INCLUSION: usize = 256;

/// The stack for a document at its limits. Only what is used of it takes memory.
const STACK: usize = 256 << 20;

/// Runs the work where recursion over the deepest document that passes lint has room: the stack of a thread is as small as
/// two megabytes, and an overflow would end the process.
pub(crate) fn deep<T: Send>(work: impl FnOnce() -> Result<T, Problems> + Send) -> Result<T, Problems> {
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

/// Refuses a document that has too many values or is too deep, without recursion of its own.
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

/// How many values a value has, itself included, and how many lists and objects nest in it.
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
