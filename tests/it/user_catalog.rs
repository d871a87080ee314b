//! What a configuration adds to the catalog: what it trusts is not followed, and what it names is helped with.

use agentlint_effects::catalog::Catalog;
use agentlint_effects::{AnalysedBody, Effects, ResolvedCatalog};
use agentlint_lints::builtin_catalog;
use agentlint_semantic::Program;
use agentlint_testing::{check, marks};
use agentlint_workspace::{Opened, Request, open};

use crate::support::{findings, package, run};

/// Each trusted thing beside one that looks like it.
const LIBRARY: &str = r#"
use std::{thread::sleep, time::Duration};

pub fn quick() { sleep(Duration::ZERO) }
pub fn slow() { sleep(Duration::ZERO) }
pub fn over_quick() { quick() }
pub fn over_slow() { slow() }

pub struct Cache;
impl Cache {
    pub fn get(&self) { sleep(Duration::ZERO) }
    pub fn fill(&self) { sleep(Duration::ZERO) }
}

pub struct Index;
impl Index {
    pub fn new() -> Index { sleep(Duration::ZERO); Index }
    pub fn find(&self) { sleep(Duration::ZERO) }
}

pub trait Store {
    fn load(&self);
    fn save(&self);
}
impl Store for Cache {
    fn load(&self) { sleep(Duration::ZERO) }
    fn save(&self) { sleep(Duration::ZERO) }
}

pub mod warm {
    pub fn up() { super::slow() }
    pub mod deep {
        pub fn down() { crate::slow() }
    }
    pub fn apply(f: impl Fn()) { f() }
    pub async fn later() {
        crate::slow(); //~ blocking_sleep
    }
}
pub mod warmer {
    pub fn up() { super::slow() }
}
pub use warm::up as renamed;

pub async fn functions() {
    quick();
    over_quick();
    slow(); //~ blocking_sleep
    over_slow(); //~ blocking_sleep
}

pub async fn methods(cache: Cache) {
    cache.get();
    Cache::get(&cache);
    cache.fill(); //~ blocking_sleep
    Index::new().find();
}

pub async fn traits(cache: Cache, store: &dyn Store) {
    cache.load();
    store.load();
    cache.save(); //~ blocking_sleep
    store.save(); //~ blocking_sleep
}

pub async fn modules() {
    warm::up();
    warm::deep::down();
    renamed();
    warmer::up(); //~ blocking_sleep
    warm::apply(|| slow()); //~ blocking_sleep
    warm::later().await;
}

pub async fn passed_on(times: Option<u8>) {
    times.map(|_| quick());
    times.into_iter().for_each(|_| slow()); //~ blocking_sleep
    Some(()).into_iter().for_each(nothing);
    std::fs::exists("a").unwrap();
    std::fs::read("a").unwrap(); //~ blocking_fs
}
fn nothing(_: ()) { quick() }
"#;

const TRUSTED: &str = r#"
[[trusted]]
path = "sample::quick"

[[trusted]]
path = "sample::Cache::get"

[[trusted]]
path = "sample::Index"

[[trusted]]
path = "sample::Store::load"

[[trusted]]
path = "sample::warm"

# A function of the catalog too.
[[trusted]]
path = "std::fs::exists"
"#;

#[test]
fn what_is_trusted_has_no_effects() {
    let folder = package(&[("src/lib.rs", LIBRARY), ("agentlint.toml", TRUSTED)]);
    let found = findings(&run(folder.path(), &["--format", "json"]));
    if let Err(report) = check(&marks("src/lib.rs", LIBRARY).unwrap(), &found) {
        panic!("differences from the marks:\n{report}");
    }
}

#[test]
fn without_trust_all_of_it_blocks() {
    let folder = package(&[("src/lib.rs", LIBRARY)]);
    let found = findings(&run(folder.path(), &["--format", "json"]));
    let marked = marks("src/lib.rs", LIBRARY).unwrap().len();
    assert_eq!(found.len(), marked + 14, "{found:#?}");
}

#[test]
fn a_whole_crate_can_be_trusted() {
    let library = "pub fn slow() { std::thread::sleep(std::time::Duration::ZERO) }\n\
                   pub mod warm { pub use crate::slow as up; }\n";
    let main = "async fn serve() {\n    sample::slow();\n    sample::warm::up();\n    own();\n}\n\
                fn own() { std::thread::sleep(std::time::Duration::ZERO) }\nfn main() { drop(serve()) }\n";
    let folder = package(&[("src/lib.rs", library), ("src/bin/server.rs", main)]);
    let calls = |trusted: &str| {
        let opened = open(Request::new(folder.path())).unwrap();
        opened.loader.pool().install(|| blocking_calls(&opened, trusted))
    };
    assert_eq!(calls(""), ["slow", "up", "own"]);
    assert_eq!(calls("[[trusted]]\npath = \"sample\"\n"), ["own"]);
    assert_eq!(calls("[[trusted]]\npath = \"server::own\"\n"), ["slow", "up"]);
    assert_eq!(calls("[[trusted]]\npath = \"std\"\n"), ["slow", "up", "own"], "a sink in what is trusted is one");
}

#[test]
fn the_help_names_what_the_entry_says() {
    let catalog = "[[sink]]\npath = \"sample::flush\"\neffect = \"fs\"\ninstead = \"sample::flush_async().await\"\n\n\
                   [[sink]]\npath = \"sample::wait\"\neffect = \"lock\"\n";
    let library = "pub fn flush() {}\npub fn wait() {}\nfn both() {\n    flush();\n    wait();\n}\n\
                   pub async fn serve() {\n    flush();\n    wait();\n    both();\n    \
                   asks();\n}\nfn asks() {\n    let _ = std::io::stdin().read_line(&mut String::new());\n}\n";
    let folder = package(&[("src/lib.rs", library), ("agentlint.toml", catalog)]);
    let ran = run(folder.path(), &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let helps: Vec<(u64, &str)> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["line"].as_u64().unwrap(), finding["help"].as_str().unwrap()))
        .collect();
    let expected = [
        (8, "use `sample::flush_async().await`, or move the work into one `tokio::task::spawn_blocking`"),
        (9, "move the work into one `tokio::task::spawn_blocking`"),
        (10, "use `sample::flush_async().await` in `both`, or call `both` inside `tokio::task::spawn_blocking`"),
        (10, "call `both` inside `tokio::task::spawn_blocking`"),
        (
            11,
            "read from `tokio::io::stdin()` with `tokio::io::AsyncBufReadExt` in `asks`, or call `asks` inside \
             `tokio::task::spawn_blocking`",
        ),
    ];
    assert_eq!(helps, expected);
}

fn blocking_calls(opened: &Opened, trusted: &str) -> Vec<String> {
    let program = Program::new(opened.graph.clone(), &opened.loader);
    let owners: Vec<_> = program.members().flat_map(|krate| program.owners(krate)).collect();
    let bodies = owners.into_iter().filter_map(|owner| AnalysedBody::new(&program, owner)).collect();
    let mut catalog = builtin_catalog().unwrap();
    catalog.extend(Catalog::parse("agentlint.toml", trusted).unwrap());
    let catalog = ResolvedCatalog::new(&program, catalog);
    assert!(catalog.unresolved.iter().chain(&catalog.absent).all(|path| !trusted.contains(&format!("\"{path}\""))), "{trusted}");
    let calls = Effects::new(&program, catalog, bodies, &()).blocking_calls(&program);
    calls.into_iter().map(|call| call.callee).collect()
}
