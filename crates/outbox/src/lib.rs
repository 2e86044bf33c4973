//! A transactional outbox on PostgreSQL for [SuprSend](https://suprsend.com): notifications are committed together with your data, and
//! workers on any number of machines send what was committed, through crashes, each exactly once in effect.
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
//! # What holds
//!
//! - A message exists if and only if its transaction was committed.
//! - A trigger or an event gets its idempotency key when it is enqueued, and every delivery carries the same one. Delivery is at least
//!   once: a worker that dies between the API's response and the note of it leaves a message that is sent again, which SuprSend
//!   recognizes by the key for 24 hours. A message whose first attempt is older than 23 hours is therefore not sent again by itself: it goes
//!   to the dead letters.
//! - Operations that cannot be delivered twice safely and take no key are refused by name when they are enqueued: merging users, a
//!   broadcast, an edit that increments or appends. So are those of the management API.
//! - Within one order key, messages are sent in the order of their ids, one at a time. A message that fails holds up those behind it, until it
//!   was sent or went to the dead letters. Messages of transactions that run at the same time have no order among themselves.
//! - Neither the queue, its logs nor the errors of dead letters hold arguments of operations. Those are in `messages` and `dead` only.
//!
//! # Failures
//!
//! | failure | the message |
//! |---|---|
//! | transient: no connection, timeout, 408, 429, 5xx | is sent again: by the client's retry policy at once, then by the queue's back-off (e, e², e³ … seconds, up to 6 h), or after the API's `Retry-After` |
//! | 401, 403, an unusable client | the same: they are the worker's fault, and not the message's |
//! | any other response, invalid arguments, 25 failed attempts | goes to the dead letters |
//!
//! A 429 slows the whole worker by the SDK's flow control ([`suprsend::Throttle`]). During an outage of the API one message at a time probes
//! whether it is back. That costs the others no attempt.
//!
//! # By SQL
//!
//! Other languages enqueue by inserting into `suprsend_outbox.messages`, in a transaction of their own:
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
//! | `operation` | the `operationId` of the API document. The table `operations` lists those that are taken; others are refused by name |
//! | `arguments` | a JSON object: the parameters by their Rust names (`distinct_id`), and the request's body as `body` |
//! | `not_before` | the earliest time of sending; null for at once |
//! | `order_key` | messages of one key are sent in order; null for none |
//! | `priority` | lower numbers are sent first; 0 by default |
//!
//! The other columns belong to the worker. Without an idempotency key, the worker stores one before it sends for the first time. Arguments are
//! validated by the worker: what it cannot send goes to the dead letters. `insert` on `messages` is the only privilege that a producer
//! needs, beside `usage` of the schema. Rows of `dead` can be read and deleted freely; `suprsend-outbox retry` sends them again. The schema
//! `suprsend_outbox_queue` is the queue's own, and no interface.
//!
//! # The queue
//!
//! The queue below is [graphile_worker](https://docs.rs/graphile_worker): claims by `SKIP LOCKED`, `LISTEN`/`NOTIFY`, back-off, delayed jobs,
//! named queues, priorities and heartbeats. It is released every few weeks, its SQL is that of the
//! Graphile Worker known from Node, and its database is a trait, so it runs here on sqlx 0.8, and builds with Rust 1.88. Others were considered:
//!
//! | crate | why not |
//! |---|---|
//! | `apalis-postgres` 1.0 | sqlx 0.9, so Rust 1.94; enqueues by its own pool only |
//! | `pgmq` 0.34 alpha | Rust 1.94; no priorities, no recovery other than visibility timeouts |
//! | `underway` 0.2 | has everything, but no release for long; jiff 0.1 |
//! | `sqlxmq` 0.6 | strict order, but no priorities and OpenSSL by default; hardly maintained |
//! | `fang` 0.11 | no recovery of dead workers' jobs, no order |
//! | `awa` 0.6, `runledger` 0.12 | young; a new schema with almost every release |
//!
//! # Limits
//!
//! The worker needs session pooling if there is a PgBouncer, for `LISTEN`. Sizes, measurements and what comes after one database are in
//! [docs/scaling.md](https://github.com/suprsend/suprsend-rs/blob/main/docs/scaling.md).

mod database;
mod dead;
mod enqueue;
mod error;
mod migrate;
mod outbox;
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
