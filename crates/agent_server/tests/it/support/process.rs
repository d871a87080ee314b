//! The server in a process of its own, to be signalled and killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    pub(crate) metrics_address: String,
    /// What it logs, a line at a time.
    lines: mpsc::Receiver<Value>,
}

impl Process {
    /// Starts the server on free ports and waits until it serves.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[("RUST_LOG", "info")])
    }

    pub(crate) fn start_with(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        // For the clients of this process: whether a test in which a server does so has run by then is a matter of luck.
        agent_server::choose_cryptography();
        let mut child = Command::new(env!("CARGO_BIN_EXE_agent_server"))
            .args(["--port", "0", "--metrics-address", "127.0.0.1:0"])
            .args(flags)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut process = Self { child, address: String::new(), metrics_address: String::new(), lines };
        let serving = process.log("serving");
        process.address = serving["address"].as_str().unwrap().to_owned();
        process.metrics_address = serving["metrics"].as_str().unwrap().to_owned();
        process
    }

    /// Waits for a line of the log.
    pub(crate) fn log(&mut self, message: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("never logged: {message}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    /// All that was logged since the last line that was waited for, up to the end of the process.
    pub(crate) fn logged(&mut self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// As a power cut would, but for the machine.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
