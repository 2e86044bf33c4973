//! The generated operations over real HTTP: what progenitor makes of the uncorrected document fails each of these.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use suprsend_api::{
    Base, Client, Error, Method, Operation, Request, RequestError, Spec,
    operations::CreateUpdateUsers,
    types::{
        ApiErrorDetail, ChannelValue, SlackChannel, SlackUsingEmail, User, UserUpsert, WebPush, WebPushKeys,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A server that answers one request and keeps it: its head and its body.
async fn answering(status: u16, body: Value) -> (String, Arc<Mutex<Option<(String, String)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Mutex::new(None));
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let (head, body_start, length) = loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.expect("a request");
            assert!(count > 0, "the request ended in its head");
            bytes.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(end) = text.find("\r\n\r\n") {
                let length = text[..end]
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
                    .unwrap_or(0);
                break (text[..end].to_owned(), end + 4, length);
            }
        };
        while bytes.len() < body_start + length {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.expect("a body");
            bytes.extend_from_slice(&buffer[..count]);
        }
        let sent = String::from_utf8_lossy(&bytes[body_start..]).into_owned();
        *record.lock().expect("no panic before") = Some((head, sent));
        let body = body.to_string();
        let response = format!(
            "HTTP/1.1 {status} Response\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(response.as_bytes()).await.expect("an open connection");
    });
    (url, seen)
}

fn client(url: &str) -> Client {
    let client = Client::new(url, reqwest::Client::new()).expect("a base URL");
    client.bearer("key").expect("a header")
}

async fn response(body: Value) -> User {
    let (url, _) = answering(201, body).await;
    client(&url).send(&CreateUpdateUsers::new("u", UserUpsert::default())).await.expect("a profile")
}

async fn sent(body: UserUpsert) -> (String, Value) {
    let (url, seen) = answering(201, json!({})).await;
    client(&url).send(&CreateUpdateUsers::new("a b/c", body)).await.expect("a profile");
    let (head, body) = seen.lock().expect("no panic before").take().expect("a request");
    (head, serde_json::from_str(&body).expect("a JSON body"))
}

#[tokio::test]
async fn the_body_of_a_400_is_typed() {
    let (url, _) = answering(
        400,
        json!({"code": 400, "message": "invalid_request_error", "detail": {"$email": ["bad"]}, "error_code": "e1"}),
    )
    .await;
    let result = client(&url).send(&CreateUpdateUsers::new("u", UserUpsert::default())).await;
    let Err(Error::Refused { refusal: Some(response), .. }) = result else { panic!("an error response") };
    assert_eq!(response.code, Some(400));
    assert_eq!(response.message.as_deref(), Some("invalid_request_error"));
    assert_eq!(response.error_code.as_deref(), Some("e1"));
    assert!(matches!(&response.detail, Some(ApiErrorDetail::Object(map)) if map.contains_key("$email")));
}

#[tokio::test]
async fn an_undeclared_status_reaches_the_caller() {
    let (url, _) = answering(409, json!({})).await;
    let result = client(&url).send(&CreateUpdateUsers::new("u", UserUpsert::default())).await;
    let Err(Error::Refused { status, .. }) = result else { panic!("a refusal") };
    assert_eq!(status, 409);
}

#[tokio::test]
async fn the_response_has_all_nine_channels() {
    let channels = [
        "$email",
        "$sms",
        "$whatsapp",
        "$inbox",
        "$webpush",
        "$androidpush",
        "$iospush",
        "$slack",
        "$ms_teams",
    ];
    let body: Map<String, Value> =
        channels.iter().map(|channel| ((*channel).to_owned(), json!([{"value": channel}]))).collect();
    let user = response(body.into()).await;
    let lists = [
        &user.email,
        &user.sms,
        &user.whatsapp,
        &user.inbox,
        &user.webpush,
        &user.androidpush,
        &user.iospush,
        &user.slack,
        &user.ms_teams,
    ];
    for (channel, entries) in channels.iter().zip(lists) {
        assert!(
            matches!(entries.as_slice(), [entry] if matches!(&entry.value, Some(ChannelValue::String(value)) if value == channel)),
            "{channel} is lost"
        );
    }
}

#[tokio::test]
async fn a_channel_entry_holds_text_or_an_object_and_what_is_new() {
    let user = response(json!({
        "$inbox": [{"value": "abc", "id_provider": "suprsend", "status": "active", "perma_status_code": 7}],
        "$slack": [{"value": {"email_id": "jane@example.com"}}],
    }))
    .await;
    assert_eq!(user.inbox[0].id_provider.as_deref(), Some("suprsend"));
    assert_eq!(user.inbox[0].extra["perma_status_code"], 7);
    let Some(ChannelValue::Object(value)) = &user.slack[0].value else { panic!("an object") };
    assert_eq!(value["email_id"], "jane@example.com");
}

#[tokio::test]
async fn unknown_keys_of_a_profile_are_kept() {
    let user = response(json!({"distinct_id": "u", "$carrier_pigeon": [{"value": "coo"}]})).await;
    assert_eq!(user.distinct_id.as_deref(), Some("u"));
    assert_eq!(user.extra["$carrier_pigeon"][0]["value"], "coo");
}

