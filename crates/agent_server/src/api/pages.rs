//! The two pages, each one file in the binary.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse};

/// Nothing from anywhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

pub(super) async fn chat() -> impl IntoResponse {
    page(include_str!("../../pages/chat.html"))
}

pub(super) async fn docs() -> impl IntoResponse {
    page(include_str!("../../pages/docs.html"))
}

fn page(html: &'static str) -> impl IntoResponse {
    // A new version's page goes with the new version's API.
    ([(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))], Html(html))
}
