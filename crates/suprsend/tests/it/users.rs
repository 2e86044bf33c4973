//! Upserts of users, against the hub, which judges them by the document.

use serde_json::{Value, json};
use suprsend::{
    Channel, Client, Error, UpsertUser,
    types::{MsTeamsChannel, SlackChannel, User, UserUpsert, WebPush},
};
use suprsend_mock::Hub;

async fn hub() -> (Hub, Client) {
    let hub = Hub::start().await.unwrap();
    let builder = Client::builder().base_url(hub.url()).api_key(hub.key());
    let client = builder.no_proxy().build().unwrap();
    (hub, client)
}

/// The request example of the document.
fn example() -> Value {
    let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).unwrap();
    document["paths"]["/v1/user/{distinct_id}/"]["post"]["requestBody"]["content"]["application/json"]["example"]
        .clone()
}

/// The paths of what is wrong.
#[track_caller]
fn paths(result: Result<(), Error>) -> Vec<String> {
    match result {
        Err(Error::InvalidInput(error)) => {
            error.violations().iter().map(|found| found.path().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_upsert_is_stored_and_returned() {
    let (hub, client) = hub().await;
    let user = client
        .users()
        .upsert("user-123")
        .email("jane@example.com")
        .sms("+15551234567")
        .slack(SlackChannel::email("jane@example.com", "xoxb-token"))
        .timezone("America/New_York")
        .locale("en_GB")
        .property("plan", "pro")
        .property("seats", 12)
        .await
        .unwrap();

    assert_eq!((user.status().as_u16(), user.attempts()), (201, 1));
    assert_eq!(user.distinct_id.as_deref(), Some("user-123"));
    assert_eq!(user.property::<u8>("seats").unwrap(), Some(12));
    assert_eq!(user.property::<String>("plan").unwrap().as_deref(), Some("pro"));
    assert_eq!(user.property::<String>("$timezone").unwrap().as_deref(), Some("America/New_York"));
    assert_eq!(user.property::<u8>("absent").unwrap(), None);
    let error = user.property::<u8>("plan").unwrap_err();
    assert_eq!(error.to_string(), "the property \"plan\" cannot be read as u8");
    assert!(user.created_at.unwrap() <= user.updated_at.unwrap());
    let channels: Vec<_> = user.channels().map(|(channel, entry)| (channel, entry.is_active())).collect();
    assert_eq!(channels, [(Channel::Email, true), (Channel::Sms, true), (Channel::Slack, true)]);
    let stored: User = serde_json::from_value(hub.profile("user-123").unwrap()).unwrap();
    assert_eq!(serde_json::to_value(&*user).unwrap(), serde_json::to_value(stored).unwrap());
}

#[tokio::test]
async fn every_channel_and_variant_has_a_constructor() {
    let (hub, client) = hub().await;
    let upsert = client
        .users()
        .upsert("user-123")
        .email("jane@example.com")
        .sms("+15551234567")
        .whatsapp("+15551234567")
        .inbox("inbox-id")
        .web_push(WebPush::new("https://push.example.com/1", "p256dh", "auth").token("token"))
        .android_push("android-token")
        .ios_push("ios-token")
        .slack(SlackChannel::email("jane@example.com", "xoxb-token"))
        .slack(SlackChannel::user_id("U1", "xoxb-token"))
        .slack(SlackChannel::channel("C1", "xoxb-token"))
        .slack(SlackChannel::incoming_webhook("https://hooks.slack.com/services/1"))
        .ms_teams(MsTeamsChannel::conversation_id("tenant", "https://smba.example.com", "conversation"))
        .ms_teams(MsTeamsChannel::user_id("tenant", "https://smba.example.com", "user"))
        .ms_teams(MsTeamsChannel::incoming_webhook("https://webhook.office.com/1"));

    // What is sent is what the document calls it.
    assert_eq!(
        serde_json::to_value(&upsert).unwrap(),
        json!({
            "$email": ["jane@example.com"],
            "$sms": ["+15551234567"],
            "$whatsapp": ["+15551234567"],
            "$inbox": ["inbox-id"],
            "$webpush": [{
                "endpoint": "https://push.example.com/1",
                "keys": {"p256dh": "p256dh", "auth": "auth"},
                "token": "token",
            }],
            "$androidpush": ["android-token"],
            "$iospush": ["ios-token"],
            "$slack": [
                {"email": "jane@example.com", "access_token": "xoxb-token"},
                {"user_id": "U1", "access_token": "xoxb-token"},
                {"channel": "C1", "access_token": "xoxb-token"},
                {"incoming_webhook": {"url": "https://hooks.slack.com/services/1"}},
            ],
            "$ms_teams": [
                {"tenant_id": "tenant", "service_url": "https://smba.example.com", "conversation_id": "conversation"},
                {"tenant_id": "tenant", "service_url": "https://smba.example.com", "user_id": "user"},
                {"incoming_webhook": {"url": "https://webhook.office.com/1"}},
            ],
        })
    );
    let user = upsert.await.unwrap();
    for channel in Channel::ALL {
        let stored = &hub.profile("user-123").unwrap()[channel.key()];
        assert_eq!(stored.as_array().unwrap().len(), user.channel(channel).len(), "{channel}");
        assert!(!user.channel(channel).is_empty(), "{channel}");
    }
}

#[test]
fn a_channel_is_written_as_its_key_and_read_by_its_name_too() {
    for channel in Channel::ALL {
        let key = channel.to_string();
        assert_eq!(serde_json::to_value(channel).unwrap(), json!(key));
        for text in [key.as_str(), &key[1..]] {
            assert_eq!(text.parse(), Ok(channel));
            assert_eq!(serde_json::from_value::<Channel>(json!(text)).unwrap(), channel);
        }
    }
    for text in ["", "$", "$$email", "e-mail", "Email"] {
        let error = text.parse::<Channel>().unwrap_err().to_string();
        assert!(error.ends_with("$slack, $ms_teams"), "{error}");
    }
    // As the key of a map, and from a reader that cannot lend its text.
    let counts: std::collections::BTreeMap<Channel, u32> =
        serde_json::from_reader(&br#"{"$em\u0061il": 1, "sms": 2}"#[..]).unwrap();
    assert_eq!(counts, [(Channel::Email, 1), (Channel::Sms, 2)].into());
}

#[tokio::test]
async fn the_documents_example_is_accepted_as_json() {
    let (hub, client) = hub().await;
    let upsert = client.users().upsert("user-123").with_json(example());
    assert_eq!(serde_json::to_value(&upsert).unwrap(), example());
    upsert.await.unwrap();
    assert_eq!(hub.profile("user-123").unwrap()["properties"]["custom_key"], "custom_value");
}

#[tokio::test]
async fn a_body_of_the_generated_type() {
    let (hub, client) = hub().await;
    let body = UserUpsert { email: vec!["jane@example.com".into()], ..UserUpsert::default() };
    let upsert = client.users().upsert(" user-123 ").with_body(body).property("plan", Value::Null);
    assert_eq!(upsert.distinct_id(), "user-123");
    assert_eq!(upsert.body().email, ["jane@example.com"]);
    upsert.send().await.unwrap();
    assert_eq!(hub.profile("user-123").unwrap()["properties"], json!({"plan": null}));
}

#[tokio::test]
async fn a_wrong_key() {
    let (_hub, client) = hub().await;
    let client = client.with_api_key("wrong-key").unwrap();
    let error = client.users().upsert("user-123").await.unwrap_err();
    assert!(matches!(error, Error::Api(_)), "{error:?}");
    assert_eq!(error.status().unwrap(), 401);
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), "the API answered 401 Unauthorized: the API key is not known");
}

#[tokio::test]
async fn all_violations_are_reported_at_once_with_their_paths() {
    let (hub, client) = hub().await;
    let upsert = client
        .users()
        .upsert("..")
        .email("jane@example.com")
        .email("jane")
        .slack(SlackChannel::email("jane@", "token"))
        .slack(SlackChannel::incoming_webhook("hooks.slack.com"))
        .ms_teams(MsTeamsChannel::user_id("tenant", "not a uri", "user"))
        .web_push(WebPush::new("push", "p256dh", "auth"))
        .property("$email", "jane@example.com")
        .property("$new", true)
        .header("bad header", "x")
        .header("authorization", "Bearer mine");
    let error = upsert.check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid input: distinct_id is `.` or `..`, which in the path of a URL means another path; \
         header bad header is not the name of a header; \
         header authorization is a header that the SDK sets itself; \
         $email is no custom property: use `email`; \
         $new is no custom property: names that begin with `$` are SuprSend's own; \
         `Client::request` sends what this crate does not know; \
         $email[1] is not an e-mail address such as `jane@example.com`; \
         $ms_teams[0].service_url is not a URI such as `https://example.com/path`; \
         $slack[0].email is not an e-mail address such as `jane@example.com`; \
         $slack[1].incoming_webhook.url is not a URI such as `https://example.com/path`; \
         $webpush[0].endpoint is not a URI such as `https://example.com/path`"
    );
    upsert.await.unwrap_err();
    assert!(hub.profile("..").is_none());
}

#[tokio::test]
async fn json_is_checked_against_the_document() {
    let (_hub, client) = hub().await;
    let check = |body| client.users().upsert("user-123").with_json(body).check();
    assert_eq!(paths(check(json!("text"))), [""]);
    assert_eq!(paths(check(json!({"$email": "jane@example.com", "$locale": 1}))), ["$email", "$locale"]);
    assert_eq!(paths(check(json!({"$sms": ["+1", 2, null]}))), ["$sms[1]", "$sms[2]"]);
    assert_eq!(
        paths(check(json!({"$webpush": [{"keys": {"auth": "x"}}]}))),
        ["$webpush[0].keys.p256dh", "$webpush[0].endpoint"]
    );
    assert_eq!(paths(check(json!({"$emial": ["jane@example.com"]}))), ["$emial"]);
    check(json!({"$preferred_language": "en", "anything": {"nested": [1, 2.5, null]}})).unwrap();

    // Neither none nor several variants at once.
    let none = check(json!({"$slack": [{"email": "jane@example.com"}]})).unwrap_err();
    assert_eq!(
        none.to_string(),
        "invalid input: $slack[0] fits none of its variants: `email` and `access_token`, `user_id` and `access_token`, \
         `channel` and `access_token`, `incoming_webhook`"
    );
    let several =
        json!({"$slack": [{"email": "jane@example.com", "channel": "C1", "access_token": "token"}]});
    assert_eq!(
        check(several).unwrap_err().to_string(),
        "invalid input: $slack[0] fits several of its variants, keep one of: `email` and `access_token`, \
         `channel` and `access_token`"
    );
}

#[tokio::test]
async fn a_declared_key_among_the_custom_properties_of_a_body() {
    let (_hub, client) = hub().await;
    let mut body = UserUpsert { email: vec!["jane@example.com".into()], ..UserUpsert::default() };
    body.extra.insert("$email".into(), json!(["other@example.com"]));
    assert_eq!(paths(client.users().upsert("user-123").with_body(body).check()), ["$email"]);
}

#[tokio::test]
async fn the_largest_body() {
    let (_hub, client) = hub().await;
    let upsert = |length: usize| client.users().upsert("user-123").property("blob", "x".repeat(length));
    let most = 800 * 1024 - r#"{"blob":""}"#.len();
    upsert(most).await.unwrap();
    let error = upsert(most + 1).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid input: the body has 819201 bytes, and at most 819200 are accepted (800 KB)"
    );
}

#[tokio::test]
async fn a_body_replaces_what_was_wrong_with_what_was_set_before() {
    let (_hub, client) = hub().await;
    let wrong = client.users().upsert("user-123").property("$new", true);
    wrong.check().unwrap_err();
    wrong.clone().with_body(UserUpsert::default()).check().unwrap();
    wrong.clone().with_json(json!({"plan": "pro"})).check().unwrap();
    wrong.with_body(UserUpsert::default()).with_json(json!({"$email": 1})).check().unwrap_err();
    let unaddressed = client.users().upsert("").with_body(UserUpsert::default());
    unaddressed.check().unwrap_err();
}

#[tokio::test]
async fn strict_checks_are_opt_in() {
    let (hub, loose) = hub().await;
    let builder = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy();
    let strict = builder.strict().build().unwrap();
    let upsert = |client: &Client, number: &str, zone: &str, locale: &str| {
        client.users().upsert("user-123").sms(number).whatsapp(number).timezone(zone).locale(locale).check()
    };
    for (number, zone, locale) in [
        ("+15551234567", "America/New_York", "en_GB"),
        ("+4930901820", "UTC", "en"),
        ("+1234567890", "Asia/Kolkata", "zh-Hans-CN"),
        ("+8613800138000", "America/Argentina/Buenos_Aires", "es_419"),
    ] {
        upsert(&strict, number, zone, locale).unwrap();
    }
    for (number, zone, locale) in [
        ("15551234567", "New York", "english"),
        ("+1 555 123 4567", "america/new_york", "en_"),
        ("+0123456789", "EST5", "e"),
        ("+1234567890123456", "", ""),
        ("", "Mars/Olympus", "en_GB_"),
    ] {
        let mut found = paths(upsert(&strict, number, zone, locale));
        // The order is that of the map, which depends on how serde_json is built.
        found.sort();
        assert_eq!(found, ["$locale", "$sms[0]", "$timezone", "$whatsapp[0]"], "{number} {zone} {locale}");
        upsert(&loose, number, zone, locale).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_run_on_other_threads() {
    let (hub, client) = hub().await;
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let upsert = client.users().upsert(format!("user-{number}")).property("number", number);
            tokio::spawn(upsert.into_future())
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap().property::<usize>("number").unwrap(), Some(number));
    }
    assert!(hub.profile("user-19").is_some());
}

#[tokio::test]
async fn values_come_one_by_one_or_several_at_once_and_ids_of_any_kind() {
    let (hub, client) = hub().await;
    let none = None::<String>;
    let upsert = client
        .users()
        .upsert(7)
        .email(["a@example.com", "b@example.com"])
        .email(vec!["c@example.com".to_owned()])
        .email("d@example.com")
        .sms(Some("+15551234567"))
        .whatsapp(none.clone())
        .timezone(Some("Europe/Paris"))
        .locale(none);
    assert_eq!(
        serde_json::to_value(&upsert).unwrap(),
        json!({
            "$email": ["a@example.com", "b@example.com", "c@example.com", "d@example.com"],
            "$sms": ["+15551234567"],
            "$timezone": "Europe/Paris",
        })
    );
    let user = upsert.await.unwrap();
    assert!(hub.profile("7").is_some());
    // A response serializes as its value, and changes into another.
    assert_eq!(serde_json::to_value(&user).unwrap(), serde_json::to_value(&*user).unwrap());
    let addresses = user.map(|user| user.email.len());
    assert_eq!((*addresses, addresses.status().as_u16()), (4, 201));
    client.users().delete_many([7, 8]).await.unwrap();
    assert!(hub.profile("7").is_none());
}

#[tokio::test]
async fn properties_are_written_as_people_mean_them() {
    let (_hub, client) = hub().await;
    let upsert = |value: &dyn Fn(UpsertUser) -> UpsertUser| value(client.users().upsert("user-123"));
    let short = upsert(&|upsert| upsert.property("ratio", 0.1_f32));
    assert_eq!(serde_json::to_string(&short).unwrap(), r#"{"ratio":0.1}"#);
    let wrong = upsert(&|upsert| upsert.property("ratio", f64::NAN).property("list", [1.0, f64::INFINITY]));
    assert_eq!(
        wrong.check().unwrap_err().to_string(),
        "invalid input: ratio is not a number in JSON; list[1] is not a number in JSON"
    );
    let deep = (0..10_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let error = upsert(&|upsert| upsert.property("deep", &deep)).check().unwrap_err();
    assert!(error.to_string().contains("is nested too deep"), "{error}");
    // Taking it apart level by level, since dropping it would go as deep.
    let mut deep = deep;
    while let Some(inner) = deep.as_array_mut().and_then(Vec::pop) {
        deep = inner;
    }
}

/// The size of a future is paid for with each call: it is moved, boxed and kept.
#[tokio::test]
async fn the_future_of_an_upsert_is_small() {
    let (_hub, client) = hub().await;
    let upsert = client.users().upsert("user-123");
    assert!(size_of_val(&upsert) <= 24);
    let future = upsert.send();
    assert!(size_of_val(&future) <= 944, "{}", size_of_val(&future));
}

/// A client in a static, handles in a struct: nothing borrows.
#[tokio::test]
async fn handles_can_be_kept() {
    struct Profiles {
        users: suprsend::Users,
    }
    let (_hub, client) = hub().await;
    let profiles = Profiles { users: client.users() };
    drop(client);
    profiles.users.upsert("user-123").await.unwrap();
}

#[tokio::test]
async fn an_operation_is_checked_however_it_is_made() {
    use suprsend::operations::{BulkDeleteUsers, CreateUpdateUsers};
    let (_hub, client) = hub().await;
    let mut body = UserUpsert { email: vec!["jane".into()], ..UserUpsert::default() };
    body.extra.insert("$new".into(), json!(1));
    let call = client.call(CreateUpdateUsers::new(" ", body));
    assert_eq!(paths(call.check()), ["distinct_id", "$email[0]", "$new"]);
    let delete = client.users().delete_many([""; 0]).operation().clone();
    assert_eq!(paths(client.call::<BulkDeleteUsers>(delete).check()), ["distinct_ids"]);
}
