//! Sends many triggers of a workflow in few requests, with an outcome for each trigger.
//!
//! This runs against a mock server that loses some responses and is sometimes busy.

use std::{collections::BTreeMap, error::Error, time::Duration};

use suprsend::{Client, RetryPolicy};
use suprsend_mock::{Fault, Hub};

const ORDERS: u32 = 2500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    hub.define_workflow(serde_json::json!({"slug": "order-shipped"}))?;
    let faults = [Fault::lost().share(0.1), Fault::status(503).share(0.1), Fault::record(429).share(0.02)];
    for fault in faults {
        hub.inject(fault)?;
    }

    let policy = RetryPolicy::default().max_attempts(6).base_delay(Duration::from_millis(50));
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).retry(policy).build()?;
    let workflows = client.workflows();
    let triggers = (1..=ORDERS).map(|order| {
        let slug = if order % 1000 == 0 { "no-such-workflow" } else { "order-shipped" };
        let trigger = workflows.trigger(slug).recipient(format!("user-{order}")).data("order", order);
        // With a key of its own, no order is notified twice, even if this program is started again within 24 hours.
        (order, trigger.idempotency_key(format!("order-{order}-shipped")))
    });

    let mut outcomes = workflows.trigger_all(triggers);
    while let Some(outcome) = outcomes.next().await {
        match outcome.result {
            Ok(record) if outcome.index < 3 => {
                println!(
                    "order {}: accepted as {}",
                    outcome.value,
                    record.message_id.as_deref().unwrap_or("?")
                );
            }
            Ok(_) => {}
            Err(error) => println!("order {}: {error}", outcome.value),
        }
    }
    println!("{}", outcomes.summary());

    let requests = hub.requests().len();
    println!("{ORDERS} triggers in {requests} requests, those that were sent again included");
    let mut runs = BTreeMap::new();
    for sent in hub.sent().iter().filter(|sent| !sent.is_duplicate()) {
        *runs.entry(sent.key().map(str::to_owned)).or_insert(0) += 1;
    }
    let twice = runs.values().filter(|runs| **runs > 1).count();
    println!("the workflow ran for {} orders, and for {twice} of them twice", runs.len());
    Ok(())
}
