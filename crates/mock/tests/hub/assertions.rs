//! Assertions and what they say when they fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use suprsend_mock::{Fault, Hub};

use crate::{Result, upsert};

/// The message of a failing assertion.
fn failure<T>(assertion: impl FnOnce() -> T) -> Result<String> {
    let payload = catch_unwind(AssertUnwindSafe(assertion)).err().ok_or("the assertion holds")?;
    Ok(*payload.downcast::<String>().map_err(|_| "no message")?)
}

#[tokio::test]
async fn assertions_that_hold_say_nothing() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"$email": ["a@example.com"], "plan": "free"})).await?;
    upsert(&hub, "u", &json!({"plan": "pro", "seats": 2})).await?;
    let upserts = hub
        .assert_upserted("u")
        .times(2)
        .containing(&json!({"$email": ["a@example.com"]}))
        .exactly(&json!({"seats": 2, "plan": "pro"}));
    assert_eq!(upserts.bodies()[1]["seats"], 2);
    hub.assert_not_upserted("other");
    Ok(())
}

#[tokio::test]
async fn an_upsert_that_did_not_happen_shows_what_did() -> Result {
    let hub = Hub::start().await?;
    assert_eq!(failure(|| hub.assert_upserted("u"))?, "no upsert of u was carried out; none arrived");
    upsert(&hub, "other", &json!({})).await?;
    upsert(&hub, "u", &json!({"$sms": 1})).await?;
    assert_eq!(
        failure(|| hub.assert_upserted("u"))?,
        "no upsert of u was carried out; these arrived:\n  other: 201\n  u: 400 $sms: is not of type \"array\""
    );
    Ok(())
}

#[tokio::test]
async fn an_upsert_whose_response_was_lost_was_carried_out() -> Result {
    let hub = Hub::start().await?;
    hub.inject(Fault::lost())?;
    assert!(upsert(&hub, "u", &json!({"a": 1})).await.is_err());
    hub.assert_upserted("u").exactly(&json!({"a": 1}));
    Ok(())
}

#[tokio::test]
async fn another_body_shows_the_difference() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"plan": "free", "seats": 1})).await?;
    let message = failure(|| hub.assert_upserted("u").containing(&json!({"plan": "pro"})))?;
    assert!(
        message
            .starts_with("no upsert of u is as expected; in the last one:\n\njson atoms at path \".plan\""),
        "{message}"
    );
    assert!(message.contains("\"pro\"") && message.contains("\"free\""), "{message}");
    let message = failure(|| hub.assert_upserted("u").exactly(&json!({"plan": "free"})))?;
    assert!(message.contains(".seats"), "{message}");
    let message = failure(|| hub.assert_upserted("u").times(2))?;
    assert!(message.starts_with("upsert of u was carried out 1 times, not 2 times:\n  {"), "{message}");
    let message = failure(|| hub.assert_not_upserted("u"))?;
    assert!(message.starts_with("upsert of u was carried out:\n  {"), "{message}");
    Ok(())
}

#[tokio::test]
async fn requests_that_are_no_longer_recorded_are_mentioned() -> Result {
    let hub = Hub::builder().recorded_requests(1).start().await?;
    upsert(&hub, "u", &json!({})).await?;
    upsert(&hub, "other", &json!({})).await?;
    let message = failure(|| hub.assert_upserted("u"))?;
    assert!(message.ends_with("(1 older requests are no longer recorded)"), "{message}");
    Ok(())
}
