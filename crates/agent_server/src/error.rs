//! What goes wrong with a request, and its two projections: a response before the stream has begun, a frame after.

use std::time::Duration;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::agent::Refused;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Invalid(String),
    #[error("give a key as `Authorization: Bearer …`")]
    Unauthorized,
    #[error("requests from other sites are refused while no API keys are set")]
    ForeignOrigin,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("the body is larger than this server takes")]
    TooLarge,
    #[error("the body did not arrive in time")]
    BodyTimeout,
    #[error("this tenant has started as many runs as it may for now")]
    TooManyRuns { retry_after: Duration },
    #[error("the handler panicked")]
    Panicked,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The body of every response that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// For programs; stays the same.
    code: &'static str,
    /// For people.
    message: String,
}

/// What the API's page says of every request that has a tenant.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the derive reads it")]
pub(crate) enum OfAny {
    /// No key, or one that is not known
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// A request from another site, while no keys are set
    #[response(status = 403)]
    ForeignOrigin(ErrorBody),
    /// The server could not do it; its log says why
    #[response(status = 500)]
    Internal(ErrorBody),
}

/// The same, of requests that start a run.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the derive reads it")]
pub(crate) enum OfStart {
    /// The body is not JSON, or a header is not what it should be
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    BodyTimeout(ErrorBody),
    /// A run of the thread has not ended
    #[response(status = 409)]
    ThreadBusy(ErrorBody),
    /// The body is larger than this server takes
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The input is not as described, or the idempotency key was used for another request
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// The tenant has started too many runs; `Retry-After` says when to ask again
    #[response(status = 429)]
    TooManyRuns(ErrorBody),
    /// No room, or the server shuts down; `Retry-After` says when to ask again
    #[response(status = 503)]
    Refused(ErrorBody),
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, Option<Duration>) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request", None),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", None),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", None),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign_origin", None),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found", None),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", None),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body_timeout", None),
            Self::TooManyRuns { retry_after } => (StatusCode::TOO_MANY_REQUESTS, "too_many_runs", Some(*retry_after)),
            Self::Refused(Refused::ShuttingDown) => {
                (StatusCode::SERVICE_UNAVAILABLE, "shutting_down", Some(Duration::from_secs(1)))
            }
            Self::Refused(Refused::Full { retry_after }) => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", Some(*retry_after)),
            Self::Refused(Refused::ThreadBusy) => (StatusCode::CONFLICT, "thread_busy", None),
            Self::Refused(Refused::KeyReused) => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", None),
            Self::Panicked | Self::Refused(Refused::Store(_)) | Self::Store(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", None)
            }
        }
    }

    fn body(&self) -> (StatusCode, ErrorBody, Option<Duration>) {
        let (status, code, retry_after) = self.parts();
        // What is inside is for the log, not for clients.
        let message = if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "a request failed");
            "the server could not do this; its log says why".to_owned()
        } else {
            self.to_string()
        };
        (status, ErrorBody { code, message }, retry_after)
    }

    /// The last frame of a stream that cannot go on. Without an id, so that the client resumes where it was.
    pub(crate) fn frame(&self) -> sse::Event {
        let (_, body, _) = self.body();
        let frame = sse::Event::default().event("stream_error").json_data(&body);
        frame.unwrap_or_else(|_| sse::Event::default().event("stream_error"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body, retry_after) = self.body();
        let mut response = (status, Json(body)).into_response();
        if let Some(retry_after) = retry_after {
            let seconds = retry_after.as_secs_f64().ceil().max(1.0);
            if let Ok(value) = HeaderValue::try_from(format!("{seconds:.0}")) {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
