//! The texts of a value that no message may show.

use std::collections::BTreeSet;

use serde::Serialize;
use suprsend_api::rules::Schema;

use super::{
    look::{At, Of, judge},
    run::{Path, Run},
};
use crate::error::Violations;

/// Returns the texts of a value that the document marks as sensitive (`x-sensitive`).
///
/// Where a schema combines others, the marks of all of them count, whether they apply or not: rather one text too many.
pub(crate) fn secrets<T: Serialize + ?Sized>(schema: &'static Schema, value: &T) -> BTreeSet<String> {
    let mut violations = Violations::default();
    let mut run = Run::for_secrets(&mut violations);
    // What cannot be written was not sent either.
    let _ = judge(&mut run, At::root(schema, &Path::Root("")), &Of(value));
    run.into_secrets()
}
