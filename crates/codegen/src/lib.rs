//! From an OpenAPI 3.1 document and its overlays to a Rust client, with a record of what was lost on the way.
//!
//! ```text
//! document + overlays -> lint -> lower to 3.0.3 -> fit -> openapiv3 -> progenitor -> mend -> Rust
//! ```
//!
//! - [`Project::correct`] applies the overlays; the result is what everything else is judged by.
//! - [`generate`] checks it, lowers it, fits it to progenitor and generates.
//!
//! - [`rules`] reads what the document says of requests and no Rust type carries, to be written as constant data.
//! - [`leniently`] leaves out the operations that cannot be generated.
//!
//! # Limits
//!
//! What is beyond one of these is a problem with its place, never a crash:
//!
//! - a text, be it a document or an overlay: 64 megabytes ([`TEXT`]), nested 128 levels deep;
//! - a document: two million values once YAML's aliases are written out and the overlays are applied, nested 256 levels deep;
//! - a schema: 256 others that it includes one by way of the other, by `$ref` and combinations.
//!
//! Nothing here knows a particular API. Input that cannot be generated gives [`Problems`]: a line each with place, reason
//! and remedy, all of them in one run.

mod directions;
mod facts;
mod fit;
mod grammar;
mod lenient;
mod limits;
mod lint;
mod lower;
pub mod media;
mod names;
mod overlay;
mod path_item;
mod pointer;
mod problem;
mod project;
mod report;
mod resources;
pub mod rules;
mod rust;
mod source;
mod table;

use serde_json::Value;

pub use fit::is_closed;
pub use grammar::{Node, is_method, path_template, walk};
pub use lenient::leniently;
pub use limits::TEXT;
pub use names::{rust_function, rust_type};
pub use overlay::{Step, trace};
pub use path_item::{PathItem, path_items};
pub use pointer::Pointer;
pub use problem::{Problem, Problems};
pub use project::Project;
pub use report::{Entry, Kind, Report};
pub use resources::resources;
pub use rust::{Settings, find_culprits};
pub use source::Source;
pub use table::{Entry as TableEntry, RESOURCES, Resource, Table, Verdict};

/// What [`generate`] makes of a document.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The Rust source of client and types, formatted.
    pub rust: String,
    /// The corrected document as JSON, formatted: what the Rust is to be judged by.
    pub document: String,
    /// What was lost, moved or renamed between the document and the Rust.
    pub report: Report,
}

/// What [`lower`] makes of a document.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The document in OpenAPI 3.0.3.
    pub document: Value,
    /// What was lost, moved or renamed.
    pub report: Report,
}

/// Refuses a document in which values have another JSON type than is read, or references lead nowhere. What passes can be
/// walked without surprises, though it need not be valid OpenAPI.
pub fn readable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::readable(document))
}

/// Refuses what [`generate`] refuses before it generates anything.
pub fn generatable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::generatable(document))
}

/// Checks a corrected document and lowers it to OpenAPI 3.0.3, without fitting it to the generator.
pub fn lower(document: &Value) -> Result<Lowered, Problems> {
    limits::deep(|| {
        lint::readable(document)?;
        let mut report = Report::default();
        let document = lower::lower(document, &mut report);
        report.settle();
        Ok(Lowered { document, report })
    })
}

/// Generates the Rust client of a corrected document.
pub fn generate(document: &Value, settings: &Settings) -> Result<Generated, Problems> {
    limits::deep(|| {
        lint::generatable(document)?;
        let mut report = Report::default();
        let mut fitted = lower::lower(document, &mut report);
        let facts = facts::collect(&fitted, &Table::of(document)?);
        if directions::is_3_0(document) {
            directions::settle(&mut fitted, &mut report);
        }
        let notes = fit::fit(&mut fitted, &mut report);
        report.settle();
        let rules = rules::read(document, &mut report);
        let rules = rules::rust(&rules, &settings.rules()?, &quote::quote!(rules));
        let beside = rust::Beside { notes: &notes, facts: &facts, rules: &rules };
        let rust = rust::generate(&fitted, &beside, settings)
            .map_err(|problems| problems.relocate(|place| report.origin(place)))?;
        let document = format!("{document:#}\n");
        Ok(Generated { rust, document, report })
    })
}
