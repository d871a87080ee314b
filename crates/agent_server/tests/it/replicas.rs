//! Several servers on one database: any serves any stream, and never do two drive one run.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Frame, Frames, Process, TestServer, answer, postgres_database, run_of, sqlite_url};

fn is_whole(log: &[Frame]) {
    let seqs: Vec<i64> = log.iter().map(|frame| frame.seq).collect();
    assert_eq!(seqs, (1..=i64::try_from(log.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(log.iter().filter(|frame| frame.kind == "done").count(), 1);
}

fn tokens(count: u64) -> String {
    (1..=count).map(|number| format!("token {number} ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_replica_serves_any_stream() {
    let Some(url) = postgres_database("any_replica_serves_any_stream") else { return };
    let flags = ["--database-url", url.as_str()];
    let (one, other) = (TestServer::with_flags(&flags).await, TestServer::with_flags(&flags).await);
    let (run, mut here) = one.chat("/tokens 60 /delay 20").await;
    here.until("token").await;
    let there = Frames::new(other.events(&run, 0).await).rest().await;
    is_whole(&there);
    assert_eq!(answer(&there), tokens(60));
    let mut here = here.rest().await;
    here.retain(|frame| frame.seq > 0);
    assert!(there.ends_with(&here));
    let state: Value = other.get(&format!("/v1/runs/{run}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["status"], "completed");
    assert!(one.end().await.drained && other.end().await.drained);
}

/// As a deploy on one machine has it, when the new server starts before the old one has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let flags = ["--database-url", url.as_str()];
    let (one, other) = (TestServer::with_flags(&flags).await, TestServer::with_flags(&flags).await);
    let (run, mut here) = one.chat("/tokens 45 /delay 15").await;
    let (other_run, elsewhere) = other.chat("/tokens 45 /delay 15").await;
    let mut seen = 0;
    while seen < 12 {
        seen = here.next().await.unwrap().seq;
        // The other server knows of every entry that was sent, although it may not find it by its key yet.
        let state: Value = other.get(&format!("/v1/runs/{run}")).send().await.unwrap().json().await.unwrap();
        assert!(state["last_event"].as_i64().unwrap() >= seen, "{seen}: {state}");
    }
    let there = Frames::new(other.events(&run, seen).await).rest().await;
    assert_eq!(there.first().map(|frame| frame.seq), Some(seen + 1));
    for (run, server) in [(&run, &one), (&run, &other), (&other_run, &one), (&other_run, &other)] {
        let log = Frames::new(server.events(run, 0).await).rest().await;
        is_whole(&log);
        assert_eq!(answer(&log), tokens(45));
    }
    elsewhere.rest().await;
    assert!(one.end().await.drained && other.end().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_hears_of_tokens_at_once() {
    let Some(url) = postgres_database("another_replica_hears_of_tokens_at_once") else { return };
    let flags = ["--database-url", url.as_str()];
    let (one, other) = (TestServer::with_flags(&flags).await, TestServer::with_flags(&flags).await);
    let (run, mut here) = one.chat("/tokens 40 /delay 25").await;
    here.until("input").await;
    // Polling alone, twice a second, would bring them in two or three lumps.
    let mut there = Frames::new(other.events(&run, 0).await);
    let (mut lumps, mut last) = (0, Instant::now());
    while let Some(frame) = there.next().await {
        if last.elapsed() > Duration::from_millis(8) {
            lumps += 1;
        }
        last = Instant::now();
        if frame.kind == "done" {
            break;
        }
    }
    assert!(lumps > 10, "{lumps}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_cancelled_from_any_replica() {
    let Some(url) = postgres_database("a_run_is_cancelled_from_any_replica") else { return };
    let flags = ["--database-url", url.as_str()];
    let (one, other) = (TestServer::with_flags(&flags).await, TestServer::with_flags(&flags).await);
    let (run, mut frames) = one.chat("/tokens 2000 /delay 20").await;
    frames.until("token").await;
    let response = other.post(&format!("/v1/runs/{run}/cancel"), json!({})).send().await.unwrap();
    assert_eq!(response.status(), 202);
    assert_eq!(frames.until("done").await.last().unwrap().json()["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_dies_is_replaced() {
    let Some(url) = postgres_database("a_replica_that_dies_is_replaced") else { return };
    let flags = ["--database-url", url.as_str(), "--lease", "1"];
    let (dies, lives) = (Process::start(&flags), Process::start(&flags));
    let client = reqwest::Client::new();
    let message = json!({ "message": "/tool now {} /tokens 100 /delay 20" });
    let run = run_of(&client.post(dies.url("/chat")).json(&message).send().await.unwrap());
    // This client is connected to the survivor all the time.
    let stream = client.get(lives.url(&format!("/v1/runs/{run}/events"))).send().await.unwrap();
    let mut stream = Frames::new(stream);
    let mut log = stream.until("token").await;
    dies.kill();
    log.extend(stream.rest().await);
    is_whole(&log);
    assert!(log.iter().any(|frame| frame.kind == "resumed"));
    assert_eq!(answer(&log), tokens(100));
}

/// A replica that is stopped long enough to lose its runs, and then goes on as if nothing had happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_never_drive_one_run() {
    let Some(url) = postgres_database("two_replicas_never_drive_one_run") else { return };
    let flags = ["--database-url", url.as_str(), "--lease", "0.6"];
    let (mut sleeper, other) = (Process::start(&flags), Process::start(&flags));
    let client = reqwest::Client::new();
    let mut runs = Vec::new();
    for _ in 0..10 {
        let message = json!({ "message": "/tokens 150 /delay 15" });
        runs.push(run_of(&client.post(sleeper.url("/chat")).json(&message).send().await.unwrap()));
    }
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        sleeper.signal(Signal::STOP);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        sleeper.signal(Signal::CONT);
    }
    for run in &runs {
        let stream = client.get(other.url(&format!("/v1/runs/{run}/events"))).send().await.unwrap();
        let log = Frames::new(stream).rest().await;
        is_whole(&log);
        assert_eq!(answer(&log), tokens(150), "{log:?}");
        assert!(log.iter().any(|frame| frame.kind == "resumed"), "the run was taken over");
    }
    sleeper.log("the run was lost to another replica, or its log cannot be written");
}
