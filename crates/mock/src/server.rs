//! Handles a request: faults, rate, route, credentials, parameters, body, then the operation itself.

mod admin;
pub(crate) mod auth;
pub(crate) mod connection;
pub(crate) mod response;

use std::{
    collections::BTreeSet,
    error::Error as _,
    fmt,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use self::{
    auth::Accepted,
    connection::Reset,
    response::{Content, HubResponse},
};
use crate::{
    document::{self, Credential, Document, Given, Operation, Problem, Route, Shown, is_json, list},
    fault::{Cut, Effect, Fault, Faults, whole_seconds},
    rate_limit::{Limiter, RateLimit},
    recorded::{Recorded, Recorder, texts},
    refused::Refused,
    stub::Stubs,
    world::{Answered, Asked, Keys, World},
};

/// The project's own document, which is read once per process.
static OWN_DOCUMENT: LazyLock<Result<Arc<Document>, String>> =
    LazyLock::new(|| Document::parse(suprsend_api::DOCUMENT).map(Arc::new));

/// A function that is called with each request when its response is ready.
pub(crate) type Observer = Arc<dyn Fn(&Recorded) + Send + Sync>;

/// The configuration of a mock server.
pub(crate) struct Setup {
    /// A document in JSON that replaces the project's own.
    pub(crate) document: Option<String>,
    pub(crate) accepted: Accepted,
    /// Hosts, besides loopback, under whose names the admin API responds.
    pub(crate) admin_hosts: BTreeSet<String>,
    pub(crate) seeds: Vec<(String, Value)>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) recorded: usize,
    pub(crate) largest_body: usize,
    pub(crate) largest_store: usize,
    pub(crate) observer: Option<Observer>,
}

/// The state that the requests of one server share.
pub(crate) struct Shared {
    document: Arc<Document>,
    keys: Arc<Keys>,
    setup: Setup,
    state: Mutex<HubState>,
    /// Changes or closes when the server stops.
    stopping: watch::Receiver<bool>,
    /// The number of requests that have arrived so far.
    arrived: AtomicU64,
    /// Counts changes, for those who watch.
    changes: watch::Sender<u64>,
}

/// The state that requests change.
pub(crate) struct HubState {
    pub(crate) world: World,
    pub(crate) stubs: Stubs,
    pub(crate) recorder: Recorder,
    pub(crate) faults: Faults,
    pub(crate) limiter: Limiter,
}

