//! Shows what can go wrong, and how a program distinguishes it: invalid input, a rejected call, an outage, a lost connection.

use std::time::Duration;

use suprsend::{Client, Error, RetryPolicy};
use suprsend_mock::{Fault, Hub};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(10));
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).retry(policy).build()?;
    let users = client.users();

    // Invalid input: all violations are reported at once, and nothing is sent.
    tell(users.upsert("").email("jane").email("joe@").await.map(drop));

    // A transient error stays invisible.
    hub.inject(Fault::status(503).times(2))?;
    let user = users.upsert("user-123").email("jane@example.com").await?;
    println!("stored after {} attempts", user.attempts());

    // The call fails if the API asks for more patience than the SDK has, or if the error persists.
    hub.inject(Fault::status(429).retry_after(Duration::from_secs(3600)))?;
    tell(users.upsert("user-123").await.map(drop));
    hub.inject(Fault::reset().times(3))?;
    tell(users.upsert("user-123").await.map(drop));
    hub.clear_faults();

    // A user that does not exist, and a key that the server does not know.
    tell(users.get("user-456").await.map(drop));
    tell(client.with_api_key("another-key")?.users().get("user-123").await.map(drop));
    Ok(())
}

/// Prints what a program would do about the error.
fn tell(result: Result<(), Error>) {
    let Err(error) = result else { return println!("no error") };
    match &error {
        Error::InvalidInput(input) => {
            println!("fix the data:");
            for violation in input.violations() {
                println!("  {}: {}", violation.path(), violation.rule());
            }
        }
        Error::NotFound(missing) => println!("not there: {missing}"),
        error if error.is_retryable() => match error.retry_after() {
            Some(wait) => println!("later, in {wait:?}: {error:#}"),
            None => println!("later: {error:#}"),
        },
        error => println!("give up: {error:#} (status {:?})", error.status()),
    }
}
