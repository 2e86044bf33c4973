//! Upserts a user with all nine channels and prints the stored profile.
//!
//! With `SUPRSEND_API_KEY` set this talks to SuprSend (or to `SUPRSEND_BASE_URL`); without, to a hub that it starts itself.

use std::{
    error::Error,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use suprsend::{
    API_KEY_VARIABLE, Client,
    types::{MsTeamsChannel, SlackChannel, WebPush},
};
use suprsend_mock::Hub;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        // As a shell reports a closed pipe: nobody reads what this prints.
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) =>
        {
            ExitCode::from(141)
        }
        Err(error) => {
            // If that cannot be written, the exit code has to do.
            let _ = writeln!(io::stderr(), "quickstart: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the hub stops when it is dropped.
    let hub = match std::env::var_os(API_KEY_VARIABLE) {
        Some(_) => None,
        None => Some(Hub::start().await?),
    };
    let client = match &hub {
        Some(hub) => {
            writeln!(io::stderr(), "{API_KEY_VARIABLE} is not set: using a hub of my own at {}", hub.url())?;
            Client::builder().base_url(hub.url()).api_key(hub.key()).build()?
        }
        None => Client::from_env()?,
    };

    writeln!(io::stderr(), "upserting a user with all nine channels")?;
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

    let (status, attempts) = (user.status(), user.attempts());
    writeln!(io::stderr(), "the API answered {status} after {attempts} attempt(s); the stored profile:")?;
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&*user)?)?;
    Ok(())
}
