//! Commits an order and its notification together: `cargo run --example order`.
//!
//! It uses the database in `DATABASE_URL`, or else starts its own PostgreSQL, and sends to a mock server. Do not name a database whose outbox
//! is in use: its messages would be sent to the mock server too.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{error::Error, time::Duration};

use sqlx::{PgPool, Postgres, Transaction};
use suprsend::Client;
use suprsend_mock::Hub;
use suprsend_outbox::{Outbox, sqlx};

/// Places an order: inserts a row and enqueues a message to the customer.
async fn place(
    outbox: &Outbox,
    client: &Client,
    transaction: &mut Transaction<'_, Postgres>,
    customer: &str,
) -> Result<i64, Box<dyn Error>> {
    let order: i64 = sqlx::query_scalar("insert into example_orders (customer) values ($1) returning id")
        .bind(customer)
        .fetch_one(&mut **transaction)
        .await?;
    let trigger = client.workflows().trigger("order-placed").recipient(customer).data("order", order);
    let enqueued = outbox.enqueue(transaction, trigger).ordered_by(customer).await?;
    println!("order {order} of {customer}: message {}, key {:?}", enqueued.id(), enqueued.idempotency_key());
    Ok(order)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the example's own server stops when it is dropped.
    let (_own, url) = if let Ok(url) = std::env::var("DATABASE_URL") {
        (None, url)
    } else {
        let own = support::Postgres::start().map_err(|reason| {
            format!("no PostgreSQL: {reason:?}. Install Debian's package `postgresql`, or set DATABASE_URL")
        })?;
        let url = own.url("postgres");
        (Some(own), url)
    };
    let pool = PgPool::connect(&url).await?;
    sqlx::query(
        "create table if not exists example_orders (id bigint generated always as identity, customer text)",
    )
    .execute(&pool)
    .await?;
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let outbox = Outbox::new(pool.clone());
    outbox.migrate().await?;

    let mut committed = pool.begin().await?;
    let order = place(&outbox, &client, &mut committed, "jane").await?;
    committed.commit().await?;
    println!("order {order} is committed");

    let mut rolled_back = pool.begin().await?;
    let order = place(&outbox, &client, &mut rolled_back, "joe").await?;
    rolled_back.rollback().await?;
    println!("order {order} is rolled back");

    let mut transaction = pool.begin().await?;
    let merge = client.users().merge("jane", "guest");
    if let Err(refused) = outbox.enqueue(&mut transaction, merge).await {
        println!("refused: {refused}");
    }
    drop(transaction);

    // A service runs the worker until it is told to stop. This example stops when no message is left.
    let done = outbox.clone();
    let worker = outbox.worker(client).concurrency(8).run(async move {
        while done.waiting().await.unwrap_or_default() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    worker.await?;
    for sent in hub.sent() {
        println!("sent: {} to {}, key {:?}", sent.name(), sent.body()["recipients"], sent.key());
    }
    Ok(())
}
