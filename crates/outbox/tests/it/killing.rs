//! Workers that are killed, a database that crashes, and responses that are lost: every committed message has its effect exactly once.
//!
//! `SUPRSEND_OUTBOX_TRIGGERS` says how many triggers are committed: 500 by default, 20,000 in the gate.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use suprsend::Client;
use suprsend_mock::{Fault, Hub};
use suprsend_outbox::{
    Outbox,
    sqlx::{self, PgPool, postgres::PgPoolOptions},
};
use tokio::time::{interval, sleep};

use crate::{
    program::program,
    setup::start,
    support::{Postgres, signal},
};

const WORKERS: usize = 4;
/// Tasks that place orders at a time.
const PRODUCERS: usize = 8;
/// Orders in a transaction.
const PACK: i64 = 10;
/// A worker is killed every second. Where the machine is so busy that fewer messages than this were sent since, it waits for them, to a limit: the
/// workers would live no longer than they need to start.
const FEW: i64 = 50;
const SLOW: Duration = Duration::from_secs(3);
/// If nothing happens for this time, messages are stuck: the test ends, where it would go on for ever.
const STUCK: Duration = Duration::from_secs(120);
/// One transaction in this number is rolled back.
const ROLLED_BACK: i64 = 10;

/// The workers' processes, of which none outlives the test.
struct Workers<'s> {
    running: Vec<Child>,
    server: &'s Postgres,
    hub: (String, String),
}

impl Workers<'_> {
    fn start(&mut self) {
        let arguments = [
            "work",
            "--concurrency",
            "16",
            "--take-over-after",
            "3",
            "--log-filter",
            "error,graphile_worker=off",
        ];
        let mut command = program(&arguments);
        self.server.attach(&mut command);
        command.env("DATABASE_URL", self.server.url("postgres")).env("SUPRSEND_BASE_URL", &self.hub.0);
        let child = command.env("SUPRSEND_API_KEY", &self.hub.1).stdout(Stdio::null()).spawn().unwrap();
        self.running.push(child);
    }

    /// Kills one of the workers, by a signal that it cannot see, and starts another. Some live for a moment only, and some for long.
    fn replace(&mut self) {
        let mut killed = self.running.swap_remove(fastrand::usize(..WORKERS));
        assert!(killed.try_wait().unwrap().is_none(), "a worker ended by itself");
        killed.kill().unwrap();
        killed.wait().unwrap();
        self.start();
    }

    fn stop(mut self) {
        for mut worker in std::mem::take(&mut self.running) {
            assert!(signal(worker.id(), "TERM"));
            let status = worker.wait().unwrap();
            // The last one may not listen yet.
            assert!(status.success() || status.signal() == Some(15), "{status}");
        }
    }
}

