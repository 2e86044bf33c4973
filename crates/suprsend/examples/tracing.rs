//! Prints a span for each call and an event for each retry with `tracing`.
//!
//! ```console
//! $ cargo run --example tracing
//! ```

use std::error::Error;

use suprsend::Client;
use suprsend_mock::{Fault, Hub};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE).init();

    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;

    hub.inject(Fault::status(503).times(1))?;
    client.users().upsert("user-123").email("jane@example.com").await?;
    client.users().get("user-123").await?;
    Ok(())
}
