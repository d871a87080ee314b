//! `/v1/threads/…/messages`: what was said, read from the log.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::ThreadPath;
use crate::access::Tenant;
use crate::error::{ApiError, ErrorBody, OfAny};
use crate::event::{Event, RunId};
use crate::state::AppState;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    thread: String,
    /// Of the thread's latest runs, oldest first.
    messages: Vec<Message>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    run: RunId,
    seq: i64,
    #[serde(flatten)]
    event: Event,
}

/// What was said in a thread: inputs, the model's turns, results of tools.
#[utoipa::path(get, path = "/v1/threads/{thread}/messages", tag = "threads", security(("key" = [])),
    params(("thread" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$")),
    responses(
        (status = 200, body = Messages),
        (status = 404, body = ErrorBody),
        (status = 422, description = "A thread is not called so", body = ErrorBody),
        OfAny,
    ))]
pub(super) async fn messages(
    State(state): State<AppState>,
    tenant: Tenant,
    ThreadPath(thread): ThreadPath,
) -> Result<Json<Messages>, ApiError> {
    let entries = state.0.store.thread(&tenant.0, &thread).await?;
    if entries.is_empty() {
        return Err(ApiError::NotFound("thread"));
    }
    let messages = entries.into_iter().map(|(run, seq, event)| Message { run, seq, event }).collect();
    Ok(Json(Messages { thread, messages }))
}
