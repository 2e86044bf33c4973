//! Tries all steps after reading the document, on texts that do not belong to the project yet.

use std::collections::BTreeMap;

use serde_json::Value;
use suprsend_codegen::{Generated, Problems, Project, Report, Settings, Source, Table, generate, resources};

/// The results for a document and its overlays.
#[derive(Debug)]
pub(super) struct Made {
    /// The corrected document.
    pub(super) document: Value,
    /// The generated types and operations.
    pub(super) rust: String,
    /// The generated resources; empty if the document has no table of them.
    pub(super) resources: String,
    /// Everything that was moved or renamed on the way to Rust.
    pub(super) report: Report,
}

impl Made {
    /// Generates from a corrected document.
    pub(super) fn new(document: Value) -> Result<Self, Problems> {
        let Generated { rust, report, .. } = generate(&document, &Settings::default())?;
        let resources = if Table::from_document(&document)?.is_empty() {
            String::new()
        } else {
            resources(&document, &rust, &BTreeMap::new())?
        };
        Ok(Self { document, rust, resources, report })
    }
}

/// Applies the overlays to the document, and generates.
pub(super) fn attempt(document: &Source, overlays: &[Source]) -> Result<Made, Problems> {
    Made::new(Project::from_sources(document.clone(), overlays.to_vec()).correct()?)
}
