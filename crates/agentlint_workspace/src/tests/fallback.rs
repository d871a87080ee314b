//! Where `cargo metadata` fails, the manifests are read, and the run says what it did not see.

use agentlint_semantic::input::Loader;
use agentlint_syntax::name;

use super::{Tree, crates};
use crate::{Opened, open};

fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
}

#[test]
fn a_broken_manifest_beside_costs_its_package_only() {
    let tree = Tree::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nedition = \"2018\"\n"),
        ("crates/good/Cargo.toml", "[package]\nname = \"good\"\nversion = \"0.1.0\"\nedition.workspace = true\n"),
        ("crates/good/src/main.rs", "fn main() {}\n"),
        ("crates/bad/Cargo.toml", "[package]\nname = \"bad\"\nversion = \n"),
        ("crates/bad/src/lib.rs", ""),
    ]);
    let before = tree.listing();
    let opened = tree.open(&[]);
    assert_eq!(crates(&opened), ["good Binary []"]);
    assert_eq!(opened.graph.crates[0].edition, agentlint_semantic::input::Edition::E2018);
    assert_eq!(opened.notes.len(), 2, "{:?}", opened.notes);
    assert!(opened.notes[0].starts_with("crates/bad/Cargo.toml:3: "), "{:?}", opened.notes);
    assert!(opened.notes[1].contains("the manifests were read instead"), "{:?}", opened.notes);
    assert_eq!(tree.listing(), before);
}

#[test]
fn without_a_lock_file_none_is_written() {
    let tree = Tree::new(&[("Cargo.toml", &package("app", "")), ("src/main.rs", "fn main() {}\n")]);
    let before = tree.listing();
    let opened = tree.open(&[]);
    assert_eq!(crates(&opened), ["app Binary []"]);
    assert_eq!(opened.notes, [""; 0]);
    assert_eq!(tree.listing(), before);
}

#[test]
fn a_lock_file_that_is_out_of_date_stays_as_it_is() {
    let tree = Tree::new(&[
        ("Cargo.toml", &package("app", "[dependencies]\nhelper = { path = \"helper\" }\n")),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n"),
        ("src/main.rs", "fn main() {}\n"),
        ("helper/Cargo.toml", &package("helper", "")),
        ("helper/src/lib.rs", ""),
    ]);
    let before = tree.listing();
    let opened = tree.open(&[]);
    assert_eq!(crates(&opened), ["app Binary [helper]", "helper Library []"]);
    assert_eq!(opened.notes, [""; 0]);
    assert_eq!(tree.listing(), before);
}

#[test]
fn a_git_dependency_that_is_not_there_is_told_of() {
    let manifest = "[dependencies]\nfar-away = { git = \"https://example.invalid/far\" }\n";
    let tree = Tree::new(&[("Cargo.toml", &package("app", manifest)), ("src/lib.rs", "")]);
    let opened = tree.open(&[]);
    assert_eq!(crates(&opened), ["app Library [far_away]", "-far_away Library []"]);
    assert!(opened.loader.load(opened.graph.crates.last_idx()).is_none());
    assert_eq!(opened.notes.len(), 1);
    assert!(opened.notes[0].contains("not seen: far-away; `cargo fetch` would let the run see them"), "{:?}", opened.notes);
    assert_eq!(opened.report().without_sources, ["far_away"]);
}

/// A cargo home with one download, and a workspace that cargo refuses because another one is missing.
fn with_downloads(lock: Option<&str>) -> (Tree, Opened) {
    let tree = Tree::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "[features]\ndefault = [\"fast\"]\nfast = [\"renamed/quick\", \"dep:extra\"]\n\
                 [dependencies]\nabsent = \"1\"\nextra = { version = \"1\", optional = true }\n\
                 other = { version = \"1\", optional = true }\n\
                 [dependencies.renamed]\npackage = \"lib-a\"\nversion = \"1\"\ndefault-features = false\n\
                 [target.'cfg(windows)'.dependencies]\nonly-windows = \"1\"\n\
                 [dev-dependencies]\nextra = \"1\"\n",
            ),
        ),
        ("src/lib.rs", ""),
        ("tests/it.rs", ""),
    ]);
    let home = tree.cache().join("cargo-home/registry/src/index");
    let download = |name: &str, version: &str, rest: &str| {
        let folder = home.join(format!("{name}-{version}"));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{rest}");
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "").unwrap();
    };
    let features = "[features]\ndefault = [\"slow\"]\nslow = []\nquick = [\"quicker\"]\nquicker = []\n";
    download("lib-a", "1.2.0", features);
    download("lib-a", "1.10.0", features);
    download("lib-a", "2.0.0", features);
    download("extra", "1.0.0", "");
    if let Some(lock) = lock {
        tree.write("Cargo.lock", lock);
    }
    let opened = open(tree.request(&[])).unwrap();
    (tree, opened)
}