#[tokio::test]
async fn web_push_and_properties_of_any_json_are_sent() {
    let push = WebPush {
        endpoint: "https://push.example/1".into(),
        keys: WebPushKeys { auth: "a".into(), p256dh: "p".into() },
        token: None,
    };
    let extra = json!({"seats": 12, "tags": ["a", 1], "address": {"city": "Pune"}, "vip": true});
    let (_, body) = sent(UserUpsert {
        webpush: vec![push],
        extra: extra.as_object().expect("an object").clone(),
        ..Default::default()
    })
    .await;
    assert_eq!(
        body["$webpush"],
        json!([{"endpoint": "https://push.example/1", "keys": {"auth": "a", "p256dh": "p"}}])
    );
    for (key, value) in extra.as_object().expect("an object") {
        assert_eq!(&body[key], value);
    }
}

#[tokio::test]
async fn the_request_is_what_the_document_asks_for() {
    let (head, body) = sent(UserUpsert {
        email: vec!["jane@example.com".into()],
        slack: vec![
            SlackUsingEmail { email: "jane@example.com".into(), access_token: "xoxb-1".into() }.into(),
        ],
        ..Default::default()
    })
    .await;
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /v1/user/a%20b%2Fc/ HTTP/1.1"));
    let names: Vec<&str> = lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    assert!(!names.contains(&"api-version"), "the document asks for no such header: {names:?}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(
        body,
        json!({"$email": ["jane@example.com"], "$slack": [{"email": "jane@example.com", "access_token": "xoxb-1"}]})
    );
}

#[test]
fn each_slack_shape_is_a_variant_of_its_own() {
    for (given, variant) in [
        (json!({"email": "a@b.co", "access_token": "t"}), "Email"),
        (json!({"user_id": "U1", "access_token": "t"}), "MemberId"),
        (json!({"channel": "C1", "access_token": "t"}), "Channel"),
        (json!({"incoming_webhook": {"url": "https://hooks.example/1"}}), "IncomingWebhook"),
    ] {
        let decoded: SlackChannel = serde_json::from_value(given.clone()).expect(variant);
        let found = match &decoded {
            SlackChannel::Email(_) => "Email",
            SlackChannel::MemberId(_) => "MemberId",
            SlackChannel::Channel(_) => "Channel",
            SlackChannel::IncomingWebhook(_) => "IncomingWebhook",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, variant);
        assert_eq!(serde_json::to_value(&decoded).expect("encodable"), given);
    }
    // A value that is none of them stays JSON.
    let incomplete = json!({"email": "a@b.co"});
    let decoded: SlackChannel = serde_json::from_value(incomplete.clone()).expect("JSON");
    assert_eq!(decoded, SlackChannel::Other(incomplete));
    assert!(serde_json::from_value::<SlackChannel>(json!("a@b.co")).is_err());
}

#[test]
fn secrets_are_not_printed() {
    let canary = "canary-7f3a";
    let upsert: UserUpsert = serde_json::from_value(json!({
        "$androidpush": [canary], "$iospush": [canary], "$inbox": [canary],
        "$slack": [{"email": "a@b.co", "access_token": canary}, {"user_id": "U", "access_token": canary},
            {"channel": "C", "access_token": canary}, {"incoming_webhook": {"url": canary}}],
        "$ms_teams": [{"incoming_webhook": {"url": canary}}],
        "$webpush": [{"endpoint": canary, "keys": {"p256dh": canary, "auth": canary}, "token": canary}],
        "custom": canary,
    }))
    .expect("an upsert");
    let client = client("http://127.0.0.1:1");
    let user: User = serde_json::from_value(json!({
        "properties": {"custom": canary}, "$new": canary,
        "$androidpush": [{"value": canary, "value_json": {"token": canary}}], "$slack": [{"value": {"access_token": canary}}],
    }))
    .expect("a profile");
    let call = CreateUpdateUsers::new(canary, upsert.clone());
    for text in [format!("{upsert:?}"), format!("{user:?}"), format!("{call:?}"), format!("{client:?}")] {
        assert!(!text.contains(canary), "a secret is printed: {text}");
    }
}

/// A profile, or a success without content.
struct Find;

impl Operation for Find {
    const SPEC: &'static Spec = &Spec::new("find", Method::POST, "/find");
    type Body = ();
    type Response = Option<User>;
    type Refusal = ();

    fn request(&self, base: &Base) -> Result<Request, RequestError> {
        CreateUpdateUsers::new("u", UserUpsert::default()).request(base)
    }
}

#[tokio::test]
async fn f05_no_content_is_read_where_http_has_none() {
    for (status, body, is_there) in
        [(200, json!({"distinct_id": "u"}), true), (204, json!({}), false), (205, json!({}), false)]
    {
        let (url, _) = answering(status, body).await;
        let found = client(&url).send(&Find).await.expect("a success");
        assert_eq!(found.is_some(), is_there, "{status}");
    }
}
