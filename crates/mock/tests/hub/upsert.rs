//! Upserts over HTTP, judged by the document.

use reqwest::StatusCode;
use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, client, example, refusal, upsert};

#[tokio::test]
async fn the_documents_example_is_stored_with_all_nine_channels() -> Result {
    let hub = Hub::start().await?;
    let response = upsert(&hub, "user-123", &example()).await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    let profile: Value = response.json().await?;
    assert_eq!(hub.profile("user-123"), Some(profile.clone()));
    let channels = [
        "$email",
        "$sms",
        "$whatsapp",
        "$inbox",
        "$webpush",
        "$androidpush",
        "$iospush",
        "$slack",
        "$ms_teams",
    ];
    for channel in channels {
        assert_eq!(profile[channel][0]["value"], example()[channel][0], "{channel}");
        assert_eq!(profile[channel][0]["status"], "active", "{channel}");
        assert_eq!(profile[channel][0]["perma_status"], "active", "{channel}");
    }
    assert_eq!(profile["$inbox"][0]["id_provider"], "suprsend");
    assert_eq!(profile["distinct_id"], "user-123");
    assert_eq!(
        profile["properties"],
        json!({"$timezone": "America/New_York", "$locale": "en_GB", "custom_key": "custom_value"})
    );
    Ok(())
}

/// What follows `before` in a text, up to `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Result<&'a str> {
    let (_, rest) = text.split_once(before).ok_or_else(|| format!("no {before} in {text}"))?;
    Ok(rest.split_once(after).ok_or_else(|| format!("no {after} in {rest}"))?.0)
}

#[tokio::test]
async fn the_documents_curl_sample_is_answered_with_the_profile() -> Result {
    let document: Value = serde_json::from_str(suprsend_api::DOCUMENT)?;
    let samples = &document["paths"]["/v1/user/{distinct_id}/"]["post"]["x-codeSamples"];
    let curl = samples.as_array().into_iter().flatten().find(|sample| sample["lang"] == "cURL");
    let curl = curl.and_then(|sample| sample["source"].as_str()).ok_or("no cURL sample")?;
    // The key that stands in it, and everything else as it would go over the wire.
    let hub = Hub::builder().key(between(curl, "Authorization: Bearer ", "'")?).start().await?;
    let response = client()
        .post(format!("{}{}", hub.url(), between(curl, "https://hub.suprsend.com", "\"")?))
        .bearer_auth(hub.key())
        .header("content-type", between(curl, "Content-Type: ", "'")?)
        .body(between(curl, "--data '", "'")?.to_owned())
        .send()
        .await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    let profile: Value = response.json().await?;
    assert_eq!(profile["distinct_id"], "user123");
    assert_eq!(profile["$slack"][0]["value"]["email_id"], "user@example.com");
    Ok(())
}

#[tokio::test]
async fn an_upsert_is_merged_into_the_profile() -> Result {
    let hub = Hub::start().await?;
    let first: Value = upsert(&hub, "u", &json!({"$email": ["a@example.com"], "plan": "free", "seats": 1}))
        .await?
        .json()
        .await?;
    let second: Value =
        upsert(&hub, "u", &json!({"$email": ["b@example.com", "a@example.com"], "plan": {"name": "pro"}}))
            .await?
            .json()
            .await?;
    let values: Vec<_> =
        second["$email"].as_array().into_iter().flatten().map(|entry| &entry["value"]).collect();
    assert_eq!(values, ["a@example.com", "b@example.com"]);
    assert_eq!(second["properties"], json!({"plan": {"name": "pro"}, "seats": 1}));
    assert_eq!(second["created_at"], first["created_at"]);
    assert!(second["updated_at"].as_str() > first["updated_at"].as_str());
    Ok(())
}

