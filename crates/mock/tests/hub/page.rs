//! The page for browsers, as one without a script sees it.

use reqwest::{Response, redirect::Policy};
use serde_json::json;
use suprsend_mock::Hub;

use crate::{Result, client, done, upsert};

async fn page(hub: &Hub, path: &str) -> Result<Response> {
    Ok(client().get(format!("{}{path}", hub.url())).header("accept", "text/html").send().await?)
}

async fn text(hub: &Hub, path: &str) -> Result<String> {
    let response = page(hub, path).await?;
    assert_eq!(response.status(), 200, "{path}");
    Ok(response.text().await?)
}

/// Posts a form, as the page of this origin does.
async fn post(hub: &Hub, path: &str, origin: Option<&str>, form: &str) -> Result<Response> {
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build()?;
    let request = client.post(format!("{}{path}", hub.url()));
    let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
    let form = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    Ok(form.send().await?)
}

const PATHS: [&str; 6] = [
    "/_hub/",
    "/_hub/page/notifications",
    "/_hub/page/stored/users",
    "/_hub/page/controls",
    "/_hub/page/events",
    "/_hub/page/script.js",
];

#[tokio::test]
async fn browsers_get_a_page_and_programs_json() -> Result {
    let hub = Hub::start().await?;
    assert!(text(&hub, "/_hub/").await?.contains("No requests yet"));
    let json: serde_json::Value = client().get(format!("{}/_hub/", hub.url())).send().await?.json().await?;
    assert_eq!(json["users"], 0);
    assert_eq!(page(&hub, "/_hub/page/stored/nothing").await?.status(), 404);
    Ok(())
}

