//! Workflows, events, broadcasts, and the messages that come of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub, Kind};

use crate::{Result, column, done, read, refused, send, upsert};

/// A hub with two users: Ann has two channels, Bob one.
async fn hub() -> Result<Hub> {
    let hub = Hub::start().await?;
    upsert(&hub, "ann", &json!({"$email": ["ann@example.com"], "$inbox": ["ann"]})).await?;
    upsert(&hub, "bob", &json!({"$sms": ["+15551234567"]})).await?;
    Ok(hub)
}

#[tokio::test]
async fn a_trigger_makes_a_message_for_each_recipient_and_channel() -> Result {
    let hub = hub().await?;
    let body = json!({
        "workflow": "shipped", "recipients": ["ann", {"distinct_id": "bob", "$channels": ["sms"], "plan": "pro"}, "nobody", "ann"],
        "data": {"order": {"id": 5}}, "tenant_id": "default", "$idempotency_key": "k1",
    });
    let (status, response) = send(&hub, "POST", "/trigger/", body.clone()).await?;
    assert_eq!((status, &response["status"]), (202, &json!("success")));
    let sent = hub.sent();
    assert_eq!(
        (sent.len(), sent[0].kind(), sent[0].name(), sent[0].key()),
        (1, Kind::Workflow, "shipped", Some("k1"))
    );
    assert_eq!(
        (sent[0].recipients(), sent[0].data()),
        (&["ann".to_owned(), "bob".to_owned()][..], &json!({"order": {"id": 5}}))
    );
    assert_eq!(response["message_id"], sent[0].message_id());
    assert_eq!(
        hub.profile("bob").ok_or("no user")?["properties"]["plan"],
        "pro",
        "inline properties are stored"
    );

    let page = read(&hub, "/v1/message/").await?;
    assert_eq!(column(&page, "/channel"), ["sms", "inbox", "email"], "the newest one first");
    assert_eq!(column(&page, "/recipient/distinct_id"), ["bob", "ann", "ann"]);
    assert_eq!(column(&page, "/idempotency_key"), ["k1", "k1", "k1"]);
    let count = |query: &'static str| {
        let hub = &hub;
        async move {
            Ok::<_, Box<dyn std::error::Error>>(
                read(hub, &format!("/v1/message/?{query}")).await?["meta"]["count"].clone(),
            )
        }
    };
    for (query, expected) in [
        ("recipient_id%5B%5D=ann", 2),
        ("recipient_id%5B%5D=ann&recipient_id%5B%5D=bob", 3),
        ("channel=sms", 1),
        ("workflow_slug=shipped&tenant_id=default", 3),
        ("workflow_slug=other", 0),
        ("status%5B%5D=delivered", 3),
        ("status%5B%5D=seen&status%5B%5D=archived", 0),
        ("idempotency_key=k1&is_campaign=false", 3),
        ("created_at_gte=2000-01-01T00:00:00Z", 3),
        ("created_at_lte=2000-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(query).await?, expected, "{query}");
    }
    let first = read(&hub, "/v1/message/?limit=2").await?;
    let after = first["meta"]["after"].as_str().ok_or("no cursor")?;
    assert_eq!(
        column(&read(&hub, &format!("/v1/message/?limit=2&after={after}")).await?, "/channel"),
        ["email"]
    );

    hub.assert_triggered("shipped")
        .times(1)
        .to("ann")
        .under_key("k1")
        .containing(&json!({"data": {"order": {"id": 5}}}));
    hub.assert_not_triggered("other");
    Ok(())
}

#[tokio::test]
async fn a_key_seen_before_is_accepted_and_does_nothing() -> Result {
    let hub = hub().await?;
    let body = json!({"workflow": "shipped", "recipients": ["ann"], "$idempotency_key": "k"});
    for _ in 0..2 {
        assert_eq!(send(&hub, "POST", "/trigger/", body.clone()).await?.0, 202);
    }
    let sent = hub.sent();
    assert_eq!(sent.iter().map(suprsend_mock::Sent::is_duplicate).collect::<Vec<_>>(), [false, true]);
    assert_eq!(read(&hub, "/v1/message/").await?["meta"]["count"], 2);
    hub.assert_triggered("shipped").times(1);
    // The response to the first attempt is lost, and the second one is a repeat.
    let body = json!({"workflow": "shipped", "recipients": ["bob"], "$idempotency_key": "lost"});
    hub.inject(Fault::lost())?;
    assert!(send(&hub, "POST", "/trigger/", body.clone()).await.is_err());
    assert_eq!(send(&hub, "POST", "/trigger/", body).await?.0, 202);
    hub.assert_triggered("shipped").times(2).under_key("lost").times(1);
    Ok(())
}

