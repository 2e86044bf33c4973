//! Takes over the messages of workers that died.
//!
//! The queue could do this, but uses one transaction for all dead workers, with several statements for each of their jobs. If workers die
//! faster than that transaction takes, it never completes. Here, each statement frees a pack of jobs, which then stay free.

use std::{convert::Infallible, time::Duration};

use sqlx::{Error, Row};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::{Shared, State};

/// The maximum number of jobs that a statement frees.
const PACK: usize = 200;

/// Frees jobs of workers that have been silent for a time, with the queue's own function, which also frees their order keys. Their
/// deliveries may have reached the API, so the time from which their keys are remembered is recorded. The jobs go behind those that wait,
/// because one of them may be what kills workers.
///
/// A job that is locked elsewhere, for example by another worker that is taking it over, is skipped.
const FREE: &str = "
    with dead as materialized (
        select id, locked_by, locked_at, (payload->>'id')::bigint as message
        from :queue._private_jobs job
        where locked_at < now() - $1 * interval '1 second' and locked_by is not null
            and not exists (
                select from :queue._private_workers worker
                where worker.id = job.locked_by and worker.last_heartbeat_at >= now() - $1 * interval '1 second'
            )
        limit $2
        for update of job skip locked
    ), noted as (
        update :outbox.messages message set first_attempt_at = least(first_attempt_at, dead.locked_at)
        from dead where message.id = dead.message
    )
    select count(*), :queue._private_return_jobs(locked_by, array_agg(id), 0, 'its worker died', true)
    from dead group by locked_by";

/// Removes dead workers, and frees order keys without a job: if a worker that was wrongly considered dead completes a job that another one
/// has taken over, it frees its own order key and not the other one's.
const TIDY: &str = "
    with forgotten as (
        delete from :queue._private_workers where id in (
            select id from :queue._private_workers worker
            where last_heartbeat_at < now() - $1 * interval '1 second'
                and not exists (select from :queue._private_jobs where locked_by = worker.id)
            for update skip locked
        )
    )
    update :queue._private_job_queues set locked_by = null, locked_at = null where id in (
        select id from :queue._private_job_queues job_queue
        where locked_at < now() - $1 * interval '1 second'
            and not exists (
                select from :queue._private_jobs job
                where job.locked_by is not null and job.job_queue_id = job_queue.id
            )
        for update skip locked
    )";

/// Takes over the messages of workers that have been silent for this time, as long as it is polled.
pub(super) async fn run(shared: &Shared, beat: Duration, time: Duration) -> Infallible {
    let mut ticks = interval(beat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = sweep(&shared.0, time.as_secs_f64()).await {
            warn!(%error, "cannot take over messages, will be tried again");
        }
    }
}

async fn sweep(state: &State, seconds: f64) -> Result<(), Error> {
    let (free, tidy) = (state.sql(FREE), state.sql(TIDY));
    loop {
        // Planned each time, for the current size of the queue.
        let free =
            sqlx::query(&free).bind(seconds).bind(i64::try_from(PACK).unwrap_or(i64::MAX)).persistent(false);
        let mut freed = 0;
        for worker in free.fetch_all(&state.pool).await? {
            freed += usize::try_from(worker.try_get::<i64, _>(0)?).unwrap_or_default();
        }
        if freed > 0 {
            warn!(messages = freed, "took over messages of dead workers");
        }
        if freed < PACK {
            break;
        }
    }
    sqlx::query(&tidy).bind(seconds).execute(&state.pool).await.map(drop)
}
