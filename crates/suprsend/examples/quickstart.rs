//! Sends a notification: upserts a user with all nine channels, triggers a workflow, and lists the resulting messages.
//!
//! With `SUPRSEND_API_KEY` set, this talks to SuprSend (or to `SUPRSEND_BASE_URL`), where the workflow must exist. Without it, this starts
//! a mock server. `quickstart WORKFLOW` triggers another workflow than `order-shipped`. `--json` prints the stored profile instead.

use std::{
    collections::BTreeSet,
    error::Error,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use clap::Parser;
use suprsend::{
    API_KEY_VARIABLE, Client,
    types::{MsTeamsChannel, SlackChannel, WebPush},
};
use suprsend_mock::Hub;

/// Sends a notification, at SuprSend if SUPRSEND_API_KEY is set, and else at a mock server that it starts.
#[derive(Parser)]
struct Arguments {
    /// Slug of the workflow to trigger.
    #[arg(default_value = "order-shipped")]
    workflow: String,
    /// Print the stored profile as JSON and nothing else.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the output. Exit as a shell reports a closed pipe.
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) =>
        {
            ExitCode::from(141)
        }
        Err(error) => {
            // If writing fails, the exit code must suffice.
            let _ = writeln!(io::stderr(), "quickstart: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { workflow, json }: Arguments) -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = match std::env::var_os(API_KEY_VARIABLE) {
        Some(_) => None,
        None => Some(Hub::start().await?),
    };
    let client = match &hub {
        Some(hub) => {
            writeln!(io::stderr(), "{API_KEY_VARIABLE} is not set: using a mock server at {}", hub.url())?;
            Client::builder().base_url(hub.url()).api_key(hub.key()).build()?
        }
        None => Client::from_env()?,
    };

    let user = client
        .users()
        .upsert("user-123")
        .email("jsmith@example.com")
        .sms("+1234567890")
        .whatsapp("+1234567890")
        .inbox("4nlPk4XXLcDxxxHQ70xx2Cx24")
        .web_push(
            WebPush::new("https://fcm.googleapis.com/fcm/send/abc123", "BNJxwH...", "tBH...")
                .token("webpush_token_abc123"),
        )
        .android_push("android_push_token_xyz987")
        .ios_push("ios_push_token_lmn456")
        .slack(SlackChannel::user_id("U01ABCDE2F3", "xoxb-..."))
        .ms_teams(MsTeamsChannel::conversation_id(
            "tenant_12345",
            "https://smba.trafficmanager.net/amer",
            "conversation_12345",
        ))
        .timezone("America/New_York")
        .locale("en_GB")
        .property("custom_key", "custom_value")
        .await?;
    let mut out = io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&*user)?)?;
        return Ok(());
    }
    let channels: BTreeSet<_> = user.channels().map(|(channel, _)| channel).collect();
    writeln!(out, "user-123 is stored, with {} channels", channels.len())?;

    let accepted = client.workflows().trigger(workflow).recipient("user-123").data("order", 5678).await?;
    writeln!(out, "the trigger is accepted as {}", accepted.message_id.as_deref().unwrap_or("?"))?;

    // SuprSend runs the workflow after it has accepted the trigger, so there may be no messages yet. The mock server runs it at once.
    let key = accepted.idempotency_key().map(str::to_owned);
    let mut messages = client.messages().list().idempotency_key(key).items();
    while let Some(message) = messages.next().await.transpose()? {
        let channel = message.channel.map(|channel| channel.to_string()).unwrap_or_default();
        writeln!(out, "  {channel:<12} {}", message.status)?;
    }
    Ok(())
}
