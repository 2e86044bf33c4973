//! The example of the guide on axum, as its users would test it.

#[allow(dead_code, reason = "its `main` runs as a program")]
#[path = "../examples/signup.rs"]
mod signup;

use std::time::Duration;

use serde_json::json;
use suprsend::{Client, RetryPolicy, reqwest};
use suprsend_mock::{Fault, Hub};

/// The URL of a service that sends to this hub.
async fn service(hub: &Hub) -> String {
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).retry(policy).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sign-up", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, signup::app(client)).await });
    url
}

async fn sign_up(url: &str, id: &str, email: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = json!({"id": id, "email": email}).to_string();
    client.post(url).header("content-type", "application/json").body(form).send().await.unwrap()
}

#[tokio::test]
async fn a_visitor_is_stored_and_welcomed_once() {
    let hub = Hub::start().await.unwrap();
    let url = service(&hub).await;
    for _ in 0..2 {
        assert_eq!(sign_up(&url, "jane", "jane@example.com").await.status(), 202);
    }

    hub.assert_upserted("jane").times(2).exactly(&json!({"$email": ["jane@example.com"], "plan": "free"}));
    hub.assert_triggered("welcome").times(1).to("jane").under_key("welcome-jane");
    assert_eq!(hub.sent().iter().filter(|sent| !sent.is_duplicate()).count(), 1);
    assert_eq!(hub.profile("jane").unwrap()["$email"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_visitor_learns_what_is_wrong() {
    let hub = Hub::start().await.unwrap();
    let url = service(&hub).await;
    let response = sign_up(&url, "jane", "no address").await;
    assert_eq!(response.status(), 422);
    let rules: Vec<String> = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(rules.len(), 1);
    assert!(rules[0].starts_with("$email[0] "), "{rules:?}");
    assert!(hub.requests().is_empty());
}

#[tokio::test]
async fn a_failure_has_its_status() {
    let hub = Hub::start().await.unwrap();
    let url = service(&hub).await;

    // One that passes is not seen.
    hub.inject(Fault::lost()).unwrap();
    assert_eq!(sign_up(&url, "jane", "jane@example.com").await.status(), 202);

    hub.inject(Fault::status(429).retry_after(Duration::from_secs(3600))).unwrap();
    let response = sign_up(&url, "jane", "jane@example.com").await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"3600".parse().unwrap())
    );

    // A workflow that is not there is the operators' fault.
    hub.define_workflow(json!({"slug": "another"})).unwrap();
    assert_eq!(sign_up(&url, "joe", "joe@example.com").await.status(), 500);
}
