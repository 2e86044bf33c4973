//! The URL that an operation sends to is what parsing base URL and path as one text gives, also where the path alone is set.

use std::sync::LazyLock;

use progenitor_client::encode_path;
use proptest::{collection::vec, prelude::*, sample::select};
use reqwest::{Request, Url, header::AUTHORIZATION};
use suprsend_api::{Client, Error, PlainTransport, Sender};

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

fn client(base: &str, sender: &Sender) -> Client {
    Client::new_with_client(base, HTTP.clone(), sender.clone())
}

fn sender() -> Sender {
    Sender::new(PlainTransport)
}

/// What is compared of a request, or of the error that there is in its place.
fn facts<E>(made: Result<&Request, &Error<E>>) -> Result<(Url, Option<String>), String> {
    match made {
        // Of a user and a password in the URL the HTTP client makes a header.
        Ok(request) => Ok((
            request.url().clone(),
            request.headers().get(AUTHORIZATION).map(|value| format!("{:?}", value.as_bytes())),
        )),
        Err(Error::CommunicationError(error)) => Err(format!("{error:?}")),
        Err(_) => Err("another error than the HTTP client's".to_owned()),
    }
}

/// The request of an operation, whose path this is too.
fn sent(client: &Client, id: &str) -> Result<(Url, Option<String>), String> {
    let prepared = client.prepare(async |client| client.fetch_user_profile().distinct_id(id).send().await);
    facts(prepared.as_ref().map(|prepared| &*prepared.request))
}

/// The request that the HTTP client makes of the whole as text.
fn parsed(base: &str, id: &str) -> Result<(Url, Option<String>), String> {
    let path = format!("/v1/user/{}/", encode_path(id).replace('\\', "%5C"));
    let made = HTTP.get(format!("{base}{path}")).build().map_err(Error::<()>::from);
    facts(made.as_ref())
}

/// The pieces of base URLs, each of many forms; most of what comes of them are URLs.
fn bases() -> impl Strategy<Value = String> {
    let schemes = [
        "https://",
        "https://",
        "https://",
        "http://",
        "HTTP://",
        "https:/",
        "https:",
        "https:\\\\",
        "ftp://",
    ];
    let odd_schemes =
        ["ws://", "file://", "file:///", "mailto:", "data:", "blob:https://", "a://", "", "//", " https://"];
    let users = ["", "", "", "", "user@", "user:word@", ":word@", "us%20er:w%40rd@", "a@b@", "@", "\\@"];
    let hosts = [
        "hub.suprsend.com",
        "localhost",
        "HUB.Example",
        "bücher.example",
        "xn--bcher-kva.example",
        "127.0.0.1",
        "0x7f.1",
        "[::1]",
        "[2001:DB8::0:1]",
        "h\u{ad}ost.",
        "",
        "a b",
        "%61",
        "1.2.3.256",
        "[::1",
        "ho\tst",
    ];
    let ports = ["", "", "", ":8000", ":80", ":443", ":", ":0", ":65536", ":a", ":8\n0"];
    let path = vec(
        prop_oneof![
            select(&["/", "\\", "a", "v0", ".", "..", "%2e", "%2E%2e", "%5c", "é", "@", ":", "{x}", "%"][..])
                .prop_map(str::to_owned),
            "[ -~\t\r\n\u{0}-\u{ff}]{0,2}",
        ],
        0..5,
    );
    let end = select(&["", "", "", "", "/", "//", "?a", "#a", "?", "#", " ", "\t", "/ "][..]);
    let scheme = prop_oneof![9 => select(schemes.to_vec()), 1 => select(odd_schemes.to_vec())];
    let pieces = (scheme, select(users.to_vec()), select(hosts.to_vec()), select(ports.to_vec()), path, end);
    pieces.prop_map(|(scheme, user, host, port, path, end)| {
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{scheme}{user}{host}{port}{slash}{}{end}", path.concat())
    })
}

fn ids() -> impl Strategy<Value = String> {
    let hard = [
        "", ".", "..", "%2e", "%2E%2e", "\\", "/", "?", "#", "%", "\t", "\r\n", "\0", " ", "\u{7f}", "ü",
        "🦀", "a",
    ];
    prop_oneof![any::<String>(), vec(select(hard.to_vec()), 0..6).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_path_behind_any_base_url_is_the_one_that_parsing_gives(base in bases(), ids in vec(ids(), 1..4)) {
        let client = client(&base, &sender());
        for id in ids {
            prop_assert_eq!(sent(&client, &id), parsed(&base, &id));
        }
    }

    /// Whichever of them makes the first request.
    #[test]
    fn clients_that_share_a_sender_keep_their_base_urls(first in bases(), second in bases(), id in ids()) {
        let sender = sender();
        for base in [&first, &second, &first] {
            prop_assert_eq!(sent(&client(base, &sender), &id), parsed(base, &id));
        }
    }
}

#[test]
fn the_path_of_the_base_url_comes_before_and_a_query_behind() {
    let client = client("https://hub.example/stem", &sender());
    let lists = |id| {
        let call = async move |client: &Client| {
            client.fetch_user_list_subscriptions().distinct_id(id).limit(5).send().await
        };
        client.prepare(call).map(|prepared| prepared.request.url().to_string()).unwrap()
    };
    let url = "https://hub.example/stem/v1/user/a%2Fb%5C../subscribed_to/list/?limit=5";
    assert_eq!(lists("a/b\\.."), url);
    assert_eq!(lists(".."), "https://hub.example/stem/v1/subscribed_to/list/?limit=5");
}

#[test]
fn a_base_url_that_is_none_is_the_http_clients_error() {
    for base in ["", "hub.suprsend.com", "https://host:port", "file:///a"] {
        let error = sent(&client(base, &sender()), "u").unwrap_err();
        assert!(error.starts_with("reqwest::Error { kind: Builder"), "{base}: {error}");
    }
}
