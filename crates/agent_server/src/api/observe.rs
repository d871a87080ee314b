//! What every request gets: an id, its client's address, a span, its place in the metrics, and the watchdog's eye.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

use super::extract::Route;
use crate::serve::Peer;
use crate::state::AppState;
use crate::watchdog::Watched;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;

pub(super) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    let client = state.0.proxies.client(peer, request.headers());
    let given = request.headers().get(&X_REQUEST_ID).filter(|id| state.0.proxies.contains(peer) && is_sane(id)).cloned();
    let id = given.or_else(|| HeaderValue::try_from(Uuid::now_v7().to_string()).ok());
    let path = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let route: Arc<str> = format!("{} {path}", request.method()).into();
    request.extensions_mut().insert(Route(Arc::clone(&route)));
    let request_id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", route = &*route, request_id, %client);
    let mut response = Watched::new(Arc::clone(&route), next.run(request)).instrument(span.clone()).await;
    let status = response.status().as_u16();
    state.0.metrics.request(&route, status);
    span.in_scope(|| tracing::info!(status, "answered"));
    if let Some(id) = id {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// An id that a proxy of ours may have given.
fn is_sane(id: &HeaderValue) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
