//! Lists that are replaced: at once or not at all, and no draft is left behind.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use suprsend::{Client, Error};
use suprsend_mock::{Fault, Hub};
use tokio::time::{sleep, timeout};

const ADD: &str = "add-subscribers-to-draft-list";
const FINISH: &str = "finish-sync";

/// A hub with users `user-0` and so on, and a list of two others.
async fn hub(users: usize) -> (Hub, Client) {
    let hub = Hub::start().await.unwrap();
    for number in 0..users {
        hub.seed(&format!("user-{number}"), json!({})).unwrap();
    }
    let client = Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy().build().unwrap();
    client.lists().upsert("news").await.unwrap();
    for old in ["old-1", "old-2"] {
        hub.seed(old, json!({})).unwrap();
    }
    client.lists().subscribers("news").add(["old-1", "old-2"]).await.unwrap();
    (hub, client)
}

fn ids(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("user-{number}"))
}

fn drafts(hub: &Hub) -> Vec<Value> {
    hub.stored("lists", &["news"]).unwrap()["drafts"].as_array().unwrap().clone()
}

async fn members(client: &Client) -> BTreeSet<String> {
    let mut items = client.lists().subscribers("news").list().limit(100).items();
    let mut found = BTreeSet::new();
    while let Some(item) = items.next().await.transpose().unwrap() {
        found.insert(item.distinct_id);
    }
    found
}

#[track_caller]
fn assert_as_it_was(hub: &Hub, members: &BTreeSet<String>) {
    assert_eq!(members.iter().collect::<Vec<_>>(), ["old-1", "old-2"]);
    assert_eq!(drafts(hub), [Value::Null; 0]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_list_is_replaced_in_packs() {
    let (hub, client) = hub(30).await;
    // Most of them do not exist.
    let list = client.lists().replace("news", ids(2500)).await.unwrap();
    assert_eq!(list.subscribers_count, Some(30));
    assert_eq!(members(&client).await, ids(30).collect());
    assert_eq!(drafts(&hub), [Value::Null; 0]);
    let sizes: Vec<_> = hub
        .assert_called(ADD)
        .bodies()
        .iter()
        .map(|body| body["distinct_ids"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1000, 1000, 500]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn without_ids_a_list_becomes_empty() {
    let (hub, client) = hub(0).await;
    client.lists().replace("news", Vec::<String>::new()).send().await.unwrap();
    assert_eq!(members(&client).await, BTreeSet::new());
    hub.assert_not_called(ADD);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_failure_leaves_the_list_as_it_was() {
    let (hub, client) = hub(30).await;
    let cases = [
        Fault::status(403).operation("start-sync"),
        Fault::status(403).operation(ADD),
        Fault::status(503).operation(ADD).share(1.0).times(1000),
        Fault::status(403).operation(FINISH),
        Fault::status(503).operation(FINISH).times(3),
        Fault::reset().operation(FINISH).times(3),
    ];
    for fault in cases {
        hub.inject(fault.clone()).unwrap();
        let error = client.lists().replace("news", ids(2500)).await.unwrap_err();
        assert!(!matches!(error, Error::NotFound(_)), "{fault:?}: {error}");
        assert_as_it_was(&hub, &members(&client).await);
        hub.clear_faults();
    }
    assert!(matches!(client.lists().replace("nothing", ids(1)).await, Err(Error::NotFound(_))));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_lost_response_does_no_harm() {
    let (hub, client) = hub(30).await;
    for (operation, times) in [(ADD, 2), (FINISH, 1)] {
        hub.inject(Fault::lost().operation(operation).times(times)).unwrap();
    }
    let list = client.lists().replace("news", ids(2500)).await.unwrap();
    assert_eq!(list.subscribers_count, Some(30));
    assert_eq!(members(&client).await, ids(30).collect());
    assert_eq!(drafts(&hub), [Value::Null; 0]);

    // Also if there is no other attempt.
    let once =
        Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy().no_retries().build().unwrap();
    hub.inject(Fault::lost().operation(FINISH)).unwrap();
    assert_eq!(once.lists().replace("news", ids(7)).await.unwrap().subscribers_count, Some(7));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_final_refusal_does_not_hide_that_an_earlier_attempt_has_replaced_the_list() {
    let (hub, client) = hub(9).await;
    for (status, count) in [(400, 5), (403, 7)] {
        hub.inject(Fault::lost().operation(FINISH).times(1)).unwrap();
        hub.inject(Fault::status(status).operation(FINISH).times(1)).unwrap();
        let list = client.lists().replace("news", ids(count)).await.unwrap();
        assert_eq!(list.subscribers_count, Some(i64::try_from(count).unwrap()), "{status}");
        // A refusal of the only attempt is one.
        let before = members(&client).await;
        hub.inject(Fault::status(status).operation(FINISH).times(1)).unwrap();
        let error = client.lists().replace("news", ids(1)).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status, "{error}");
        assert_eq!((members(&client).await, drafts(&hub).len()), (before, 0));
    }
}

/// The draft is gone because it was deleted, which says nothing about its finish.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_lost_response_to_the_deletion_is_not_taken_for_a_finish() {
    let (hub, client) = hub(3).await;
    hub.inject(Fault::status(503).operation(FINISH).times(3)).unwrap();
    hub.inject(Fault::lost().operation("delete-draft-list")).unwrap();
    let error = client.lists().replace("news", ids(3)).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 503, "{error}");
    assert_as_it_was(&hub, &members(&client).await);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_draft_that_somebody_else_deleted_is_not_taken_for_finished() {
    let (hub, client) = hub(3).await;
    let other = client.clone();
    // Between the start and the finish.
    hub.inject(Fault::delay(Duration::from_secs(5)).operation(ADD)).unwrap();
    let delete = async {
        sleep(Duration::from_secs(1)).await;
        let draft = drafts(&hub)[0]["version_id"].as_str().unwrap().to_owned();
        other.lists().drafts("news").delete(draft).await.unwrap();
    };
    let replace = client.lists().replace("news", ids(3));
    let (replaced, ()) = tokio::join!(replace.send(), delete);
    assert!(matches!(replaced, Err(Error::NotFound(_))));
    assert_as_it_was(&hub, &members(&client).await);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn wherever_it_is_dropped_no_draft_is_left() {
    let (hub, client) = hub(30).await;
    hub.inject(Fault::delay(Duration::from_millis(100)).share(1.0)).unwrap();

    let mut limit = Duration::ZERO;
    loop {
        let ended = timeout(limit, client.lists().replace("news", ids(2500))).await;
        if let Ok(list) = ended {
            assert_eq!(list.unwrap().subscribers_count, Some(30));
            break;
        }

        // The rest of what is under way, and the delete.
        sleep(Duration::from_secs(2)).await;
        assert_eq!(drafts(&hub), [Value::Null; 0], "after {limit:?}");
        limit += Duration::from_millis(25);
    }
    hub.clear_faults();
    assert_eq!(members(&client).await, ids(30).collect());
    assert!(limit > Duration::from_millis(250), "it was cut in each of its steps: {limit:?}");
    hub.assert_called("delete-draft-list");
}

#[test]
fn a_replacement_can_be_sent_to_another_thread() {
    fn is_send(_: &impl Send) {}
    let client = Client::from_api_key("key").unwrap();
    is_send(&client.lists().replace("news", ["a"]).send());
}
