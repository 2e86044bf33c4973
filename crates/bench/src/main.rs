//! The benchmark. `cargo xtask bench` runs it; see the README beside this package.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use suprsend_bench::{
    client::{self, Task},
    server,
};

/// Measures what an upsert costs with the SDK, beside what it costs without it, and prints a table.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts that run in processes of their own.
#[derive(Subcommand)]
enum Part {
    /// Answer upserts until stdin ends.
    #[command(hide = true)]
    Serve,
    /// Upsert users, and print what it took.
    #[command(hide = true)]
    Client(Task),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.part {
        Some(Part::Serve) => on_one_thread(server::serve()),
        Some(Part::Client(task)) => {
            println!("{}", serde_json::to_string(&on_one_thread(client::run(&task))?)?);
            Ok(())
        }
        None => Ok(()),
    }
}

/// One thread for the server and one for a client: what is measured is work, not how work moves between threads.
fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
