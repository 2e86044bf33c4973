//! No secret in anything that can be printed: every public type is filled with canaries, printed in every way, and searched.

use std::{error::Error as _, fmt};

use serde_json::{Value, json};
use suprsend::{
    Client, Error, Method, Operation, Response, operations,
    types::{
        ChannelEntry, ChannelValue, MsTeamsChannel, Recipient, SlackChannel, User, UserUpsert, WebPush,
        WebPushKeys,
    },
};

use suprsend_api::{
    Place, Visitor,
    rules::{Format, Json, Number, Rule, Schema, Type},
};

use crate::server::{Answer, Nobody, Server, Step, head, json, response};

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
        SlackChannel::email(format!("{CANARY}@example.com"), secret("slack-token")),
        SlackChannel::user_id(secret("slack-user"), secret("slack-token")),
        SlackChannel::channel(secret("slack-channel"), secret("slack-token")),
        SlackChannel::incoming_webhook(format!("https://hooks.slack.com/{CANARY}")),
    ]
}

fn web_push() -> WebPush {
    WebPush::new(format!("https://push.example.com/{CANARY}"), secret("p256dh"), secret("auth"))
        .token(secret("webpush-token"))
}

fn body() -> UserUpsert {
    UserUpsert {
        email: vec![format!("{CANARY}@example.com")],
        sms: vec![secret("sms")],
        whatsapp: vec![secret("whatsapp")],
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
    #[cfg(feature = "management")]
    let builder = builder.service_token(secret("service-token")).management_url(&server.url);
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
    assert!(print(&body()).contains("[redacted]"));
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
async fn responses_that_echo_secrets() {
    let sent = serde_json::to_string(&body()).unwrap();
    let echoes: Vec<String> = [
        secret("api-key"),
        #[cfg(feature = "management")]
        secret("service-token"),
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
        response(500, &[("set-cookie", CANARY), ("x-echo", CANARY)], format!("<html>{sent}")),
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
        response(307, &[("location", &format!("https://example.com/{CANARY}"))], ""),
        Answer::CloseAtOnce,
    ];
    for echo in &echoes {
        answers.push(json(
            401,
            json!({"message": format!("{echo} is not known"), "error_code": echo, "type": echo}),
        ));
        answers.push(response(401, &[], format!("who is {echo}?")));
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

/// A value that a schema accepts, as full as it can be, with canaries for texts. What is sensitive is collected.
struct Sample {
    texts: usize,
    sensitive: Vec<String>,
}

impl Sample {
    fn value(&mut self, schema: &Schema, is_sensitive: bool, depth: usize) -> Value {
        let is_sensitive = is_sensitive || schema.rules().iter().any(|rule| matches!(rule, Rule::Sensitive));
        for rule in schema.rules() {
            match rule {
                Rule::Enum(values) => return serde_json::from_str(&literal(&values[0])).unwrap(),
                Rule::Const(value) => return serde_json::from_str(&literal(value)).unwrap(),
                Rule::OneOf(variants) | Rule::AnyOf(variants) => {
                    return self.value(variants[0], is_sensitive, depth);
                }
                Rule::AllOf(parts) => {
                    let mut whole = serde_json::Map::new();
                    for part in *parts {
                        if let Value::Object(members) = self.value(part, is_sensitive, depth) {
                            whole.extend(members);
                        }
                    }
                    return whole.into();
                }
                Rule::Ref(to) => return self.value(to.0, is_sensitive, depth),
                _ => {}
            }
        }
        let types: &[Type] = schema
            .rules()
            .iter()
            .find_map(|rule| match rule {
                Rule::Type(one) => Some(std::slice::from_ref(one)),
                Rule::Types(several) => Some(*several),
                _ => None,
            })
            .unwrap_or(&[]);
        match types.first() {
            Some(Type::Object) if depth > 6 => json!({}),
            Some(Type::Object) => self.object(schema, is_sensitive, depth),
            Some(Type::Array) => {
                let items = schema.rules().iter().find_map(|rule| match rule {
                    Rule::Items(items) if depth <= 6 => Some(*items),
                    _ => None,
                });
                items.map_or_else(|| json!([]), |items| json!([self.value(items, is_sensitive, depth + 1)]))
            }
            Some(Type::Boolean) => json!(true),
            Some(Type::Integer | Type::Number) => {
                let minimum = schema.rules().iter().find_map(|rule| match rule {
                    Rule::Minimum(Number::Integer(minimum)) => Some(*minimum),
                    _ => None,
                });
                json!(minimum.unwrap_or(1))
            }
            Some(Type::Null) => Value::Null,
            Some(Type::String) | None => self.text(schema, is_sensitive).into(),
        }
    }

    fn object(&mut self, schema: &Schema, is_sensitive: bool, depth: usize) -> Value {
        let mut members = serde_json::Map::new();
        for rule in schema.rules() {
            match rule {
                Rule::Properties(properties) => {
                    for (name, schema) in *properties {
                        members.insert((*name).to_owned(), self.value(schema, is_sensitive, depth + 1));
                    }
                }
                // Private, but words like any other.
                Rule::AdditionalProperties(schema)
                    if !schema.rules().iter().any(|rule| matches!(rule, Rule::Never)) =>
                {
                    let mut inner = Self { texts: self.texts, sensitive: Vec::new() };
                    members.insert("custom".to_owned(), inner.value(schema, false, depth + 1));
                }
                _ => {}
            }
        }
        members.into()
    }

    fn text(&mut self, schema: &Schema, is_sensitive: bool) -> String {
        self.texts += 1;
        let text = secret(&format!("value-{:03}", self.texts));
        let text = schema.rules().iter().fold(text, |text, rule| match rule {
            Rule::Format(Format::Email) => format!("{text}@example.com"),
            Rule::Format(Format::Uri) => format!("https://example.com/{text}"),
            Rule::Format(Format::DateTime) => "2026-03-01T10:00:00Z".to_owned(),
            Rule::Format(Format::Date) => "2026-03-01".to_owned(),
            Rule::Format(Format::Uuid) => "f81d4fae-7dec-11d0-a765-00a0c91e6bf6".to_owned(),
            _ => text,
        });
        if is_sensitive {
            self.sensitive.push(text.clone());
        }
        text
    }
}

fn literal(value: &Json) -> String {
    match value {
        Json::String(text) => format!("{text:?}"),
        Json::Boolean(boolean) => boolean.to_string(),
        Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => "null".to_owned(),
    }
}

/// Makes a call of an operation that is only known by its id.
struct Echoed<'a> {
    server: &'a Server,
    operation: Value,
}

type Ended<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

impl<'a> Visitor for Echoed<'a> {
    type Output = Option<Ended<'a>>;

    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + serde::Serialize + serde::de::DeserializeOwned,
    {
        let operation: O = serde_json::from_value(self.operation).ok()?;
        let sent = operation.request(&suprsend_api::Base::new(&self.server.url).unwrap()).ok()?;
        let sent = String::from_utf8(sent.body()?.as_bytes()?.to_vec()).unwrap();
        let echo = json!({"message": sent, "error_code": &sent[..sent.len() / 2], "type": "x"});
        self.server.answer([json(400, echo)]);
        let call = client(self.server).call(operation);
        Some(Box::pin(async move { call.await.map(drop) }))
    }
}

/// Returns whether the client has the key that the operation takes. The generated code may have operations that the SDK has not, since cargo unites the
/// features of the generated code alone.
fn is_called(spec: &suprsend_api::Spec) -> bool {
    cfg!(feature = "management") || spec.server.is_none()
}

/// Every operation of the document that has a body, whatever it is: the server echoes the body, and nothing sensitive is shown.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn every_operation_whose_body_is_echoed() {
    let server = Server::start([response(500, &[], "")]).await;
    let mut sensitive = 0;
    for spec in operations::ALL.iter().filter(|spec| is_called(spec)) {
        let Some(rules) = spec.body else { continue };
        let mut sample = Sample { texts: 0, sensitive: Vec::new() };
        let body = sample.value(rules, false, 0);
        let mut operation = serde_json::Map::from_iter([("body".to_owned(), body)]);
        for parameter in spec.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
            operation.insert(parameter.name.to_owned(), json!("x"));
        }
        let call = operations::visit(spec.id, Echoed { server: &server, operation: operation.into() });
        let Some(call) = call.flatten() else { panic!("{}: the sample has not its form", spec.id) };
        let error = call.await.unwrap_err();
        let shown =
            format!("{error} {error:?} {:?}", error.api().map(|api| (api.message(), api.error_code())));
        for text in &sample.sensitive {
            assert!(!shown.contains(text), "{}: {shown}", spec.id);
        }
        sensitive += sample.sensitive.len();
        assert!(error.api().is_some(), "{}: not sent: {error}", spec.id);
    }
    assert!(sensitive > 20, "{sensitive} texts");
}

/// Makes a call of an operation that is only known by its id.
struct Failing<'a> {
    client: &'a Client,
    operation: Value,
}

