//! Promotes the live content of one workspace to another: preference categories, schemas, events, translations, templates and workflows.
//!
//! ```console
//! $ promote staging production --check
//! $ promote staging production --message "$(git rev-parse --short HEAD)"
//! ```
//!
//! First it shows a plan: what is new, what has changed (by the names of the members, never by their values), and what is the same. Then it
//! saves every draft, and commits only if all of them are valid. At the end it reads the target again and compares.
//!
//! Before anything is written, it refuses to do whatever would end up incomplete:
//!
//! - an item that the API would not accept as it was read;
//! - an existing draft in the target, which would be overwritten, or committed along with a related file;
//! - categories that only the target has, because the tree is replaced as a whole;
//! - links to a numbered version of a schema, because version numbers of two workspaces are unrelated.
//!
//! Nothing else that only the target has is touched. Vendor approvals belong to a workspace and are not copied.
//!
//! Events and translations of categories have no draft: they are written when the rest is committed. If a commit fails, earlier commits
//! stay in place and are listed. The same command then continues from there, because their content is already the same.
//!
//! With arguments, this talks to SuprSend and needs `SUPRSEND_SERVICE_TOKEN`. Without arguments, it demonstrates everything on a mock
//! server.
//!
//! Exit codes: 0 nothing is left to do, 1 there are differences (`--check`), 2 nothing was committed, 3 a commit failed, and others may
//! have been made.

mod arguments;
mod plan;
mod snapshot;
mod steps;
mod tour;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures_util::{StreamExt, stream};
use suprsend::{Client, SERVICE_TOKEN_VARIABLE, types::Mode};

use crate::{arguments::Arguments, plan::Plan, snapshot::Snapshot, steps::Step};

/// The number of calls in flight while a workspace is read, and while drafts of one kind are saved.
pub(crate) const IN_FLIGHT: usize = 8;

/// The result of a promotion; the numbers are exit codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Done = 0,
    Differs = 1,
    Refused = 2,
    Partial = 3,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match std::env::args_os().len() {
        1 => tour::show().await.map(|()| End::Done),
        _ => with_arguments(&Arguments::parse()).await,
    };
    let end = result.unwrap_or_else(|error| {
        eprintln!("promote: {error:#}");
        End::Refused
    });
    ExitCode::from(end as u8)
}

async fn with_arguments(arguments: &Arguments) -> Result<End> {
    ensure!(std::env::var_os(SERVICE_TOKEN_VARIABLE).is_some(), "{SERVICE_TOKEN_VARIABLE} is not set");
    promote(&Client::from_env()?, arguments).await
}

/// Promotes a workspace, or only compares.
pub(crate) async fn promote(client: &Client, arguments: &Arguments) -> Result<End> {
    let Arguments { from, to, .. } = arguments;
    ensure!(from != to, "{from} cannot be promoted to itself");
    let mut source = read(client, from, Mode::Live).await?;
    if arguments.allowed.unpin {
        snapshot::unpin(&mut source);
    }
    let (live, draft) = (read(client, to, Mode::Live).await?, read(client, to, Mode::Draft).await?);
    let mut plan = Plan::new(&source, &live);
    plan.show(from, to);
    plan.refuse(&source, &live, &draft, arguments);
    let steps = steps::build(client, &source, &live, arguments, &mut plan);
    for reason in &plan.refused {
        eprintln!("refused: {reason}");
    }
    Ok(match plan.refused.is_empty() {
        false => End::Refused,
        true if plan.is_empty() => End::Done,
        true if arguments.check => End::Differs,
        true => apply(client, arguments, &source, steps).await?,
    })
}

async fn read(client: &Client, workspace: &str, mode: Mode) -> Result<Snapshot> {
    let what = format!("cannot read the workspace {workspace}");
    snapshot::read(&client.workspace(workspace), mode).await.context(what)
}

/// Saves all drafts, then commits them one after the other, then verifies the result.
async fn apply(client: &Client, arguments: &Arguments, source: &Snapshot, steps: Vec<Step>) -> Result<End> {
    let to = &arguments.to;
    let (drafts, commits): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.is_draft);
    if !save(to, drafts).await {
        return Ok(End::Refused);
    }
    let mut commits = commits.into_iter();
    let mut committed = 0;
    while let Some(Step { what, future, .. }) = commits.next() {
        if let Err(error) = future.await {
            eprintln!("failed: {what}: {error:#}");
            commits.for_each(|step| eprintln!("not committed: {}", step.what));
            eprintln!("commits before that: {committed}; run the same again to go on");
            // This commit may have succeeded, too, if only its response was lost.
            return Ok(End::Partial);
        }
        println!("committed: {what}");
        committed += 1;
    }
    let live = read(client, to, Mode::Live).await.context("everything was committed, but")?;
    let plan = Plan::new(source, &live);
    let (waiting, wrong): (Vec<_>, Vec<_>) = plan.left().partition(|key| snapshot::waits(source, key));
    for key in waiting {
        println!("waits for the approval of its vendor: {key}");
    }
    for key in &wrong {
        eprintln!("was committed, but is not live as it is in {}: {key}", arguments.from);
    }
    Ok(if wrong.is_empty() { End::Done } else { End::Partial })
}

/// Saves drafts, several of a kind at once. Returns whether all are saved and valid.
async fn save(to: &str, drafts: Vec<Step>) -> bool {
    let (mut saved, mut failed) = (Vec::new(), false);
    let mut drafts = drafts.into_iter().peekable();
    while let Some(kind) = drafts.peek().map(|step| step.kind) {
        let of_kind: Vec<_> = std::iter::from_fn(|| drafts.next_if(|step| step.kind == kind)).collect();
        let calls = of_kind.into_iter().map(|Step { what, future, .. }| async { (what, future.await) });
        // All of them are awaited, so that every outcome is known.
        let mut results = stream::iter(calls).buffered(IN_FLIGHT);
        while let Some((what, result)) = results.next().await {
            match result {
                Ok(()) => saved.push(what),
                Err(error) => {
                    failed = true;
                    eprintln!("failed: {what}: {error:#}");
                }
            }
        }
        if failed {
            for what in saved {
                eprintln!("saved as a draft in {to}: {what}");
            }
            eprintln!(
                "nothing was committed; to overwrite these drafts the next time, pass --overwrite-drafts"
            );
            return false;
        }
    }
    println!("drafts that are saved and valid: {}", saved.len());
    true
}
