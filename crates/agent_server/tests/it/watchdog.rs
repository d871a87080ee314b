//! A handler that blocks is caught in the act.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;

use crate::support::{Setup, TestServer};

const BLOCKED: Duration = Duration::from_secs(1);
/// How soon a stall is to show.
const SOON: Duration = Duration::from_millis(200);

static BEGUN: Mutex<Option<Instant>> = Mutex::new(None);

/// Blocks its thread, as a forgotten synchronous call does.
async fn block() -> &'static str {
    *BEGUN.lock().unwrap() = Some(Instant::now());
    #[expect(clippy::disallowed_methods, reason = "the watchdog is to see it")]
    std::thread::sleep(BLOCKED);
    "done"
}

#[test]
fn a_blocked_loop_is_reported_with_its_route_while_it_is_blocked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let routes = Router::new().route("/block", get(block));
    let server = runtime.block_on(TestServer::with(Setup { routes, ..Setup::default() }));
    // Not by the server's own port, which stands still too.
    let metrics = server.metrics();
    let stalls = || {
        let text = metrics.text();
        let line = text.lines().find(|line| line.starts_with("agent_loop_stalls_total{route=\"GET /block\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    // Of three, so that one pause of the machine's own is forgiven.
    let caught = (0..3).map(|_| {
        let before = stalls();
        let request = runtime.spawn(reqwest::get(server.url("/block")));
        let since = wait_for(|| BEGUN.lock().unwrap().take());
        let caught = wait_for(|| (stalls() > before).then(|| since.elapsed()));
        runtime.block_on(request).unwrap().unwrap();
        caught
    });
    let mut caught: Vec<Duration> = caught.collect();
    caught.sort();
    assert!(caught[1] < SOON, "{caught:?}");
    assert!(caught[2] < BLOCKED, "after the fact: {caught:?}");
}

/// Waits outside of any runtime.
fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "never");
        #[expect(clippy::disallowed_methods, reason = "no event loop here")]
        std::thread::sleep(Duration::from_millis(1));
    }
}