impl Visitor for Failing<'_> {
    type Output = Option<Ended<'static>>;

    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + serde::Serialize + serde::de::DeserializeOwned,
    {
        let call = self.client.call(serde_json::from_value::<O>(self.operation).ok()?);
        Some(Box::pin(async move { call.await.map(drop) }))
    }
}

/// Every operation of the document: neither its arguments, ids of people among them, nor a response that cannot be read are shown.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn every_operation_that_fails() {
    let server = Server::start([Answer::CloseAtOnce]).await;
    let builder = server.builder().api_key(secret("api-key")).no_retries();
    #[cfg(feature = "management")]
    let builder = builder.service_token(secret("service-token")).management_url(&server.url);
    let client = builder.build().unwrap();
    for spec in operations::ALL.iter().filter(|spec| is_called(spec)) {
        let mut sample = Sample { texts: 0, sensitive: Vec::new() };
        let body = spec.body.map(|rules| ("body".to_owned(), sample.value(rules, false, 0)));
        let mut of = |place| -> Vec<(String, Value)> {
            let parameters = spec.parameters.iter().filter(|parameter| parameter.place == place);
            let mut value =
                |parameter: &suprsend_api::Parameter| match sample.value(parameter.rules, false, 0) {
                    Value::String(_) if place == Place::Path => json!(secret("id")),
                    value => value,
                };
            parameters.map(|parameter| (parameter.name.to_owned(), value(parameter))).collect()
        };
        let operation: serde_json::Map<_, _> = of(Place::Path).into_iter().chain(body).collect();
        // A parameter does not say whether it is required.
        let whole: serde_json::Map<_, _> = operation.clone().into_iter().chain(of(Place::Query)).collect();
        for (answer, kind) in
            [(Answer::CloseAtOnce, "connection"), (json(299, format!("\"{CANARY}")), "undecodable_response")]
        {
            server.answer([answer]);
            let call = [&operation, &whole].into_iter().find_map(|operation| {
                let failing = Failing { client: &client, operation: operation.clone().into() };
                operations::visit(spec.id, failing).flatten()
            });
            let call = call.unwrap_or_else(|| panic!("{}: the sample has not its form", spec.id));
            match call.await {
                Err(error) => {
                    print_error(&error);
                    assert_eq!(error.kind().as_str(), kind, "{}: {error}", spec.id);
                }
                // Bare text is a response too, and a response that says nothing is not read.
                Ok(()) => {
                    assert!(
                        kind != "connection" && spec.response != suprsend_api::Format::Json,
                        "{}",
                        spec.id
                    );
                }
            }
        }
    }
}

