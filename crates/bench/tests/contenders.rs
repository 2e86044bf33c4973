//! The contenders do the same work: the same requests reach the server, whoever sends them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected};
use hyper::StatusCode;
use serde_json::Value;
use suprsend_bench::{
    client::{self, Task},
    contenders::{Contender, KEY},
    server,
};
use tokio::net::TcpListener;

/// Method and path, the header with the key, and the body.
type Seen = (String, String, Value);

async fn requests_of(contender: Contender) -> Vec<Seen> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&seen);
    let example = Bytes::from(server::example().unwrap());
    let serving = tokio::spawn(server::accept(listener, move |request| {
        let (example, recorded) = (example.clone(), Arc::clone(&recorded));
        async move {
            let (head, body) = request.into_parts();
            let key = head.headers.get("authorization").and_then(|value| value.to_str().ok());
            let key = key.unwrap_or_default().to_owned();
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let is_trigger = head.uri.path() == "/trigger/";
            recorded.lock().unwrap().push((format!("{} {}", head.method, head.uri.path()), key, body));
            if is_trigger {
                server::response(StatusCode::ACCEPTED, Bytes::from_static(server::ACCEPTED))
            } else {
                server::response(StatusCode::CREATED, example)
            }
        }
    }));
    let task = Task { contender, server: address, concurrency: 2, requests: 5, warm_up: 3 };
    let sample = client::run(&task).await.unwrap();
    assert_eq!(sample.requests, 5);
    serving.abort();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    seen
}

#[tokio::test]
async fn all_send_the_same_requests() {
    let expected = requests_of(Contender::Hyper).await;
    assert_eq!(expected.len(), 8);
    assert_eq!(expected[0].0, "POST /v1/user/user-00000000/");
    assert_eq!(expected[0].1, format!("Bearer {KEY}"));
    assert_eq!(expected[0].2["$email"][0], "user-00000000@example.com");
    for contender in Contender::RUST {
        assert_eq!(requests_of(contender).await, expected, "{contender:?}");
    }
}

#[tokio::test]
async fn all_send_the_same_triggers() {
    // Each has an idempotency key of its own.
    let triggers_of = async |contender| {
        let mut triggers = requests_of(contender).await;
        let mut keys: Vec<_> = triggers
            .iter_mut()
            .map(|(_, _, body)| body.as_object_mut().unwrap().remove("$idempotency_key").unwrap().to_string())
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 8);
        triggers.sort_by_key(|(_, _, body)| body.to_string());
        triggers
    };
    let expected = triggers_of(Contender::HandwrittenTrigger).await;
    assert_eq!((expected[0].0.as_str(), &expected[0].2["workflow"]), ("POST /trigger/", &"benchmark".into()));
    assert_eq!(triggers_of(Contender::SdkTrigger).await, expected);
}

/// A reader that has gone away makes no panic, and no other exit code.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_it_quietly() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let example = Bytes::from(server::example().unwrap());
    let serving = tokio::spawn(server::accept(listener, move |_| {
        let example = example.clone();
        async move { server::response(StatusCode::CREATED, example) }
    }));
    let run = move |server: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_suprsend-bench"));
        command.args([
            "client",
            "--contender",
            "hyper",
            "--concurrency",
            "1",
            "--requests",
            "1",
            "--warm-up",
            "0",
        ]);
        // The reading ends are dropped here.
        command
            .args(["--server", server])
            .stdout(std::io::pipe().unwrap().1)
            .stderr(std::io::pipe().unwrap().1);
        command.status().unwrap().code()
    };
    let codes = tokio::task::spawn_blocking(move || (run(&address), run("nowhere")));
    assert_eq!(codes.await.unwrap(), (Some(0), Some(2)));
    serving.abort();
}
