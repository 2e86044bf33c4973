//! Upserts a user with the SDK.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = suprsend::Client::from_env()?;
    let user = client
        .users()
        .upsert("user-123")
        .email("jane@example.com")
        .sms("+15551234567")
        .property("plan", "pro")
        .await?;
    let emails: Vec<_> = user.email.iter().map(|entry| &entry.value).collect();
    println!("{:?}: {emails:?}, changed {:?}", user.distinct_id, user.updated_at);
    Ok(())
}
