//! Adds a message to the caller's transaction.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use suprsend::stored::Prepare;

use crate::{
    error::{Error, failed},
    outbox::sql,
    stored::{self, Storable},
};

/// A message to add to a transaction, returned by [`Outbox::enqueue`](crate::Outbox::enqueue). Await it to add the message.
#[must_use = "nothing is written unless it is awaited"]
pub struct Enqueue<'c> {
    schema: Arc<str>,
    transaction: &'c mut PgConnection,
    message: Result<Message, Error>,
    not_before: Option<DateTime<Utc>>,
    order_key: Option<String>,
    priority: i16,
}

/// An operation with its type erased.
struct Message {
    operation: &'static str,
    arguments: String,
    key: Option<String>,
}

/// A message that was added to a transaction. It is sent after the transaction is committed.
#[derive(Debug, Clone)]
pub struct Enqueued {
    id: i64,
    key: Option<String>,
}

impl Enqueued {
    /// Returns the id of the message in the outbox.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Returns the idempotency key that every delivery carries, if the operation is a single record that takes one. Use it to cancel what
    /// the message starts.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl<'c> Enqueue<'c> {
    pub(crate) fn new<P>(schema: Arc<str>, transaction: &'c mut PgConnection, message: P) -> Self
    where
        P: Prepare<Operation: Storable>,
    {
        let message = message.prepare().map_err(Error::Invalid).and_then(|prepared| {
            stored::check(&prepared).map_err(Error::Refused)?;
            let arguments = serde_json::to_string(prepared.operation())
                .map_err(|error| Error::Database(crate::DatabaseError::new("write the operation", error)))?;
            let key = prepared.idempotency_key().map(str::to_owned);
            Ok(Message { operation: prepared.id(), arguments, key })
        });
        Self { schema, transaction, message, not_before: None, order_key: None, priority: 0 }
    }

    /// Sets the earliest time at which the message is sent: a [`SystemTime`](std::time::SystemTime) or a time of the crate `chrono`.
    pub fn not_before(self, time: impl Into<DateTime<Utc>>) -> Self {
        Self { not_before: Some(time.into()), ..self }
    }

    /// Sends the message after those that were enqueued earlier with the same key, such as the id of the user. An empty key means none.
    ///
    /// A message that waits for its time does not delay others.
    pub fn ordered_by(self, key: impl Into<String>) -> Self {
        Self { order_key: Some(key.into()).filter(|key| !key.is_empty()), ..self }
    }

    /// Sets the priority. Messages with a lower number are sent first. Defaults to 0. It does not change the order within an order key.
    pub fn priority(self, priority: i16) -> Self {
        Self { priority, ..self }
    }

    async fn run(self) -> Result<Enqueued, Error> {
        let Message { operation, arguments, key } = self.message?;
        let statement = sql(
            &self.schema,
            "insert into :outbox.messages (operation, arguments, not_before, order_key, priority)
             values ($1, $2::text::json, $3, $4, $5) returning id",
        );
        let id = sqlx::query_scalar(&statement)
            .bind(operation)
            .bind(arguments)
            .bind(self.not_before)
            .bind(self.order_key)
            .bind(self.priority)
            .fetch_one(self.transaction)
            .await
            .map_err(failed("enqueue the operation"))?;
        Ok(Enqueued { id, key })
    }
}

impl<'c> IntoFuture for Enqueue<'c> {
    type Output = Result<Enqueued, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Leaves out the arguments and the order key, which may be personal data.
impl fmt::Debug for Enqueue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enqueue")
            .field("operation", &self.message.as_ref().map(|message| message.operation))
            .field("not_before", &self.not_before)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}