#[tokio::test]
async fn slack_is_echoed_with_email_id() -> Result {
    let hub = Hub::start().await?;
    let slack = json!([{"email": "user@example.com", "access_token": "xoxb-1"}]);
    let profile: Value = upsert(&hub, "u", &json!({"$slack": slack})).await?.json().await?;
    assert_eq!(
        profile["$slack"][0]["value"],
        json!({"email_id": "user@example.com", "access_token": "xoxb-1"})
    );
    Ok(())
}

#[tokio::test]
async fn the_path_parameter_is_decoded() -> Result {
    let hub = Hub::start().await?;
    let response = upsert(&hub, "a%2Fb%20%C3%A4", &json!({})).await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(hub.profile("a/b ä").ok_or("no profile")?["distinct_id"], "a/b ä");
    Ok(())
}

#[tokio::test]
async fn a_body_against_the_document_is_refused_with_the_field() -> Result {
    let hub = Hub::start().await?;
    let cases = [
        (json!({"$email": "jane@example.com"}), "$email: "),
        (json!({"$email": ["jane@example.com", "jane"]}), "$email[1]: is not a valid email"),
        (json!({"$sms": [1]}), "$sms[0]: is not of type \"string\""),
        (json!({"$timezone": 1}), "$timezone: "),
        (
            json!({"$webpush": [{"endpoint": "https://example.com", "keys": {"p256dh": "k"}}]}),
            "$webpush[0].keys.auth: ",
        ),
        (
            json!({"$webpush": [{"endpoint": "nowhere", "keys": {"p256dh": "k", "auth": "a"}}]}),
            "$webpush[0].endpoint: ",
        ),
        (json!({"$telegram": ["x"]}), "$telegram: "),
        (json!([]), "the body is not of type \"object\""),
    ];
    for (body, start) in cases {
        let (status, message) = refusal(upsert(&hub, "u", &body).await?).await?;
        assert_eq!(status, 400, "{body}");
        assert!(message.starts_with(start), "{body}: {message}");
    }
    assert_eq!(hub.profile("u"), None, "a refused upsert stores nothing");
    Ok(())
}

#[tokio::test]
async fn a_union_says_what_each_variant_lacks_and_no_secret() -> Result {
    let hub = Hub::start().await?;
    let body = json!({"$slack": [{"email_id": "user@example.com", "access_token": "xoxb-secret"}]});
    let (_, message) = refusal(upsert(&hub, "u", &body).await?).await?;
    assert!(
        message.starts_with("$slack[0]: fits none of: Slack using email (email is required); "),
        "{message}"
    );
    assert!(!message.contains("secret"), "{message}");

    let body =
        json!({"$slack": [{"email": "user@example.com", "user_id": "U1", "access_token": "xoxb-secret"}]});
    let (_, message) = refusal(upsert(&hub, "u", &body).await?).await?;
    assert_eq!(
        message,
        "$slack[0]: must fit exactly one of the variants, but fits Slack using email and Slack using member ID"
    );
    Ok(())
}

#[tokio::test]
async fn an_id_that_is_blank_or_too_long_is_refused() -> Result {
    let hub = Hub::start().await?;
    assert_eq!(upsert(&hub, &"ä".repeat(255), &json!({})).await?.status(), StatusCode::CREATED);
    let (status, message) = refusal(upsert(&hub, &"ä".repeat(256), &json!({})).await?).await?;
    assert_eq!((status, message.as_str()), (400, "distinct_id: is longer than 255 characters"));
    let (status, message) = refusal(upsert(&hub, "%20", &json!({})).await?).await?;
    assert_eq!((status, message.as_str()), (400, "distinct_id: is blank"));
    Ok(())
}

