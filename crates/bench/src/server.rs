//! The server of the benchmark: HTTP/1.1, and one response to every upsert, the document's own example; to many records, an outcome each.

use std::{
    convert::Infallible,
    io::{BufRead, Write, stdin, stdout},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::IgnoredAny;
use serde_json::Value;
use suprsend_api::DOCUMENT;
use tokio::{net::TcpListener, time::sleep};

/// The response to an upsert, as the document shows it.
pub fn example() -> Result<String> {
    let document: Value = serde_json::from_str(DOCUMENT)?;
    let place = "/paths/~1v1~1user~1{distinct_id}~1/post/responses/201/content/application~1json/examples/Result/value";
    Ok(document.pointer(place).context("the document has no example of a response")?.to_string())
}

/// The response to a single trigger, as the document shows it.
pub const ACCEPTED: &[u8] = br#"{"status":"success","message_id":"0b6c1f5e-7a4d-4c58-9d8e-2f6f0a3b9c11"}"#;

/// The outcomes of a request with so many records.
fn outcomes(records: usize) -> String {
    let record =
        r#"{"status":"success","status_code":202,"message_id":"0b6c1f5e-7a4d-4c58-9d8e-2f6f0a3b9c11"}"#;
    format!(r#"{{"status":"success","records":[{}]}}"#, vec![record; records].join(","))
}

/// Serves on loopback until stdin ends. An answer takes as long as the latency says.
///
/// Prints its address, and for each line that comes in on stdin how many requests it has answered; one with many records counts as so many.
pub async fn serve(latency: Duration) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on loopback")?;
    let answered = Arc::new(AtomicU64::new(0));
    say(&listener.local_addr()?.to_string())?;
    let counted = Arc::clone(&answered);
    thread::spawn(move || {
        for _ in stdin().lock().lines().map_while(Result::ok) {
            if say(&counted.load(Ordering::SeqCst).to_string()).is_err() {
                break;
            }
        }
        process::exit(0);
    });
    let example = Bytes::from(example()?);
    accept(listener, move |request| {
        let (example, answered) = (example.clone(), Arc::clone(&answered));
        async move {
            let path = request.uri().path().to_owned();
            // The request has to come whole; what is in it does not matter here, only how many records.
            let body = request.into_body().collect().await.map(Collected::to_bytes);
            if !latency.is_zero() {
                sleep(latency).await;
            }
            let Ok(body) = body else { return response(StatusCode::BAD_REQUEST, example) };
            let records = || serde_json::from_slice::<Vec<IgnoredAny>>(&body).map_or(0, |list| list.len());
            let (count, answer) = match path.as_str() {
                "/event/" => {
                    let mut accepted = response(StatusCode::ACCEPTED, Bytes::from_static(b"OK"));
                    accepted.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                    (records(), accepted)
                }
                "/trigger/" if !body.starts_with(b"[") => {
                    (1, response(StatusCode::ACCEPTED, Bytes::from_static(ACCEPTED)))
                }
                "/trigger/" => {
                    let count = records();
                    (count, response(StatusCode::MULTI_STATUS, outcomes(count).into()))
                }
                _ => (1, response(StatusCode::CREATED, example)),
            };
            answered.fetch_add(count as u64, Ordering::SeqCst);
            answer
        }
    })
    .await
}

/// Answers what comes in on this listener.
pub async fn accept<F, Answer>(listener: TcpListener, answer: F) -> Result<()>
where
    F: Fn(Request<Incoming>) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = Response<Full<Bytes>>> + Send,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        // A client that goes away is no fault.
        tokio::spawn(async { drop(connection.await) });
    }
}

/// A response in JSON.
pub fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn say(line: &str) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
