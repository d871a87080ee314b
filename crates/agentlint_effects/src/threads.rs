//! Calls that need a runtime with several threads, where one with a single thread runs them.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, Place};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::input::CrateKind;
use agentlint_syntax::Span;
use agentlint_syntax::ast::{AttributeArguments, ExprKind};
use rustc_hash::FxHashSet;

use crate::Effects;
use crate::catalog::ThreadKind;
use crate::closures::Runs;
use crate::region::{RegionId, RegionKind};

/// A call that panics because its runtime has one thread.
#[derive(Clone, Debug)]
pub struct NeedsThreads {
    pub place: Place,
    /// Its public path.
    pub callee: String,
    /// The name of the function whose runtime has one thread.
    pub runtime: Place,
}

impl Effects {
    /// The calls that need several threads and that a function with a runtime of one leads to, in the order of the sources.
    pub fn calls_without_threads(&self, program: &Program<'_>) -> Vec<NeedsThreads> {
        let mut found = Vec::new();
        for owner in self.owners() {
            let (Some(facts), Some(body)) = (self.facts(owner), program.body(owner)) else { continue };
            for call in &facts.inferred.calls {
                let Callee::Function { def, .. } = call.callee else { continue };
                let Some((ThreadKind::Several, path)) = self.catalog.thread_need(def) else { continue };
                let region = RegionId { owner, index: facts.regions.region_of[call.expr] };
                let Some(runtime) = self.with_one_thread(program, region) else { continue };
                let Some(runtime) = program.place(runtime) else { continue };
                let start = match &body.exprs[call.expr].kind {
                    ExprKind::Call { callee, .. } => body.exprs[*callee].span.start,
                    _ => call.name_span.start,
                };
                let file = program.real_file(owner.krate, program.def(owner).file);
                let span = Span::new(start, body.exprs[call.expr].span.end);
                found.push(NeedsThreads { place: Place { file, span }, callee: path.to_owned(), runtime });
            }
        }
        found.sort_by_key(|call| call.place);
        found
    }

    /// The first function with a runtime of one thread that leads to a region, not by way of a thread of its own.
    fn with_one_thread(&self, program: &Program<'_>, from: RegionId) -> Option<DefId> {
        let mut closures = self.closures(program);
        let mut seen = FxHashSet::default();
        let mut open = vec![from];
        let mut found: Vec<DefId> = Vec::new();
        while let Some(region) = open.pop() {
            let Some(facts) = self.facts(region.owner).filter(|_| seen.insert(region)) else { continue };
            let Some(data) = facts.regions.regions.get(region.index as usize) else { continue };
            match data.parent {
                Some(_)
                    if data.kind == RegionKind::Closure
                        && matches!(closures.closure(facts, data.expr), Runs::Elsewhere | Runs::Never) => {}
                Some(parent) => open.push(RegionId { owner: region.owner, index: parent }),
                None if self.has_one_thread(program, region.owner) => found.push(region.owner),
                None => open.extend(self.callers_of(program, region.owner)),
            }
        }
        found.into_iter().min()
    }

    /// Whether a function is run by a runtime with one thread, or makes one as a program's `main`.
    fn has_one_thread(&self, program: &Program<'_>, owner: DefId) -> bool {
        let Some(item) = program.item(owner) else { return false };
        for attribute in &item.attributes {
            let (text, last) = match &attribute.arguments {
                AttributeArguments::Tokens { text, .. } => (text.as_str(), attribute.path.rsplit("::").next()),
                _ => ("", attribute.path.rsplit("::").next()),
            };
            match (last, attribute.path.starts_with("tokio::")) {
                (Some("main"), true) => return text.contains("current_thread"),
                // A test's runtime has one thread unless it says otherwise.
                (Some("test"), true) => return !text.contains("multi_thread"),
                _ => {}
            }
        }
        let is_main = matches!(program.node(owner.krate).kind, CrateKind::Binary | CrateKind::Example)
            && program.def(owner).parent == program.root(owner.krate)
            && item.name == "main";
        let makes_one = |callee: Callee| match callee {
            Callee::Function { def, .. } => self.catalog.thread_need(def).is_some_and(|(kind, _)| kind == ThreadKind::One),
            _ => false,
        };
        is_main && self.facts(owner).is_some_and(|facts| facts.inferred.calls.iter().any(|call| makes_one(call.callee)))
    }
}
