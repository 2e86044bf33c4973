//! A database for each test, on one server.

use std::{
    future::Future,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, Once, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use suprsend::{Client, RetryPolicy};
use suprsend_mock::Hub;
use suprsend_outbox::{
    Outbox, Worker,
    sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions},
};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use crate::support::{Postgres, Unavailable, signal};

/// Set to `required`, a machine without PostgreSQL is a failure.
const VARIABLE: &str = "SUPRSEND_OUTBOX_POSTGRES";

/// Returns the server that running tests share, or `None` if PostgreSQL is not installed.
pub(crate) fn server() -> Option<Arc<Postgres>> {
    static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = running.upgrade() {
        return Some(server);
    }
    let server = start()?;
    *running = Arc::downgrade(&server);
    Some(server)
}

/// Starts a server of the test's own.
pub(crate) fn start() -> Option<Arc<Postgres>> {
    static SAID: Once = Once::new();
    match Postgres::start() {
        Ok(server) => Some(Arc::new(server)),
        Err(Unavailable::NotInstalled)
            if std::env::var_os(VARIABLE).is_none_or(|value| value != "required") =>
        {
            // Not by a macro, whose output a test that passes does not show.
            let line =
                "suprsend-outbox: skipped the tests that need PostgreSQL 15, which is not on this machine\n";
            SAID.call_once(|| std::io::stderr().write_all(line.as_bytes()).unwrap());
            None
        }
        Err(reason) => panic!("no PostgreSQL: {reason:?}"),
    }
}

/// An outbox in a database of its own, and a hub.
pub(crate) struct Setup {
    pub(crate) pool: PgPool,
    pub(crate) outbox: Outbox,
    pub(crate) hub: Hub,
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) server: Arc<Postgres>,
}

impl Setup {
    pub(crate) async fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
        connection.execute(format!("create database {name}").as_str()).await.unwrap();
        let url = server.url(&name);
        let pool = PgPoolOptions::new().max_connections(4).connect(&url).await.unwrap();
        let outbox = Outbox::new(pool.clone());
        outbox.migrate().await.unwrap();
        let hub = Hub::start().await.unwrap();
        let retry = RetryPolicy::default().base_delay(Duration::from_millis(5));
        let client = Client::builder().base_url(hub.url()).api_key(hub.key()).retry(retry);
        let client = client.workspace("workspace").build().unwrap();
        Some(Self { pool, outbox, hub, client, url, server })
    }

    pub(crate) fn worker(&self) -> Worker {
        self.outbox.worker(self.client.clone()).grace(Duration::from_secs(20))
    }

    /// Commits triggers of a workflow, one for each recipient.
    pub(crate) async fn trigger(&self, workflow: &str, recipient: &str) -> i64 {
        let mut transaction = self.pool.begin().await.unwrap();
        let trigger = self.client.workflows().trigger(workflow).recipient(recipient);
        let enqueued = self.outbox.enqueue(&mut transaction, trigger).await.unwrap();
        transaction.commit().await.unwrap();
        enqueued.id()
    }

    /// The names of the workflows that ran, in order.
    pub(crate) fn ran(&self) -> Vec<String> {
        let sent = self.hub.sent();
        sent.iter().filter(|sent| !sent.is_duplicate()).map(|sent| sent.name().to_owned()).collect()
    }

    /// Works until a number of messages is left.
    pub(crate) async fn work_until(&self, left: u64) {
        Running::start(self.worker()).until(async || self.outbox.waiting().await.unwrap() == left).await;
    }
}

/// A worker that runs.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), suprsend_outbox::Error>>,
}

impl Running {
    pub(crate) fn start(worker: Worker) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(worker.run(async {
            let _ = stopped.await;
        }));
        Self { stop, task }
    }

    /// Waits for something, then stops the worker. The test's runner ends a wait that takes too long.
    pub(crate) async fn until<F: Future<Output = bool>>(self, reached: impl Fn() -> F) {
        while !reached().await {
            assert!(!self.task.is_finished(), "the worker ended");
            sleep(Duration::from_millis(10)).await;
        }
        self.stop().await;
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// Runs a test on a runtime of several threads.
pub(crate) fn on_postgres(test: impl AsyncFnOnce(Setup)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if let Some(setup) = Setup::new().await {
            test(setup).await;
        }
    });
}

/// A test that is killed itself, as by a time limit, leaves neither a server, nor workers, nor a folder.
#[test]
fn a_killed_test_leaves_nothing_behind() {
    const VARIABLE: &str = "SUPRSEND_OUTBOX_TO_BE_KILLED";
    if std::env::var_os(VARIABLE).is_some() {
        let Some(server) = start() else { return };
        let mut command = Command::new("sleep");
        command.arg("3600");
        server.attach(&mut command);
        let mut sleeps = command.spawn().unwrap();
        println!("\nstarted {} {} {}", server.process(), sleeps.id(), server.folder().display());
        // It does not end by itself, nor does this.
        sleeps.wait().unwrap();
        unreachable!("not killed");
    }
    if server().is_none() {
        return;
    }
    let mut killed = Command::new(std::env::current_exe().unwrap());
    killed.args(["--exact", "setup::a_killed_test_leaves_nothing_behind", "--nocapture"]);
    let mut killed = killed.env(VARIABLE, "yes").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines().map(Result::unwrap);
    let started = lines.find(|line| line.starts_with("started ")).unwrap();
    let [_, server, sleeps, folder] = started.split(' ').collect::<Vec<_>>()[..] else { panic!("{started}") };
    let (server, sleeps) = (server.parse().unwrap(), sleeps.parse().unwrap());
    assert!(runs(server) && runs(sleeps) && Path::new(folder).exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    while runs(server) || runs(sleeps) || Path::new(folder).exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns whether a process runs. A zombie does not: it waits for whoever adopted it.
fn runs(process: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => signal(process, "0"),
    }
}
