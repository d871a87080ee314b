//! What a collector of traces receives.

use std::sync::mpsc;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Frames, Process, sqlite_url};

/// The texts of a message in Protocol Buffers stand in it as they are.
fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_a_trace_that_is_sent_before_the_server_ends() {
    let (sender, received) = mpsc::channel();
    let take = async move |headers: HeaderMap, body: Bytes| {
        sender.send((headers["content-type"].to_str().unwrap().to_owned(), body)).unwrap();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "a double, for the length of a test")]
    let collector = tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--database-url", &sqlite_url(folder.path()), "--lame-duck", "0"];
    let mut server = Process::start_with(&flags, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let request = reqwest::Client::new().post(server.url("/chat")).json(&json!({ "message": "hello /delay 0" }));
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    Frames::new(response).rest().await;
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    collector.abort();
    let bodies: Vec<_> = received.try_iter().collect();
    assert!(bodies.iter().all(|(kind, _)| kind == "application/x-protobuf"), "{bodies:?}");
    let has_request =
        |(_, body): &(String, Bytes)| ["agent_server", "request", "POST /chat", &id].iter().all(|text| holds(body, text));
    assert!(bodies.iter().any(has_request), "{bodies:?}");
}
