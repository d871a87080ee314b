//! Two replicas behind nginx, configured as `deploy/nginx.conf` says.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Frames, TestServer, answer, eventually, postgres_database, run_of};

struct Nginx {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Nothing where there is no nginx, and then the test says that it is skipped.
    async fn start(test: &str, replicas: [SocketAddr; 2]) -> Option<Self> {
        let binary = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| fs::exists(path).unwrap());
        let Some(binary) = binary else {
            eprintln!("skipped: {test}: no nginx on this machine (`cargo xtask test` installs it for root)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut site = include_str!("../../deploy/nginx.conf").to_owned();
        let [one, other] = replicas.map(|replica| format!("server {replica} "));
        for (from, to) in
            [("server agent-1:8000 ", one), ("server agent-2:8000 ", other), ("listen 8080;", format!("listen {address};"))]
        {
            assert!(site.contains(from), "{from}");
            site = site.replace(from, &to);
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let temporary: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {};\n", at(kind))).concat();
        let main = format!(
            "daemon off; master_process off; pid {}; error_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n",
            at("pid")
        );
        fs::write(at("nginx.conf"), main).unwrap();
        let mut command = Command::new(binary);
        command.args(["-c", &at("nginx.conf"), "-p", &at(""), "-e", "stderr"]).stdout(Stdio::null());
        let nginx = Self { process: command.spawn().unwrap(), address, _folder: folder };
        eventually("nginx listens", || async { tokio::net::TcpStream::connect(address).await.is_ok() }).await;
        Some(nginx)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_tokens_come_one_by_one_and_a_deploy_cuts_no_answer() {
    const TEST: &str = "proxy::behind_nginx_tokens_come_one_by_one_and_a_deploy_cuts_no_answer";
    let Some(url) = postgres_database(TEST) else { return };
    let flags = ["--database-url", url.as_str(), "--timeout-graceful-shutdown", "3", "--lease", "1"];
    let (one, other) = (TestServer::with_flags(&flags).await, TestServer::with_flags(&flags).await);
    let Some(nginx) = Nginx::start(TEST, [one.address, other.address]).await else { return };
    let client = Client::builder().no_proxy().build().unwrap();
    let chat = async |message: &str| client.post(nginx.url("/chat")).json(&json!({ "message": message })).send().await.unwrap();

    let mut frames = Frames::new(chat("/tokens 40 /delay 50").await);
    frames.until("token").await;
    let first = Instant::now();
    frames.until("done").await;
    assert!(first.elapsed() > Duration::from_secs(1), "held back: the rest of two seconds came in {:?}", first.elapsed());

    // An answer on each replica, since nginx takes them in turn; then one of them ends.
    let mut streams = Vec::new();
    for _ in 0..2 {
        let response = chat("/tokens 200 /delay 25").await;
        let run = run_of(&response);
        let mut frames = Frames::new(response);
        let seen = frames.take(20).await;
        streams.push((run, seen, frames));
    }
    let ended = one.end().await;
    assert!(ended.drained && ended.runs > 0, "{ended:?}");
    let mut resumed = 0;
    for (run, mut seen, frames) in streams {
        seen.extend(frames.rest().await);
        // As a browser does, until all was seen.
        while !seen.iter().any(|frame| frame.kind == "done") {
            let last = seen.iter().map(|frame| frame.seq).max().unwrap();
            let again = client.get(nginx.url(&format!("/v1/runs/{run}/events"))).header("Last-Event-ID", last);
            let again = again.send().await.unwrap();
            assert_eq!(again.status(), 200);
            seen.extend(Frames::new(again).rest().await);
            resumed += 1;
        }
        seen.retain(|frame| frame.seq > 0);
        let seqs: Vec<i64> = seen.iter().map(|frame| frame.seq).collect();
        assert_eq!(seqs, (1..=i64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
        assert_eq!(answer(&seen), (1..=200).map(|number| format!("token {number} ")).collect::<String>());
    }
    assert!(resumed > 0, "no stream was cut");
    // The one that is left serves whatever comes.
    for _ in 0..3 {
        assert_eq!(chat("hello /delay 0").await.status(), 200);
    }
}
