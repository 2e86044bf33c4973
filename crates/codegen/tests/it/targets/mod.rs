//! What is fuzzed: whatever comes in, what comes out is a result or problems in lines, and no panic.
//!
//! `fuzz/` hands these to a fuzzer; the gate runs them on the inputs in `fuzz/corpus/` and on the documents in `corpus/`.

use suprsend_codegen::{Problems, Project, Settings, Source};

/// The code under test, run on an input.
pub(crate) type Target = fn(&[u8]);

/// The targets by their names.
pub(crate) const TARGETS: [(&str, Target); 4] =
    [("read", read), ("overlay", overlay), ("lower", lower), ("generate", generate)];

/// Reading a text.
pub(crate) fn read(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(value) = Source::new("text", text).parse().map_err(|problems| judge(&problems)) else { return };
    // What was read is written as JSON, and read again.
    let again = Source::new("again", value.to_string()).parse().expect("JSON is read");
    assert_eq!(again, value);
}

/// Applying an overlay: the text before the first line `###` is the document.
pub(crate) fn overlay(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (document, overlay) = text.split_once("\n###\n").unwrap_or((text, ""));
    let overlays = vec![Source::new("overlay", overlay)];
    let project = Project::from_sources(Source::new("document", document), overlays);
    let _ = project.correct().map_err(|problems| judge(&problems));
}

/// Lowering a document.
pub(crate) fn lower(input: &[u8]) {
    let Some(document) = document(input) else { return };
    let _ = suprsend_codegen::lower(&document).map_err(|problems| judge(&problems));
}

/// Generating from a document.
pub(crate) fn generate(input: &[u8]) {
    let Some(document) = document(input) else { return };
    let settings = Settings::default();
    let _ = suprsend_codegen::generate(&document, &settings).map_err(|problems| judge(&problems));
}

fn document(input: &[u8]) -> Option<serde_json::Value> {
    Source::new("document", std::str::from_utf8(input).ok()?).parse().ok()
}

/// Every problem is one line with a place, a reason and a remedy, none of which grows with the input.
fn judge(problems: &Problems) {
    for problem in problems.iter() {
        assert!(!problem.place().is_empty() && !problem.reason().is_empty() && !problem.remedy().is_empty());
        assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
    }
}
