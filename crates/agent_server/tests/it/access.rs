//! Each tenant sees what is its own, and a stranger nothing.

use std::fs;

use agent_server::config::Config;
use agent_server::{AppState, new_key};
use rustix::process::Signal;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::{Frames, Process, TestServer, run_of, sqlite_url};

/// A server with keys for two tenants, and the keys.
async fn with_keys() -> (TestServer, String, String, tempfile::TempDir) {
    let ((ann, ann_line), (bob, bob_line)) = (new_key("ann").unwrap(), new_key("bob").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, format!("{ann_line}\n{bob_line}\n")).unwrap();
    let server = TestServer::with_flags(&["--api-keys-file", file.to_str().unwrap()]).await;
    (server, ann.expose_secret().to_owned(), bob.expose_secret().to_owned(), folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_run_does_not_exist() {
    let (server, ann, bob, _folder) = with_keys().await;
    let body = json!({ "message": "hello /delay 0", "thread": "shared-name" });
    let response = server.post("/chat", body.clone()).bearer_auth(&ann).send().await.unwrap();
    let run = run_of(&response);
    Frames::new(response).rest().await;
    for (method, path) in [
        ("GET", format!("/v1/runs/{run}")),
        ("GET", format!("/v1/runs/{run}/events")),
        ("POST", format!("/v1/runs/{run}/cancel")),
        ("GET", "/v1/threads/shared-name/messages".to_owned()),
    ] {
        let request = |key: &str| server.client.request(method.parse().unwrap(), server.url(&path)).bearer_auth(key).send();
        assert_eq!(request(&bob).await.unwrap().status(), 404, "{path}");
        assert!(request(&ann).await.unwrap().status().is_success(), "{path}");
    }
    // The same name is another thread.
    let response = server.post("/chat", body).bearer_auth(&bob).send().await.unwrap();
    assert_eq!(Frames::new(response).rest().await.iter().filter(|frame| frame.kind == "input").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_there_is_only_the_front_door() {
    let (server, ann, _, _folder) = with_keys().await;
    for path in ["/v1/runs/01a2185e-5c13-742b-a149-0474fe8a34b4", "/v1/threads/t/messages"] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(server.get(path).bearer_auth(format!("{ann}0")).send().await.unwrap().status(), 401);
    }
    assert_eq!(server.post("/chat", json!({ "message": "hello" })).send().await.unwrap().status(), 401);
    for path in ["/", "/docs", "/openapi.json", "/livez", "/readyz"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(server.get("/metrics").send().await.unwrap().status(), 404, "on its own port only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_keys_other_sites_are_refused() {
    let server = TestServer::start().await;
    let ask = |name: &'static str, value: &'static str| {
        server.post("/chat", json!({ "message": "hello /delay 0" })).header(name, value).send()
    };
    assert_eq!(ask("origin", "https://evil.test").await.unwrap().status(), 403);
    assert_eq!(ask("host", "evil.test").await.unwrap().status(), 403);
    assert_eq!(ask("accept", "text/event-stream").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_server_does_not_start_open_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let start = |flags: Vec<&'static str>| {
        let config = Config::from_flags(flags.into_iter().chain(["--database-url", url.as_str()])).unwrap();
        async move { AppState::build(&config).await.err().map(|problem| problem.to_string()).unwrap_or_default() }
    };
    assert!(start(vec!["--host", "0.0.0.0"]).await.contains("--api-keys-file"));
    let nowhere = Config::from_flags(["--database-url", "sqlite:/nowhere/log.db"]).unwrap();
    let nowhere = AppState::build(&nowhere).await.err().unwrap().to_string();
    assert!(nowhere.contains("/nowhere/log.db") && nowhere.contains("--database-url"), "{nowhere}");
    let missing = start(vec!["--host", "0.0.0.0", "--api-keys-file", "/nowhere/keys"]).await;
    assert!(missing.contains("/nowhere/keys") && missing.contains("No such file"), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_ids_are_taken_from_our_proxies_only() {
    let stranger = TestServer::start().await;
    let ours = TestServer::with_flags(&["--forwarded-allow-ips", "127.0.0.0/8"]).await;
    let id = async |server: &TestServer, id: &'static str| {
        let response = server.get("/livez").header("x-request-id", id).send().await.unwrap();
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id(&ours, "abc-1").await, "abc-1");
    assert_ne!(id(&stranger, "abc-1").await, "abc-1");
    assert_ne!(id(&ours, "a b").await, "a b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_stay_out_of_the_log() {
    let (key, line) = new_key("ann").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, line).unwrap();
    let url = sqlite_url(folder.path());
    let flags = ["--database-url", &url, "--api-keys-file", file.to_str().unwrap(), "--api-key", "sk-of-the-model"];
    let mut server = Process::start_with(&flags, &[("RUST_LOG", "trace")]);
    let client = reqwest::Client::new();
    let ask = client
        .post(server.url("/chat"))
        .bearer_auth(key.expose_secret())
        .json(&json!({ "message": "my secret message /delay 0" }));
    Frames::new(ask.send().await.unwrap()).rest().await;
    server.signal(Signal::TERM);
    server.wait();
    let log = server.logged();
    assert!(log.contains("\"answered\"") && log.contains("\"ended\""), "{log}");
    for secret in [key.expose_secret(), "sk-of-the-model", "my secret message"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