#[test]
fn downloads_are_found_through_the_lock_file() {
    let lock = "version = 4\n\n\
        [[package]]\nname = \"absent\"\nversion = \"1.0.3\"\nsource = \"registry+x\"\n\n\
        [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"absent\",\n \"extra\",\n \"lib-a 1.2.0\",\n]\n\n\
        [[package]]\nname = \"extra\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n\n\
        [[package]]\nname = \"lib-a\"\nversion = \"1.2.0\"\nsource = \"registry+x\"\n\n\
        [[package]]\nname = \"lib-a\"\nversion = \"1.10.0\"\nsource = \"registry+x\"\n";
    let (_tree, opened) = with_downloads(Some(lock));
    let expected = ["app Library [absent extra renamed]", "-absent Library []", "-extra Library []", "-lib_a Library []"];
    assert_eq!(crates(&opened), expected);
    let lib_a = opened.graph.crates.last().unwrap();
    assert_eq!(lib_a.version.as_deref(), Some("1.2.0"));
    let on = |feature| lib_a.cfg.key_values.contains(&(name("feature"), name(feature)));
    assert_eq!(["quick", "quicker", "slow", "default"].map(on), [true, true, false, false]);
    assert_eq!(opened.report().without_sources, ["absent 1.0.3"]);
}

#[test]
fn without_a_lock_file_the_newest_that_fits_is_taken() {
    let (_tree, opened) = with_downloads(None);
    assert_eq!(opened.graph.crates.last().unwrap().version.as_deref(), Some("1.10.0"));
    assert!(opened.notes[0].contains("versions guessed for want of a lock file"), "{:?}", opened.notes);
}

#[test]
fn without_cargo_targets_are_found_as_cargo_finds_them() {
    let tree = Tree::new(&[
        (
            "Cargo.toml",
            &package(
                "my-app",
                "default-run = \"my-app\"\n[lib]\nname = \"core_of_it\"\npath = \"src/core.rs\"\n\
                 [[bin]]\nname = \"tool\"\npath = \"tools/tool.rs\"\n[[test]]\nname = \"named\"\n",
            ),
        ),
        ("build.rs", "fn main() {}\n"),
        ("src/core.rs", ""),
        ("src/main.rs", "fn main() {}\n"),
        ("src/bin/second.rs", "fn main() {}\n"),
        ("src/bin/third/main.rs", "fn main() {}\n"),
        ("src/bin/third/helper.rs", ""),
        ("tools/tool.rs", "fn main() {}\n"),
        ("examples/show.rs", "fn main() {}\n"),
        ("tests/named.rs", ""),
        ("tests/common/mod.rs", ""),
        ("benches/speed.rs", "fn main() {}\n"),
    ]);
    let mut request = tree.request(&[]);
    request.all_targets = true;
    let by_cargo = open(request.clone()).unwrap();
    assert_eq!(by_cargo.notes, [""; 0]);
    request.environment.cargo = None;
    request.environment.path = None;
    request.environment.cache = None;
    let by_hand = open(request).unwrap();
    assert!(by_hand.notes[0].starts_with("no cargo was found"), "{:?}", by_hand.notes);
    assert_eq!(crates(&by_hand), crates(&by_cargo));
    assert_eq!(crates(&by_hand).len(), 9);
}

#[test]
fn a_dependency_is_read_once_whoever_asks() {
    use rayon::prelude::*;
    let (tree, _) = with_downloads(None);
    let opened = open(crate::Request { threads: Some(1), ..tree.request(&[]) }).unwrap();
    let last = opened.graph.crates.last_idx();
    let outside = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let load = || (0..64).into_par_iter().map(|_| opened.loader.load(last).unwrap()).collect::<Vec<_>>();
    // From a pool of others, whose workers wait, and from our own, where waiting for itself would never end.
    let (others, own) = (outside.install(load), opened.loader.pool().install(load));
    assert!(others.iter().chain(&own).all(|files| std::sync::Arc::ptr_eq(files, &others[0])));
}
