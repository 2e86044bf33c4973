//! The outbox as a command-line program; see `suprsend-outbox --help`.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away")]

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;
use sqlx::{PgPool, postgres::PgPoolOptions};
use suprsend::ClientBuilder;
use suprsend_outbox::{DeadLetter, Outbox};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The number of dead letters to read at a time.
const PAGE: u32 = 1000;
/// The exit code if there are dead letters (with `--check`), or if a named one does not exist.
const FOUND: u8 = 3;

/// A transactional outbox on PostgreSQL for SuprSend.
///
/// Programs insert messages into the table `messages` in their own transactions; workers send what was committed. The contract of the table
/// is described in the documentation of the crate `suprsend-outbox`.
///
/// Exit codes: 0 success, 1 failure, 2 wrong arguments, 3 dead letters (`dead --check`) or an unknown one (`retry`).
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Format of the log on stderr.
    #[arg(long, global = true, value_enum, default_value_t = Format::Json, value_name = "FORMAT")]
    log: Format,
    /// Log filter: a level, or levels by target, such as `warn,suprsend_outbox=debug`.
    #[arg(
        long,
        global = true,
        env = "SUPRSEND_OUTBOX_LOG",
        default_value = "info,graphile_worker=warn,sqlx=warn",
        value_name = "FILTER"
    )]
    log_filter: Targets,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Database {
    /// URL of the database.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Schema of the outbox. The schema of its queue has the same name followed by `_queue`.
    #[arg(long, global = true, default_value = "suprsend_outbox", value_name = "NAME")]
    schema: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Text,
}

#[derive(Subcommand)]
enum Command {
    /// Creates or updates the tables. Can be run again.
    Migrate,
    /// Sends messages until SIGINT or SIGTERM, then finishes those in flight.
    ///
    /// The API key is taken from SUPRSEND_API_KEY, and another host from SUPRSEND_BASE_URL.
    Work(Work),
    /// Prints the dead letters.
    Dead {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        /// Exit with 3 if there are any.
        #[arg(long)]
        check: bool,
    },
    /// Enqueues dead letters again.
    Retry {
        /// Ids of the dead letters.
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// Retry all dead letters.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Args)]
struct Work {
    /// Maximum number of messages in flight.
    #[arg(long, default_value_t = 32, value_name = "NUMBER")]
    concurrency: usize,
    /// Maximum number of requests per second.
    #[arg(long, value_name = "NUMBER")]
    max_rate: Option<u32>,
    /// Failed deliveries after which a message goes to the dead letters.
    #[arg(long, default_value_t = 25, value_name = "NUMBER")]
    max_attempts: u32,
    /// Seconds that messages in flight may take when the worker stops.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    grace: u64,
    /// Seconds after which the messages of a silent worker are taken over; must be the same for all workers.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    take_over_after: u64,
    /// UID of the workspace, which some operations need.
    #[arg(long, env = "SUPRSEND_WORKSPACE", value_name = "UID")]
    workspace: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.log, arguments.log_filter.clone());
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(run(arguments)));
    ended.unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "failed");
        ExitCode::FAILURE
    })
}

fn log(format: Format, filter: Targets) {
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match format {
        Format::Json => registry
            .with(layer.json().flatten_event(true).with_current_span(false).with_span_list(false))
            .init(),
        Format::Text => registry.with(layer.with_ansi(false)).init(),
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let outbox = Outbox::new(connect(&arguments.database)?).schema(arguments.database.schema)?;
    match arguments.command {
        Command::Migrate => {
            outbox.migrate().await?;
            tracing::info!("migrated");
        }
        Command::Work(work) => self::work(&outbox, work).await?,
        Command::Dead { json, check } => {
            let any = dead(&outbox, json).await?;
            if check && any {
                return Ok(FOUND.into());
            }
        }
        Command::Retry { ids, all } => {
            let done = if all { outbox.retry_all().await? } else { outbox.retry(&ids).await? };
            print(format_args!("{done} enqueued again"))?;
            if !all && usize::try_from(done).is_ok_and(|done| done < ids.len()) {
                return Ok(FOUND.into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn connect(database: &Database) -> Result<PgPool> {
    let url = database.database_url.as_deref();
    let url = url.context("the database is not named: pass --database-url, or set DATABASE_URL")?;
    // A worker waits until an unreachable database is back; everything else fails after this time.
    let pool =
        PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10)).connect_lazy(url);
    pool.context("the database URL cannot be read")
}

async fn work(outbox: &Outbox, work: Work) -> Result<()> {
    let mut builder = ClientBuilder::from_env()?.app_info("suprsend-outbox", env!("CARGO_PKG_VERSION"));
    if let Some(workspace) = work.workspace {
        builder = builder.workspace(workspace);
    }
    let client = builder.build().context("cannot set up the client")?;
    let mut worker = outbox
        .worker(client)
        .concurrency(work.concurrency)
        .max_attempts(work.max_attempts)
        .grace(Duration::from_secs(work.grace))
        .take_over_after(Duration::from_secs(work.take_over_after));
    if let Some(rate) = work.max_rate {
        worker = worker.max_rate(rate);
    }
    let signal = end_signal().context("cannot wait for signals")?;
    worker.run(signal).await?;
    Ok(())
}

/// Completes with the first signal that asks the program to terminate.
#[cfg(unix)]
fn end_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
fn end_signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Prints the dead letters. Returns true if there are any.
async fn dead(outbox: &Outbox, json: bool) -> Result<bool> {
    let mut after = None;
    loop {
        let page = outbox.dead_letters(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id());
        for letter in &page {
            let is_read = if json { print(as_json(letter)) } else { print(letter) };
            if !is_read? {
                return Ok(true);
            }
        }
    }
    Ok(after.is_some())
}

/// Prints a line. Returns whether somebody is still reading.
fn print(line: impl Display) -> Result<bool> {
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot print"),
    }
}

fn as_json(letter: &DeadLetter) -> serde_json::Value {
    json!({
        "id": letter.id(), "operation": letter.operation(), "created_at": letter.created_at(), "died_at": letter.died_at(),
        "attempts": letter.attempts(), "kind": letter.kind(), "status": letter.status(), "error": letter.error(),
    })
}
