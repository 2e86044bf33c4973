//! Calls that are made one at a time, and share their flow control.

use std::{future::IntoFuture, time::Duration};

use suprsend::{Client, Error, RetryPolicy};
use suprsend_mock::{Fault, Hub};
use tokio::time::{Instant, timeout};

use crate::server::{Answer, Server, Step, created, json, response};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A server that is out of order three times, and then gives these answers.
async fn out_of_order(then: impl IntoIterator<Item = Answer>) -> (Server, Client) {
    let server = Server::start(vec![Answer::CloseAtOnce; 3].into_iter().chain(then)).await;
    let client = server.client();
    (server, client)
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_probe_that_is_dropped_is_made_by_another_call() {
    let (server, client) = out_of_order([Answer::Steps(vec![Step::Hang]), created()]).await;
    let throttle = client.throttle();
    let probe = client.users().upsert("jane").throttle(&throttle);
    assert!(timeout(Duration::from_secs(10), probe).await.is_err());
    assert!(throttle.outage().is_some());
    assert_eq!(server.requests(), 1, "the probe was sent");

    let other = client.users().upsert("joe").throttle(&throttle);
    timeout(Duration::from_secs(60), other).await.expect("nobody waits for a call that is gone").unwrap();
    assert!(throttle.outage().is_none());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_probe_that_cannot_be_sent_is_made_by_another_call() {
    let (_server, client) = out_of_order([created()]).await;
    let throttle = client.throttle();
    let first = client.users().upsert("jane").throttle(&throttle).retry(RetryPolicy::off());
    for _ in 0..3 {
        first.clone().await.unwrap_err();
    }
    assert!(throttle.outage().is_some());
    let unsendable = client.call(Unsendable).throttle(&throttle).await.unwrap_err();
    assert!(matches!(unsendable, Error::Config(_)), "{unsendable}");
    timeout(Duration::from_secs(60), first).await.expect("nobody waits for a call that has failed").unwrap();
}

/// An operation with a credential that the client never has.
#[derive(Clone)]
struct Unsendable;

impl suprsend::Operation for Unsendable {
    const SPEC: &'static suprsend_api::Spec =
        &suprsend_api::Spec::new("unsendable", http::Method::GET, "/a/")
            .credential(suprsend_api::Credential::Scheme("Other"));
    type Body = ();
    type Response = ();
    type Refusal = serde_json::Value;

    fn request(&self, base: &suprsend_api::Base) -> Result<reqwest::Request, suprsend_api::RequestError> {
        base.request(Self::SPEC, &[])
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_order_of_throttle_and_retry_makes_no_difference() {
    let busy = response(429, &[("retry-after", "60")], "");
    let server = Server::start([busy.clone(), created(), busy, created()]).await;
    let client = server.client();
    let upsert = || client.users().upsert("jane");
    upsert().throttle(&client.throttle()).retry(RetryPolicy::default()).await.unwrap();
    upsert().retry(RetryPolicy::default()).throttle(&client.throttle()).await.unwrap();
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_that_makes_the_api_fail_does_not_keep_the_others_waiting() {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy().build().unwrap();
    hub.inject(Fault::status(500).share(1.0).operation("delete-user")).unwrap();
    let throttle = client.throttle();
    client.users().delete("jane").throttle(&throttle).await.unwrap_err();
    // Its queue delivers it again.
    let (again, permit) = (client.users().delete("jane").throttle(&throttle), throttle.permit().await);
    let again = tokio::spawn(async move {
        let _permit = permit;
        again.await
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(throttle.outage().is_some());
    let _permit = timeout(HOUR, throttle.permit()).await.expect("there is room for another call");
    timeout(HOUR, client.users().upsert("joe").throttle(&throttle)).await.expect("it probes, too").unwrap();
    let error = timeout(HOUR, again).await.expect("without an outage, it fails").unwrap().unwrap_err();
    assert!(matches!(error, Error::TooManyAttempts(_)), "{error}");
}

/// SuprSend recognizes a key for 24 hours. An upsert needs none.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_longer_than_keys_are_recognized_ends_a_call_that_needs_one() {
    let server = Server::start([Answer::CloseAtOnce]).await;
    let policy = RetryPolicy::default().base_delay(HOUR).max_delay(HOUR);
    let client = server.builder().retry(policy).timeout(100 * HOUR).build().unwrap();
    let throttle = client.throttle().max_pause(HOUR);
    let start = Instant::now();
    let upsert = tokio::spawn(client.users().upsert("jane").throttle(&throttle).into_future());
    let trigger = client.workflows().trigger("order-shipped").recipient("jane").throttle(&throttle);
    let error = trigger.await.unwrap_err();
    assert!(matches!(error, Error::TooManyAttempts(_)), "{error}");
    assert!(start.elapsed() > 23 * HOUR && start.elapsed() < 26 * HOUR, "{:?}", start.elapsed());

    server.answer([created()]);
    upsert.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_is_missing_after_a_lost_response_may_be_done() {
    let lost = || Answer::Steps(vec![Step::Close]);
    let missing = || json(404, serde_json::json!({"code": 404, "message": "not found"}));
    let server = Server::start([lost(), missing(), missing(), lost(), missing()]).await;
    let client = server.client();
    for may_be_done in [true, false] {
        let error = client.users().delete("jane").await.unwrap_err();
        let Error::NotFound(missing) = &error else { panic!("{error}") };
        assert_eq!(
            (missing.may_be_done(), error.is_caused_by_input()),
            (may_be_done, !may_be_done),
            "{error}"
        );
    }
    assert!(client.users().get("jane").optional().await.unwrap().is_none());
    let Err(Error::NotFound(error)) = client.users().get("jane").await else { panic!("is found") };
    assert!(!error.may_be_done(), "reading has no effect");
}
