//! The generated operations alone, sent once by the small client beside them.

use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::Value;
use suprsend_api::{
    operations::CreateUpdateUsers,
    types::{User as Profile, UserUpsert},
};

use super::KEY;
use crate::workload::{LOCALE, PLAN, TIMEZONE, User};

/// A client of the server at this base URL.
pub fn client(base: &str) -> Result<suprsend_api::Client> {
    let http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .build()?;
    Ok(suprsend_api::Client::new(base, http)?.bearer(KEY)?)
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
    let sent = client.send(&CreateUpdateUsers::new(user.id, body)).await;
    sent.map_err(|error| anyhow!("{error}"))
}
