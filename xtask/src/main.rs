//! The maintainers' tool. `cargo xtask --help` lists the commands; each has its own file.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

mod features;
mod generate;
mod lower;
mod operations;
mod package;
mod programs;
mod project;
mod spec;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use suprsend_console::tell;

use crate::programs::Program;

/// Tools for maintainers of the SuprSend SDK.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the cost of an upsert with the SDK, without it, and with other SDKs.
    Bench(programs::Arguments),
    /// Test the mock server and the SDK against independent clients and servers.
    Conformance(programs::Arguments),
    /// Compare the generated code with the corrected document.
    Drift(programs::Arguments),
    /// Build the SDK with each feature and with all of them, and check the dependencies of each.
    Features(features::Arguments),
    /// Write the committed snapshot of the generated code, or compare it.
    Generate(generate::Arguments),
    /// Print the document lowered to OpenAPI 3.0.3, and a report of the losses.
    Lower(lower::Arguments),
    /// Print all operations, with the SDK's method, the source and the retries of each.
    Operations(operations::Arguments),
    /// Pack the published crates, and use them from a program outside the workspace.
    Package(package::Arguments),
    /// Test the mock server's page in a browser, and take pictures of it.
    Page(programs::Arguments),
    /// Send streams of calls to a mock server that fails at random.
    Soak(programs::Arguments),
    /// Compare or import upstream documents.
    Spec(spec::Arguments),
}

/// Exit codes: 0 success, 1 findings, 2 unusable input.
fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Bench(arguments) => programs::run(Program::Bench, &arguments),
        Command::Conformance(arguments) => programs::run(Program::Conformance, &arguments),
        Command::Drift(arguments) => programs::run(Program::Drift, &arguments),
        Command::Features(arguments) => features::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Lower(arguments) => lower::run(&arguments),
        Command::Operations(arguments) => operations::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Page(arguments) => programs::run(Program::Page, &arguments),
        Command::Soak(arguments) => programs::run(Program::Soak, &arguments),
        Command::Spec(arguments) => spec::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        tell!("{error:#}");
        ExitCode::from(2)
    })
}
