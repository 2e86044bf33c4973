//! Faults as a client sees them.

use std::time::Duration;

use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};

use crate::{Result, client, example, refusal, upsert};

#[tokio::test]
async fn a_status_is_answered_as_often_as_asked_and_nothing_is_stored() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::status(503).retry_after(Duration::from_secs(2)).times(2))?;
    for _ in 0..2 {
        let response = upsert(&hub, "u", &json!({})).await?;
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(refusal(response).await?, (503, "Service Unavailable".into()));
    }
    assert_eq!(hub.profile("u"), None);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_body_is_sent_as_it_is() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::status(502).header("content-type", "text/html").body("<h1>Bad Gateway</h1>"))?;
    hub.inject(Fault::status(200).body(json!({"status": "fail"})))?;
    let html = upsert(&hub, "u", &json!({})).await?;
    assert_eq!(html.headers()["content-type"], "text/html");
    assert_eq!(html.text().await?, "<h1>Bad Gateway</h1>");
    let json: Value = upsert(&hub, "u", &json!({})).await?.json().await?;
    assert_eq!(json, json!({"status": "fail"}));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_answer() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::delay(Duration::from_secs(3600)))?;
    let start = tokio::time::Instant::now();
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    assert!(start.elapsed() >= Duration::from_secs(3600));
    Ok(())
}

/// The innermost reason of an error.
fn root(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}

#[tokio::test]
async fn a_reset_comes_before_the_request_is_performed_and_a_lost_response_after() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::reset())?;
    hub.inject(Fault::lost())?;
    for (id, stored) in [("before", false), ("after", true)] {
        let error = upsert(&hub, id, &example()).await.err().ok_or("it was answered")?;
        assert!(root(&*error).contains("reset"), "{}", root(&*error));
        assert_eq!(hub.profile(id).is_some(), stored, "{id}");
    }
    let statuses: Vec<_> = hub.requests().iter().map(suprsend_mock::Recorded::status).collect();
    assert_eq!(statuses, [None, None]);
    Ok(())
}

#[tokio::test]
async fn a_truncated_response_has_a_whole_head_and_half_a_body() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::truncated())?;
    let mut response = upsert(&hub, "u", &example()).await?;
    assert_eq!(response.status(), 201);
    let length = response.content_length().ok_or("no length")?;
    let mut arrived = 0;
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => arrived += chunk.len() as u64,
            Ok(None) => return Err("the body is whole".into()),
            Err(error) => break error,
        }
    };
    assert_eq!(arrived, length / 2);
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert!(hub.profile("u").is_some());
    Ok(())
}

#[tokio::test]
async fn a_response_without_a_body_is_lost_where_others_are_truncated() -> Result {
    let hub = Hub::start().await?;
    hub.seed("u", json!({}))?;
    hub.inject(Fault::truncated())?;
    let delete = client().delete(format!("{}/v1/user/u/", hub.url())).bearer_auth(hub.key());
    assert!(delete.send().await.is_err());
    assert!(hub.profile("u").is_none(), "it was performed");
    Ok(())
}

#[tokio::test]
async fn the_connection_is_used_again_after_a_status_and_not_after_a_reset() -> Result {
    let hub = Hub::start().await?;
    let client = client();
    let url = format!("{}/v1/user/u/", hub.url());
    hub.inject(Fault::status(500))?;
    hub.inject(Fault::reset())?;
    let post = || client.post(&url).bearer_auth(hub.key()).send();
    assert_eq!(post().await?.status(), 500);
    assert!(post().await.is_err());
    assert_eq!(post().await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn faults_that_did_not_happen_can_be_taken_back() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::status(500).share(1.0))?;
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 500);
    hub.clear_faults();
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    Ok(())
}