#[tokio::test]
async fn every_response_says_what_a_browser_may_load() -> Result {
    let hub = Hub::start().await?;
    for path in PATHS.iter().chain(&["/_hub/users", "/_hub/nothing"]) {
        let response = page(&hub, path).await?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        assert!(header("content-security-policy").starts_with("default-src 'self';"), "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(
            (header("x-content-type-options"), header("cache-control")),
            ("nosniff", "no-store"),
            "{path}"
        );
    }
    // The policy would stop a script or a style in the page, so none is there.
    let html = text(&hub, "/_hub/").await?;
    assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"), "{html}");
    Ok(())
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() -> Result {
    let hub = Hub::start().await?;
    for path in PATHS {
        for (name, value) in
            [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")]
        {
            let request = client().get(format!("{}{path}", hub.url())).header("accept", "text/html");
            assert_eq!(request.header(name, value).send().await?.status(), 403, "{path} {name}: {value}");
        }
    }
    upsert(&hub, "u", &json!({})).await?;
    // Another page of this machine may not post a form, nor may who does not say where it comes from.
    for origin in [None, Some("http://localhost:3000"), Some("null"), Some("https://evil.example")] {
        assert_eq!(post(&hub, "/_hub/page/reset", origin, "").await?.status(), 403, "{origin:?}");
        assert_eq!(post(&hub, "/_hub/page/fault", origin, "effect=reset").await?.status(), 403, "{origin:?}");
    }
    assert!(hub.profile("u").is_some() && hub.faults().is_empty());
    assert_eq!(post(&hub, "/_hub/page/reset", Some(hub.url()), "").await?.status(), 303);
    assert!(hub.profile("u").is_none());
    Ok(())
}

#[tokio::test]
async fn forms_do_what_the_admin_api_does() -> Result {
    let hub = Hub::start().await?;
    let own = Some(hub.url());
    let response = post(
        &hub,
        "/_hub/page/fault",
        own,
        "effect=status&status=503&times=2&operation=delete-user&return=%2F%2Fevil.example",
    )
    .await?;
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/_hub/".parse()?));
    let fault = suprsend_mock::Fault::status(503).operation("delete-user").times(2);
    assert_eq!(hub.faults(), [fault]);
    let wrong = post(&hub, "/_hub/page/fault", own, "effect=status&status=42").await?;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().await?.contains("42 is no status of a response"));
    assert_eq!(post(&hub, "/_hub/page/faults/clear", own, "").await?.status(), 303);
    assert!(hub.faults().is_empty());
    assert_eq!(post(&hub, "/_hub/page/rate-limit", own, "requests=1&seconds=3600").await?.status(), 303);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 429);
    assert_eq!(post(&hub, "/_hub/page/rate-limit/lift", own, "").await?.status(), 303);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn secrets_are_hidden_until_asked_for() -> Result {
    let hub = Hub::builder().key("the-key").start().await?;
    upsert(&hub, "u", &json!({"$email": ["u@example.com"], "note": "a-secret", "$slack": [{"email": "u@example.com", "access_token": "xoxb-1"}]})).await?;
    done(
        &hub,
        "POST",
        "/trigger/",
        json!({"workflow": "w", "recipients": ["u"], "data": {"code": "a-secret"}}),
    )
    .await?;
    // A path that the document does not have, so nobody knows what is sensitive.
    client().post(format!("{}/v1/user/u", hub.url())).json(&json!({"note": "a-secret"})).send().await?;
    client().post(format!("{}/v1/user/u/", hub.url())).body("{\"note\": \"a-secret").send().await?;
    for path in [
        "/_hub/?request=1",
        "/_hub/?request=2",
        "/_hub/?request=3",
        "/_hub/?request=4",
        "/_hub/page/notifications?notification=0-0",
        "/_hub/page/stored/users?id=u",
    ] {
        let html = text(&hub, path).await?;
        for secret in ["a-secret", "xoxb-1", "the-key"] {
            assert!(!html.contains(secret), "{secret} in {path}: {html}");
        }
        assert!(text(&hub, &format!("{path}&reveal=1")).await?.contains("a-secret"), "{path}");
    }
    assert!(text(&hub, "/_hub/?request=1&reveal=1").await?.contains("Bearer the-key"));
    let curl = text(&hub, "/_hub/page/requests/1/curl").await?;
    assert!(curl.contains("a-secret") && !curl.contains("the-key"), "{curl}");
    Ok(())
}

#[tokio::test]
async fn hostile_content_stays_text() -> Result {
    let hub = Hub::start().await?;
    let hostile = "</pre><script>alert(1)</script>\"'><img src=x>";
    hub.seed(hostile, json!({"note": hostile}))?;
    done(&hub, "POST", "/trigger/", json!({"workflow": hostile, "recipients": [hostile], "data": {hostile: hostile}, "$idempotency_key": hostile})).await?;
    let query = "q=%22%3E%3Cimg%20src%3Dx%3E&operation=%22%3E%3Cimg%20src%3Dx%3E&recipient=%22%3E%3Cimg%20src%3Dx%3E&status=%22%3E%3Cimg%20src%3Dx%3E";
    let id = "id=%3C%2Fpre%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27%3E%3Cimg%20src%3Dx%3E";
    for path in [
        "/_hub/?request=1&reveal=1".to_owned(),
        "/_hub/page/notifications?notification=0-0&reveal=1".to_owned(),
        format!("/_hub/page/stored/users?{id}&reveal=1"),
        format!("/_hub/?{query}"),
        format!("/_hub/page/notifications?{query}"),
        format!("/_hub/page/controls?{query}"),
    ] {
        let html = text(&hub, &path).await?;
        assert!(!html.contains("<img") && !html.contains("<script>"), "{path}: {html}");
        // The controls show nothing of the query but the operation that is chosen.
        assert!(path.contains("controls") || html.contains("&lt;img src=x&gt;"), "{path}: {html}");
    }
    let response = page(&hub, "/_hub/page/requests/1/body").await?;
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    Ok(())
}

#[tokio::test]
async fn a_page_is_told_of_changes_and_ends_with_the_hub() -> Result {
    let hub = Hub::start().await?;
    let mut events = page(&hub, "/_hub/page/events").await?;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut next = async || -> Result<Option<String>> {
        Ok(events.chunk().await?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    assert!(next().await?.is_some_and(|event| event.starts_with("event: changed")));
    upsert(&hub, "u", &json!({})).await?;
    assert!(next().await?.is_some_and(|event| event.starts_with("event: changed")));
    hub.stop().await;
    while next().await.ok().flatten().is_some() {}
    Ok(())
}

#[tokio::test]
async fn what_blocked_a_message_is_named() -> Result {
    let hub = Hub::start().await?;
    hub.define_category(json!({"category": "news", "channels": ["email", "inbox"]}))?;
    hub.define_workflow(json!({"slug": "w", "category": "news"}))?;
    hub.seed("u", json!({"$email": ["u@example.com"], "$inbox": ["u"]}))?;
    let form = "resource=users.preferences&id=u&category=news&channel=email&value=off";
    assert_eq!(post(&hub, "/_hub/page/preference", Some(hub.url()), form).await?.status(), 303);
    done(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": ["u"]})).await?;
    let html = text(&hub, "/_hub/page/notifications?notification=0-0").await?;
    assert!(html.contains("blocked: the recipient opted out of the category `news`"), "{html}");
    assert!(html.contains("partly blocked"), "{html}");
    Ok(())
}
