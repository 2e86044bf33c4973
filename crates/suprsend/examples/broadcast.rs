//! Creates a list of users, sends a broadcast to all of them, and cancels it.

use std::error::Error;

use suprsend::Client;
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    // Broadcasts have the UID of the workspace in their path.
    let client =
        Client::builder().base_url(hub.url()).api_key(hub.key()).workspace("a-workspace-uid").build()?;
    for id in ["jane", "joe", "ann"] {
        client.users().upsert(id).email(format!("{id}@example.com")).await?;
    }
    client.lists().upsert("newsletter").await?;
    client.lists().subscribers("newsletter").add(["jane", "joe", "ann"]).await?;

    let response = client
        .broadcasts()
        .send("newsletter", "monthly-news", "promotional")
        .channels(["email", "inbox"])
        .data("month", "May")
        .delay("1h")
        .idempotency_key("news-may")
        .await?;
    println!("the hub says {:?}", *response);
    println!("it goes to {:?}", hub.sent()[0].recipients());

    let cancelled = client.broadcasts().cancel().idempotency_key("news-may").await?;
    println!("{} executions are cancelled", cancelled.execution_ids.len());
    Ok(())
}
