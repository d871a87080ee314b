//! A model behind an OpenAI-compatible API, over real HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Frame, TestServer, text};

/// A provider that answers as the test says, one answer to a request, and keeps what it was asked.
#[derive(Clone, Default)]
struct Provider(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<(HeaderMap, Value)>,
}

enum Answer {
    Stream(Vec<String>),
    Status(u16, &'static str),
    RetryAfter(&'static str),
    /// Says nothing, but that it was the last request of a hundred, which are there again after so long.
    Last(&'static str),
}

async fn answer(State(provider): State<Provider>, headers: HeaderMap, axum::Json(body): axum::Json<Value>) -> Response {
    let mut script = provider.0.lock().unwrap();
    script.asked.push((headers, body));
    let stream = |frames: Vec<String>| {
        let chunks = frames.into_iter().map(Ok::<_, std::convert::Infallible>);
        ([("content-type", "text/event-stream")], axum::body::Body::from_stream(futures_util::stream::iter(chunks)))
    };
    match script.answers.pop_front().expect("a request too many") {
        Answer::Stream(frames) => stream(frames).into_response(),
        Answer::Last(reset) => {
            let named = |name: &'static str, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
            let limits: HeaderMap = [
                named("x-ratelimit-limit-requests", "100"),
                named("x-ratelimit-remaining-requests", "0"),
                named("x-ratelimit-reset-requests", reset),
            ]
            .into_iter()
            .collect();
            (limits, stream(vec!["data: [DONE]\n\n".to_owned()])).into_response()
        }
        Answer::Status(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Answer::RetryAfter(seconds) => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds)]).into_response(),
    }
}

/// A turn as a provider sends it.
fn turn(deltas: &[Value]) -> Answer {
    let mut frames: Vec<String> =
        deltas.iter().map(|delta| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }))).collect();
    frames.push(format!("data: {}\n\n", json!({ "choices": [], "usage": { "completion_tokens": 7 } })));
    frames.push("data: [DONE]\n\n".to_owned());
    Answer::Stream(frames)
}

fn hello() -> Answer {
    turn(&[json!({ "role": "assistant", "content": "" }), json!({ "content": "Hel" }), json!({ "content": "lo\n\"you\"" })])
}

/// A server whose model is behind this provider.
async fn behind(answers: Vec<Answer>) -> (TestServer, Provider) {
    let provider = Provider::default();
    provider.0.lock().unwrap().answers = answers.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new().route("/v1/chat/completions", post(answer)).with_state(provider.clone());
    #[expect(clippy::disallowed_methods, reason = "a double, to the end of the test")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    (TestServer::with_flags(&["--model-url", &url, "--model", "m-1", "--api-key", "sk-test"]).await, provider)
}

/// Asks it once.
async fn ask(answers: Vec<Answer>, message: &str) -> (Vec<Frame>, Vec<(HeaderMap, Value)>) {
    let (server, provider) = behind(answers).await;
    let frames = server.chat(message).await.1.rest().await;
    let asked = std::mem::take(&mut provider.0.lock().unwrap().asked);
    (frames, asked)
}

fn error_of(frames: &[Frame]) -> Value {
    frames.iter().find(|frame| frame.kind == "error").unwrap().json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_passed_on() {
    let (frames, asked) = ask(vec![hello()], "hi").await;
    assert_eq!(text(&frames), "Hello\n\"you\"");
    assert_eq!(frames.iter().find(|frame| frame.kind == "done").unwrap().json()["tokens"], 7);
    let (headers, body) = &asked[0];
    assert_eq!(headers["authorization"], "Bearer sk-test");
    assert_eq!(body["model"], "m-1");
    assert_eq!(body["stream"], true);
    assert_eq!(body["messages"], json!([{ "role": "user", "content": "hi" }]));
    let names: Vec<_> = body["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, ["sql_query", "http_get", "now"]);
    assert_eq!(body["tools"][0]["function"]["parameters"]["properties"]["sql"]["maxLength"], 4000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_call_in_pieces_is_made_and_its_result_sent_back() {
    let call = turn(&[
        json!({ "tool_calls": [{ "index": 0, "id": "call_7", "type": "function", "function": { "name": "now", "arguments": "" } }] }),
        json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{" } }] }),
        json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "}" } }] }),
    ]);
    let (frames, asked) = ask(vec![call, hello()], "what is the time").await;
    assert_eq!(frames.iter().find(|frame| frame.kind == "tool_result").unwrap().json()["is_error"], false);
    assert_eq!(text(&frames), "Hello\n\"you\"");
    let messages = asked[1].1["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
    assert_eq!(messages[1]["tool_calls"][0]["id"], "call_7");
    assert_eq!(messages[2]["tool_call_id"], "call_7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_are_no_json_are_told_to_the_model() {
    let call = turn(&[json!({ "tool_calls": [{ "index": 0, "id": "c", "function": { "name": "now", "arguments": "{\"a" } }] })]);
    let (frames, asked) = ask(vec![call, hello()], "hi").await;
    assert_eq!(frames.iter().find(|frame| frame.kind == "tool_result").unwrap().json()["is_error"], true);
    assert_eq!(asked.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again_before_the_first_token() {
    let (frames, asked) = ask(vec![Answer::RetryAfter("1"), Answer::Status(503, "busy"), hello()], "hi").await;
    assert_eq!(asked.len(), 3);
    assert_eq!(text(&frames), "Hello\n\"you\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_says_of_its_limits_holds_for_every_run() {
    let (server, provider) = behind(vec![Answer::Last("1m0s"), Answer::RetryAfter("60")]).await;
    let begun = Instant::now();
    server.chat("hi").await.1.rest().await;
    // Another run, which waits for its turn, and is told to wait for longer than it can.
    let frames = server.chat("hi").await.1.rest().await;
    assert!(begun.elapsed() >= Duration::from_millis(600));
    assert_eq!(error_of(&frames)["code"], "model_rate_limited");
    // A third would wait for just as long.
    let refused = server.post("/chat", json!({ "message": "hi" })).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((31..=60).contains(&seconds), "{seconds}");
    assert_eq!(provider.0.lock().unwrap().asked.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_final_and_says_why() {
    let (frames, asked) = ask(vec![Answer::Status(400, "{\"error\":\"no such model\"}")], "hi").await;
    assert_eq!(asked.len(), 1);
    let error = error_of(&frames);
    assert_eq!(error["code"], "model_refused");
    assert!(error["message"].as_str().unwrap().contains("no such model"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_not_tried_again() {
    let cut = Answer::Stream(vec![format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": "Hel" } }] }))]);
    let (frames, asked) = ask(vec![cut], "hi").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(text(&frames), "Hel");
    assert_eq!(error_of(&frames)["code"], "model_broken");
    let garbage = Answer::Stream(vec!["data: {not json\n\n".to_owned()]);
    assert_eq!(error_of(&ask(vec![garbage], "hi").await.0)["code"], "model_broken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_not_there_is_named_without_its_address() {
    let server = TestServer::with_flags(&["--model-url", "http://127.0.0.1:1/v1?secret=1"]).await;
    let frames = server.chat("hi").await.1.rest().await;
    let error = error_of(&frames);
    assert_eq!(error["code"], "model_unavailable");
    assert!(!error["message"].as_str().unwrap().contains("secret"), "{error}");
}
