//! Imports users from a file with one profile per row, in NDJSON or CSV.
//!
//! ```console
//! $ cargo run --release --example import -- users.ndjson
//! ```
//!
//! A row contains what the API accepts, and the user's id:
//!
//! ```json
//! {"distinct_id": "user-1", "$email": ["jane@example.com"], "$timezone": "Europe/Paris", "plan": "pro", "seats": 3}
//! ```
//!
//! In CSV, the first line names the columns. A cell is text, and empty cells are ignored. A cell of a channel may contain several
//! addresses, separated by `;`. A column `seats:json` sets the member `seats`, with JSON in its cells.
//!
//! Nothing is guessed. A row with a duplicate key, a number that would be rounded, or an id that is neither a string nor an integer is
//! rejected. Two columns of one name, or a quote that is not closed, end the import.
//!
//! Rows are sent concurrently and in no particular order, so each user must have only one row. If there are two, either may win.
//!
//! Rejected rows are written to `users.ndjson.rejected.ndjson`, each with the reason. Correct them there and import them with
//! `--retry-rejected users.ndjson.rejected.ndjson`. Progress is stored in `users.ndjson.checkpoint`, so an import that was stopped or
//! killed resumes when it is started again, with the same API key and base URL. Rows that failed because of the API or the connection are
//! not done: the next run sends them.
//!
//! `--ingest` sends up to 400 rows in a request, which is many times faster. The API accepts such rows and stores them later: an imported
//! row is one that was accepted, and errors that the API finds later appear only in the logs on its dashboard. Addresses are added to those
//! that a user already has. The UID of the workspace, which is part of every record, is read from `SUPRSEND_WORKSPACE`.
//!
//! With `SUPRSEND_API_KEY` set, this talks to SuprSend (or to `SUPRSEND_BASE_URL`); without it, to a mock server that it starts, and there
//! is no checkpoint.
//!
//! Exit codes: 0 all rows are imported, 1 some were rejected, 2 the import cannot continue, 3 some rows are not done because of the API or
//! the connection, 130 it was interrupted, 141 its output was closed.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away")]

#[path = "import/arguments.rs"]
mod arguments;
#[path = "import/checkpoint.rs"]
mod checkpoint;
#[path = "import/exact.rs"]
mod exact;
#[path = "import/files.rs"]
mod files;
#[path = "import/ledger.rs"]
mod ledger;
#[path = "import/progress.rs"]
mod progress;
#[path = "import/quotes.rs"]
mod quotes;
#[path = "import/rows.rs"]
mod rows;
#[path = "import/sending.rs"]
mod sending;

use std::{
    cell::RefCell,
    fs::File,
    io::{self, ErrorKind, Read, Write},
    pin::pin,
    process::ExitCode,
    task::Poll,
    time::Duration,
};

use anyhow::{Context, Error, Result, bail};
use clap::Parser;
use futures_util::stream;
use indicatif::ProgressBarIter;
use serde_json::Value;
use suprsend::{API_KEY_VARIABLE, Client, WORKSPACE_VARIABLE};
use suprsend_mock::Hub;
use tokio::{
    signal::ctrl_c,
    time::{MissedTickBehavior, interval},
};

use crate::{
    arguments::Arguments,
    checkpoint::Target,
    files::Version,
    ledger::{Ledger, Next, Settled},
    progress::Progress,
    rows::{Content, Rows},
    sending::Outcomes,
};

/// The interval between checkpoints. After a kill, the rows of one interval are sent again.
const CHECKPOINT: Duration = Duration::from_secs(1);
/// The exit code with which a shell reports a closed pipe.
const NOT_READ: u8 = 141;

/// The result of an import.
enum End {
    Complete,
    Interrupted,
    /// Rows are not done, because of an outage of the API or the connection.
    NotDone(Error),
    /// The import cannot continue because of the key, the input or the file system.
    Broken(Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = if arguments.dry_run { check(&arguments) } else { import(&arguments).await };
    result.unwrap_or_else(|error| {
        if error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe) {
            return ExitCode::from(NOT_READ);
        }
        complain(&error);
        ExitCode::from(2)
    })
}

fn complain(error: &Error) {
    // If writing fails, the exit code must suffice.
    let _ = writeln!(io::stderr(), "import: {error:#}");
}

/// The input, which is locked by this import.
struct Input {
    version: Version,
    progress: Progress,
    rows: Rows<ProgressBarIter<File>>,
}

impl Input {
    fn open(arguments: &Arguments) -> Result<Self> {
        let input = arguments.input();
        let version = Version::from_path(input)?;
        let file = files::open_input(input)?;
        let progress = Progress::start(version.bytes)?;
        let rows = Rows::new(progress.bar().wrap_read(file), arguments.format(), &arguments.id)
            .with_context(|| format!("cannot read {}", input.display()))?;
        Ok(Self { version, progress, rows })
    }
}

