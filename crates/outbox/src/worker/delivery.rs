//! Delivers a single message.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use graphile_worker::Job;
use serde_json::value::RawValue;
use sqlx::{FromRow, Row, postgres::PgRow, types::Json};
use suprsend::{Error, Permit, Response};
use tracing::{info, warn};

use super::{Again, Failed, Shared, State, failure::Failure, stopped};
use crate::{
    dead::KEPT,
    outcomes::Outcome,
    redact,
    stored::{self, Loaded, Unusable},
};

/// The time after its first attempt within which a message may be sent again: `SuprSend` recognizes its key for 24 hours.
const RECOGNIZED: TimeDelta = TimeDelta::hours(23);
/// The interval between messages of an order key that wait for an earlier one.
const DISTANCE: Duration = Duration::from_millis(20);

/// A message as it is stored.
struct Message {
    operation: String,
    arguments: Json<Box<RawValue>>,
    order_key: Option<String>,
    first_attempt_at: Option<DateTime<Utc>>,
    /// The number of earlier messages with the same order key.
    ahead: i64,
    /// The number of seconds until one of those is retried.
    wait: Option<f64>,
}

impl FromRow<'_, PgRow> for Message {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            operation: row.try_get("operation")?,
            arguments: row.try_get("arguments")?,
            order_key: row.try_get("order_key")?,
            first_attempt_at: row.try_get("first_attempt_at")?,
            ahead: row.try_get("ahead")?,
            wait: row.try_get("wait")?,
        })
    }
}

const READ: &str = "
    select operation, arguments, order_key, first_attempt_at, ahead, wait
    from :outbox.messages message
    cross join lateral (
        select count(*) as ahead, extract(epoch from max(retry_at) - now())::float8 as wait
        from (
            select retry_at from :outbox.messages before
            where message.order_key is not null and before.order_key = message.order_key and before.id < message.id
                and (before.not_before is null or before.not_before <= now())
            order by before.id limit 500
        ) before
    ) before
    where id = $1";

/// The reason why a message goes to the dead letters.
struct Death<'a> {
    kind: &'a str,
    status: Option<u16>,
    error: String,
}

impl Death<'static> {
    fn uncertain() -> Self {
        let error = "an attempt more than 23 hours ago may have been processed, and SuprSend may no longer recognize its \
                     idempotency key";
        Self { kind: "uncertain", status: None, error: error.to_owned() }
    }
}

/// Waits until SuprSend may have forgotten the key of a message, if an attempt may have been processed.
async fn forgotten(first_attempt: Option<DateTime<Utc>>) {
    let Some(first) = first_attempt else { return std::future::pending().await };
    // Even the shortest sleep takes a moment, in which the message would be sent. A time that has passed is no duration.
    if let Ok(left) = (first + RECOGNIZED - Utc::now()).to_std() {
        tokio::time::sleep(left).await;
    }
}

/// One attempt to deliver a message.
struct Attempt<'a> {
    state: &'a State,
    id: i64,
    job: &'a Job,
}

pub(super) async fn deliver(shared: &Shared, id: i64, job: &Job) -> Result<(), Failed> {
    let attempt = Attempt { state: &shared.0, id, job };
    attempt.run().await
}

