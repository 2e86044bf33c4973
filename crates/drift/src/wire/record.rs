//! Sends and records requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use suprsend_api::Client;
use tokio::net::TcpListener;

use super::{Call, Request, Wire};
use crate::{
    code::{self, Code, Place},
    compiled::CallFuture,
    document::{Document, Media, Operation},
    instances::{Instances, Subject},
    schema::Node,
};

/// Every character that must be encoded, or must not occur, in a path, a query or a header.
const HARD: [&str; 2] = ["drift/1 a?b#c%d\\e+f&g=h;i:\u{e9}\u{1F600}", "drift 1+2&3=4"];

/// The number of instances from which the richest one is chosen.
const CHOICE: usize = 6;

/// The server's response, and the requests that have arrived.
#[derive(Default)]
struct Desk {
    response: (u16, Option<String>, String),
    requests: Vec<Request>,
}

type Shared = Arc<Mutex<Desk>>;

fn desk(shared: &Shared) -> std::sync::MutexGuard<'_, Desk> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function that sends an operation by its id.
type Send = for<'a> fn(&'a Client, &str, Value) -> Option<CallFuture<'a>>;

/// Sends every operation of the code once. The arguments are created from the document that the code was generated from.
pub(crate) fn record(code: &Code, document: &Document<'_>, send: Send) -> Result<Wire> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the recording server")?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot open a local port")?;
        let host = listener.local_addr().context("cannot open a local port")?.to_string();
        let shared = Shared::default();
        let service = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, service).await });
        let http = reqwest::Client::builder().build().context("cannot make an HTTP client")?;
        let client = Client::new(&format!("http://{host}"), http)?;
        let mut calls = BTreeMap::new();
        for own in &code.operations {
            let operation = document.operations.iter().find(|operation| operation.is(own));
            let arguments = operation.map(|operation| arguments(document, operation, own));
            desk(&shared).response =
                operation.map(|operation| response(document, operation)).unwrap_or_default();
            // Otherwise an operation with its own server would be sent there.
            let stand_in = own.server.clone().map(|server| client.clone().in_place_of(server));
            let client = stand_in.as_ref().unwrap_or(&client);
            let attempt = arguments.as_ref().map(|arguments| send(client, &own.id, json!(arguments)));
            let outcome = match attempt {
                Some(Some(attempt)) => attempt.await,
                Some(None) => Err("no operation has this id".to_owned()),
                None => Err("the document that it was generated from does not have it".to_owned()),
            };
            let requests = std::mem::take(&mut desk(&shared).requests);
            let arguments = arguments.unwrap_or_default();
            calls.insert(own.name.clone(), Call { arguments, outcome, host: host.clone(), requests });
        }
        server.abort();
        Ok(Wire(calls))
    })
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut desk = desk(&shared);
    let headers = headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    desk.requests.push(Request {
        method: method.as_str().to_owned(),
        target: uri.to_string(),
        headers: headers.collect(),
        body: body.to_vec(),
    });
    let (status, media, text) = desk.response.clone();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
    match media {
        Some(media) => (status, [(header::CONTENT_TYPE, media)], text).into_response(),
        None => status.into_response(),
    }
}

/// Returns the first success that the document declares, with a body that matches its schema.
fn response(document: &Document<'_>, operation: &Operation<'_>) -> (u16, Option<String>, String) {
    // A response with a body is preferred, because one without does not show how it is decoded.
    let declared = |status: &u16| operation.declared(*status).is_some();
    let full = |status: &u16| {
        let response = operation.declared(*status).and_then(|name| operation.responses.get(name));
        !matches!(status, 204 | 205) && response.is_some_and(|response| !response.media.is_empty())
    };
    let success = (200..300).find(full).or_else(|| (200..300).find(declared)).unwrap_or(200);
    let declared = operation.declared(success).and_then(|name| operation.responses.get(name));
    let of_json = |(name, _): &(&String, &Media<'_>)| name.contains("json");
    let media = declared
        .and_then(|response| response.media.iter().find(of_json).or_else(|| response.media.iter().next()));
    let Some((media, Media { schema, .. })) = media else {
        return (success, None, String::new());
    };
    let value = schema.as_ref().and_then(|schema| rich(document, schema)).unwrap_or_default();
    let text = match value {
        Value::String(text) if !media.contains("json") => text,
        other => other.to_string(),
    };
    (success, Some(media.clone()), text)
}

/// Returns a value for each part of the request.
fn arguments(
    document: &Document<'_>,
    operation: &Operation<'_>,
    own: &code::Operation,
) -> BTreeMap<String, Value> {
    let mut arguments = BTreeMap::new();
    for ((place, name), parameter) in &operation.parameters {
        if let (Some(part), Some(schema)) = (own.parameter(*place, name), &parameter.schema)
            && let Some(value) = hard(document, schema, *place)
        {
            arguments.insert(part.field.clone(), value);
        }
    }
    if let (Some((media, part)), Some(body)) = (&own.body, &operation.body) {
        let stated = body.media.iter().find(|(name, _)| name.starts_with(media.as_str()));
        let schema = stated.and_then(|(_, media)| media.schema.as_ref());
        let value = schema.and_then(|schema| rich(document, schema)).unwrap_or_else(|| HARD[1].into());
        let bytes = part.ty.as_deref() == Some("Vec<u8>");
        arguments.insert(part.field.clone(), if bytes { json!(written(&value).as_bytes()) } else { value });
    }
    arguments
}

/// Formats a value that is not JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns a parameter value that is hard to encode, if its schema allows one.
fn hard(document: &Document<'_>, schema: &Node<'_>, place: Place) -> Option<Value> {
    let subject = Subject::new(document, schema)?;
    let text = Value::from(if place == Place::Header { HARD[1] } else { HARD[0] });
    if subject.validator.is_valid(&text) {
        return Some(text);
    }
    rich(document, schema)
}

/// Returns the instance with the most content among several.
fn rich(document: &Document<'_>, schema: &Node<'_>) -> Option<Value> {
    let subject = Subject::new(document, schema)?;
    let mut instances = Instances::new(&subject, 0);
    (0..CHOICE).filter_map(|_| instances.plain()).max_by_key(|instance| instance.to_string().len())
}
