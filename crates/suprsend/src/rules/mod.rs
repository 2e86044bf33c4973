//! Validates values against the rules of the OpenAPI document before anything is sent.
//!
//! A value is inspected by serializing it into nothing, so typed bodies and JSON values are handled alike, and a valid value costs no
//! allocation. If a rule needs the value again (each variant of a `oneOf`), it is serialized again.
//!
//! - `look` is the serializer: it distinguishes scalars, arrays and objects.
//! - `scalar` and `inside` validate these against the keywords that apply to them.
//! - `several` handles the keywords that combine schemas.
//! - `run` holds the findings of a run and decides how far it goes.
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

/// The maximum nesting of arrays and objects that are sent.
const DEPTH: u16 = 128;

/// Validates a value.
///
/// All violations are found in one run. Each has the path of its value. Violations of the whole value have the path `place`, which is empty
/// for a body and the name for a parameter.
pub(crate) fn check<T: Serialize + ?Sized>(
    place: &str,
    schema: &'static Schema,
    value: &T,
    violations: &mut Violations,
) {
    let mut run = Run::new(violations);
    let root = Path::Root(place);
    let result = judge(&mut run, At { schema, path: &root }, &Of(value));
    if let Err(Stop::Unwritable) = result {
        run.fault(&root, "cannot be written as JSON");
    }
}

#[cfg(test)]
mod tests;
