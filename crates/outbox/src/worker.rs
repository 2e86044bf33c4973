//! The worker, which takes messages from the queue and sends them.

mod delivery;
mod failure;
mod hooks;
mod takeover;

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    ops::RangeInclusive,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graphile_worker::{
    IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions, WorkerRecoveryConfig,
};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Executor, PgPool, postgres::PgPoolOptions};
use suprsend::{Client, Throttle};
use tokio::{sync::watch, time::sleep};
use tracing::{info, warn};

use crate::{
    Outbox, database,
    error::{DatabaseError, Error},
    outbox::sql,
};

/// The interval at which the database is asked for messages whose time has come. New messages are announced.
const POLL: Duration = Duration::from_millis(500);
/// The time for which completed jobs are collected before they are deleted together.
const BATCH: Duration = Duration::from_millis(5);
/// The maximum pause between attempts to reach an unavailable database.
const LONGEST_AWAY: Duration = Duration::from_secs(10);
/// The allowed range of the time after which a worker is considered dead.
const TAKE_OVER_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
/// A connection that was idle for longer is tested before it is used.
const IDLE: Duration = Duration::from_secs(1);
/// The maximum number of a worker's connections, in addition to the listening one.
const CONNECTIONS: usize = 16;

/// A worker that sends committed messages, returned by [`Outbox::worker`].
#[must_use = "nothing is sent unless it is run"]
pub struct Worker {
    outbox: Outbox,
    client: Client,
    concurrency: usize,
    max_rate: Option<u32>,
    max_attempts: u32,
    grace: Duration,
    take_over_after: Duration,
}

/// A job of the queue: the id of a message.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    id: i64,
}

impl TaskHandler for Job {
    const IDENTIFIER: &'static str = "suprsend";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        match context.get_ext::<Shared>() {
            Some(shared) => delivery::deliver(shared, self.id, context.job()).await,
            None => Err(Failed("the worker has no state".to_owned())),
        }
    }
}

/// The text that the queue stores for a failed job, which is its `Debug` output.
struct Failed(String);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state that all deliveries of a worker share.
#[derive(Clone)]
struct Shared(Arc<State>);

struct State {
    pool: PgPool,
    schema: Arc<str>,
    client: Client,
    throttle: Throttle,
    max_attempts: u32,
    stopping: watch::Receiver<bool>,
    /// The times at which failed jobs run again, kept until the queue has recorded the failure.
    again: Mutex<HashMap<i64, Again>>,
}

/// The time at which a job runs again.
#[derive(Clone, Copy)]
struct Again {
    /// The delay from now on. Without it, the queue's back-off applies.
    delay: Option<Duration>,
    /// Whether the attempt counts.
    counts: bool,
}

