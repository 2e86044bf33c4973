//! The users that every client upserts, and how our SDK is told to.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};
use suprsend::{
    Client,
    types::{MsTeamsChannel, SlackChannel, WebPush},
    users::UpsertUser,
};

/// A user of `users.json`.
#[derive(Deserialize)]
pub(crate) struct User {
    pub(crate) distinct_id: String,
    pub(crate) body: Map<String, Value>,
}

/// Reads `users.json`.
pub(crate) fn read() -> Result<Vec<User>> {
    serde_json::from_str(include_str!("../users.json")).context("users.json")
}

impl User {
    /// The upsert, with a method of the SDK for each value.
    pub(crate) fn upsert(&self, client: &Client) -> Result<UpsertUser<Client>> {
        let mut upsert = client.users().upsert(&self.distinct_id);
        for (key, value) in &self.body {
            upsert = match (key.as_str(), value) {
                ("$timezone", Value::String(name)) => upsert.timezone(name),
                ("$locale", Value::String(locale)) => upsert.locale(locale),
                (channel, Value::Array(values)) if channel.starts_with('$') => {
                    values.iter().try_fold(upsert, |upsert, value| add(upsert, channel, value))?
                }
                (key, _) if key.starts_with('$') => bail!("users.json: the SDK has no method for {key}"),
                (name, value) => upsert.property(name, value),
            };
        }
        Ok(upsert)
    }
}

fn add(upsert: UpsertUser<Client>, channel: &str, value: &Value) -> Result<UpsertUser<Client>> {
    let text = || value.as_str().with_context(|| format!("users.json: {channel} has no text"));
    Ok(match channel {
        "$email" => upsert.email(text()?),
        "$sms" => upsert.sms(text()?),
        "$whatsapp" => upsert.whatsapp(text()?),
        "$inbox" => upsert.inbox(text()?),
        "$androidpush" => upsert.android_push(text()?),
        "$iospush" => upsert.ios_push(text()?),
        "$webpush" => upsert.web_push(web_push(value)?),
        "$slack" => upsert.slack(slack(value)?),
        "$ms_teams" => upsert.ms_teams(ms_teams(value)?),
        _ => bail!("users.json: the SDK has no method for {channel}"),
    })
}

fn web_push(value: &Value) -> Result<WebPush> {
    let subscription = WebPush::new(
        member(value, "endpoint")?,
        member(&value["keys"], "p256dh")?,
        member(&value["keys"], "auth")?,
    );
    Ok(match value.get("token") {
        Some(_) => subscription.token(member(value, "token")?),
        None => subscription,
    })
}

fn slack(value: &Value) -> Result<SlackChannel> {
    if let Some(webhook) = value.get("incoming_webhook") {
        return Ok(SlackChannel::incoming_webhook(member(webhook, "url")?));
    }
    let token = member(value, "access_token")?;
    Ok(if value.get("channel").is_some() {
        SlackChannel::channel(member(value, "channel")?, token)
    } else if value.get("user_id").is_some() {
        SlackChannel::user_id(member(value, "user_id")?, token)
    } else {
        SlackChannel::email(member(value, "email")?, token)
    })
}

fn ms_teams(value: &Value) -> Result<MsTeamsChannel> {
    if let Some(webhook) = value.get("incoming_webhook") {
        return Ok(MsTeamsChannel::incoming_webhook(member(webhook, "url")?));
    }
    let (tenant, service) = (member(value, "tenant_id")?, member(value, "service_url")?);
    Ok(if value.get("conversation_id").is_some() {
        MsTeamsChannel::conversation_id(tenant, service, member(value, "conversation_id")?)
    } else {
        MsTeamsChannel::user_id(tenant, service, member(value, "user_id")?)
    })
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("users.json: {name} is missing"))
}
