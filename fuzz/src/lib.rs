//! What the fuzz targets share: a program of one file through the whole model, and programs made of bytes.

mod generate;

use std::sync::{Arc, LazyLock};

use agentlint_diagnostics::FileId;
use agentlint_effects::{AnalysedBody, Catalog, Effects, ResolvedCatalog};
use agentlint_semantic::Program;
use agentlint_semantic::input::{CfgOptions, CrateFiles, CrateGraph, CrateId, CrateKind, CrateNode, Edition, Loader};
use agentlint_syntax::{Bodies, ParseOptions, STACK_SIZE, name, parse};
use rustc_hash::FxHashMap;

pub use generate::program;

static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| agentlint_lints::builtin_catalog().expect("the tests read it too").into());

struct OneFile(Arc<CrateFiles>);

impl Loader for OneFile {
    fn load(&self, _: CrateId) -> Option<Arc<CrateFiles>> {
        Some(Arc::clone(&self.0))
    }
}

/// Parses, infers every body and takes the effects, on a stack as deep as the tool's threads have.
pub fn analyse(text: &str) {
    let text = text.to_owned();
    let thread = std::thread::Builder::new().stack_size(STACK_SIZE).spawn(move || analyse_here(&text));
    thread.expect("a thread starts").join().expect("no panic");
}

fn analyse_here(text: &str) {
    let facts = parse(text, &ParseOptions { bodies: Bodies::Full });
    let root = FileId(0);
    let facts = FxHashMap::from_iter([(root, Arc::new(facts))]);
    let loader = OneFile(Arc::new(CrateFiles { root, facts, modules: FxHashMap::default() }));
    let mut graph = CrateGraph::default();
    let krate = graph.crates.push(CrateNode {
        name: name("fuzzed"),
        known_as: name("fuzzed"),
        version: None,
        edition: Edition::E2024,
        kind: CrateKind::Binary,
        is_member: true,
        cfg: CfgOptions::default(),
        dependencies: Vec::new(),
    });
    let program = Program::new(graph, &loader);
    let bodies = program.owners(krate).filter_map(|owner| AnalysedBody::new(&program, owner)).collect();
    let catalog = ResolvedCatalog::new(&program, Arc::clone(&CATALOG));
    let effects = Effects::new(&program, catalog, bodies, &());
    effects.blocking_calls(&program);
    effects.coverage(&program);
}
