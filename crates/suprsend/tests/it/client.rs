//! Settings of the client, and what they do to requests.

use std::time::Duration;

use serde_json::{Value, json};
use suprsend::{Client, Error, Method};

use crate::server::{Answer, Server, Step, created, json, profile, response};

#[track_caller]
fn setting(result: Result<Client, Error>) -> String {
    match result {
        Err(Error::Config(error)) => error.setting().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn assert_shared<T: Clone + Send + Sync + 'static>() {}

#[test]
fn clients_and_errors_can_be_shared() {
    fn assert_error<T: std::error::Error + Send + Sync + 'static>() {}
    assert_shared::<Client>();
    assert_shared::<suprsend::Response<suprsend::types::User>>();
    assert_shared::<suprsend::UpsertUser>();
    assert_shared::<suprsend::Call<suprsend::Request>>();
    assert_shared::<suprsend::ClientBuilder>();
    assert_error::<Error>();
}

#[test]
fn api_keys() {
    let build = |key: &str| Client::from_api_key(key);
    for key in ["", "  ", "Bearer abc", "abc\ndef", "schlüssel", "a\u{0}b"] {
        assert_eq!(setting(build(key)), "api_key", "{key:?}");
    }
    assert_eq!(setting(Client::builder().build()), "api_key");
    build("  abc-123\n").unwrap();
    // What is wrong with a key is said without it.
    assert!(!format!("{:?}", build("secret key").unwrap_err()).contains("secret"));
}

#[test]
fn base_urls() {
    let build = |url: &str| Client::builder().api_key("key").base_url(url).build();
    let bad = [
        "",
        "hub.suprsend.com",
        "ftp://hub.suprsend.com",
        "https://",
        "https://u:p@hub.suprsend.com",
        "https://hub.suprsend.com/?a=b",
        "https://hub.suprsend.com/#a",
        "data:text/plain,x",
    ];
    for url in bad {
        assert_eq!(setting(build(url)), "base_url", "{url}");
    }
    for url in [
        "https://hub.suprsend.com",
        "https://hub.suprsend.com/",
        " https://gateway.example.com:8443/suprsend/ ",
    ] {
        build(url).unwrap();
    }
}

#[test]
fn plain_http_only_stays_on_this_machine() {
    let builder = |url: &str| Client::builder().api_key("key").base_url(url);
    for url in ["http://localhost:8000", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:80"] {
        builder(url).build().unwrap();
    }
    let away = [
        "http://hub.suprsend.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        // Whoever answers for the name decides where it leads.
        "http://hub.localhost",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://127.0.0.1.example.com",
        "http://[::2]",
    ];
    for url in away {
        let error = builder(url).build().unwrap_err();
        assert!(error.to_string().contains("plain http"), "{url}: {error}");
        builder(url).allow_plain_http().build().unwrap();
    }
}

#[test]
fn headers_and_proxies() {
    let builder = || Client::builder().api_key("key");
    assert_eq!(setting(builder().default_header("a b", "c").build()), "default_header");
    assert_eq!(setting(builder().default_header("a", "b\nc").build()), "default_header");
    assert_eq!(setting(builder().default_header("Authorization", "b").build()), "default_header");
    assert_eq!(setting(builder().default_header("host", "b").build()), "default_header");
    assert_eq!(setting(builder().app_info("a\nb", "1").build()), "app_info");
    assert_eq!(setting(builder().proxy("http://").build()), "proxy");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_a_request_says() {
    let server = Server::start([created()]).await;
    let client = server
        .builder()
        .api_key("key-1")
        .app_info("billing", "2.4.0")
        .default_header("x-gateway", "one")
        .default_header("x-both", "default")
        .build()
        .unwrap();
    client.users().upsert("user-123").header("x-both", "call").header("x-call", "two").await.unwrap();
    let received = &server.received()[0];
    assert_eq!(received.line, "POST /v1/user/user-123/ HTTP/1.1");
    assert_eq!(received.header("authorization"), Some("Bearer key-1"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("accept"), Some("application/json"));
    assert_eq!(received.header("x-gateway"), Some("one"));
    assert_eq!(received.header("x-both"), Some("call"));
    assert_eq!(received.header("x-call"), Some("two"));
    assert_eq!(received.header("api-version"), None);
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    let agent = format!("suprsend-rust/{} ({system}; {processor}) billing/2.4.0", env!("CARGO_PKG_VERSION"));
    assert_eq!(received.header("user-agent"), Some(agent.as_str()));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_base_url_with_a_path() {
    let server = Server::start([created()]).await;
    let client = server.builder().base_url(format!("{}/gateway/suprsend/", server.url)).build().unwrap();
    client.users().upsert("user-123").await.unwrap();
    client.request(Method::GET, "/v1/tenant/").await.unwrap();
    let targets: Vec<_> = server.received().iter().map(|received| received.target().to_owned()).collect();
    assert_eq!(targets, ["/gateway/suprsend/v1/user/user-123/", "/gateway/suprsend/v1/tenant/"]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn keys_rotate_without_a_new_pool() {
    let server = Server::start([created()]).await;
    let client = server.client();
    let clone = client.clone();
    let other = client.with_api_key("other-key").unwrap();
    let upsert = client.users().upsert("user-123");

    clone.users().upsert("user-123").await.unwrap();
    client.set_api_key("new-key").unwrap();
    assert!(client.set_api_key("not a key").is_err());
    clone.users().upsert("user-123").await.unwrap();
    upsert.await.unwrap();
    other.users().upsert("user-123").await.unwrap();

    let received = server.received();
    let keys: Vec<_> = received.iter().map(|received| received.header("authorization").unwrap()).collect();
    assert_eq!(keys, ["Bearer test-key", "Bearer new-key", "Bearer new-key", "Bearer other-key"]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn another_key_does_not_keep_the_uid_of_the_workspace() {
    let server = Server::start([created()]).await;
    let client = server.builder().workspace("first").build().unwrap();
    let broadcast = |client: &Client| client.broadcasts().send("list", "template", "news");
    let other = client.with_api_key("other-key").unwrap();
    let error = broadcast(&other).await.unwrap_err();
    assert!(matches!(&error, Error::Config(error) if error.setting() == "workspace"), "{error}");
    assert_eq!(server.requests(), 0);

    for client in [&client, &other.with_workspace("second")] {
        _ = broadcast(client).await;
    }
    let received = server.received();
    let sent: Vec<_> =
        received.iter().map(|one| (one.target(), one.header("authorization").unwrap())).collect();
    assert_eq!(sent, [("/first/broadcast/", "Bearer test-key"), ("/second/broadcast/", "Bearer other-key")]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_key_that_is_rotated_during_the_retries_is_used() {
    let server = Server::start([response(503, &[("retry-after", "10")], ""), created()]).await;
    let client = server.client();
    let call = tokio::spawn(client.users().upsert("user-123").into_future());
    tokio::time::sleep(Duration::from_secs(5)).await;
    client.set_api_key("new-key").unwrap();
    call.await.unwrap().unwrap();
    let received = server.received();
    assert_eq!(received[1].header("authorization"), Some("Bearer new-key"));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_key_that_is_rotated_while_a_response_comes_is_not_shown_either() {
    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 19\r\n\r\ntest-key is revoked";
    let steps = vec![Step::Pause(Duration::from_secs(5)), Step::Write(refusal.into())];
    let server = Server::start([Answer::Steps(steps)]).await;
    let client = server.client();
    let call = tokio::spawn(client.users().upsert("user-123").into_future());
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.set_api_key("new-key").unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the API answered 401 Unauthorized: [redacted] is revoked");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_pool_of_the_callers_own() {
    let server = Server::start([created()]).await;
    let http = reqwest::Client::builder().user_agent("mine").no_proxy().build().unwrap();
    let client = server.builder().http_client(http).build().unwrap();
    client.users().upsert("user-123").await.unwrap();
    let received = &server.received()[0];
    assert_eq!(received.header("authorization"), Some("Bearer test-key"));
    assert!(received.header("user-agent").unwrap().starts_with("suprsend-rust/"));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_pool_of_the_callers_own_keeps_the_key_from_other_hosts_too() {
    let other = Server::start([created()]).await;
    let target = format!("{}/v1/user/user-123/", other.url);
    let server = Server::start([response(307, &[("location", &target)], "")]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = server.builder().http_client(http).build().unwrap();
    client.users().upsert("user-123").await.unwrap();
    assert_eq!(other.received()[0].header("authorization"), None);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_time_out_of_the_callers_own_pool() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build().unwrap();
    let client = server.builder().http_client(http).no_retries().build().unwrap();
    let error = client.users().upsert("user-123").await.unwrap_err();
    let Error::Timeout(error) = error else { panic!("{error:?}") };
    assert_eq!(error.to_string(), "timed out while waiting for the response");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn everything_goes_through_a_proxy() {
    let proxy = Server::start([created()]).await;
    let address = proxy.url.strip_prefix("http://").unwrap();
    let client = Client::builder()
        .api_key("key")
        .base_url("http://hub.example.com")
        .allow_plain_http()
        .proxy(format!("http://user:password@{address}"))
        .build()
        .unwrap();
    client.users().upsert("user-123").await.unwrap();
    let received = &proxy.received()[0];
    assert_eq!(received.line, "POST http://hub.example.com/v1/user/user-123/ HTTP/1.1");
    assert!(received.header("proxy-authorization").unwrap().starts_with("Basic "));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_last_setting_of_the_proxy_counts() {
    let (server, proxy) = (Server::start([created()]).await, Server::start([created()]).await);
    let without = server.builder().proxy(&*proxy.url).no_proxy();
    let with = server.builder().no_proxy().proxy(&*proxy.url);
    for (builder, expected) in [(without, (1, 0)), (with, (1, 1))] {
        builder.build().unwrap().users().upsert("user-123").await.unwrap();
        assert_eq!((server.requests(), proxy.requests()), expected);
    }
}

/// Without TLS only plain HTTP works, and what is missing is said.
#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn https_without_tls() {
    let error = Client::from_api_key("key").unwrap().users().upsert("user-123").await.unwrap_err();
    assert!(error.to_string().starts_with("base_url: is https, for which one of the features"), "{error}");
}

#[test]
fn outside_of_a_runtime_it_is_an_error() {
    use std::task::{Context, Poll, Waker};
    let mut call = Client::from_api_key("key").unwrap().users().upsert("user-123").into_future();
    let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
    let error = outcome.unwrap_err();
    assert_eq!(error.to_string(), "runtime: is missing: calls have to be awaited in a tokio runtime");
}

// --- The raw way out. ---

/// A map that holds itself, so that writing it would never end.
#[derive(Clone, Copy)]
struct Endless;

impl serde::Serialize for Endless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("x", Self)])
    }
}

#[tokio::test]
async fn a_value_without_end_is_refused_wherever_it_stands() {
    let client = Client::from_api_key("key").unwrap();
    // Deeper, `json!` itself would overflow the stack of a test; `Endless` stands for that.
    let deep = (0..500).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let (users, workflows, events) = (client.users(), client.workflows(), client.events());
    let trigger = || workflows.trigger("w").recipient("jane");
    let refused = [
        users.upsert("u").property("x", Endless).check(),
        users.upsert("u").property("x", &deep).check(),
        users.upsert("u").with_json(json!({"x": deep})).check(),
        users.edit("u").set("x", Endless).check(),
        users.edit("u").append("x", &deep).check(),
        trigger().data("x", Endless).check(),
        trigger().data_from(Endless).check(),
        events.track("u", "e").properties("x", Endless).check(),
        events.track("u", "e").properties_from(Endless).check(),
        client.request(Method::POST, "/v1/x/").json(&Endless).check(),
        client.request(Method::POST, "/v1/x/").json(&deep).check(),
    ];
    for (index, refused) in refused.into_iter().enumerate() {
        let Err(Error::InvalidInput(error)) = refused else { panic!("{index}: {refused:?}") };
        assert!(error.to_string().contains("is nested "), "{index}: {error}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_raw_request() {
    let server = Server::start([json(200, json!({"tenant_id": "acme"}))]).await;
    let response = server
        .client()
        .request(Method::PATCH, "/v1/tenant/a%2Fb/?x=1")
        .query("limit", 10)
        .query("q", "ä &")
        .header("x-call", "two")
        .json(&json!({"name": "Acme"}))
        .await
        .unwrap();
    assert_eq!(response.json::<Value>().unwrap()["tenant_id"], "acme");
    assert_eq!(response.request_id(), Some("request-1"));
    let error = response.json::<Vec<u8>>().unwrap_err();
    assert!(
        matches!(&error, Error::UndecodableResponse(error) if error.body() == &response[..]),
        "{error:?}"
    );

    let received = &server.received()[0];
    assert_eq!(received.line, "PATCH /v1/tenant/a%2Fb/?x=1&limit=10&q=%C3%A4+%26 HTTP/1.1");
    assert_eq!(received.header("authorization"), Some("Bearer test-key"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.json(), json!({"name": "Acme"}));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn raw_requests_are_retried_if_that_does_no_harm() {
    for (method, stated, attempts) in [
        (Method::GET, None, 3),
        (Method::PUT, None, 3),
        (Method::DELETE, None, 3),
        (Method::POST, None, 1),
        (Method::PATCH, None, 1),
        (Method::POST, Some(true), 3),
        (Method::GET, Some(false), 1),
    ] {
        let server = Server::start([response(503, &[], "")]).await;
        let mut request = server.client().request(method, "/v1/x/");
        if let Some(stated) = stated {
            request = request.idempotent(stated);
        }
        request.await.unwrap_err();
        assert_eq!(server.requests(), attempts);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn raw_paths_stay_on_the_host() {
    let server = Server::start([json(200, profile())]).await;
    let client = server.client();
    let bad = [
        "",
        "v1/x",
        ".example.com/",
        "@example.com/",
        ":81/",
        "/v1/../x",
        "/v1/%2E./x",
        "/v1/..\\x",
        "/v1/x#y",
        "/.",
        "/v1/.%2e",
        "/v1/.\t./x",
        "/v1/.\n.",
    ];
    for path in bad {
        let error = client.request(Method::GET, path).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{path}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
    // Two slashes do not begin a host.
    client.request(Method::GET, "//example.com/x").await.unwrap();
    assert_eq!(server.received()[0].target(), "//example.com/x");
}
