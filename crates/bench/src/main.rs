//! The benchmark. `cargo xtask bench` runs it; see the README beside this package.
//!
//! Exit codes: 0, it was measured, whatever that shows; 2, it was not.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

use std::{
    env, fs,
    num::NonZero,
    path::PathBuf,
    process::{Command, ExitCode},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use suprsend_bench::{
    aims, builds,
    client::{self, Task},
    output,
    peers::Peers,
    plot, process,
    results::{Machine, Results},
    server,
    table::{ManyTable, Tables},
    turns::{self, Plan, Server},
};
use suprsend_console::say;

/// Measures the cost of an upsert with the SDK, without it, and with other SDKs.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", args_conflicts_with_subcommands = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the program")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Measure less, in under two minutes: numbers are rough, and crates are counted but not built.
    #[arg(long)]
    quick: bool,
    /// Measure the official Node and Python SDKs too. Needs node, npm, python3 and their registries.
    #[arg(long)]
    peers: bool,
    /// Measure bulk sending instead, to a server that takes this many milliseconds to respond; with --peers also that of the official
    /// SDKs.
    #[arg(long, value_name = "MS", conflicts_with_all = ["quick", "svg", "from"])]
    latency: Option<u64>,
    /// Number of records to send by each bulk method.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, requires = "latency")]
    records: u64,
    /// Instead of that, take the time of generating from documents of several sizes, with things in them that cannot be generated.
    #[arg(long, conflicts_with_all = ["quick", "peers", "latency", "svg", "from"])]
    pipeline: bool,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Draw the results into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Show the results of an earlier run from its JSON, instead of measuring.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "peers"])]
    from: Option<PathBuf>,
}

/// The parts that run in processes of their own.
#[derive(Subcommand)]
enum Part {
    /// Answer upserts until stdin ends.
    #[command(hide = true)]
    Serve {
        /// Latency of the server, in milliseconds.
        #[arg(long, default_value_t = 0)]
        latency: u64,
    },
    /// Upsert users, and print what it took.
    #[command(hide = true)]
    Client(Task),
}

fn main() -> ExitCode {
    output::exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.part {
        Some(Part::Serve { latency }) => on_one_thread(server::serve(Duration::from_millis(*latency))),
        Some(Part::Client(task)) => {
            say!("{}", serde_json::to_string(&on_one_thread(client::run(task))?)?)?;
            Ok(())
        }
        None if arguments.latency.is_some() => many(arguments),
        None if arguments.pipeline => pipeline(arguments.json),
        None => show(arguments, &results(arguments)?),
    }
}

fn many(arguments: &Arguments) -> Result<()> {
    let peers = arguments.peers.then(Peers::install).transpose()?;
    let rows = turns::many(arguments.latency.unwrap_or_default(), arguments.records, peers.as_ref())?;
    output::show(&rows, &ManyTable(&rows), arguments.json)
}

/// Runs the benchmark of the generator, which is a program of its own, so that the SDK is measured without the features that the generator's
/// dependencies have.
fn pipeline(json: bool) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--release", "--package", "suprsend-bench-pipeline", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
    if json {
        cargo.args(["--", "--json"]);
    }
    ensure!(cargo.status().context("cannot run cargo")?.success(), "the generator was not measured");
    Ok(())
}

fn show(arguments: &Arguments, results: &Results) -> Result<()> {
    if let Some(file) = &arguments.svg {
        fs::write(file, plot::svg(results)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    output::show(results, &Tables(results), arguments.json)
}

fn results(arguments: &Arguments) -> Result<Results> {
    let Some(file) = &arguments.from else { return measure(arguments) };
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} holds no results", file.display()))
}

fn measure(arguments: &Arguments) -> Result<Results> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let peers = if arguments.peers { Some(Peers::install()?) } else { None };
    let programs = builds::Programs::prepare()?;
    let mut server = Server::start(0)?;
    let upserts = turns::upserts(&mut server, plan, peers.as_ref())?;
    let scale = turns::scale(&mut server, plan)?;
    drop(server);
    let builds = programs.measure(arguments.quick)?;
    let aims = aims::judge(&upserts, &scale, &builds);
    let machine = Machine {
        processor: process::processor().unwrap_or_else(|| "unknown processor".to_owned()),
        cores: thread::available_parallelism().map_or(1, NonZero::get),
        system: env::consts::OS.to_owned(),
    };
    Ok(Results {
        machine,
        quick: arguments.quick,
        repetitions: plan.repetitions,
        upserts,
        scale,
        builds,
        aims,
    })
}

/// One thread for the server and one for a client: what is measured is work, not how work moves between threads.
fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
