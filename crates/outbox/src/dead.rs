//! Dead letters: messages that failed permanently.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::{Row, postgres::PgRow};

use crate::{
    Outbox,
    error::{Error, failed},
};

/// The columns of a message that its dead letter keeps, and that are restored when it is retried.
pub(crate) const KEPT: &str = "id, operation, arguments, order_key, priority, created_at";

/// A message that failed permanently. Its arguments are stored only in the table `dead`.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    id: i64,
    operation: String,
    created_at: DateTime<Utc>,
    died_at: DateTime<Utc>,
    attempts: i32,
    kind: String,
    status: Option<i32>,
    error: String,
}

impl DeadLetter {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            operation: row.try_get("operation")?,
            created_at: row.try_get("created_at")?,
            died_at: row.try_get("died_at")?,
            attempts: row.try_get("attempts")?,
            kind: row.try_get("kind")?,
            status: row.try_get("status")?,
            error: row.try_get("error")?,
        })
    }

    /// Returns the id that the message had when it was enqueued. It keeps this id when it is retried.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Returns the id of the operation.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns when the message was enqueued.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// Returns when the message failed permanently.
    pub fn died_at(&self) -> DateTime<Utc> {
        self.died_at
    }

    /// Returns the number of delivery attempts.
    pub fn attempts(&self) -> u32 {
        self.attempts.try_into().unwrap_or_default()
    }

    /// Returns the kind of the error as a name: one of [`ErrorKind`](suprsend::error::ErrorKind), `refused`, or `uncertain` for a message
    /// that may have been delivered too long ago to be sent again safely.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the HTTP status of the last response.
    pub fn status(&self) -> Option<u16> {
        self.status.and_then(|status| status.try_into().ok())
    }

    /// Returns the text of the error, in which values of the arguments are redacted.
    pub fn error(&self) -> &str {
        &self.error
    }
}

impl fmt::Display for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, operation, died_at, attempts, error, .. } = self;
        let died_at = died_at.format("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "{id} {operation}, {died_at}, attempts: {attempts}: {error}")
    }
}

impl Outbox {
    /// Returns dead letters in the order of their ids, starting after the given id, up to the limit.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn dead_letters(&self, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>, Error> {
        let statement = self.sql(
            "select id, operation, created_at, died_at, attempts, kind, status, error
             from :outbox.dead where id > $1 order by id limit $2",
        );
        let rows = sqlx::query(&statement)
            .bind(after.unwrap_or(i64::MIN))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await;
        let rows = rows.and_then(|rows| rows.iter().map(DeadLetter::read).collect());
        rows.map_err(failed("read the dead letters"))
    }

    /// Enqueues dead letters again with their original idempotency keys, and returns their number.
    ///
    /// SuprSend recognizes a key for 24 hours. A letter of the kind `uncertain` may have been delivered before that, so look for its
    /// operation in SuprSend's logs first. A letter of which some records were accepted, as its error says, is sent again as a whole: after
    /// these 24 hours, enqueue only the records that were refused instead.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn retry(&self, ids: &[i64]) -> Result<u64, Error> {
        self.retry_where("where id = any($1)", ids).await
    }

    /// Enqueues all dead letters again; see [`retry`](Self::retry).
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn retry_all(&self) -> Result<u64, Error> {
        self.retry_where("where cardinality($1::bigint[]) = 0", &[]).await
    }

    async fn retry_where(&self, condition: &str, ids: &[i64]) -> Result<u64, Error> {
        // The time of the first attempt is cleared, because somebody has now decided what to do about that attempt.
        let statement = self.sql(&format!(
            "with gone as (delete from :outbox.dead {condition} returning *)
             insert into :outbox.messages ({KEPT}) select {KEPT} from gone order by id"
        ));
        let done = sqlx::query(&statement).bind(ids).execute(&self.pool).await;
        Ok(done.map_err(failed("retry the dead letters"))?.rows_affected())
    }
}
