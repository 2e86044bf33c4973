//! What a hub takes and keeps at most.

use std::time::Duration;

use serde_json::json;
use suprsend_mock::{Hub, RateLimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Result, client, refusal, upsert};

#[tokio::test]
async fn requests_over_the_rate_are_refused_with_the_time_to_wait() -> Result {
    let hub = Hub::builder().rate_limit(RateLimit::new(2, Duration::from_secs(7200))).start().await?;
    for status in [201, 201, 429] {
        let response = upsert(&hub, "u", &json!({})).await?;
        assert_eq!(response.status(), status);
        if status == 429 {
            // Less by the time that has passed since the first request.
            let wait = response.headers()["retry-after"].to_str()?.parse::<u64>()?;
            assert!((1..=3600).contains(&wait), "{wait}");
            assert_eq!(refusal(response).await?.1, format!("the rate limit is reached; wait for {wait} s"));
        }
    }
    hub.limit_rate(None);
    assert_eq!(upsert(&hub, "u", &json!({})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() -> Result {
    let hub = Hub::builder().largest_body(100).start().await?;
    let response = upsert(&hub, "u", &json!({"note": "x".repeat(100)})).await?;
    assert_eq!(refusal(response).await?, (413, "the body is larger than 100 bytes".into()));
    assert_eq!(hub.profile("u"), None);
    assert_eq!(upsert(&hub, "u", &json!({"note": "x".repeat(80)})).await?.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_is_not_one_that_is_too_large() -> Result {
    let hub = Hub::start().await?;
    let mut stream = TcpStream::connect(hub.url().trim_start_matches("http://")).await?;
    let head = "POST /v1/user/u/ HTTP/1.1\r\nhost: hub\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n";
    stream.write_all(head.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    let [request] = &hub.requests()[..] else { return Err("not one request".into()) };
    assert_eq!((request.status(), request.refusal()), (Some(400), Some("the body broke off")));
    Ok(())
}

#[tokio::test]
async fn only_the_last_requests_are_recorded_and_the_others_counted() -> Result {
    let hub = Hub::builder().recorded_requests(2).start().await?;
    for id in ["a", "b", "c"] {
        upsert(&hub, id, &json!({"id": id})).await?;
    }
    let requests = hub.requests();
    let ids: Vec<_> = requests.iter().filter_map(|request| request.parameter("distinct_id")).collect();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!(hub.dropped_requests(), 1);
    Ok(())
}

#[tokio::test]
async fn a_request_is_recorded_as_it_arrived() -> Result {
    let hub = Hub::start().await?;
    let url = format!("{}/v1/user/a%20b/?x=1", hub.url());
    client().post(url).bearer_auth(hub.key()).json(&json!({"$email": ["secret"]})).send().await?;
    let requests = hub.requests();
    let [request] = requests.as_slice() else { return Err("not one request".into()) };
    assert_eq!((request.method(), request.path(), request.query()), ("POST", "/v1/user/a%20b/", Some("x=1")));
    assert_eq!(request.operation(), Some("create-update-users"));
    assert_eq!(request.parameter("distinct_id"), Some("a b"));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", hub.key()).as_str()));
    assert_eq!(request.body(), br#"{"$email":["secret"]}"#);
    assert_eq!(request.status(), Some(400));
    assert!(request.refusal().is_some_and(|refusal| refusal.starts_with("$email[0]: ")));
    let shown = format!("{request:?}");
    assert!(!shown.contains(hub.key()) && !shown.contains("secret"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn profiles_are_stored_up_to_a_size() -> Result {
    let hub = Hub::builder().largest_store(1000).start().await?;
    assert_eq!(upsert(&hub, "u", &json!({"note": "x".repeat(1000)})).await?.status(), 201);
    let expected = "the hub holds more than 1000 bytes; reset it";
    assert_eq!(refusal(upsert(&hub, "other", &json!({})).await?).await?, (507, expected.into()));
    hub.reset();
    // What is replaced no longer counts.
    for _ in 0..3 {
        assert_eq!(upsert(&hub, "u", &json!({"note": "x".repeat(600)})).await?.status(), 201);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_short_however_much_is_wrong() -> Result {
    let hub = Hub::start().await?;
    let (_, message) = refusal(upsert(&hub, "u", &json!({"$sms": vec![0; 1000]})).await?).await?;
    assert!(message.ends_with("$sms[9]: is not of type \"string\"; and 990 more"), "{message}");
    let (_, message) =
        refusal(upsert(&hub, "u", &json!({format!("${}", "ä".repeat(10_000)): 1})).await?).await?;
    assert_eq!(message.chars().count(), 2001);
    Ok(())
}
