//! A client that comes back gets what it missed, no more and no less.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Frame, Frames, TestServer};

/// How one connection of a client goes.
#[derive(Clone, Debug)]
struct Connection {
    /// Frames that are read before the client leaves.
    reads: usize,
    /// It says where it was by the header that browsers send, else by the query.
    by_header: bool,
}

fn connections() -> impl Strategy<Value = Vec<Connection>> {
    let connection = (0..12_usize, any::<bool>()).prop_map(|(reads, by_header)| Connection { reads, by_header });
    prop::collection::vec(connection, 0..8)
}

/// Reads as told, then to the end; everything that was read, in order.
async fn read_in_pieces(server: &TestServer, run: &str, connections: &[Connection]) -> Vec<Frame> {
    let mut read: Vec<Frame> = Vec::new();
    for Connection { reads, by_header } in connections.iter().chain([&Connection { reads: usize::MAX, by_header: true }]) {
        let after = read.last().map_or(0, |frame| frame.seq);
        let path = format!("/v1/runs/{run}/events");
        let request = if *by_header {
            server.get(&path).header("Last-Event-ID", after.to_string())
        } else {
            server.get(&format!("{path}?after={after}"))
        };
        let response = request.send().await.unwrap();
        if response.status() == 204 {
            break;
        }
        assert_eq!(response.status(), 200);
        read.extend(Frames::new(response).take(*reads).await);
    }
    read
}

#[test]
fn whatever_the_cuts_the_pieces_are_the_log() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(TestServer::start());
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    // From a stream that is read while it grows to one that has ended.
    let case = (connections(), 0..30_u64, 0..3_u64);
    let result = runner.run(&case, |(connections, tokens, delay)| {
        runtime.block_on(async {
            let script = format!("/tool now {{}} /tokens {tokens} /delay {delay}");
            let (run, mut first) = server.chat(&script).await;
            first.take(1).await;
            drop(first);
            let read = read_in_pieces(&server, &run, &connections).await;
            let log = Frames::new(server.events(&run, 0).await).rest().await;
            prop_assert_eq!(&read, &log);
            let seqs: Vec<i64> = log.iter().map(|frame| frame.seq).collect();
            prop_assert_eq!(seqs, (1..=i64::try_from(log.len()).unwrap()).collect::<Vec<_>>());
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_saw_everything_is_told_not_to_come_back() {
    let server = TestServer::start().await;
    let (run, frames) = server.chat("/tokens 2 /delay 0").await;
    let last = frames.rest().await.iter().map(|frame| frame.seq).max().unwrap();
    assert_eq!(server.events(&run, last).await.status(), 204);
    assert_eq!(Frames::new(server.events(&run, last - 1).await).rest().await.len(), 1);
    assert_eq!(server.events(&run, last + 1).await.status(), 400, "an event that is not there");
    for nonsense in ["-1", "x", "99999999999999999999"] {
        let response = server.get(&format!("/v1/runs/{run}/events?after={nonsense}")).send().await.unwrap();
        assert_eq!(response.status(), 400, "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_when_its_client_leaves() {
    let server = TestServer::start().await;
    let (run, mut frames) = server.chat("/tokens 20 /delay 10").await;
    frames.until("token").await;
    drop(frames);
    let log = Frames::new(server.events(&run, 0).await).rest().await;
    assert_eq!(log.iter().filter(|frame| frame.kind == "token").count(), 20);
    assert_eq!(log.last().unwrap().json()["status"], "completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_with_its_client_where_that_was_asked() {
    let server = TestServer::start().await;
    let body = json!({ "message": "/tokens 1000 /delay 20", "on_disconnect": "cancel" });
    let response = server.post("/chat", body).send().await.unwrap();
    let run = crate::support::run_of(&response);
    let mut frames = Frames::new(response);
    frames.until("token").await;
    drop(frames);
    let log = Frames::new(server.events(&run, 0).await).rest().await;
    assert_eq!(log.last().unwrap().json()["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_cancelled_by_request() {
    let server = TestServer::start().await;
    let (run, mut frames) = server.chat("/tokens 1000 /delay 20").await;
    frames.until("token").await;
    let cancel = format!("/v1/runs/{run}/cancel");
    assert_eq!(server.post(&cancel, json!({})).send().await.unwrap().status(), 202);
    let rest = frames.until("done").await;
    assert_eq!(rest.last().unwrap().json()["status"], "cancelled");
    assert_eq!(server.post(&cancel, json!({})).send().await.unwrap().status(), 204, "a second time");
    let state: Value = server.get(&format!("/v1/runs/{run}")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&state["status"], &state["cancel_requested"]), (&json!("cancelled"), &json!(true)));
    assert!(state["finished"].as_i64() >= state["created"].as_i64());
}
