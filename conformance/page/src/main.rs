//! The hub's page in a real browser. `cargo xtask page` runs it.
//!
//! The browser is driven by `page.mjs`, which asks for what a program would do: each line that it prints is a call of the SDK, and
//! each line that it reads is what became of it.
//!
//! Exit codes: 0, all is well; 1, a check failed; 2, nothing could be run.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde::Deserialize;
use serde_json::{Value, json};
use suprsend::{Client, RetryPolicy};
use suprsend_console::tell;
use suprsend_mock::Hub;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// The time limit for the whole run, on a machine with much else to do.
const LIMIT: Duration = Duration::from_secs(600);
/// The key that no page may show.
const KEY: &str = "page-secret-key";
/// The program and the folder that the browser needs.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "page.mjs"];
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Tests the mock server's page in headless Chromium, and takes pictures of it.
#[derive(Parser)]
#[command(name = "cargo xtask page", bin_name = "cargo xtask page")]
struct Arguments {
    /// Write pictures of the page, light and dark, into this folder.
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
    /// The browser. Defaults to the variable `CHROMIUM`, or `/usr/bin/chromium`.
    #[arg(long, value_name = "FILE")]
    chromium: Option<PathBuf>,
}

/// Requests of the browser's side.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asked {
    Trigger { workflow: String, recipient: String, key: String },
    Upsert { id: String, email: String, property: String },
    Check { name: String },
}

#[tokio::main]
async fn main() -> ExitCode {
    match timeout(LIMIT, run(Arguments::parse())).await {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            tell!("{error:#}");
            ExitCode::from(2)
        }
        Err(_) => {
            tell!("the browser did not end within {} s", LIMIT.as_secs());
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let chromium = arguments.chromium.or_else(|| env::var_os("CHROMIUM").map(PathBuf::from));
    let chromium = chromium.unwrap_or_else(|| "/usr/bin/chromium".into());
    if !chromium.is_file() {
        bail!(
            "{} is not there: install Debian's chromium, or name a browser with --chromium",
            chromium.display()
        );
    }
    let tools = install().await?;
    let hub = hub().await?;
    let client = Client::builder().base_url(hub.url()).api_key(KEY).retry(RetryPolicy::off()).build()?;
    let mut driver = Command::new("node");
    driver
        .arg("page.mjs")
        .current_dir(tools.path())
        .env("HUB", hub.url())
        .env("KEY", KEY)
        .env("CHROMIUM", chromium);
    // Ends with the driver.
    let mut demo = None;
    if let Some(folder) = &arguments.pictures {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (program, url) = start_demo().await?;
        driver.env("DEMO", url);
        demo = Some(program);
        driver.env("PICTURES", fs::canonicalize(folder)?);
    }
    driver.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut driver = driver.spawn().context("cannot run node; install Node.js 20 or newer")?;
    let mut answers = driver.stdin.take().context("no stdin")?;
    let mut lines = BufReader::new(driver.stdout.take().context("no stdout")?).lines();
    while let Some(line) = lines.next_line().await? {
        let asked = serde_json::from_str(&line).with_context(|| format!("page.mjs printed {line}"))?;
        let mut answer = answered(&client, asked).await.to_string();
        answer.push('\n');
        answers.write_all(answer.as_bytes()).await?;
    }
    let succeeded = driver.wait().await?.success();
    drop(demo);
    Ok(succeeded)
}

/// A hub with a category and two workflows, so that preferences mean something.
async fn hub() -> Result<Hub> {
    let hub =
        Hub::builder().key(KEY).seed("jane", json!({"$email": ["jane@example.com"], "$inbox": ["jane"]}));
    let hub = hub.start().await.context("cannot start a hub")?;
    hub.define_category(
        json!({"category": "orders", "name": "Order updates", "channels": ["email", "inbox"]}),
    )?;
    for workflow in ["order-shipped", "order-delivered"] {
        hub.define_workflow(json!({"slug": workflow, "category": "orders", "template": workflow}))?;
    }
    Ok(hub)
}

/// The program with its demo, of which the pictures are taken, and its URL.
async fn start_demo() -> Result<(Child, String)> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "suprsend-mock", "--features", "cli"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cargo.status().await.context("cannot run cargo")?.success() {
        bail!("suprsend-mock cannot be built");
    }
    // Beside this program, since it is built in the same profile.
    let program = env::current_exe()?.with_file_name(format!("suprsend-mock{}", env::consts::EXE_SUFFIX));
    let mut program = Command::new(program);
    program.args(["--demo", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut program = program.spawn().context("cannot run suprsend-mock")?;
    let mut lines = BufReader::new(program.stdout.take().context("no stdout")?).lines();
    let url = lines.next_line().await?.context("suprsend-mock ended before it listened")?;
    Ok((program, url))
}

/// Does what the browser's side asks for, by the SDK.
async fn answered(client: &Client, asked: Asked) -> Value {
    let result = match asked {
        Asked::Trigger { workflow, recipient, key } => {
            let call = client.workflows().trigger(workflow).recipients(recipient).data("order", "order-5678");
            call.idempotency_key(key).await.map(drop)
        }
        Asked::Upsert { id, email, property } => {
            client.users().upsert(id).email(email).property("note", property).await.map(drop)
        }
        Asked::Check { name } => {
            tell!("ok  {name}");
            Ok(())
        }
    };
    match result {
        Ok(()) => json!({"ok": true}),
        Err(error) => json!({"ok": false, "error": error.to_string()}),
    }
}

/// Installs what is pinned, in a temporary folder.
async fn install() -> Result<TempDir> {
    let folder = TempDir::with_prefix("page-").context("cannot make a temporary folder")?;
    for name in FILES {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        fs::copy(&from, folder.path().join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "8"];
    let npm = Command::new(NPM).args(install).current_dir(folder.path()).stdin(Stdio::null()).output().await;
    let npm = npm.context("cannot run npm; install it with Node.js 20 or newer")?;
    if !npm.status.success() {
        bail!("npm ci failed:\n{}", String::from_utf8_lossy(&npm.stderr));
    }
    Ok(folder)
}