/// An edit's token is as secret as an upsert's.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn edits_that_are_echoed() {
    let server =
        Server::start([json(400, json!({"message": format!("{} is bad", secret("slack-token"))}))]).await;
    let edit = client(&server).users().edit("user-123").append_slack(slack().remove(0));
    let error = edit.await.unwrap_err();
    assert!(print_error(&error).contains("[redacted] is bad"));
    let wrong =
        client(&server).users().edit("user-123").append_slack(SlackChannel::email("no address", CANARY));
    print_error(&wrong.check().unwrap_err());
}

/// An id of the request that is the key is none; nor is one without end.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn ids_of_requests_that_echo_the_key() {
    let headers = [("x-request-id", &secret("api-key")[..])];
    let long = "x".repeat(20_000);
    for answer in [
        response(401, &headers, ""),
        response(201, &headers, profile().to_string()),
        response(201, &[("x-request-id", &secret("gateway"))], profile().to_string()),
        response(201, &[("x-request-id", &secret("header"))], profile().to_string()),
        response(401, &[("x-request-id", &long)], ""),
        // The body ends early, or is no JSON.
        response(201, &headers, "{"),
        Answer::Steps(vec![Step::Write([head(201, &headers, 1000), b"{".to_vec()].concat()), Step::Close]),
        response(
            401,
            &[],
            json!({"message": format!("{} and {}", secret("gateway"), secret("header"))}).to_string(),
        ),
    ] {
        let server = Server::start([answer]).await;
        match client(&server).users().upsert("user-123").header("x-call", secret("header")).await {
            Ok(user) => _ = print(&user),
            Err(error) => assert!(print_error(&error).len() < 2_000),
        }
    }
}