impl State {
    fn again(&self) -> MutexGuard<'_, HashMap<i64, Again>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sql(&self, statement: &str) -> String {
        sql(&self.schema, statement)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("throttle", &self.0.throttle).finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) fn new(outbox: Outbox, client: Client) -> Self {
        Self {
            outbox,
            client,
            concurrency: 32,
            max_rate: None,
            max_attempts: 25,
            grace: Duration::from_secs(30),
            take_over_after: Duration::from_secs(60),
        }
    }

    /// Limits the number of messages in flight. Defaults to 32. Zero counts as one.
    ///
    /// The worker starts with four in flight and increases the number while the latency of the API remains stable.
    pub fn concurrency(self, messages: usize) -> Self {
        Self { concurrency: messages.max(1), ..self }
    }

    /// Limits the number of requests per second, including retries. Unlimited by default. Zero counts as one.
    pub fn max_rate(self, requests: u32) -> Self {
        Self { max_rate: Some(requests), ..self }
    }

    /// Sets the number of failed deliveries after which a message goes to the dead letters. Defaults to 25, which takes about four days.
    /// Zero counts as one. Waiting for the end of an outage of the API does not count, and neither does a delivery that fails because of the
    /// worker's API key or its configuration.
    ///
    /// A message that needs its idempotency key is given up earlier: 23 hours after the first attempt that may have been processed.
    pub fn max_attempts(self, deliveries: u32) -> Self {
        Self { max_attempts: deliveries.clamp(1, 10_000), ..self }
    }

    /// Limits how long messages in flight may take when the worker stops. Defaults to 30 s. Unfinished messages are sent again later, with
    /// the same key.
    pub fn grace(self, limit: Duration) -> Self {
        Self { grace: limit, ..self }
    }

    /// Sets how long a worker may be silent before its messages are taken over. Defaults to 60 s. Values below one second count as one
    /// second, and those above one day as one day. Workers report five times within this time, so all workers of an outbox should use the
    /// same value.
    ///
    /// Mistaking a live worker for a dead one does no harm: its messages are sent twice with the same key.
    pub fn take_over_after(self, time: Duration) -> Self {
        Self { take_over_after: time.clamp(*TAKE_OVER_AFTER.start(), *TAKE_OVER_AFTER.end()), ..self }
    }

    /// Sends messages until `shutdown` completes, then finishes those in flight.
    ///
    /// If the database is unavailable, the worker waits for it.
    ///
    /// # Errors
    ///
    /// Fails if the database rejects the worker: it does not exist, the user may not log in, or the outbox's tables are missing.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let (stop, stopping) = watch::channel(false);
        let mut work = pin!(self.work(stopping));
        let mut shutdown = pin!(shutdown);
        tokio::select! {
            ended = &mut work => return ended,
            () = &mut shutdown => {}
        }
        info!("stopping: messages in flight are finished");
        stop.send_replace(true);
        work.await
    }

    async fn work(&self, stopping: watch::Receiver<bool>) -> Result<(), Error> {
        let mut throttle = self.client.throttle().adaptive_concurrency(1, self.concurrency);
        if let Some(rate) = self.max_rate {
            throttle = throttle.max_rate(rate);
        }
        let shared = Shared(Arc::new(State {
            pool: self.pool(),
            schema: Arc::clone(&self.outbox.schema),
            client: self.client.clone(),
            throttle,
            max_attempts: self.max_attempts,
            stopping: stopping.clone(),
            again: Mutex::default(),
        }));
        let mut stopped = pin!(stopped(stopping.clone()));
        let mut failures = 0;
        while !*stopping.borrow() {
            match self.work_once(&shared, &stopping, &mut failures).await {
                Ok(()) => break,
                Err(Ended::ForGood(error)) => return Err(error),
                Err(Ended::ForNow(reason)) => warn!(error = reason, "the database is away or restarts"),
            }
            failures += 1;
            let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(10)).min(LONGEST_AWAY);
            tokio::select! {
                () = sleep(pause) => {}
                () = &mut stopped => break,
            }
        }
        shared.0.pool.close().await;
        Ok(())
    }

    /// Works until the worker stops or the database fails.
    async fn work_once(
        &self,
        shared: &Shared,
        stopping: &watch::Receiver<bool>,
        failures: &mut u32,
    ) -> Result<(), Ended> {
        let probe = shared.0.sql("select 1 from :outbox.messages, :outbox.dead limit 0");
        sqlx::query(&probe).execute(&shared.0.pool).await.map_err(Ended::new)?;
        let worker =
            self.queue(shared, stopping).init().await.map_err(|error| Ended::ForNow(error.to_string()))?;
        info!(concurrency = self.concurrency, "working");
        *failures = 0;
        tokio::select! {
            ended = worker.run() => ended.map_err(|error| Ended::ForNow(error.to_string())),
            never = takeover::run(shared, self.beat(), self.take_over_after) => match never {},
        }
    }

    /// Returns the interval at which the worker reports, and looks for others that do not.
    fn beat(&self) -> Duration {
        self.take_over_after / 5
    }

    /// Configures the queue's worker.
    fn queue(&self, shared: &Shared, stopping: &watch::Receiver<bool>) -> WorkerOptions {
        // The queue's own sweep cannot be disabled without disabling the heartbeats. It finds nothing, because `takeover` always comes long
        // before it.
        let recovery = WorkerRecoveryConfig::default()
            .heartbeat_interval(self.beat())
            .sweep_interval(*TAKE_OVER_AFTER.end())
            .sweep_threshold(*TAKE_OVER_AFTER.end() * 2)
            .recovery_delay(Duration::ZERO);
        let options = WorkerOptions::default()
            .database(database::database(shared.0.pool.clone()))
            .schema(self.outbox.queue())
            .concurrency(self.concurrency)
            .poll_interval(POLL)
            .complete_job_batch_delay(BATCH)
            .local_queue(LocalQueueConfig::default().with_size(self.concurrency))
            .worker_recovery(recovery)
            .listen_os_shutdown_signals(false)
            .shutdown_signal(stopped(stopping.clone()))
            .shutdown_grace_period(self.grace)
            .shutdown_interrupted_job_retry_delay(Duration::ZERO)
            .add_extension(shared.clone())
            .define_job::<Job>();
        hooks::add(options, shared)
    }

    /// Opens the worker's own connections. If the database crashes and loses their last writes, a message is sent again with the same key.
    /// So they do not wait for the disk, unless stated otherwise. Statements are planned each time: a plan that was made for an empty table
    /// would later read the whole table for each message.
    fn pool(&self) -> PgPool {
        // A message spends most of its time with the API. An additional connection costs the database more than waiting for one that is in
        // use.
        let most = u32::try_from(self.concurrency.div_ceil(4).min(CONNECTIONS)).unwrap_or_default() + 4;
        PgPoolOptions::new()
            .max_connections(most)
            // A test is an extra round trip.
            .test_before_acquire(false)
            .before_acquire(|connection, usage| {
                Box::pin(async move {
                    if usage.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let settings = "set synchronous_commit = off; set plan_cache_mode = force_custom_plan";
                    connection.execute(settings).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.outbox.pool.connect_options().as_ref().clone())
    }
}

/// Completes when the worker stops.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender is dropped only after the worker.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The reason why the queue's worker ended.
enum Ended {
    ForNow(String),
    ForGood(Error),
}

impl Ended {
    fn new(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let for_good = match code.as_deref() {
            // Login, no such database, syntax or access rule: these are not transient.
            Some(code) => ["28", "3D", "3F", "42"].iter().any(|class| code.starts_with(class)),
            None => matches!(error, sqlx::Error::Configuration(_) | sqlx::Error::Tls(_)),
        };
        if for_good {
            Self::ForGood(Error::Database(DatabaseError::new("work", error)))
        } else {
            Self::ForNow(error.to_string())
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("outbox", &self.outbox)
            .field("concurrency", &self.concurrency)
            .field("max_rate", &self.max_rate)
            .finish_non_exhaustive()
    }
}
