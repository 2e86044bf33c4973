//! The output of the benchmarks: results as JSON or as tables, and exit codes.

use std::{fmt::Display, process::ExitCode};

use anyhow::Result;
use serde::Serialize;
use suprsend_console::{out, say, tell};

/// Prints results as JSON, or as tables.
pub fn show(results: &impl Serialize, tables: &impl Display, json: bool) -> Result<()> {
    if json {
        say!("{}", serde_json::to_string_pretty(results)?)?;
    } else {
        out(format_args!("{tables}"))?;
    }
    Ok(())
}

/// Returns the exit code: 0, it was measured, whatever that shows; 2, it was not. Prints the error in the latter case.
pub fn exit_code(result: Result<()>) -> ExitCode {
    result.map_or_else(
        |error| {
            tell!("{error:#}");
            ExitCode::from(2)
        },
        |()| ExitCode::SUCCESS,
    )
}
