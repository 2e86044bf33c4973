//! The outbox: a pool and the names of the schemas.

use std::{fmt, sync::Arc};

use sqlx::{PgConnection, PgPool};
use suprsend::{Client, stored::Prepare};

use crate::{
    enqueue::Enqueue,
    error::{Error, SchemaError, failed},
    stored::Storable,
    worker::Worker,
};

/// The schema unless another is set.
const SCHEMA: &str = "suprsend_outbox";

/// An outbox in a PostgreSQL database. Clones share the pool.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) pool: PgPool,
    pub(crate) schema: Arc<str>,
}

impl Outbox {
    /// Returns the outbox in the schema `suprsend_outbox` of a database. Nothing is read or written yet.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, schema: SCHEMA.into() }
    }

    /// Uses another schema, such as one for each workspace. The queue's own is named the same with `_queue` after it.
    ///
    /// # Errors
    ///
    /// An error if the name is not one that a schema may have.
    pub fn schema(self, name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        let rest =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !begins || !rest || name.len() > 50 {
            return Err(Error::Schema(SchemaError { name }));
        }
        Ok(Self { schema: name.into(), ..self })
    }

    /// Adds an operation to a transaction. Awaiting the result writes it.
    ///
    /// It takes a [`Call`](suprsend::Call), whose client is not used, or an [operation](suprsend::operations). What is rolled back is never
    /// sent, and does not count.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the operation cannot be delivered twice safely and has no idempotency key, [`Error::Invalid`] if it
    /// breaks rules of the API document. Both leave the transaction usable.
    pub fn enqueue<'c, P>(&self, transaction: &'c mut PgConnection, message: P) -> Enqueue<'c>
    where
        P: Prepare<Operation: Storable>,
    {
        Enqueue::new(Arc::clone(&self.schema), transaction, message)
    }

    /// Sets up a worker that sends by this client.
    pub fn worker(&self, client: Client) -> Worker {
        Worker::new(self.clone(), client)
    }

    /// Returns the number of messages that are still to be sent, in flight included.
    ///
    /// # Errors
    ///
    /// The error of the database.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(&self.sql("select count(*) from :outbox.messages"))
            .fetch_one(&self.pool)
            .await
            .map_err(failed("count the messages"))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Puts the names of the schemas into a statement.
    pub(crate) fn sql(&self, statement: &str) -> String {
        sql(&self.schema, statement)
    }

    /// The schema of the queue.
    pub(crate) fn queue(&self) -> String {
        format!("{}_queue", self.schema)
    }
}

pub(crate) fn sql(schema: &str, statement: &str) -> String {
    statement.replace(":outbox", schema).replace(":queue", &format!("{schema}_queue"))
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("schema", &self.schema).finish_non_exhaustive()
    }
}
