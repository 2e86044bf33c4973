//! The same users by our SDK and by those of SuprSend.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use suprsend::Client;
use suprsend_mock::Hub;
use tokio::process::Command;

use super::life_cycle;
use crate::{process, users::User};

/// The workspace, or the API key, with which official SDKs come.
const KEY: &str = "conformance-key";
const SECRET: &str = "conformance-secret";

/// Our SDK: what arrives is what was asked for.
pub(super) async fn ours(users: &[User]) -> Result<String> {
    let hub = Hub::start().await?;
    upsert_with_ours(&hub, users).await?;
    let requests = hub.requests();
    if requests.len() != users.len() {
        bail!("{} users took {} requests", users.len(), requests.len());
    }
    for (user, request) in users.iter().zip(&requests) {
        if request.parameter("distinct_id") != Some(&user.distinct_id) {
            bail!("{} went to {}", user.distinct_id, request.path());
        }
        let expected = Value::from(user.body.clone());
        if request.json().as_ref() != Some(&expected) {
            let body = String::from_utf8_lossy(request.body());
            bail!("{} was sent as {body}, not as {expected}", user.distinct_id);
        }
    }
    life_cycle::with_ours(&client(&hub)?).await.context("the life cycle")?;
    Ok(format!("{} users sent as asked for, and a life cycle", requests.len()))
}

/// An official SDK: it signs as the hub verifies, is understood when it is refused, and leaves the profiles that our SDK leaves.
pub(super) async fn official(client: &mut Command, users: &[User]) -> Result<String> {
    // A key for those that send one, a workspace for those that sign.
    let hub = Hub::builder().key(SECRET).workspace(KEY, SECRET).start().await?;
    client.env("CONFORMANCE_URL", hub.url()).env("CONFORMANCE_KEY", KEY).env("CONFORMANCE_SECRET", SECRET);
    process::run(client).await?;

    let reference = Hub::start().await?;
    upsert_with_ours(&reference, users).await?;
    for (id, expected) in profiles(&reference, users)? {
        let stored = hub.profile(id).map(timeless).with_context(|| format!("{id} was not stored"))?;
        if stored != expected {
            bail!("{id} was stored as {stored}; by our SDK as {expected}");
        }
    }
    life_cycle::with_ours(&self::client(&reference)?).await.context("the life cycle")?;
    life_cycle::compare(&hub, &reference)?;
    Ok(format!(
        "{} users stored and a life cycle gone through as by our SDK, refusals understood",
        users.len()
    ))
}

async fn upsert_with_ours(hub: &Hub, users: &[User]) -> Result<()> {
    let client = client(hub)?;
    for user in users {
        user.upsert(&client)?.await.with_context(|| format!("the upsert of {}", user.distinct_id))?;
    }
    Ok(())
}

fn client(hub: &Hub) -> Result<Client> {
    Ok(Client::builder().base_url(hub.url()).api_key(hub.key().to_owned()).build()?)
}

fn profiles<'a>(hub: &Hub, users: &'a [User]) -> Result<BTreeMap<&'a str, Value>> {
    let profile = |user: &'a User| {
        let id = user.distinct_id.as_str();
        Ok((id, hub.profile(id).map(timeless).with_context(|| format!("{id} was not stored"))?))
    };
    users.iter().map(profile).collect()
}

/// A profile without its times.
pub(super) fn timeless(mut profile: Value) -> Value {
    if let Some(members) = profile.as_object_mut() {
        members.remove("created_at");
        members.remove("updated_at");
    }
    profile
}