/// Validates every row as an import would, without sending any.
fn check(arguments: &Arguments) -> Result<ExitCode> {
    let client = Client::from_api_key("nothing-is-sent")?;
    let Input { version, progress, rows } = Input::open(arguments)?;
    let (mut good, mut rejected) = (0_u64, 0_u64);
    for row in rows {
        let row = row?;
        let checked = match row.content {
            Content::Blank => continue,
            Content::Unreadable(reason) => Err(reason),
            Content::User(user) => {
                let upsert = client.users().upsert(user.id).with_json(Value::Object(user.members));
                upsert.check().map_err(|error| error.to_string())
            }
        };
        match checked {
            Ok(()) => good += 1,
            Err(reason) => {
                rejected += 1;
                progress.print(&format!("row {}: {reason}", row.origin))?;
            }
        }
    }
    files::assert_whole(arguments.input(), &version, progress.bar().position())?;
    progress.end(&format!("{good} rows can be imported, {rejected} would be rejected; nothing was sent"))?;
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(arguments: &Arguments) -> Result<ExitCode> {
    let Input { version, progress, rows } = Input::open(arguments)?;
    // Kept until the end: the mock server stops when it is dropped.
    let hub = match std::env::var_os(API_KEY_VARIABLE) {
        Some(_) => None,
        None => Some(Hub::start().await?),
    };
    let client = match &hub {
        Some(hub) => {
            progress.note(&format!("{API_KEY_VARIABLE} is not set: using a mock server at {}", hub.url()));
            Client::builder().base_url(hub.url()).api_key(hub.key()).workspace("a-workspace-uid").build()?
        }
        None if arguments.ingest && std::env::var_os(WORKSPACE_VARIABLE).is_none() => {
            // Every row would be rejected without it.
            bail!(
                "{WORKSPACE_VARIABLE} is not set: --ingest needs the UID of the workspace, which the dashboard shows"
            );
        }
        None => Client::from_env()?,
    };
    let target = hub.is_none().then(Target::from_env);
    let mut ledger = Ledger::open(arguments, version, target)?;
    if let Some(line) = ledger.continued() {
        progress.note(&line);
    }
    let end = match send(arguments, &client, &mut ledger, rows, &progress).await? {
        End::Complete => match ledger.assert_whole(progress.bar().position()) {
            Ok(()) => End::Complete,
            Err(error) => End::Broken(error),
        },
        end => end,
    };
    let (code, error) = match end {
        End::Complete => {
            let rejected = ledger.complete()?;
            progress.end(&ledger.totals())?;
            return Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        End::Interrupted => (130, None),
        End::NotDone(error) => (3, Some(error)),
        End::Broken(error) => (2, Some(error)),
    };
    ledger.save()?;
    let next = if ledger.is_resumable() {
        "run the same command again to resume"
    } else {
        "the next run begins with the first row, since the mock server is gone"
    };
    let told = progress.end(&format!("{}; {next}", ledger.totals()));
    if let Some(error) = error {
        complain(&error);
    }
    told?;
    Ok(ExitCode::from(code))
}

/// Sends all rows that are not yet done.
async fn send(
    arguments: &Arguments,
    client: &Client,
    ledger: &mut Ledger,
    mut rows: Rows<impl Read>,
    progress: &Progress,
) -> Result<End> {
    // The source records the rows that it takes, while outcomes of other rows are recorded here.
    let ledger = RefCell::new(ledger);
    let mut begun = false;
    let upserts = stream::poll_fn(|context| match ledger.borrow_mut().next(&mut rows, client) {
        Next::Send(row, upsert) => {
            if !begun {
                progress.begin();
                begun = true;
            }
            Poll::Ready(Some(((row, upsert.distinct_id().to_owned()), upsert)))
        }
        // Gives the clock and Ctrl-C a turn, even if many consecutive rows are not sent.
        Next::Later => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Next::End => Poll::Ready(None),
    });
    let mut outcomes = Outcomes::new(client, arguments, upserts);

    let mut clock = interval(CHECKPOINT);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupted = false;
    let mut first_failure = None;
    let mut stopped = None;
    let mut outage_is_told = false;
    // Created once, so that no signal is missed while something else is handled.
    let mut interrupt = pin!(ctrl_c());
    loop {
        tokio::select! {
            // Ctrl-C comes first, so that it works from the first row on.
            biased;
            signal = &mut interrupt => {
                signal.context("cannot wait for Ctrl-C")?;
                if interrupted {
                    // Rows in flight may or may not be stored, and are sent again next time.
                    break;
                }
                interrupted = true;
                interrupt.set(ctrl_c());
                outcomes.stop();
                let in_flight = outcomes.summary().in_flight;
                let what = if arguments.ingest { "records" } else { "calls" };
                progress.note(&format!("finishing {in_flight} {what} in flight; Ctrl-C again drops them"));
            }
            _ = clock.tick() => {
                ledger.borrow_mut().save()?;
                match outcomes.outage() {
                    Some(outage) if !outage_is_told => {
                        let most = arguments.max_outage;
                        progress.note(&format!("waiting for the API, for up to {most} s: {}", outage.cause()));
                    }
                    _ => {}
                }
                outage_is_told = outcomes.outage().is_some();
                progress.show(&format!("{}, {:.0}/s", ledger.borrow().counts(), outcomes.summary().rate()));
            }
            outcome = outcomes.next() => {
                let Some((row, result)) = outcome else { break };
                let settled = ledger.borrow_mut().settle(row, result)?;
                match settled {
                    Settled::Done => {}
                    Settled::NotDone(reason) => {
                        if first_failure.is_none() {
                            progress.note(&reason);
                            first_failure = Some(reason);
                        }
                    }
                    Settled::Stop(reason) => {
                        stopped.get_or_insert(reason);
                        outcomes.stop();
                    }
                }
            }
        }
    }
    let summary = outcomes.summary();
    progress.note(&format!(
        "{} {} and {} retries in {:.1} s ({:.0} a second)",
        summary.finished(),
        if arguments.ingest { "records" } else { "calls" },
        summary.retries,
        summary.duration.as_secs_f64(),
        summary.rate()
    ));
    drop(outcomes);
    let ledger = ledger.into_inner();
    Ok(match (ledger.broken(), stopped.or(first_failure)) {
        (Some(error), _) => End::Broken(error),
        _ if interrupted => End::Interrupted,
        (None, Some(reason)) if ledger.not_done() > 0 => End::NotDone(Error::msg(reason)),
        _ => End::Complete,
    })
}
