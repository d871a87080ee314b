//! What is kept of dependencies changes nothing but the time: first reading, second reading and damaged files say the same.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{command, entries, fetch, root};

/// What the tool prints, with a cache of its own.
fn printed(project: &Path, cache: &Path, arguments: &[&str]) -> String {
    let output = command(project).args(arguments).env("AGENTLINT_CACHE_DIR", cache).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn kept_facts_give_what_the_sources_give() {
    let project = root().join("fixtures/projects/bad_agent_server");
    fetch(&project);
    let cache = TempDir::new().unwrap();
    let facts = cache.path().join("facts");
    let questions: [&[&str]; 2] = [&["--format", "json"], &["inspect", "calls", "--format", "jsonl"]];
    let all = || questions.map(|arguments| printed(&project, cache.path(), arguments));

    let first = all();
    assert!(first[0].contains("blocking_fs"), "{}", first[0]);
    assert!(first[1].contains("\"crate\":\"tokio\""), "no call was resolved into a dependency");
    let forms = entries(&facts);
    let [form] = forms.as_slice() else { panic!("one form of facts: {forms:?}") };
    let kept = entries(form);
    assert!(kept.iter().any(|file| file.to_string_lossy().contains("tokio-")), "{kept:?}");
    assert!(first == all(), "kept facts say something else than the sources");

    for file in &kept {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(file, &bytes).unwrap();
    }
    let damaged: Vec<Vec<u8>> = kept.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(first == all(), "damaged files were believed");
    for (file, damaged) in kept.iter().zip(damaged) {
        assert_ne!(fs::read(file).unwrap(), damaged, "{} was not mended", file.display());
    }

    for file in &kept {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 3]).unwrap();
    }
    assert!(first == all(), "files cut off were believed");

    // What names the files of a crate by number holds for the reading that gave them the numbers.
    let refers = |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "definitions" || kind == "summaries");
    for file in kept.iter().filter(|file| !refers(file)) {
        fs::remove_file(file).unwrap();
    }
    assert!(first == all(), "the numbers of another reading were believed");
}