#[tokio::test]
async fn many_triggers_are_judged_one_by_one() -> Result {
    let hub = hub().await?;
    let many = json!([
        {"workflow": "known", "recipients": ["ann"]},
        {"workflow": "unknown", "recipients": ["bob"]},
        {"workflow": "known", "recipients": [{"is_transient": true}]},
    ]);
    let (status, response) = send(&hub, "POST", "/trigger/", many.clone()).await?;
    assert_eq!(
        (status, response["records"][1]["status"].clone()),
        (207, json!("success")),
        "any workflow is known"
    );
    hub.define_workflow(json!({"slug": "known"}))?;
    let (status, response) = send(&hub, "POST", "/trigger/", many).await?;
    assert_eq!(status, 207);
    let records = response["records"].as_array().ok_or("no records")?;
    assert_eq!((records.len(), &records[0]["status"]), (3, &json!("success")));
    let expected = json!({"status": "error", "status_code": 404, "error": {"type": "not_found", "message": "workflow not found"}});
    assert_eq!(records[1], expected);
    assert_eq!(records[2]["error"]["message"], "recipients[0]: is transient and has no channel");
    let one = json!({"workflow": "unknown", "recipients": ["ann"]});
    assert_eq!(refused(&hub, "POST", "/trigger/", one).await?, (404, "workflow not found".into()));
    let operations: Vec<_> =
        hub.requests().iter().filter_map(|request| request.operation().map(str::to_owned)).collect();
    assert_eq!(operations[2..], ["trigger-workflows", "trigger-workflows", "trigger-workflow-api"]);
    Ok(())
}

