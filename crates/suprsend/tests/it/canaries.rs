//! No secret in anything that can be printed: every public type is filled with canaries, printed in every way, and searched.

use std::{error::Error as _, fmt};

use serde_json::{Value, json};
use suprsend::{
    Client, Error, Method, Response,
    types::{
        ChannelEntry, ChannelValue, MsTeamsChannel, SlackChannel, User, UserUpsert, WebPush, WebPushKeys,
    },
};

use crate::server::{Answer, Nobody, Server, Step, head, json, reply};

/// Every secret has this in it.
const CANARY: &str = "CANARY";

fn secret(name: &str) -> String {
    format!("{CANARY}-{name}")
}

#[track_caller]
fn assert_clean(printed: &str) {
    assert!(!printed.contains(CANARY), "{printed}");
}

#[track_caller]
fn print(value: &impl fmt::Debug) -> String {
    let printed = format!("{value:?} {value:#?}");
    assert_clean(&printed);
    printed
}

/// An error, its sources, in every form.
#[track_caller]
fn print_error(error: &Error) -> String {
    print(error);
    let mut printed = vec![format!("{error} {error:#}")];
    let mut source = error.source();
    while let Some(cause) = source {
        printed.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    let printed = printed.join(" ");
    assert_clean(&printed);
    printed
}

fn slack() -> Vec<SlackChannel> {
    vec![
        SlackChannel::email("jane@example.com", secret("slack-token")),
        SlackChannel::user_id("U1", secret("slack-token")),
        SlackChannel::channel("C1", secret("slack-token")),
        SlackChannel::incoming_webhook(format!("https://hooks.slack.com/{CANARY}")),
    ]
}

fn web_push() -> WebPush {
    WebPush::new(format!("https://push.example.com/{CANARY}"), secret("p256dh"), secret("auth"))
        .token(secret("webpush-token"))
}

fn body() -> UserUpsert {
    UserUpsert {
        androidpush: vec![secret("android")],
        iospush: vec![secret("ios")],
        inbox: vec![secret("inbox")],
        slack: slack(),
        ms_teams: vec![MsTeamsChannel::incoming_webhook(format!("https://webhook.office.com/{CANARY}"))],
        webpush: vec![web_push()],
        extra: [("salary".to_owned(), json!(secret("property")))].into_iter().collect(),
        ..UserUpsert::default()
    }
}

/// A profile that holds the secrets which such a body gives.
fn profile() -> Value {
    let entry = |value: Value| json!([{"value": value, "status": "active", "value_json": value}]);
    json!({
        "distinct_id": "user-123",
        "properties": {"salary": secret("property")},
        "$androidpush": entry(json!(secret("android"))),
        "$iospush": entry(json!(secret("ios"))),
        "$inbox": entry(json!(secret("inbox"))),
        "$slack": entry(json!({"access_token": secret("slack-token")})),
        "$webpush": entry(serde_json::to_value(web_push()).unwrap()),
        "$telegram": entry(json!(secret("telegram"))),
    })
}

/// A client full of secrets.
fn client(server: &Server) -> Client {
    let builder = server
        .builder()
        .api_key(secret("api-key"))
        .default_header("x-gateway", secret("gateway"))
        .proxy(format!("http://user:{CANARY}@127.0.0.1:9"))
        .http_client(reqwest::Client::builder().no_proxy().build().unwrap());
    assert!(print(&builder).contains("x-gateway"));
    builder.build().unwrap()
}

#[test]
fn generated_types() {
    for channel in slack() {
        print(&channel);
    }
    print(&web_push());
    print(&WebPushKeys { auth: secret("auth"), p256dh: secret("p256dh") });
    assert!(print(&body()).contains("jane@example.com"));
    let user: User = serde_json::from_value(profile()).unwrap();
    for (_, entry) in user.channels() {
        print(entry);
        print(&entry.value);
        }
    print(&user);
    print(&ChannelEntry { value: Some(ChannelValue::String(secret("value"))), ..ChannelEntry::default() });
    print(&user.property::<u8>("salary").unwrap_err());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn clients_calls_and_results() {
    let server = Server::start([json(201, profile())]).await;
    let client = client(&server);
    print(&client);
    print(&client.users());
    let upsert = client.users().upsert("user-123").header("x-call", secret("header")).with_body(body());
    assert_eq!(format!("{upsert:?}"), "Call { operation: CreateUpdateUsers { .. }, .. }");
    print(&upsert);
    let user: Response<User> = upsert.await.unwrap();
    print(&user);
    let request = client.request(Method::GET, format!("/{CANARY}/")).query("q", CANARY).json(&body());
    print(&request);
    print(&request.await.unwrap());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn configuration_errors() {
    for key in [format!("Bearer {CANARY}"), format!("{CANARY}\n{CANARY}")] {
        print_error(&Client::from_api_key(key).unwrap_err());
    }
    let builder = || Client::builder().api_key(secret("api-key"));
    for url in [
        format!("https://user:{CANARY}@example.com"),
        format!("http://{CANARY}.example.com"),
        CANARY.to_owned(),
    ] {
        print_error(&builder().base_url(url).build().unwrap_err());
    }
    print_error(&builder().proxy(format!("http://user:{CANARY}@")).build().unwrap_err());
    print_error(&builder().default_header("x-gateway", format!("{CANARY}\n")).build().unwrap_err());
    let client = builder().build().unwrap();
    print_error(&client.set_api_key(format!("{CANARY} {CANARY}")).unwrap_err());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn invalid_input() {
    let client = Client::from_api_key(secret("api-key")).unwrap();
    let upsert = client
        .users()
        .upsert(format!("{CANARY}\n"))
        .email(format!("{CANARY}@"))
        .slack(SlackChannel::email(CANARY, CANARY))
        .slack(SlackChannel::incoming_webhook(CANARY))
        .web_push(WebPush::new(CANARY, CANARY, CANARY))
        .header("x-call", format!("{CANARY}\n"));
    let printed = print_error(&upsert.send().await.unwrap_err());
    assert!(printed.contains("$slack[1].incoming_webhook.url"));
    let json = json!({"$slack": CANARY, "$timezone": [CANARY], "$androidpush": [{CANARY: CANARY}]});
    print_error(&client.users().upsert("user-123").with_json(json).await.unwrap_err());
    print_error(&client.request(Method::GET, CANARY).await.unwrap_err());
}

/// Whatever the server does with what it was sent: echoes it, in an error or a success, whole or broken off.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn replies_that_echo_secrets() {
    let sent = serde_json::to_string(&body()).unwrap();
    let echoes: Vec<String> = [
        secret("api-key"),
        secret("slack-token"),
        format!("https://hooks.slack.com/{CANARY}"),
        secret("p256dh"),
        secret("auth"),
        secret("android"),
        secret("ios"),
        secret("inbox"),
        secret("webpush-token"),
    ]
    .into();
    let mut answers = vec![
        json(400, &sent),
        json(400, json!({"message": "no", "detail": {"sent": &sent}})),
        reply(500, &[("set-cookie", CANARY), ("x-echo", CANARY)], format!("<html>{sent}")),
        json(201, &sent[..sent.len() - 1]),
        json(201, json!({"$email": CANARY})),
        json(201, "x".to_owned() + CANARY),
        Answer::Steps(vec![
            Step::Write(head(201, &[], 10_000)),
            Step::Write(sent.clone().into()),
            Step::Close,
        ]),
        Answer::Steps(vec![
            Step::Write(head(201, &[], 10_000)),
            Step::Write(sent.clone().into()),
            Step::Hang,
        ]),
        Answer::Steps(vec![
            Step::Write(head(403, &[], 10_000)),
            Step::Write(sent.clone().into()),
            Step::Close,
        ]),
        reply(307, &[("location", &format!("https://example.com/{CANARY}"))], ""),
        Answer::CloseAtOnce,
    ];
    for echo in &echoes {
        answers.push(json(
            401,
            json!({"message": format!("{echo} is not known"), "error_code": echo, "type": echo}),
        ));
        answers.push(reply(401, &[], format!("who is {echo}?")));
        answers.push(json(400, json!({"status": "fail", "error": {"message": echo, "type": echo}})));
    }
    for answer in answers {
        let server = Server::start([answer]).await;
        let error = client(&server).users().upsert("user-123").with_body(body()).await.unwrap_err();
        print_error(&error);
        if let Some(api) = error.api() {
            print(api);
            assert_clean(&format!("{:?} {:?} {:?}", api.message(), api.error_code(), api.error_type()));
        }
    }
}

/// The id of a person is in the URL, which reqwest's errors would show.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn ids_of_people() {
    let nobody = Nobody::new();
    print_error(&nobody.client().users().upsert(secret("id")).await.unwrap_err());
    for answer in [Answer::CloseAtOnce, json(201, "no profile"), Answer::Steps(vec![Step::Hang])] {
        let server = Server::start([answer]).await;
        print_error(&client(&server).users().upsert(secret("id")).await.unwrap_err());
    }
}
