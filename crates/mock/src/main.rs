//! The mock server as a command-line program; see `suprsend-mock --help`.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away")]

mod demo;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Write},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::{Value, json};
use suprsend_mock::{Hub, RateLimit, Recorded};

/// The time that requests in flight may take after the program is told to terminate.
const GRACE: Duration = Duration::from_secs(5);
/// The exit code with which a shell reports a closed pipe.
const NOT_READ: u8 = 141;

/// A local mock server of SuprSend's API.
///
/// The first line on stdout is the URL that it listens on. A page at /_hub/ shows requests live in a browser. Requests are logged on
/// stderr, without headers and bodies. An admin API below /_hub/ lists requests and users, and injects faults.
///
/// Exit codes: 0 ended by a signal, 1 failure, 2 wrong arguments, 141 nobody reads the URL.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 4099)]
    port: u16,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Host name for which the admin API also responds, besides loopback; may be repeated. Anyone who can reach the server under
    /// that name can read everything it stores.
    #[arg(long, value_name = "NAME")]
    admin_host: Vec<String>,
    /// API key to accept instead of the built-in one; may be repeated.
    #[arg(long, value_name = "API_KEY")]
    key: Vec<String>,
    /// Workspace whose signatures are verified; may be repeated. Without one, every signature is accepted.
    #[arg(long, value_name = "KEY:SECRET")]
    workspace: Vec<String>,
    /// Initial users: a JSON object with the body of an upsert for each distinct_id.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// OpenAPI 3.1 document in JSON to serve instead of SuprSend's.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Play some traffic, so that there is something to see on the page.
    #[arg(long, conflicts_with = "document")]
    demo: bool,
    /// Log on stderr as JSON, one object per line.
    #[arg(long)]
    json_log: bool,
    /// Limit of requests per second; requests above it get 429.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: Option<u32>,
    /// Number of requests to keep for the admin API.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    recorded: usize,
    /// Largest request body; larger ones get 413.
    #[arg(long, value_name = "BYTES", default_value_t = 800 * 1024)]
    largest_body: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::from(NOT_READ),
        Err(error) => {
            log(&format!("suprsend-mock: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether nobody reads the URL.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref().map(io::Error::kind));
    kinds.into_iter().any(|kind| kind == ErrorKind::BrokenPipe)
}

async fn run(arguments: Arguments) -> Result<()> {
    let (json_log, demo) = (arguments.json_log, arguments.demo);
    let show_key = arguments.key.is_empty();
    // Created before the start, so that no signal is missed.
    let end = end_signal()?;
    let hub = start(arguments).await?;
    writeln!(io::stdout(), "{}", hub.url()).context("cannot print the URL")?;
    let key = if show_key { hub.key() } else { "as given" };
    let page = format!("{}/_hub/", hub.url());
    if json_log {
        log(&json!({"listening": hub.url(), "key": key, "page": page}));
    } else {
        log(&format!("listening on {}, API key {key}", hub.url()));
        log(&format!("see what is sent: {page}"));
    }
    for (id, reason) in hub.unanswerable() {
        if json_log {
            log(&json!({"unanswerable": id, "reason": reason}));
        } else {
            log(&format!("{id} cannot be answered: {reason}"));
        }
    }
    if demo {
        tokio::spawn(demo::prepare(&hub)?);
    }
    end.await;
    if tokio::time::timeout(GRACE, hub.stop()).await.is_err() {
        log(&"some requests were not answered in time");
    }
    Ok(())
}

async fn start(arguments: Arguments) -> Result<Hub> {
    let mut hub = Hub::builder()
        .host(arguments.host)
        .port(arguments.port)
        .recorded_requests(arguments.recorded)
        .largest_body(arguments.largest_body)
        .observe(if arguments.json_log { log_json } else { log_text });
    for name in arguments.admin_host {
        hub = hub.admin_host(name);
    }
    for key in arguments.key {
        hub = hub.key(key);
    }
    for workspace in arguments.workspace {
        // Not done while arguments are parsed: an error there would repeat the secret.
        let (key, secret) = workspace.split_once(':').context("--workspace is not of the form KEY:SECRET")?;
        hub = hub.workspace(key, secret);
    }
    if let Some(file) = &arguments.document {
        hub = hub.document(read(file)?);
    }
    if let Some(file) = &arguments.seed {
        let seeds: BTreeMap<String, Value> = serde_json::from_str(&read(file)?).with_context(|| {
            format!("{} is not an object that has a body under each distinct_id", file.display())
        })?;
        for (distinct_id, body) in seeds {
            hub = hub.seed(distinct_id, body);
        }
    }
    if let Some(requests) = arguments.rate_limit {
        hub = hub.rate_limit(RateLimit::new(requests, Duration::from_secs(1)));
    }
    hub.start().await.context("cannot start")
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn log_json(request: &Recorded) {
    log(&request.summary());
}

fn log_text(request: &Recorded) {
    let status = request.status().map_or("reset".to_owned(), |status| status.to_string());
    // A field's name may contain any characters, and the log goes to a terminal.
    let plain = |text: &str| text.replace(char::is_control, "\u{FFFD}");
    let refusal = request.refusal().map(|refusal| format!(" ({})", plain(refusal))).unwrap_or_default();
    log(&format!("{} {} {status}{refusal}", request.method(), request.path()));
}

/// Writes to the log. The program goes on if nobody reads it any more.
fn log(line: &impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Completes on Ctrl-C, and on SIGTERM where signals exist.
#[cfg(unix)]
fn end_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes on Ctrl-C.
#[cfg(not(unix))]
fn end_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        // If it is impossible to wait for it, the program ends at once.
        let _ = tokio::signal::ctrl_c().await;
    })
}
