//! `/v1/…/runs`: start a run, watch it from any place in its log, ask for its end.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::extract::{Body, Route, RunPath, ThreadPath, header};
use crate::access::{Tenant, hex};
use crate::agent::{Start, Started};
use crate::error::{ApiError, ErrorBody, OfAny, OfStart};
use crate::event::{Event, RunId, Status};
use crate::sse::EventStream;
use crate::state::AppState;
use crate::store::{NewRun, RunRef, RunRow};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;
const LAST_EVENT_ID: &str = "last-event-id";

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRequest {
    #[schema(min_length = 1, max_length = 32768)]
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunState {
    run: RunId,
    thread: String,
    status: Status,
    /// Milliseconds since 1970.
    created: i64,
    finished: Option<i64>,
    cancel_requested: bool,
    /// The sequence number of the last entry of its log.
    last_event: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunStarted {
    run: RunId,
    thread: String,
    /// Where its events are.
    events: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct After {
    after: Option<String>,
}

/// Starts a run in a thread, which is new when nothing was said in it.
#[utoipa::path(post, path = "/v1/threads/{thread}/runs", tag = "runs", request_body = RunRequest, security(("key" = [])),
    params(("thread" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "The same key and body start one run")),
    responses(
        (status = 202, description = "It runs; `Location` is its state", body = RunStarted),
        OfAny,
        OfStart,
    ))]
pub(super) async fn start(
    State(state): State<AppState>,
    tenant: Tenant,
    ThreadPath(thread): ThreadPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let RunRequest { message } = body.read(&state.0.schemas.run)?;
    let key = header(&headers, IDEMPOTENCY_KEY)?;
    if key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
        return Err(ApiError::BadRequest(format!("an idempotency key has 1 to {LONGEST_KEY} characters")));
    }
    let idempotency = key.map(|key| {
        let request = Sha256::new().chain_update(&thread).chain_update([0]).chain_update(&message);
        (key.to_owned(), hex(&request.finalize()))
    });
    let run = NewRun { id: RunId::new(), tenant: Arc::clone(&tenant.0), thread: thread.clone(), message, idempotency };
    let run = admit(&state, &tenant, Start { run, is_new_thread: false }).await?.run.id;
    let started = RunStarted { run, thread, events: format!("/v1/runs/{run}/events") };
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("/v1/runs/{run}"))], Json(started)).into_response())
}

/// A run's state.
#[utoipa::path(get, path = "/v1/runs/{run}", tag = "runs", security(("key" = [])), params(("run" = RunId, Path)),
    responses((status = 200, body = RunState), (status = 404, body = ErrorBody), OfAny))]
pub(super) async fn show(
    State(state): State<AppState>,
    tenant: Tenant,
    RunPath(run): RunPath,
) -> Result<Json<RunState>, ApiError> {
    let row = find(&state, &tenant, run).await?;
    Ok(Json(RunState {
        run,
        thread: row.thread,
        status: row.status,
        created: row.created,
        finished: row.finished,
        cancel_requested: row.cancel_requested,
        last_event: row.last_seq,
    }))
}

/// A run's events, from the beginning or after one that was seen, to its end.
#[utoipa::path(get, path = "/v1/runs/{run}/events", tag = "runs", security(("key" = [])),
    params(("run" = RunId, Path), ("after" = Option<i64>, Query, minimum = 0, description = "The last event seen"),
        ("Last-Event-ID" = Option<i64>, Header, minimum = 0, description = "The same, as browsers send it")),
    responses(
        (status = 200, description = "The events after that one, as they happen", content_type = "text/event-stream", body = Event),
        (status = 204, description = "All of them were seen: do not come back"),
        (status = 400, description = "The last event seen is not one of the run's", body = ErrorBody),
        (status = 404, body = ErrorBody),
        OfAny,
    ))]
pub(super) async fn events(
    State(state): State<AppState>,
    tenant: Tenant,
    Route(route): Route,
    RunPath(run): RunPath,
    after: Result<Query<After>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(After { after }) = after.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let seen = after.as_deref().or(header(&headers, LAST_EVENT_ID)?);
    let after: i64 = match seen.map(str::parse) {
        None => 0,
        Some(Ok(seq)) if seq >= 0 => seq,
        Some(_) => return Err(ApiError::BadRequest("the last event seen is not the number of one".to_owned())),
    };
    let row = find(&state, &tenant, run).await?;
    if after > row.last_seq {
        return Err(ApiError::BadRequest(format!("the run has no event {after} yet; its last one is {}", row.last_seq)));
    }
    if row.status != Status::Running && after == row.last_seq {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let stream = Stream { after, ends_with_marker: false, cancels: false, route };
    Ok(self::stream(&state, tenant, RunRef { id: run, number: row.number }, stream).into_response())
}

/// Asks for a run's end. Asking again, or for one that has ended, changes nothing.
#[utoipa::path(post, path = "/v1/runs/{run}/cancel", tag = "runs", security(("key" = [])), params(("run" = RunId, Path)),
    responses(
        (status = 202, description = "It ends soon, with `done` as its last event"),
        (status = 204, description = "It has ended already"),
        (status = 404, body = ErrorBody),
        OfAny,
    ))]
pub(super) async fn cancel(State(state): State<AppState>, tenant: Tenant, RunPath(run): RunPath) -> Result<StatusCode, ApiError> {
    if state.0.store.cancel(Arc::clone(&tenant.0), run).await? {
        return Ok(StatusCode::ACCEPTED);
    }
    find(&state, &tenant, run).await.map(|_| StatusCode::NO_CONTENT)
}

/// A run of this tenant. One of another's does not exist for it.
async fn find(state: &AppState, tenant: &Tenant, run: RunId) -> Result<RunRow, ApiError> {
    state.0.store.run(&tenant.0, run).await?.ok_or(ApiError::NotFound("run"))
}

/// Starts a run, if the tenant has not started too many.
pub(super) async fn admit(state: &AppState, tenant: &Tenant, start: Start) -> Result<Started, ApiError> {
    if let Some(limiter) = &state.0.tenant_runs
        && let Err(not_until) = limiter.check_key(&tenant.0)
    {
        return Err(ApiError::TooManyRuns { retry_after: not_until.wait_time_from(DefaultClock::default().now()) });
    }
    Ok(state.0.runs.start(start).await?)
}

/// How a run's log is streamed.
pub(super) struct Stream {
    pub(super) after: i64,
    pub(super) ends_with_marker: bool,
    /// The run ends when the client leaves.
    pub(super) cancels: bool,
    pub(super) route: Arc<str>,
}

pub(super) fn stream(state: &AppState, tenant: Tenant, run: RunRef, stream: Stream) -> EventStream {
    let on_disconnect = stream.cancels.then(|| state.0.runs.cancel_on_drop(tenant.0, run.id));
    EventStream {
        reader: state.0.store.reader(run.number, stream.after),
        ends_with_marker: stream.ends_with_marker,
        farewell: state.0.farewell.clone(),
        heartbeat: state.0.times.heartbeat,
        _counted: state.0.metrics.open_stream(),
        on_disconnect,
        route: stream.route,
    }
}
