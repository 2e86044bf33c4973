//! One contender at work, in a process of its own, so that its CPU time and memory are its own.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    ops::Range,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use futures_util::{Stream, StreamExt, TryFutureExt, stream};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use suprsend::bulk::{RecordEntry, RecordOutcome, SendRecords};

use crate::{
    contenders::{Contender, generated, handwritten, hyper, sdk},
    process::{cpu_time, peak_memory},
    workload::User,
};

/// What a client is told to do.
#[derive(Debug, Clone, Args)]
pub struct Task {
    /// Who does it.
    #[arg(long)]
    pub contender: Contender,
    /// Host and port of the server.
    #[arg(long)]
    pub server: String,
    /// Limit of requests in flight; for the SDK's streams, 0 leaves it to the SDK.
    #[arg(long)]
    pub concurrency: usize,
    /// How many users are upserted.
    #[arg(long)]
    pub requests: u64,
    /// How many are upserted before, so that connections are open and nothing is done for the first time.
    #[arg(long)]
    pub warm_up: u64,
}

/// What it took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    /// Upserts that were answered, without those of the warm-up.
    pub requests: u64,
    /// From the first request to the last response.
    pub seconds: f64,
    /// CPU time meanwhile.
    pub cpu_seconds: f64,
    /// The latency that half of the requests stay below.
    pub p50_us: f64,
    /// The latency that 99 of 100 requests stay below.
    pub p99_us: f64,
    /// The most memory that the process had.
    pub peak_kib: u64,
}

#[allow(clippy::cast_precision_loss, reason = "numbers of requests and KiB are below 2^53")]
impl Sample {
    /// The throughput.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// CPU time for one request, in µs.
    pub fn cpu_us_per_request(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.requests as f64
    }

    /// Peak memory in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }
}

/// Does a task.
pub async fn run(task: &Task) -> Result<Sample> {
    let base = format!("http://{}", task.server);
    match task.contender {
        Contender::Hyper => {
            let client = hyper::Client::new(&task.server);
            measure(task, |users, calls| one_by_one(users, calls, |user| client.upsert(user))).await
        }
        Contender::Handwritten => {
            let client = handwritten::Client::new(&base)?;
            measure(task, |users, calls| one_by_one(users, calls, |user| client.upsert(user))).await
        }
        Contender::Generated => {
            let client = generated::client(&base)?;
            measure(task, |users, calls| one_by_one(users, calls, |user| generated::upsert(&client, user)))
                .await
        }
        Contender::Sdk => {
            let client = sdk::client(&base)?;
            let upsert = |user| sdk::upsert(&client, user).into_future().err_into();
            measure(task, |users, calls| one_by_one(users, calls, upsert)).await
        }
        Contender::HandwrittenTrigger => {
            let client = handwritten::Client::new(&base)?;
            measure(task, |users, calls| one_by_one(users, calls, |user| client.trigger(user))).await
        }
        Contender::SdkTrigger => {
            let client = sdk::client(&base)?;
            let trigger = |user| sdk::trigger(&client, user).into_future().err_into();
            measure(task, |users, calls| one_by_one(users, calls, trigger)).await
        }
        Contender::UpsertAll => {
            let client = sdk::client(&base)?;
            measure(task, |users, calls| all_at_once(&client, users, calls)).await
        }
        Contender::IngestAll => {
            let client = sdk::client(&base)?;
            measure(task, |users, calls| ingested(&client, users, calls)).await
        }
        Contender::TriggerAll => {
            let client = sdk::client(&base)?;
            measure(task, |users, calls| triggered(&client, users, calls)).await
        }
        _ => bail!("is no contender in Rust"),
    }
}

/// Warms up and measures.
async fn measure<F>(task: &Task, work: impl Fn(Range<u64>, usize) -> F) -> Result<Sample>
where
    F: Future<Output = Result<Histogram<u64>>>,
{
    let &Task { warm_up, requests, concurrency, .. } = task;
    work(0..warm_up, concurrency).await.context("warming up")?;
    let (start, cpu) = (Instant::now(), cpu_time());
    let latencies = work(warm_up..warm_up + requests, concurrency).await?;
    let (duration, cpu) = (start.elapsed(), cpu_time().saturating_sub(cpu));
    if latencies.len() != requests {
        bail!("{} of {requests} upserts came to an end", latencies.len());
    }
    #[allow(clippy::cast_precision_loss, reason = "a latency in nanoseconds is below 2^53")]
    let microseconds = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Sample {
        requests,
        seconds: duration.as_secs_f64(),
        cpu_seconds: cpu.as_secs_f64(),
        p50_us: microseconds(0.5),
        p99_us: microseconds(0.99),
        peak_kib: peak_memory()?,
    })
}

