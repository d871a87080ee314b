//! What the formats look like, against files under `tests/golden` (`UPDATE=1` writes them), and against their standards.

use std::path::Path;

use serde_json::Value;

use super::sample::Sample;
use super::{agentlint, agentlint_in, environment};
use crate::{Environment, Exit};

#[test]
fn human() {
    compare("human.txt", &agentlint("").stdout);
}

#[test]
fn human_narrow_colored() {
    let narrow = Environment { width: Some(60), ..environment() };
    compare("human-narrow-colored.txt", &agentlint_in(&narrow, &Sample::full(), "--color always -v").stdout);
}

#[test]
fn human_ascii() {
    let ascii = Environment { unicode: false, ..environment() };
    let ran = agentlint_in(&ascii, &Sample::full(), "-A all -W lock_across_await,blocking_fs");
    compare("human-ascii.txt", &ran.stdout);
}

#[test]
fn concise() {
    compare("concise.txt", &agentlint("--format concise").stdout);
}

#[test]
fn github() {
    compare("github.txt", &agentlint("--format github").stdout);
}

#[test]
fn json() {
    compare("report.json", &agentlint("--format json").stdout);
}

#[test]
fn list() {
    compare("list.txt", &agentlint("list").stdout);
}

#[test]
fn sarif() {
    let ran = agentlint("--format sarif");
    compare("report.sarif", &ran.stdout);
    assert_valid_sarif(&ran.stdout);
    let empty = agentlint_in(&environment(), &Sample::empty(), "--format sarif");
    assert_valid_sarif(&empty.stdout);
    let log: Value = serde_json::from_str(&empty.stdout).unwrap();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 9, "a clean run describes every rule");
    let failed = agentlint_in(&environment(), &Sample::nothing_read(), "--format sarif").stdout;
    assert!(failed.contains("\"executionSuccessful\": false"));
}

#[test]
fn cargo_json_is_what_cargo_prints() {
    let ran = agentlint("--format cargo-json");
    compare("cargo.jsonl", &ran.stdout);
    let messages: Vec<_> = cargo_metadata::Message::parse_stream(ran.stdout.as_bytes()).map(Result::unwrap).collect();
    let [cargo_metadata::Message::CompilerMessage(first), .., cargo_metadata::Message::BuildFinished(end)] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(first.message.code.as_ref().unwrap().code, "agentlint::blocking_fs");
    assert_eq!(first.message.spans[0].line_start, 4);
    assert!(!end.success);
}

/// The names of findings survive lines that move, and tell equal lines apart.
#[test]
fn fingerprints() {
    let report: Value = serde_json::from_str(&agentlint("--format json").stdout).unwrap();
    let names: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    let [.., first, second] = names[..] else { panic!() };
    assert_eq!(first.split(':').next(), second.split(':').next());
    assert!(first.ends_with(":1") && second.ends_with(":2"), "{names:?}");
}

fn assert_valid_sarif(text: &str) {
    // The pattern of a property that is not used here has a bracket too many, which not every dialect of patterns accepts.
    let schema = include_str!("../../tests/schemas/sarif-schema-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let document = serde_json::from_str(text).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

fn compare(name: &str, actual: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(actual, expected, "{name} looks different; UPDATE=1 writes it anew");
}

#[test]
fn the_level_decides_the_exit() {
    for (arguments, exit) in [
        ("", Exit::Findings),
        ("--fail-on deny", Exit::Findings),
        ("--fail-on deny -W nested_block_on", Exit::Clean),
        ("-A all", Exit::Clean),
        ("--exit-zero", Exit::Clean),
        ("-A blocking -A await", Exit::Clean),
        ("-A blocking -D blocking_fs --fail-on deny", Exit::Findings),
        ("-D blocking_fs -A blocking --fail-on deny", Exit::Clean),
    ] {
        assert_eq!(agentlint(arguments).exit, exit, "{arguments}");
    }
}
