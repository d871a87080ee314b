//! What is too much is refused with a reason and a time to come back.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Frames, TestServer, eventually};

async fn refusal(response: Response) -> (u16, String, Option<u64>) {
    let status = response.status().as_u16();
    let retry = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap().to_owned(), retry)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_says_so() {
    let server = TestServer::with_flags(&["--limit-runs", "2"]).await;
    let (_, first) = server.chat("/tokens 500 /delay 20").await;
    let (run, second) = server.chat("/tokens 500 /delay 20").await;
    let third = server.post("/chat", json!({ "message": "hello" })).send().await.unwrap();
    assert_eq!(refusal(third).await, (503, "overloaded".to_owned(), Some(1)));
    server.post(&format!("/v1/runs/{run}/cancel"), json!({})).send().await.unwrap();
    second.rest().await;
    eventually("there is room again", || async {
        server.post("/chat", json!({ "message": "hello /delay 0" })).send().await.unwrap().status() == 200
    })
    .await;
    drop(first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_its_rate() {
    let server = TestServer::with_flags(&["--tenant-runs-per-minute", "3"]).await;
    for _ in 0..3 {
        server.chat("hello /delay 0").await.1.rest().await;
    }
    let (status, code, retry) = refusal(server.post("/chat", json!({ "message": "hello" })).send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (429, "too_many_runs"));
    assert!((1..=20).contains(&retry.unwrap()), "{retry:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_calls_wait_for_their_turn_in_a_queue_with_an_end() {
    let server =
        TestServer::with_flags(&["--model-concurrency", "1", "--model-queue", "1", "--model-queue-seconds", "0.3"]).await;
    let (_, mut first) = server.chat("/tokens 200 /delay 20").await;
    first.until("token").await;
    let (_, mut second) = server.chat("hello").await;
    second.until("input").await;
    eventually("the second waits", || async { server.metric("agent_model_waiting ").await == 1.0 }).await;
    let third = server.post("/chat", json!({ "message": "hello" })).send().await.unwrap();
    assert_eq!(refusal(third).await, (503, "overloaded".to_owned(), Some(1)));
    // The second has waited as long as it may; the first still streams.
    let waited = second.until("done").await;
    assert_eq!(waited.iter().find(|frame| frame.kind == "error").unwrap().json()["code"], "model_busy");
    assert_eq!(waited.last().unwrap().json()["status"], "failed");
    // Its permit is given back with the stream, not before.
    drop(first);
    eventually("the queue is empty", || async { server.metric("agent_model_waiting ").await == 0.0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_answers_one_message_at_a_time() {
    let server = TestServer::start().await;
    let start = |message: &str| server.post("/v1/threads/t/runs", json!({ "message": message })).send();
    assert_eq!(start("/tokens 500 /delay 20").await.unwrap().status(), 202);
    assert_eq!(refusal(start("hello").await.unwrap()).await, (409, "thread_busy".to_owned(), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_starts_one_run() {
    let server = TestServer::start().await;
    let start = |thread: &str, message: &str, key: &str| {
        let request = server.post(&format!("/v1/threads/{thread}/runs"), json!({ "message": message }));
        request.header("Idempotency-Key", key.to_owned()).send()
    };
    let first = start("t", "hello", "k-1").await.unwrap();
    assert_eq!(first.status(), 202);
    let location = first.headers()["location"].clone();
    let first: Value = first.json().await.unwrap();
    // Twenty at once, while it runs and after.
    let again = futures_util::future::join_all((0..20).map(|_| start("t", "hello", "k-1"))).await;
    for response in again {
        let response = response.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["location"]), (202, &location));
    }
    let events = server.get(first["events"].as_str().unwrap()).send().await.unwrap();
    Frames::new(events).rest().await;
    assert_eq!(start("t", "hello", "k-1").await.unwrap().headers()["location"], location);
    let other = refusal(start("t", "something else", "k-1").await.unwrap()).await;
    assert_eq!((other.0, other.1.as_str()), (422, "idempotency_key_reused"));
    assert_eq!(start("t", "hello", "").await.unwrap().status(), 400);
    let messages: Value = server.get("/v1/threads/t/messages").send().await.unwrap().json().await.unwrap();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2, "{messages}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_end_a_run() {
    let server = TestServer::with_flags(&["--run-tokens", "10", "--run-steps", "3", "--run-seconds", "1"]).await;
    let end = async |message: &str| {
        let frames = server.chat(message).await.1.rest().await;
        let code =
            frames.iter().find(|frame| frame.kind == "error").map(|frame| frame.json()["code"].as_str().unwrap().to_owned());
        (code.unwrap_or_default(), frames.iter().filter(|frame| frame.kind == "token").count())
    };
    assert_eq!(end("/tokens 50 /delay 0").await, ("budget_exhausted".to_owned(), 10));
    assert_eq!(end("/tokens 10 /delay 0").await, (String::new(), 10));
    assert_eq!(end("/slow 60000").await, ("time_exhausted".to_owned(), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_fails_is_asked_again_and_then_left_alone() {
    let server = TestServer::start().await;
    let fail = async || {
        let frames = server.chat("/fail").await.1.rest().await;
        frames.iter().find(|frame| frame.kind == "error").unwrap().json()["message"].as_str().unwrap().to_owned()
    };
    assert!(fail().await.contains("does not answer"));
    // Five failures in a row open the circuit, and the second run brings them.
    let second = tokio::time::timeout(Duration::from_secs(30), fail()).await.unwrap();
    assert!(second.contains("repeatedly"), "{second}");
    let hello = server.chat("hello").await.1.rest().await;
    assert!(hello.iter().any(|frame| frame.data.contains("model_unavailable")), "also for others");
    assert!(server.metric("agent_model_errors_total{code=\"model_unavailable\"}").await >= 5.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_is_not_begun_again() {
    let server = TestServer::start().await;
    let frames = server.chat("/tokens 10 /delay 0 /break 4").await.1.rest().await;
    assert_eq!(frames.iter().filter(|frame| frame.kind == "token").count(), 4);
    assert_eq!(frames.iter().find(|frame| frame.kind == "error").unwrap().json()["code"], "model_broken");
    let limited = server.chat("/429").await.1.rest().await;
    assert_eq!(limited.iter().find(|frame| frame.kind == "error").unwrap().json()["code"], "model_rate_limited");
}
