//! Other programs.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{process::Command, time::timeout};

/// How long a program may run: one that hangs is found out, and one on a machine with much else to do is not.
const LIMIT: Duration = Duration::from_secs(900);
/// How much of a program's output an error shows, in lines from the end.
const SHOWN: usize = 60;

/// What a program printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    stderr: String,
}

impl Output {
    /// The end of all that was printed.
    pub(crate) fn end(&self) -> String {
        let lines: Vec<_> = self.stdout.lines().chain(self.stderr.lines()).collect();
        let first = lines.len().saturating_sub(SHOWN);
        lines.get(first..).unwrap_or_default().join("\n")
    }
}

/// Runs a program to its end, whatever that is.
pub(crate) async fn output(command: &mut Command) -> Result<Output> {
    let name = name(command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await;
    let output = output.with_context(|| format!("{name} did not end within {} s", LIMIT.as_secs()))?;
    let output = output.with_context(|| format!("cannot run {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Output { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// Runs a program that has to end well.
pub(crate) async fn run(command: &mut Command) -> Result<Output> {
    let output = output(command).await?;
    if output.code != Some(0) {
        bail!("{} failed:\n{}", name(command), output.end());
    }
    Ok(output)
}

pub(crate) fn name(command: &Command) -> String {
    let command = command.as_std();
    let first = command.get_args().next().unwrap_or_default();
    format!("{} {}", command.get_program().display(), first.display())
}
