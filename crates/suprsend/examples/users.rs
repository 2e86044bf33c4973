//! The life cycle of a user: created, read, edited, listed, merged and deleted.
//!
//! This runs against a mock server, because it deletes what it created.

use std::error::Error;

use suprsend::{Client, types::SlackChannel, users::Push};
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let users = client.users();

    // A visitor looks around before signing up.
    users.upsert("anonymous-456").property("source", "advertisement").property("seats", 1).await?;
    users.upsert("user-123").email("jane@example.com").property("plan", "free").await?;

    let user = users.merge("user-123", "anonymous-456").await?;
    println!("merged: {}", serde_json::to_string(&user.properties)?);
    println!(
        "anonymous-456 is {}",
        if users.get("anonymous-456").optional().await?.is_some() { "there" } else { "gone" }
    );

    let user = users
        .edit("user-123")
        .set("plan", "pro")
        .timezone("Europe/Paris")
        .append_email("jane@example.org")
        .remove_email("jane@example.com")
        .append_slack(SlackChannel::user_id("U01ABCDE2F3", "xoxb-..."))
        .append_android_push(Push::new("android_push_token_xyz987").provider("fcm"))
        .append_ios_push(Push::new("ios_push_token_lmn456").provider("apns").bundle_id("com.example.app"))
        .unset("source")
        .increment("seats", 2)
        .await?;
    println!("edited: {}", serde_json::to_string(&user.properties)?);
    for (channel, entry) in user.channels() {
        println!("  {channel} by {}", entry.id_provider.as_deref().unwrap_or("nobody else"));
    }

    // Subscriptions of users are managed elsewhere.
    hub.subscribe_to_list("user-123", serde_json::json!({"list": {"list_id": "newsletter"}}))?;
    let mut subscriptions = users.list_subscriptions("user-123").items();
    while let Some(subscription) = subscriptions.next().await.transpose()? {
        println!("subscribed to {:?}", subscription.list.and_then(|list| list.list_id));
    }

    for number in 0..25 {
        users.upsert(format!("bulk-{number:02}")).await?;
    }
    let (mut pages, mut made) = (users.list().limit(10).pages(), Vec::new());
    while let Some(page) = pages.next().await.transpose()? {
        println!("a page of {}, {} in all", page.results.len(), page.meta.count.unwrap_or_default());
        made.extend(page.into_inner().results.into_iter().filter_map(|user| user.distinct_id));
    }

    users.delete("user-123").await?;
    users.delete_many(made.iter().filter(|id| id.starts_with("bulk-"))).await?;
    match users.get("user-123").await {
        Err(suprsend::Error::NotFound(error)) => println!("deleted: {error}"),
        other => return Err(format!("it is still there: {other:?}").into()),
    }
    println!("{} users are left", users.list().page().await?.meta.count.unwrap_or_default());
    Ok(())
}
