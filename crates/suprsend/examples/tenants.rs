//! Manages tenants, the customers of a multi-tenant product, with their branding and their default preferences.

use std::error::Error;

use serde_json::json;
use suprsend::{
    Client,
    types::{ChannelName, Preference},
};
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    // Categories are configured on the dashboard.
    hub.define_category(json!({"category": "news", "name": "News", "channels": ["email", "sms"]}))?;
    let tenants = client.tenants();

    tenants
        .upsert("acme", "Acme")
        .primary_color("#0055ff")
        .timezone("Europe/Berlin")
        .properties("plan", "pro")
        .properties("seats", 3)
        .await?;
    // Values you set are merged; everything else is left unchanged.
    let acme = tenants.upsert("acme", "Acme Inc.").properties("seats", 4).await?;
    println!("{} is {}, with {}", acme.tenant_id, name(&acme), json!(acme.properties));
    tenants.upsert("umbrella", "Umbrella").await?;

    let mut all = tenants.list().limit(2).items();
    while let Some(tenant) = all.next().await.transpose()? {
        println!("listed: {} ({})", tenant.tenant_id, name(&tenant));
    }

    // For users of Acme, news is sent only by e-mail, unless they choose otherwise.
    let defaults = tenants.preferences("acme");
    let news = defaults
        .edit_category("news")
        .preference(Preference::OptIn)
        .blocked_channels(ChannelName::Sms)
        .await?;
    println!("news at Acme: {}, not by {}", json!(news.preference), json!(news.blocked_channels));

    // A user's profile within a tenant overrides the user's own.
    client.users().upsert("jane").email("jane@example.com").property("role", "guest").await?;
    client.users().tenants("jane").upsert("acme").property("role", "admin").await?;
    let own = client.users().get("jane").await?;
    let at_acme = client.users().tenants("jane").get("acme").await?;
    println!("jane is {}, and {} at Acme", role(&own)?, role(&at_acme)?);

    let response = client.workflows().trigger("weekly").recipient("jane").tenant("acme").await?;
    println!("triggered in the name of Acme: {}", response.message_id.as_deref().unwrap_or("without an id"));

    tenants.delete("umbrella").await?;
    let is_there = tenants.get("umbrella").optional().await?.is_some();
    println!("umbrella is {}", if is_there { "there" } else { "gone" });
    // The default tenant, for requests that name none, always exists.
    match tenants.delete("default").await {
        Err(error) => println!("default stays: {error}"),
        Ok(_) => return Err("the tenant `default` was deleted".into()),
    }
    Ok(())
}

fn name(tenant: &suprsend::types::Tenant) -> &str {
    tenant.tenant_name.as_deref().unwrap_or("without a name")
}

fn role(user: &suprsend::types::User) -> Result<String, suprsend::PropertyError> {
    Ok(user.property("role")?.unwrap_or_else(|| "nobody".to_owned()))
}
