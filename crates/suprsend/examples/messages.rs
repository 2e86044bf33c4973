//! Lists messages by recipient and channel, as a log page shows them, and marks them as read.

use std::error::Error;

use serde_json::json;
use suprsend::{
    Client,
    types::{Message, MessageAction, MessageStatusFilter, MessageUpdate},
};
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    // Categories and workflows are configured on the dashboard.
    hub.define_category(json!({"category": "news", "channels": ["email", "inbox", "sms"]}))?;
    hub.define_workflow(json!({"slug": "monthly", "category": "news"}))?;
    client.users().upsert("ann").email("ann@example.com").inbox("ann").await?;
    client.users().upsert("bob").sms("+15551234567").await?;
    client.users().preferences("bob").edit_category("news", "opt_out").await?;

    client.workflows().trigger("monthly").recipients(["ann", "bob"]).idempotency_key("monthly-may").await?;

    let messages = client.messages();
    println!("all of monthly-may:");
    let mut all = messages.list().idempotency_key("monthly-may").limit(2).items();
    let mut inbox = None;
    while let Some(message) = all.next().await.transpose()? {
        show(&message);
        if message.channel.as_ref().is_some_and(|channel| channel.as_str() == "inbox") {
            inbox = Some(message.message_id);
        }
    }

    let delivered = messages.list().status(MessageStatusFilter::Delivered).recipient_id("bob").page().await?;
    println!("{} delivered to bob", delivered.results.len());

    // Each update has its own outcome.
    let inbox = inbox.ok_or("no message in the inbox")?;
    let update = |id: &str| MessageUpdate { message_id: id.to_owned(), action: MessageAction::Read };
    let outcomes = messages.edit_many([update(&inbox), update("no-such-message")]).await?;
    for record in &outcomes.records {
        let why = record.error.as_ref().map(|error| error.message.as_str());
        println!("marked {} as read: {} {}", record.message_id, record.status_code, why.unwrap_or_default());
    }
    println!("read in the inbox:");
    messages.list().message_id(&inbox).page().await?.results.iter().for_each(show);
    Ok(())
}

fn show(message: &Message) {
    let whom = message.recipient.as_ref().and_then(|recipient| recipient.distinct_id.as_deref());
    let channel = message.channel.as_ref().map_or("no channel", |channel| channel.as_str());
    let why = message.failure_reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    println!("  {} by {channel}: {}{why}", whom.unwrap_or("nobody"), message.status.as_str());
}
