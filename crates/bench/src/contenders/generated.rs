//! The generated client alone: the document's types and operations, a transport that only sends, the key as a default header.

use std::time::Duration;

use anyhow::{Result, anyhow};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use suprsend_api::{
    PlainTransport, Sender,
    types::{User as Profile, UserUpsert},
};

use super::KEY;
use crate::workload::{LOCALE, PLAN, TIMEZONE, User};

/// A client of the server at this base URL.
pub fn client(base: &str) -> Result<suprsend_api::Client> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {KEY}"))?);
    let http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .default_headers(headers)
        .build()?;
    Ok(suprsend_api::Client::new_with_client(base, http, Sender::new(PlainTransport)))
}

/// Upserts a user.
pub async fn upsert(client: &suprsend_api::Client, user: User) -> Result<Profile> {
    let body = UserUpsert {
        email: vec![user.email],
        sms: vec![user.phone],
        timezone: Some(TIMEZONE.to_owned()),
        locale: Some(LOCALE.to_owned()),
        extra: [("plan".to_owned(), Value::from(PLAN)), ("seats".to_owned(), Value::from(user.seats))]
            .into_iter()
            .collect(),
        ..UserUpsert::default()
    };
    let sent = client.create_update_users().distinct_id(user.id).body(body).send().await;
    // The error holds the reply, and cannot be sent between threads.
    Ok(sent.map_err(|error| anyhow!("{error}"))?.into_inner())
}