#[tokio::test]
async fn paths_and_methods_outside_the_document_are_refused() -> Result {
    let hub = Hub::start().await?;
    let client = client();
    let (status, message) = refusal(client.post(format!("{}/v1/user/u", hub.url())).send().await?).await?;
    assert_eq!(status, 404);
    assert!(message.ends_with("the path ends in a slash"), "{message}");
    let (status, _) = refusal(client.post(format!("{}/v1/user//", hub.url())).send().await?).await?;
    assert_eq!(status, 404);
    let response = client.put(format!("{}/v1/user/u/", hub.url())).send().await?;
    assert!(response.headers()["allow"].to_str()?.contains("POST"));
    assert_eq!(refusal(response).await?.0, 405);
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() -> Result {
    let hub = Hub::start().await?;
    let post = || client().post(format!("{}/v1/user/u/", hub.url())).bearer_auth(hub.key());
    let (status, message) = refusal(post().body("{}").send().await?).await?;
    assert_eq!((status, message.as_str()), (400, "the header Content-Type is not application/json"));
    let broken = post().header("content-type", "application/json").body("{\"$email\": [").send().await?;
    let (status, message) = refusal(broken).await?;
    assert_eq!(status, 400);
    assert!(message.starts_with("the body is not JSON: "), "{message}");
    Ok(())
}

#[tokio::test]
async fn an_address_is_stored_once() -> Result {
    let hub = Hub::start().await?;
    let slack = json!({"email": "user@example.com", "access_token": "xoxb-1"});
    let body = json!({"$sms": ["+1", "+1"], "$slack": [slack], "$inbox": ["i"]});
    for _ in 0..2 {
        upsert(&hub, "u", &body).await?;
    }
    let profile = hub.profile("u").ok_or("no profile")?;
    for channel in ["$sms", "$slack", "$inbox"] {
        assert_eq!(profile[channel].as_array().map(Vec::len), Some(1), "{channel}");
    }
    Ok(())
}

#[tokio::test]
async fn what_describes_push_addresses_is_stored_with_them() -> Result {
    let hub = Hub::start().await?;
    let body = json!({"$iospush": ["t"], "$email": ["a@example.com"], "$id_provider": "apns", "$bundle_id": "com.example"});
    let profile: Value = upsert(&hub, "u", &body).await?.json().await?;
    assert_eq!(profile["$iospush"][0]["id_provider"], "apns");
    assert_eq!(profile["$iospush"][0]["bundle_id"], "com.example");
    assert_eq!(profile["$email"][0].get("id_provider"), None);
    assert_eq!(profile["properties"], json!({}));

    let body = json!({"$preferred_language": "en", "$id_provider": 1});
    let (status, message) = refusal(upsert(&hub, "u", &body).await?).await?;
    assert_eq!((status, message.as_str()), (400, "$id_provider: is not a string"));
    Ok(())
}

#[tokio::test]
async fn an_upsert_needs_no_body() -> Result {
    let hub = Hub::start().await?;
    let url = format!("{}/v1/user/u/", hub.url());
    let response = client().post(url).bearer_auth(hub.key()).send().await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert!(hub.profile("u").is_some());
    Ok(())
}

#[tokio::test]
async fn all_problems_are_named_at_once() -> Result {
    let hub = Hub::start().await?;
    let body = json!({"$email": ["x"], "$sms": 1});
    let (_, message) = refusal(upsert(&hub, "u", &body).await?).await?;
    assert!(message.contains("$email[0]: ") && message.contains("; $sms: "), "{message}");
    Ok(())
}

#[tokio::test]
async fn an_address_is_any_mailbox_of_rfc_5321() -> Result {
    let hub = Hub::start().await?;
    let mailboxes = ["user@[127.0.0.1]", "user@[IPv6:::1]", "\"\"@example.com", "\"a b\"@example.com"];
    assert_eq!(upsert(&hub, "u", &json!({"$email": mailboxes})).await?.status(), 201);
    for other in
        ["user@[127.0.0.1", "user@[300.0.0.1]", "user@[::1]", "Jane <jane@example.com>", "jäne@example.com"]
    {
        assert_eq!(upsert(&hub, "u", &json!({"$email": [other]})).await?.status(), 400, "{other}");
    }
    Ok(())
}
