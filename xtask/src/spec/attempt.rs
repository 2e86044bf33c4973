//! Tries all steps after reading the document, on texts that do not belong to the project yet.

use std::collections::BTreeMap;

use serde_json::Value;
use suprsend_codegen::{Problems, Project, Settings, Source, Table, generate, resources};

/// The results for a document and its overlays.
#[derive(Debug)]
pub(super) struct Made {
    /// The corrected document.
    pub(super) document: Value,
    /// The generated types and operations.
    pub(super) rust: String,
}

/// Applies the overlays to the document, and generates.
pub(super) fn attempt(document: &Source, overlays: &[Source]) -> Result<Made, Problems> {
    let document = Project::from_sources(document.clone(), overlays.to_vec()).correct()?;
    let rust = generate(&document, &Settings::default())?.rust;
    if !Table::from_document(&document)?.is_empty() {
        resources(&document, &rust, &BTreeMap::new())?;
    }
    Ok(Made { document, rust })
}
