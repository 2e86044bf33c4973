//! `cargo xtask spec import`: makes upstream's document the project's own.
//!
//! Files are read, merged into one document ([`super::page`]) and tried: overlays, lint, lowering and generation ([`super::attempt`]). If
//! the document contains what overlays add, the overlays must change too ([`super::retire`]). Files are replaced only if all of this
//! succeeds ([`super::replace`]).

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
use suprsend_codegen::{Problems, Project, Source};
use suprsend_console::{out, tell};

use super::{
    attempt::attempt,
    diff,
    habits::{READINGS, Readings},
    page::{self, Page},
    replace::replace,
    retire::{Plan, Retired, retire},
};
use crate::project::root;

/// The document that is written.
const DOCUMENT: &str = "openapi.yaml";

/// Make upstream's document the project's own, if everything after it succeeds.
///
/// Several files become one document: their paths and components are merged, and repeated parts must be equal. A single file is kept byte
/// for byte.
///
/// The next steps are overlays, lint, lowering and generation. If any of them fails, nothing is written, and all reasons are listed.
///
/// Mistakes with only one possible meaning are interpreted as they are meant, and listed; the overlay 05-readings.yaml corrects those that
/// need it.
///
/// If the document contains what overlays add or correct, a plan describes the consequences: for each operation, whether it is new, equal
/// to the overlay's or different, and how; and which actions still apply, are made by upstream, or give way. --retire carries out the plan.
///
/// Limits of a file: UTF-8, 64 megabytes, 128 levels of nesting, and two million values after YAML's aliases are applied.
#[derive(Args)]
pub(crate) struct Arguments {
    /// OpenAPI documents in YAML or JSON, or documentation pages in Markdown that quote one.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// The way in which an import handles the files.
#[derive(Args, Clone, Copy, Default)]
pub(super) struct How {
    /// Do everything but write.
    #[arg(long)]
    check: bool,
    /// Add the files to the existing document, instead of replacing it.
    #[arg(long)]
    add: bool,
    /// Remove from the overlays what the document contains now, and add corrections for what it contradicts.
    #[arg(long)]
    retire: bool,
}

/// Exits with 0 if the document can be imported, with 1 if that requires --retire, and with 2 if it cannot.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let how = arguments.how;
    let imported = match import(root(), &arguments.files, how)? {
        Ok(imported) => imported,
        Err(problems) => bail!("{problems}\nnot imported; {DOCUMENT} is as it was"),
    };
    for line in imported.readings.lines() {
        tell!("{line}");
    }
    if let Some(plan) = &imported.plan {
        out(format_args!("{plan}"))?;
    }
    for operation in &imported.gone {
        tell!("no longer in the document: {operation}");
    }
    if imported.waits {
        tell!("not imported; --retire carries this plan out, {DOCUMENT} and the overlays are as they were");
        return Ok(ExitCode::FAILURE);
    }
    let digest = digest(&imported.text);
    if !imported.changed {
        tell!("{DOCUMENT} is this text already");
    } else if how.check {
        tell!("{DOCUMENT} can be replaced by this text, of the SHA-256 {digest}");
    } else {
        tell!(
            "wrote {DOCUMENT}, whose SHA-256 {digest} belongs into tests/document.rs; next: cargo xtask generate"
        );
    }
    for (overlay, text) in &imported.overlays {
        let overlay = overlay.display();
        match (how.check, text) {
            (true, _) => tell!("{overlay} would be changed"),
            (false, Some(_)) => tell!("wrote {overlay}"),
            (false, None) => tell!("deleted {overlay}, of which nothing was left"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A document that passed all steps.
#[derive(Debug)]
pub(super) struct Imported {
    /// The text of the project's document, now or after a real import.
    pub(super) text: String,
    /// Whether the text has changed.
    pub(super) changed: bool,
    /// The operations that it no longer contains: a page may have been forgotten.
    pub(super) gone: Vec<String>,
    /// The mistakes that are interpreted as they are meant.
    pub(super) readings: Readings,
    /// The fate of the overlays, if they must change.
    pub(super) plan: Option<Plan>,
    /// Whether it waits for --retire.
    pub(super) waits: bool,
    /// The overlays that change, relative to the project, with their new texts. One without a text is deleted.
    pub(super) overlays: Vec<(PathBuf, Option<String>)>,
}

/// Imports files into the project below `root`. If there are problems, or with `check`, nothing is written.
pub(super) fn import(root: &Path, files: &[PathBuf], how: How) -> Result<Result<Imported, Problems>> {
    let imported = match prepare(root, files, how) {
        Ok(imported) => imported,
        Err(problems) => return Ok(Err(problems)),
    };
    if !imported.waits && !how.check {
        let document = imported.changed.then(|| (PathBuf::from(DOCUMENT), Some(imported.text.clone())));
        let all = document.into_iter().chain(imported.overlays.iter().cloned());
        let all: Vec<_> = all.map(|(path, text)| (root.join(path), text)).collect();
        replace(&all).with_context(|| format!("cannot write below {}", root.display()))?;
    }
    Ok(Ok(imported))
}

/// Does everything except writing.
fn prepare(root: &Path, files: &[PathBuf], how: How) -> Result<Imported, Problems> {
    let project = Project::open(root)?;
    let before = project.document().text.as_str();
    let pages = page::read_all(files)?;
    let text = if how.add {
        let document = Page {
            file: DOCUMENT.to_owned(),
            text: before.to_owned(),
            document: project.document().parse()?,
        };
        page::added(document, pages)?
    } else {
        page::text_of(pages)?
    };
    let document = Source::new(DOCUMENT, text.as_str());
    let changed = before != text;
    let gone = diff::gone(before, &text);
    let base = document.parse()?;
    let readings = Readings::new(&base);
    let meant = readings.overlay()?;
    let mut imported =
        Imported { text, changed, gone, readings, plan: None, waits: false, overlays: Vec::new() };
    let (_, ours) = split(project.overlays());
    let mut overlays: Vec<Source> = meant.iter().cloned().chain(ours).collect();
    if let Err(failed) = attempt(&document, &overlays) {
        // The project must be valid before it can be compared with the result.
        let before = attempt(project.document(), project.overlays())?;
        let retired = match retire(&project, &before, &document, meant.as_ref()) {
            Ok(retired) => retired,
            // Without --retire, the actions that do not apply are what matters.
            Err(problems) => return Err(if how.retire { problems } else { failed }),
        };
        let Retired { overlays: changed, plan, .. } = retired;
        overlays = changed;
        imported.waits = !how.retire;
        imported.plan = Some(plan);
    }
    imported.overlays = changes(project.overlays(), &overlays);
    Ok(imported)
}

/// Returns the overlay of readings, and the others.
fn split(overlays: &[Source]) -> (Vec<Source>, Vec<Source>) {
    overlays.iter().cloned().partition(|source| source.name == READINGS)
}

/// Returns the overlays that have changed, with their new texts.
fn changes(old: &[Source], new: &[Source]) -> Vec<(PathBuf, Option<String>)> {
    let text = |all: &[Source], name: &str| {
        all.iter().find(|source| source.name == name).map(|source| source.text.clone())
    };
    let mut names: Vec<&str> = old.iter().chain(new).map(|source| source.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let changed = names.into_iter().filter(|name| text(old, name) != text(new, name));
    changed.map(|name| (PathBuf::from(name), text(new, name))).collect()
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