/// The refusal of one record of many echoes as a response does.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn refusals_of_records_that_echo() {
    let email = format!("{CANARY}@example.com");
    let echo = format!("{} {} {email}", secret("api-key"), secret("gateway"));
    let record = json!({"status": "error", "status_code": 400, "error": {"message": echo, "type": echo}});
    let body = json!({"status": "error", "total": 1, "success": 0, "failure": 1, "records": [record]});
    let server = Server::start([json(207, body)]).await;
    let client = client(&server);
    let trigger = client.workflows().trigger("w").recipient(Recipient::user("u").email(email));
    let error = client.workflows().trigger_all([trigger]).next().await.unwrap().result.unwrap_err();
    assert!(print_error(&error).contains("[redacted] [redacted] [redacted]"));
}

/// Text of the server's neither fills a log nor acts on the text around it, wherever it is from.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn texts_of_the_server_are_cut_and_cleaned() {
    let hidden = "a\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{200b}\u{feff}\u{1b}[2J\nb";
    for text in [hidden.to_owned(), "x".repeat(20_000)] {
        for body in [
            json!({"message": text}),
            json!({"message": "m", "error_code": text}),
            json!({"message": "m", "type": text}),
            json!({"status": "fail", "error": {"message": text, "type": text}}),
        ] {
            let server = Server::start([json(400, body)]).await;
            let error = client(&server).users().upsert("user-123").await.unwrap_err();
            let printed = print_error(&error);
            assert!(printed.len() < 2_000, "{}", printed.len());
            for text in [printed, format!("{error:?}")] {
                assert!(text.len() < 2_000, "{}", text.len());
                let acts =
                    |c: char| c.is_control() || hidden[1..hidden.len() - 1].contains(c) && !c.is_ascii();
                assert!(!text.contains(acts), "{text:?}");
            }
        }
    }
}

/// However the server writes what it echoes, and whichever secret it is: of the client, of the call, of the body, of a raw request.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn echoes_in_every_encoding() {
    let special = |name: &str| format!("{CANARY}/{name}&a\"b<c>'d+e%f");
    let forms: [fn(&str) -> String; 6] = [
        str::to_owned,
        |text| {
            let encoded = percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string();
            let mut parts = encoded.split('%');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |all, part| all + "%" + &part[..2].to_ascii_lowercase() + &part[2..])
        },
        |text| percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string(),
        |text| json!(text).to_string().trim_matches('"').to_owned(),
        |text| json!(text).to_string().trim_matches('"').replace('/', "\\/"),
        |text| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.replace('"', "&quot;").replace('\'', "&#39;")
        },
    ];
    let server = Server::start([response(500, &[], "")]).await;
    let builder = server.builder().api_key(special("key")).default_header("x-gateway", special("gateway"));
    let client = builder.no_retries().build().unwrap();
    for encode in forms {
        for name in ["key", "gateway", "header", "token"] {
            let echo = encode(&special(name));
            let long = format!("{}{echo}", "x".repeat(200));
            for answer in [
                json(401, json!({"message": format!("({echo})"), "error_code": &echo, "type": &echo})),
                json(401, json!({"message": &long})),
                response(401, &[("x-request-id", &echo)], format!("who is {echo}?")),
                json(400, json!({"status": "fail", "error": {"message": &echo, "type": &echo}})),
            ] {
                server.answer([answer]);
                let slack = SlackChannel::user_id("U1", special("token"));
                let call = client.users().upsert("u").slack(slack).header("x-call", special("header"));
                print_error(&call.await.unwrap_err());
                let body = json!({"channels": [{"access_token": special("token")}]});
                let raw =
                    client.request(Method::POST, "/v1/x/").json(&body).header("x-call", special("header"));
                print_error(&raw.await.unwrap_err());
            }
            if name != "token" {
                server.answer([response(201, &[("x-request-id", &echo)], profile().to_string())]);
                let user = client.users().upsert("u").header("x-call", special("header")).await.unwrap();
                assert_eq!(user.request_id(), Some("[redacted]"), "{echo}");
            }
        }
    }
}

/// What a URL has as it is.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
