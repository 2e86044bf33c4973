//! Idempotency keys: made once for a call, never over the caller's own, and what they allow.

use suprsend::{Client, Error, types::Event};
use suprsend_mock::{Fault, Hub};

use crate::server::{Answer, Server, Step, json};

fn accepted() -> Answer {
    json(202, serde_json::json!({"status": "success", "message_id": "m1"}))
}

fn keys(server: &Server) -> Vec<Option<String>> {
    let key = |body: serde_json::Value| body["$idempotency_key"].as_str().map(str::to_owned);
    server.received().iter().map(|request| key(request.json())).collect()
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn all_attempts_of_a_call_carry_the_same_key() {
    let server = Server::start([Answer::Steps(vec![Step::Reset]), json(503, "{}"), accepted()]).await;
    let trigger = server.client().workflows().trigger("order-shipped").recipient("jane");
    let response = trigger.clone().await.unwrap();
    let sent = keys(&server);
    assert_eq!(sent.len(), 3);
    let key = sent[0].clone().unwrap();
    // A UUID of version 7.
    assert_eq!((key.len(), key.as_bytes()[14]), (36, b'7'));
    assert!(sent.iter().all(|sent| sent.as_ref() == Some(&key)));
    assert_eq!(response.idempotency_key(), Some(key.as_str()));

    // The same again is another call.
    let again = trigger.await.unwrap();
    assert_ne!(again.idempotency_key(), Some(key.as_str()));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_key_of_the_callers_stays() {
    let server = Server::start([json(503, "{}"), accepted()]).await;
    let workflows = server.client().workflows();
    let response = workflows.trigger("w").recipient("jane").idempotency_key("order-5678").await.unwrap();
    assert_eq!(response.idempotency_key(), Some("order-5678"));
    assert_eq!(keys(&server), [Some("order-5678".to_owned()), Some("order-5678".to_owned())]);

    // Two things may be meant by an empty one, so it is neither sent nor replaced.
    let refused = workflows.trigger("w").recipient("jane").idempotency_key("").await.unwrap_err();
    let Error::InvalidInput(input) = refused else { panic!("{refused:?}") };
    assert_eq!(input.violations()[0].path(), "$idempotency_key");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn they_can_be_switched_off() {
    let server = Server::start([Answer::Steps(vec![Step::Reset]), accepted()]).await;
    let client = server.builder().idempotency_keys(false).build().unwrap();
    let trigger = || client.workflows().trigger("w").recipient("jane");
    // A request that may have been processed is not sent again.
    let error = trigger().await.unwrap_err();
    assert!(matches!(error, Error::Connection(_)), "{error:?}");
    let response = trigger().await.unwrap();
    assert_eq!(response.idempotency_key(), None);
    assert_eq!(keys(&server), [None, None]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_key_can_be_known_before() {
    let server = Server::start([Answer::Steps(vec![Step::Reset]), accepted()]).await;
    let client = server.builder().no_retries().build().unwrap();
    let mut trigger = client.workflows().trigger("w").recipient("jane");
    let key = trigger.assign_idempotency_key().unwrap();
    assert_eq!(trigger.assign_idempotency_key().as_ref(), Some(&key));
    assert_eq!(trigger.operation().body.idempotency_key.as_ref(), Some(&key));
    trigger.clone().await.unwrap_err();
    let response = trigger.await.unwrap();
    assert_eq!(response.idempotency_key(), Some(key.as_str()));
    assert_eq!(keys(&server), [Some(key.clone()), Some(key)]);
    assert_eq!(client.users().get("jane").assign_idempotency_key(), None);
}

/// The hub runs what it is sent, and the response is lost.
#[tokio::test]
async fn a_lost_response_does_not_run_a_workflow_twice() {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).workspace("acme").build().unwrap();
    hub.inject(Fault::lost()).unwrap();
    let response = client.workflows().trigger("order-shipped").recipient("jane").await.unwrap();
    assert_eq!(response.attempts(), 2);
    hub.assert_triggered("order-shipped").times(1);
    assert_eq!(hub.sent()[0].key(), response.idempotency_key());

    hub.seed("jane", serde_json::json!({})).unwrap();
    hub.inject(Fault::lost()).unwrap();
    let response = client.events().track("jane", "order_placed").await.unwrap();
    assert_eq!((response.attempts(), response.idempotency_key().is_some()), (2, true));
    hub.assert_tracked("order_placed").times(1);

    // Each record of a list has a key of its own.
    let event = |name: &str| -> Event {
        serde_json::from_value(serde_json::json!({"distinct_id": "jane", "event": name})).unwrap()
    };
    hub.inject(Fault::lost()).unwrap();
    let response = client.events().track_many([event("one"), event("two")]).await.unwrap();
    assert_eq!((response.attempts(), response.idempotency_key()), (2, None));
    hub.assert_tracked("one").times(1);
    hub.assert_tracked("two").times(1);

    // A broadcast's key is not relied on: a wrong repeat would reach a whole list.
    client.lists().upsert("news").await.unwrap();
    hub.inject(Fault::lost()).unwrap();
    let error = client.broadcasts().send("news", "may", "promotional").idempotency_key("may").await;
    assert!(matches!(error, Err(Error::Connection(_))), "{error:?}");
    hub.assert_broadcast("news").times(1);
}

#[cfg(feature = "blocking")]
#[test]
fn with_the_blocking_client() {
    let hub = Hub::builder().start_on_thread().unwrap();
    let client =
        suprsend::blocking::Client::builder().base_url(hub.url()).api_key(hub.key()).build().unwrap();
    hub.inject(Fault::lost()).unwrap();
    let response = client.workflows().trigger("order-shipped").recipient("jane").send().unwrap();
    assert_eq!(response.attempts(), 2);
    hub.assert_triggered("order-shipped").times(1);
    assert_eq!(hub.sent()[0].key(), response.idempotency_key());
}
