//! Imports users from a file: one profile a row, NDJSON or CSV.
//!
//! ```console
//! $ cargo run --release --example import -- users.ndjson
//! ```
//!
//! A row is what the API takes, with the user's id beside it:
//!
//! ```json
//! {"distinct_id": "user-1", "$email": ["jane@example.com"], "$timezone": "Europe/Paris", "plan": "pro", "seats": 3}
//! ```
//!
//! In CSV the first line names the columns. A cell is text, and an empty one is left out. A channel's cell may hold several
//! addresses with `;` between them. A column `seats:json` is the member `seats`, with JSON in its cells.
//!
//! Rows are sent several at a time and in no order, so a user has to stand in one row only: of two, either may come last.
//!
//! Rows that cannot be imported are written to `users.ndjson.rejected.ndjson`, each with the reason. What is done is noted in
//! `users.ndjson.checkpoint`, so that an import that was stopped or killed goes on when it is started again.
//!
//! With `SUPRSEND_API_KEY` set this talks to SuprSend (or to `SUPRSEND_BASE_URL`); without, to a hub that it starts itself.
//!
//! Exit codes: 0 all rows are imported, 1 some were rejected, 2 the import could not go on, 130 it was interrupted.

#[path = "import/arguments.rs"]
mod arguments;
#[path = "import/checkpoint.rs"]
mod checkpoint;
#[path = "import/ledger.rs"]
mod ledger;
#[path = "import/progress.rs"]
mod progress;
#[path = "import/rows.rs"]
mod rows;

use std::{cell::RefCell, iter, pin::pin, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Parser;
use suprsend::{API_KEY_VARIABLE, Client};
use suprsend_mock::Hub;
use tokio::{
    signal::ctrl_c,
    time::{MissedTickBehavior, interval},
};

use crate::{arguments::Arguments, ledger::Ledger, progress::Progress, rows::Rows};

/// How often the checkpoint is written: this much is sent again after a kill.
const CHECKPOINT: Duration = Duration::from_secs(1);

/// How an import ended.
enum End {
    Complete,
    Interrupted,
    /// With what the hub or the file system had against it.
    Broken(anyhow::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = if arguments.dry_run { check(&arguments) } else { import(&arguments).await };
    result.unwrap_or_else(|error| {
        eprintln!("import: {error:#}");
        ExitCode::from(2)
    })
}

/// Checks every row as an import would, and sends none.
fn check(arguments: &Arguments) -> Result<ExitCode> {
    let client = Client::from_api_key("nothing-is-sent")?;
    let progress = Progress::start(&arguments.input)?;
    let (mut valid, mut invalid) = (0_u64, 0_u64);
    for row in Rows::open(arguments, progress.bar())? {
        let row = row?;
        if row.is_blank() {
            continue;
        }
        let checked = row.upsert(&client, &arguments.id).and_then(|upsert| Ok(upsert.check()?));
        match checked {
            Ok(()) => valid += 1,
            Err(error) => {
                invalid += 1;
                progress.print(&format!("row {}: {error:#}", row.number));
            }
        }
    }
    progress.end(&format!("{valid} rows can be imported, {invalid} cannot; nothing was sent"));
    Ok(if invalid == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(arguments: &Arguments) -> Result<ExitCode> {
    // Kept until the end: the hub stops when it is dropped.
    let hub = match std::env::var_os(API_KEY_VARIABLE) {
        Some(_) => None,
        None => Some(Hub::start().await?),
    };
    let client = match &hub {
        Some(hub) => {
            eprintln!("{API_KEY_VARIABLE} is not set: using a hub of my own at {}", hub.url());
            Client::builder().base_url(hub.url()).api_key(hub.key()).build()?
        }
        None => Client::from_env()?,
    };
    let mut ledger = Ledger::open(arguments)?;
    let progress = Progress::start(&arguments.input)?;
    if let Some(line) = ledger.continued() {
        progress.note(&line);
    }
    let end = send(arguments, &client, &mut ledger, &progress).await?;
    match end {
        End::Complete => {
            let rejected = ledger.complete()?;
            progress.end(&ledger.totals());
            Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        End::Interrupted => {
            ledger.save()?;
            progress.end(&format!("{}; run the same command again to go on", ledger.totals()));
            Ok(ExitCode::from(130))
        }
        End::Broken(error) => {
            ledger.save()?;
            progress.end(&format!("{}; run the same command again to go on", ledger.totals()));
            Err(error)
        }
    }
}

/// Sends all rows that are not done yet.
async fn send(
    arguments: &Arguments,
    client: &Client,
    ledger: &mut Ledger,
    progress: &Progress,
) -> Result<End> {
    let mut rows = Rows::open(arguments, progress.bar())?;
    // The source notes the rows that it takes, while the outcomes of others are noted here.
    let ledger = RefCell::new(ledger);
    let upserts = iter::from_fn(|| ledger.borrow_mut().take(&mut rows, client));
    let outcomes = client.users().upsert_all(upserts);
    let outcomes = match arguments.concurrency {
        Some(calls) => outcomes.fixed_concurrency(calls),
        None => outcomes.adaptive_concurrency(1, arguments.max_concurrency),
    };
    let mut outcomes = match arguments.max_rate {
        Some(requests) => outcomes.max_rate(requests),
        None => outcomes,
    };

    let mut clock = interval(CHECKPOINT);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupted = false;
    // Waited for all the time, so that none is missed while something else is looked after.
    let mut interrupt = pin!(ctrl_c());
    loop {
        tokio::select! {
            outcome = outcomes.next() => match outcome {
                Some(outcome) => {
                    if ledger.borrow_mut().settle(outcome)?.is_break() {
                        outcomes.stop();
                    }
                }
                None => break,
            },
            _ = clock.tick() => {
                ledger.borrow_mut().save()?;
                progress.show(&outcomes.summary(), outcomes.concurrency());
            }
            signal = &mut interrupt => {
                signal.context("cannot wait for Ctrl-C")?;
                if interrupted {
                    // What is in flight may or may not be stored, and is sent again next time.
                    break;
                }
                interrupted = true;
                interrupt.set(ctrl_c());
                outcomes.stop();
                let in_flight = outcomes.summary().in_flight;
                progress.note(&format!("finishing {in_flight} calls in flight; Ctrl-C again drops them"));
            }
        }
    }
    progress.note(&outcomes.summary().to_string());
    drop(outcomes);
    Ok(match ledger.into_inner().broken() {
        Some(error) => End::Broken(error),
        None if interrupted => End::Interrupted,
        None => End::Complete,
    })
}
