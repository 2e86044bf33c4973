//! Upserts a user with reqwest and serde.

use std::{env, time::Duration};

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Upsert {
    #[serde(rename = "$email")]
    email: Vec<String>,
    #[serde(rename = "$sms")]
    sms: Vec<String>,
    plan: String,
}

#[derive(Deserialize)]
struct Profile {
    distinct_id: String,
    updated_at: String,
    #[serde(default, rename = "$email")]
    email: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    value: serde_json::Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(15)).build()?;
    let body = Upsert {
        email: vec!["jane@example.com".into()],
        sms: vec!["+15551234567".into()],
        plan: "pro".into(),
    };
    let response = client
        .post("https://hub.suprsend.com/v1/user/user-123/")
        .bearer_auth(env::var("SUPRSEND_API_KEY")?)
        .json(&body)
        .send()
        .await?;
    let user: Profile = response.error_for_status()?.json().await?;
    let emails: Vec<_> = user.email.iter().map(|entry| &entry.value).collect();
    println!("{}: {emails:?}, changed {}", user.distinct_id, user.updated_at);
    Ok(())
}
