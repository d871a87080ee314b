//! The one table of routes.

mod chat;
mod extract;
mod health;
mod observe;
mod pages;
mod runs;
mod threads;

use std::any::Any;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::chat::ChatRequest;
use self::runs::RunRequest;
use crate::error::ApiError;
use crate::schema::{Schema, SchemaError};
use crate::state::AppState;

/// The schemas of request bodies.
#[derive(Debug)]
pub(crate) struct Schemas {
    chat: Schema<ChatRequest>,
    run: Schema<RunRequest>,
}

impl Schemas {
    pub(crate) fn new() -> Result<Self, SchemaError> {
        Ok(Self { chat: Schema::new()?, run: Schema::new()? })
    }
}

/// Every route of the public port.
pub fn app(state: AppState) -> Router {
    app_with(state, Router::new())
}

/// The same, with routes of one's own that are watched, counted and logged like the rest.
pub fn app_with(state: AppState, more: Router<AppState>) -> Router {
    let guarded = OpenApiRouter::new()
        .routes(routes!(chat::chat))
        .routes(routes!(runs::start))
        .routes(routes!(runs::show))
        .routes(routes!(runs::events))
        .routes(routes!(runs::cancel))
        .routes(routes!(threads::messages))
        .route_layer(from_fn_with_state(state.clone(), extract::require_tenant));
    let open = OpenApiRouter::new().routes(routes!(health::livez)).routes(routes!(health::readyz));
    let (router, api) = OpenApiRouter::with_openapi(description()).merge(guarded).merge(open).split_for_parts();
    let pages = Router::new()
        .route("/", get(pages::chat))
        .route("/docs", get(pages::docs))
        .route("/openapi.json", get(async move || axum::Json(api)));
    router
        .merge(pages)
        .merge(more)
        .fallback(async || ApiError::NotFound("page"))
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(DefaultBodyLimit::max(state.0.limit_body))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}

/// The only route of the metrics' port.
pub(crate) fn metrics(state: AppState) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(state)
}

fn description() -> utoipa::openapi::OpenApi {
    let info = InfoBuilder::new().title("agent_server").version(env!("CARGO_PKG_VERSION"));
    let info = info.description(Some("An agent behind a URL: runs, their events as they happen, and threads of messages."));
    let key = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = ComponentsBuilder::new().security_scheme("key", key).build();
    OpenApiBuilder::new().info(info.build()).components(Some(components)).build()
}

/// A handler that panics answers like any other failure, and takes nothing down with it.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = message.unwrap_or_default(), "a handler panicked");
    ApiError::Panicked.into_response()
}
