//! Triggers, events and broadcasts as a program writes them, and as the hub sees them.

use std::fs;

use serde::Serialize;
use serde_json::json;
use suprsend::{
    Client, Error,
    types::{Attachment, Recipient},
};
use suprsend_mock::Hub;

#[derive(Serialize)]
struct Order {
    id: u32,
    total: f64,
}

struct Member {
    id: String,
}

async fn start() -> (Hub, Client) {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).workspace("acme").build().unwrap();
    (hub, client)
}

#[track_caller]
fn violations<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<String> {
    match result {
        Err(Error::InvalidInput(input)) => input.violations().iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// The input is not to blame, so it is not looked at.
#[tokio::test]
async fn a_missing_workspace_is_an_error_of_the_configuration() {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().build().unwrap();
    for list in ["newsletter", " "] {
        let error = client.broadcasts().send(list, "monthly-news", "promotional").await.unwrap_err();
        let Error::Config(config) = &error else { panic!("{error:?}") };
        assert_eq!(config.setting(), "workspace");
        assert!(error.to_string().contains("set it by `ClientBuilder::workspace`"), "{error}");
    }
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_trigger_with_everything() -> Result<(), Box<dyn std::error::Error>> {
    let (hub, client) = start().await;
    client.tenants().upsert("acme", "Acme").await?;
    let folder = tempfile::tempdir()?;
    let invoice = folder.path().join("invoice.PDF");
    fs::write(&invoice, "%PDF-1.7")?;
    let team = [Member { id: "ann".into() }, Member { id: "bob".into() }];
    let order = Order { id: 5678, total: 9.5 };
    client
        .workflows()
        .trigger("order-shipped")
        .recipient("jane")
        .recipients(team.iter().map(|member| &member.id))
        .recipient(Recipient::user("joe").email("joe@example.com").sms("+15551234567"))
        .recipient(Recipient::object("departments", "sales").depth(1))
        .recipient(Recipient::transient().email("guest@example.com"))
        .recipients([42_u64, 43])
        .actor("ann")
        .tenant("acme")
        .data("order", &order)
        .data_from(json!({"shop": "north"}))
        .attachment(Attachment::file(&invoice)?)
        .attachment(Attachment::url("https://example.com/terms.pdf").filename("terms.pdf").ignore_if_error())
        .idempotency_key("order-5678")
        .await?;
    let body = hub.sent()[0].body().clone();
    assert_eq!(
        body,
        json!({
            "workflow": "order-shipped",
            "recipients": [
                "jane", "ann", "bob",
                {"distinct_id": "joe", "$email": ["joe@example.com"], "$sms": ["+15551234567"]},
                {"object_type": "departments", "id": "sales", "$object_subscriptions_query": {"depth": 1}},
                {"is_transient": true, "$email": ["guest@example.com"]},
                "42", "43",
            ],
            "actor": "ann",
            "tenant_id": "acme",
            "data": {
                "order": {"id": 5678, "total": 9.5},
                "shop": "north",
                "$attachments": [
                    {"data": "JVBERi0xLjc=", "filename": "invoice.PDF", "contentType": "application/pdf"},
                    {"url": "https://example.com/terms.pdf", "filename": "terms.pdf", "ignore_if_error": true},
                ],
            },
            "$idempotency_key": "order-5678",
        })
    );

    let cancelled = client.workflows().cancel().idempotency_key("order-5678").recipient("joe").await?;
    assert_eq!(cancelled.execution_ids.len(), 1);
    Ok(())
}

#[tokio::test]
async fn events_and_broadcasts() -> Result<(), Error> {
    let (hub, client) = start().await;
    client.tenants().upsert("acme", "Acme").await?;
    hub.seed("jane", json!({"$email": ["jane@example.com"]})).unwrap();
    client
        .events()
        .track("jane", "order_placed")
        .properties("order", Order { id: 1, total: 2.0 })
        .properties_from(json!({"shop": "north"}))
        .attachment(Attachment::content("hello", "hello.txt"))
        .tenant("acme")
        .await?;
    let sent = hub.sent();
    assert_eq!(sent[0].body()["tenant_id"], "acme");
    assert_eq!(sent[0].data()["order"], json!({"id": 1, "total": 2.0}));
    assert_eq!(sent[0].data()["shop"], "north");
    assert_eq!(sent[0].data()["$attachments"][0]["contentType"], "text/plain");

    client.lists().upsert("news").await?;
    client.lists().subscribers("news").add(["jane"]).await?;
    client
        .broadcasts()
        .send("news", "may", "promotional")
        .data("month", "May")
        .data_from(Order { id: 2, total: 3.0 })
        .tenant("acme")
        .idempotency_key("news-may")
        .await?;
    assert_eq!(hub.sent()[1].data(), &json!({"month": "May", "id": 2, "total": 3.0}));
    let cancelled = client.broadcasts().cancel().idempotency_key("news-may").list_id("news").await?;
    assert_eq!(cancelled.execution_ids.len(), 1);
    Ok(())
}

#[tokio::test]
async fn data_that_json_cannot_express_is_named_by_its_place() {
    let (hub, client) = start().await;
    let trigger = || client.workflows().trigger("w").recipient("jane");
    let order = Order { id: 1, total: f64::NAN };
    assert_eq!(
        violations(trigger().data("order", &order).await),
        ["data.order.total is not a number in JSON"]
    );
    assert_eq!(violations(trigger().data_from(&order).await), ["data.total is not a number in JSON"]);
    let found = violations(trigger().data_from([1, 2]).await);
    assert!(found[0].starts_with("data is set from what has no members"), "{found:?}");
    // It would stand in the body twice.
    let found = violations(trigger().data("$attachments", "x").await);
    assert_eq!(found, ["data.$attachments is SuprSend's own, and has a method of its own"]);
    let event = client.events().track("jane", "seen").properties("rate", f32::INFINITY);
    assert_eq!(violations(event.await), ["properties.rate is not a number in JSON"]);
    assert!(hub.sent().is_empty());
}

#[test]
fn files_that_cannot_be_attached() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let refused = |name: &str| Attachment::file(path(name)).unwrap_err().to_string();
    let missing = refused("missing.pdf");
    assert!(missing.starts_with("cannot read the file `") && missing.contains("missing.pdf`: "), "{missing}");
    assert!(refused("").ends_with("is no file"));
    fs::write(path("largest.bin"), vec![0; 50 * 1024]).unwrap();
    fs::write(path("larger.bin"), vec![0; 50 * 1024 + 1]).unwrap();
    let Attachment::Data(largest) = Attachment::file(path("largest.bin")).unwrap() else { panic!() };
    assert_eq!((largest.filename.as_deref(), largest.content_type), (Some("largest.bin"), None));
    assert!(refused("larger.bin").contains("more than 51200 bytes (50 KB)"));
    // With `?` it becomes an error of the SDK, at its place.
    let error = Error::from(Attachment::file(path("missing.pdf")).unwrap_err());
    let found = violations(Err::<(), _>(error));
    assert!(found[0].starts_with("$attachments lacks a file: cannot read"), "{found:?}");
}
