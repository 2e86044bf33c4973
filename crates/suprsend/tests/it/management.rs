//! The management API: two hosts, two keys, and neither gets what belongs to the other.

use serde_json::{Value, json};
use suprsend::{Client, ClientBuilder, DEFAULT_MANAGEMENT_URL, Error, Method, Operation, RetryPolicy, types};
use suprsend_api::{Base, Credential, Format, RequestError, Spec};

use crate::server::{Answer, Received, Server, Step, json, profile, response};

const API_KEY: &str = "CANARY-api-key";
const TOKEN: &str = "CANARY-service-token";

fn workspaces() -> Answer {
    json(200, json!({"meta": {"count": 0, "limit": 10, "offset": 0}, "results": []}))
}

struct Hosts {
    hub: Server,
    management: Server,
}

impl Hosts {
    async fn start(hub: Answer, management: Answer) -> Self {
        Self { hub: Server::start([hub]).await, management: Server::start([management]).await }
    }

    fn builder(&self) -> ClientBuilder {
        let client = Client::builder().api_key(API_KEY).base_url(&self.hub.url).no_proxy();
        client.service_token(TOKEN).management_url(&self.management.url)
    }
}

fn says(received: &[Received], text: &str) -> bool {
    received.iter().any(|one| one.head.contains(text) || String::from_utf8_lossy(&one.body).contains(text))
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn each_key_goes_to_its_own_host() {
    let hosts = Hosts::start(json(200, profile()), workspaces()).await;
    let client = hosts.builder().build().unwrap();
    client.users().get("jane").await.unwrap();
    client.request(Method::GET, "/v1/workspace/").await.unwrap();
    client.workspaces().list().await.unwrap();
    let (hub, management) = (hosts.hub.received(), hosts.management.received());
    assert_eq!((hub.len(), management.len()), (2, 1));
    assert_eq!(hub[0].header("authorization"), Some("Bearer CANARY-api-key"));
    assert_eq!(management[0].header("authorization"), Some("ServiceToken CANARY-service-token"));
    assert!(management[0].target().starts_with("/v1/workspace/"));
    assert!(!says(&hub, TOKEN) && !says(&management, API_KEY));

    // Also after each was replaced.
    client.set_service_token("CANARY-new-token").unwrap();
    let other = client.with_api_key("CANARY-new-key").unwrap();
    other.users().get("jane").await.unwrap();
    other.workspaces().list().await.unwrap();
    let of = |server: &Server| server.received().last().unwrap().header("authorization").unwrap().to_owned();
    assert_eq!(of(&hosts.hub), "Bearer CANARY-new-key");
    assert_eq!(of(&hosts.management), "ServiceToken CANARY-new-token");
    assert!(!says(&hosts.hub.received(), "token") && !says(&hosts.management.received(), "-key"));
    let printed = format!("{:?} {client:?} {:#?}", hosts.builder(), client.workspace("staging").api_keys());
    assert!(!printed.contains("CANARY"), "{printed}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_redirect_takes_no_key_to_the_other_host() {
    for status in [301, 302, 303, 307, 308] {
        let hosts = Hosts::start(json(200, profile()), workspaces()).await;
        let to = |server: &Server| format!("{}/v1/workspace/", server.url);
        hosts.hub.answer([response(status, &[("location", &to(&hosts.management))], "")]);
        let client = hosts.builder().no_retries().build().unwrap();
        assert_eq!(client.users().get("jane").await.unwrap_err().status().unwrap().as_u16(), status);
        assert_eq!(hosts.management.requests(), 0);
        hosts.management.answer([response(status, &[("location", &to(&hosts.hub))], "")]);
        assert_eq!(client.workspaces().list().await.unwrap_err().status().unwrap().as_u16(), status);
        assert_eq!(hosts.hub.requests(), 1);
    }
}

/// A pool of the caller's own may follow redirects; the key stays behind.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_pool_that_follows_redirects_takes_no_key_along() {
    let hosts = Hosts::start(json(200, profile()), workspaces()).await;
    let pool = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = hosts.builder().http_client(pool).build().unwrap();
    hosts.hub.answer([response(
        307,
        &[("location", &format!("{}/v1/workspace/", hosts.management.url))],
        "",
    )]);
    _ = client.users().get("jane").await;
    assert_eq!(hosts.management.requests(), 1);
    assert!(!says(&hosts.management.received(), "CANARY"));
    hosts.hub.answer([json(200, profile())]);
    hosts.management.answer([response(
        307,
        &[("location", &format!("{}/v1/user/jane/", hosts.hub.url))],
        "",
    )]);
    _ = client.workspaces().list().await;
    let arrived = hosts.hub.received().pop().unwrap();
    assert_eq!((hosts.hub.requests(), arrived.header("authorization")), (2, None));
    assert!(!says(&[arrived], "CANARY"));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_whose_key_is_missing_is_refused_by_name() {
    let hosts = Hosts::start(json(200, profile()), workspaces()).await;
    let hub = Client::builder().api_key(API_KEY).base_url(&hosts.hub.url).no_proxy();
    let hub = hub.management_url(&hosts.management.url).build().unwrap();
    assert!(matches!(hub.workspaces().list().check(), Err(Error::Config(_))));
    let error = hub.workspaces().list().await.unwrap_err();
    let said =
        "service_token: is missing, and `list-workspaces` needs it: set it by `ClientBuilder::service_token`";
    assert_eq!(error.to_string(), said);

    let management = Client::builder().service_token(TOKEN).management_url(&hosts.management.url).no_proxy();
    let management = management.base_url(&hosts.hub.url).build().unwrap();
    let error = management.users().get("jane").await.unwrap_err();
    let said = "api_key: is missing, and `fetch-user-profile` needs it: set it by `ClientBuilder::api_key`";
    assert_eq!(error.to_string(), said);
    assert!(matches!(error, Error::Config(_)));
    assert_eq!((hosts.hub.requests(), hosts.management.requests()), (0, 0));

    management.workspaces().list().await.unwrap();
    // The one that is missing may come later.
    management.set_api_key(API_KEY).unwrap();
    management.users().get("jane").await.unwrap();
    assert_eq!((hosts.hub.requests(), hosts.management.requests()), (1, 1));
    let none = Client::builder().build().unwrap_err().to_string();
    assert!(none.starts_with("api_key: is missing"), "{none}");
}

macro_rules! own {
    ($name:ident: $spec:expr) => {
        #[derive(Clone)]
        struct $name;

        impl Operation for $name {
            const SPEC: &'static Spec = &$spec;
            type Body = ();
            type Response = ();
            type Refusal = Value;

            fn request(&self, base: &Base) -> Result<reqwest::Request, RequestError> {
                base.request(Self::SPEC, &[])
            }
        }
    };
}

own!(KeyToManagement: Spec::new("a", Method::GET, "/a/").bearer().server(DEFAULT_MANAGEMENT_URL).response(Format::Empty));
own!(KeyInHeader: Spec::new("b", Method::GET, "/a/").credential(Credential::Header("x-key")).server(DEFAULT_MANAGEMENT_URL));
own!(TokenToHub: Spec::new("c", Method::GET, "/a/").credential(Credential::Scheme("ServiceToken")).response(Format::Empty));
own!(KeyElsewhere: Spec::new("e", Method::GET, "/a/").bearer().server("http://127.0.0.1:9"));
own!(TokenElsewhere: Spec::new("d", Method::GET, "/a/").credential(Credential::Scheme("ServiceToken")).server("http://127.0.0.1:9"));

/// Whatever an operation says of itself, a key goes nowhere else.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_operation_cannot_ask_for_the_key_of_the_other_host() {
    let hosts = Hosts::start(json(200, json!({})), workspaces()).await;
    let client = hosts.builder().build().unwrap();
    for error in [
        client.call(KeyToManagement).await.unwrap_err(),
        client.call(KeyInHeader).await.unwrap_err(),
        client.call(TokenToHub).await.unwrap_err(),
        client.call(TokenElsewhere).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "api_key: is not the credential that the operation demands");
    }
    let error = client.call(KeyElsewhere).await.unwrap_err();
    assert_eq!(error.to_string(), "api_key: is not sent to another server than the client's, which `e` has");
    assert_eq!((hosts.hub.requests(), hosts.management.requests()), (0, 0));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn each_host_has_a_retry_quota() {
    let hosts = Hosts::start(response(503, &[], ""), response(503, &[], "")).await;
    let policy = RetryPolicy::default().max_attempts(2);
    let client = hosts.builder().retry(policy).build().unwrap();
    // Each retry costs 5 of 500.
    for _ in 0..110 {
        client.users().get("jane").await.unwrap_err();
    }
    assert_eq!(hosts.hub.requests(), 210);
    client.workspaces().list().await.unwrap_err();
    assert_eq!(hosts.management.requests(), 2, "what failed at the hub says nothing about this host");
}

/// A key is shown once: a response that is lost is not asked for again, since another key would be made.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn calls_that_show_a_key_once_are_not_repeated() {
    let lost = Answer::Steps(vec![Step::Close]);
    let hosts = Hosts::start(json(200, json!({})), lost).await;
    let client = hosts.builder().build().unwrap();
    let workspace = client.workspace("staging");
    workspace.api_keys().create("ci").await.unwrap_err();
    workspace.signing_keys().create().await.unwrap_err();
    workspace.signing_keys().roll("signing_key_1").await.unwrap_err();
    workspace.public_keys().rotate("ws_pubk_1").await.unwrap_err();
    assert_eq!(hosts.management.requests(), 4, "each was sent once");
    workspace.api_keys().list().await.unwrap_err();
    assert_eq!(hosts.management.requests(), 7);
    // It was surely not processed.
    hosts.management.answer([response(429, &[("retry-after", "0")], ""), json(500, json!({}))]);
    workspace.api_keys().create("ci").await.unwrap_err();
    assert_eq!(hosts.management.requests(), 9);
}

#[test]
fn keys_that_are_shown_once_do_not_print() {
    let created =
        json!({"id": "ws_apik_1", "name": "ci", "api_key": "CANARY-created", "masked_api_key": "CAN***"});
    let created: types::ApiKeyCreated = serde_json::from_value(created).unwrap();
    assert!(!format!("{created:?} {created:#?}").contains("CANARY"));
    let rolled = json!({"id": "ws_signk_1", "uid": "signing_key_1", "private_key_pem": "CANARY", "private_key_base64": "CANARY"});
    let rolled: types::SigningKeyCreated = serde_json::from_value(rolled).unwrap();
    assert!(!format!("{rolled:?} {rolled:#?}").contains("CANARY"));
}
