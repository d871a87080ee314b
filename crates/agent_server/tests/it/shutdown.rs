//! A deploy drops no conversation.

use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Frames, Process, TestServer, answer, eventually, run_of, sqlite_url};

const STREAMS: usize = 200;
const BOUND: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stream_ends_well_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let flags = ["--database-url", url.as_str(), "--timeout-graceful-shutdown", "6", "--lame-duck", "0.5", "--lease", "2"];
    let mut server = Process::start(&flags);
    let client = reqwest::Client::new();
    let mut open = Vec::new();
    for index in 0..STREAMS {
        // Some end while the server drains; most would go on for a minute.
        let tokens = if index % 10 == 0 { 40 } else { 1200 };
        let message = json!({ "message": format!("/tokens {tokens} /delay 50") });
        let response = client.post(server.url("/chat")).json(&message).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let run = run_of(&response);
        open.push((run, tokio::spawn(Frames::new(response).rest())));
    }
    let told = Instant::now();
    server.signal(Signal::TERM);
    eventually("readiness goes off", || async {
        client.get(server.url("/readyz")).send().await.is_ok_and(|response| response.status() == 503)
    })
    .await;
    assert_eq!(client.get(server.url("/livez")).send().await.unwrap().status(), 200, "still serving");
    let mut drained = None;
    let mut done = 0;
    for (run, reading) in open {
        let mut frames = reading.await.unwrap();
        let mut last = frames.pop().unwrap();
        if last.data == "[DONE]" {
            last = frames.pop().unwrap();
            done += 1;
            assert_eq!(last.json()["status"], "completed");
        } else {
            assert_eq!(last.kind, "drain", "{last:?}");
            drained = Some((run, frames));
        }
    }
    let code = server.wait().code();
    let log = server.logged();
    assert_eq!(code, Some(0), "not everything was given back: {:?}", log.lines().last());
    assert!(told.elapsed() < BOUND, "{:?}", told.elapsed());
    assert_eq!(done, STREAMS / 10, "those that could end did");

    // The next version takes over at once, without waiting for a lease to end.
    let (run, seen) = drained.unwrap();
    let server = Process::start(&flags);
    let after = seen.last().unwrap().seq;
    let back = Instant::now();
    let response = client.get(server.url(&format!("/v1/runs/{run}/events?after={after}"))).send().await.unwrap();
    let mut frames = Frames::new(response);
    let resumed = frames.until("token").await;
    assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
    assert_eq!(resumed.first().unwrap().kind, "resumed");
    assert!(answer(&[seen, resumed].concat()).starts_with("token 1 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_is_immediate() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let mut server = Process::start(&["--database-url", &url, "--timeout-graceful-shutdown", "60", "--lame-duck", "20"]);
    let told = Instant::now();
    server.signal(Signal::INT);
    server.log("told to end; a second signal ends at once");
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_takes_no_new_runs() {
    let server = TestServer::with_flags(&["--timeout-graceful-shutdown", "10"]).await;
    let (_, mut frames) = server.chat("/tokens 100 /delay 20").await;
    frames.until("token").await;
    server.shutdown.gracefully.cancel();
    eventually("new runs are refused, or the door is closed", || async {
        match server.post("/chat", json!({ "message": "hello" })).send().await {
            Ok(response) => response.status() == 503 && response.headers().contains_key("retry-after"),
            Err(error) => error.is_connect() || error.is_request(),
        }
    })
    .await;
    let rest = frames.rest().await;
    assert!(rest.iter().any(|frame| frame.kind == "done" || frame.kind == "drain"));
    assert!(server.end().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_said_nothing_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let mut server = Process::start(&["--database-url", &url, "--timeout-graceful-shutdown", "20", "--lame-duck", "0"]);
    let _silent = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    // Answered, so that the silent one, which came before, was accepted too.
    let mut other = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    other.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let told = Instant::now();
    server.signal(Signal::TERM);
    let code = server.wait().code();
    assert_eq!(code, Some(0), "{:?}", server.logged().lines().last());
    assert!(told.elapsed() < BOUND, "{:?}", told.elapsed());
}
