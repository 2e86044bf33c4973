//! Workers that are killed, a database that crashes, and replies that are lost: every committed message has its effect exactly once.
//!
//! `SUPRSEND_OUTBOX_TRIGGERS` says how many triggers are committed: 500 unless set, 2,000 in the gate.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
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
/// After this time messages are stuck: the test ends, where it would go on for ever.
const LIMIT: Duration = Duration::from_secs(480);
/// One order in this number is rolled back.
const ROLLED_BACK: i64 = 10;

/// The workers' processes, of which none outlives the test.
struct Workers {
    running: Vec<Child>,
    url: String,
    hub: (String, String),
}

impl Workers {
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
        command.env("DATABASE_URL", &self.url).env("SUPRSEND_BASE_URL", &self.hub.0);
        let child = command.env("SUPRSEND_API_KEY", &self.hub.1).stdout(Stdio::null()).spawn().unwrap();
        self.running.push(child);
    }

    /// Kills the oldest worker, by a signal that it cannot see, and starts another.
    fn replace(&mut self) {
        let mut oldest = self.running.remove(0);
        assert!(oldest.try_wait().unwrap().is_none(), "a worker ended by itself");
        oldest.kill().unwrap();
        oldest.wait().unwrap();
        self.start();
    }

    fn stop(mut self) {
        for mut worker in std::mem::take(&mut self.running) {
            signal(worker.id(), "TERM");
            let status = worker.wait().unwrap();
            // The last one may not listen yet.
            assert!(status.success() || status.signal() == Some(15), "{status}");
        }
    }
}

impl Drop for Workers {
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
        let order = next.fetch_add(1, Ordering::Relaxed);
        if order >= most {
            return;
        }
        while place(&pool, &outbox, &client, order).await.is_err() {
            // The database is away, and the order may be there.
            sleep(Duration::from_millis(200)).await;
            let there =
                sqlx::query("select from orders where id = $1").bind(order).fetch_optional(&pool).await;
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
    order: i64,
) -> Result<(), suprsend_outbox::Error> {
    // The reason of a failure does not matter.
    let lost = |_| outbox.clone().schema("").map(drop).unwrap_err();
    let mut transaction = pool.begin().await.map_err(lost)?;
    sqlx::query("insert into orders (id) values ($1)")
        .bind(order)
        .execute(&mut *transaction)
        .await
        .map_err(lost)?;
    let trigger = client.workflows().trigger("order-placed").recipient("jane").data("order", order);
    outbox.enqueue(&mut transaction, trigger).await?;
    if order % ROLLED_BACK == 0 {
        transaction.rollback().await.map_err(lost)
    } else {
        transaction.commit().await.map_err(lost)
    }
}

async fn waiting(outbox: &Outbox) -> Option<u64> {
    outbox.waiting().await.ok()
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

    let url = server.url("postgres");
    let mut workers = Workers { running: Vec::new(), url, hub: (hub.url().to_owned(), hub.key().to_owned()) };
    (0..WORKERS).for_each(|_| workers.start());
    let begin = Instant::now();
    let next = Arc::new(AtomicI64::new(0));
    // Those that are rolled back come on top.
    let most = triggers + triggers / (ROLLED_BACK - 1) + 2;
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|_| tokio::spawn(produce(pool.clone(), outbox.clone(), client.clone(), next.clone(), most)))
        .collect();

    let mut ticks = interval(Duration::from_secs(1));
    ticks.tick().await;
    let (mut kills, mut crashed) = (0, false);
    let done = AtomicBool::new(false);
    while !done.load(Ordering::Relaxed) {
        ticks.tick().await;
        assert!(begin.elapsed() < LIMIT, "{:?} messages are left after {LIMIT:?}", waiting(&outbox).await);
        workers.replace();
        kills += 1;
        let is_half = next.load(Ordering::Relaxed) > most / 2;
        if is_half && !crashed {
            // Without a checkpoint: what was not written to the disk is lost.
            tokio::task::block_in_place(|| server.crash()).unwrap();
            crashed = true;
        }
        let placed = producers.iter().all(tokio::task::JoinHandle::is_finished);
        done.store(placed && crashed && waiting(&outbox).await == Some(0), Ordering::Relaxed);
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
