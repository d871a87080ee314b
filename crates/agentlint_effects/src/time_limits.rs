//! Clients that wait without a limit: made or built where nothing sets a timeout.
//!
//! A builder counts as limited unless all of its chain is seen, from where it begins to where it is built; and a crate that sets a
//! limit on a request, or is used by one that does, counts as one that does so everywhere.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, Place};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::input::CrateId;
use agentlint_syntax::Span;
use agentlint_syntax::ast::{Body, ExprId, ExprKind};

use rustc_hash::FxHashSet;

use crate::Effects;
use crate::body::BodyFacts;
use crate::catalog::LimitKind;
use crate::resolve::Limit;

/// A call that makes a client without a limit.
#[derive(Clone, Debug)]
pub struct UnlimitedClient {
    pub owner: DefId,
    pub place: Place,
    /// As people write it.
    pub callee: String,
    /// How to set a limit, as a verb phrase.
    pub advice: String,
}

/// Longer chains of a builder are not followed.
const LONGEST: usize = 64;

impl Effects {
    /// The clients that are made without a time limit, in the order of the sources; those of tests are left out.
    pub fn unlimited_clients(&self, program: &Program<'_>) -> Vec<UnlimitedClient> {
        let mut found = Vec::new();
        // No client of the catalog is in the program.
        if !self.catalog.has_limits() {
            return found;
        }
        let mut limits_requests = FxHashSet::default();
        for owner in self.owners() {
            let (Some(facts), Some(body)) = (self.facts(owner), program.body(owner)) else { continue };
            if program.def(owner).is_test {
                continue;
            }
            let chain = Chain { program, effects: self, facts, body };
            for call in &facts.inferred.calls {
                let Some(limit) = self.limit(&call.callee) else { continue };
                match limit.kind {
                    LimitKind::RequestLimit => {
                        limits_requests.insert(owner.krate);
                        continue;
                    }
                    LimitKind::Unlimited => {}
                    LimitKind::Build if call.receiver.is_some_and(|builder| chain.is_unlimited(builder, LONGEST)) => {}
                    LimitKind::Build | LimitKind::ClientLimit | LimitKind::Begin => continue,
                }
                let start = match &body.exprs[call.expr].kind {
                    ExprKind::Call { callee, .. } => body.exprs[*callee].span.start,
                    _ => call.name_span.start,
                };
                let span = Span::new(start, body.exprs[call.expr].span.end);
                found.push(unlimited(program, owner, limit, span));
            }
            // `get_or_init(Client::new)`
            for (expr, def, list) in &facts.inferred.paths {
                let parent = facts.parent(*expr).map(|parent| &body.exprs[parent].kind);
                if matches!(parent, Some(ExprKind::Call { callee, .. }) if callee == expr) {
                    continue;
                }
                let implementation = program.implementation(*def, *list);
                let callee = Callee::Function { def: *def, args: *list, implementation };
                if let Some(limit) = self.limit(&callee).filter(|limit| limit.kind == LimitKind::Unlimited) {
                    found.push(unlimited(program, owner, limit, body.exprs[*expr].span));
                }
            }
        }
        let limiting = with_dependencies(program, limits_requests);
        found.retain(|client| !limiting.contains(&client.owner.krate));
        found.sort_by_key(|client| client.place);
        found
    }

    fn limit(&self, callee: &Callee) -> Option<&Limit> {
        let Callee::Function { def, implementation, .. } = *callee else { return None };
        implementation.and_then(|implementation| self.catalog.limit(implementation)).or_else(|| self.catalog.limit(def))
    }
}

fn unlimited(program: &Program<'_>, owner: DefId, limit: &Limit, span: Span) -> UnlimitedClient {
    let file = program.real_file(owner.krate, program.def(owner).file);
    UnlimitedClient { owner, place: Place { file, span }, callee: limit.path.clone(), advice: limit.advice.clone() }
}

/// The crates, and all members that they depend on.
fn with_dependencies(program: &Program<'_>, crates: FxHashSet<CrateId>) -> FxHashSet<CrateId> {
    let mut open: Vec<CrateId> = crates.into_iter().collect();
    let mut found = FxHashSet::default();
    while let Some(krate) = open.pop() {
        if program.node(krate).is_member && found.insert(krate) {
            open.extend(program.node(krate).dependencies.iter().map(|(_, id)| *id));
        }
    }
    found
}

struct Chain<'a, 'l> {
    program: &'a Program<'l>,
    effects: &'a Effects,
    facts: &'a BodyFacts,
    body: &'a Body,
}

impl Chain<'_, '_> {
    /// Whether the builder that `expr` gives is seen from its beginning on, and nothing sets a limit on it.
    fn is_unlimited(&self, mut expr: ExprId, mut left: usize) -> bool {
        while left > 0 {
            left -= 1;
            match &self.body.exprs[expr].kind {
                ExprKind::MethodCall { receiver, .. } => {
                    let Some(call) = self.facts.call(expr) else { return false };
                    // What the program's own method does with the builder is not followed.
                    let Callee::Function { def, .. } = call.callee else { return false };
                    let limit = self.effects.limit(&call.callee);
                    if self.program.node(def.krate).is_member || limit.is_some_and(|limit| limit.kind == LimitKind::ClientLimit) {
                        return false;
                    }
                    expr = *receiver;
                }
                ExprKind::Call { .. } => {
                    let limit = self.facts.call(expr).and_then(|call| self.effects.limit(&call.callee));
                    return limit.is_some_and(|limit| limit.kind == LimitKind::Begin);
                }
                ExprKind::Path(_) => match self.bound_once(expr) {
                    Some(init) => expr = init,
                    None => return false,
                },
                _ => return false,
            }
        }
        false
    }

    /// What a `let` gives a binding that is used nowhere else.
    fn bound_once(&self, path: ExprId) -> Option<ExprId> {
        let pat = self.facts.inferred.local(path)?;
        let init = self.facts.initialiser(pat)?;
        (self.facts.uses(pat).len() == 1).then_some(init)
    }
}