impl Shared {
    pub(crate) fn new(setup: Setup, stopping: watch::Receiver<bool>) -> Result<Self, Refused> {
        let document = match &setup.document {
            Some(text) => Document::checked(text).map(Arc::new),
            None => OWN_DOCUMENT.clone(),
        };
        let document = document.map_err(Refused::new)?;
        let keys = document.named("users", "upsert").and_then(|upsert| upsert.body.as_ref());
        let keys = Arc::new(Keys::new(keys));
        let state = Mutex::new(HubState::new(&setup, &keys, &document));
        let (arrived, (changes, _)) = (AtomicU64::new(0), watch::channel(0));
        let shared = Self { document, keys, setup, state, stopping, arrived, changes };
        shared.seed_all()?;
        Ok(shared)
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Returns whether the server serves the project's own document, so that the SDK has its operations.
    #[cfg(feature = "page")]
    pub(crate) fn has_own_document(&self) -> bool {
        self.setup.document.is_none()
    }

    /// Returns the operations without a response, each with the reason.
    pub(crate) fn unanswerable(&self) -> Vec<(String, String)> {
        let without_role = self.document.operations().iter().filter(|operation| operation.role.is_none());
        without_role
            .filter_map(|operation| {
                Some((operation.id.clone(), operation.success().shown().err()?.to_owned()))
            })
            .collect()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, HubState> {
        // The state is never left half changed, so it is consistent even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies watchers that something changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Resets the server to its initial state.
    pub(crate) fn reset(&self) {
        *self.state() = HubState::new(&self.setup, &self.keys, &self.document);
        // They were accepted when the server started.
        let _ = self.seed_all();
        self.changed();
    }

    fn seed_all(&self) -> Result<(), Refused> {
        let mut seeds = self.setup.seeds.iter();
        seeds.try_for_each(|(distinct_id, body)| self.seed(distinct_id, body.clone()).map(|_| ()))
    }

    /// Upserts a user without a request, with the same validation.
    pub(crate) fn seed(&self, distinct_id: &str, body: Value) -> Result<Value, Refused> {
        self.call(("users", "upsert"), &[("distinct_id", distinct_id)], body)
            .map_err(|refused| Refused::new(format!("{distinct_id}: {refused}")))
    }

    /// Performs an operation of the table without a request, with the same validation.
    pub(crate) fn call(
        &self,
        (resource, verb): (&str, &str),
        path: &[(&str, &str)],
        body: Value,
    ) -> Result<Value, Refused> {
        self.call_with((resource, verb), path, "", body)
    }

    /// Performs an operation of the table with a query.
    pub(crate) fn call_with(
        &self,
        (resource, verb): (&str, &str),
        path: &[(&str, &str)],
        query: &str,
        body: Value,
    ) -> Result<Value, Refused> {
        let operation = self.document.named(resource, verb);
        let operation =
            operation.ok_or_else(|| Refused::new(format!("the document has no {resource}.{verb}")))?;
        let path: Vec<_> =
            path.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let declared = operation.body.as_ref();
        let judged = declared.map_or(Ok(()), |declared| refuse(&declared.schema.problems(&body)));
        let asked = Asked {
            operation,
            path: &path,
            query,
            body: declared.map(|_| body),
            refused: Vec::new(),
            number: None,
        };
        let answer = judged.and_then(|()| self.perform(&asked)?);
        if asked.operation.method != Method::GET {
            self.changed();
        }
        match answer.map(|response| response.content) {
            Ok(Content::Json(body)) => Ok(body),
            Ok(_) => Ok(Value::Null),
            Err(refusal) => Err(Refused::new(refusal.message().unwrap_or_default())),
        }
    }

    /// Returns the response of reading something by its key.
    pub(crate) fn read(&self, resource: &str, key: &[&str]) -> Option<Value> {
        let names: Vec<_> = self.document.named(resource, "get")?.path_parameters().collect();
        let path: Vec<_> = names.iter().map(String::as_str).zip(key.iter().copied()).collect();
        if path.len() == names.len() { self.call((resource, "get"), &path, Value::Null).ok() } else { None }
    }

    /// Performs an operation.
    fn perform(&self, asked: &Asked<'_>) -> Result<Result<HubResponse, HubResponse>, HubResponse> {
        let mut state = self.state();
        let stores = matches!(asked.operation.method, Method::POST | Method::PUT | Method::PATCH);
        if stores && state.world.bytes() > self.setup.largest_store {
            let message = format!("the hub holds more than {} bytes; reset it", self.setup.largest_store);
            return Err(HubResponse::refusal(StatusCode::INSUFFICIENT_STORAGE, message));
        }
        let status = asked.operation.success().status;
        Ok(match state.world.answer(asked) {
            None | Some(Ok(Answered::AsDocumented)) => documented(asked.operation),
            Some(Ok(Answered::Json(body))) => Ok(HubResponse::json(status, body)),
            Some(Ok(Answered::JsonWith(status, body))) => Ok(HubResponse::json(status, body)),
            Some(Err(refusal)) => Err(refusal),
        })
    }

    /// Subscribes a user to an object or a list without a request, if the document allows the subscription in its lists.
    pub(crate) fn subscribe(
        &self,
        distinct_id: &str,
        verb: &str,
        subscription: &Value,
    ) -> Result<(), Refused> {
        let response = json!({"meta": {}, "results": [subscription]});
        let listing = self.document.named("users", verb);
        let problems =
            listing.map_or(Vec::new(), |listing| listing.violations(StatusCode::OK, Some(&response)));
        if !problems.is_empty() {
            return Err(Refused::new(list(&problems)));
        }
        let world = &mut self.state().world;
        if world.user(distinct_id).is_none() {
            return Err(Refused::new(format!("there is no user {distinct_id}")));
        }
        match subscription["list"].as_object() {
            Some(list) => world.subscribe_to_list(distinct_id, list),
            None => world.subscribe_to_object(
                distinct_id,
                &subscription["object"],
                subscription["properties"].clone(),
            ),
        }
        Ok(())
    }

    /// Defines a workflow, a category or a template.
    pub(crate) fn define(&self, kind: &str, value: Value) -> Result<(), Refused> {
        self.state().world.define(kind, value)?;
        self.changed();
        Ok(())
    }

    /// Injects a fault.
    pub(crate) fn inject(&self, fault: Fault) -> Result<(), Refused> {
        if let Some(id) = fault.limited_to() {
            self.document.assert_known(id)?;
        }
        self.state().faults.inject(fault)?;
        self.changed();
        Ok(())
    }

    /// Waits for the delay. Returns whether the server stopped meanwhile.
    async fn stops_within(&self, delay: Duration) -> bool {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(delay) => false,
            // An error means that the hub was dropped.
            _ = stopping.wait_for(|stop| *stop) => true,
        }
    }
}

impl HubState {
    fn new(setup: &Setup, keys: &Arc<Keys>, document: &Document) -> Self {
        Self {
            world: World::new(Arc::clone(keys), document),
            stubs: Stubs::default(),
            recorder: Recorder::new(setup.recorded),
            faults: Faults::default(),
            limiter: Limiter::new(setup.rate_limit),
        }
    }
}

/// Leaves out credentials and users.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("users", &self.state().world.count_users()).finish_non_exhaustive()
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    admin::routes(&shared).fallback(handle).with_state(shared)
}

/// Answers a request to the documented API and records it.
async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(reset): ConnectInfo<Reset>,
    request: Request,
) -> Response {
    let (start, number) = (Instant::now(), shared.arrived.fetch_add(1, Ordering::Relaxed) + 1);
    let (head, body) = request.into_parts();
    let body = read(body, shared.setup.largest_body).await;
    let bytes = body.as_deref().unwrap_or_default();
    let mut recorded = Recorded::new(number, &head, bytes);
    let stub = shared.state().stubs.find(&head.method, head.uri.path());
    let route = match stub {
        Some(_) => Route::Unknown,
        None => shared.document.route(&head.method, head.uri.path(), auth::scheme(&head.headers), bytes),
    };
    if let Route::Operation(operation, parameters) = &route {
        recorded.operation = Some(operation.id.clone());
        recorded.parameters.clone_from(parameters);
        recorded.credentials = operation.credentials.iter().filter_map(Credential::header).collect();
    }
    let effect = shared.state().faults.next(recorded.operation());
    recorded.injected = effect.summary();
    let Effect { delay, mut cut, response } = effect;
    if !delay.is_zero() && shared.stops_within(delay).await {
        cut = Some(Cut::Reset);
    }
    let response = match (response, cut) {
        (Some(response), _) => Some(response),
        (None, Some(Cut::Reset)) => None,
        (None, _) => {
            let answer = match stub {
                Some(response) => Ok(response),
                None => body.and_then(|body| answer(&shared, number, &route, &head, &body)),
            };
            recorded.performed = answer.is_ok();
            Some(answer.unwrap_or_else(|refusal| refusal))
        }
    };
    // A response without a body cannot be truncated, so it is lost as a whole.
    if cut == Some(Cut::Truncated) && response.as_ref().is_some_and(HubResponse::is_empty) {
        cut = Some(Cut::Lost);
    }
    recorded.refusal = response.as_ref().and_then(HubResponse::message).map(str::to_owned);
    if let Some(response) = &response {
        let (headers, body) = response.shown();
        (recorded.response_headers, recorded.response_body) = (texts(&headers), body);
    }
    let response = match (response, cut) {
        (Some(response), None) => response.into_response(),
        (Some(response), Some(Cut::Truncated)) => response.truncated(),
        _ => {
            reset.trigger();
            // Never sent, because the connection fails before.
            StatusCode::NO_CONTENT.into_response()
        }
    };
    let is_reset = matches!(cut, Some(Cut::Reset | Cut::Lost));
    recorded.status = (!is_reset).then(|| response.status());
    recorded.about = shared.state().world.outbox().about(number);
    recorded.duration = start.elapsed();
    if let Some(observer) = &shared.setup.observer {
        observer(&recorded);
    }
    shared.state().recorder.add(recorded);
    shared.changed();
    response
}

