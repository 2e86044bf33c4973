//! A transactional outbox on PostgreSQL for [SuprSend](https://suprsend.com). Notifications are committed together with your data, and
//! workers on any number of machines send what was committed, even through crashes, with the effect of sending each exactly once.
//!
//! ```no_run
//! # async fn example(pool: sqlx::PgPool, client: suprsend::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use suprsend_outbox::Outbox;
//!
//! let outbox = Outbox::new(pool.clone());
//! outbox.migrate().await?;
//!
//! let mut transaction = pool.begin().await?;
//! sqlx::query("insert into orders (id, customer) values (5678, 'jane')").execute(&mut *transaction).await?;
//! let trigger = client.workflows().trigger("order-placed").recipient("jane").data("order", 5678);
//! outbox.enqueue(&mut transaction, trigger).await?;
//! // Rolled back instead, neither the order nor the notification would exist.
//! transaction.commit().await?;
//!
//! let shutdown = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
//! outbox.worker(client).concurrency(32).run(shutdown).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A message exists if and only if its transaction was committed.
//! - A trigger or an event is assigned its idempotency key when it is enqueued, and every delivery carries the same key. Delivery is at
//!   least once: if a worker dies after the API's response and before recording it, the message is sent again, and SuprSend recognizes the
//!   key for 24 hours. Later than 23 hours after the first attempt that the API may have processed, a message is therefore not sent again
//!   automatically, even if it waits for an outage to end: it goes to the dead letters.
//! - Operations that cannot be delivered twice safely and take no key are rejected by name when they are enqueued: merging users, a
//!   broadcast, an edit that increments or appends. So are those of the management API.
//! - Within one order key, messages are sent in the order of their ids, one at a time. A message that fails blocks those behind it until it
//!   is sent or goes to the dead letters. Messages of concurrent transactions have no defined order.
//! - Neither the queue, its logs nor the errors of dead letters contain arguments of operations. Those are stored only in `messages` and
//!   `dead`.
//!
//! # Failures
//!
//! | failure | what happens to the message |
//! |---|---|
//! | transient: no connection, timeout, 408, 429, 5xx | it is sent again: at once by the client's retry policy, then with the queue's back-off (e, e², e³ … seconds, up to 6 h), or after the API's `Retry-After` |
//! | the worker's own: 401, 403, an unusable client, an untrusted certificate | it is sent again every five minutes, and the attempts do not count |
//! | a deletion finds nothing, after an attempt that may have been processed | it is done |
//! | any other response, invalid arguments, 25 failed attempts | it goes to the dead letters |
//! | some of its records are refused, with 408, 429 or 5xx among them | it is sent again as a whole with the queue's back-off: each record has its own key |
//! | some of its records are refused, all permanently | it goes to the dead letters, with the positions of these records and their errors |
//!
//! A 429 slows down the whole worker through the SDK's flow control ([`suprsend::Throttle`]). During an outage of the API, one message at a
//! time probes whether it is back. This costs the other messages no attempt.
//!
//! # Enqueuing with SQL
//!
//! Other languages enqueue by inserting into `suprsend_outbox.messages` in their own transactions:
//!
//! ```sql
//! insert into suprsend_outbox.messages (operation, arguments, not_before, order_key, priority)
//! values ('trigger-workflow-api',
//!         '{"body": {"workflow": "order-placed", "recipients": ["jane"], "data": {"order": 5678},
//!                    "$idempotency_key": "order-5678"}}',
//!         null, 'jane', 0);
//! ```
//!
//! | column | |
//! |---|---|
//! | `id` | assigned; the order within an order key |
//! | `operation` | the `operationId` of the OpenAPI document. The table `operations` lists the accepted ones; others are rejected by name |
//! | `arguments` | a JSON object: the parameters by their Rust names (`distinct_id`), and the request body as `body` |
//! | `not_before` | the earliest time of sending. Null means at once |
//! | `order_key` | messages with the same key are sent in order. Null means no order |
//! | `priority` | lower numbers are sent first. Defaults to 0 |
//!
//! The other columns belong to the worker. If the idempotency key is missing, the worker stores one before it sends the message for the
//! first time. The worker also validates the arguments: a message that it cannot send goes to the dead letters. Rows of `dead` can be
//! read and deleted freely; `suprsend-outbox retry` sends them again. The schema `suprsend_outbox_queue` belongs to the queue and is not an
//! interface.
//!
//! # Privileges
//!
//! The role that runs `migrate` owns the tables, and needs `create` on the database. Others need these grants:
//!
//! ```sql
//! grant usage on schema suprsend_outbox to outbox_producer;
//! grant insert (operation, arguments, not_before, order_key, priority) on suprsend_outbox.messages to outbox_producer;
//! grant select (id) on suprsend_outbox.messages to outbox_producer;
//! grant outbox_owner to outbox_worker;
//! ```
//!
//! [`Outbox::enqueue`] returns the id of the message, so producers in Rust must be able to read it. An insert with SQL needs this only if
//! it has a `returning id`. Workers must be members of the owner, because the queue's tables have row-level security without a policy:
//! whatever is granted to another role, it sees no rows there. The commands `dead` and `retry` need the same.
//!
//! # The queue
//!
//! The underlying queue is [graphile_worker](https://docs.rs/graphile_worker): claims by `SKIP LOCKED`, `LISTEN`/`NOTIFY`, back-off,
//! delayed jobs, named queues, priorities and heartbeats. It is released every few weeks, its SQL is that of the Graphile Worker known from
//! Node, and its database is a trait, so it runs on sqlx 0.8 here and builds with Rust 1.88. Alternatives that were considered:
//!
//! | crate | why not |
//! |---|---|
//! | `apalis-postgres` 1.0 | sqlx 0.9, so Rust 1.94; enqueues only through its own pool |
//! | `pgmq` 0.34 alpha | Rust 1.94; no priorities, no recovery other than visibility timeouts |
//! | `underway` 0.2 | has every feature, but no recent release; jiff 0.1 |
//! | `sqlxmq` 0.6 | strict order, but no priorities and OpenSSL by default; hardly maintained |
//! | `fang` 0.11 | no recovery of dead workers' jobs, no order |
//! | `awa` 0.6, `runledger` 0.12 | young; a new schema with almost every release |
//!
//! # Limits
//!
//! Because of `LISTEN`, the worker needs session pooling if it connects through PgBouncer. Sizing, measurements and scaling beyond one
//! database are covered in [docs/scaling.md](https://github.com/suprsend/suprsend-rs/blob/main/docs/scaling.md).

mod database;
mod dead;
mod enqueue;
mod error;
mod migrate;
mod outbox;
mod outcomes;
mod redact;
mod stored;
mod worker;

pub use sqlx;

pub use crate::{
    dead::DeadLetter,
    enqueue::{Enqueue, Enqueued},
    error::{DatabaseError, Error, Refused, SchemaError},
    outbox::Outbox,
    worker::Worker,
};
