//! Clients that mean ill, or do not know better.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Frames, Process, Random, TestServer, eventually, sqlite_url};

const PATIENCE: Duration = Duration::from_secs(20);

/// How long until the server closes a connection on which this was sent, and what it answered.
async fn until_closed(server: &TestServer, sent: &[u8]) -> (Duration, String) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    // A reset is a way to close too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("never closed");
    (begun.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_go_on_is_cut_off() {
    let server = TestServer::with_flags(&[
        "--timeout-first-byte",
        "0.5",
        "--timeout-headers",
        "0.7",
        "--timeout-keep-alive",
        "1.5",
        "--timeout-body",
        "0.6",
    ])
    .await;
    let within = |(elapsed, _): &(Duration, String), least: f64| {
        assert!(*elapsed >= Duration::from_secs_f64(least) && *elapsed < Duration::from_secs_f64(least + 5.0), "{elapsed:?}");
    };
    within(&until_closed(&server, b"").await, 0.5);
    within(&until_closed(&server, b"G").await, 0.7);
    within(&until_closed(&server, b"P").await, 0.7);
    within(&until_closed(&server, b"GET /livez HTTP/1.1\r\nHost: localh").await, 0.7);
    let idle = until_closed(&server, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(idle.1.starts_with("HTTP/1.1 200"), "{}", idle.1);
    within(&idle, 1.5);
    let second = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHos";
    within(&until_closed(&server, second).await, 0.7);
    let half = until_closed(&server, b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"mess").await;
    assert!(half.1.starts_with("HTTP/1.1 408"), "{}", half.1);
    within(&half, 0.6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_request_head_is_cut_off_although_bytes_come() {
    let server = TestServer::with_flags(&["--timeout-headers", "1", "--timeout-keep-alive", "60"]).await;
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    while stream.write_all(b"X: y\r\n").await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "a slow head is never cut off");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_is_refused() {
    let server = TestServer::with_flags(&["--limit-body", "2000"]).await;
    let body = json!({ "message": "x".repeat(3000) });
    let response = server.post("/chat", body.clone()).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], "too_large");
    // Without a length, in pieces.
    let pieces = (0..3000).map(|_| Ok::<_, std::io::Error>("x"));
    let pieces = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_eq!(server.client.post(server.url("/chat")).body(pieces).send().await.unwrap().status(), 413);
    let (_, answer) = until_closed(&server, &[b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'y'; 40_000], b"\r\n\r\n"].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(server.client.post(server.url("/chat")).body("{\"message\": ").send().await.unwrap().status(), 400);
    assert_eq!(server.get("/no/such/page").send().await.unwrap().status(), 404);
    assert_eq!(server.client.delete(server.url("/chat")).send().await.unwrap().status(), 405);
    assert_eq!(server.get("/v1/runs/no-run").send().await.unwrap().status(), 404);
    assert_eq!(server.get("/v1/threads/a%20b/messages").send().await.unwrap().status(), 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_in_the_middle_can_finish_and_see_why() {
    let server = TestServer::with_flags(&["--limit-body", "1000"]).await;
    let head = b"POST /chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head).await.unwrap();
    let piece = [b"3e8\r\n".as_slice(), &[b'x'; 1000], b"\r\n"].concat();
    // Well after the server has answered.
    for _ in 0..10 {
        stream.write_all(&piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("never closed").unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("too_large"), "{answer}");
    // Neither who does not close nor who never stops is waited for without end.
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head).await.unwrap();
    // As fast as it can: there is always something to read.
    let pieces = piece.repeat(64);
    while stream.write_all(&pieces).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "what is refused is read for ever");
    }
    eventually("the connections end", || async { server.metric("agent_connections ").await == 0.0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_allowed_wait() {
    let server = TestServer::with_flags(&["--limit-connections", "2", "--timeout-keep-alive", "1"]).await;
    let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream.read_u8().await.unwrap();
        held.push(stream);
    }
    let mut third = TcpStream::connect(server.address).await.unwrap();
    third.write_all(request).await.unwrap();
    assert!(timeout(Duration::from_millis(200), third.read_u8()).await.is_err(), "a third was served");
    assert_eq!(server.metric("agent_connections ").await, 2.0);
    // The idle ones are closed, and make room.
    timeout(PATIENCE, third.read_u8()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_holds_nobody_up_and_is_dropped() {
    let server = TestServer::with_flags(&["--timeout-write", "1", "--run-tokens", "1000000"]).await;
    let body = json!({ "message": "/tokens 60000 /delay 0" }).to_string();
    let head = format!("POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.read_u8().await.unwrap();
    // The run does not wait for it.
    eventually("the run ends", || async { server.metric("agent_runs_ended_total{status=\"completed\"}").await == 1.0 }).await;
    eventually("the stream is dropped", || async { server.metric("agent_open_streams ").await == 0.0 }).await;
    let (_, frames) = server.chat("hello /delay 0").await;
    assert!(frames.rest().await.iter().any(|frame| frame.kind == "done"));
    drop(slow);
}

/// What a process holds: KiB of memory, and descriptors.
fn holds(process: &Process) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let descriptors = fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap().count();
    (resident.trim().trim_end_matches(" kB").parse().unwrap(), descriptors)
}

/// A request that is almost one.
fn malformed(random: &mut Random) -> Vec<u8> {
    let method = ["GET", "POST", "PUT", "G\0T", "", "get", "OPTIONS", "CONNECT"][random.below(8) as usize];
    let paths =
        ["/", "/chat", "/v1/runs/x", "/v1/threads/t/runs", "*", "/%ff%fe", "//", "/v1/runs/%2e%2e/events", "http://[", "/\u{7f}"];
    let path = paths[random.below(10) as usize];
    let version = ["HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/1.", ""][random.below(5) as usize];
    let headers = [
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Last-Event-ID: 9e9",
        "Idempotency-Key: \u{1}",
        "Host: ",
        "Host: localhost",
        ": empty",
        "No colon",
        "Authorization: Bearer \u{fe}",
        "X-Forwarded-For: ,,,,",
        "Expect: 100-continue",
    ];
    let mut request = format!("{method} {path} {version}\r\nHost: localhost\r\n");
    for _ in 0..random.below(4) {
        request.push_str(headers[random.below(14) as usize]);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let bodies =
        ["", "{}", "{\"message\":", "zz\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "[[[[[[[[", "\u{0}\u{0}", "{\"message\":1}"];
    request.push_str(bodies[random.below(8) as usize]);
    let mut bytes = request.into_bytes();
    for _ in 0..random.below(4) {
        let index = random.below(bytes.len() as u64) as usize;
        bytes[index] = random.below(256) as u8;
    }
    bytes.truncate(1 + random.below(bytes.len() as u64 + 20) as usize);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_malformed_requests_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let server = Process::start(&["--database-url", &url, "--timeout-headers", "0.2", "--timeout-body", "0.2"]);
    let address = server.address.clone();
    let attack = async |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            let bytes = malformed(&mut Random::new(seed));
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap_or_else(|_| panic!("no end: seed {seed}"));
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1."), "seed {seed}: {answer}");
            assert!(!answer.starts_with("HTTP/1.1 500"), "seed {seed}: {answer}");
        }
    };
    attack(0..500).await;
    let before = holds(&server);
    let lanes = (0..19).map(|lane| attack(500 + lane * 500..1000 + lane * 500));
    futures_util::future::join_all(lanes).await;
    eventually("descriptors are given back", || async { holds(&server).1 <= before.1 + 2 }).await;
    let after = holds(&server);
    assert!(after.0 <= before.0 + 16 * 1024, "{} KiB before, {} after", before.0, after.0);
    let hello =
        reqwest::Client::new().post(server.url("/chat")).json(&json!({ "message": "hello /delay 0" })).send().await.unwrap();
    assert!(Frames::new(hello).rest().await.iter().any(|frame| frame.kind == "done"));
}
