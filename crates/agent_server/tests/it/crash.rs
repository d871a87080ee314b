//! The server dies at any moment and comes back: nothing that was sent is lost, and nothing happens twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_server::Tool;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};

use crate::support::{Frame, Frames, Process, Random, Setup, TestServer, answer, run_of, sqlite_url};

const STREAMS: usize = 6;
const LEASE: &str = "1";

/// Starts runs, kills the process somewhere in the middle, starts it again and reads each run to its end.
async fn die_and_come_back(seed: u64) {
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let flags = ["--database-url", url.as_str(), "--lease", LEASE];
    let server = Process::start(&flags);
    let client = reqwest::Client::new();
    let mut runs = Vec::new();
    for index in 0..STREAMS {
        let message = format!("/tool now {{}} /tokens {} /delay {}", 10 + index * 10, 1 + random.below(8));
        let response = client.post(server.url("/chat")).json(&json!({ "message": message })).send().await.unwrap();
        runs.push((run_of(&response), 10 + index * 10, Frames::new(response)));
    }
    let reading = runs.into_iter().map(|(run, tokens, frames)| async move { (run, tokens, frames.rest().await) });
    let reading = tokio::spawn(futures_util::future::join_all(reading));
    tokio::time::sleep(Duration::from_millis(random.below(300))).await;
    server.kill();
    let seen = reading.await.unwrap();

    let server = Process::start(&flags);
    for (run, tokens, mut seen) in seen {
        seen.retain(|frame| frame.seq > 0);
        let after = seen.last().map_or(0, |frame| frame.seq);
        let resume = client.get(server.url(&format!("/v1/runs/{run}/events?after={after}"))).send().await.unwrap();
        let rest = if resume.status() == 204 { Vec::new() } else { Frames::new(resume).rest().await };
        let joined: Vec<Frame> = seen.into_iter().chain(rest).collect();
        let log = client.get(server.url(&format!("/v1/runs/{run}/events"))).send().await.unwrap();
        let log = Frames::new(log).rest().await;
        assert_eq!(joined, log, "seed {seed}: what was sent is not the log");
        let seqs: Vec<i64> = log.iter().map(|frame| frame.seq).collect();
        assert_eq!(seqs, (1..=i64::try_from(log.len()).unwrap()).collect::<Vec<_>>(), "seed {seed}");
        let expected: String = (1..=tokens).map(|number| format!("token {number} ")).collect();
        assert_eq!(answer(&log), expected, "seed {seed}: {log:?}");
        assert_eq!(log.last().unwrap().json()["status"], "completed", "seed {seed}");
        assert_eq!(log.iter().filter(|frame| frame.kind == "done").count(), 1, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_sent_is_lost() {
    for seed in 1..=6 {
        die_and_come_back(seed).await;
    }
}

/// A tool with an effect that is not to happen twice.
struct Charge {
    calls: Arc<AtomicUsize>,
    /// Never comes to an end.
    hangs: bool,
}

impl Tool for Charge {
    fn name(&self) -> &'static str {
        "charge"
    }

    fn description(&self) -> &'static str {
        "Takes money."
    }

    fn schema(&self) -> Value {
        json!({ "type": "object" })
    }

    fn is_repeatable(&self) -> bool {
        false
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn call<'tool>(&'tool self, _arguments: Value) -> BoxFuture<'tool, Result<String, String>> {
        async {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if self.hangs {
                std::future::pending::<()>().await;
            }
            Ok("charged".to_owned())
        }
        .boxed()
    }
}

#[test]
fn a_tool_with_an_effect_runs_at_most_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let flags = ["--database-url", url.as_str(), "--lease", LEASE];
    let calls = Arc::new(AtomicUsize::new(0));
    let tools = |hangs| -> Vec<Box<dyn Tool>> { vec![Box::new(Charge { calls: Arc::clone(&calls), hangs })] };
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();

    let first = runtime();
    let run = first.block_on(async {
        let server = TestServer::with(Setup { flags: &flags, tools: tools(true), ..Setup::default() }).await;
        let (run, mut frames) = server.chat("/tool charge {} /delay 0").await;
        frames.until("tool_call").await;
        crate::support::eventually("the tool is called", || async { calls.load(Ordering::SeqCst) == 1 }).await;
        run
    });
    // All tasks are dropped where they are.
    first.shutdown_background();

    runtime().block_on(async {
        let server = TestServer::with(Setup { flags: &flags, tools: tools(false), ..Setup::default() }).await;
        let log = Frames::new(server.events(&run, 0).await).rest().await;
        let result = log.iter().find(|frame| frame.kind == "tool_result").unwrap().json();
        assert_eq!(result["is_error"], true);
        assert!(result["output"].as_str().unwrap().contains("not made again"), "{result}");
        assert_eq!(log.last().unwrap().json()["status"], "completed");
        assert_eq!(calls.load(Ordering::SeqCst), 1);

        let (_, frames) = server.chat("/tool charge {} /delay 0").await;
        let log = frames.rest().await;
        assert_eq!(log.iter().find(|frame| frame.kind == "tool_result").unwrap().json()["output"], "charged");
    });
}
