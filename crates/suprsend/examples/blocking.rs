//! Makes the same calls without async.
//!
//! ```console
//! $ cargo run --example blocking
//! ```

use std::error::Error;

use suprsend::blocking::Client;
use suprsend_mock::Hub;

fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::builder().start_on_thread()?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let users = client.users();

    for number in 1..=3 {
        users.upsert(format!("user-{number}")).email(format!("user-{number}@example.com")).send()?;
    }
    users.edit("user-2").set("plan", "pro").send()?;
    users.delete("user-3").send()?;

    for user in users.list().items() {
        let user = user?;
        println!("{}: {:?}", user.distinct_id.as_deref().unwrap_or("?"), user.property::<String>("plan")?);
    }
    Ok(())
}
