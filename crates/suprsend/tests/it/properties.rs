//! For any input: what the builder accepts, the hub accepts and gives back; and nothing panics.

use std::cell::Cell;

use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;
use suprsend::{
    Channel, Client, Error, UpsertUser,
    types::{ChannelEntry, MsTeamsChannel, SlackChannel, User, WebPush},
};
use suprsend_mock::Hub;
use tokio::runtime::Runtime;

/// Texts that are often what is wanted, and sometimes anything.
fn text(usual: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![3 => usual, 1 => any::<String>()]
}

fn email() -> impl Strategy<Value = String> {
    text("[a-z0-9.+_-]{1,9}@[a-z0-9.-]{1,9}")
}

fn uri() -> impl Strategy<Value = String> {
    text("https?://[a-z0-9.\\[\\]:%-]{0,9}(/[a-z0-9%\\[\\]/ #?-]{0,9})?")
}

fn slack() -> impl Strategy<Value = SlackChannel> {
    prop_oneof![
        (email(), any::<String>()).prop_map(|(email, token)| SlackChannel::email(email, token)),
        any::<(String, String)>().prop_map(|(id, token)| SlackChannel::user_id(id, token)),
        any::<(String, String)>().prop_map(|(id, token)| SlackChannel::channel(id, token)),
        uri().prop_map(SlackChannel::incoming_webhook),
    ]
}

fn ms_teams() -> impl Strategy<Value = MsTeamsChannel> {
    prop_oneof![
        (any::<(String, String)>(), uri())
            .prop_map(|((tenant, id), service)| MsTeamsChannel::conversation_id(tenant, service, id)),
        (any::<(String, String)>(), uri())
            .prop_map(|((tenant, id), service)| MsTeamsChannel::user_id(tenant, service, id)),
        uri().prop_map(MsTeamsChannel::incoming_webhook),
    ]
}

fn web_push() -> impl Strategy<Value = WebPush> {
    (uri(), any::<(String, String)>(), option::of(any::<String>())).prop_map(
        |(endpoint, (p256dh, auth), token)| {
            let subscription = WebPush::new(endpoint, p256dh, auth);
            match token {
                Some(token) => subscription.token(token),
                None => subscription,
            }
        },
    )
}

/// Any JSON. Fractions are such that reading and writing them is exact.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|number| Value::from(f64::from(number) / 4.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// One call of the builder.
#[derive(Debug, Clone)]
enum Step {
    Email(String),
    Sms(String),
    WhatsApp(String),
    Inbox(String),
    Android(String),
    Ios(String),
    WebPush(WebPush),
    Slack(SlackChannel),
    MsTeams(MsTeamsChannel),
    Timezone(String),
    Locale(String),
    Property(String, Value),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        email().prop_map(Step::Email),
        text("\\+[1-9][0-9]{6,14}").prop_map(Step::Sms),
        text("\\+[1-9][0-9]{6,14}").prop_map(Step::WhatsApp),
        any::<String>().prop_map(Step::Inbox),
        any::<String>().prop_map(Step::Android),
        any::<String>().prop_map(Step::Ios),
        web_push().prop_map(Step::WebPush),
        slack().prop_map(Step::Slack),
        ms_teams().prop_map(Step::MsTeams),
        any::<String>().prop_map(Step::Timezone),
        any::<String>().prop_map(Step::Locale),
        (text("\\$?[a-z]{0,6}"), anything()).prop_map(|(name, value)| Step::Property(name, value)),
    ]
}

fn apply(upsert: UpsertUser, step: Step) -> UpsertUser {
    match step {
        Step::Email(address) => upsert.email(address),
        Step::Sms(number) => upsert.sms(number),
        Step::WhatsApp(number) => upsert.whatsapp(number),
        Step::Inbox(id) => upsert.inbox(id),
        Step::Android(token) => upsert.android_push(token),
        Step::Ios(token) => upsert.ios_push(token),
        Step::WebPush(subscription) => upsert.web_push(subscription),
        Step::Slack(channel) => upsert.slack(channel),
        Step::MsTeams(channel) => upsert.ms_teams(channel),
        Step::Timezone(name) => upsert.timezone(name),
        Step::Locale(locale) => upsert.locale(locale),
        Step::Property(name, value) => upsert.property(name, value),
    }
}