async fn read(body: axum::body::Body, largest: usize) -> Result<Bytes, HubResponse> {
    // A client that disconnects does not wait for the response, but the request is still recorded.
    to_bytes(body, largest).await.map_err(|error| {
        if error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            let message = format!("the body is larger than {largest} bytes");
            return HubResponse::refusal(StatusCode::PAYLOAD_TOO_LARGE, message);
        }
        HubResponse::refusal(StatusCode::BAD_REQUEST, "the body broke off".to_owned())
    })
}

/// Answers a request without faults. Both sides of the result are responses; `Err` is a rejection.
fn answer(
    shared: &Shared,
    number: u64,
    route: &Route<'_>,
    head: &Parts,
    body: &Bytes,
) -> Result<HubResponse, HubResponse> {
    let path = head.uri.path();
    shared.state().limiter.take(Instant::now()).map_err(too_many)?;
    match route {
        Route::Operation(operation, parameters) => {
            match perform(shared, number, (operation, parameters), head, body) {
                Ok(response) => checked(operation, response),
                Err(refusal) => Err(checked(operation, refusal).unwrap_or_else(|worse| worse)),
            }
        }
        Route::NotText(not_text) => {
            Err(HubResponse::bad_request(format!("{}: is not UTF-8", not_text.parameter)))
        }
        Route::WrongMethod(methods) => {
            let allowed = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("{} is not allowed at {path}; allowed: {allowed}", head.method);
            let response = HubResponse::refusal(StatusCode::METHOD_NOT_ALLOWED, message);
            Err(match HeaderValue::from_str(&allowed) {
                Ok(allowed) => response.with(header::ALLOW, allowed),
                Err(_) => response,
            })
        }
        Route::Unknown => {
            let hint = match shared.document.route(&head.method, &format!("{path}/"), None, body) {
                Route::Operation(..) => "; the path ends in a slash",
                _ => "",
            };
            Err(HubResponse::refusal(StatusCode::NOT_FOUND, format!("the document has no path {path}{hint}")))
        }
    }
}