impl Drop for Workers<'_> {
    fn drop(&mut self) {
        for worker in &mut self.running {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

/// Places orders with their notifications, until there are none left to place. Whether a commit that failed has committed is not known
/// here: the table of orders says so at the end.
async fn produce(pool: PgPool, outbox: Outbox, client: Client, next: Arc<AtomicI64>, most: i64) {
    loop {
        let first = next.fetch_add(PACK, Ordering::Relaxed);
        if first >= most {
            return;
        }
        while place(&pool, &outbox, &client, first).await.is_err() {
            // The database is away, and the orders may be there.
            sleep(Duration::from_millis(200)).await;
            let there =
                sqlx::query("select from orders where id = $1").bind(first).fetch_optional(&pool).await;
            if matches!(there, Ok(Some(_))) {
                break;
            }
        }
    }
}

async fn place(
    pool: &PgPool,
    outbox: &Outbox,
    client: &Client,
    first: i64,
) -> Result<(), suprsend_outbox::Error> {
    // The reason of a failure does not matter.
    let lost = |_| outbox.clone().schema("").map(drop).unwrap_err();
    let mut transaction = pool.begin().await.map_err(lost)?;
    sqlx::query("insert into orders (id) select generate_series($1::bigint, $2)")
        .bind(first)
        .bind(first + PACK - 1)
        .execute(&mut *transaction)
        .await
        .map_err(lost)?;
    for order in first..first + PACK {
        let trigger = client.workflows().trigger("order-placed").recipient("jane").data("order", order);
        outbox.enqueue(&mut transaction, trigger).await?;
    }
    if first / PACK % ROLLED_BACK == 0 {
        transaction.rollback().await.map_err(lost)
    } else {
        transaction.commit().await.map_err(lost)
    }
}

/// Numbers of messages.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Counts {
    committed: i64,
    waiting: i64,
}

impl Counts {
    fn sent(self) -> i64 {
        self.committed - self.waiting
    }
}

async fn counts(pool: &PgPool) -> Option<Counts> {
    let statement = "select (select count(*) from orders), (select count(*) from suprsend_outbox.messages)";
    let (committed, waiting) = sqlx::query_as(statement).fetch_one(pool).await.ok()?;
    Some(Counts { committed, waiting })
}

#[test]
fn every_committed_message_runs_exactly_once_and_no_other_does() {
    let Some(server) = start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(kill(&server));
}

async fn kill(server: &Postgres) {
    let triggers = std::env::var("SUPRSEND_OUTBOX_TRIGGERS").map_or(500, |text| text.parse().unwrap());
    let pool = PgPoolOptions::new().max_connections(10).connect(&server.url("postgres")).await.unwrap();
    sqlx::query("create table orders (id bigint primary key)").execute(&pool).await.unwrap();
    let outbox = Outbox::new(pool.clone());
    outbox.migrate().await.unwrap();
    let hub = Hub::builder().recorded_requests(0).start_on_thread().unwrap();
    hub.inject(Fault::lost().share(0.03)).unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build().unwrap();

    let mut workers =
        Workers { running: Vec::new(), server, hub: (hub.url().to_owned(), hub.key().to_owned()) };
    (0..WORKERS).for_each(|_| workers.start());
    let begin = Instant::now();
    let next = Arc::new(AtomicI64::new(0));
    // Those that are rolled back come on top.
    let most = triggers + triggers / (ROLLED_BACK - 1) + 2 * PACK;
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|_| tokio::spawn(produce(pool.clone(), outbox.clone(), client.clone(), next.clone(), most)))
        .collect();

    let mut ticks = interval(Duration::from_secs(1));
    ticks.tick().await;
    let (mut kills, mut crashed) = (0, false);
    let (mut killed, mut progress) = ((Instant::now(), 0), (Instant::now(), Counts::default()));
    loop {
        ticks.tick().await;
        // None while the database is away.
        let counts = counts(&pool).await.unwrap_or(progress.1);
        if counts != progress.1 {
            progress = (Instant::now(), counts);
        }
        assert!(progress.0.elapsed() < STUCK, "messages are stuck: {counts:?}");
        if counts.sent() >= killed.1 + FEW || killed.0.elapsed() > SLOW {
            workers.replace();
            kills += 1;
            killed = (Instant::now(), counts.sent());
        }
        let is_half = next.load(Ordering::Relaxed) > most / 2;
        if is_half && !crashed {
            // Without a checkpoint: what was not written to the disk is lost.
            tokio::task::block_in_place(|| server.crash()).unwrap();
            crashed = true;
        } else if crashed && counts.waiting == 0 && producers.iter().all(tokio::task::JoinHandle::is_finished)
        {
            break;
        }
    }
    for producer in producers {
        producer.await.unwrap();
    }
    let seconds = begin.elapsed().as_secs_f64();
    workers.stop();

    let committed: Vec<i64> = sqlx::query_scalar("select id from orders").fetch_all(&pool).await.unwrap();
    let committed: BTreeSet<i64> = committed.into_iter().collect();
    let (mut ran, mut repeated) = (BTreeMap::<i64, u32>::new(), 0);
    for sent in hub.sent() {
        if sent.is_duplicate() {
            repeated += 1;
        } else {
            *ran.entry(sent.data()["order"].as_i64().unwrap()).or_default() += 1;
        }
    }
    println!(
        "{} committed in {seconds:.0} s, {kills} workers killed, one crash of the database, {repeated} deliveries repeated",
        committed.len()
    );
    assert!(committed.len() >= usize::try_from(triggers).unwrap() && repeated > 0 && kills > 1);
    assert!(ran.values().all(|times| *times == 1), "ran more than once");
    let ran: BTreeSet<i64> = ran.into_keys().collect();
    let missing: Vec<_> = committed.difference(&ran).collect();
    let uncommitted: Vec<_> = ran.difference(&committed).collect();
    assert!(missing.is_empty() && uncommitted.is_empty(), "missing {missing:?}, uncommitted {uncommitted:?}");
    assert!(outbox.dead_letters(None, 1).await.unwrap().is_empty());
}
