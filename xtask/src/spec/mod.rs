//! `cargo xtask spec`: shows what a new upstream document changes, and imports it.

mod attempt;
mod diff;
#[cfg(test)]
mod fuzz;
mod habits;
mod import;
mod overlays;
mod page;
mod replace;
mod retire;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Diff(diff::Arguments),
    Import(import::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Diff(arguments) => diff::run(arguments),
        Command::Import(arguments) => import::run(arguments),
    }
}
