//! The hub and the SDK against clients and a server that nobody here wrote. `cargo xtask conformance` runs it.
//!
//! Exit codes: 0, every row passed; 1, one did not; 2, nothing could be run.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

mod process;
mod rows;
mod tools;
mod users;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Parser;
use suprsend_console::{say, tell};

use crate::{rows::Row, tools::Tools, users::User};

/// Tests the mock server and the SDK against independent clients and servers, and prints a table.
#[derive(Parser)]
#[command(name = "cargo xtask conformance", bin_name = "cargo xtask conformance")]
struct Arguments {
    /// Install the clients into this folder and keep them for the next run, instead of in a temporary folder.
    #[arg(long, value_name = "FOLDER")]
    tools: Option<PathBuf>,
    /// Run only the rows whose client or counterpart has this in its name, such as `prism`.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every row passed.
async fn run(arguments: Arguments) -> Result<bool> {
    let tools = Tools::install(arguments.tools).await?;
    let users = users::read()?;
    let mut outcomes = Vec::new();
    let only = arguments.only.unwrap_or_default().to_lowercase();
    let is_wanted = |row: &Row| {
        [row.title(&tools), row.against().to_owned()].iter().any(|name| name.to_lowercase().contains(&only))
    };
    for row in Row::ALL.into_iter().filter(is_wanted) {
        outcomes.push(Outcome::run(row, &tools, &users).await);
    }
    if outcomes.is_empty() {
        bail!("no row has `{only}` in its name");
    }
    print_table(&outcomes)?;
    for Outcome { title, result, .. } in &outcomes {
        if let Err(error) = result {
            tell!("\n{title}: {error:#}");
        }
    }
    Ok(outcomes.iter().all(|outcome| outcome.result.is_ok()))
}

/// What became of a row.
struct Outcome {
    title: String,
    against: &'static str,
    /// What was shown, in a few words.
    result: Result<String>,
    time: Duration,
}

impl Outcome {
    /// Runs a row, and times it.
    async fn run(row: Row, tools: &Tools, users: &[User]) -> Self {
        let title = row.title(tools);
        tell!("running {title}");
        let start = Instant::now();
        let result = row.run(tools, users).await;
        Self { title, against: row.against(), result, time: start.elapsed() }
    }
}

fn print_table(outcomes: &[Outcome]) -> Result<()> {
    let widest = outcomes.iter().map(|outcome| outcome.title.chars().count()).max().unwrap_or_default();
    say!("{:<widest$}  {:<8}  {:<6}  {:>7}  shows", "client", "against", "result", "time")?;
    for Outcome { title, against, result, time } in outcomes {
        let (word, shows) = match result {
            Ok(shows) => ("passed", shows.as_str()),
            Err(_) => ("FAILED", "see below"),
        };
        say!("{title:<widest$}  {against:<8}  {word:<6}  {:>5.1} s  {shows}", time.as_secs_f32())?;
    }
    Ok(())
}
