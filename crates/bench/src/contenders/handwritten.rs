//! The code that one would write instead of using an SDK: reqwest with its pool, types for the body and the response, timeouts, errors for
//! statuses. No retries, no checks.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::KEY;
use crate::workload::{LOCALE, PLAN, TIMEZONE, User, WORKFLOW};

/// The body, with the channels and properties that the program uses.
#[derive(Serialize)]
struct Upsert {
    #[serde(rename = "$email")]
    email: Vec<String>,
    #[serde(rename = "$sms")]
    sms: Vec<String>,
    #[serde(rename = "$timezone")]
    timezone: String,
    #[serde(rename = "$locale")]
    locale: String,
    plan: String,
    seats: u64,
}

/// The response.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "named as the API names them")]
pub struct Profile {
    pub distinct_id: String,
    #[serde(default)]
    pub properties: Map<String, Value>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(default, rename = "$email")]
    pub email: Vec<Entry>,
    #[serde(default, rename = "$sms")]
    pub sms: Vec<Entry>,
    #[serde(default, rename = "$whatsapp")]
    pub whatsapp: Vec<Entry>,
    #[serde(default, rename = "$inbox")]
    pub inbox: Vec<Entry>,
    #[serde(default, rename = "$webpush")]
    pub webpush: Vec<Entry>,
    #[serde(default, rename = "$androidpush")]
    pub androidpush: Vec<Entry>,
    #[serde(default, rename = "$iospush")]
    pub iospush: Vec<Entry>,
    #[serde(default, rename = "$slack")]
    pub slack: Vec<Entry>,
    #[serde(default, rename = "$ms_teams")]
    pub ms_teams: Vec<Entry>,
}

/// An address in the response.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "named as the API names them")]
pub struct Entry {
    pub value: Value,
    pub status: String,
    pub perma_status: Option<String>,
}

/// A trigger of a workflow for one recipient.
#[derive(Serialize)]
struct Trigger {
    workflow: String,
    recipients: Vec<String>,
    data: Data,
    #[serde(rename = "$idempotency_key")]
    idempotency_key: String,
}

/// The data that the workflow uses.
#[derive(Serialize)]
struct Data {
    email: String,
    phone: String,
    plan: String,
    seats: u64,
}

/// The response to a trigger.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "named as the API names them")]
pub struct Accepted {
    pub status: String,
    pub message_id: String,
}

/// A pooled client.
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// A client of the server at this base URL.
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .build()?;
        Ok(Self { http, base: base.parse()? })
    }

    /// Upserts a user.
    pub async fn upsert(&self, user: User) -> Result<Profile> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .ok()
            .context("the base URL has no path")?
            .extend(["v1", "user", &user.id, ""]);
        let body = Upsert {
            email: vec![user.email],
            sms: vec![user.phone],
            timezone: TIMEZONE.to_owned(),
            locale: LOCALE.to_owned(),
            plan: PLAN.to_owned(),
            seats: user.seats,
        };
        let response = self.http.post(url).bearer_auth(KEY).json(&body).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Triggers a workflow for a user, with a key, so that it may be sent again.
    pub async fn trigger(&self, user: User) -> Result<Accepted> {
        let body = Trigger {
            workflow: WORKFLOW.to_owned(),
            recipients: vec![user.id],
            data: Data { email: user.email, phone: user.phone, plan: PLAN.to_owned(), seats: user.seats },
            idempotency_key: Uuid::now_v7().to_string(),
        };
        let url = self.base.join("/trigger/")?;
        let response = self.http.post(url).bearer_auth(KEY).json(&body).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }
}
