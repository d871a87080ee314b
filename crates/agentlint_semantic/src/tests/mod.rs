//! Cases of the model: a small program as text, and what its calls resolve to.

mod names;
mod types;

use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{Bodies, ParseOptions, name, parse};
use rustc_hash::FxHashMap;

use crate::Program;
use crate::infer::{CallKind, Callee};
use crate::input::{CfgOptions, CrateFiles, CrateGraph, CrateId, CrateKind, CrateNode, Edition, Loader};

struct OneFile(Arc<CrateFiles>);

impl Loader for OneFile {
    fn load(&self, _: CrateId) -> Option<Arc<CrateFiles>> {
        Some(Arc::clone(&self.0))
    }
}

/// What each call of the program resolves to, in the order of the text: `crate::owner::name`, or `?name`. Constructors and the
/// calls that the language makes are left out.
fn calls(text: &str) -> Vec<String> {
    let facts = parse(text, &ParseOptions { bodies: Bodies::Full });
    assert_eq!(facts.errors, [], "a case must be valid Rust");
    let root = FileId(0);
    let facts = FxHashMap::from_iter([(root, Arc::new(facts))]);
    let loader = OneFile(Arc::new(CrateFiles { root, facts, modules: FxHashMap::default() }));
    let mut graph = CrateGraph::default();
    let krate = graph.crates.push(CrateNode {
        name: name("case"),
        version: None,
        edition: Edition::E2024,
        kind: CrateKind::Library,
        is_member: true,
        cfg: CfgOptions::default(),
        dependencies: Vec::new(),
    });
    let program = Program::new(graph, &loader);
    let mut found = Vec::new();
    for owner in program.owners(krate) {
        let inferred = program.infer(*owner).expect("an owner has a body");
        for call in inferred.calls.iter().filter(|call| matches!(call.kind, CallKind::Function | CallKind::Method)) {
            let callee = match call.callee {
                Callee::Function { def, implementation, .. } => described(&program, implementation.unwrap_or(def)),
                Callee::Constructor(_) => continue,
                Callee::Value(_) => format!("value {}", call.name),
                Callee::Unresolved(_) => format!("?{}", call.name),
            };
            found.push((call.name_span, callee));
        }
    }
    found.sort();
    found.into_iter().map(|(_, callee)| callee).collect()
}

fn described(program: &Program<'_>, def: crate::def::DefId) -> String {
    let krate = if program.is_std(def.krate) { "std" } else { "case" };
    match program.container(def) {
        Some(holder) if program.kind(holder) == crate::def::DefKind::Impl => {
            format!("{krate}::{}::{}", program.impl_self_ty(holder).head_name(program), program.name(def))
        }
        Some(holder) => format!("{krate}::{}::{}", program.name(holder), program.name(def)),
        None => {
            let path = program.path_of(def);
            path.split_once("::").map_or(path.clone(), |(_, rest)| format!("{krate}::{rest}"))
        }
    }
}
