//! The admin API.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, client, refusal, upsert};

async fn admin(hub: &Hub, method: Method, path: &str, body: Option<Value>) -> Result<Response> {
    let request = client().request(method, format!("{}/_hub/{path}", hub.url()));
    Ok(body.into_iter().fold(request, |request, body| request.json(&body)).send().await?)
}

#[tokio::test]
async fn the_hub_says_what_it_serves_and_holds() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({})).await?;
    admin(&hub, Method::PUT, "rate-limit", Some(json!({"requests": 5, "per_ms": 1000}))).await?;
    let status: Value = admin(&hub, Method::GET, "", None).await?.json().await?;
    let upsert = json!({"id": "create-update-users", "method": "POST", "path": "/v1/user/{distinct_id}/"});
    assert!(
        status["operations"].as_array().is_some_and(|operations| operations.contains(&upsert)),
        "{status}"
    );
    assert_eq!(status["users"], 1);
    assert_eq!(status["requests"], json!({"recorded": 1, "dropped": 0}));
    assert_eq!(status["rate_limit"], json!({"requests": 5, "per_ms": 1000}));
    Ok(())
}

#[tokio::test]
async fn requests_are_shown_without_credentials_and_forgotten() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"plan": "pro"})).await?;
    let shown: Value = admin(&hub, Method::GET, "requests", None).await?.json().await?;
    let request = &shown["requests"][0];
    assert_eq!(request["path"], "/v1/user/u/");
    assert_eq!(request["status"], 201);
    assert_eq!(request["body"], json!({"plan": "pro"}));
    assert_eq!(request["headers"]["authorization"], "Bearer [hidden]");
    assert!(!shown.to_string().contains(hub.key()));
    assert_eq!(admin(&hub, Method::DELETE, "requests", None).await?.status(), 204);
    assert!(hub.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn users_are_seeded_and_read() -> Result {
    let hub = Hub::start().await?;
    let seeded = admin(&hub, Method::PUT, "users/a%2Fb", Some(json!({"$sms": ["+15551234567"]}))).await?;
    assert_eq!(seeded.json::<Value>().await?["$sms"][0]["value"], "+15551234567");
    let one: Value = admin(&hub, Method::GET, "users/a%2Fb", None).await?.json().await?;
    assert_eq!(Some(&one), hub.profile("a/b").as_ref());
    let all: Value = admin(&hub, Method::GET, "users", None).await?.json().await?;
    assert_eq!(all, json!({"a/b": one}));
    assert!(hub.requests().is_empty(), "the admin API is not recorded");

    let missing = admin(&hub, Method::GET, "users/c", None).await?;
    assert_eq!(refusal(missing).await?, (404, "no user c was upserted".into()));
    let (status, message) =
        refusal(admin(&hub, Method::PUT, "users/c", Some(json!({"$sms": 1}))).await?).await?;
    assert_eq!((status, message.as_str()), (400, "c: $sms: is not of type \"array\""));
    Ok(())
}

#[tokio::test]
async fn faults_and_rates_are_set() -> Result {
    let hub = Hub::start().await?;
    let fault = json!({"status": 503, "headers": {"retry-after": "1"}, "times": 2});
    assert_eq!(admin(&hub, Method::POST, "faults", Some(fault.clone())).await?.status(), 204);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 503);
    let left: Value = admin(&hub, Method::GET, "faults", None).await?.json().await?;
    assert_eq!(left, json!([{"status": 503, "headers": {"retry-after": "1"}, "times": 1}]));
    admin(&hub, Method::DELETE, "faults", None).await?;
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);

    let rate = json!({"requests": 1, "per_ms": 3_600_000});
    admin(&hub, Method::PUT, "rate-limit", Some(rate)).await?;
    let statuses =
        [upsert(&hub, "u", &json!({})).await?.status(), upsert(&hub, "u", &json!({})).await?.status()];
    assert_eq!(statuses.map(|status| status.as_u16()), [201, 429]);
    admin(&hub, Method::DELETE, "rate-limit", None).await?;
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_wrong_body_says_why() -> Result {
    let hub = Hub::start().await?;
    let cases = [
        (json!({"staus": 503}), "the body cannot be used: unknown field `staus`"),
        (json!({"status": 42}), "42 is no status of a response"),
        (json!({}), "a fault needs a status, a delay or a cut"),
        (
            json!({"status": 503, "operation": "trigger-workflow"}),
            "the document has no operation trigger-workflow; there are trigger-workflow",
        ),
        (json!({"status": 503, "operation": "nonsense"}), "the document has no operation nonsense"),
    ];
    for (body, start) in cases {
        let (status, message) = refusal(admin(&hub, Method::POST, "faults", Some(body)).await?).await?;
        assert_eq!(status, 400);
        assert!(message.starts_with(start), "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_brings_the_start_back() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({})).await?;
    assert_eq!(admin(&hub, Method::POST, "reset", None).await?.status(), 204);
    assert_eq!(hub.profile("u"), None);
    assert!(hub.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_the_admin_api_does_not_have_is_not_the_documents() -> Result {
    let hub = Hub::start().await?;
    assert_eq!(refusal(admin(&hub, Method::GET, "nothing", None).await?).await?.0, 404);
    assert!(hub.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn pages_and_names_of_other_hosts_are_refused() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({})).await?;
    let reset = || client().post(format!("{}/_hub/reset", hub.url()));
    for (name, value, status) in [
        ("host", "evil.example", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("content-type", "text/plain", 415),
        ("content-type", "application/x-www-form-urlencoded", 415),
    ] {
        assert_eq!(refusal(reset().header(name, value).send().await?).await?.0, status, "{name}: {value}");
        let read = client().get(format!("{}/_hub/users", hub.url())).header(name, value).send().await?;
        assert_eq!(read.status().as_u16(), status, "{name}: {value}");
    }
    let plain = client().post(format!("{}/_hub/faults", hub.url())).body(r#"{"status":500}"#).send().await?;
    assert_eq!(refusal(plain).await?.0, 415, "a body without a content type");
    assert!(hub.profile("u").is_some() && hub.faults().is_empty());
    let own = reset().header("origin", "http://localhost:3000").header("host", "localhost:1").send().await?;
    assert_eq!(own.status(), 204);
    // The documented API goes by credentials.
    let request = client().get(format!("{}/v1/user/", hub.url())).bearer_auth(hub.key());
    assert_eq!(request.header("host", "hub.example").send().await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_host_that_the_hub_was_told_of_may_use_the_admin_api() -> Result {
    let hub = Hub::builder().admin_host("Hub.Internal").start().await?;
    let get = |host: &str| client().get(format!("{}/_hub/", hub.url())).header("host", host).send();
    assert_eq!(get("hub.internal:4099").await?.status(), 200);
    assert_eq!(get("other.internal").await?.status(), 403);
    Ok(())
}

#[tokio::test]
async fn what_the_api_cannot_create_is_set_up() -> Result {
    let hub = Hub::start().await?;
    for (kind, value) in [
        ("workflow", json!({"slug": "known"})),
        ("category", json!({"category": "news"})),
        ("template", json!({"slug": "t"})),
    ] {
        assert_eq!(
            admin(&hub, Method::POST, &format!("define/{kind}"), Some(value)).await?.status(),
            204,
            "{kind}"
        );
        let wrong = admin(&hub, Method::POST, &format!("define/{kind}"), Some(json!({}))).await?;
        assert_eq!(refusal(wrong).await?.0, 400, "{kind}");
    }
    let (status, message) = refusal(admin(&hub, Method::POST, "define/user", Some(json!({}))).await?).await?;
    assert!(status == 400 && message.starts_with("a user cannot be set up"), "{message}");
    let stub = json!({"method": "GET", "path": "/v3/thing/", "status": 200, "body": {"a": 1}});
    assert_eq!(admin(&hub, Method::POST, "stubs", Some(stub)).await?.status(), 204);
    assert_eq!(crate::read(&hub, "/v3/thing/").await?, json!({"a": 1}));

    let trigger = json!({"workflow": "known", "recipients": ["nobody"], "$idempotency_key": "k"});
    crate::done(&hub, "POST", "/trigger/", trigger.clone()).await?;
    let sent: Value = admin(&hub, Method::GET, "sent", None).await?.json().await?;
    let expected = json!([{
        "kind": "workflow", "name": "known", "body": trigger, "message_id": "request-1", "is_duplicate": false, "recipients": [],
    }]);
    assert_eq!(sent, expected);
    Ok(())
}
