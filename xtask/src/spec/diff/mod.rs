//! `cargo xtask spec diff`: shows the consequences of another document for users of the crate.
//!
//! Both documents are read ([`document`]). Operations are matched and compared ([`operations`], [`parameters`], [`bodies`], [`responses`],
//! [`security`], [`servers`]), and so are the schemas that they lead to, in the direction in which they are used ([`schema`]), by their
//! meaning rather than their notation ([`view`]). The results are [`change`]s, which are printed ([`output`]). Anything in the new document
//! that cannot be generated is breaking, whatever the comparison says ([`refused`]).
//!
//! A safety net generates the Rust code from both documents, and compares its public signatures ([`surface`], [`signatures`]): a program may
//! depend on the order of names, on types that are equal by chance, or on the table of resources, which the comparison of documents does
//! not see. A loss is listed unless a breaking change at its place says so already.

mod bodies;
mod change;
mod document;
mod numbers;
mod operations;
mod output;
mod parameters;
mod refused;
mod responses;
mod schema;
mod security;
mod servers;
mod signatures;
mod surface;
#[cfg(test)]
mod tests;
mod view;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;
use suprsend_codegen::{Problems, Source, readable};
use suprsend_console::{tell, unless_closed};

use self::document::{Document, Documents};
pub(super) use self::{
    change::{Change, Changes, Kind, Level, Side},
    operations::Compared,
    output::lines,
};
use super::{attempt::Made, page};

/// List what another document changes for users of the crate.
///
/// Only what a program that uses the crate notices counts: in requests, what may be sent; in responses, what may be received and its Rust
/// type. A new required field breaks requests but not responses, and a smaller maximum breaks what is sent, not what is read. A different
/// Rust type breaks both, and so does another method or another order of its arguments: Rust is generated from both documents, if it can be,
/// and compared. The order of members, prose, and how a schema is split into components do not count; a renamed component is
/// listed, because its Rust type has another name.
///
/// The next version is a major one if anything breaks, a minor one if anything is added, and otherwise a patch. Before 1.0, it is a minor
/// one if anything breaks, and otherwise a patch.
///
/// --json prints an object with `format` (1), `bump` and `bump_before_1_0` (`major`, `minor`, `patch` or `none`), `counts` (by level) and
/// `changes`: a list of objects with `level` (`breaking`, `additive`, `neutral`), `kind`, `document` (`old` or `new`: the one that
/// `pointer` refers to), `pointer`, `in` (a list of `request` and `response`; empty for a change of the whole operation) and `message`.
#[derive(Args)]
#[command(after_long_help = change::kinds())]
pub(crate) struct Arguments {
    /// The document before: YAML, JSON, or a documentation page in Markdown.
    old: PathBuf,
    /// The document after, or the pages that make it.
    #[arg(required = true)]
    new: Vec<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Exit with 1 if there is a change of that level or above.
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Breaking,
    Additive,
    Neutral,
}

impl FailOn {
    fn level(self) -> Level {
        match self {
            Self::Breaking => Level::Breaking,
            Self::Additive => Level::Additive,
            Self::Neutral => Level::Neutral,
        }
    }
}

/// Exits with 0, with 1 if `--fail-on` applies, and with 2 for an unusable document.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let read = |files: &[PathBuf]| -> Result<Value> {
        let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let names = names.join(", ");
        let document = Source::new(&*names, page::united(files)?).parse()?;
        readable(&document).with_context(|| format!("{names} cannot be compared"))?;
        Ok(document)
    };
    let (old, new) = (read(std::slice::from_ref(&arguments.old))?, read(&arguments.new)?);
    let (changes, unmade) = compared(&old, &new)?;
    for Unmade { side, problems } in &unmade {
        tell!("signatures are not compared, because no Rust can be generated from the {side} document:");
        tell!("{problems}");
    }
    let failed = arguments.fail_on.is_some_and(|least| changes.iter().any(|it| it.level >= least.level()));
    let mut out = io::stdout().lock();
    let written = if arguments.json {
        writeln!(out, "{:#}", output::json(&changes))
    } else {
        output::lines(&changes, &mut out)
    };
    unless_closed(written).context("cannot write")?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Returns the operations that one text has and another has not; none, if one of them is not a document.
