//! Triggers a workflow, which runs only once although the response is lost, and cancels its runs.

use std::{error::Error, fs};

use serde::Serialize;
use suprsend::{
    Client,
    types::{Attachment, Recipient},
};
use suprsend_mock::{Fault, Hub};

#[derive(Serialize)]
struct Order {
    id: u32,
    total: f64,
}

struct Member {
    id: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let folder = tempfile::tempdir()?;
    let invoice = folder.path().join("invoice.pdf");
    fs::write(&invoice, "%PDF-1.7")?;
    let team = [Member { id: "ann".into() }, Member { id: "bob".into() }];
    let order = Order { id: 5678, total: 9.5 };
    client.tenants().upsert("acme", "Acme Inc.").await?;

    let response = client
        .workflows()
        .trigger("order-shipped")
        .recipient("jane")
        .recipients(team.iter().map(|member| &member.id))
        .recipient(Recipient::user("joe").email("joe@example.com").sms("+15551234567"))
        .recipient(Recipient::object("departments", "sales"))
        .actor("ann")
        .tenant("acme")
        .data("order", &order)
        .attachment(Attachment::file(&invoice)?)
        .idempotency_key("order-5678")
        .await?;
    println!("accepted as {:?}, with the key {:?}", response.message_id, response.idempotency_key());

    // The server processes the next request, but its response is lost.
    hub.inject(Fault::lost())?;
    let response = client.workflows().trigger("order-paid").recipient("jane").await?;
    println!("{} attempts, both with the key {:?}", response.attempts(), response.idempotency_key());
    let ran = hub.sent().iter().filter(|sent| sent.name() == "order-paid" && !sent.is_duplicate()).count();
    println!("order-paid ran {ran} time");

    let cancelled = client.workflows().cancel().idempotency_key("order-5678").await?;
    println!("{} runs of order-shipped are cancelled", cancelled.execution_ids.len());

    let wrong = client.workflows().trigger("order-shipped").data("total", f64::NAN).await;
    println!("nothing is sent: {}", wrong.err().ok_or("it was sent")?);
    Ok(())
}
