//! The operations on users beside the upsert.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, client, refusal, upsert};

async fn call(hub: &Hub, method: Method, path: &str, body: Option<Value>) -> Result<Response> {
    let request = client().request(method, format!("{}/v1/{path}", hub.url())).bearer_auth(hub.key());
    Ok(body.into_iter().fold(request, |request, body| request.json(&body)).send().await?)
}

async fn get(hub: &Hub, path: &str) -> Result<Value> {
    let response = call(hub, Method::GET, path, None).await?;
    assert_eq!(response.status(), 200, "{path}");
    Ok(response.json().await?)
}

/// Edits the user `u`.
async fn edit(hub: &Hub, operations: Value) -> Result<Response> {
    call(hub, Method::PATCH, "user/u/", Some(json!({"operations": operations}))).await
}

fn ids(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().into_iter().flatten();
    results.filter_map(|user| user["distinct_id"].as_str()).collect()
}

#[tokio::test]
async fn what_was_upserted_can_be_read_and_deleted() -> Result {
    let hub = Hub::start().await?;
    let stored: Value =
        upsert(&hub, "u", &json!({"$email": ["a@example.com"], "plan": "pro"})).await?.json().await?;
    assert_eq!(get(&hub, "user/u/").await?, stored);

    let response = call(&hub, Method::DELETE, "user/u/", None).await?;
    assert_eq!(response.status(), 204);
    assert_eq!(response.bytes().await?.len(), 0);
    for method in [Method::GET, Method::DELETE] {
        let refused = refusal(call(&hub, method, "user/u/", None).await?).await?;
        assert_eq!(refused, (404, "distinct_id: u not found".into()));
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_does_its_operations_in_order() -> Result {
    let hub = Hub::start().await?;
    let body = json!({
        "$email": ["a@example.com", "b@example.com"], "$sms": ["+15551234567"],
        "seats": 2, "tags": ["x", "y", "x"], "nickname": "J",
    });
    upsert(&hub, "u", &body).await?;
    let response = edit(
        &hub,
        json!([
            {"$set": {"$timezone": "Europe/Paris", "plan": "pro"}},
            {"$set_once": {"plan": "free", "source": "web"}},
            {"$append": {"$email": "c@example.com", "tags": "z", "new": 1}},
            {"$append": {"$androidpush": "token", "$id_provider": "fcm", "$bundle_id": null}},
            {"$append": {"$slack": {"email": "a@example.com", "access_token": "xoxb-1"}}},
            {"$remove": {"$email": "a@example.com", "tags": "x"}},
            {"$unset": ["$sms", "nickname", "nothing"]},
            {"$increment": {"seats": 3, "balance": -0.5}},
            // What upstream's SDKs call it.
            {"$add": {"seats": 1}},
        ]),
    )
    .await?;
    assert_eq!(response.status(), 202);
    let profile: Value = response.json().await?;
    assert_eq!(
        profile["properties"],
        json!({
            "$timezone": "Europe/Paris", "plan": "pro", "source": "web", "tags": ["y", "z"], "new": [1],
            "seats": 6, "balance": -0.5,
        })
    );
    let values = |channel: &str| {
        let entries = profile[channel].as_array().into_iter().flatten();
        entries.map(|entry| entry["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(values("$email"), ["b@example.com", "c@example.com"]);
    assert_eq!(values("$slack"), [json!({"email_id": "a@example.com", "access_token": "xoxb-1"})]);
    assert_eq!(profile["$androidpush"][0]["id_provider"], "fcm");
    assert!(profile["$androidpush"][0].get("bundle_id").is_none());
    assert!(profile.get("$sms").is_none());
    assert_eq!(get(&hub, "user/u/").await?, profile);

    // An address is removed in the form in which it was sent.
    let response =
        edit(&hub, json!([{"$remove": {"$slack": {"email": "a@example.com", "access_token": "xoxb-1"}}}]))
            .await?;
    assert!(response.json::<Value>().await?.get("$slack").is_none());
    Ok(())
}

#[tokio::test]
async fn an_edit_that_is_wrong_changes_nothing() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"plan": "pro"})).await?;
    let before = get(&hub, "user/u/").await?;
    for (operation, complaint) in [
        (json!({"$increment": {"plan": 1}}), "operations[1].$increment.plan: is no number"),
        (json!({"$append": {"plan": 1}}), "operations[1].$append.plan: is no list"),
        (json!({"$remove": {"plan": 1}}), "operations[1].$remove.plan: is no list"),
        (json!({"$set": {"$email": "a@example.com"}}), "operations[1].$set.$email: is no property"),
        (json!({"$append": {"$plan": 1}}), "operations[1].$append.$plan: is no channel"),
        (json!({"$append": {"$slack": {}}}), "operations[1].$append.$slack: "),
        (json!({"$rename": {"plan": "tier"}}), "operations[1].$rename: is no operation"),
        (json!({"$add": 1}), "operations[1].$add: is not of type \"object\""),
    ] {
        let response = edit(&hub, json!([{"$set": {"plan": "free"}}, operation])).await?;
        let (status, message) = refusal(response).await?;
        assert_eq!(status, 400);
        assert!(message.starts_with(complaint), "{message}");
    }
    assert_eq!(get(&hub, "user/u/").await?, before);
    let nobody = call(&hub, Method::PATCH, "user/v/", Some(json!({"operations": []}))).await?;
    assert_eq!(refusal(nobody).await?, (404, "distinct_id: v not found".into()));
    Ok(())
}

#[tokio::test]
async fn cursors_survive_users_who_come_and_go() -> Result {
    let hub = Hub::start().await?;
    for id in ["b", "d", "f", "h", "j"] {
        upsert(&hub, id, &json!({"$email": ["a@example.com"]})).await?;
    }
    let first = get(&hub, "user/?limit=2").await?;
    assert_eq!(ids(&first), ["b", "d"]);
    assert!(first["results"][0].get("$email").is_none(), "a list has no channels");
    let meta = &first["meta"];
    assert_eq!(
        (&meta["count"], &meta["limit"], &meta["has_prev"], &meta["before"]),
        (&json!(5), &json!(2), &json!(false), &Value::Null)
    );

    // One before the cursor, one right after it, and the user that it stands for is deleted.
    for id in ["a", "e"] {
        upsert(&hub, id, &json!({})).await?;
    }
    call(&hub, Method::DELETE, "user/d/", None).await?;
    let cursor = |page: &Value, name: &str| page["meta"][name].as_str().unwrap_or_default().to_owned();
    let second = get(&hub, &format!("user/?limit=2&after={}", cursor(&first, "after"))).await?;
    assert_eq!(ids(&second), ["e", "f"]);
    let third = get(&hub, &format!("user/?limit=2&after={}", cursor(&second, "after"))).await?;
    assert_eq!(ids(&third), ["h", "j"]);
    assert_eq!((&third["meta"]["has_next"], &third["meta"]["after"]), (&json!(false), &Value::Null));
    let back = get(&hub, &format!("user/?limit=2&before={}", cursor(&second, "before"))).await?;
    assert_eq!(ids(&back), ["a", "b"]);

    for (query, complaint) in [
        ("limit=x", "limit: is not of type \"integer\""),
        ("after=%25", "after: is no cursor of this list"),
        ("after=YQ&before=YQ", "before: stands beside after; a page is before or after another"),
    ] {
        let refused = refusal(call(&hub, Method::GET, &format!("user/?{query}"), None).await?).await?;
        assert_eq!(refused, (400, complaint.into()));
    }
    Ok(())
}

#[tokio::test]
async fn a_merge_adds_what_only_the_other_had() -> Result {
    let hub = Hub::start().await?;
    let old = json!({"$email": ["a@example.com", "b@example.com"], "plan": "free", "source": "web"});
    let old: Value = upsert(&hub, "old", &old).await?.json().await?;
    upsert(&hub, "new", &json!({"$email": ["a@example.com"], "plan": "pro"})).await?;
    hub.subscribe_to_list("old", json!({"list": {"list_id": "news"}}))?;

    let merge = |into: &str, from: &str| {
        let (path, body) = (format!("user/{into}/merge/"), json!({"from_user_id": from}));
        let hub = &hub;
        async move { call(hub, Method::POST, &path, Some(body)).await }
    };
    for (into, from, status, complaint) in [
        ("nobody", "old", 404, "distinct_id: nobody not found"),
        ("new", "nobody", 404, "from_user_id: nobody not found"),
        ("new", "new", 400, "from_user_id: is the user that it would be merged into"),
    ] {
        assert_eq!(refusal(merge(into, from).await?).await?, (status, complaint.into()));
    }
    let response = merge("new", "old").await?;
    assert_eq!(response.status(), 201);
    let profile: Value = response.json().await?;
    assert_eq!(profile["properties"], json!({"plan": "pro", "source": "web"}));
    assert_eq!(profile["$email"].as_array().map(Vec::len), Some(2));
    assert_eq!(profile["created_at"], old["created_at"]);
    assert_eq!(get(&hub, "user/new/subscribed_to/list/").await?["meta"]["count"], 1);
    assert_eq!(call(&hub, Method::GET, "user/old/", None).await?.status(), 404);
    Ok(())
}

#[tokio::test]
async fn subscriptions_are_listed_and_judged_by_the_document() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({})).await?;
    for id in ["a", "b", "b"] {
        hub.subscribe_to_object(
            "u",
            json!({"object": {"id": id, "object_type": "teams"}, "properties": {}}),
        )?;
    }
    hub.subscribe_to_list("u", json!({"list": {"list_id": "news", "source": null}}))?;
    let page = get(&hub, "user/u/subscribed_to/object/?limit=1").await?;
    assert_eq!((&page["meta"]["count"], &page["results"][0]["object"]["id"]), (&json!(2), &json!("a")));
    let after = page["meta"]["after"].as_str().ok_or("no cursor")?;
    let page = get(&hub, &format!("user/u/subscribed_to/object/?after={after}")).await?;
    assert_eq!(page["results"][0]["object"]["id"], "b");

    let refused = hub.subscribe_to_object("u", json!({"object": "teams"})).expect_err("no subscription");
    assert!(refused.to_string().contains("object"), "{refused}");
    hub.subscribe_to_list("v", json!({})).expect_err("no user");
    for kind in ["object", "list"] {
        let response = call(&hub, Method::GET, &format!("user/v/subscribed_to/{kind}/"), None).await?;
        assert_eq!(refusal(response).await?, (404, "distinct_id: v not found".into()));
    }
    Ok(())
}

#[tokio::test]
async fn a_bulk_delete_passes_over_those_that_do_not_exist() -> Result {
    let hub = Hub::start().await?;
    for id in ["a", "b", "c"] {
        upsert(&hub, id, &json!({})).await?;
    }
    let body = json!({"distinct_ids": ["a", "nobody", "c"]});
    assert!(call(&hub, Method::DELETE, "bulk/user/", Some(body)).await?.status().is_success());
    assert_eq!(ids(&get(&hub, "user/").await?), ["b"]);
    let (status, message) = refusal(call(&hub, Method::DELETE, "bulk/user/", Some(json!({}))).await?).await?;
    assert_eq!((status, message.as_str()), (400, "distinct_ids: is required"));
    Ok(())
}
