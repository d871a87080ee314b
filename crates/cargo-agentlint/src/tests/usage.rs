//! The command line's grammar, its errors and its edges.

use std::ffi::OsString;
use std::fs;

use super::sample::Sample;
use super::{Breaking, agentlint, agentlint_in, environment};
use crate::{Environment, Exit, run};

#[test]
fn subcommands_win_over_paths() {
    assert!(agentlint("explain blocking_fs").stdout.starts_with("blocking_fs (warn, group blocking)\n\nA file"));
    let ran = agentlint("./explain");
    assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Failed, "error: no such file or folder: `./explain`\n"));
    assert_eq!(agentlint("inspect calls / --format jsonl").stdout, "Calls Jsonl [\"/\"]\n");
    assert_eq!(agentlint("why /:3:5").stdout, "3 [\"/\"]\n");
}

#[test]
fn the_name_that_cargo_passes_is_dropped_once() {
    let direct = ["cargo-agentlint", "--format", "concise"].map(OsString::from);
    let mut out = Vec::new();
    let exit = run(direct, &environment(), &Sample::full(), &mut out, &mut Vec::new());
    assert_eq!((exit, out), (Exit::Findings, agentlint("--format concise").stdout.into_bytes()));
    assert!(agentlint("--help").stdout.contains("Usage: cargo agentlint [OPTIONS] [PATHS]..."));
}

#[test]
fn mistakes_are_answered_with_what_was_meant() {
    for (arguments, answer) in [
        ("explian blocking_fs", "error: no such file, folder or subcommand: `explian`, did you mean `explain`?\n"),
        ("-D blocking_sf", "error: unknown lint or group `blocking_sf`, did you mean `blocking_fs`?\n"),
        ("explain lock-across-await", "error: unknown lint or group `lock-across-await`, did you mean `lock_across_await`?\n"),
        ("/", "error: failed to read the manifest: permission denied\n"),
    ] {
        let ran = agentlint(arguments);
        assert_eq!((ran.exit, ran.stderr.as_str(), ran.stdout.as_str()), (Exit::Failed, answer, ""), "{arguments}");
    }
    assert_eq!(agentlint("--formt json").exit, Exit::Failed);
    assert!(agentlint("--formt json").stderr.contains("--format"));
}

#[test]
fn help_and_version_are_not_errors() {
    for arguments in ["--help", "-h", "--version", "help explain", "explain --help"] {
        let ran = agentlint(arguments);
        assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Clean, ""), "{arguments}");
        assert!(!ran.stdout.is_empty() && !ran.stdout.contains('\u{1b}'), "{arguments}");
    }
}

#[test]
fn a_run_that_reads_nothing_fails() {
    assert_eq!(agentlint_in(&environment(), &Sample::nothing_read(), "--exit-zero").exit, Exit::Failed);
    let clean = agentlint_in(&environment(), &Sample::empty(), "");
    assert_eq!((clean.exit, clean.stdout.as_str()), (Exit::Clean, "found no problems in 3 files\n"));
}

#[test]
fn notes_go_to_stderr_and_quiet_silences_them() {
    assert!(agentlint("").stderr.starts_with("note: the sources of `serde 1.0.0`"));
    let quiet = agentlint("-q --format concise");
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout.lines().count(), 4);
    assert!(agentlint("--format json").stderr.ends_with("found 4 problems (2 deny, 2 warn) in 3 files, 1 suppressed\n"));
}

#[test]
fn less_sure_findings_are_asked_for() {
    let count = |arguments| agentlint(arguments).stdout.lines().count() - 1;
    assert_eq!(count("--format concise --confidence possible"), 5);
    assert_eq!(count("--format concise"), 4);
    assert_eq!(count("--format concise --confidence certain"), 3);
}

#[test]
fn what_the_most_entries_reach_comes_first_where_it_is_asked_for() {
    let lints = |order: &str| {
        let found = agentlint(&format!("--format concise --quiet --sort {order}")).stdout;
        let names = found.lines().filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()));
        names.collect::<Vec<_>>()
    };
    assert_eq!(lints("place"), ["blocking_fs", "lock_across_await", "nested_block_on", "nested_block_on"]);
    assert_eq!(lints("reach"), ["lock_across_await", "blocking_fs", "nested_block_on", "nested_block_on"]);
}

#[test]
fn colors_follow_the_option_then_the_environment() {
    let terminal = Environment { stdout_is_terminal: true, ..environment() };
    let no_color = Environment { no_color: true, ..terminal.clone() };
    let forced = Environment { force_color: true, ..environment() };
    let is_colored = |environment: &Environment, arguments: &str| {
        agentlint_in(environment, &Sample::full(), arguments).stdout.contains('\u{1b}')
    };
    assert!(!is_colored(&environment(), ""));
    assert!(is_colored(&terminal, "") && is_colored(&forced, "--format concise"));
    assert!(!is_colored(&no_color, "") && !is_colored(&terminal, "--color never"));
    assert!(is_colored(&no_color, "--color always"));
}

#[test]
fn a_broken_pipe_is_no_error() {
    for format in ["human", "concise", "json", "sarif", "github", "cargo-json"] {
        let arguments = ["cargo-agentlint", "--format", format].map(OsString::from);
        let mut stderr = Vec::new();
        let exit = run(arguments, &environment(), &Sample::full(), &mut Breaking(64), &mut stderr);
        assert_eq!((exit, String::from_utf8(stderr).unwrap().as_str()), (Exit::Clean, ""), "{format}");
    }
}

#[test]
fn an_output_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.txt");
    fs::write(&file, "old").unwrap();
    let ran = agentlint(&format!("--format concise --output {}", file.display()));
    assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Findings, ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), agentlint("--format concise").stdout);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    let nowhere = agentlint(&format!("--output {}/no/report.txt", folder.path().display()));
    assert_eq!(nowhere.exit, Exit::Failed);
    assert!(nowhere.stderr.starts_with("error: failed to write "), "{}", nowhere.stderr);
}
