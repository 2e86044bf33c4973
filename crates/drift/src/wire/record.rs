//! The recording.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Call, Calls, OF_HTTP, Request, Wire};
use crate::{
    code::{self, Code, Place, squeezed},
    compiled::Arguments,
    document::{Document, Media, Operation},
    instances::{Instances, Subject},
    schema::Node,
};

/// Every character that a path, a query or a header has to encode or may not.
const HARD: [&str; 2] = ["drift/1 a?b#c%d\\e+f&g=h;i:\u{e9}\u{1F600}", "drift 1+2&3=4"];

/// How many instances a rich one is chosen from.
const CHOICE: usize = 64;

/// What the server answers with, and what has arrived.
#[derive(Default)]
struct Desk {
    reply: (u16, Option<String>, String),
    requests: Vec<Request>,
}

type Shared = Arc<Mutex<Desk>>;

fn desk(shared: &Shared) -> std::sync::MutexGuard<'_, Desk> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls every operation of the code once. The arguments are made from the document that the code was generated from.
pub(crate) fn record(
    code: &Code,
    document: &Document<'_>,
    base_url: &str,
    key: &str,
    client: &dyn Fn(&str) -> Box<dyn Calls>,
) -> Result<Wire> {
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
        let client = client(&format!("http://{host}"));
        client.probe().await;
        let probes = std::mem::take(&mut desk(&shared).requests);
        client.add(probes.first().map(added).unwrap_or_default());
        let mut calls = BTreeMap::new();
        for own in &code.operations {
            let operation = document
                .operations
                .iter()
                .find(|operation| operation.method == own.method && operation.shape().0 == own.shape());
            let arguments = operation.map(|operation| arguments(document, operation, own));
            desk(&shared).reply = operation.map(|operation| reply(document, operation)).unwrap_or_default();
            let outcome = match arguments.clone() {
                Some(arguments) => client.call(&own.name, Arguments(arguments)).await,
                None => Err("the document that it was generated from does not have it".to_owned()),
            };
            let requests = std::mem::take(&mut desk(&shared).requests);
            let arguments = arguments.unwrap_or_default();
            calls.insert(own.name.clone(), Call { arguments, outcome, host: host.clone(), requests });
        }
        server.abort();
        Ok(Wire { base_url: base_url.to_owned(), key: key.to_owned(), calls })
    })
}

/// The headers of a request without a body that are not those of HTTP itself.
fn added(probe: &Request) -> HeaderMap {
    let added = probe.headers.iter().filter(|(name, _)| !OF_HTTP.contains(&name.as_str()));
    let parsed = added.filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    parsed.collect()
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
    let (status, media, text) = desk.reply.clone();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
    match media {
        Some(media) => (status, [(header::CONTENT_TYPE, media)], text).into_response(),
        None => status.into_response(),
    }
}

/// The first success that the document declares, with a body of its schema.
fn reply(document: &Document<'_>, operation: &Operation<'_>) -> (u16, Option<String>, String) {
    let success = (200..300).find(|status| operation.declared(*status).is_some()).unwrap_or(200);
    let declared = operation.declared(success).and_then(|name| operation.replies.get(name));
    let Some((media, Media { schema, .. })) = declared.and_then(|reply| reply.media.iter().next()) else {
        return (success, None, String::new());
    };
    let text = schema.as_ref().and_then(|schema| rich(document, schema)).unwrap_or_default().to_string();
    (success, Some(media.clone()), text)
}

/// A value for each part of the request.
fn arguments(
    document: &Document<'_>,
    operation: &Operation<'_>,
    own: &code::Operation,
) -> BTreeMap<String, Value> {
    let mut arguments = BTreeMap::new();
    for ((place, name), part) in &own.parameters {
        let stated = operation.parameters.iter().find(|((stated, known), _)| {
            stated == place && (known == name || (*place == Place::Path && squeezed(known) == squeezed(name)))
        });
        if let Some(schema) = stated.and_then(|(_, parameter)| parameter.schema.as_ref())
            && let Some(value) = hard(document, schema, *place)
        {
            arguments.insert(part.setter.clone(), value);
        }
    }
    if let (Some((media, part)), Some(body)) = (&own.body, &operation.body)
        && let Some(Media { schema, .. }) = body.media.get(media)
    {
        let value = schema.as_ref().and_then(|schema| rich(document, schema));
        arguments.insert(part.setter.clone(), value.unwrap_or_else(|| HARD[1].into()));
    }
    arguments
}

/// A value for a parameter that is hard to write, where its schema allows one.
fn hard(document: &Document<'_>, schema: &Node<'_>, place: Place) -> Option<Value> {
    let subject = Subject::new(document, schema)?;
    let text = Value::from(if place == Place::Header { HARD[1] } else { HARD[0] });
    if subject.validator.is_valid(&text) {
        return Some(text);
    }
    rich(document, schema)
}

/// The instance with the most in it of many.
fn rich(document: &Document<'_>, schema: &Node<'_>) -> Option<Value> {
    let subject = Subject::new(document, schema)?;
    let mut instances = Instances::new(&subject, 0);
    (0..CHOICE).filter_map(|_| instances.plain()).max_by_key(|instance| instance.to_string().len())
}
