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

/// The default schema.
const SCHEMA: &str = "suprsend_outbox";

/// An outbox in a PostgreSQL database. Clones share the pool.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) pool: PgPool,
    pub(crate) schema: Arc<str>,
}

impl Outbox {
    /// Creates an outbox in the schema `suprsend_outbox` of a database. Nothing is read or written yet.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, schema: SCHEMA.into() }
    }

    /// Uses another schema, such as one for each workspace. The queue's own schema has the same name followed by `_queue`.
    ///
    /// # Errors
    ///
    /// Fails if the name is not valid for a schema.
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

    /// Adds an operation to a transaction. Await the result to write it.
    ///
    /// This accepts a [`Call`](suprsend::Call), whose client is not used, or an [operation](suprsend::operations). A message that is rolled
    /// back is never sent and leaves no trace.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the operation cannot be delivered twice safely and has no idempotency key, or [`Error::Invalid`] if it
    /// violates rules of the OpenAPI document. In both cases the transaction remains usable.
    pub fn enqueue<'c, P>(&self, transaction: &'c mut PgConnection, message: P) -> Enqueue<'c>
    where
        P: Prepare<Operation: Storable>,
    {
        Enqueue::new(Arc::clone(&self.schema), transaction, message)
    }

    /// Creates a worker that sends with this client.
    pub fn worker(&self, client: Client) -> Worker {
        Worker::new(self.clone(), client)
    }

    /// Returns the number of messages that are still to be sent, including those in flight.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn waiting(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(&self.sql("select count(*) from :outbox.messages"))
            .fetch_one(&self.pool)
            .await
            .map_err(failed("count the messages"))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Inserts the names of the schemas into a statement.
    pub(crate) fn sql(&self, statement: &str) -> String {
        sql(&self.schema, statement)
    }

    /// Returns the name of the queue's schema.
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
