//! What a client sees of a chat, from the first byte to `[DONE]`.

use serde_json::json;

use crate::support::{Frames, TestServer, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_streams_and_ends_with_the_marker() {
    let server = TestServer::start().await;
    let response = server.post("/chat", json!({ "message": "hello" })).send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("cache-control").as_deref(), Some("no-cache"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    let mut frames = Frames::new(response).rest().await;
    assert_eq!(frames.pop().unwrap().data, "[DONE]");
    let seqs: Vec<i64> = frames.iter().map(|frame| frame.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
    assert_eq!(text(&frames), "You said: hello. I am a scripted model, so that is all I know.");
    assert_eq!(frames.last().unwrap().json()["status"], "completed");
    assert!(server.end().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_come_while_the_answer_is_written() {
    let server = TestServer::start().await;
    let (_, mut frames) = server.chat("/tokens 3 /delay 300").await;
    let start = std::time::Instant::now();
    frames.until("token").await;
    let first = start.elapsed();
    frames.until("done").await;
    assert!(start.elapsed() - first >= std::time::Duration::from_millis(500), "the tokens came together");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_is_called_and_its_result_shown() {
    let server = TestServer::start().await;
    let (_, frames) = server.chat("what are the sales?").await;
    let frames = frames.rest().await;
    let kinds: Vec<&str> = frames.iter().map(|frame| frame.kind.as_str()).filter(|kind| *kind != "token").collect();
    assert_eq!(kinds, ["input", "message", "tool_call", "tool_result", "message", "done", "message"]);
    let result = frames.iter().find(|frame| frame.kind == "tool_result").unwrap().json();
    assert_eq!(result["is_error"], false);
    assert!(result["output"].as_str().unwrap().contains("\"green tea\",\"sold\":10"), "{result}");
    assert!(text(&frames).contains("green tea"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_remembers() {
    let server = TestServer::start().await;
    for message in ["first", "second"] {
        let body = json!({ "message": message, "thread": "t-1" });
        Frames::new(server.post("/chat", body).send().await.unwrap()).rest().await;
    }
    let messages: serde_json::Value = server.get("/v1/threads/t-1/messages").send().await.unwrap().json().await.unwrap();
    let said: Vec<_> = messages["messages"].as_array().unwrap().iter().map(|message| &message["type"]).collect();
    assert_eq!(said, ["input", "message", "input", "message"]);
    assert_eq!(server.get("/v1/threads/t-2/messages").send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_stream_has_a_heartbeat() {
    let server = TestServer::with_flags(&["--heartbeat", "0.1"]).await;
    let mut response = server.post("/chat", json!({ "message": "/slow 1500 /tokens 1" })).send().await.unwrap();
    let mut body = String::new();
    while let Some(bytes) = response.chunk().await.unwrap() {
        body.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(body.starts_with(": open\n\n"), "{body}");
    assert!(body.matches(": heartbeat\n\n").count() >= 5, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_tool_or_model_of_one_user_holds_up_nobody_else() {
    let server = TestServer::start().await;
    let (_, slow) = server.chat("/slow 60000").await;
    for _ in 0..5 {
        server.chat("/tokens 5 /delay 5").await.1.rest().await;
    }
    drop(slow);
}
