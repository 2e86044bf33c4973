//! The benchmark of the generator. `cargo xtask bench --pipeline` runs it.
//!
//! It is a program of its own, because the generator's dependencies have features that change what the SDK costs: with it, JSON objects
//! remember the order of their members.
//!
//! Exit codes: 0, it was measured, whatever that shows; 2, it was not.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

mod measure;
mod table;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use suprsend_bench::output;

/// Measures the time of generating from documents of several sizes.
#[derive(Parser)]
#[command(name = "cargo xtask bench --pipeline", bin_name = "cargo xtask bench --pipeline")]
struct Arguments {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    output::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let rows = measure::measure()?;
    output::show(&rows, &table::Table(&rows), arguments.json)
}
