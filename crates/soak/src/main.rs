//! Streams of calls against a hub that misbehaves at random. `cargo xtask soak` runs it.
//!
//! It checks, whatever the hub does: each input has exactly one outcome; an outage loses no input, which means that one that
//! failed for a reason that passes can be sent again until it is stored; memory does not grow; and nothing that is printed holds a secret
//! or anything personal.
//!
//! Exit codes: 0, all of that held; 1, something did not; 2, nothing could be run.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

mod memory;
mod weather;

use std::{
    collections::{BTreeMap, VecDeque},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use suprsend::{Client, Error, RetryPolicy};
use suprsend_console::{say, tell};
use suprsend_mock::Hub;

use crate::weather::Weather;

/// Inputs of one stream.
const INPUTS: u64 = 400;
/// The bytes that the sabotage of the memory keeps of each stream.
const KEPT: usize = 64 << 20;
/// The key, and the secrets and personal data of every input: none of them may be printed.
const KEY: &str = "soak-key-that-nobody-may-see";
const TOKEN: &str = "xoxb-soak-token-that-nobody-may-see";
const PERSON: &str = "soak-person-that-nobody-may-see";
/// An error tells no longer story than this, in bytes.
const LONGEST: usize = 4096;

/// Sends streams of calls to a mock server that fails at random, and checks the guarantees of the streams.
#[derive(Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    /// Duration in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Seed of the random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Do something wrong on purpose, which the checks have to find.
    #[arg(long, hide = true)]
    sabotage: Option<Sabotage>,
}

/// What an SDK could do wrong, one for each check.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Sabotage {
    /// An outcome comes twice.
    Twice,
    /// An outcome is said to be another input's.
    Another,
    /// An input has no outcome.
    Untried,
    /// An input has a success, and is not stored.
    Lost,
    /// An error is no error of the hub's.
    Unexplained,
    /// A text shows a secret.
    Secret,
    /// A text shows a person.
    Person,
    /// A text goes on without end.
    Long,
    /// What was sent is kept.
    Memory,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut random = StdRng::seed_from_u64(arguments.seed);
    let mut totals = Totals::default();
    let mut memory = memory::Trend::default();
    // At least so many that memory can be compared.
    while Instant::now() < end || totals.streams < memory::LEAST {
        stream(&mut random, &mut totals, arguments.sabotage).await?;
        if arguments.sabotage == Some(Sabotage::Memory) {
            std::mem::forget(vec![1_u8; KEPT]);
        }
        memory.note();
    }
    totals.print()?;
    totals.assert_seen()?;
    memory.assert_flat()
}

/// The totals of all streams.
#[derive(Default)]
struct Totals {
    streams: u64,
    inputs: u64,
    again: u64,
    retries: u64,
    gave_up: u64,
    /// Kinds of failures, and how often each came.
    failures: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn print(&self) -> Result<()> {
        let Self { streams, inputs, again, retries, gave_up, failures } = self;
        say!("{inputs} inputs in {streams} streams: each has one outcome, and all are stored in the end")?;
        say!("{retries} retries, {again} inputs sent again, {gave_up} streams ended by outages")?;
        say!("failures: {failures:?}")?;
        Ok(())
    }

    /// A hub that behaves shows nothing.
    fn assert_seen(&self) -> Result<()> {
        ensure!(self.retries > 0 && self.again > 0, "the hub did not misbehave: nothing was shown");
        Ok(())
    }
}

/// Sends a stream of inputs, and what failed for a reason that passes again, until all are stored.
async fn stream(random: &mut StdRng, totals: &mut Totals, sabotage: Option<Sabotage>) -> Result<()> {
    // One of its own, so that what a hub keeps is not taken for what the SDK keeps.
    let hub = Hub::builder().key(KEY).recorded_requests(10).start().await?;
    let policy =
        RetryPolicy::default().base_delay(Duration::from_millis(2)).max_delay(Duration::from_millis(20));
    let client = Client::builder()
        .base_url(hub.url())
        .api_key(KEY)
        .no_proxy()
        .retry(policy)
        .attempt_timeout(Duration::from_millis(200))
        .build()?;
    let mut left: VecDeque<u64> = (0..INPUTS).collect();
    totals.streams += 1;
    totals.inputs += INPUTS;
    let mut rounds = 0;
    while !left.is_empty() {
        rounds += 1;
        ensure!(rounds < 200, "{} inputs are not stored after {rounds} rounds", left.len());
        // In the end the hub behaves, or nobody could say that nothing is lost.
        let weather = if rounds > 20 { Weather::calm() } else { Weather::random(random) };
        weather.begin(&hub)?;
        round(&client, &hub, weather, &mut left, totals, sabotage.filter(|_| rounds == 1)).await?;
        hub.clear_faults();
    }
    for input in 0..INPUTS {
        let stored = hub.profile(&id(input)).is_some_and(|profile| profile["properties"]["input"] == input);
        ensure!(stored, "input {input} had a success, and is not stored");
    }
    Ok(())
}

