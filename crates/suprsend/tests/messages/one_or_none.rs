fn main() {
    let client = suprsend::Client::from_api_key("key").unwrap();
    let _ = client.users().upsert("user-123").timezone(["Europe/Paris"]);
}
