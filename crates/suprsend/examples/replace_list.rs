//! Replaces all users of a list at once, by a draft.
//!
//! This runs against a mock server that fails once, to show that the list is left unchanged.

use std::{error::Error, time::Duration};

use suprsend::Client;
use suprsend_mock::{Fault, Hub};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let (users, lists) = (client.users(), client.lists());

    let mut created = users.upsert_all((0..3000).map(|number| users.upsert(format!("user-{number}"))));
    while let Some(outcome) = created.next().await {
        outcome.result?;
    }
    lists.upsert("newsletter").list_name("Newsletter".to_owned()).await?;
    lists.subscribers("newsletter").add(["user-1", "user-2", "user-3"]).await?;
    show("at first", &client, &hub).await?;

    // Any iterator or stream works, such as the rows of a query.
    let subscribers = || (0..3000).filter(|number| number % 3 == 0).map(|number| format!("user-{number}"));

    hub.inject(Fault::status(403).operation("finish-sync"))?;
    match lists.replace("newsletter", subscribers()).await {
        Ok(_) => return Err("it should have failed".into()),
        Err(error) => println!("failed: {error}"),
    }
    show("after the failure", &client, &hub).await?;

    hub.inject(Fault::delay(Duration::from_secs(5)).operation("add-subscribers-to-draft-list"))?;
    let replace = lists.replace("newsletter", subscribers());
    if tokio::time::timeout(Duration::from_millis(200), replace.send()).await.is_err() {
        println!("stopped waiting after 200 ms");
    }
    // The draft is deleted in the meantime.
    tokio::time::sleep(Duration::from_millis(200)).await;
    show("after that", &client, &hub).await?;

    let list = lists.replace("newsletter", subscribers()).await?;
    println!("replaced: {} users", list.subscribers_count.unwrap_or_default());
    show("in the end", &client, &hub).await
}

async fn show(when: &str, client: &Client, hub: &Hub) -> Result<(), Box<dyn Error>> {
    let list = client.lists().get("newsletter").await?;
    let stored = hub.stored("lists", &["newsletter"]).ok_or("no list")?;
    let drafts = stored["drafts"].as_array().map_or(0, Vec::len);
    println!("{when}: {} users, {drafts} drafts", list.subscribers_count.unwrap_or_default());
    Ok(())
}
