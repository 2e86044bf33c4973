//! Judges values by the rules of the document, before anything is sent.
//!
//! A value is looked at while it is serialized into nothing, so that typed bodies and JSON values go the same way and a valid one
//! costs no allocation. Where a rule needs the value again (each variant of a `oneOf`), it is serialized again.
//!
//! - `look` is the serializer: it tells scalars, arrays and objects apart, and counts bytes.
//! - `scalar` and `inside` judge these by the keywords that concern them.
//! - `several` judges by the keywords that combine schemas.
//! - `run` has what a run finds, and how far it goes.
//! - `secrets` finds the texts that no message may show.

mod format;
mod inside;
mod json;
mod look;
mod message;
mod name;
mod number;
mod run;
mod scalar;
mod secrets;
mod several;

use serde::Serialize;
use suprsend_api::rules::Schema;

use self::{
    look::{At, Of, judge},
    run::{Path, Run, Stop},
};
use crate::error::Violations;

pub(crate) use self::secrets::secrets;

/// The deepest nesting of arrays and objects that is sent.
const DEPTH: u16 = 128;

/// Checks a value, and returns how many bytes it has as JSON.
///
/// All violations are found in one run. Each has the path of its value; those of the whole value have `place`, which is empty for a
/// body and the name for a parameter.
pub(crate) fn check<T: Serialize + ?Sized>(
    place: &str,
    schema: &'static Schema,
    value: &T,
    violations: &mut Violations,
) -> usize {
    let mut run = Run::new(violations);
    let root = Path::Root(place);
    let result = judge(&mut run, At::root(schema, &root), &Of(value));
    if let Err(Stop::Unwritable) = result {
        run.fault(&root, "cannot be written as JSON");
    }
    run.size()
}

#[cfg(test)]
mod tests;
