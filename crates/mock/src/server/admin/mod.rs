//! The admin API below `/_hub/`, with which tests in other languages control the server.

mod guard;
#[cfg(feature = "page")]
mod page;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{any, get, post, put},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    Shared,
    response::{Content, HubResponse},
};
use crate::{
    fault::Fault,
    rate_limit::{Limiter, RateLimit},
    refused::Refused,
};

type Hub = State<Arc<Shared>>;

pub(super) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let router = Router::new();
    #[cfg(feature = "page")]
    let router = router.merge(page::routes());
    #[cfg(not(feature = "page"))]
    let router = router.route("/_hub/", get(status));
    router
        .route("/_hub/reset", post(reset))
        .route("/_hub/requests", get(requests).delete(forget_requests))
        .route("/_hub/users", get(users))
        .route("/_hub/users/{distinct_id}", get(user).put(seed_user))
        .route("/_hub/sent", get(sent))
        .route("/_hub/define/{kind}", post(define))
        .route("/_hub/stubs", post(stub))
        .route("/_hub/faults", get(faults).post(inject_fault).delete(clear_faults))
        .route("/_hub/rate-limit", put(limit_rate).delete(lift_rate_limit))
        .route("/_hub/{*rest}", any(unknown))
        .route_layer(from_fn_with_state(Arc::clone(shared), guard::guard))
}

async fn unknown() -> HubResponse {
    HubResponse::refusal(StatusCode::NOT_FOUND, "the admin API has no such path; GET /_hub/ is its start")
}

#[allow(clippy::unused_async, reason = "a handler is async")]
async fn status(State(shared): Hub) -> HubResponse {
    let operations: Vec<_> = shared.document().operations().iter().map(|operation| {
        json!({"id": operation.id, "method": operation.method.as_str(), "path": operation.path})
    }).collect();
    let unanswerable: Map<String, Value> =
        shared.unanswerable().into_iter().map(|(id, reason)| (id, reason.into())).collect();
    let state = shared.state();
    let limit = state
        .limiter
        .limit()
        .map(|limit| json!({"requests": limit.requests(), "per_ms": millis(limit.per())}));
    ok(json!({
        "operations": operations,
        "unanswerable": unanswerable,
        "users": state.world.count_users(),
        "requests": {"recorded": state.recorder.len(), "dropped": state.recorder.dropped()},
        "faults": state.faults.active().len(),
        "rate_limit": limit,
    }))
}

async fn reset(State(shared): Hub) -> HubResponse {
    shared.reset();
    done()
}

async fn requests(State(shared): Hub) -> HubResponse {
    let state = shared.state();
    let kept: Vec<_> = state.recorder.kept().map(crate::Recorded::to_json).collect();
    ok(json!({"dropped": state.recorder.dropped(), "requests": kept}))
}

async fn forget_requests(State(shared): Hub) -> HubResponse {
    shared.state().recorder.clear();
    done()
}

async fn users(State(shared): Hub) -> HubResponse {
    ok(shared.state().world.all_users().into())
}

async fn user(State(shared): Hub, Path(distinct_id): Path<String>) -> HubResponse {
    match shared.state().world.user(&distinct_id) {
        Some(profile) => ok(profile),
        None => HubResponse::refusal(StatusCode::NOT_FOUND, format!("no user {distinct_id} was upserted")),
    }
}

async fn seed_user(
    State(shared): Hub,
    Path(distinct_id): Path<String>,
    body: Bytes,
) -> Result<HubResponse, HubResponse> {
    let body: Value = parse(&body)?;
    Ok(ok(shared.seed(&distinct_id, body).map_err(|refused| refusal(&refused))?))
}

async fn sent(State(shared): Hub) -> HubResponse {
    ok(shared.state().world.outbox().sent().iter().map(crate::Sent::to_json).collect())
}

async fn define(
    State(shared): Hub,
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<HubResponse, HubResponse> {
    let value = parse(&body)?;
    shared.define(&kind, value).map_err(|refused| refusal(&refused))?;
    Ok(done())
}

/// A stub in the form of the admin API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stub {
    method: String,
    path: String,
    status: u16,
    #[serde(default)]
    body: Value,
}

async fn stub(State(shared): Hub, body: Bytes) -> Result<HubResponse, HubResponse> {
    let Stub { method, path, status, body } = parse(&body)?;
    shared.state().stubs.add(&method, &path, status, body).map_err(|refused| refusal(&refused))?;
    Ok(done())
}

async fn faults(State(shared): Hub) -> Result<HubResponse, HubResponse> {
    let active = shared.state().faults.active();
    let active = serde_json::to_value(active)
        .map_err(|error| HubResponse::refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(ok(active))
}

async fn inject_fault(State(shared): Hub, body: Bytes) -> Result<HubResponse, HubResponse> {
    let fault: Fault = parse(&body)?;
    shared.inject(fault).map_err(|refused| refusal(&refused))?;
    Ok(done())
}

async fn clear_faults(State(shared): Hub) -> HubResponse {
    shared.state().faults.clear();
    done()
}

/// A rate limit in the form of the admin API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    requests: u32,
    per_ms: u64,
}

async fn limit_rate(State(shared): Hub, body: Bytes) -> Result<HubResponse, HubResponse> {
    let Rate { requests, per_ms } = parse(&body)?;
    let limit = RateLimit::new(requests, Duration::from_millis(per_ms));
    shared.state().limiter = Limiter::new(Some(limit));
    Ok(done())
}

async fn lift_rate_limit(State(shared): Hub) -> HubResponse {
    shared.state().limiter = Limiter::default();
    done()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn ok(body: Value) -> HubResponse {
    HubResponse::json(StatusCode::OK, body)
}

fn done() -> HubResponse {
    HubResponse::new(StatusCode::NO_CONTENT, Content::Empty)
}

fn refusal(refused: &Refused) -> HubResponse {
    HubResponse::bad_request(refused.to_string())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, HubResponse> {
    serde_json::from_slice(body)
        .map_err(|error| HubResponse::bad_request(format!("the body cannot be used: {error}")))
}
