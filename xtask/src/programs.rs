//! Commands that are separate programs, because they need what the others do without: the compiled SDK, the mock server, optimization.
//!
//! This tool can therefore be built, and can import, generate and compare, even if the SDK does not build.

use std::{ffi::OsString, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::project::{cargo_here, root};

/// A package of the workspace that is such a program.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Bench,
    Conformance,
    Drift,
    Page,
    Soak,
}

/// The arguments of the command.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Arguments of the program; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(crate) fn run(program: Program, arguments: &Arguments) -> Result<ExitCode> {
    // Selected by the name of the program, so that its dependencies are those that the workspace is tested with. The benchmark, however,
    // measures the SDK as users have it, with no more features than its own package needs.
    let (selection, name, profile) = match program {
        Program::Bench => ("--package", "suprsend-bench", "release"),
        Program::Conformance => ("--bin", "suprsend-conformance", "dev"),
        Program::Drift => ("--bin", "suprsend-drift", "dev"),
        Program::Page => ("--bin", "suprsend-page", "dev"),
        Program::Soak => ("--bin", "suprsend-soak", "dev"),
    };
    // Runs in the caller's folder, so that relative paths keep their meaning.
    let mut command = cargo_here();
    command.args(["run", "--quiet", "--profile", profile, selection, name, "--manifest-path"]);
    command.arg(root().join("Cargo.toml")).arg("--").args(&arguments.arguments);
    let status = command.status().context("cannot run cargo")?;
    // A program that was terminated by a signal has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
