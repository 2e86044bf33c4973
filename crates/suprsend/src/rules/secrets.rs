//! Finds the texts of a value that no message may show.

use std::collections::BTreeSet;

use serde::Serialize;
use suprsend_api::rules::Schema;

use super::{
    look::{At, Of, judge},
    run::{Path, Run},
};
use crate::error::Violations;

/// Returns the texts of a value that the OpenAPI document marks as sensitive (`x-sensitive`).
///
/// If a schema combines others, the marks of all of them count, whether they apply or not: one text too many is better than one too few.
pub(crate) fn secrets<T: Serialize + ?Sized>(schema: &'static Schema, value: &T) -> BTreeSet<String> {
    let mut violations = Violations::default();
    let mut run = Run::for_secrets(&mut violations);
    // A value that cannot be serialized was not sent either.
    let _ = judge(&mut run, At { schema, path: &Path::Root("") }, &Of(value));
    run.into_secrets()
}
