//! Reading, editing, deleting, merging and listing users, against the hub.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use suprsend::{
    Channel, Client, Error,
    error::Violation,
    types::{EditOperation, MsTeamsChannel, SlackChannel, WebPush},
    users::Push,
};
use suprsend_mock::{Fault, Hub};

async fn hub() -> (Hub, Client) {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().build().unwrap();
    (hub, client)
}

#[track_caller]
fn violations(result: Result<impl Sized, Error>) -> Vec<(String, String)> {
    let told = |found: &Violation| (found.path().to_owned(), found.rule().to_owned());
    match result {
        Err(Error::InvalidInput(error)) => error.violations().iter().map(told).collect(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was sent"),
    }
}

#[tokio::test]
async fn a_user_that_exists_is_found_and_one_that_does_not_is_told_apart() {
    let (_hub, client) = hub().await;
    let users = client.users();
    users.upsert("a/b ä").email("jane@example.com").await.unwrap();
    assert_eq!(users.get(" a/b ä ").await.unwrap().email.len(), 1);
    assert_eq!(users.get("a/b ä").optional().await.unwrap().unwrap().distinct_id.as_deref(), Some("a/b ä"));

    assert!(users.get("nobody").optional().await.unwrap().is_none());
    let error = users.get("nobody").await.unwrap_err();
    assert!(matches!(&error, Error::NotFound(error) if error.api().code() == Some(404)), "{error:?}");
    assert_eq!(error.to_string(), "the API answered 404 Not Found: distinct_id: nobody not found");
    assert!(!error.is_retryable());
    assert!(matches!(users.delete("nobody").await, Err(Error::NotFound(_))));
    assert!(matches!(users.object_subscriptions("nobody").page().await, Err(Error::NotFound(_))));
    assert!(matches!(users.list_subscriptions("nobody").items().next().await, Some(Err(Error::NotFound(_)))));
}

#[tokio::test]
async fn a_missing_user_is_told_in_all_forms_of_the_apis_errors() {
    let (hub, client) = hub().await;
    for (body, is_missing) in [
        (json!({"code": "404", "message": "no such user"}), true),
        (json!({"status": 404, "error": {"message": "no such user", "type": "not_found"}}), true),
        (json!({"detail": "Not Found"}), false),
    ] {
        hub.inject(Fault::status(404).body(body).times(1)).unwrap();
        let found = client.users().get("nobody").optional().await;
        assert_eq!(matches!(found, Ok(None)), is_missing, "{found:?}");
    }
}

#[tokio::test]
async fn an_edit_becomes_as_few_operations_as_its_order_allows() {
    let (_hub, client) = hub().await;
    let edit = client
        .users()
        .edit("user-123")
        .set("plan", "pro")
        .timezone("Europe/Paris")
        .locale("en_GB")
        .preferred_language("en")
        .set("plan", "free")
        .set_once("source", "web")
        .append_email("a@example.com")
        .append_sms("+15551234567")
        .append_whatsapp("+15551234567")
        .append_inbox("inbox-id")
        .append_slack(SlackChannel::channel("C1", "xoxb-token"))
        .append_ms_teams(MsTeamsChannel::incoming_webhook("https://webhook.office.com/1"))
        .append("tags", "x")
        .append_email("b@example.com")
        .remove_email("c@example.com")
        .remove("tags", 1)
        .unset("$timezone")
        .unset_channel(Channel::WhatsApp)
        .unset("$timezone")
        .increment("seats", 2)
        .increment("balance", -0.5)
        .increment("seats", 1_i64)
        .operations(EditOperation { unset: vec!["nickname".into()], ..Default::default() })
        .unset("other");
    assert_eq!(
        serde_json::to_value(&edit).unwrap(),
        json!({"operations": [
            {"$set": {"plan": "pro", "$timezone": "Europe/Paris", "$locale": "en_GB", "$preferred_language": "en"}},
            {"$set": {"plan": "free"}},
            {"$set_once": {"source": "web"}},
            {"$append": {
                "$email": "a@example.com", "$sms": "+15551234567", "$whatsapp": "+15551234567", "$inbox": "inbox-id",
                "$slack": {"channel": "C1", "access_token": "xoxb-token"},
                "$ms_teams": {"incoming_webhook": {"url": "https://webhook.office.com/1"}},
                "tags": "x",
            }},
            {"$append": {"$email": "b@example.com"}},
            {"$remove": {"$email": "c@example.com", "tags": 1}},
            {"$unset": ["$timezone", "$whatsapp"]},
            {"$unset": ["$timezone"]},
            {"$increment": {"seats": 2, "balance": -0.5}},
            {"$increment": {"seats": 1}},
            {"$unset": ["nickname", "other"]},
        ]})
    );
    edit.check().unwrap();
}

#[tokio::test]
async fn push_tokens_of_different_providers_are_in_different_operations() {
    let (_hub, client) = hub().await;
    let edit = client
        .users()
        .edit("user-123")
        .append_android_push(Push::new("android").provider("fcm"))
        .append_ios_push(Push::new("ios").provider("fcm"))
        .append_email("a@example.com")
        .append_web_push(
            Push::new(WebPush::new("https://push.example.com/1", "p256dh", "auth")).provider("vapid"),
        )
        .append_ios_push(Push::new("ios").provider("vapid").bundle_id("com.example.app"))
        .append_android_push("plain")
        .append_inbox("inbox-id")
        .remove_ios_push(Push::new("old").provider("apns"));
    let web = json!({"endpoint": "https://push.example.com/1", "keys": {"p256dh": "p256dh", "auth": "auth"}});
    assert_eq!(
        serde_json::to_value(&edit).unwrap()["operations"],
        json!([
            {"$append": {"$androidpush": "android", "$iospush": "ios", "$id_provider": "fcm", "$email": "a@example.com"}},
            {"$append": {"$webpush": web, "$id_provider": "vapid"}},
            {"$append": {"$iospush": "ios", "$id_provider": "vapid", "$bundle_id": "com.example.app"}},
            // What has no provider does not get that of another.
            {"$append": {"$androidpush": "plain", "$inbox": "inbox-id"}},
            {"$remove": {"$iospush": "old", "$id_provider": "apns"}},
        ])
    );
}

#[tokio::test]
async fn an_edit_changes_the_profile() {
    let (hub, client) = hub().await;
    let users = client.users();
    users.upsert("user-123").email("old@example.com").property("seats", 3).await.unwrap();
    let user = users
        .edit("user-123")
        .append_email("new@example.com")
        .remove_email("old@example.com")
        .append_android_push(Push::new("token").provider("xiaomi"))
        .increment("seats", 2)
        .append("tags", "x")
        .await
        .unwrap();
    assert_eq!(user.status().as_u16(), 202);
    assert_eq!(user.property::<i64>("seats").unwrap(), Some(5));
    assert_eq!(user.property::<Vec<String>>("tags").unwrap().unwrap(), ["x"]);
    assert_eq!(user.email.len(), 1);
    assert_eq!(user.androidpush[0].id_provider.as_deref(), Some("xiaomi"));
    assert_eq!(serde_json::to_value(&*user).unwrap()["$email"], hub.profile("user-123").unwrap()["$email"]);

    // As the document has it.
    let sent: Value = serde_json::from_slice(hub.requests().last().unwrap().body()).unwrap();
    assert_eq!(sent["operations"][3], json!({"$increment": {"seats": 2}}));
}

#[tokio::test]
async fn what_is_wrong_is_told_before_anything_is_sent() {
    let (hub, client) = hub().await;
    let users = client.users();
    let edit = users
        .edit("..")
        .set("$email", "a@example.com")
        .increment("seats", f64::NAN)
        .increment("$seats", 1)
        .append_email("no address")
        .header("bad header", "x");
    let paths: Vec<_> = violations(edit.await).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["distinct_id", "header", "$email", "seats", "$seats", "operations[0].$append.$email"]);
    assert_eq!(violations(users.edit("u").await)[0].0, "operations");
    assert_eq!(violations(users.get(" ").await)[0].0, "distinct_id");
    assert_eq!(violations(users.merge("u", " u ").await)[0].0, "from_user_id");
    assert_eq!(violations(users.delete_many(["u", ""]).await)[0].0, "distinct_ids[1]");
    assert_eq!(violations(users.delete_many([""; 0]).await)[0].0, "distinct_ids");
    assert_eq!(violations(users.list().limit(0).page().await)[0].0, "limit");
    let mut items = users.list().limit(0).items();
    assert_eq!(violations(items.next().await.unwrap())[0].0, "limit");
    assert!(items.next().await.is_none());

    let strict = Client::builder().base_url(hub.url()).api_key(hub.key()).strict().build().unwrap();
    let edit = strict.users().edit("u").append_sms("1").remove_sms("1").timezone("Mars");
    let paths: Vec<_> = violations(edit.check()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["operations[0].$append.$sms", "operations[2].$set.$timezone"]);
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn users_are_deleted_and_merged() {
    let (hub, client) = hub().await;
    let users = client.users();
    for id in ["a", "b", "c", "d"] {
        users.upsert(id).property("from", id).property(id, true).await.unwrap();
    }
    let merged = users.merge("a", "b").await.unwrap();
    assert_eq!(merged.status().as_u16(), 201);
    assert_eq!(merged.property::<String>("from").unwrap().as_deref(), Some("a"));
    assert_eq!(merged.property::<bool>("b").unwrap(), Some(true));
    let Err(Error::NotFound(error)) = users.merge("a", "b").await else { panic!("`b` is gone") };
    assert_eq!(error.api().message(), Some("from_user_id: b not found"));

    assert_eq!(users.delete("a").await.unwrap().status().as_u16(), 204);
    users.delete_many(["c", "nobody"]).await.unwrap();
    let left: Vec<_> = ["a", "b", "c", "d"].into_iter().filter(|id| hub.profile(id).is_some()).collect();
    assert_eq!(left, ["d"]);
}

#[tokio::test]
async fn lists_can_be_read_by_page_and_by_item_and_both_ways() {
    let (_hub, client) = hub().await;
    let users = client.users();
    for id in ["a", "b", "c", "d", "e"] {
        users.upsert(id).email("jane@example.com").await.unwrap();
    }
    let page = users.list().limit(2).page().await.unwrap();
    assert_eq!((page.meta.count, page.meta.limit, page.results.len()), (Some(5), Some(2), 2));
    assert!(page.results[0].email.is_empty());
    let after = page.meta.after.clone().unwrap();

    let mut pages = users.list().limit(2).after(&after).pages();
    let mut sizes = Vec::new();
    let mut last = None;
    while let Some(page) = pages.next().await.transpose().unwrap() {
        sizes.push(page.results.len());
        last = page.meta.before.clone();
    }
    assert_eq!(sizes, [2, 1]);

    let ids = async |mut items: suprsend::pages::Items<suprsend::operations::ListUsers>| {
        let mut ids = Vec::new();
        while let Some(user) = items.next().await.transpose().unwrap() {
            ids.extend(user.distinct_id);
        }
        ids
    };
    assert_eq!(ids(users.list().items()).await, ["a", "b", "c", "d", "e"]);
    // A page keeps its order; the pages come from the back.
    assert_eq!(ids(users.list().limit(3).before(last.unwrap()).items()).await, ["b", "c", "d", "a"]);
}

#[tokio::test]
async fn subscriptions_are_typed() {
    let (hub, client) = hub().await;
    let users = client.users();
    users.upsert("user-123").await.unwrap();
    let team = json!({"id": "engineering", "object_type": "teams", "subscriptions_count": 40, "properties": {"site": 1}});
    hub.subscribe_to_object("user-123", json!({"object": team, "properties": {"role": "lead"}})).unwrap();
    hub.subscribe_to_list("user-123", json!({"list": {"list_id": "news", "source": null}})).unwrap();

    let found = users.object_subscriptions("user-123").items().next().await.unwrap().unwrap();
    assert_eq!(found.object.as_ref().unwrap().subscriptions_count, Some(40));
    assert!(!format!("{found:?}").contains("lead"));
    let found = users.list_subscriptions("user-123").items().next().await.unwrap().unwrap();
    assert_eq!(found.list.unwrap().list_id.as_deref(), Some("news"));
}

#[tokio::test]
async fn twenty_five_thousand_users_are_listed_a_page_at_a_time() {
    const USERS: usize = 25_000;
    let (hub, client) = hub().await;
    for number in 0..USERS {
        hub.seed(&format!("user-{number:05}"), json!({"n": number})).unwrap();
    }
    let mut items = client.users().list().limit(500).items();
    let mut seen = BTreeSet::new();
    while let Some(user) = items.next().await.transpose().unwrap() {
        seen.insert(user.distinct_id.unwrap());
        // No page is asked for before the one at hand is used up, so there is never more than one.
        assert_eq!(hub.requests().len(), seen.len().div_ceil(500));
    }
    assert_eq!(seen.len(), USERS);
}
