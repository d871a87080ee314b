//! `POST /chat`: one message in, the answer streamed.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::{Body, Route};
use super::runs::{self, Stream};
use crate::access::Tenant;
use crate::agent::{Start, Started};
use crate::error::{ApiError, OfAny, OfStart};
use crate::event::{Event, RunId};
use crate::state::AppState;
use crate::store::NewRun;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatRequest {
    #[schema(min_length = 1, max_length = 32768)]
    message: String,
    /// Where the conversation goes on; a new thread without it.
    #[serde(default)]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    thread: Option<String>,
    // Its description is its type's: on an inline field it would make another schema of it.
    #[serde(default)]
    #[schema(inline)]
    on_disconnect: OnDisconnect,
}

/// What becomes of the run when the client leaves.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OnDisconnect {
    #[default]
    Continue,
    Cancel,
}

/// Starts a run and streams its events; the last frame is `data: [DONE]`.
#[utoipa::path(post, path = "/chat", tag = "chat", request_body = ChatRequest, security(("key" = [])),
    responses(
        (status = 200, description = "The run's events; `Location` is where to resume", content_type = "text/event-stream", body = Event),
        OfAny,
        OfStart,
    ))]
pub(super) async fn chat(
    State(state): State<AppState>,
    tenant: Tenant,
    Route(route): Route,
    body: Body,
) -> Result<Response, ApiError> {
    let request = body.read(&state.0.schemas.chat)?;
    let is_new_thread = request.thread.is_none();
    let thread = request.thread.unwrap_or_else(|| Uuid::now_v7().to_string());
    let run = NewRun { id: RunId::new(), tenant: tenant.0.clone(), thread, message: request.message, idempotency: None };
    let Started { run, feed: _held } = runs::admit(&state, &tenant, Start { run, is_new_thread }).await?;
    let stream = Stream { after: 0, ends_with_marker: true, cancels: request.on_disconnect == OnDisconnect::Cancel, route };
    Ok(([(LOCATION, format!("/v1/runs/{}/events", run.id))], runs::stream(&state, tenant, run, stream)).into_response())
}
