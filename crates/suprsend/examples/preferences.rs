//! Shows and changes the preferences of a user, as a preference page does.

use std::error::Error;

use serde_json::json;
use suprsend::Client;
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    client.users().upsert("jane").email("jane@example.com").await?;
    // Categories are configured on the dashboard.
    hub.define_category(
        json!({"category": "news", "name": "News", "section": "Marketing", "channels": ["email", "sms"]}),
    )?;
    hub.define_category(json!({
        "category": "security", "name": "Security", "root_category": "system", "channels": ["email"],
        "default_preference": "cant_unsubscribe",
    }))?;

    let preferences = client.users().preferences("jane");
    show(&preferences).await?;

    let news = preferences.edit_category("news", "opt_in").opt_out_channels("sms").await?;
    println!("news without text messages: {}", serde_json::to_string(&news.channels)?);
    preferences.edit_category("news", "opt_out").await?;
    show(&preferences).await?;
    Ok(())
}

async fn show(preferences: &suprsend::UsersPreferences) -> Result<(), Box<dyn Error>> {
    let page = preferences.get().await?.into_inner();
    for section in page.sections.unwrap_or_default() {
        println!("section {}", section.name.as_deref().unwrap_or("without a name"));
        for category in section.subcategories.unwrap_or_default() {
            let fixed = if category.is_editable == Some(false) { ", which cannot be changed" } else { "" };
            let name = category.name.as_deref().unwrap_or(&category.category);
            println!("  {name}: {}{fixed}", serde_json::to_value(&category.preference)?);
        }
    }
    Ok(())
}
