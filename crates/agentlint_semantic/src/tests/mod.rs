//! Cases of the model: a small program as text, and what its calls resolve to.

mod derives;
mod impls;
mod kept_names;
mod macros;
mod names;
mod std_index;
mod types;

use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{Bodies, ParseOptions, name, parse};
use rustc_hash::FxHashMap;

use crate::Program;
use crate::infer::{CallKind, Callee};
use crate::input::{CfgOptions, CrateFiles, CrateGraph, CrateId, CrateKind, CrateNode, Edition, Loader};

/// Crates of one file each, by id.
struct Texts(Vec<Arc<CrateFiles>>);

impl Loader for Texts {
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.0.get(usize::from(id)).cloned()
    }
}

/// What each call of the program resolves to, in the order of the text: `crate::owner::name`, or `?name`. Constructors and the
/// calls that the language makes are left out.
fn calls(text: &str) -> Vec<String> {
    calls_with(&[], text)
}

/// The same for a program that depends on crates of these names and texts, each of which knows those before it.
fn calls_with(dependencies: &[(&str, &str)], text: &str) -> Vec<String> {
    with_program(dependencies, text, found_calls)
}

fn with_program<T>(dependencies: &[(&str, &str)], text: &str, ask: impl FnOnce(&Program<'_>) -> T) -> T {
    let (graph, loader) = parsed(dependencies, text);
    with_loader(graph, &loader, ask)
}

fn parsed(dependencies: &[(&str, &str)], text: &str) -> (CrateGraph, Texts) {
    let mut graph = CrateGraph::default();
    let mut files = Vec::new();
    let mut known: Vec<_> = Vec::new();
    for (crate_name, text) in dependencies.iter().copied().chain([("case", text)]) {
        let is_member = crate_name == "case";
        let bodies = if is_member { Bodies::Full } else { Bodies::Skip };
        let facts = parse(text, &ParseOptions { bodies });
        assert_eq!(facts.errors, [], "a case must be valid Rust");
        let root = FileId(files.len() as u32);
        let facts = FxHashMap::from_iter([(root, Arc::new(facts))]);
        files.push(Arc::new(CrateFiles { root, facts, modules: FxHashMap::default() }));
        let id = graph.crates.push(CrateNode {
            name: name(crate_name),
            known_as: name(crate_name),
            version: None,
            edition: Edition::E2024,
            kind: CrateKind::Library,
            is_member,
            cfg: CfgOptions::default(),
            dependencies: known.clone(),
        });
        known.push((name(crate_name), id));
    }
    (graph, Texts(files))
}

fn with_loader<T>(graph: CrateGraph, loader: &dyn Loader, ask: impl FnOnce(&Program<'_>) -> T) -> T {
    let program = Program::new(graph, loader);
    // As real runs do.
    for member in program.members() {
        let likely = program.likely_calls(member);
        program.expand_ahead(&likely, likely.calls());
    }
    ask(&program)
}

fn found_calls(program: &Program<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for owner in program.members().flat_map(|krate| program.owners(krate)) {
        let inferred = program.infer(owner).expect("an owner has a body");
        for call in inferred.calls.iter().filter(|call| matches!(call.kind, CallKind::Function | CallKind::Method)) {
            let callee = match call.callee {
                Callee::Function { def, implementation, .. } => described(program, implementation.unwrap_or(def)),
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
    let krate = if program.is_std(def.krate) { "std" } else { program.node(def.krate).name.as_str() };
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
