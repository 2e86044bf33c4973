//! An independent validator judges what lowering makes of the corpus, and of the project's own document.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use suprsend_codegen::{Project, lower};

use crate::{process, tools::Tools};

/// The top of the workspace, seen from here.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub(super) async fn run(tools: &Tools) -> Result<String> {
    let root = fs::canonicalize(ROOT)?;
    let corpus = root.join("crates/codegen/corpus");
    let lowered = tools.folder("lowered")?;
    let own = Project::open(&root)?.correct()?;
    write(&lowered.join("own.json"), &lower(&own)?.document)?;
    for entry in fs::read_dir(&corpus).with_context(|| format!("cannot read {}", corpus.display()))? {
        let given = entry?.path();
        let name = given.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(".yaml") && !name.ends_with(".json") {
            continue;
        }
        let document = Project::from_files(&root, &given, &[]).and_then(|project| project.correct());
        // A document that is refused leaves no file behind.
        if let Ok(made) = document.and_then(|document| lower(&document)) {
            write(&lowered.join(format!("{name}.json")), &made.document)?;
        }
    }
    let judged = process::run(tools.python().arg("lowered.py").arg(&corpus).arg(&lowered)).await?;
    Ok(judged.stdout.trim().to_owned())
}

fn write(path: &Path, document: &Value) -> Result<()> {
    fs::write(path, document.to_string()).with_context(|| format!("cannot write {}", path.display()))
}
