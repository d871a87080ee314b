//! Exit codes and messages of the real process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::{Ran, command, findings, package, run, write};

const BAD: &str = "pub async fn wait() {\n    std::thread::sleep(std::time::Duration::from_secs(1));\n}\n";
const GOOD: &str = "pub fn add(left: u32, right: u32) -> u32 {\n    left + right\n}\n";

#[test]
fn clean_is_0_and_findings_are_1() {
    let clean = package(&[("src/lib.rs", GOOD)]);
    let ran = run(clean.path(), &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let bad = package(&[("src/lib.rs", BAD)]);
    let ran = run(bad.path(), &["--format", "concise"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("src/lib.rs:2:5: warn[blocking_sleep] "), "{}", ran.stdout);
}

#[test]
fn what_fails_can_be_chosen() {
    let bad = package(&[("src/lib.rs", BAD)]);
    for (arguments, code) in [
        (["--exit-zero"].as_slice(), 0),
        (&["--fail-on", "deny"], 0),
        (&["-A", "blocking_sleep"], 0),
        (&["-D", "blocking_sleep", "--fail-on", "deny"], 1),
        (&["-A", "all", "-W", "blocking"], 1),
    ] {
        let ran = run(bad.path(), arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_single_file_is_enough() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("one.rs"), BAD);
    let ran = run(folder.path(), &["one.rs", "--format", "concise"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("one.rs:2:5: "), "{}", ran.stdout);
}

#[test]
fn bad_arguments_are_2() {
    let clean = package(&[("src/lib.rs", GOOD)]);
    for arguments in [["--no-such-option"].as_slice(), &["--format", "xml"], &["no_such_folder"], &["explain", "nothing_like_it"]]
    {
        refused(&run(clean.path(), arguments), &[]);
    }
}

#[test]
fn an_unknown_lint_is_2_with_a_suggestion() {
    let clean = package(&[("src/lib.rs", GOOD)]);
    refused(&run(clean.path(), &["-A", "blocking_slep"]), &["blocking_slep", "blocking_sleep"]);
    refused(&run(clean.path(), &["explain", "blockng_fs"]), &["blocking_fs"]);
}

#[test]
fn a_fault_in_the_configuration_is_2_with_its_place() {
    let unknown = package(&[("src/lib.rs", GOOD), ("agentlint.toml", "[lints]\nblocking_slep = \"deny\"\n")]);
    refused(&run(unknown.path(), &[]), &["agentlint.toml:2", "blocking_sleep"]);
    let broken = package(&[("src/lib.rs", GOOD), ("agentlint.toml", "\n\n[lints\n")]);
    refused(&run(broken.path(), &[]), &["agentlint.toml:3"]);
    refused(&run(broken.path(), &["--config", "gone.toml"]), &["gone.toml"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_a_finding_and_the_rest_is_linted() {
    let folder = package(&[("src/lib.rs", &format!("mod other;\n{BAD}"))]);
    fs::write(folder.path().join("src/other.rs"), b"pub fn name() -> &'static str { \"\xff\xfe\" }\n").unwrap();
    let lints = lints_of(folder.path());
    assert_eq!(
        lints,
        [("src/lib.rs".to_owned(), "blocking_sleep".to_owned()), ("src/other.rs".to_owned(), "unreadable_file".to_owned())]
    );
}

#[test]
fn a_file_that_does_not_parse_is_a_finding_and_the_rest_is_linted() {
    let folder = package(&[("src/lib.rs", &format!("mod other;\n{BAD}")), ("src/other.rs", "pub fn (\n")]);
    let lints = lints_of(folder.path());
    assert_eq!(
        lints,
        [("src/lib.rs".to_owned(), "blocking_sleep".to_owned()), ("src/other.rs".to_owned(), "syntax_error".to_owned())]
    );
}

#[test]
fn where_nothing_can_be_read_the_run_is_2() {
    let folder = package(&[("src/lib.rs", "fn (((\n")]);
    let ran = run(folder.path(), &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn deep_nesting_is_a_finding_and_the_rest_is_linted() {
    const DEPTH: usize = 50_000;
    let parentheses = format!("pub fn deep() -> u8 {{\n    {}1{}\n}}\n", "(".repeat(DEPTH), ")".repeat(DEPTH));
    let blocks = format!("pub fn deep() -> u8 {}1{}\n", "{".repeat(DEPTH), "}".repeat(DEPTH));
    let root = format!("mod blocks;\nmod parentheses;\n{BAD}");
    let folder = package(&[("src/lib.rs", &root), ("src/blocks.rs", &blocks), ("src/parentheses.rs", &parentheses)]);
    let mut lints = lints_of(folder.path());
    lints.dedup();
    let files: Vec<_> = lints.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files, ["src/blocks.rs", "src/lib.rs", "src/parentheses.rs"], "{lints:?}");
    assert_eq!(lints[1].1, "blocking_sleep");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let calls = "    std::thread::sleep(std::time::Duration::from_secs(1));\n".repeat(5_000);
    let folder = package(&[("src/lib.rs", &format!("pub async fn wait() {{\n{calls}}}\n"))]);
    let mut child =
        command(folder.path()).args(["--format", "concise"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("src/lib.rs:2:5: "), "{line}");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {said}", output.status);
    assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{said}");
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let calls = |number: usize| format!("pub fn step_{number}() {{\n    std::thread::sleep(std::time::Duration::ZERO);\n}}\n");
    let helpers: String = (0..50).map(calls).collect();
    let handlers: String =
        (0..50).map(|number| format!("pub async fn at_{number}() {{\n    crate::helpers::step_{number}();\n}}\n")).collect();
    let folder =
        package(&[("src/lib.rs", "mod handlers;\nmod helpers;\n"), ("src/handlers.rs", &handlers), ("src/helpers.rs", &helpers)]);
    let texts = ["1", "2", "7"].map(|threads| {
        let output = command(folder.path()).args(["--format", "json"]).env("RAYON_NUM_THREADS", threads).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    });
    assert_eq!(texts[0].matches("\"lint\": \"blocking_sleep\"").count(), 50);
    assert!(texts.iter().all(|text| *text == texts[0]));
}

fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is not in: {}", ran.stderr);
    }
}

/// Files and lints of a run that finds something.
fn lints_of(folder: &Path) -> Vec<(String, String)> {
    let ran = run(folder, &["--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    findings(&ran).into_iter().map(|finding| (finding.file, finding.lint)).collect()
}

#[test]
fn inspect_names_a_function_as_it_is_declared() {
    let folder = package(&[("src/lib.rs", "use std::fs::read as slurp;\npub fn f() -> bool {\n    slurp(\"a\").is_ok()\n}\n")]);
    let ran = run(folder.path(), &["inspect", "calls"]);
    assert_eq!(ran.stdout, "src/lib.rs:3:5: std::read\nsrc/lib.rs:3:16: std::Result::is_ok\n", "{}", ran.stderr);
}

#[test]
fn why_tells_what_each_call_of_a_line_does() {
    let source = "\
struct Scratch;

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(\"scratch\").ok();
    }
}

fn slow() {
    std::thread::sleep(std::time::Duration::from_secs(1));
}

pub async fn handle() {
    let _scratch = Scratch;
    slow();
    slow(); // agentlint: allow(blocking_sleep) -- once a year
    std::thread::spawn(|| slow());
    drop(7);
}

pub async fn guarded(lock: &std::sync::Mutex<u32>) {
    let held = lock.lock();
    std::future::ready(1).await;
    drop(held);
}
";
    let folder = package(&[("src/lib.rs", source)]);
    let why = |line: u32| {
        let ran = run(folder.path(), &["why", &format!("src/lib.rs:{line}")]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    let expected = "\
src/lib.rs:15:5: `slow`
  calls `slow`, declared at src/lib.rs:9:4
  runs while a task is polled: it stands in async code
  blocks (sleep, certain): it sleeps
    src/lib.rs:10:5: `slow` calls `std::thread::sleep`
  reported: warn[blocking_sleep]
";
    assert_eq!(why(15), expected);
    for (line, part) in [
        (10, "not reported: no task is polled while it runs"),
        (14, "src/lib.rs:14:9: `_scratch`\n  is dropped: `Scratch::drop` runs at the end of its scope\n"),
        (14, "reported: warn[blocking_fs]"),
        (16, "not reported: blocking_sleep is suppressed here, \"once a year\""),
        (17, "runs on another thread, or never"),
        (18, "not reported: it does not block, as far as is known"),
        (22, "src/lib.rs:22:16: `held`, a `Result<MutexGuard<u32>, PoisonError<MutexGuard<u32>>>`, is held across an await"),
        (22, "reported: warn[lock_across_await]"),
        (1, "src/lib.rs:1: no call begins on this line"),
    ] {
        let said = why(line);
        assert!(said.contains(part), "line {line}: {said}");
    }
}

#[test]
fn why_refuses_what_is_no_place() {
    let folder = package(&[("src/lib.rs", GOOD)]);
    for (place, part) in [
        ("src/lib.rs", "write FILE:LINE"),
        ("src/lib.rs:0", "write FILE:LINE"),
        ("src/lib.rs:99", "there is no line 99"),
        ("src/none.rs:1", "no such file or folder"),
        ("Cargo.toml:1", "belongs to no target that is linted"),
    ] {
        refused(&run(folder.path(), &["why", place]), &[part]);
    }
}
