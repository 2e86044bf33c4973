//! The maintainers' tool. `cargo xtask --help` lists the commands; each has a file of its own.

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
    /// Measure what an upsert costs with the SDK, beside what it costs without it.
    Bench(programs::Arguments),
    /// Run the hub and the SDK against clients and a server that nobody here wrote.
    Conformance(programs::Arguments),
    /// Compare the generated code with the corrected document.
    Drift(programs::Arguments),
    /// Build the SDK with each feature, each pair and all, and compare what each brings with what it should.
    Features(features::Arguments),
    /// Write the committed snapshot of the generated code, or compare it.
    Generate(generate::Arguments),
    /// Print the document lowered to OpenAPI 3.0.3, and what that lost.
    Lower(lower::Arguments),
    /// Print all operations, each with the SDK's method, its source, and whether it is sent again.
    Operations(operations::Arguments),
    /// Pack the published crates, and use them from a program outside the workspace.
    Package(package::Arguments),
    /// Try the hub's page in a browser, and make pictures of it.
    Page(programs::Arguments),
    /// Send streams of calls to a hub that misbehaves at random.
    Soak(programs::Arguments),
    /// Compare a document of upstream's with another, or make it the project's own.
    Spec(spec::Arguments),
}

/// Exit codes: 0 is well, 1 is a finding, 2 is input that cannot be used.
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
