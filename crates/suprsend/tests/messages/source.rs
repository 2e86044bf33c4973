fn main() {
    let client = suprsend::Client::from_api_key("key").unwrap();
    let _ = client.send_all(client.users().upsert("user-123"));
}