fn hub() -> (Runtime, Hub, Client) {
    let runtime = Runtime::new().unwrap();
    let hub = runtime.block_on(Hub::start()).unwrap();
    let builder = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy();
    (runtime, hub, builder.build().unwrap())
}

/// Whether the profile has what was sent: every property, and as many addresses, of which the hub keeps one of a kind.
fn assert_kept(sent: &Value, user: &User) {
    for (name, value) in sent.as_object().unwrap() {
        match Channel::ALL.into_iter().find(|channel| channel.key() == name) {
            None => assert_eq!(user.properties.get(name), Some(value), "{name:?}"),
            Some(channel) => {
                let stored = user.channel(channel);
                assert!(!stored.is_empty() && stored.iter().all(ChannelEntry::is_active));
                for address in value.as_array().unwrap().iter().filter(|address| address.is_string()) {
                    let same = |value: &Value| value == address;
                    assert!(
                        stored.iter().any(|entry| same(&serde_json::to_value(&entry.value).unwrap())),
                        "{address}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_the_builder_accepts_the_hub_accepts_and_returns() {
    let (runtime, hub, client) = hub();
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(id in text("[a-z/?#%+ .\\\\]{1,9}"), steps in vec(step(), 0..6))| {
        let upsert = steps.into_iter().fold(client.users().upsert(&id), apply);
        let sent = serde_json::to_value(&upsert).unwrap();
        let id = upsert.distinct_id().to_owned();
        match runtime.block_on(upsert.send()) {
            Ok(user) => {
                accepted.set(accepted.get() + 1);
                prop_assert_eq!(user.distinct_id.as_deref(), Some(id.as_str()));
                assert_kept(&sent, &user);
                assert!(hub.profile(&id).is_some());
            }
            // What is wrong is found here, not by the hub.
            Err(Error::InvalidInput(_)) => refused.set(refused.get() + 1),
            Err(error) => panic!("{error:?}"),
        }
    });
    // Neither side of the property is empty.
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
}

#[test]
fn what_the_json_check_accepts_the_hub_accepts() {
    let (runtime, _hub, client) = hub();
    let keys = prop_oneof![
        Just("$email".to_owned()),
        Just("$slack".to_owned()),
        Just("$webpush".to_owned()),
        Just("$ms_teams".to_owned()),
        Just("$timezone".to_owned()),
        Just("$sms".to_owned()),
        Just("$preferred_language".to_owned()),
        "\\$?[a-z]{1,5}",
    ];
    let entry = vec(
        (
            prop_oneof![
                Just("email"),
                Just("user_id"),
                Just("channel"),
                Just("access_token"),
                Just("tenant_id"),
                Just("service_url"),
                Just("endpoint"),
                Just("keys"),
                Just("incoming_webhook"),
            ],
            prop_oneof![
                Just(serde_json::json!("a@b.example")),
                Just(serde_json::json!("https://example.com")),
                Just(serde_json::json!({"url": "https://example.com"})),
                Just(serde_json::json!({"p256dh": "x", "auth": "y"})),
            ],
        ),
        0..4,
    )
    .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>());
    let value = prop_oneof![
        3 => vec(prop_oneof![entry, "[a-z]{1,4}@[a-z]{1,4}".prop_map(Value::from)], 0..3).prop_map(Value::from),
        1 => anything(),
    ];
    let body = vec((keys, value), 0..4).prop_map(|members| members.into_iter().collect::<Value>());
    let accepted = Cell::new(0);
    let config = ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(body in body)| {
        match runtime.block_on(client.users().upsert("user-123").with_json(body).send()) {
            Ok(_) => accepted.set(accepted.get() + 1),
            Err(Error::InvalidInput(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    });
    assert!(accepted.get() > 100, "{accepted:?} accepted");
}
