//! What a second run takes from the cache, and when it does not.

use super::{Tree, crates};
use crate::{Opened, Request, open};

fn workspace() -> Tree {
    Tree::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"2\"\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"0.1.0\"\n"),
        ("crates/one/Cargo.toml", "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("crates/one/src/lib.rs", ""),
    ])
}

/// Without any cargo to ask: a note says whether it would have been.
fn open_without_cargo(tree: &Tree) -> Opened {
    let mut request: Request = tree.request(&[]);
    request.environment.cargo = None;
    request.environment.path = None;
    open(request).unwrap()
}

#[test]
fn a_second_run_does_not_start_cargo() {
    let tree = workspace();
    assert_eq!(tree.open(&[]).notes, [""; 0]);
    let opened = open_without_cargo(&tree);
    assert_eq!(opened.notes, [""; 0]);
    assert_eq!(crates(&opened), ["one Library []"]);
}

#[test]
fn a_change_that_cargo_would_see_is_seen() {
    let changes: [(&str, &str); 6] = [
        ("crates/one/Cargo.toml", "[package]\nname = \"one\"\nversion = \"0.2.0\"\nedition = \"2021\"\n"),
        ("crates/two/Cargo.toml", "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("crates/one/src/bin/new.rs", "fn main() {}\n"),
        ("crates/one/build.rs", "fn main() {}\n"),
        ("Cargo.lock", "version = 3\n"),
        (".cargo/config.toml", "[build]\nrustflags = \"--cfg special\"\n"),
    ];
    for (path, text) in changes {
        let tree = workspace();
        tree.open(&[]);
        assert_eq!(open_without_cargo(&tree).notes, [""; 0]);
        tree.write(path, text);
        assert_eq!(open_without_cargo(&tree).notes.len(), 1, "{path}");
    }
}

#[test]
fn a_damaged_cache_counts_as_none() {
    let tree = workspace();
    tree.open(&[]);
    let folder = tree.cache().join("cache/metadata");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1);
    let whole = std::fs::read(&files[0]).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"{}", b"\xff\xfe"] {
        std::fs::write(&files[0], damaged).unwrap();
        assert_eq!(crates(&tree.open(&[])), ["one Library []"]);
        assert_eq!(std::fs::read(&files[0]).unwrap(), whole, "and is mended");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let tree = workspace();
    let mut request = tree.request(&[]);
    request.environment.cache = Some(tree.path("Cargo.toml"));
    assert_eq!(open(request).unwrap().notes, [""; 0]);
}

#[test]
fn a_new_version_keeps_the_facts_of_the_one_before() {
    let tree = workspace();
    let facts = tree.cache().join("cache/facts");
    tree.open(&[]);
    let own: Vec<_> = std::fs::read_dir(&facts).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(own.len(), 1);
    std::fs::remove_dir(&own[0]).unwrap();
    for (age, form) in ["oldest", "old"].into_iter().enumerate() {
        std::fs::create_dir(facts.join(form)).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64);
        std::fs::File::open(facts.join(form)).unwrap().set_modified(time).unwrap();
    }
    std::fs::write(facts.join("of-another-layout"), "").unwrap();
    tree.open(&[]);
    let mut left: Vec<_> = std::fs::read_dir(&facts).unwrap().flatten().map(|entry| entry.path()).collect();
    left.sort();
    assert!(left.contains(&own[0]) && left.len() == 2, "{left:?}");
    assert!(!facts.join("oldest").exists());
}
