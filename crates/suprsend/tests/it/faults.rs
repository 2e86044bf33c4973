//! Everything that can go wrong between a call and its result: each test asserts the outcome and the number of requests.
//!
//! The clock is tokio's, paused: it jumps to the next timer when nothing else is to do, so that timeouts and delays cost no time.

use std::{
    io::Write,
    net::Ipv4Addr,
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use suprsend::{
    Client, Error, RetryPolicy,
    error::{TimeoutKind, TooManyAttempts},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::Instant,
};

use crate::server::{Answer, Nobody, Received, Server, Step, created, head, json, profile, response};

type Outcome = Result<suprsend::Response<suprsend::types::User>, Error>;

async fn upsert(client: &Client) -> Outcome {
    client.users().upsert("user-123").email("jane@example.com").await
}

/// The outcome with a server that answers like this.
async fn with(answers: impl IntoIterator<Item = Answer>) -> (Outcome, Server) {
    let server = Server::start(answers).await;
    (upsert(&server.client()).await, server)
}

/// What a call that was given up failed with at last.
#[track_caller]
fn gave_up(outcome: Outcome, attempts: u32) -> TooManyAttempts {
    match outcome {
        Err(Error::TooManyAttempts(error)) => {
            assert_eq!(error.attempts(), attempts);
            error
        }
        other => panic!("{other:?}"),
    }
}

fn chunk(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An error tells only about the last attempt, so a program that has to know counts them.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn attempts_that_may_have_been_processed_are_counted() {
    let silent = || Answer::Steps(vec![Step::Pause(seconds(3600))]);
    let status = |status| json(status, "{}");
    let broken = || Answer::Steps(vec![Step::Close]);
    for (answers, expected) in [
        (vec![status(401)], 0),
        (vec![status(429), status(403)], 0),
        (vec![status(503), status(401)], 1),
        (vec![broken(), status(429), status(429)], 1),
        (vec![status(429), created()], 1),
        (vec![silent(), silent(), silent()], 3),
    ] {
        let (count, server) = (Arc::new(AtomicU32::new(0)), Server::start(answers).await);
        let _ = server.client().users().upsert("user-123").count_uncertain(&count).await;
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), expected, "{:?}", server.received());
    }
    let count = Arc::new(AtomicU32::new(0));
    let _ = Nobody::new().client().users().upsert("user-123").count_uncertain(&count).await;
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 0);
}

// --- The connection. ---

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn refused_connection() {
    let nobody = Nobody::new();
    let error = gave_up(upsert(&nobody.client()).await, 3);
    assert!(matches!(error.last(), Error::Connection(_)));
    assert_eq!(error.to_string(), "gave up after 3 attempts: cannot connect to the API");
    assert_eq!(error.last().to_string(), "cannot connect to the API");
    assert!(error.last().is_retryable());
    assert_eq!(error.last().status(), None);
}

/// Each cause is printed once, in every form of output.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_chain_of_an_error_is_printed_once() {
    let error = upsert(&Nobody::new().client()).await.unwrap_err();
    let start = "gave up after 3 attempts: cannot connect to the API: ";
    let whole = format!("{error:#}");
    assert!(whole.starts_with(start) && whole.contains("efused"), "{whole}");
    assert!(start.starts_with(&error.to_string()));
    let parts: Vec<_> = whole.split(": ").collect();
    assert!(parts.iter().all(|part| parts.iter().filter(|other| other == &part).count() == 1), "{whole}");
    let debug = format!("{error:?}");
    assert!(debug.contains("causes: [") && debug.contains("efused"), "{debug}");
    for text in [&whole, &debug] {
        assert!(!text.contains("user-123") && !text.contains("/v1/"), "{text}");
    }
    assert_eq!(format!("{:#}", anyhow::Error::new(error)), whole);
}

/// A runtime may lack what calls need: no timer, no network.
#[test]
fn a_runtime_without_drivers_is_an_error() {
    let hub = suprsend_mock::Hub::builder().start_on_thread().unwrap();
    let client = Client::builder().api_key(hub.key()).base_url(hub.url()).build().unwrap();
    let outcome = |enable: fn(&mut tokio::runtime::Builder)| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        enable(&mut builder);
        builder.build().unwrap().block_on(upsert(&client))
    };
    let without = |enable| {
        let error = outcome(enable).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error:?}");
        error.to_string()
    };
    let timer =
        "runtime: has no timer: enable it with `enable_time` or `enable_all` of tokio's runtime::Builder";
    assert_eq!(without(|_| {}), timer);
    assert_eq!(without(|builder| _ = builder.enable_io()), timer);
    let network =
        "runtime: has no network: enable it with `enable_io` or `enable_all` of tokio's runtime::Builder";
    assert_eq!(without(|builder| _ = builder.enable_time()), network);
    outcome(|builder| _ = builder.enable_all()).unwrap();
}

