//! `cargo xtask bench`: what an upsert costs with the SDK, beside what it costs without it.
//!
//! What it runs is a program of its own, in `crates/bench`, optimized as the other commands need not be.

use std::{
    env,
    ffi::OsString,
    process::{self, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::project::root;

#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What the benchmark is told; `--help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut command = process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--quiet", "--release", "--package", "suprsend-bench", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .arg("--")
        .args(&arguments.arguments);
    let status = command.status().context("cannot run cargo")?;
    // A program that was ended by a signal has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
