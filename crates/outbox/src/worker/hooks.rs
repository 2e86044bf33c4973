//! Hooks for the queue's worker: they set when jobs run again, and record interrupted attempts.

use std::sync::Arc;

use graphile_worker::{Job, JobComplete, JobFail, JobRecovery, JobRecoveryResult, WorkerOptions};
use sqlx::Error;
use tracing::warn;

use super::{Again, Shared, State};

pub(super) fn add(options: WorkerOptions, shared: &Shared) -> WorkerOptions {
    let (failed, recovered, completed) = (shared.clone(), shared.clone(), shared.clone());
    options
        .on(JobFail, move |context| {
            let state = Arc::clone(&failed.0);
            async move {
                let id = *context.job.id();
                let again = state.again().remove(&id);
                if let Some(again) = again {
                    note("schedule a message", reschedule(&state, &context.job, again).await);
                }
            }
        })
        .on(JobRecovery, move |context| {
            let state = Arc::clone(&recovered.0);
            async move {
                match interrupted(&state, &context.job).await {
                    Ok(()) => JobRecoveryResult::Default,
                    // The job stays claimed and is taken over later.
                    Err(error) => {
                        note("return a message", Err(error));
                        JobRecoveryResult::Skip
                    }
                }
            }
        })
        .on(JobComplete, move |context| {
            let state = Arc::clone(&completed.0);
            async move {
                if context.job.job_queue_id().is_some() {
                    note("announce the next message", announce(&state).await);
                }
            }
        })
}

fn note(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        warn!(%error, "cannot {what}");
    }
}

/// Reschedules a failed job, instead of using the queue's back-off.
async fn reschedule(state: &State, job: &Job, again: Again) -> Result<(), Error> {
    let attempts = i32::from(*job.attempts()) - i32::from(!again.counts);
    let statement = state.sql(
        "select from :queue.reschedule_jobs(array[$1::bigint], now() + $2 * interval '1 second', null, $3)",
    );
    sqlx::query(&statement)
        .bind(job.id())
        .bind(again.delay.map(|delay| delay.as_secs_f64()))
        .bind(attempts)
        .execute(&state.pool)
        .await
        .map(drop)
}

/// Records that a delivery was interrupted because the worker stopped. It may have reached the API, so its key is remembered from this
/// time. Interruptions of dead workers are recorded together, in `takeover`.
async fn interrupted(state: &State, job: &Job) -> Result<(), Error> {
    let id = job.payload().get("id").and_then(serde_json::Value::as_i64);
    let statement =
        state.sql("update :outbox.messages set first_attempt_at = least(first_attempt_at, $2) where id = $1");
    sqlx::query(&statement).bind(id).bind(job.locked_at()).execute(&state.pool).await.map(drop)
}

/// Makes workers look for the next message of an order key, which could not be claimed before.
async fn announce(state: &State) -> Result<(), Error> {
    let statement = state.sql(
        "select pg_notify('jobs:insert', '') where exists (select from :outbox.messages where order_key is not null)",
    );
    sqlx::query(&statement).execute(&state.pool).await.map(drop)
}
