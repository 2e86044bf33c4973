//! Prism serves the document, and judges what our SDK sends.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::json;
use suprsend::{Client, Method, StatusCode};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::{tools::Tools, users::User};

/// How long Prism may take to start.
const START: Duration = Duration::from_secs(60);

pub(super) async fn run(tools: &Tools, users: &[User]) -> Result<String> {
    let prism = Prism::start(tools).await?;
    // Prism takes any key; that one is there, it checks.
    let client = Client::builder().base_url(&prism.url).api_key("any").no_retries().build()?;
    for user in users {
        let reply = user.upsert(&client)?.await;
        reply.with_context(|| format!("Prism does not take the upsert of {}", user.distinct_id))?;
    }

    // It has to be able to refuse something.
    let wrong = json!({"$email": ["not an address"]});
    let reply = client.request(Method::POST, "/v1/user/u/").json(&wrong).await;
    if reply.err().and_then(|error| error.status()) != Some(StatusCode::BAD_REQUEST) {
        bail!("Prism does not refuse a wrong address");
    }
    Ok(format!("{} users accepted, a wrong one refused", users.len()))
}

/// A running Prism; it ends when this is dropped.
struct Prism {
    url: String,
    _child: Child,
    /// Kept, so that Prism can go on writing its log.
    _log: Lines<BufReader<ChildStdout>>,
}

impl Prism {
    async fn start(tools: &Tools) -> Result<Self> {
        tools.write("openapi.json", suprsend_api::DOCUMENT)?;
        let mut node = tools.node();
        node.arg("node_modules/@stoplight/prism-cli/dist/index.js")
            // A violation is an error, and not only a line in the log.
            .args(["mock", "--errors", "--host", "127.0.0.1", "--port", "0", "openapi.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = node.spawn().context("cannot run Prism")?;
        let mut log = BufReader::new(child.stdout.take().context("Prism has no output")?).lines();
        let url = timeout(START, url(&mut log)).await.context("Prism did not start in time")??;
        Ok(Self { url, _child: child, _log: log })
    }
}

/// Where Prism says it listens.
async fn url(log: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await? {
        if let Some((_, url)) = line.split_once("Prism is listening on ") {
            return Ok(url.trim().to_owned());
        }
        seen.push(line);
    }
    bail!("Prism ended:\n{}", seen.join("\n"))
}
