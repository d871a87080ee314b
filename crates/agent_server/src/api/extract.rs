//! What handlers take from a request.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use utoipa::PartialSchema;
use uuid::Uuid;

use crate::access::Tenant;
use crate::error::ApiError;
use crate::event::RunId;
use crate::schema::Schema;
use crate::state::AppState;

/// Longest name of a thread.
const LONGEST_NAME: usize = 64;

/// Lets a request on to its handler with its tenant, or not at all.
pub(super) async fn require_tenant(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let tenant = state.0.access.tenant(request.headers())?;
    request.extensions_mut().insert(tenant);
    Ok(next.run(request).await)
}

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::Unauthorized)
    }
}

/// The label of the route, for logs and metrics; a request extension.
#[derive(Clone, Debug)]
pub(super) struct Route(pub(super) Arc<str>);

impl<S: Sync> FromRequestParts<S> for Route {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("unknown".into())))
    }
}

/// A whole body, within the limits of size and time.
pub(super) struct Body(Bytes);

impl FromRequest<AppState> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let read = timeout(state.0.times.timeout_body, Bytes::from_request(request, state));
        match read.await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ApiError::TooLarge),
            Ok(Err(rejection)) => Err(ApiError::BadRequest(rejection.body_text())),
            Err(_) => Err(ApiError::BodyTimeout),
        }
    }
}

impl Body {
    /// Reads JSON of whatever content type: `curl -d` does not name one, and the schema knows better.
    pub(super) fn read<T: DeserializeOwned + PartialSchema>(&self, schema: &Schema<T>) -> Result<T, ApiError> {
        let value: Value =
            serde_json::from_slice(&self.0).map_err(|error| ApiError::BadRequest(format!("the body is not JSON: {error}")))?;
        schema.read(value).map_err(|invalid| ApiError::Invalid(invalid.0))
    }
}

/// A run in the path. What is no run's name is no run.
pub(super) struct RunPath(pub(super) RunId);

impl<S: Send + Sync> FromRequestParts<S> for RunPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound("run"))?;
        Uuid::try_parse(&text).map(|id| Self(RunId(id))).map_err(|_| ApiError::NotFound("run"))
    }
}

/// A thread in the path.
pub(super) struct ThreadPath(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for ThreadPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound("thread"))?;
        let is_name = (1..=LONGEST_NAME).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if is_name {
            Ok(Self(text))
        } else {
            Err(ApiError::Invalid(format!("a thread's name has 1 to {LONGEST_NAME} letters, digits, `-` and `_`")))
        }
    }
}

/// A header's text, if it is one.
pub(super) fn header<'headers>(headers: &'headers HeaderMap, name: &str) -> Result<Option<&'headers str>, ApiError> {
    let bad = || ApiError::BadRequest(format!("the header `{name}` is not plain text"));
    headers.get(name).map(|value| value.to_str().map_err(|_| bad())).transpose()
}
