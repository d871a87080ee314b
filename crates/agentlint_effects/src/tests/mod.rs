//! Programs of a few lines with a dependency, each once with nothing kept and once with what the first run kept.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dependencies;
mod guards;
mod reach;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agentlint_diagnostics::FileId;
use agentlint_semantic::Program;
use agentlint_semantic::input::{CfgOptions, CrateFiles, CrateGraph, CrateId, CrateKind, CrateNode, Edition, Loader};
use agentlint_syntax::{Bodies, ParseOptions, name, parse};
use rustc_hash::FxHashMap;

use crate::{AnalysedBody, BlockingCall, Catalog, Effects, ResolvedCatalog, SummaryStore};

const CATALOG: &str = r#"
[[sink]]
path = "std::fs::read_to_string"
effect = "fs"
[[sink]]
path = "std::thread::sleep"
effect = "sleep"
[[sink]]
trait = "std::io::Read"
types = ["std::fs::File"]
methods = ["read"]
effect = "fs"
[[offload]]
path = "std::thread::spawn"
argument = 0
[[guard]]
path = "std::sync::MutexGuard"
kind = "lock"
[[start]]
path = "dep::spawn"
[[route]]
paths = ["dep::get", "dep::post", "dep::Methods::get", "dep::Methods::post", "dep::Route::to"]
handler_argument = 0
[[route]]
paths = ["dep::Router::route", "dep::Router::nest", "dep::scope", "dep::resource", "dep::Scope::route", "dep::Router::mount"]
path_argument = 0
[[route]]
paths = ["dep::web::get", "dep::web::post"]
[[trusted]]
path = "dep::trusted"
[[trusted]]
paths = ["std", "core", "alloc"]
"#;

struct Texts {
    crates: Vec<(Arc<CrateFiles>, Arc<str>)>,
    bodies_read: AtomicUsize,
}

impl Loader for Texts {
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.crates.get(usize::from(id)).map(|(files, _)| Arc::clone(files))
    }

    fn text(&self, id: CrateId, _: FileId) -> Option<Arc<str>> {
        self.bodies_read.fetch_add(1, Ordering::Relaxed);
        self.crates.get(usize::from(id)).map(|(_, text)| Arc::clone(text))
    }
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<CrateId, Vec<u8>>>);

impl SummaryStore for Memory {
    fn load(&self, krate: CrateId) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(&krate).cloned()
    }

    fn keep(&self, krate: CrateId, bytes: Vec<u8>) {
        self.0.lock().unwrap().insert(krate, bytes);
    }
}

/// One run, and how many bodies of dependencies it read.
fn run(dependency: &str, program: &str, store: &dyn SummaryStore) -> (Vec<BlockingCall>, usize) {
    with_effects(dependency, program, store, |program, effects, bodies_read| (effects.blocking_calls(program), bodies_read))
}

fn with_effects<T>(
    dependency: &str,
    program: &str,
    store: &dyn SummaryStore,
    ask: impl FnOnce(&Program<'_>, &Effects, usize) -> T,
) -> T {
    let mut graph = CrateGraph::default();
    let mut crates = Vec::new();
    for (crate_name, text) in [("dep", dependency), ("case", program)] {
        let is_member = crate_name == "case";
        let bodies = if is_member { Bodies::Full } else { Bodies::InText };
        let facts = parse(text, &ParseOptions { bodies });
        assert_eq!(facts.errors, [], "a case must be valid Rust");
        let root = FileId(crates.len() as u32);
        let dependencies = if is_member { vec![(name("dep"), CrateId::new(0))] } else { Vec::new() };
        let facts = FxHashMap::from_iter([(root, Arc::new(facts))]);
        crates.push((Arc::new(CrateFiles { root, facts, modules: FxHashMap::default() }), Arc::from(text)));
        graph.crates.push(CrateNode {
            name: name(crate_name),
            known_as: name(crate_name),
            version: Some("1.2.0".to_owned()),
            edition: Edition::E2024,
            kind: CrateKind::Library,
            is_member,
            cfg: CfgOptions::default(),
            dependencies,
        });
    }
    let loader = Texts { crates, bodies_read: AtomicUsize::new(0) };
    let program = Program::new(graph, &loader);
    let owners = program.members().flat_map(|krate| program.owners(krate));
    let bodies = owners.filter_map(|owner| AnalysedBody::new(&program, owner)).collect();
    let catalog = ResolvedCatalog::new(&program, Catalog::parse("case.toml", CATALOG).unwrap());
    let effects = Effects::new(&program, catalog, bodies, store);
    ask(&program, &effects, loader.bodies_read.load(Ordering::Relaxed))
}

/// What is found in the program, which `//~ effect confidence` at the ends of its lines says, and what the chains are.
#[track_caller]
fn check(dependency: &str, program: &str) -> Vec<Vec<String>> {
    let store = Memory::default();
    let (first, bodies_read) = run(dependency, program, &store);
    let kept = store.0.lock().unwrap().clone();
    let (second, read_again) = run(dependency, program, &store);
    assert_eq!(described(&first), described(&second), "what was kept says something else");
    assert!(bodies_read == 0 || !kept.is_empty(), "nothing was kept");
    assert_eq!(read_again, 0, "a body was read of which all is kept");
    assert_eq!(kept, *store.0.lock().unwrap(), "the second run kept something else");
    let line = |start: u32| program[..start as usize].matches('\n').count() + 1;
    let mut found: Vec<(usize, String)> = first
        .iter()
        .map(|call| (line(call.place.span.start), format!("{} {}", call.effect.name(), call.confidence.name())))
        .collect();
    found.sort();
    let marked = program.lines().enumerate();
    let marked = marked.filter_map(|(at, line)| Some((at + 1, line.split_once("//~ ")?.1.trim().to_owned())));
    assert_eq!(found, marked.collect::<Vec<_>>());
    described(&first)
}

fn described(calls: &[BlockingCall]) -> Vec<Vec<String>> {
    let of = |package: &Option<String>| package.as_ref().map(|package| format!(" of {package}")).unwrap_or_default();
    let described = calls.iter().map(|call| {
        let first = format!("{}{} {:?}", call.callee, of(&call.package), call.place.span.start);
        let steps = call.chain.iter().map(|step| {
            format!(
                "{}{} calls {} at {}:{}",
                step.caller,
                of(&step.package),
                step.callee,
                step.place.file.0,
                step.place.span.start
            )
        });
        std::iter::once(first).chain(steps).collect()
    });
    described.collect()
}
