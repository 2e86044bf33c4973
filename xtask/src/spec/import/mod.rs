//! `cargo xtask spec import`: upstream's document becomes the project's own.
//!
//! Files are read ([`super::page`]), made one document ([`merge`]), and tried: overlays, lint, lowering and generation
//! ([`attempt`]). Only then is `openapi.yaml` replaced, as a whole ([`replace`]).

mod attempt;
mod merge;
mod replace;
#[cfg(test)]
mod tests;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};
use suprsend_codegen::Problems;
use suprsend_console::tell;

use super::{
    diff,
    page::{self, Page},
};
use crate::project::root;

/// The document that is written.
const DOCUMENT: &str = "openapi.yaml";

/// Make upstream's document the project's own, if everything after it succeeds.
///
/// Several files become one document: paths and components are united, and what they all state has to be the same.
/// One file is kept byte for byte.
///
/// What comes after is overlays, lint, lowering and generation. If any of it fails, nothing is written, and all reasons are listed.
///
/// A file has at most 64 megabytes of UTF-8, is nested at most 128 levels deep, and has at most two million values once YAML's
/// aliases are written out.
#[derive(Args)]
pub(crate) struct Arguments {
    /// OpenAPI documents in YAML or JSON, or documentation pages in Markdown that quote one.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Do everything but write.
    #[arg(long)]
    check: bool,
}

/// Exits with 0 if the document can be imported, and with 2 if not.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let imported = match import(root(), &arguments.files, arguments.check)? {
        Ok(imported) => imported,
        Err(problems) => bail!("{problems}\nnot imported; {DOCUMENT} is as it was"),
    };
    for operation in &imported.gone {
        tell!("no longer in the document: {operation}");
    }
    let digest = digest(&imported.text);
    if !imported.changed {
        tell!("{DOCUMENT} is this text already");
    } else if arguments.check {
        tell!("{DOCUMENT} can be replaced by this text, of the SHA-256 {digest}");
    } else {
        tell!(
            "wrote {DOCUMENT}, whose SHA-256 {digest} belongs into tests/document.rs; next: cargo xtask generate"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A document that went through everything.
#[derive(Debug)]
pub(super) struct Imported {
    /// What the project's document is now, or would be.
    pub(super) text: String,
    /// Whether it was another before.
    pub(super) changed: bool,
    /// The operations that it had before and has no longer: a page may have been forgotten.
    pub(super) gone: Vec<String>,
}

/// Imports files into the project below `root`. On problems, and with `check`, nothing is written.
pub(super) fn import(root: &Path, files: &[PathBuf], check: bool) -> Result<Result<Imported, Problems>> {
    let text = match text(files).and_then(|text| attempt::attempt(root, &text).map(|()| text)) {
        Ok(text) => text,
        Err(problems) => return Ok(Err(problems)),
    };
    let path = root.join(DOCUMENT);
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = before != text;
    let gone = diff::gone(&before, &text);
    if changed && !check {
        replace::replace(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Ok(Imported { text, changed, gone }))
}

/// The text of the one document that the files make.
pub(super) fn text(files: &[PathBuf]) -> Result<String, Problems> {
    let mut pages = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match page::read(file) {
            Ok(page) => pages.push(page),
            Err(found) => problems.extend(found.iter().cloned()),
        }
    }
    Problems::none_or(problems)?;
    united(pages)
}

/// The text of one page as it is, or of the document that several pages make.
pub(super) fn united(mut pages: Vec<Page>) -> Result<String, Problems> {
    if let [page] = pages.as_mut_slice() {
        return Ok(std::mem::take(&mut page.text));
    }
    merge::merge(&pages)
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
