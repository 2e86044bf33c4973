//! Tracks events of users, which start workflows.

use std::error::Error;

use serde::Serialize;
use suprsend::Client;
use suprsend_mock::{Fault, Hub};

#[derive(Serialize)]
struct Order {
    id: u32,
    total: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    // An event of an unknown user is accepted and dropped, so the user is created first.
    client.users().upsert("jane").email("jane@example.com").await?;

    let response = client
        .events()
        .track("jane", "order_placed")
        .properties_from(Order { id: 5678, total: 9.5 })
        .properties("coupon", "MAY")
        .idempotency_key("order-5678-placed")
        .await?;
    println!("accepted as {:?}", response.message_id);

    // The response to this event is lost; it is sent again with the same key.
    hub.inject(Fault::lost())?;
    let response = client.events().track("jane", "order_paid").await?;
    println!("{} attempts with the key {:?}", response.attempts(), response.idempotency_key());

    for sent in hub.sent() {
        let what = if sent.is_duplicate() { "recognised as a repeat" } else { "taken" };
        println!("{} for {:?}, with {}: {what}", sent.name(), sent.recipients(), sent.data());
    }
    Ok(())
}