impl Attempt<'_> {
    async fn run(&self) -> Result<(), Failed> {
        let statement = self.state.sql(READ);
        let read = sqlx::query_as::<_, Message>(&statement).bind(self.id);
        // Another worker may have sent it, or somebody may have deleted it.
        let Some(message) = read.fetch_optional(&self.state.pool).await.map_err(|error| self.lost(&error))?
        else {
            return Ok(());
        };
        if message.ahead > 0 {
            let ahead = u32::try_from(message.ahead).unwrap_or(1);
            let wait = Duration::try_from_secs_f64(message.wait.unwrap_or_default().max(0.0));
            let delay = wait.unwrap_or_default().saturating_add(DISTANCE * ahead);
            return Err(self.later(Some(delay), false, "waits for messages before it"));
        }
        if self.attempts() > self.state.max_attempts {
            // If the last attempt had ended normally, it would have given up itself.
            let error = "the last attempts ended without a result: the worker panicked".to_owned();
            return self.die(&message, Death { kind: "panic", status: None, error }).await;
        }
        let arguments = message.arguments.0.get();
        let loaded = match stored::load(&message.operation, &message.arguments.0) {
            Ok(loaded) => loaded,
            Err(unusable) => return self.die(&message, unusable.into_death(arguments)).await,
        };
        let forgotten = forgotten(message.first_attempt_at.filter(|_| !loaded.is_idempotent));
        tokio::pin!(forgotten);
        if let Some(completed) = &loaded.completed {
            let is_stored = self.complete(arguments, completed).await.map_err(|error| self.lost(&error))?;
            if !is_stored {
                return Err(self.later(Some(Duration::ZERO), false, "another worker has changed it"));
            }
        }
        // Both may wait for as long as an outage lasts.
        let permit = tokio::select! {
            biased;
            () = &mut forgotten => return self.die(&message, Death::uncertain()).await,
            permit = self.permit() => permit,
        };
        let Some(permit) = permit else {
            return Err(self.later(Some(Duration::ZERO), false, "the worker stops"));
        };
        let removes = loaded.removes;
        let uncertain = Arc::default();
        let result = tokio::select! {
            biased;
            () = &mut forgotten => return self.die(&message, Death::uncertain()).await,
            result = self.send(loaded, &uncertain) => result,
        };
        // The API has handled the message, so the next one need not wait for the database.
        drop(permit);
        let failure = match &result {
            Some(Ok(response)) => match Failure::from_outcome(response, arguments) {
                None => return self.sent(&message, Some(response)).await,
                failure => failure,
            },
            // An earlier attempt has removed the item, and its response was lost.
            Some(Err(Error::NotFound(error)))
                if removes && (error.may_be_done() || message.first_attempt_at.is_some()) =>
            {
                return self.sent(&message, None).await;
            }
            Some(Err(error)) => Some(Failure::from_error(error, arguments)),
            None => None,
        };
        if uncertain.load(Ordering::Relaxed) > 0 {
            self.note_attempt().await.map_err(|error| self.lost(&error))?;
        }
        match failure {
            Some(failure) => self.failed(&message, failure).await,
            None => {
                Err(self.later(Some(Duration::ZERO), true, "the worker stopped during an outage of the API"))
            }
        }
    }

    /// Waits for a place among the calls in flight. Returns `None` if the worker stops first.
    async fn permit(&self) -> Option<Permit> {
        let mut stopping = self.state.stopping.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => None,
            permit = self.state.throttle.permit() => Some(permit),
        }
    }

    /// Sends the message. Returns `None` if the worker stops while an outage holds it back.
    async fn send(
        &self,
        loaded: Loaded,
        uncertain: &Arc<AtomicU32>,
    ) -> Option<Result<Response<Outcome>, Error>> {
        let stopped_in_outage = async {
            stopped(self.state.stopping.clone()).await;
            while self.state.throttle.outage().is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            result = (loaded.send)(&self.state.client, &self.state.throttle, uncertain) => Some(result),
            () = stopped_in_outage => None,
        }
    }

    /// Stores keys that the message lacked before any request carries them. Returns whether it still was as it was read: a worker that was
    /// taken for dead must not send another key than the worker that took over.
    async fn complete(&self, read: &str, completed: &str) -> Result<bool, sqlx::Error> {
        let mut transaction = self.state.pool.begin().await?;
        sqlx::query("set local synchronous_commit = on").execute(&mut *transaction).await?;
        // `read` has no spaces around it.
        let statement = self.state.sql(
            "update :outbox.messages set arguments = $2::text::json
             where id = $1 and btrim(arguments::text, E' \\t\\n\\r') = $3",
        );
        let update = sqlx::query(&statement).bind(self.id).bind(completed).bind(read);
        let changed = update.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(changed > 0)
    }

    /// Deletes the message. Without a response, an earlier attempt had taken effect.
    async fn sent(&self, message: &Message, response: Option<&Response<Outcome>>) -> Result<(), Failed> {
        let statement = self.state.sql("delete from :outbox.messages where id = $1");
        let deleted = sqlx::query(&statement).bind(self.id).execute(&self.state.pool).await;
        info!(
            outbox_id = self.id,
            operation = message.operation,
            delivery = self.attempts(),
            status = response.map(|response| response.status().as_u16()),
            request_id = response.and_then(Response::request_id),
            "sent"
        );
        deleted.map(drop).map_err(|error| self.lost(&error))
    }

    /// Notes that the API may have processed this attempt, so that the key is remembered from this time.
    async fn note_attempt(&self) -> Result<(), sqlx::Error> {
        let statement = self.state.sql(
            "update :outbox.messages set first_attempt_at = least(first_attempt_at, $2, now()) where id = $1",
        );
        let note = sqlx::query(&statement).bind(self.id).bind(self.job.locked_at());
        note.execute(&self.state.pool).await.map(drop)
    }

    async fn failed(&self, message: &Message, failure: Failure) -> Result<(), Failed> {
        let Failure { kind, status, error, is_transient, counts, delay } = failure;
        if !is_transient || (counts && self.attempts() >= self.state.max_attempts) {
            return self.die(message, Death { kind, status, error }).await;
        }
        if message.order_key.is_some() {
            let back_off = f64::from(*self.job.attempts()).min(10.0).exp();
            let retry = delay.map_or(back_off, |delay| delay.as_secs_f64());
            self.note_retry(retry).await.map_err(|error| self.lost(&error))?;
        }
        warn!(
            outbox_id = self.id,
            operation = message.operation,
            delivery = self.attempts(),
            status,
            retry_after = delay.map(|delay| delay.as_secs()),
            error,
            "failed, will be sent again"
        );
        Err(self.later(delay, counts, &error))
    }

    /// Notes when the message is sent again, for those behind it with the same order key.
    async fn note_retry(&self, seconds: f64) -> Result<(), sqlx::Error> {
        let statement = self
            .state
            .sql("update :outbox.messages set retry_at = now() + $2 * interval '1 second' where id = $1");
        sqlx::query(&statement).bind(self.id).bind(seconds).execute(&self.state.pool).await.map(drop)
    }

    /// Moves the message to the dead letters.
    async fn die(&self, message: &Message, death: Death<'_>) -> Result<(), Failed> {
        warn!(
            outbox_id = self.id,
            operation = message.operation,
            ordered = message.order_key.is_some(),
            delivery = self.attempts(),
            kind = death.kind,
            status = death.status,
            error = death.error,
            "failed for good"
        );
        self.bury(death).await.map_err(|error| self.lost(&error))
    }

    async fn bury(&self, death: Death<'_>) -> Result<(), sqlx::Error> {
        let statement = self.state.sql(&format!(
            "with gone as (delete from :outbox.messages where id = $1 returning *)
             insert into :outbox.dead ({KEPT}, first_attempt_at, attempts, kind, status, error)
             select {KEPT}, first_attempt_at, $2, $3, $4, $5 from gone"
        ));
        sqlx::query(&statement)
            .bind(self.id)
            .bind(i32::from(*self.job.attempts()))
            .bind(death.kind)
            .bind(death.status.map(i32::from))
            .bind(death.error)
            .execute(&self.state.pool)
            .await
            .map(drop)
    }

    /// Fails the job, so that it runs again.
    fn later(&self, delay: Option<Duration>, counts: bool, reason: &str) -> Failed {
        if delay.is_some() || !counts {
            self.state.again().insert(*self.job.id(), Again { delay, counts });
        }
        Failed(reason.to_owned())
    }

    /// Fails the job because of the database, which says nothing about the message.
    fn lost(&self, error: &sqlx::Error) -> Failed {
        self.later(None, false, &format!("the database failed: {error}"))
    }

    /// Returns the number of attempts, including this one.
    fn attempts(&self) -> u32 {
        u32::try_from(*self.job.attempts()).unwrap_or(1)
    }
}

impl Unusable {
    fn into_death(self, arguments: &str) -> Death<'static> {
        let (kind, error) = match self {
            Self::Unknown => ("refused", "the operation is unknown to this version".to_owned()),
            Self::Undecodable => ("invalid_input", "the arguments are not those of the operation".to_owned()),
            Self::Refused(refused) => ("refused", refused.to_string()),
            Self::Invalid(error) => ("invalid_input", redact::error(&error.to_string(), arguments)),
        };
        Death { kind, status: None, error }
    }
}
