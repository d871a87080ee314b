//! The two pages in a real browser: Debian's Chromium, driven over the WebDriver protocol.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{TestServer, eventually};

/// How long the browser may take for one thing.
const PATIENCE: Duration = Duration::from_secs(60);
/// The key that sends a message, as WebDriver writes it.
const ENTER: &str = "\u{e007}";
/// What the answers on the screen say, one text each.
const ANSWERS: &str = "return [...document.querySelectorAll('.answer')].map(answer => answer.textContent)";
/// Notes when the page changed, by its own clock: a slow machine may be too slow to see it from outside.
const WATCH: &str = "window.times = []; new MutationObserver(() => times.push(performance.now())).observe(
    document.getElementById('log'), { subtree: true, childList: true, characterData: true })";
/// Whether an answer is on the screen and none is being written.
const IS_DONE: &str = "return document.querySelector('.answer') !== null && !document.querySelector('[aria-busy=true]')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_survives_a_reload_of_the_page() {
    let server = TestServer::start().await;
    let Some(browser) = Browser::start("page::an_answer_survives_a_reload_of_the_page", &server).await else { return };
    browser.open(&server.url("/")).await;
    browser.run(WATCH).await;
    browser.write("#message", &format!("/tokens 100 /delay 50{ENTER}")).await;
    browser.until("the page shows tokens", "return document.body.innerText.includes('token 20 ')").await;
    let times: Vec<f64> = serde_json::from_value(browser.run("return window.times").await).unwrap();
    assert!(times.len() >= 20 && times.last().unwrap() - times[0] > 500.0, "the tokens came together: {times:?}");

    browser.post("/refresh", json!({})).await;
    let thread = browser.run("return location.hash.slice(1)").await;
    let path = format!("/v1/threads/{}/messages", thread.as_str().unwrap());
    let said = async || server.get(&path).send().await.unwrap().json::<Value>().await.unwrap()["messages"].clone();
    assert_eq!(said().await.as_array().unwrap().len(), 1, "the reload was not in the middle of the answer");
    browser.until("the page shows the tokens again", "return document.body.innerText.includes('token 20 ')").await;

    browser.until("the answer ends", IS_DONE).await;
    let whole: String = (1..=100).map(|number| format!("token {number} ")).collect();
    assert_eq!(browser.answers().await, [whole]);
    let kinds: Vec<_> = said().await.as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(kinds, ["input", "message"], "the reload started a second run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_tool_is_shown() {
    let server = TestServer::start().await;
    let Some(browser) = Browser::start("page::a_call_of_a_tool_is_shown", &server).await else { return };
    browser.open(&server.url("/")).await;
    browser.write("#message", &format!("What are the sales?{ENTER}")).await;
    browser.until("the answer ends", IS_DONE).await;
    browser.click(".tool summary").await;
    let card = browser.run("return document.querySelector('.tool').innerText").await;
    let card = card.as_str().unwrap();
    for part in ["sql_query", "done", "SELECT product", "\"green tea\",\"sold\":10"] {
        assert!(card.contains(part), "no `{part}` in {card}");
    }

    // What is read from the thread looks like what was watched.
    let before = browser.answers().await;
    browser.post("/refresh", json!({})).await;
    browser.until("the answer is there again", IS_DONE).await;
    assert_eq!(browser.answers().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_asks_for_a_key_and_stops_a_run() {
    let (key, line) = agent_server::new_key("ann").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::write(&keys, line).unwrap();
    let server = TestServer::with_flags(&["--api-keys-file", keys.to_str().unwrap()]).await;
    let Some(browser) = Browser::start("page::the_page_asks_for_a_key_and_stops_a_run", &server).await else { return };
    browser.open(&server.url("/")).await;
    browser.until("the page asks for a key", "return !document.getElementById('key').hidden").await;
    browser.write("#secret", &format!("{}{ENTER}", key.expose_secret())).await;
    browser.until("the key is taken", "return !document.getElementById('welcome').hidden").await;

    browser.write("#message", &format!("/tokens 10000 /delay 20{ENTER}")).await;
    browser.until("an answer is being written", "return document.body.innerText.includes('token 3 ')").await;
    browser.click("#stop").await;
    browser.until("the run ends", IS_DONE).await;
    let answer = browser.answers().await.concat();
    assert!(answer.ends_with("Stopped."), "{answer}");
    browser.post("/refresh", json!({})).await;
    browser.until("the answer is there again", IS_DONE).await;
    assert_eq!(browser.answers().await, [answer], "what had been written before the stop is lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_lists_the_routes() {
    let server = TestServer::start().await;
    let Some(browser) = Browser::start("page::the_documentation_lists_the_routes", &server).await else { return };
    browser.open(&server.url("/docs")).await;
    browser.until("the routes are listed", "return document.querySelector('details') !== null").await;
    browser.click("#chat summary").await;
    let text = browser.run("return document.body.innerText").await;
    let text = text.as_str().unwrap();
    for part in ["POST /chat", "GET /v1/runs/{run}/events", "on_disconnect", "discard_after"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

/// A browser of the test's own, and the driver that it is driven by; both end with this.
struct Browser {
    driver: Child,
    /// The browser's process, which the driver starts in a group of its own.
    browser: Option<Pid>,
    client: Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Nothing where there is no browser, and then the test says that it is skipped.
    async fn start(test: &str, server: &TestServer) -> Option<Self> {
        let (Some(driver), Some(chromium)) = (program(&["chromedriver"]), program(&["chromium", "google-chrome"])) else {
            eprintln!("skipped: {test}: no browser on this machine");
            return None;
        };
        let profile = tempfile::Builder::new().prefix("agent_browser").tempdir().unwrap();
        let mut command = Command::new(driver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        // Its guard first: whatever fails from here on ends it.
        let mut started = Self {
            _profile: profile,
            client: server.client.clone(),
            session: String::new(),
            browser: None,
            driver: command.spawn().unwrap(),
        };
        let port = started.port();
        let options = json!({ "binary": chromium, "args": flags(started._profile.path()) });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        started.session = format!("http://127.0.0.1:{port}/session");
        let session = started.post("", wanted).await;
        started.browser = Pid::from_raw(i32::try_from(session["capabilities"]["goog:processID"].as_i64().unwrap()).unwrap());
        started.session = format!("{}/{}", started.session, session["sessionId"].as_str().unwrap());
        Some(started)
    }

    /// The port that the driver chose, from what it prints.
    fn port(&mut self) -> u16 {
        let lines = BufReader::new(self.driver.stdout.take().unwrap()).lines();
        let said = "started successfully on port ";
        let mut ports = lines.map_while(Result::ok).filter_map(|line| Some(line.split_once(said)?.1.to_owned()));
        ports.next().expect("chromedriver does not start").trim_end_matches('.').parse().unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.session)).json(&body).timeout(PATIENCE);
        let response = request.send().await.unwrap();
        let status = response.status();
        let mut answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path} {body}: {answer}");
        answer["value"].take()
    }

    async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Runs JavaScript in the page.
    async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Waits until JavaScript in the page says so.
    async fn until(&self, what: &str, script: &str) {
        eventually(what, async || self.run(script).await == true).await;
    }

    async fn answers(&self) -> Vec<String> {
        serde_json::from_value(self.run(ANSWERS).await).unwrap()
    }

    /// The path of the element that a selector finds.
    async fn find(&self, selector: &str) -> String {
        let found = self.post("/element", json!({ "using": "css selector", "value": selector })).await;
        let (_, id) = found.as_object().unwrap().iter().next().unwrap();
        format!("/element/{}", id.as_str().unwrap())
    }

    async fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("{element}/value"), json!({ "text": text })).await;
    }

    async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends its own children; the driver goes first, so that it starts nothing any more.
        let _ = kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
        if let Some(browser) = self.browser {
            let _ = kill_process(browser, Signal::KILL);
        }
    }
}

fn flags(profile: &Path) -> Vec<String> {
    let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                 --disable-component-update --disable-sync --disable-dev-shm-usage";
    let profile = format!("--user-data-dir={}", profile.display());
    flags.split_whitespace().map(str::to_owned).chain([profile]).collect()
}

/// The first of these programs that is on the path.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}
