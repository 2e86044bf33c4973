//! Manages objects, such as teams, which receive notifications without being people, and their subscribers.

use std::error::Error;

use serde_json::json;
use suprsend::{
    Client,
    types::{Recipient, SlackChannel},
};
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let objects = client.objects();

    // A team with a channel of its own, and a sub-team.
    let sales = objects
        .upsert("teams", "sales")
        .slack(SlackChannel::channel("C01ABCDE2F3", "xoxb-..."))
        .property("site", "Berlin")
        .await?;
    println!("{}/{} has {} Slack channel", sales.object_type, sales.id, sales.slack.len());
    objects.upsert("teams", "sales-north").await?;
    let edited =
        objects.edit("teams", "sales").append_email("sales@example.com").increment("seats", 12).await?;
    println!("edited: {} addresses, {}", edited.email.len(), json!(edited.properties));

    // Users and objects that do not exist are created.
    let people = objects.subscriptions("teams", "sales");
    people.add(["ann", "bob"]).properties("role", "member").await?;
    people.add(Recipient::user("eve").email("eve@example.com")).properties("role", "lead").await?;
    people.add(Recipient::object("teams", "sales-north")).await?;
    objects.subscriptions("teams", "sales-north").add("joe").await?;
    for (id, address) in [("ann", "ann@example.com"), ("bob", "bob@example.com"), ("joe", "joe@example.com")]
    {
        client.users().upsert(id).email(address).await?;
    }

    let mut subscribers = people.list().items();
    while let Some(found) = subscribers.next().await.transpose()? {
        match (found.user, found.object) {
            (Some(user), _) => println!("  user {}: {}", user.distinct_id, json!(found.properties)),
            (None, Some(object)) => println!("  object {}", object.id.unwrap_or_default()),
            (None, None) => println!("  something newer than this program"),
        }
    }

    // A trigger for the team reaches its own channels, its subscribers, and theirs.
    client.workflows().trigger("deal-won").recipient(Recipient::object("teams", "sales")).await?;
    println!("deal-won goes to {}", hub.sent()[0].recipients().join(", "));

    people.remove("bob").await?;
    let left = objects.get("teams", "sales").await?.subscriptions_count.unwrap_or_default();
    println!("{left} subscribers are left");
    let teams_of_ann = client.users().object_subscriptions("ann").page().await?;
    println!("ann is in {} team", teams_of_ann.results.len());

    objects.delete_many("teams", ["sales", "sales-north"]).await?;
    let left = objects.list("teams").page().await?.results.len();
    println!("{left} teams after all were deleted");
    Ok(())
}
