//! Long-lived clients that are made anew for every request.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind, Place};
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::Span;
use agentlint_syntax::ast::{Body, ExprKind};

use crate::Effects;
use crate::body::BodyFacts;
use crate::entries::Entry;
use crate::region::RegionId;
use crate::summary::display;

/// A client that is made where a request is answered.
#[derive(Clone, Debug)]
pub struct RequestClient {
    pub place: Place,
    /// What makes it, as people write it.
    pub callee: String,
    /// The routes and tools that make one each time.
    pub entries: Vec<Entry>,
}

impl Effects {
    /// The calls that make a client on a way that a route or a tool takes each time, in the order of the sources.
    pub fn request_clients(&self, program: &Program<'_>) -> Vec<RequestClient> {
        let mut found = Vec::new();
        for owner in self.owners() {
            let Some(facts) = self.facts(owner).filter(|_| !program.def(owner).is_test) else { continue };
            let Some(body) = program.body(owner) else { continue };
            for call in &facts.inferred.calls {
                let Some(maker) = self.maker(program, facts, body, call) else { continue };
                let region = RegionId { owner, index: facts.regions.region_of[call.expr] };
                let mut entries = self.reached_each_time(program, region);
                entries.retain(|entry| !matches!(entry, Entry::Task(_)));
                if entries.is_empty() {
                    continue;
                }
                let start = match &body.exprs[call.expr].kind {
                    ExprKind::Call { callee, .. } => body.exprs[*callee].span.start,
                    _ => call.name_span.start,
                };
                let span = Span::new(start, body.exprs[call.expr].span.end);
                let file = program.real_file(owner.krate, program.def(owner).file);
                let callee = format!("{}::{}", program.node(maker.krate).name, display(program, maker));
                found.push(RequestClient { place: Place { file, span }, callee, entries });
            }
        }
        found.sort_by_key(|client| client.place);
        found
    }

    /// The function of another crate that makes a client out of something that is none.
    fn maker(&self, program: &Program<'_>, facts: &BodyFacts, body: &Body, call: &CallSite) -> Option<DefId> {
        let Callee::Function { def, implementation, .. } = call.callee else { return None };
        let target = implementation.unwrap_or(def);
        if program.node(target.krate).is_member || program.is_std(target.krate) {
            return None;
        }
        let given = facts.parent(call.expr).filter(|parent| matches!(body.exprs[*parent].kind, ExprKind::Await { .. }));
        if !self.is_client(program, facts.inferred.types[given.unwrap_or(call.expr)], 0) {
            return None;
        }
        // `client.clone()`, `pool.with_options(..)`: it is there already.
        let is_there = program.signature(target).parameters.iter().any(|ty| self.is_client(program, *ty, 0));
        (!is_there).then_some(target)
    }

    /// Whether a value of the type is a long-lived client, or gives one where all goes well.
    fn is_client(&self, program: &Program<'_>, ty: Ty, depth: u32) -> bool {
        let known = program.known();
        match *ty.kind() {
            TyKind::Adt(def, _) if self.catalog.client(def).is_some() => true,
            TyKind::Adt(def, list) if depth < 4 && [known.result, known.option].contains(&Some(def)) => {
                list.first().is_some_and(|ty| self.is_client(program, *ty, depth + 1))
            }
            TyKind::Ref(inner, _) if depth < 4 => self.is_client(program, inner, depth + 1),
            TyKind::Tuple(list) if depth < 4 => list.iter().any(|ty| self.is_client(program, *ty, depth + 1)),
            _ => false,
        }
    }

    /// Whether a closure's value, or a static's, is kept, so that it runs once and not each time.
    pub(crate) fn runs_once(&self, program: &Program<'_>, region: RegionId) -> bool {
        let Some(facts) = self.facts(region.owner) else { return false };
        if region.index == 0 {
            return program.kind(region.owner) == DefKind::Static;
        }
        let Some(of) = facts.regions.regions.get(region.index as usize) else { return false };
        let call = facts.parent(of.expr).and_then(|parent| facts.call(parent));
        // `OnceLock::get_or_init`, `Entry::or_insert_with`, `Once::call_once`, and those of other crates that are named alike.
        call.is_some_and(|call| KEEPING.iter().any(|start| call.name.as_str().starts_with(start)))
    }
}

/// How the names of functions begin that keep what a closure gives.
const KEEPING: [&str; 6] = ["get_or_", "get_with", "try_get_with", "or_insert_with", "or_try_insert_with", "call_once"];
