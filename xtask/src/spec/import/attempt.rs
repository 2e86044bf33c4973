//! Everything that comes after the document, tried on a text that is not the project's yet.

use std::path::Path;

use suprsend_codegen::{Problems, Project, Settings, Source, generate};

/// Applies the overlays of the project below `root` to the text, and generates.
pub(super) fn attempt(root: &Path, text: &str) -> Result<(), Problems> {
    let overlays = Project::open(root)?.overlays().to_vec();
    let document = Project::of_sources(Source::new(super::DOCUMENT, text), overlays).correct()?;
    generate(&document, &Settings::default()).map(|_| ())
}
