//! The document's constraints on requests that no Rust type expresses, as constant data.
//!
//! The corrected document is read in its own version of OpenAPI, not in the lowered form: apart from what the report lists, no constraint
//! on a request is lost.
//!
//! - `schema` reads a single JSON Schema.
//! - `collect` finds those that are reachable from parameters and bodies.
//! - `share` merges equal ones and names them.
//! - `emit` writes Rust.

mod collect;
mod emit;
pub mod model;
mod schema;
mod share;

use serde_json::Value;

pub(crate) use emit::flags;
pub use emit::{Rust, rust};
pub use model::Model;

use crate::Report;

/// Reads the rules of all requests of a corrected document. Constraints that no rule expresses are added to the report, whose places are
/// already settled.
pub fn read(document: &Value, report: &mut Report) -> Model {
    share::share(document, collect::collect(document, report))
}

#[cfg(test)]
mod tests;