/// Neither credentials for a proxy nor a certificate become right by asking again.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_a_proxy_refuses_is_not_tried_again() {
    let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let proxy = Server::start([Answer::Steps(vec![Step::Write(refusal.to_vec())])]).await;
    let client = Client::builder().api_key("key").base_url("https://hub.example.com").proxy(&*proxy.url);
    let error = upsert(&client.build().unwrap()).await.unwrap_err();
    let Error::Connection(_) = &error else { panic!("{error:?}") };
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), "the proxy demands other credentials");
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn accepted_then_closed() {
    let (outcome, server) = with([Answer::CloseAtOnce]).await;
    let error = gave_up(outcome, 3);
    assert!(matches!(error.last(), Error::Connection(_)), "{error:?}");
    assert_eq!((server.connections(), server.requests()), (3, 0));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn closed_after_the_request() {
    let (outcome, server) = with([Answer::Steps(vec![Step::Close]), created()]).await;
    assert_eq!(outcome.unwrap().attempts(), 2);
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn reset_in_the_middle_of_the_body() {
    let broken = Answer::Steps(vec![
        Step::Write(head(201, &[], 1000)),
        chunk("{\"distinct_id\":"),
        Step::Pause(seconds(1)),
        Step::Reset,
    ]);
    let (outcome, server) = with([broken]).await;
    let error = gave_up(outcome, 3);
    let Error::Connection(last) = error.last() else { panic!("{error:?}") };
    assert_eq!(last.status().unwrap(), 201);
    assert_eq!(last.request_id(), Some("request-1"));
    assert_eq!(last.body(), b"{\"distinct_id\":");
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_refusal_whose_body_breaks_off_is_still_a_refusal() {
    let broken = Answer::Steps(vec![Step::Write(head(403, &[], 1000)), chunk("no entr"), Step::Close]);
    let (outcome, server) = with([broken]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.status(), 403);
    assert_eq!(error.body(), b"no entr");
    assert!(error.body_is_cut());
    assert_eq!(server.requests(), 1);
}

// --- Time. ---

/// A listener whose queue is full does not answer, on Linux; other systems refuse.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn connecting_takes_too_long() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // The queue holds one more than it was asked to.
    let _waiting = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let builder = Client::builder().api_key("key").base_url(format!("http://{address}")).no_proxy();
    let client = builder.connect_timeout(seconds(2)).build().unwrap();

    let error = gave_up(upsert(&client).await, 3);
    let Error::Timeout(last) = error.last() else { panic!("{error:?}") };
    assert_eq!((last.kind(), last.status()), (TimeoutKind::Connect, None));
    assert_eq!(last.to_string(), "timed out while connecting (limit 2s)");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn no_answer() {
    let start = Instant::now();
    let (outcome, server) = with([Answer::Steps(vec![Step::Hang])]).await;
    let error = gave_up(outcome, 3);
    let Error::Timeout(last) = error.last() else { panic!("{error:?}") };
    assert_eq!(last.kind(), TimeoutKind::Attempt);
    assert_eq!(last.to_string(), "timed out while waiting for the response (limit 15s)");
    assert!(start.elapsed() >= seconds(45));
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn slow_headers() {
    let mut steps = Vec::new();
    for byte in head(201, &[], 0) {
        steps.extend([Step::Write(vec![byte]), Step::Pause(seconds(1))]);
    }
    let (outcome, server) = with([Answer::Steps(steps)]).await;
    let error = gave_up(outcome, 3);
    let Error::Timeout(last) = error.last() else { panic!("{error:?}") };
    assert_eq!((last.kind(), last.status()), (TimeoutKind::Attempt, None));
    assert_eq!(server.requests(), 3);
}

fn in_two_parts(pause: Duration) -> Answer {
    let body = profile().to_string();
    let (first, second) = body.split_at(20);
    Answer::Steps(vec![
        Step::Write(head(201, &[], body.len())),
        chunk(first),
        Step::Pause(pause),
        chunk(second),
    ])
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn slow_body() {
    let (outcome, server) = with([in_two_parts(seconds(60))]).await;
    let error = gave_up(outcome, 3);
    let Error::Timeout(last) = error.last() else { panic!("{error:?}") };
    assert_eq!(last.kind(), TimeoutKind::Attempt);
    assert_eq!(last.status().unwrap(), 201);
    assert_eq!(last.body().len(), 20);
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn slow_but_in_time() {
    let (outcome, server) = with([in_two_parts(seconds(14))]).await;
    assert_eq!(outcome.unwrap().attempts(), 1);
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_time_out_of_the_call_wins_over_an_attempt() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let start = Instant::now();
    let outcome = server.client().users().upsert("user-123").timeout(seconds(4)).await;
    let Err(Error::Timeout(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.kind(), error.attempts()), (TimeoutKind::Call, 1));
    assert_eq!(error.to_string(), "timed out as a whole (limit 4s)");
    assert!((seconds(4)..seconds(5)).contains(&start.elapsed()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_time_out_of_the_call_wins_over_a_delay() {
    let busy = response(503, &[("retry-after", "20")], "");
    let server = Server::start([busy]).await;
    let start = Instant::now();
    let outcome = server.client().users().upsert("user-123").timeout(seconds(30)).await;
    let Err(Error::Timeout(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.kind(), error.attempts()), (TimeoutKind::Call, 2));
    assert_eq!(error.last().unwrap().status().unwrap(), 503);
    let told = "timed out as a whole (limit 30s) after 2 attempts; before that: the API answered 503 Service Unavailable [request id request-1]";
    assert_eq!(error.to_string(), told);
    // It does not sit out a delay for which there is no time: 20 seconds have passed, not 30.
    assert!((seconds(20)..seconds(25)).contains(&start.elapsed()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_time_out_of_the_call_spans_its_attempts() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let outcome = server.client().users().upsert("user-123").timeout(seconds(25)).await;
    let Err(Error::Timeout(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.kind(), error.attempts()), (TimeoutKind::Call, 2));
    assert!(matches!(error.last(), Some(Error::Timeout(last)) if last.kind() == TimeoutKind::Attempt));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn endless_time_outs() {
    let server = Server::start([created()]).await;
    let client = server.builder().timeout(Duration::MAX).attempt_timeout(Duration::MAX).build().unwrap();
    assert_eq!(upsert(&client).await.unwrap().status(), 201);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn cancelling_stops_the_retries() {
    let server = Server::start([response(503, &[("retry-after", "5")], "")]).await;
    let client = server.client();
    let call = tokio::time::timeout(seconds(3), upsert(&client));
    call.await.unwrap_err();
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(server.requests(), 1);
}

// --- Retries. ---

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn unavailable_twice_then_created() {
    let (outcome, server) = with([response(503, &[], ""), response(503, &[], ""), created()]).await;
    let user = outcome.unwrap();
    assert_eq!((user.attempts(), user.status().as_u16()), (3, 201));
    assert_eq!(server.requests(), 3);
    // Every attempt is the same request.
    let bodies: Vec<_> = server.received().iter().map(Received::json).collect();
    assert_eq!(bodies, vec![json!({"$email": ["jane@example.com"]}); 3]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn every_status_that_passes_is_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (outcome, server) = with([response(status, &[], "")]).await;
        let error = gave_up(outcome, 3);
        assert_eq!(error.last().status().unwrap(), status);
        assert_eq!(server.requests(), 3, "{status}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_refusal_ends_the_retries() {
    let (outcome, server) =
        with([response(503, &[], ""), json(400, json!({"code": 400, "message": "no"}))]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.message(), Some("no"));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn internal_error_forever() {
    let (outcome, server) = with([json(500, json!({"status": "fail", "message": "oops"}))]).await;
    let error = Error::from(gave_up(outcome, 3));
    assert_eq!(error.status().unwrap(), 500);
    assert_eq!(error.api().unwrap().message(), Some("oops"));
    assert!(error.is_retryable());
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn retries_can_be_turned_off() {
    let server = Server::start([response(500, &[], "")]).await;
    let outcome = upsert(&server.builder().no_retries().build().unwrap()).await;
    assert!(matches!(outcome, Err(Error::Api(_))), "{outcome:?}");
    let outcome = server.client().users().upsert("user-123").retry(RetryPolicy::off()).await;
    assert!(matches!(outcome, Err(Error::Api(_))), "{outcome:?}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_is_not_multiplied() {
    let server = Server::start([response(500, &[], "")]).await;
    let client = server.client();
    for _ in 0..200 {
        upsert(&client.clone()).await.unwrap_err();
    }
    // 200 calls, and the 100 retries that the quota of all clones together has.
    assert_eq!(server.requests(), 300);
}

/// 429, then success: how long the call took, on the paused clock.
async fn throttled(headers: &[(&str, &str)]) -> (Outcome, Duration, Server) {
    let server = Server::start([response(429, headers, "slow down"), created()]).await;
    let start = Instant::now();
    let outcome = upsert(&server.client()).await;
    (outcome, start.elapsed(), server)
}

const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn retry_after_in_seconds_and_as_a_date() {
    let in_seven_seconds = "Sun, 06 Nov 1994 08:49:44 GMT";
    for headers in [&[("retry-after", "7")][..], &[("date", NOW), ("retry-after", in_seven_seconds)]] {
        let (outcome, took, server) = throttled(headers).await;
        assert_eq!(outcome.unwrap().attempts(), 2);
        assert!((seconds(7)..seconds(8)).contains(&took), "{took:?}");
        assert_eq!(server.requests(), 2);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn retry_after_absent_negative_past_or_garbled() {
    let past = "Sun, 06 Nov 1994 08:00:00 GMT";
    let values = ["", "-5", "soon", "1.5", past, "0"];
    let headers = values.map(|value| vec![("date", NOW), ("retry-after", value)]);
    for headers in headers.iter().chain([&Vec::new()]) {
        let (outcome, took, server) = throttled(headers).await;
        assert_eq!(outcome.unwrap().attempts(), 2, "{headers:?}");
        // The client's own delay before a second attempt is half a second at most.
        assert!(took < seconds(1), "{headers:?}: {took:?}");
        assert_eq!(server.requests(), 2);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn huge_retry_after() {
    for value in ["31", "86400", "99999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let (outcome, took, server) = throttled(&[("retry-after", value)]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{error:?}");
        assert!(error.retry_after().unwrap() > seconds(30), "{value}");
        assert!(error.is_retryable());
        assert!(took < seconds(1), "{took:?}");
        assert_eq!(server.requests(), 1, "{value}");
    }
}

// --- Refusals, in every form. ---

/// Only what says something about this call's own arguments is blamed on them.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn errors_that_concern_every_call_are_not_caused_by_the_input() {
    let said = r#"{"code": 400, "message": "no"}"#;
    for status in (300..600).filter(|status| ![304, 307, 308].contains(status)) {
        let (outcome, _) = with([response(status, &[("content-type", "application/json")], said)]).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.is_caused_by_input(), [400, 404, 409, 413, 422].contains(&status), "{error}");
        assert!(!(error.is_caused_by_input() && error.is_retryable()), "{error}");
    }
    // A gateway's, which knows no user.
    for page in [
        "<h1>Not found</h1>",
        r#"{"message": "no Route matched with those values", "request_id": "1"}"#,
        r#"{"message": "Not Found"}"#,
        r#"{"status": 404, "error": "Not Found", "message": "No message available", "path": "/v1/user/jane/"}"#,
        r#"{"error": {"message": "Not found", "code": 404}}"#,
    ] {
        let (outcome, _) = with([response(404, &[], page)]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Api(_)) && !error.is_caused_by_input(), "{page}: {error}");
    }
    let server = Server::start([created()]).await;
    assert!(server.client().users().upsert(" ").await.unwrap_err().is_caused_by_input());
    let (outcome, _) = with([json(200, "[]")]).await;
    assert!(!outcome.unwrap_err().is_caused_by_input());
    let (outcome, _) = with([Answer::CloseAtOnce]).await;
    assert!(!outcome.unwrap_err().is_caused_by_input());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn html_from_a_gateway() {
    let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let (outcome, server) = with([response(502, &[("content-type", "text/html")], page)]).await;
    let error = gave_up(outcome, 3);
    let api = error.last().api().unwrap();
    assert_eq!(api.to_string(), "the API answered 502 Bad Gateway [request id request-1]");
    assert_eq!((api.message(), api.body()), (None, page.as_bytes()));
    assert_eq!(server.requests(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn refusals_in_every_form() {
    type Said = (Option<&'static str>, Option<i64>, Option<&'static str>, Option<&'static str>);
    let forms: [(String, Said); 14] = [
        (json!({"code": 400, "message": "no"}).to_string(), (Some("no"), Some(400), None, None)),
        (
            json!({"code": 409, "error_code": "conflict", "type": "state", "message": "no", "detail": "more"}).to_string(),
            (Some("no"), Some(409), Some("conflict"), Some("state")),
        ),
        (
            json!({"code": 422, "error_code": "e", "message": "no", "detail": ["a", "b"]}).to_string(),
            (Some("no"), Some(422), Some("e"), None),
        ),
        (json!({"code": 422, "message": "no", "detail": {"$email": ["bad"]}}).to_string(), (Some("no"), Some(422), None, None)),
        (json!({"code": 404, "detail": "gone", "message": "no"}).to_string(), (Some("no"), Some(404), None, None)),
        (json!({"detail": "gone"}).to_string(), (Some("gone"), None, None, None)),
        (json!({"status": "fail", "message": "no"}).to_string(), (Some("no"), None, None, None)),
        (
            json!({"status": 413, "error": {"message": "no", "type": "too_large"}}).to_string(),
            (Some("no"), Some(413), None, Some("too_large")),
        ),
        (json!({"code": "400", "message": {"odd": true}}).to_string(), (None, Some(400), None, None)),
        (json!("no").to_string(), (Some("no"), None, None, None)),
        (json!(["no"]).to_string(), (None, None, None, None)),
        ("Unauthorized\n".to_owned(), (Some("Unauthorized"), None, None, None)),
        ("<!doctype html><title>no</title>".to_owned(), (None, None, None, None)),
        (String::new(), (None, None, None, None)),
    ];
    let statuses = [401, 403, 404, 409, 413, 422, 400, 418];
    let cases: Vec<_> =
        statuses.iter().flat_map(|status| forms.iter().map(move |form| (*status, form))).collect();
    let server = Server::start(cases.iter().map(|(status, (body, _))| response(*status, &[], body))).await;
    let client = server.client();
    for (sent, (status, (body, said))) in cases.iter().enumerate() {
        let outcome = upsert(&client).await;
        let Err(error @ (Error::Api(_) | Error::NotFound(_))) = outcome else { panic!("{outcome:?}") };
        let api = error.api().unwrap();
        assert_eq!(error.status().unwrap(), *status);
        assert_eq!((api.message(), api.code(), api.error_code(), api.error_type()), *said, "{body}");
        assert_eq!(api.body(), body.as_bytes());
        assert!(!api.body_is_cut() && !error.is_retryable());
        assert_eq!(error.request_id(), Some("request-1"));
        assert_eq!(error.to_string().lines().count(), 1);
        assert_eq!(server.requests(), sent + 1, "{status}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_details_of_a_refusal() {
    let body = json!({"code": 422, "message": "no", "detail": {"$email": ["bad"]}});
    let (outcome, _server) = with([json(422, &body)]).await;
    let error = outcome.unwrap_err();
    let api = error.api().unwrap();
    assert_eq!(api.detail(), Some(&json!({"$email": ["bad"]})));
    let typed: suprsend::types::ApiError = api.json().unwrap();
    assert_eq!(typed.code, Some(422));
}

// --- Successes, and what only looks like one. ---

#[track_caller]
fn undecodable(outcome: Outcome) -> suprsend::error::UndecodableResponse {
    match outcome {
        Err(Error::UndecodableResponse(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn any_success_with_a_profile_in_it() {
    let server = Server::start([created()]).await;
    let client = server.client();
    for status in [200, 201, 202, 203, 299] {
        for kind in ["application/json", "text/plain", "text/html; charset=utf-8", "image/png"] {
            server.answer([response(status, &[("content-type", kind)], profile().to_string())]);
            let user = upsert(&client).await.unwrap();
            assert_eq!(user.distinct_id.as_deref(), Some("user-123"));
            assert_eq!((user.status().as_u16(), user.attempts()), (status, 1));
        }
    }
    assert_eq!(server.requests(), 20);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn truncated_json() {
    let whole = profile().to_string();
    let (outcome, server) = with([json(201, &whole[..40])]).await;
    let error = undecodable(outcome);
    assert_eq!(error.status(), 201);
    assert_eq!(error.body(), &whole.as_bytes()[..40]);
    assert_eq!(
        error.to_string(),
        "the API answered 201 Created, but its response ends before its JSON does (line 1, column 40)"
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn successes_without_a_profile() {
    let bodies =
        ["", "{}", "null", "[]", "true", "\"ok\"", "<html></html>", r#"{"status":"fail","message":"no"}"#];
    for body in bodies {
        let (outcome, server) = with([json(200, body)]).await;
        let error = undecodable(outcome);
        assert_eq!((error.status().as_u16(), error.body()), (200, body.as_bytes()));
        assert_eq!(server.requests(), 1, "{body}");
    }
    let (outcome, _server) =
        with([Answer::Steps(vec![Step::Write(b"HTTP/1.1 204 -\r\n\r\n".to_vec())])]).await;
    let error = undecodable(outcome);
    assert_eq!(error.to_string(), "the API answered 204 No Content, but its response is empty");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_response_of_100_megabytes() {
    let huge = 100 * 1024 * 1024;
    let flood = Answer::Steps(vec![Step::Write(head(201, &[], huge)), Step::Flood(huge), Step::Close]);
    let (outcome, server) = with([flood.clone()]).await;
    let error = undecodable(outcome);
    assert_eq!(
        error.to_string(),
        "the API answered 201 Created, but its response is longer than the limit of 4194304 bytes"
    );
    assert!(error.body_is_cut());
    assert_eq!(error.body().len(), 64 * 1024);
    assert!(server.written() < huge / 2);
    assert_eq!(server.requests(), 1);

    // A refusal keeps its status; of its body the beginning.
    let Answer::Steps(mut steps) = flood else { panic!() };
    steps[0] = Step::Write(head(403, &[], huge));
    let (outcome, server) = with([Answer::Steps(steps)]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.status().as_u16(), error.body().len()), (403, 64 * 1024));
    assert!(error.body_is_cut());
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_limit_is_the_callers() {
    let server = Server::start([created()]).await;
    let length = profile().to_string().len();
    let limited = |limit| server.builder().max_response_size(limit).build().unwrap();
    upsert(&limited(length)).await.unwrap();
    undecodable(upsert(&limited(length - 1)).await);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn invalid_utf8() {
    let mut body = profile().to_string().into_bytes();
    let at = body.windows(4).position(|four| four == b"jane").unwrap();
    body[at] = 0xff;
    let (outcome, server) = with([response(201, &[], &body)]).await;
    assert_eq!(undecodable(outcome).body(), body);
    assert_eq!(server.requests(), 1);

    let (outcome, server) = with([response(400, &[], b"bad \xff\xfe")]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.message(), error.body()), (None, &b"bad \xff\xfe"[..]));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn json_of_10_000_levels() {
    let deep = format!(
        r#"{{"distinct_id":"x","properties":{{"deep":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let (outcome, server) = with([json(201, &deep)]).await;
    assert_eq!(undecodable(outcome).body(), deep.as_bytes());
    assert_eq!(server.requests(), 1);

    let (outcome, server) = with([json(422, &deep)]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((error.status().as_u16(), error.message()), (422, None));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn unknown_channel_status_and_field() {
    let mut body = profile();
    body["$telegram"] = json!([{"value": "@jane", "status": "active"}]);
    body["segment"] = json!({"nested": [1, null]});
    body["$email"][0]["status"] = json!("resting");
    body["$email"][0]["perma_status_code"] = json!(550);
    let (outcome, server) = with([json(201, &body)]).await;
    let user = outcome.unwrap();
    assert_eq!(user.extra["$telegram"], body["$telegram"]);
    assert_eq!(user.extra["segment"], body["segment"]);
    assert_eq!(user.email[0].status.as_deref(), Some("resting"));
    assert!(!user.email[0].is_active());
    assert_eq!(user.email[0].extra["perma_status_code"], 550);
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn null_where_a_list_is_expected() {
    let mut body = profile();
    body["$sms"] = json!(null);
    body["$slack"] = json!([{"value": null, "status": null}]);
    let (outcome, server) = with([json(201, &body)]).await;
    let user = outcome.unwrap();
    assert!(user.sms.is_empty());
    assert_eq!(user.email.len(), 1);
    // Where null is a value, it stays.
    assert_eq!(user.properties["nothing"], json!(null));
    assert_eq!(server.requests(), 1);
}

// --- Redirects. ---

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn redirect_to_the_same_host() {
    for status in [307, 308] {
        let (outcome, server) =
            with([response(status, &[("location", "/v2/elsewhere/")], ""), created()]).await;
        assert_eq!(outcome.unwrap().attempts(), 1);
        let received = server.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[1].line, "POST /v2/elsewhere/ HTTP/1.1");
        assert_eq!(received[1].header("authorization"), Some("Bearer test-key"));
        assert_eq!(received[1].json(), json!({"$email": ["jane@example.com"]}));
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn redirect_that_would_turn_the_request_into_another() {
    for status in [301, 302, 303] {
        let (outcome, server) = with([response(status, &[("location", "/elsewhere/")], ""), created()]).await;
        let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.status(), status);
        assert_eq!(error.headers()["location"], "/elsewhere/");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn redirect_to_another_host_port_or_scheme() {
    let other = Server::start([created()]).await;
    let port = |server: &Server| server.url.rsplit(':').next().unwrap().to_owned();
    for status in [301, 302, 303, 307, 308] {
        let own = Server::start([response(status, &[], "")]).await;
        let targets = [
            format!("{}/v1/user/user-123/", other.url),
            format!("http://localhost:{}/v1/user/user-123/", port(&own)),
            format!("https://127.0.0.1:{}/v1/user/user-123/", port(&own)),
        ];
        for target in targets {
            let (outcome, server) = with([response(status, &[("location", &target)], "")]).await;
            let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(error.status(), status);
            assert_eq!(server.requests(), 1);
        }
        assert_eq!(own.requests(), 0);
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn redirects_in_a_circle() {
    let (outcome, server) = with([response(307, &[("location", "/v1/round/")], "")]).await;
    let Err(Error::Api(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.status(), 307);
    assert_eq!(server.requests(), 6);
}

// --- Ids. ---

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn bad_ids_are_not_sent() {
    let server = Server::start([created()]).await;
    let long = "x".repeat(256);
    let ids = [
        ("", "is empty"),
        (" \t\n", "is only whitespace"),
        (".", "is `.` or `..`"),
        ("..", "is `.` or `..`"),
        (" .. ", "is `.` or `..`"),
        (&long, "more than 255 characters"),
        ("a\u{0}b", "control characters"),
        ("a\nb", "control characters"),
        ("a\u{7f}b", "control characters"),
        ("a\u{85}b", "control characters"),
    ];
    for (id, rule) in ids {
        let error = server.client().users().upsert(id).await.unwrap_err();
        let Error::InvalidInput(input) = &error else { panic!("{error:?}") };
        assert_eq!(input.violations()[0].path(), "distinct_id");
        assert!(error.to_string().contains(rule), "{id:?}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn good_ids_arrive_exactly_as_they_are() {
    let server = Server::start([created()]).await;
    let client = server.client();
    let long = "ä".repeat(255);
    let ids = [
        "a/b",
        "/",
        "a//b/",
        "a?b=c",
        "a#b",
        "100%",
        "%2F",
        "%2e%2e",
        "a+b",
        "a b  c",
        "a\\b",
        "..\\x",
        "..\\..\\x",
        "../x",
        "...",
        "👩‍💻 🎉",
        "مرحبا",
        "שלום\u{200f}",
        "日本語",
        "a\"<>`{}|^[]",
        "a;b=c,d:e@f&g!$'()*~",
        "\u{feff}x",
        &long,
    ];
    for id in ids {
        client.users().upsert(id).await.unwrap();
        let received = server.received().pop().unwrap();
        let path = received.target().strip_prefix("/v1/user/").unwrap().strip_suffix('/').unwrap();
        assert!(!path.contains(['/', '\\', '?', '#']), "{path}");
        let sent = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
        assert_eq!(sent, id);
    }
    client.users().upsert("  user-123\n").await.unwrap();
    assert_eq!(server.received().pop().unwrap().target(), "/v1/user/user-123/");
}

// --- Compression. ---

/// A break of the connection is one, also where the body is compressed; broken compression is something else.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_break_in_a_body_says_what_broke() {
    let connection = "the connection to the API broke before the response was complete";
    let compression = "the API's response is compressed and cannot be decompressed";
    let (plain, gzip) = (profile().to_string().into_bytes(), zipped(profile().to_string().as_bytes()));
    let half = |body: &[u8]| body[..body.len() / 2].to_vec();
    let encoded = [("content-encoding", "gzip")];
    let chunked = |headers: &str, body: &[u8]| {
        let head =
            format!("HTTP/1.1 201 -\r\ntransfer-encoding: chunked\r\n{headers}\r\n{:x}\r\n", body.len());
        [head.as_bytes(), body, b"\r\n"].concat()
    };
    for (what, written, end, said) in [
        ("plain, closed", [head(201, &[], plain.len()), half(&plain)].concat(), Step::Close, connection),
        ("plain, reset", [head(201, &[], plain.len()), half(&plain)].concat(), Step::Reset, connection),
        ("plain, in chunks", chunked("", &half(&plain)), Step::Close, connection),
        (
            "plain, a wrong chunk",
            [chunked("", &half(&plain)), b"what?\r\n".to_vec()].concat(),
            Step::Close,
            connection,
        ),
        ("gzip, closed", [head(201, &encoded, gzip.len()), half(&gzip)].concat(), Step::Close, connection),
        ("gzip, reset", [head(201, &encoded, gzip.len()), half(&gzip)].concat(), Step::Reset, connection),
        ("gzip, in chunks", chunked("content-encoding: gzip\r\n", &half(&gzip)), Step::Close, connection),
        (
            "gzip, whole and wrong",
            [head(201, &encoded, plain.len()), plain.clone()].concat(),
            Step::Pause(Duration::ZERO),
            compression,
        ),
        (
            "gzip, whole and half",
            [head(201, &encoded, gzip.len() / 2), half(&gzip)].concat(),
            Step::Pause(Duration::ZERO),
            compression,
        ),
    ] {
        // What was written is read before a reset, which takes away what has not been.
        let steps = vec![Step::Write(written), Step::Pause(seconds(1)), end];
        let (outcome, server) = with([Answer::Steps(steps)]).await;
        let error = gave_up(outcome, 3);
        assert_eq!(error.last().to_string(), said, "{what}");
        assert_eq!(
            (error.last().status().map(|status| status.as_u16()), server.requests()),
            (Some(201), 3),
            "{what}"
        );
    }
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn gzip_is_accepted() {
    let gzip = [("content-encoding", "gzip")];
    let (outcome, server) = with([response(201, &gzip, zipped(profile().to_string().as_bytes()))]).await;
    assert_eq!(outcome.unwrap().distinct_id.as_deref(), Some("user-123"));
    assert!(server.received()[0].header("accept-encoding").unwrap().contains("gzip"));

    // 8 MB of zeros in 8 kB: what counts is what it unpacks to.
    let bomb = zipped(&vec![b'0'; 8 << 20]);
    let (outcome, server) = with([response(201, &gzip, &bomb)]).await;
    assert!(undecodable(outcome).to_string().contains("longer than the limit"));
    assert_eq!(server.requests(), 1);

    let (outcome, server) = with([response(201, &gzip, "not gzip at all")]).await;
    assert!(matches!(gave_up(outcome, 3).last(), Error::Connection(_)));
    assert_eq!(server.requests(), 3);
}

/// A body may be several gzip members one after another (RFC 1952, 2.2).
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn gzip_of_several_members_is_read_whole() {
    let gzip = [("content-encoding", "gzip")];
    let body = profile().to_string();
    let (head, tail) = body.as_bytes().split_at(body.len() / 2);
    let members = [zipped(head), zipped(b""), zipped(tail)].concat();
    let (outcome, server) = with([response(201, &gzip, &members)]).await;
    assert_eq!(outcome.unwrap().distinct_id.as_deref(), Some("user-123"));
    assert_eq!(server.requests(), 1);
}

/// A body that breaks off between two members, or in one, is no whole body, nor is one with something else behind it.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn gzip_that_breaks_off_is_not_read() {
    let gzip = [("content-encoding", "GZIP")];
    let body = zipped(profile().to_string().as_bytes());
    let whole = [&body[..], b"no gzip"].concat();
    for body in [&body[..body.len() - 1], &body[..12], &whole] {
        let (outcome, server) = with([response(201, &gzip, body)]).await;
        let error = gave_up(outcome, 3);
        assert!(matches!(error.last(), Error::Connection(_)), "{error:?}");
        assert_eq!(server.requests(), 3);
    }
    // A refusal says what it can, and nothing is no broken body.
    let (outcome, _server) = with([response(400, &gzip, "")]).await;
    assert_eq!(outcome.unwrap_err().status().map(|status| status.as_u16()), Some(400));
}
