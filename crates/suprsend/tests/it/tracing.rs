//! The span of a call: what it says, and what it does not.

use std::{
    io,
    sync::{Arc, Mutex},
};

use suprsend::types::SlackChannel;
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use crate::server::{Server, created, profile, response};

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that is logged until the guard is dropped.
fn listen() -> (Log, tracing::Dispatch, tracing::subscriber::DefaultGuard) {
    // While there is one subscriber only, a span that another test is the first to come by is switched off for all of them.
    let other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    (log, other, tracing::subscriber::set_default(subscriber))
}

impl Log {
    /// All lines, in which nothing is that stands for a person or is a secret.
    #[track_caller]
    fn text(&self) -> String {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(!log.contains("secret"), "{log}");
        log
    }
}

/// The line of the log with this in it has these parts, each once.
#[track_caller]
fn assert_line(log: &str, with: &str, parts: &[&str]) {
    let lines: Vec<_> = log.lines().filter(|line| line.contains(with)).collect();
    let [line] = lines[..] else { panic!("{with}: {log}") };
    for part in parts {
        assert_eq!(line.matches(part).count(), 1, "{part}: {line}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_has_a_span() {
    let (log, _other, _guard) = listen();
    let server = Server::start([response(503, &[("retry-after", "3")], "secret-response"), created()]).await;
    let client = server.builder().api_key("secret-key").build().unwrap();
    client
        .users()
        .upsert("secret-id")
        .email("secret@example.com")
        .slack(SlackChannel::channel("C1", "secret-token"))
        .await
        .unwrap();

    let log = log.text();
    let retry = ["attempt=1", "error.type=\"503\"", "http.response.status_code=503", "delay_ms=3"];
    assert_line(&log, "attempt failed, trying again", &[&retry[..], &["WARN", " suprsend: "]].concat());
    let end = [
        "suprsend.call",
        " suprsend: ",
        "otel.kind=\"client\"",
        "otel.name=\"create-update-users\"",
        "http.request.method=\"POST\"",
        "http.response.status_code=201",
        "server.address=\"127.0.0.1\"",
        "server.port=",
        "url.template=\"/v1/user/{distinct_id}/\"",
        "suprsend.attempts=2",
        "suprsend.request_id=\"request-1\"",
    ];
    assert_line(&log, "close", &end);
    assert!(!log.contains("otel.status_code") && !log.contains("ERROR"), "{log}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_that_failed_is_an_error() {
    let (log, _other, _guard) = listen();
    let body = r#"{"code": 400, "message": "secret@example.com is not known"}"#;
    let server = Server::start([response(400, &[], body)]).await;
    let client = server.builder().build().unwrap();
    client
        .workflows()
        .trigger("order-shipped")
        .recipient("secret-id")
        .data("code", "secret")
        .await
        .unwrap_err();
    let log = log.text();
    // The span, with its own fields, stands in front of the event.
    let event = log.lines().find_map(|line| Some((line, line.split_once("call failed")?.1))).unwrap();
    assert!(event.0.contains("ERROR") && event.0.contains(" suprsend: "), "{log}");
    for part in ["error.type=\"400\"", "http.response.status_code=400", "attempts=1"] {
        assert!(event.1.contains(part), "{part}: {log}");
    }
    let end = ["otel.status_code=\"ERROR\"", "error.type=\"400\"", "url.template=\"/trigger/\""];
    assert_line(&log, "close", &end);
}

/// The key, and a header of the client and one of the call, which may hold another.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn secrets_that_a_response_echoes_are_not_logged() {
    let (log, _other, _guard) = listen();
    for secret in ["secret-key", "secret-of-the-client", "secret-of-the-call"] {
        for (status, body) in [(201, profile().to_string()), (400, "{}".to_owned())] {
            let echo = response(status, &[("x-request-id", &format!("id-{secret}"))], body);
            let server = Server::start([echo]).await;
            let client = server.builder().api_key("secret-key").default_header("x-a", "secret-of-the-client");
            let client = client.build().unwrap();
            let _ = client.users().upsert("id").header("x-b", "secret-of-the-call").await;
        }
    }
    let text = log.text();
    let ends = text.lines().filter(|line| line.contains(": close "));
    let redacted = ends.filter(|line| line.contains("suprsend.request_id=\"[redacted]\""));
    assert_eq!(redacted.count(), 6, "{text}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_is_refused_before_it_is_sent_has_a_span_too() {
    let (log, _other, _guard) = listen();
    let server = Server::start([created()]).await;
    server.client().users().upsert("secret-id").email("no secret address").await.unwrap_err();
    let log = log.text();
    assert_line(&log, "close", &["error.type=\"invalid_input\"", "suprsend.attempts=0"]);
    assert!(log.contains("call failed"), "{log}");
    assert_eq!(server.requests(), 0);
}
