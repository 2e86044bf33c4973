//! The life cycle of a user: edited, read, listed, merged and deleted. The clients in `clients/` do the same.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use suprsend::{Client, types::SlackChannel, users::Push};
use suprsend_mock::Hub;

use super::upserts::timeless;

/// Takes some users through it with our SDK.
pub(super) async fn with_ours(client: &Client) -> Result<()> {
    let users = client.users();
    users
        .upsert("life-a")
        .email("old@example.com")
        .property("seats", 2)
        .property("tags", ["x"])
        .property("source", "web")
        .await?;
    users.upsert("life-b").sms("+15551234567").property("plan", "free").property("origin", "web").await?;
    for id in ["life-c", "life-d", "life-e"] {
        users.upsert(id).await?;
    }

    let edited = users
        .edit("life-a")
        .set("plan", "pro")
        .set_once("plan", "free")
        .timezone("Europe/Paris")
        .append_email("new@example.com")
        .remove_email("old@example.com")
        .append_slack(SlackChannel::user_id("U1", "xoxb-token"))
        .append_android_push(Push::new("android-token").provider("fcm"))
        .append_ios_push(Push::new("ios-token").provider("apns"))
        .append("tags", "y")
        .remove("tags", "x")
        .unset("source")
        .increment("seats", 3)
        .await?;
    ensure!(edited.property::<i64>("seats")? == Some(5), "the edit did not count");
    ensure!(users.get("life-a").await?.updated_at == edited.updated_at, "the edit is not what is stored");

    let (mut items, mut listed) = (users.list().limit(2).items(), 0);
    while items.next().await.transpose()?.is_some() {
        listed += 1;
    }
    let count = users.list().page().await?.meta.count;
    ensure!(count == Some(listed), "{listed} of {count:?} users were listed");

    users.merge("life-a", "life-b").await?;
    users.delete("life-c").await?;
    users.delete_many(["life-d", "life-e", "nobody"]).await?;
    ensure!(users.get("life-c").optional().await?.is_none(), "a deleted user was found");
    Ok(())
}

/// Compares what it left in a hub with what it left in another.
pub(super) fn compare(hub: &Hub, reference: &Hub) -> Result<()> {
    let profile =
        |hub: &Hub| -> Result<Value> { hub.profile("life-a").map(timeless).context("life-a was not stored") };
    let (stored, expected) = (profile(hub)?, profile(reference)?);
    if stored != expected {
        bail!("life-a was left as {stored}; by our SDK as {expected}");
    }
    for gone in ["life-b", "life-c", "life-d", "life-e"] {
        ensure!(hub.profile(gone).is_none(), "{gone} is still there");
    }
    Ok(())
}
