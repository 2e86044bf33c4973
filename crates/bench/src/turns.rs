//! The contenders in turns, each in a process of its own, against a server in another.

use std::{
    env,
    io::{BufRead, BufReader, Lines, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use suprsend_console::tell;

use crate::{
    client::{Sample, Task},
    contenders::Contender,
    peers::Peers,
    results::{Many, Scale, Upserts},
};

/// How many requests are under way.
pub const CONCURRENCIES: [usize; 3] = [1, 16, 64];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Turns of each contender at each concurrency.
    pub repetitions: usize,
    /// Requests in a turn.
    pub requests: u64,
    /// Requests in a turn of an official SDK, which takes longer for each.
    pub requests_of_peers: u64,
    /// Users that `upsert_all` is given.
    pub scale: [u64; 3],
}

impl Plan {
    /// Enough for numbers to rely on.
    pub const FULL: Self = Self {
        repetitions: 9,
        requests: 20_000,
        requests_of_peers: 1_000,
        scale: [10_000, 100_000, 1_000_000],
    };
    /// Enough to see every row, in less than two minutes.
    pub const QUICK: Self =
        Self { repetitions: 5, requests: 5_000, requests_of_peers: 200, scale: [10_000, 50_000, 200_000] };
}

/// The server, in a process of its own.
pub struct Server {
    process: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    /// Starts it. Its answers take so many milliseconds.
    pub fn start(latency_ms: u64) -> Result<Self> {
        let mut process = Command::new(program()?)
            .args(["serve", "--latency", &latency_ms.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stdin = process.stdin.take().context("the server has no stdin")?;
        let stdout = process.stdout.take().context("the server has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = lines.next().context("the server did not start")??;
        Ok(Self { process, stdin, lines, address })
    }

    /// How many requests it has answered.
    fn answered(&mut self) -> Result<u64> {
        writeln!(self.stdin, "count")?;
        self.stdin.flush()?;
        Ok(self.lines.next().context("the server ended")??.parse()?)
    }

    /// Lets a client do a task, and makes sure that it did.
    fn run(&mut self, task: &Task, mut command: Command) -> Result<Sample> {
        let before = self.answered()?;
        let title = task.contender.title();
        let output =
            command.stdin(Stdio::null()).output().with_context(|| format!("cannot run the {title}"))?;
        if !output.status.success() {
            bail!("the {title} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let answered = self.answered()? - before;
        let asked = task.warm_up + task.requests;
        if answered != asked {
            bail!("the {title} was to send {asked} requests, and {answered} came");
        }
        let sample = serde_json::from_slice(&output.stdout);
        sample.with_context(|| format!("the {title} printed no result"))
    }
}

/// The server ends when its stdin does; this waits for that, so that nothing is left behind.
impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, in which case there is nothing to do.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The rows of the table, in its order.
pub fn upserts(server: &mut Server, plan: Plan, peers: Option<&Peers>) -> Result<Vec<Upserts>> {
    let ours = Contender::RUST.into_iter().chain(Contender::TRIGGERS);
    let contenders: Vec<_> = ours.chain(peers.into_iter().flat_map(|_| Contender::PEERS)).collect();
    let mut rows: Vec<_> = CONCURRENCIES
        .into_iter()
        .flat_map(|concurrency| contenders.iter().map(move |contender| (*contender, concurrency, Vec::new())))
        .collect();
    for turn in 0..plan.repetitions {
        tell!("turn {} of {}", turn + 1, plan.repetitions);
        for place in 0..rows.len() {
            // Nobody is always first, and nobody always after the same.
            let row = (place + turn) % rows.len();
            let (contender, concurrency, samples) = &mut rows[row];
            samples.push(take_turn(server, plan, peers, *contender, *concurrency)?);
        }
    }
    Ok(rows
        .into_iter()
        .map(|(contender, concurrency, samples)| Upserts::new(contender, concurrency, samples))
        .collect())
}

fn take_turn(
    server: &mut Server,
    plan: Plan,
    peers: Option<&Peers>,
    contender: Contender,
    concurrency: usize,
) -> Result<Sample> {
    let is_peer = Contender::PEERS.contains(&contender);
    let requests = if is_peer { plan.requests_of_peers } else { plan.requests };
    let task =
        Task { contender, server: server.address.clone(), concurrency, requests, warm_up: requests / 10 };
    let command = match peers {
        Some(peers) if is_peer => peers.client(&task),
        _ => client(&task)?,
    };
    server.run(&task, command)
}

/// `upsert_all` over ever more users.
pub fn scale(server: &mut Server, plan: Plan) -> Result<Vec<Scale>> {
    let mut rows = Vec::new();
    for users in plan.scale {
        tell!("upsert_all over {users} users");
        // Without a warm-up: what is measured is a whole import.
        let task = Task {
            contender: Contender::UpsertAll,
            server: server.address.clone(),
            concurrency: 0,
            requests: users,
            warm_up: 0,
        };
        rows.push(Scale::from_sample(&server.run(&task, client(&task)?)?));
    }
    Ok(rows)
}

/// So many records, each way to send many.
pub fn many(latency_ms: u64, records: u64, peers: Option<&Peers>) -> Result<Vec<Many>> {
    let mut server = Server::start(latency_ms)?;
    let mut rows = Vec::new();
    let ours = Contender::MANY.into_iter().map(|contender| (contender, None));
    let theirs = peers.into_iter().flat_map(|peers| Contender::BULK_PEERS.map(|peer| (peer, Some(peers))));
    for (contender, peers) in ours.chain(theirs) {
        tell!("{}: {records} records", contender.title());
        // Without a warm-up: connections and the search for the right concurrency are part of a job.
        let task =
            Task { contender, server: server.address.clone(), concurrency: 0, requests: records, warm_up: 0 };
        let command = peers.map_or_else(|| client(&task), |peers| Ok(peers.client(&task)))?;
        rows.push(Many::new(contender, latency_ms, &server.run(&task, command)?));
    }
    Ok(rows)
}

/// A client of ours.
fn client(task: &Task) -> Result<Command> {
    let mut command = Command::new(program()?);
    let contender = task.contender.to_possible_value().context("a contender has no name")?;
    command.args(["client", "--contender", contender.get_name(), "--server", &task.server]);
    for (name, value) in [
        ("--concurrency", task.concurrency.to_string()),
        ("--requests", task.requests.to_string()),
        ("--warm-up", task.warm_up.to_string()),
    ] {
        command.arg(name).arg(value);
    }
    Ok(command)
}

/// This program.
fn program() -> Result<PathBuf> {
    env::current_exe().context("cannot find this program")
}
