//! The span of a call: what it says, and what it does not.

use std::{
    io,
    sync::{Arc, Mutex},
};

use suprsend::types::SlackChannel;
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use crate::server::{Server, created, reply};

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

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_has_a_span() {
    // While there is one subscriber only, a span that another test is the first to come by is switched off for all of them.
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start([reply(503, &[("retry-after", "3")], "secret-reply"), created()]).await;
    let client = server.builder().api_key("secret-key").build().unwrap();
    client
        .users()
        .upsert("secret-id")
        .email("secret@example.com")
        .slack(SlackChannel::channel("C1", "secret-token"))
        .await
        .unwrap();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("secret"), "{log}");
    let line =
        |part: &str| log.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {log}"));
    let retry = line("attempt failed, trying again");
    for part in ["WARN", "attempt=1", "status=503", "delay_ms=3"] {
        assert!(retry.contains(part), "{part}: {retry}");
    }
    let end = line("close");
    let parts = [
        "suprsend.call",
        "operation=\"create-update-users\"",
        "host=\"127.0.0.1\"",
        "attempt=2",
        "status=201",
        "request_id=\"request-1\"",
        "duration_ms=3",
    ];
    for part in parts {
        assert!(end.contains(part), "{part}: {end}");
    }
}
