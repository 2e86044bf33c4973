//! What becomes of every document in `corpus/` is stated beside it, line by line, in the file `.outcome`.
//!
//! `UPDATE_OUTCOMES=1 cargo test -p suprsend-codegen --test it corpus::` writes these files; what it changed is for review.

use std::{fs, path::PathBuf};

use suprsend_codegen::{Settings, Source, generate, generate_partial};

#[test]
fn every_document_has_the_stated_outcome() {
    let update = std::env::var_os("UPDATE_OUTCOMES").is_some();
    let mut wrong = Vec::new();
    for path in documents() {
        let stated = path.with_extension("outcome");
        let outcome = outcome(&fs::read_to_string(&path).unwrap());
        if update {
            fs::write(&stated, outcome).unwrap();
        } else if fs::read_to_string(&stated).unwrap_or_default() != outcome {
            wrong.push(format!("--- {} ---\n{outcome}", path.display()));
        }
    }
    let stated = files().filter(|path| path.extension().is_some_and(|extension| extension == "outcome"));
    assert_eq!(stated.count(), documents().len(), "an outcome without a document");
    assert!(wrong.is_empty(), "other outcomes than stated:\n{}", wrong.join("\n"));
}

fn files() -> impl Iterator<Item = PathBuf> {
    fs::read_dir("corpus").unwrap().map(|entry| entry.unwrap().path())
}

fn documents() -> Vec<PathBuf> {
    let is_document =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "json");
    let mut found: Vec<_> = files().filter(is_document).collect();
    found.sort();
    found
}

/// The lines of a refusal, of what is dropped to get round it, and of what the Rust does not say.
fn outcome(text: &str) -> String {
    let settings = Settings::default();
    let document = match Source::new("document", text).parse() {
        Ok(document) => document,
        Err(problems) => return format!("unreadable\n{problems}\n"),
    };
    let problems = match generate(&document, &settings) {
        Ok(generated) => return format!("generated\n{}", generated.report),
        Err(problems) => problems,
    };
    match generate_partial(&document, |document| generate(document, &settings)) {
        Ok((generated, dropped)) => {
            format!("refused\n{problems}\n\ngenerated leniently\n{dropped}{}", generated.report)
        }
        Err(_) => format!("refused\n{problems}\n"),
    }
}
