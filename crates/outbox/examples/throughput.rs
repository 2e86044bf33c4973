//! Measures messages per second with 1, 2 and 4 workers, when a response of the API takes 50 ms:
//! `cargo run --release -p suprsend-outbox --example throughput`.
//!
//! It starts its own PostgreSQL and its own mock server. Each worker is a process.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    env,
    error::Error,
    process::{Child, Command},
    time::{Duration, Instant},
};

use support::Postgres;
use suprsend::Client;
use suprsend_mock::{Fault, Hub};
use suprsend_outbox::{Outbox, sqlx::PgPool};

const LATENCY: Duration = Duration::from_millis(50);
const CONCURRENCY: usize = 64;
/// The number of messages in a transaction.
const PACK: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [role, database, hub, key] if role == "worker" => runtime.block_on(work(database, hub, key)),
        [messages] => runtime.block_on(measure(messages.parse()?)),
        _ => runtime.block_on(measure(10_000)),
    }
}

/// Works until the process is killed.
async fn work(database: &str, hub: &str, key: &str) -> Result<(), Box<dyn Error>> {
    let outbox = Outbox::new(PgPool::connect(database).await?);
    let client = Client::builder().base_url(hub).api_key(key).build()?;
    Ok(outbox.worker(client).concurrency(CONCURRENCY).run(std::future::pending()).await?)
}

async fn measure(messages: usize) -> Result<(), Box<dyn Error>> {
    println!("{messages} messages, {} ms of latency, {CONCURRENCY} in flight a worker", LATENCY.as_millis());
    println!("| workers | seconds | messages/s |\n|--------:|--------:|-----------:|");
    for workers in [1, 2, 4] {
        let server = Postgres::start().map_err(|reason| format!("no PostgreSQL: {reason:?}"))?;
        let url = server.url("postgres");
        let hub = Hub::builder().recorded_requests(0).start_on_thread()?;
        hub.inject(Fault::delay(LATENCY).share(1.0))?;
        let pool = PgPool::connect(&url).await?;
        let outbox = Outbox::new(pool.clone());
        outbox.migrate().await?;
        fill(&pool, &outbox, &hub, messages).await?;

        let start = Instant::now();
        let running: Result<Vec<Process>, _> = (0..workers).map(|_| Process::start(&server, &hub)).collect();
        let running = running?;
        while outbox.waiting().await? > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let seconds = start.elapsed().as_secs_f64();
        drop(running);
        let ran = hub.sent().iter().filter(|sent| !sent.is_duplicate()).count();
        if ran != messages {
            return Err(format!("{ran} of {messages} ran").into());
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate = messages as f64 / seconds;
        println!("| {workers:>7} | {seconds:>7.1} | {rate:>10.0} |");
    }
    Ok(())
}

async fn fill(pool: &PgPool, outbox: &Outbox, hub: &Hub, messages: usize) -> Result<(), Box<dyn Error>> {
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let start = Instant::now();
    for first in (0..messages).step_by(PACK) {
        let mut transaction = pool.begin().await?;
        for order in first..messages.min(first + PACK) {
            let trigger = client.workflows().trigger("order-placed").recipient("jane").data("order", order);
            outbox.enqueue(&mut transaction, trigger).await?;
        }
        transaction.commit().await?;
    }
    eprintln!("enqueued in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// A worker process, which ends with the measurement.
struct Process(Child);

impl Process {
    fn start(server: &Postgres, hub: &Hub) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env::current_exe()?);
        server.attach(&mut command);
        Ok(Self(command.args(["worker", &server.url("postgres"), hub.url(), hub.key()]).spawn()?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
