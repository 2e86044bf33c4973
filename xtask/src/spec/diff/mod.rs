//! `cargo xtask spec diff`: what another document means for users of the crate.
//!
//! Both documents are read ([`document`]); operations are matched and compared ([`operations`], [`parameters`], [`bodies`],
//! [`responses`], [`security`], [`servers`]); so are the schemas that they lead to, in the direction in which they lead there ([`schema`], by
//! what they say rather than by how that is written: [`view`]). All of it adds to the [`change`]s, which are printed
//! ([`output`]). What the new document says and cannot be generated breaks, whatever else is said of it ([`refused`]).

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
use suprsend_codegen::{Source, readable};
use suprsend_console::unless_closed;

use self::document::{Document, Documents};
pub(super) use self::{
    change::{Change, Changes, Kind, Level, Side},
    operations::Compared,
    output::lines,
};
use super::page;

/// List what another document changes for users of the crate.
///
/// What counts is what a program that uses the crate notices. In requests that is what may be sent, in responses what may come and
/// which Rust type it has: a new required field breaks requests but not responses, and a smaller maximum
/// breaks what is sent, not what is read. Where the Rust type is another, both break. The order of members, prose, and how a schema is split into components do not
/// count; a component of another name is listed, since its Rust type is called otherwise.
///
/// The version that follows is the next major one if anything breaks, the next minor one if anything is added, else the
/// next patch; before 1.0 the next minor one if anything breaks, else the next patch.
///
/// --json prints an object with `format` (1), `bump` and `bump_before_1_0` (`major`, `minor`, `patch` or `none`), `counts` (by
/// level) and `changes`: a list of objects with `level` (`breaking`, `additive`, `neutral`), `kind`, `document` (`old`
/// or `new`: the one that `pointer` leads into), `pointer`, `in` (a list of `request` and `response`; empty if it is about the
/// operation as a whole) and `message`.
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

/// Exits with 0, with 1 if `--fail-on` says so, and with 2 for a document that cannot be used.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let read = |files: &[PathBuf]| -> Result<Value> {
        let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let names = names.join(", ");
        let document = Source::new(&*names, page::united(files)?).parse()?;
        readable(&document).with_context(|| format!("{names} cannot be compared"))?;
        Ok(document)
    };
    let changes = changes(&read(std::slice::from_ref(&arguments.old))?, &read(&arguments.new)?)?;
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

/// The operations that one text has and another has not; none, if one of them is no document.
pub(super) fn gone(old: &str, new: &str) -> Vec<String> {
    let read = |text: &str| Source::new("", text).parse().ok().filter(|document| readable(document).is_ok());
    let (Some(old), Some(new)) = (read(old), read(new)) else {
        return Vec::new();
    };
    let documents = Documents { old: Document(&old), new: Document(&new) };
    operations::gone(documents)
}

/// Compares the operations of two documents, each for itself. Both have to be readable.
pub(super) fn each(old: &Value, new: &Value) -> Result<Vec<Compared>> {
    operations::each(Documents { old: Document(old), new: Document(new) })
}

/// What the document says for operations that say nothing of their own, where there are none.
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

/// What is different in the new document. Both have to be readable.
pub(super) fn changes(old: &Value, new: &Value) -> Result<Vec<Change>> {
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
    Ok(changes.sorted())
}
