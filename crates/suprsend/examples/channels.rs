//! Uses every form of every channel, and reads the stored profile.

use std::error::Error;

use suprsend::{
    Channel, Client,
    types::{MsTeamsChannel, SlackChannel, WebPush},
};
use suprsend_mock::Hub;

const TEAMS: &str = "https://smba.trafficmanager.net/amer";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;

    let user = client
        .users()
        .upsert("user-123")
        .email("jane@example.com")
        .sms("+15551234567")
        .whatsapp("+15551234567")
        .inbox("4nlPk4XXLcDxxxHQ70xx2Cx24")
        .web_push(WebPush::new("https://push.example.com/send/abc", "BNJxwH...", "tBH..."))
        .android_push("android_push_token_xyz987")
        .ios_push("ios_push_token_lmn456")
        .slack(SlackChannel::email("jane@example.com", "xoxb-..."))
        .slack(SlackChannel::user_id("U01ABCDE2F3", "xoxb-..."))
        .slack(SlackChannel::channel("C01ABCDE2F3", "xoxb-..."))
        .slack(SlackChannel::incoming_webhook("https://hooks.slack.com/services/T0/B0/abc"))
        .ms_teams(MsTeamsChannel::conversation_id("tenant_12345", TEAMS, "conversation_12345"))
        .ms_teams(MsTeamsChannel::user_id("tenant_12345", TEAMS, "user_12345"))
        .ms_teams(MsTeamsChannel::incoming_webhook("https://example.webhook.office.com/webhookb2/abc"))
        .await?;

    for channel in Channel::ALL {
        let entries = user.channel(channel);
        let active = entries.iter().filter(|entry| entry.is_active()).count();
        println!("{channel}: {} stored, {active} active", entries.len());
    }
    Ok(())
}
