//! Reports of calls to the hook of a client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use suprsend::{CallReport, ClientBuilder, Error, error::ErrorKind};
use suprsend_mock::Hub;

use crate::server::{Answer, Server, Step, created, head, json, profile, response};

type Reports = Arc<Mutex<Vec<CallReport>>>;

/// A client's reports.
fn reported(builder: ClientBuilder) -> (suprsend::Client, Reports) {
    let reports = Reports::default();
    let kept = Arc::clone(&reports);
    let client = builder.on_call(move |report| kept.lock().unwrap().push(report.clone())).build().unwrap();
    (client, reports)
}

#[track_caller]
fn only(reports: &Reports) -> CallReport {
    let mut reports = reports.lock().unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.pop().unwrap()
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_success() {
    let server = Server::start([response(503, &[("retry-after", "3")], "busy"), created()]).await;
    let (client, reports) = reported(server.builder());
    client.users().upsert("jane").email("jane@example.com").await.unwrap();
    let report = only(&reports);
    let sent: usize = server.received().iter().map(|request| request.body.len()).sum();
    assert_eq!((report.operation, report.attempts, report.error), ("create-update-users", 2, None));
    assert_eq!(report.status.unwrap(), 201);
    assert_eq!(report.bytes_sent, sent as u64);
    assert_eq!(report.bytes_received, ("busy".len() + profile().to_string().len()) as u64);
    assert!(report.duration >= Duration::from_secs(3));
    // Nobody is in it.
    let printed = format!("{report:?}");
    assert!(!printed.contains("jane") && !printed.contains("test-key"), "{printed}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn failures() {
    let cut =
        Answer::Steps(vec![Step::Write(head(201, &[], 100)), Step::Write(b"{\"di".to_vec()), Step::Close]);
    let cases = [
        (json(400, "{}"), ErrorKind::Api, Some(400), 2),
        (json(200, "[]"), ErrorKind::UndecodableResponse, Some(200), 2),
        (cut, ErrorKind::Connection, Some(201), 4),
        (Answer::Steps(vec![Step::Hang]), ErrorKind::Timeout, None, 0),
    ];
    for (answer, kind, status, received) in cases {
        let server = Server::start([answer]).await;
        let (client, reports) = reported(server.builder().no_retries());
        let error = client.users().upsert("jane").await.unwrap_err();
        let report = only(&reports);
        assert_eq!((report.error, report.attempts), (Some(kind), 1), "{error:?}");
        assert_eq!((report.status.map(|status| status.as_u16()), report.bytes_received), (status, received));
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn of_several_attempts_the_last_says_the_kind() {
    let server = Server::start([json(503, "{}")]).await;
    let (client, reports) = reported(server.builder());
    let error = client.users().upsert("jane").await.unwrap_err();
    assert!(matches!(error, Error::TooManyAttempts(_)), "{error:?}");
    let report = only(&reports);
    assert_eq!((report.attempts, report.error), (3, Some(ErrorKind::Api)));
    assert_eq!(report.status.unwrap(), 503);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn calls_that_are_refused_or_dropped() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let (client, reports) = reported(server.builder());
    client.users().upsert("").await.unwrap_err();
    let report = only(&reports);
    assert_eq!((report.attempts, report.bytes_sent), (0, 0));
    assert_eq!((report.error, report.status), (Some(ErrorKind::InvalidInput), None));

    let call = client.users().upsert("jane").send();
    tokio::time::timeout(Duration::from_secs(1), call).await.unwrap_err();
    let report = only(&reports);
    assert_eq!((report.attempts, report.error), (1, Some(ErrorKind::Cancelled)));
    assert!(report.bytes_sent > 0);
}

#[tokio::test]
async fn absence_that_is_asked_for_is_no_failure() {
    let hub = Hub::start().await.unwrap();
    let (client, reports) = reported(suprsend::Client::builder().base_url(hub.url()).api_key(hub.key()));
    assert!(client.users().get("jane").optional().await.unwrap().is_none());
    let report = only(&reports);
    assert_eq!((report.error, report.status.unwrap().as_u16()), (None, 404));
    client.users().get("jane").await.unwrap_err();
    assert_eq!(only(&reports).error, Some(ErrorKind::NotFound));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_hook_that_panics_breaks_nothing() {
    let server = Server::start([created()]).await;
    let client = server.builder().on_call(|report| panic!("{}", report.operation)).build().unwrap();
    client.users().upsert("jane").await.unwrap();
    client.users().upsert("").await.unwrap_err();
}
