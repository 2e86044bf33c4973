//! One client in several runtimes. A connection belongs to the runtime that it was made in.

use std::time::Duration;

use suprsend::{Client, Error, error::TimeoutKind};
use suprsend_mock::Hub;
use tokio::runtime::{Builder, Runtime};

fn hub() -> (Hub, Client) {
    let hub = Hub::builder().start_on_thread().unwrap();
    let client = client(&hub);
    (hub, client)
}

fn client(hub: &Hub) -> Client {
    let limit = Duration::from_millis(300);
    Client::builder()
        .base_url(hub.url())
        .api_key(hub.key())
        .no_proxy()
        .attempt_timeout(limit)
        .build()
        .unwrap()
}

/// A runtime that stands still unless something is waited for in it.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The number of attempts of an upsert, after which the runtime has put the connection back.
async fn attempts(client: &Client) -> u32 {
    let user = client.users().upsert("user-123").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    user.attempts()
}

/// As the documentation of `Client` says.
#[test]
fn a_connection_of_a_runtime_that_stands_still_costs_an_attempt() {
    let (hub, client) = hub();
    let (first, second) = (runtime(), runtime());
    assert_eq!(first.block_on(attempts(&client)), 1);
    assert_eq!(second.block_on(attempts(&client)), 2, "it is sent again, on a connection of this runtime");
    assert_eq!(second.block_on(attempts(&client)), 1);
    // Now the second one stands still. What may not be sent twice fails.
    let edit = client.users().edit("user-123").increment("seats", 1);
    let error = first.block_on(edit.send()).unwrap_err();
    let Error::Timeout(error) = &error else { panic!("{error:?}") };
    assert_eq!(error.kind(), TimeoutKind::Attempt);
    assert_eq!(hub.profile("user-123").unwrap()["properties"].get("seats"), None, "it was never sent");
    // The remedy: a client for each runtime.
    assert_eq!(first.block_on(attempts(&self::client(&hub))), 1);
}

#[test]
fn a_connection_of_a_runtime_that_is_driven_is_used_by_others() {
    let (hub, client) = hub();
    let first = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    assert_eq!(first.block_on(attempts(&client)), 1);
    assert_eq!(runtime().block_on(attempts(&client)), 1);
    assert_eq!(hub.requests().len(), 2);
}

/// As in tests, each of which has a runtime of its own, with a client in a `static`.
#[test]
fn a_connection_of_a_runtime_that_is_gone_costs_nothing() {
    let (_hub, client) = hub();
    for _ in 0..5 {
        assert_eq!(runtime().block_on(attempts(&client)), 1);
    }
}
