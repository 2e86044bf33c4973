//! API keys, and the signatures of SuprSend's SDKs.

use reqwest::{
    RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::json;
use suprsend_mock::Hub;

use crate::{Result, client, refusal};

const BODY: &str = r#"{"$email": ["jane@example.com"]}"#;
/// What SuprSend's Python SDK 0.20.0 makes of [`signed`]'s request and the secret `secret`.
const SIGNATURE: &str = "/3YYoqfOjfb9bl+G2OIEnFRi8Y2h460jOoWd3wtl1TQ=";

/// An upsert as that SDK sends it.
fn signed(hub: &Hub, workspace: &str, path: &str, body: &'static str) -> RequestBuilder {
    client()
        .post(format!("{}{path}", hub.url()))
        .header("content-type", "application/json; charset=utf-8")
        .header("date", "Fri, 04 Apr 2025 21:37:36 GMT")
        .header("authorization", format!("{workspace}:{SIGNATURE}"))
        .body(body)
}

#[tokio::test]
async fn a_request_without_a_known_key_is_refused() -> Result {
    let hub = Hub::start().await?;
    let url = format!("{}/v1/user/u/", hub.url());
    let post = || client().post(&url).json(&json!({}));
    let cases = [
        (post(), "the header Authorization is missing"),
        (post().bearer_auth("wrong"), "the API key is not known"),
        (post().basic_auth("a", Some("b")), "the operation does not take Basic credentials"),
        (post().header("authorization", hub.key()), "the header Authorization is neither"),
    ];
    for (request, start) in cases {
        let response = request.send().await?;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let (status, message) = refusal(response).await?;
        assert_eq!(status, 401);
        assert!(message.starts_with(start), "{message}");
    }
    assert_eq!(hub.profile("u"), None);
    Ok(())
}

#[tokio::test]
async fn each_configured_key_is_accepted_and_the_built_in_one_is_not() -> Result {
    let hub = Hub::builder().key("one").key("two").start().await?;
    assert_eq!(hub.key(), "one");
    let built_in = Hub::start().await?;
    for (key, status) in [("one", 201), ("two", 201), (built_in.key(), 401)] {
        let url = format!("{}/v1/user/u/", hub.url());
        assert_eq!(client().post(url).bearer_auth(key).send().await?.status(), status, "{key}");
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_is_verified_once_a_workspace_is_known() -> Result {
    let path = "/v1/user/a%20b/?source=test";
    let hub = Hub::builder().workspace("ws", "secret").start().await?;
    assert_eq!(signed(&hub, "ws", path, BODY).send().await?.status(), 201);
    assert!(hub.profile("a b").is_some());

    let unfit = "the signature does not fit the request";
    let other_type = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let without_date = client().post(format!("{}{path}", hub.url())).header("authorization", "ws:YWJj");
    let cases = [
        (signed(&hub, "ws", path, "{}"), unfit),
        (signed(&hub, "ws", "/v1/user/a%20b/", BODY), unfit),
        (signed(&hub, "ws", path, BODY).headers(other_type), unfit),
        (signed(&hub, "other", path, BODY), "the workspace key is not known"),
        (without_date, "a signed request needs the header Date"),
    ];
    for (request, expected) in cases {
        let (status, message) = refusal(request.send().await?).await?;
        assert_eq!((status, message.as_str()), (401, expected));
    }
    let hub = Hub::builder().workspace("ws", "another").start().await?;
    assert_eq!(refusal(signed(&hub, "ws", path, BODY).send().await?).await?, (401, unfit.into()));
    Ok(())
}

#[tokio::test]
async fn without_a_workspace_any_signature_is_accepted() -> Result {
    let hub = Hub::start().await?;
    assert_eq!(signed(&hub, "any", "/v1/user/u/", BODY).send().await?.status(), 201);
    let broken = client().post(format!("{}/v1/user/u/", hub.url())).header("authorization", "any:!");
    assert_eq!(refusal(broken.send().await?).await?, (401, "the signature is not base64".into()));
    Ok(())
}

#[tokio::test]
async fn a_key_in_a_header_of_its_own_is_hidden_too() -> Result {
    let document = json!({
        "openapi": "3.1.1",
        "info": {"title": "keys", "version": "1"},
        "paths": {"/": {"get": {"security": [{"Own": []}], "responses": {"204": {"description": "none"}}}}},
        "components": {"securitySchemes": {"Own": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    });
    let hub = Hub::builder().document(document.to_string()).key("the-secret").start().await?;
    let response = client().get(format!("{}/", hub.url())).header("x-key", "the-secret").send().await?;
    assert_eq!(response.status(), 204);
    let shown = client().get(format!("{}/_hub/requests", hub.url())).send().await?.text().await?;
    assert!(shown.contains("\"x-key\":\"[hidden]\"") && !shown.contains("the-secret"), "{shown}");
    Ok(())
}
