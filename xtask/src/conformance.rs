//! `cargo xtask conformance`: the hub and the SDK against clients and a server that nobody here wrote.
//!
//! What it runs is a program of its own, in `conformance/`: it needs the SDK and the hub, which the other commands do without.

use std::{
    env,
    path::PathBuf,
    process::{self, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::project::root;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Install the clients there and keep them for the next run, instead of in a temporary folder.
    #[arg(long, value_name = "FOLDER")]
    tools: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut command = process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--quiet", "--package", "suprsend-conformance", "--manifest-path"])
        .arg(root().join("Cargo.toml"));
    if let Some(tools) = &arguments.tools {
        command.args(["--", "--tools"]).arg(tools);
    }
    let status = command.status().context("cannot run cargo")?;
    // A program that was ended by a signal has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