fn too_many(wait: Duration) -> HubResponse {
    let seconds = whole_seconds(wait);
    HubResponse::refusal(
        StatusCode::TOO_MANY_REQUESTS,
        format!("the rate limit is reached; wait for {seconds} s"),
    )
    .with(header::RETRY_AFTER, seconds.into())
}

fn perform(
    shared: &Shared,
    number: u64,
    (operation, parameters): (&Operation, &[(String, String)]),
    head: &Parts,
    body: &Bytes,
) -> Result<HubResponse, HubResponse> {
    shared.setup.accepted.check(&operation.credentials, head, body)?;
    let query = head.uri.query().unwrap_or_default();
    refuse(&operation.parameter_problems(&Given { path: parameters, query, headers: &head.headers }))?;
    let body = match &operation.body {
        Some(declared) => json_body(operation, declared, &head.headers, body)?,
        None => None,
    };
    let records = body.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
    let refused = shared.state().faults.records(&operation.id, records);
    shared.perform(&Asked { operation, path: parameters, query, body, refused, number: Some(number) })?
}

/// Returns the document's example of a success.
fn documented(operation: &Operation) -> Result<HubResponse, HubResponse> {
    let success = operation.success();
    let (content, media_type) = match success.shown().cloned() {
        Ok(Shown::Empty) => (Content::Empty, None),
        Ok(Shown::Json(body)) => (Content::Json(body), None),
        Ok(Shown::Text(media_type, text)) => (Content::Text(text), Some((header::CONTENT_TYPE, media_type))),
        Err(reason) => {
            let message = format!("{} cannot be answered: {reason}", operation.id);
            return Err(HubResponse::refusal(StatusCode::NOT_IMPLEMENTED, message));
        }
    };
    let headers = success.headers.iter().cloned().chain(media_type).collect();
    Ok(HubResponse { headers, ..HubResponse::new(success.status, content) })
}

/// Parses a JSON body and validates it; a missing body is no value.
fn json_body(
    operation: &Operation,
    declared: &document::Body,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Option<Value>, HubResponse> {
    if bytes.is_empty() {
        return if declared.required {
            Err(HubResponse::bad_request("the body is required"))
        } else {
            Ok(None)
        };
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        return Err(HubResponse::bad_request("the header Content-Type is not application/json"));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| HubResponse::bad_request(format!("the body is not JSON: {error}")))?;
    let is_alone = operation.takes_a_record_alone() && value.is_object();
    let value = if is_alone { Value::Array(vec![value]) } else { value };
    refuse(&declared.schema.problems(&value))?;
    Ok(Some(value))
}

fn refuse(problems: &[Problem]) -> Result<(), HubResponse> {
    if problems.is_empty() { Ok(()) } else { Err(HubResponse::bad_request(list(problems))) }
}

/// In debug builds, replaces a response that violates the document with one that describes the violation.
fn checked(operation: &Operation, response: HubResponse) -> Result<HubResponse, HubResponse> {
    let body = match &response.content {
        Content::Json(body) => Some(body),
        _ => None,
    };
    let violations =
        if cfg!(debug_assertions) { operation.violations(response.status, body) } else { Vec::new() };
    if violations.is_empty() {
        return Ok(response);
    }
    let message =
        format!("the response of {} goes against the document: {}", operation.id, list(&violations));
    Err(HubResponse::refusal(StatusCode::INTERNAL_SERVER_ERROR, message))
}
