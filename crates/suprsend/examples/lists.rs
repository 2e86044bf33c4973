//! Manages lists of users for broadcasts: members are added and removed one by one, or replaced all at once by a draft.

use std::error::Error;

use suprsend::Client;
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    for id in ["ann", "bob", "eve", "joe"] {
        client.users().upsert(id).email(format!("{id}@example.com")).await?;
    }
    let lists = client.lists();

    let list = lists.upsert("newsletter").list_name("Newsletter").track_user_entry(true).await?;
    println!("{} has {} members", list.list_id, list.subscribers_count.unwrap_or_default());
    let members = lists.subscribers("newsletter");
    let added = members.add(["ann", "bob", "nobody"]).await?;
    println!("{} of 3 were added: the third one is no user", added.affected_count);
    members.remove("ann").await?;
    show("in the list", &client).await?;

    // A draft is filled without any effect on the list. When it is finished, it replaces all members.
    let drafts = lists.drafts("newsletter");
    let draft = drafts.start().await?;
    drafts.add(&draft.version_id, ["eve", "joe"]).await?;
    show("while the draft is open", &client).await?;
    drafts.finish(&draft.version_id).await?;
    show("after it is finished", &client).await?;
    // The same for any number of users, without leaving a draft behind.
    lists.replace("newsletter", ["ann", "eve"]).await?;
    show("replaced", &client).await?;

    let mut all = lists.list().items();
    while let Some(list) = all.next().await.transpose()? {
        println!("{}: {} members", list.list_id, list.subscribers_count.unwrap_or_default());
    }
    lists.delete("newsletter").await?;
    let is_there = lists.get("newsletter").optional().await?.is_some();
    println!("newsletter is {}", if is_there { "there" } else { "gone" });
    Ok(())
}

async fn show(when: &str, client: &Client) -> Result<(), suprsend::Error> {
    let (mut members, mut ids) =
        (client.lists().subscribers("newsletter").list().sort("id").items(), Vec::new());
    while let Some(member) = members.next().await.transpose()? {
        ids.push(member.distinct_id);
    }
    println!("{when}: {}", ids.join(", "));
    Ok(())
}