/// Makes a call for each user, of which so many are under way at a time, as one does it by hand.
async fn one_by_one<T, F: Future<Output = Result<T>>>(
    users: Range<u64>,
    concurrency: usize,
    call: impl Fn(User) -> F,
) -> Result<Histogram<u64>> {
    let calls = User::range(users).map(|user| async {
        let sent = Instant::now();
        call(user).await?;
        anyhow::Ok(sent.elapsed())
    });
    let mut ended = stream::iter(calls).buffer_unordered(concurrency);
    let mut latencies = histogram()?;
    while let Some(latency) = ended.next().await {
        record(&mut latencies, latency?);
    }
    Ok(latencies)
}

/// Upserts users by the SDK's stream of them.
async fn all_at_once(
    client: &suprsend::Client,
    users: Range<u64>,
    concurrency: usize,
) -> Result<Histogram<u64>> {
    let sent = RefCell::new(Sent::default());
    let upserts = User::range(users).map(|user| {
        sent.borrow_mut().add(Instant::now());
        (user.id.clone(), sdk::upsert(client, user))
    });
    let mut outcomes = client.users().upsert_all(upserts);
    if concurrency > 0 {
        outcomes = outcomes.fixed_concurrency(concurrency);
    }
    let mut latencies = histogram()?;
    while let Some(outcome) = outcomes.next().await {
        outcome.result.with_context(|| outcome.value)?;
        let sent = sent.borrow_mut().take(outcome.index).context("an outcome without an input")?;
        record(&mut latencies, sent.elapsed());
    }
    Ok(latencies)
}

/// Upserts users by the SDK's stream of records.
async fn ingested(
    client: &suprsend::Client,
    users: Range<u64>,
    concurrency: usize,
) -> Result<Histogram<u64>> {
    let sent = RefCell::new(Sent::default());
    let upserts = User::range(users).map(|user| {
        sent.borrow_mut().add(Instant::now());
        sdk::upsert(client, user)
    });
    packs(client.users().ingest_all(upserts), &sent, concurrency).await
}

/// Triggers a workflow for each user by the SDK's stream of triggers.
async fn triggered(
    client: &suprsend::Client,
    users: Range<u64>,
    concurrency: usize,
) -> Result<Histogram<u64>> {
    let sent = RefCell::new(Sent::default());
    let triggers = User::range(users).map(|user| {
        sent.borrow_mut().add(Instant::now());
        sdk::trigger(client, user)
    });
    packs(client.workflows().trigger_all(triggers), &sent, concurrency).await
}

/// Reads the outcomes of records that are sent in packs.
async fn packs<S, R, E>(
    mut outcomes: SendRecords<S>,
    sent: &RefCell<Sent>,
    concurrency: usize,
) -> Result<Histogram<u64>>
where
    S: Stream<Item = E>,
    E: RecordEntry<Value = (), Outcome = RecordOutcome<R>>,
{
    if concurrency > 0 {
        outcomes = outcomes.fixed_concurrency(concurrency);
    }
    let mut latencies = histogram()?;
    while let Some(outcome) = outcomes.next().await {
        outcome.result?;
        let sent = sent.borrow_mut().take(outcome.index).context("an outcome without an input")?;
        record(&mut latencies, sent.elapsed());
    }
    Ok(latencies)
}

/// When each input was sent that has no outcome yet: what is measured is the SDK, so this costs as little as it can.
#[derive(Default)]
struct Sent {
    /// The index of the first.
    first: u64,
    times: VecDeque<Option<Instant>>,
}

impl Sent {
    fn add(&mut self, time: Instant) {
        self.times.push_back(Some(time));
    }

    fn take(&mut self, index: u64) -> Option<Instant> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        let time = self.times.get_mut(place)?.take();
        while let Some(None) = self.times.front() {
            self.times.pop_front();
            self.first += 1;
        }
        time
    }
}

/// Latencies in nanoseconds up to a minute, exact to three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_max(60_000_000_000, 3)?)
}

fn record(latencies: &mut Histogram<u64>, latency: Duration) {
    latencies.saturating_record(latency.as_nanos().try_into().unwrap_or(u64::MAX));
}
