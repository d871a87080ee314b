//! The other tools, and what becomes of calls that cannot be made.

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::{Setup, TestServer};

async fn call(server: &TestServer, tool: &str, arguments: Value) -> (bool, String) {
    let frames = server.chat(&format!("/tool {tool} {arguments} /delay 0 /tokens 0")).await.1.rest().await;
    let result: Value = frames.iter().find(|frame| frame.kind == "tool_result").unwrap().json();
    (result["is_error"].as_bool().unwrap(), result["output"].as_str().unwrap().to_owned())
}

fn site() -> Router<agent_server::AppState> {
    Router::new()
        .route("/page", get(async || Html("<html><script>no()</script><p>Hello <b>there</b></p></html>")))
        .route("/away", get(async || Redirect::to("/page")))
        .route("/large", get(async || "x".repeat(4 << 20)))
        .route("/slow", get(async || tokio::time::sleep(std::time::Duration::from_secs(60)).await))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_allowed_hosts_are_read() {
    let flags = ["--http-allow", "127.0.0.1,localhost", "--http-allow-private", "--http-seconds", "1"];
    let server = TestServer::with(Setup { flags: &flags, routes: site(), ..Setup::default() }).await;
    let get = async |path: &str| call(&server, "http_get", json!({ "url": server.url(path) })).await;
    let (is_error, text) = get("/page").await;
    assert!(!is_error && text.contains("Hello") && text.contains("there") && !text.contains("no()"), "{text}");
    let (is_error, text) = get("/away").await;
    assert!(is_error && text.contains("303"), "{text}");
    let (is_error, text) = get("/large").await;
    assert!(!is_error && text.len() < 20_000 && text.ends_with("(cut)"), "{}", text.len());
    let (is_error, text) = get("/slow").await;
    assert!(is_error, "{text}");
    let (is_error, text) = call(&server, "http_get", json!({ "url": "http://example.org/" })).await;
    assert!(is_error && text.contains("not an allowed host"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_networks_are_reached_by_no_name() {
    let server = TestServer::with_flags(&["--http-allow", "127.0.0.1,localhost"]).await;
    for url in [server.url("/livez"), server.url("/livez").replace("127.0.0.1", "localhost")] {
        let (is_error, text) = call(&server, "http_get", json!({ "url": url })).await;
        assert!(is_error && text.contains("private address"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_cannot_be_made_are_told_to_the_model() {
    let server = TestServer::start().await;
    let (is_error, text) = call(&server, "no_such_tool", json!({})).await;
    assert!(is_error && text.contains("now, sql_query"), "{text}");
    let (is_error, text) = call(&server, "sql_query", json!({ "query": "SELECT 1" })).await;
    assert!(is_error && text.contains("query"), "{text}");
    let (is_error, text) = call(&server, "now", json!({ "zone": "UTC" })).await;
    assert!(is_error && text.contains("zone"), "{text}");
    let (is_error, text) = call(&server, "now", json!({})).await;
    assert!(!is_error && text.starts_with("20") && text.ends_with('Z'), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_schema_serves_the_model_and_the_page() {
    let server = TestServer::start().await;
    let api: Value = server.get("/openapi.json").send().await.unwrap().json().await.unwrap();
    let chat = &api["components"]["schemas"]["ChatRequest"];
    assert_eq!(chat["properties"]["message"]["maxLength"], 32768);
    for (body, status) in [
        (json!({ "message": "" }), 422),
        (json!({ "message": "x".repeat(32_769) }), 422),
        (json!({ "message": "x", "thread": "no spaces" }), 422),
        (json!({ "message": "x", "unknown": 1 }), 422),
        (json!({ "message": "x", "on_disconnect": "explode" }), 422),
        (json!([]), 422),
    ] {
        let response = server.post("/chat", body.clone()).send().await.unwrap();
        assert_eq!(response.status(), status, "{body}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["code"], "invalid");
    }
    let of_start = ["400", "401", "403", "408", "409", "413", "422", "429", "500", "503"];
    for (path, method, statuses) in [
        ("/chat", "post", [["200"].as_slice(), &of_start].concat()),
        ("/v1/threads/{thread}/runs", "post", [["202"].as_slice(), &of_start].concat()),
        ("/v1/threads/{thread}/messages", "get", vec!["200", "401", "403", "404", "422", "500"]),
        ("/v1/runs/{run}/events", "get", vec!["200", "204", "400", "401", "403", "404", "500"]),
        ("/v1/runs/{run}", "get", vec!["200", "401", "403", "404", "500"]),
        ("/v1/runs/{run}/cancel", "post", vec!["202", "204", "401", "403", "404", "500"]),
    ] {
        let told: Vec<_> = api["paths"][path][method]["responses"].as_object().unwrap().keys().collect();
        assert_eq!(told, statuses, "{path}");
    }
}