#[tokio::test]
async fn recipients_are_users_objects_and_their_subscribers() -> Result {
    let hub = hub().await?;
    let subscribe = |id: &str, recipients: Value| {
        let (hub, path) = (&hub, format!("/v1/object/teams/{id}/subscription/"));
        async move { done(hub, "POST", &path, json!({"recipients": recipients})).await }
    };
    done(&hub, "POST", "/v1/object/teams/top/", json!({})).await?;
    subscribe("top", json!(["ann", {"object_type": "teams", "id": "child", "$slack": [{"incoming_webhook": {"url": "https://example.com"}}]}])).await?;
    subscribe("child", json!(["bob", "ann"])).await?;
    for (depth, reached) in [
        (json!(0), vec!["teams/top"]),
        (json!(1), vec!["teams/top", "ann", "teams/child"]),
        (Value::Null, vec!["teams/top", "ann", "teams/child", "bob"]),
    ] {
        let mut recipient = json!({"object_type": "teams", "id": "top", "$email": ["team@example.com"]});
        if !depth.is_null() {
            recipient["$object_subscriptions_query"] = json!({"depth": depth});
        }
        done(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": [recipient]})).await?;
        assert_eq!(hub.sent().last().ok_or("nothing sent")?.recipients(), reached, "{depth}");
    }
    let transient = json!({"is_transient": true, "$email": ["guest@example.com"]});
    done(&hub, "POST", "/trigger/", json!({"workflow": "guest", "recipients": [transient]})).await?;
    assert_eq!(read(&hub, "/v1/message/?workflow_slug=guest").await?["meta"]["count"], 1);

    for (recipient, message) in [
        (json!({"plan": "pro"}), "recipients[0].distinct_id: is required unless is_transient is true"),
        (json!({"distinct_id": "x", "$plan": 1}), "recipients[0].$plan: is no channel"),
        (
            json!({"distinct_id": "x", "$context": {"tenant_id": "other"}}),
            "recipients[0].$context.tenant_id: is not the tenant of the request",
        ),
    ] {
        let refusal =
            refused(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": [recipient]})).await?;
        assert!(refusal.0 == 400 && refusal.1.starts_with(message), "{refusal:?}");
    }
    assert!(hub.profile("x").is_none(), "what is refused changes nothing");
    Ok(())
}

#[tokio::test]
async fn runs_are_cancelled_by_all_of_the_filters() -> Result {
    let hub = hub().await?;
    for (workflow, key, recipients) in [("a", " k1 ", json!(["ann", "bob"])), ("b", "k2", json!(["ann"]))] {
        done(
            &hub,
            "POST",
            "/trigger/",
            json!({"workflow": workflow, "recipients": recipients, "$idempotency_key": key}),
        )
        .await?;
    }
    let cancel = |filters: Value| {
        let hub = &hub;
        async move {
            let response = done(hub, "POST", "/v1/workflow_run/cancel/", filters).await?;
            Ok::<_, Box<dyn std::error::Error>>(response["execution_ids"].as_array().map_or(0, Vec::len))
        }
    };
    assert_eq!(cancel(json!({"workflow_slug": "b", "idempotency_key": "k1"})).await?, 0);
    assert_eq!(
        cancel(json!({"workflow_slug": "a", "recipients": ["+15551234567"]})).await?,
        1,
        "by an address"
    );
    assert_eq!(cancel(json!({"idempotency_key": "k1"})).await?, 1, "the other one is cancelled already");
    let id = read(&hub, "/v1/message/?idempotency_key=k2").await?["results"][0]["execution_id"].clone();
    assert_eq!(cancel(json!({"execution_id": id})).await?, 1);
    assert_eq!(refused(&hub, "POST", "/v1/workflow_run/cancel/", json!({})).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_cancel_without_a_known_filter_is_refused_and_cancels_nothing() -> Result {
    let hub = hub().await?;
    done(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": ["ann"], "$idempotency_key": "k"}))
        .await?;
    done(&hub, "POST", "/v1/subscriber_list/", json!({"list_id": "news"})).await?;
    done(&hub, "POST", "/v1/subscriber_list/news/subscriber/add/", json!({"distinct_ids": ["ann"]})).await?;
    let news =
        json!({"list_id": "news", "template": "t", "notification_category": "c", "$idempotency_key": "k"});
    done(&hub, "POST", "/workspace/broadcast/", news).await?;

    let (runs, broadcasts) = ("/v1/workflow_run/cancel/", "/v1/broadcast_run/cancel/");
    let of_runs = "filters: one of execution_id, recipients, idempotency_key, workflow_slug is required";
    let of_broadcasts = "filters: one of execution_id, list_id, idempotency_key is required";
    for (path, filters, message) in [
        (runs, json!({"$idempotency_key": "k"}), of_runs),
        (runs, json!({"list_id": "news"}), of_runs),
        (broadcasts, json!({"$idempotency_key": "k"}), of_broadcasts),
        (broadcasts, json!({"workflow_slug": "w", "recipients": ["ann"]}), of_broadcasts),
    ] {
        let refusal = refused(&hub, "POST", path, filters.clone()).await?;
        assert_eq!(refusal, (400, message.into()), "{path} {filters}");
    }
    for path in [runs, broadcasts] {
        let cancelled = done(&hub, "POST", path, json!({"idempotency_key": "k"})).await?;
        assert_eq!(cancelled["execution_ids"].as_array().map(Vec::len), Some(1), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn events_of_users_who_do_not_exist_are_accepted_and_dropped() -> Result {
    let hub = hub().await?;
    let event = |id: &str, key: &str| json!({"distinct_id": id, "event": "ordered", "properties": {"n": [1]}, "$idempotency_key": key});
    assert_eq!(send(&hub, "POST", "/event/", event("ann", "1")).await?, (202, json!("OK")));
    let response = done(&hub, "POST", "/v2/event/", event("nobody", "2")).await?;
    assert_eq!(response["status"], "success");
    let response =
        done(&hub, "POST", "/v2/bulk/event/", json!([event("bob", "3"), event("bob", "1")])).await?;
    assert_eq!(response["records"].as_array().map(Vec::len), Some(2));
    hub.assert_tracked("ordered").times(3).to("ann").times(1).under_key("1");
    hub.assert_tracked("ordered").to("bob").containing(&json!({"properties": {"n": [1]}}));
    hub.assert_not_tracked("other");
    let blank = json!({"distinct_id": "ann", "event": " "});
    assert_eq!(refused(&hub, "POST", "/v2/event/", blank).await?, (400, "event: is blank".into()));
    let failure = catch_unwind(AssertUnwindSafe(|| hub.assert_tracked("ordered").to("nobody")))
        .err()
        .ok_or("it holds")?;
    let failure = failure.downcast::<String>().map_err(|_| "no message")?;
    assert_eq!(*failure, "no event of ordered to nobody was carried out; these arrived:\n  ann\n  \n  bob");
    Ok(())
}

#[tokio::test]
async fn records_of_edits_make_and_change_users() -> Result {
    let hub = hub().await?;
    let record = |id: &str, operations: Value| json!({"distinct_id": id, "$user_operations": operations, "$schema": "2"});
    let records = json!([
        record("new", json!([{"$set": {"plan": "pro"}}, {"$append": {"$email": "new@example.com"}}])),
        record("ann", json!([{"$unset": ["$email"]}, {"$add": {"seats": 2}}])),
    ]);
    done(&hub, "POST", "/event/", records).await?;
    assert_eq!(hub.profile("new").ok_or("no user")?["$email"][0]["value"], "new@example.com");
    let ann = hub.profile("ann").ok_or("no user")?;
    assert_eq!((ann.get("$email"), &ann["properties"]["seats"]), (None, &json!(2)));
    hub.assert_called("ingest-users").times(1);
    hub.assert_not_called("event-api");

    let wrong = json!([
        record("other", json!([{"$set": {"a": 1}}])),
        record("ann", json!([{"$append": {"seats": 1}}]))
    ]);
    let (status, message) = refused(&hub, "POST", "/event/", wrong).await?;
    assert!(status == 400 && message.starts_with("[1].") && message.contains("$append.seats"), "{message}");
    assert!(hub.profile("other").is_none(), "what is refused changes nothing");

    // One record by itself, as SuprSend's other SDKs send it; an event is still an event.
    done(&hub, "POST", "/event/", record("alone", json!([{"$set": {"plan": "pro"}}]))).await?;
    assert_eq!(hub.profile("alone").ok_or("no user")?["properties"]["plan"], "pro");
    hub.assert_called("ingest-users").times(2).containing(&json!({"distinct_id": "alone"}));
    let neither = json!({"distinct_id": "other", "$user_operations": "text"});
    assert_eq!(refused(&hub, "POST", "/event/", neither).await?.0, 400);
    assert!(hub.profile("other").is_none());
    done(&hub, "POST", "/event/", json!({"distinct_id": "ann", "event": "ordered"})).await?;
    hub.assert_called("event-api").times(1);
    // A single trigger that is refused is not read as one of many.
    let (status, message) =
        refused(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": []})).await?;
    assert!(status == 400 && message.starts_with("recipients"), "{status} {message}");
    Ok(())
}

#[tokio::test]
async fn a_broadcast_reaches_the_users_of_a_list() -> Result {
    let hub = hub().await?;
    done(&hub, "POST", "/v1/subscriber_list/", json!({"list_id": "news"})).await?;
    done(&hub, "POST", "/v1/subscriber_list/news/subscriber/add/", json!({"distinct_ids": ["ann", "bob"]}))
        .await?;
    let body = json!({"list_id": "news", "template": "t", "notification_category": "c", "channels": ["email", "sms"], "$idempotency_key": "k"});
    for _ in 0..2 {
        assert_eq!(send(&hub, "POST", "/workspace/broadcast/", body.clone()).await?.0, 202);
    }
    hub.assert_broadcast("news").times(1).to("bob").exactly(&body);
    let page = read(&hub, "/v1/message/?is_campaign=true").await?;
    assert_eq!(column(&page, "/channel"), ["sms", "email"]);
    assert_eq!(
        (column(&page, "/template/slug"), column(&page, "/category")),
        (vec!["t", "t"], vec!["c", "c"])
    );
    let cancelled = done(&hub, "POST", "/v1/broadcast_run/cancel/", json!({"list_id": "news"})).await?;
    assert_eq!(cancelled["execution_ids"].as_array().map(Vec::len), Some(2));
    let other = json!({"list_id": "none", "template": "t", "notification_category": "c"});
    assert_eq!(
        refused(&hub, "POST", "/workspace/broadcast/", other).await?,
        (400, "list_id: none not found".into())
    );
    hub.assert_not_broadcast("none");
    Ok(())
}

#[tokio::test]
async fn the_old_form_of_a_trigger_has_template_and_category_in_it() -> Result {
    let hub = hub().await?;
    let body = json!({"name": "Old", "template": "t", "notification_category": "c", "users": [{"distinct_id": "ann"}], "data": {"a": 1}});
    assert_eq!(send(&hub, "POST", "/workspace/trigger/", body).await?.0, 202);
    hub.assert_triggered("Old").to("ann").containing(&json!({"data": {"a": 1}}));
    assert_eq!(read(&hub, "/v1/message/?category%5B%5D=c").await?["meta"]["count"], 2);
    Ok(())
}

#[tokio::test]
async fn messages_are_marked_where_their_channel_allows_it() -> Result {
    let hub = hub().await?;
    hub.define_category(json!({"category": "ads", "default_preference": "opt_out"}))?;
    hub.define_workflow(json!({"slug": "w"}))?;
    hub.define_workflow(json!({"slug": "ads", "category": "ads"}))?;
    for workflow in ["w", "ads"] {
        done(&hub, "POST", "/trigger/", json!({"workflow": workflow, "recipients": ["ann"]})).await?;
    }
    let page = read(&hub, "/v1/message/").await?;
    assert_eq!(column(&page, "/status"), ["trigger_blocked", "trigger_blocked", "delivered", "delivered"]);
    let ids = column(&page, "/message_id");
    let (blocked, inbox, email) = (ids[0], ids[2], ids[3]);
    let marks = [(inbox, "read"), (email, "seen"), (email, "archived"), (blocked, "seen"), ("none", "seen")];
    let mut outcomes = Vec::new();
    for (id, action) in marks {
        let body = json!({"messages": [{"message_id": id, "action": action}]});
        let record = done(&hub, "PATCH", "/v1/bulk/message/", body).await?["records"][0].clone();
        outcomes.push((record["status_code"].clone(), record["error"]["type"].clone()));
    }
    let expected = [
        (202, Value::Null),
        (202, Value::Null),
        (422, "action_not_supported".into()),
        (422, "status_blocked".into()),
        (404, "not_found".into()),
    ];
    assert_eq!(outcomes, expected.map(|(status, kind)| (json!(status), kind)));
    let seen = read(&hub, &format!("/v1/message/?message_id={inbox}")).await?["results"][0].clone();
    assert_eq!(
        (&seen["status"], &seen["is_read"], seen["read_at"].is_string()),
        (&json!("read"), &json!(true), true)
    );
    assert_eq!(
        column(&read(&hub, "/v1/message/?status%5B%5D=triggered").await?, "/message_id"),
        [ids[0], ids[1]]
    );
    let twice = json!({"messages": [{"message_id": inbox, "action": "read"}, {"message_id": inbox, "action": "unread"}]});
    assert_eq!(refused(&hub, "PATCH", "/v1/bulk/message/", twice).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_message_does_not_go_back_to_an_earlier_status() -> Result {
    let hub = hub().await?;
    done(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": ["ann"]})).await?;
    let inbox = read(&hub, "/v1/message/?channel=inbox").await?["results"][0]["message_id"].clone();
    let path = format!("/v1/message/?message_id={}", inbox.as_str().ok_or("no message")?);
    let marked = |action: &'static str| {
        let (hub, path) = (&hub, &path);
        let body = json!({"messages": [{"message_id": inbox, "action": action}]});
        async move {
            let response = done(hub, "PATCH", "/v1/bulk/message/", body).await?;
            assert_eq!(response["records"][0]["status_code"], 202, "{action}");
            Ok::<_, Box<dyn std::error::Error>>(read(hub, path).await?["results"][0].clone())
        }
    };
    for (action, status) in [("seen", "seen"), ("read", "read"), ("seen", "read"), ("clicked", "clicked")] {
        assert_eq!(marked(action).await?["status"], status, "{action}");
    }
    assert_eq!(marked("seen").await?["status"], "clicked");
    let read = marked("read").await?;
    assert_eq!((&read["status"], &read["is_read"]), (&json!("clicked"), &json!(true)));
    let times = ["seen_at", "read_at", "clicked_at"].map(|name| read[name].as_str());
    assert!(times[2].is_some() && times[2] < times[0] && times[0] < times[1], "{times:?}");

    let unread = marked("unread").await?;
    assert_eq!((&unread["status"], &unread["is_read"]), (&json!("clicked"), &json!(false)));
    let archived = marked("archived").await?;
    assert_eq!((&archived["status"], &archived["is_archived"]), (&json!("clicked"), &json!(true)));
    Ok(())
}
