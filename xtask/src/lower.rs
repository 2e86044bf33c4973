//! `cargo xtask lower`: prints the document lowered to OpenAPI 3.0.3, and what was lost.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use suprsend_codegen::lower;
use suprsend_console::{err, out};

use crate::project::Input;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Write the lowered document to this file, as JSON, instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the document to stdout or to the file, and the report to stderr.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let lowered = arguments.input.work(lower)?;
    let text = format!("{:#}\n", lowered.document);
    match &arguments.out {
        Some(out) => fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?,
        None => out(format_args!("{text}"))?,
    }
    err(format_args!("{}", lowered.report));
    Ok(ExitCode::SUCCESS)
}