/// Sends what is left once. What has no success is left again.
async fn round(
    client: &Client,
    hub: &Hub,
    weather: Weather,
    left: &mut VecDeque<u64>,
    totals: &mut Totals,
    sabotage: Option<Sabotage>,
) -> Result<()> {
    let does = |what| sabotage == Some(what);
    let mut inputs = std::mem::take(left);
    if does(Sabotage::Lost) {
        inputs.pop_back();
    }
    let mut outcomes_of: BTreeMap<u64, u32> = BTreeMap::new();
    let upserts = inputs.iter().map(|input| {
        let upsert = client.users().upsert(id(*input)).email(format!("{PERSON}@example.com"));
        let slack = suprsend::types::SlackChannel::user_id(PERSON, TOKEN);
        (*input, upsert.slack(slack).property("input", *input))
    });
    // Only what can be taken from memory is borrowed by a stream.
    let mut upserts: Vec<_> = upserts.collect();
    if does(Sabotage::Untried) {
        upserts.pop();
    }
    let mut outcomes =
        client.send_all(upserts).max_outage(Duration::from_millis(100)).max_pause(Duration::from_millis(50));
    let mut settled = 0_u64;
    while let Some(outcome) = outcomes.next().await {
        settled += 1;
        // The weather changes under way.
        weather.change(hub, settled)?;
        *outcomes_of.entry(outcome.value).or_default() += if does(Sabotage::Twice) { 2 } else { 1 };
        let index = if does(Sabotage::Another) { outcome.index + 1 } else { outcome.index };
        ensure!(
            inputs.get(usize::try_from(index)?) == Some(&outcome.value),
            "an outcome is of another input"
        );
        let Err(error) = outcome.result else { continue };
        judge(&error)?;
        *totals.failures.entry(kind(&error)).or_default() += 1;
        left.push_back(outcome.value);
    }
    let wrong = match sabotage {
        Some(Sabotage::Unexplained) => {
            judge(&client.users().upsert("..").check().err().context("`..` is no id")?)
        }
        Some(Sabotage::Secret) => assert_clean(&format!("{TOKEN} is not known")),
        Some(Sabotage::Person) => assert_clean(&format!("{} is not known", id(1))),
        Some(Sabotage::Long) => assert_clean(&"x".repeat(LONGEST)),
        _ => Ok(()),
    };
    wrong?;
    let summary = outcomes.summary();
    assert_clean(&format!("{summary} {summary:?} {outcomes:?}"))?;
    ensure!(summary.finished() == settled, "{summary}, and {settled} outcomes");
    ensure!(outcomes_of.values().all(|count| *count == 1), "an input has several outcomes");
    let not_tried = inputs.iter().filter(|input| !outcomes_of.contains_key(input));
    let before = left.len();
    left.extend(not_tried);
    ensure!(
        left.len() == before || summary.gave_up,
        "inputs without an outcome, and the stream did not give up"
    );
    totals.again += left.len() as u64;
    totals.retries += summary.retries;
    totals.gave_up += u64::from(summary.gave_up);
    Ok(())
}

fn id(input: u64) -> String {
    format!("{PERSON}-{input}")
}

/// Fails if an error is not what comes of the weather, or tells what it must not.
fn judge(error: &Error) -> Result<()> {
    // A body that is cut short is no profile; that it was stored is seen when it is sent again.
    let passes = error.is_retryable() || matches!(error, Error::UndecodableResponse(_));
    if !passes {
        bail!("the weather does not explain this: {error:#}");
    }
    for text in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
        assert_clean(&text)?;
    }
    Ok(())
}

fn assert_clean(text: &str) -> Result<()> {
    // Without the text, which would be printed now.
    ensure!(
        ![KEY, TOKEN, PERSON].iter().any(|secret| text.contains(secret)),
        "a text shows a secret or a person"
    );
    ensure!(text.len() < LONGEST, "a text is {} bytes long", text.len());
    ensure!(text.lines().count() == 1, "a text is of several lines");
    Ok(())
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Timeout(_) => "timeout",
        Error::Connection(_) => "connection",
        Error::Api(_) => "status",
        Error::UndecodableResponse(_) => "undecodable",
        Error::TooManyAttempts(error) => kind(error.last()),
        _ => "other",
    }
}

/// A number between zero and one.
fn share(random: &mut StdRng) -> f64 {
    random.random_range(0.05..0.9)
}
