//! Taking over the messages of workers that died.
//!
//! The queue could do it, in one transaction for all dead workers with several statements for each of their jobs. If workers die faster than that
//! transaction ends, it never does. Here, each statement frees a pack of jobs, and what it freed stays free.

use std::{convert::Infallible, time::Duration};

use sqlx::{Error, Row};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::{Shared, State};

/// The most jobs that a statement frees.
const PACK: usize = 200;

/// Frees jobs of workers that reported nothing for a time, by the queue's own function, which also frees their order keys. They may have reached
/// the API: the time from which their keys are remembered is noted. They go behind the jobs that wait, since one of them may be what kills workers.
///
/// A job that something else holds, such as another worker that takes over, is left to it.
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

/// Forgets dead workers, and frees order keys without a job: if a worker that was only taken for dead completes a job that another one has
/// taken over, it frees its own order key, and not the other one's.
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

/// Takes over the messages of workers that were not heard of for this time, as long as it is polled.
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
        // Planned each time, by the size that the queue has now.
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
