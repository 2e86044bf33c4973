//! Tests a program's own function against a mock server: what it sends, what is stored, and how it handles failures.

use std::error::Error;

use serde_json::json;
use suprsend::Client;
use suprsend_mock::{Fault, Hub};

/// The function under test: it only needs a client.
async fn sign_up(client: &Client, id: &str, email: &str) -> Result<(), suprsend::Error> {
    client.users().upsert(id).email(email).property("plan", "free").await.map(drop)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;

    sign_up(&client, "user-123", "jane@example.com").await?;
    hub.assert_upserted("user-123")
        .times(1)
        .exactly(&json!({"$email": ["jane@example.com"], "plan": "free"}));
    println!("sent as expected; stored: {}", hub.profile("user-123").ok_or("no profile")?["properties"]);

    hub.inject(Fault::lost().times(1))?;
    sign_up(&client, "user-123", "jane@example.com").await?;
    println!("a response was lost, and {} requests arrived in all", hub.requests().len());

    hub.inject(Fault::status(400).body(json!({"code": 400, "message": "no more users"})).times(1))?;
    match sign_up(&client, "user-456", "joe@example.com").await {
        Err(error) => println!("refused: {error}"),
        Ok(()) => return Err("the refusal was not seen".into()),
    }
    println!("user-456 was not stored: {}", hub.profile("user-456").is_none());
    Ok(())
}
