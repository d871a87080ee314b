//! The program's other commands, and what it says when it cannot start.

use std::process::{Command, Output};

use rustix::process::Signal;

use crate::support::{Process, sqlite_url};

/// For as long as a slow machine may need; a server that starts although it should not is ended.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_agent_server")]).args(arguments).output().unwrap()
}

#[test]
fn a_health_check_asks_whether_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(&["--database-url", &sqlite_url(folder.path()), "--lame-duck", "20"]);
    let url = server.url("/readyz");
    let code = || run(&["healthcheck", "--url", &url]).status.code();
    assert_eq!(code(), Some(0));
    server.signal(Signal::TERM);
    let answers = std::iter::repeat_with(code).take_while(|code| *code == Some(0)).take(100);
    assert!(answers.count() < 100, "ready although it ends");
    assert_eq!(code(), Some(1), "it serves, but wants nothing new");
    server.kill();
    let unheard = run(&["healthcheck", "--url", &url]);
    assert_eq!(unheard.status.code(), Some(2));
    assert!(String::from_utf8(unheard.stderr).unwrap().contains(&url));
}

#[test]
fn what_keeps_the_server_from_starting_is_told_once_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, nowhere) = (folder.path().join("keys"), folder.path().join("nowhere/log.db").display().to_string());
    std::fs::write(&keys, "# nothing yet\n").unwrap();
    let keys = keys.display().to_string();
    for (flags, told) in [
        (["--api-keys-file", &keys], ["`--api-keys-file ", "there are no keys", "new-key TENANT"]),
        (["--api-keys-file", &nowhere], ["`--api-keys-file ", &nowhere, "No such file"]),
        (["--database-url", &format!("sqlite:{nowhere}")], ["the database `", &nowhere, "give `--database-url`"]),
        (["--host", "0.0.0.0"], ["`--host 0.0.0.0`", "can be reached", "--api-keys-file"]),
    ] {
        let output = run(&[flags[0], flags[1], "--port", "0", "--metrics-address", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        for part in told {
            assert_eq!(text.matches(part).count(), 1, "`{part}` in: {text}");
        }
    }
}

#[test]
fn a_new_key_is_shown_and_its_line_goes_into_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(&["new-key", "ann"]);
    let shown = String::from_utf8(made.stderr).unwrap();
    let (_, key) = shown.trim().rsplit_once(' ').unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, made.stdout).unwrap();
    let flags = ["--database-url", &sqlite_url(folder.path()), "--api-keys-file", file.to_str().unwrap()];
    let server = Process::start(&flags);
    let ask = |key: &str| {
        let url = server.url("/v1/threads/t/messages");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(reqwest::Client::new().get(url).bearer_auth(key).send()).unwrap().status()
    };
    assert_eq!((ask(key).as_u16(), ask("ask_0").as_u16()), (404, 401));
}
