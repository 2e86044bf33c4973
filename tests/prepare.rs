//! Requests that are made and not sent: there is nobody at the address, and no runtime to send them in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use suprsend_api::{
    Client, Error, PlainTransport, Prepared, Sender,
    types::{User, UserUpsert},
};

fn client() -> Client {
    Client::new_with_client("http://127.0.0.1:9/hub", reqwest::Client::new(), Sender::new(PlainTransport))
}

fn upsert(client: &Client, distinct_id: &str) -> Prepared<User> {
    let body = UserUpsert { email: vec!["jane@example.com".into()], ..UserUpsert::default() };
    client
        .prepare(async |client| client.create_update_users().distinct_id(distinct_id).body(body).send().await)
        .expect("a request")
}

fn path(prepared: &Prepared<User>) -> &str {
    prepared.request.url().path()
}

#[test]
fn a_request_is_all_that_the_operation_sends() {
    let Prepared { request, operation, .. } = upsert(&client(), "a b");
    assert_eq!(operation, "create_update_users");
    assert_eq!(request.method(), "POST");
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/hub/v1/user/a%20b/");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["accept"], "application/json");
    let body = request.body().and_then(reqwest::Body::as_bytes);
    assert_eq!(body, Some(&br#"{"$email":["jane@example.com"]}"#[..]));
}

#[test]
fn what_the_client_refuses_is_refused() {
    let refused = client().prepare(async |client| client.fetch_user_profile().send().await);
    let Err(Error::InvalidRequest(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("distinct_id"), "{reason}");
}

#[test]
fn a_call_without_a_request_is_an_error() {
    async fn elsewhere(_: &Client) -> Result<suprsend_api::ResponseValue<User>, Error> {
        std::future::pending().await
    }
    let refused = client().prepare(elsewhere);
    let Err(Error::Custom(reason)) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "the call made no request");
}

#[test]
fn a_call_with_two_requests_is_an_error() {
    let refused = client().prepare(async |client| {
        drop(client.delete_user().distinct_id("first").send().await);
        client.fetch_user_profile().distinct_id("second").send().await
    });
    let Err(Error::Custom(reason)) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "the call made more than one request");
}

#[test]
fn a_call_may_prepare_another() {
    let client = client();
    let outer = client.prepare(async |client| {
        assert_eq!(path(&upsert(client, "inner")), "/hub/v1/user/inner/");
        client.fetch_user_profile().distinct_id("outer").send().await
    });
    assert_eq!(path(&outer.expect("a request")), "/hub/v1/user/outer/");
}

#[tokio::test]
async fn afterwards_requests_are_sent() {
    let client = client();
    let send = async || client.fetch_user_profile().distinct_id("jane").send().await;
    let is_sent = |result| matches!(result, Err(Error::CommunicationError(error)) if error.is_connect());
    drop(upsert(&client, "jane"));
    assert!(is_sent(send().await));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        client.prepare::<User, ()>(async |_| panic!("on the way")).map(drop).is_ok()
    }));
    assert!(panicked.is_err());
    assert!(is_sent(send().await));
}
