//! What the document says of requests and no Rust type carries, as constant data.
//!
//! The corrected document is read as it is, in its own version of OpenAPI, not as it is lowered: nothing that constrains a request
//! is lost but what the report names.
//!
//! - `schema` reads one JSON Schema.
//! - `collect` finds those that can be reached from parameters and bodies.
//! - `share` makes one of equal ones and names them.
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

/// Reads the rules of all requests of a corrected document. What no rule carries is an entry of the report, whose places are
/// settled already.
pub fn read(document: &Value, report: &mut Report) -> Model {
    share::share(document, collect::collect(document, report))
}

#[cfg(test)]
mod tests;