pub(super) fn gone(old: &str, new: &str) -> Vec<String> {
    let read = |text: &str| Source::new("", text).parse().ok().filter(|document| readable(document).is_ok());
    let (Some(old), Some(new)) = (read(old), read(new)) else {
        return Vec::new();
    };
    let documents = Documents { old: Document(&old), new: Document(&new) };
    operations::gone(documents)
}

/// Compares the operations of two documents, each separately. Both must be readable.
pub(super) fn each(old: &Value, new: &Value) -> Result<Vec<Compared>> {
    operations::each(Documents { old: Document(old), new: Document(new) })
}

/// Reports defaults for operations without their own declaration, if there are no such operations.
fn unused(documents: Documents<'_>, changes: &mut Changes) {
    for key in ["security", "servers"] {
        let own = |operation: &document::Operation<'_>| {
            operation.place.get(key).is_some() || (key == "servers" && operation.shared(key).is_some())
        };
        let used = |document: Document<'_>| !document.operations().iter().all(own);
        let (old, new) = (documents.old.root().get(key), documents.new.root().get(key));
        if !used(documents.old) && !used(documents.new) && !documents.alike(old, new) {
            let pointer = documents.new.root().pointer.child(key);
            let message = "each operation has its own";
            changes.add(Level::Neutral, Kind::DefaultUnused, (Side::New, &pointer), None, message);
        }
    }
}

/// Returns the changes in the new document. Both must be readable.
#[cfg(test)]
pub(super) fn changes(old: &Value, new: &Value) -> Result<Vec<Change>> {
    Ok(compared(old, new)?.0)
}

/// A document that no Rust can be generated from.
struct Unmade {
    side: &'static str,
    problems: Problems,
}

/// Returns the changes, and the documents that no Rust can be generated from: if there are any, there are no signatures to compare.
fn compared(old: &Value, new: &Value) -> Result<(Vec<Change>, Vec<Unmade>)> {
    if old == new {
        return Ok((all(old, new, None)?, Vec::new()));
    }
    let made = [("old", old), ("new", new)]
        .map(|(side, document)| Made::new(document.clone()).map_err(|problems| Unmade { side, problems }));
    Ok(match made {
        [Ok(before), Ok(after)] => (all(old, new, Some((&before, &after)))?, Vec::new()),
        made => (all(old, new, None)?, made.into_iter().filter_map(Result::err).collect()),
    })
}

/// Returns the changes between two documents that Rust has been generated from.
pub(super) fn changes_of_made(old: &Made, new: &Made) -> Result<Vec<Change>> {
    all(&old.document, &new.document, Some((old, new)))
}

fn all(old: &Value, new: &Value, made: Option<(&Made, &Made)>) -> Result<Vec<Change>> {
    let documents = Documents { old: Document(old), new: Document(new) };
    let mut changes = Changes::default();
    for (pointer, what) in [("/info/version", "the API's version"), ("/openapi", "the version of OpenAPI")] {
        let (old, new) = (old.pointer(pointer), new.pointer(pointer));
        if old != new {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            let message = format!("{what}: {} became {}", text(old), text(new));
            let pointer = suprsend_codegen::Pointer::from_text(pointer);
            changes.add(Level::Neutral, Kind::VersionChanged, (Side::New, &pointer), None, message);
        }
    }
    operations::compare(documents, &mut changes)?;
    unused(documents, &mut changes);
    let webhooks = |document: Document<'_>| document.root().get("webhooks").map(|it| it.pointer);
    let pointer = webhooks(documents.new).or_else(|| webhooks(documents.old));
    if let Some(pointer) = pointer
        && !documents.alike(documents.old.root().get("webhooks"), documents.new.root().get("webhooks"))
    {
        let message = "no code is generated for webhooks";
        changes.add(Level::Neutral, Kind::WebhooksChanged, (Side::New, &pointer), None, message);
    }
    refused::compare(documents, &mut changes);
    if let Some((old, new)) = made {
        signatures::compare(old, new, &mut changes)?;
    }
    Ok(changes.sorted())
}
