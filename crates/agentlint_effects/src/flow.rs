//! What of a function's code runs before anything else can: before it serves, spawns or accepts.

use agentlint_semantic::Program;
use agentlint_semantic::infer::Callee;
use agentlint_syntax::ast::{Block, Body, ExprId, ExprKind, StatementKind};
use rustc_hash::FxHashSet;

use crate::Effect;
use crate::body::BodyFacts;
use crate::closures::{Closures, Runs};
use crate::region::{RegionKind, each_child};
use crate::resolve::ResolvedCatalog;

/// Longer ways of a future from where it is made to where it is awaited are not followed.
const DEEPEST: u32 = 24;

/// By region of a body, whether it runs as a part of the function: awaited there or called there, not spawned or stored.
pub(crate) fn regions_here(closures: &mut Closures<'_, '_>, facts: &BodyFacts) -> Vec<bool> {
    let (program, catalog) = (closures.program, closures.catalog);
    let regions = &facts.regions.regions;
    let mut here: Vec<bool> = Vec::with_capacity(regions.len());
    for region in regions {
        let parent_is_here = region.parent.is_none_or(|parent| here.get(parent as usize).copied().unwrap_or(false));
        let is_here = parent_is_here
            && match (region.parent, region.kind) {
                (None, _) => true,
                (Some(_), RegionKind::Async) => is_awaited_block(program, catalog, facts, region.expr),
                (Some(_), _) => match closures.closure(facts, region.expr) {
                    Runs::InPlace => true,
                    Runs::Polled => is_awaited(program, catalog, facts, region.expr, 0),
                    Runs::Elsewhere | Runs::Never | Runs::Later | Runs::Unknown => false,
                },
            };
        here.push(is_here);
    }
    here
}

/// An async closure's body, and a stream, run when nobody here knows.
fn is_awaited_block(program: &Program<'_>, catalog: &ResolvedCatalog, facts: &BodyFacts, block: ExprId) -> bool {
    let kind = program.body(facts.inferred.owner).map(|body| &body.exprs[block].kind);
    matches!(kind, Some(ExprKind::Async { .. })) && is_awaited(program, catalog, facts, block, 0)
}

/// Whether a future, or what is made of it, is awaited or run to its end in the function itself.
fn is_awaited(program: &Program<'_>, catalog: &ResolvedCatalog, facts: &BodyFacts, expr: ExprId, depth: u32) -> bool {
    if facts.regions.awaited.contains(&expr) {
        return true;
    }
    if depth > DEEPEST {
        return false;
    }
    let goes_on = |at: ExprId| is_awaited(program, catalog, facts, at, depth + 1);
    if let Some(uses) = facts.uses_of(expr) {
        return !uses.is_empty() && uses.iter().all(|used| goes_on(*used));
    }
    let Some(parent) = facts.parent(expr) else { return false };
    let Some(body) = program.body(facts.inferred.owner) else { return false };
    match &body.exprs[parent].kind {
        ExprKind::Reference { .. } => goes_on(parent),
        ExprKind::Block(block) if block.tail == Some(expr) => goes_on(parent),
        // `timeout(limit, future).await`, `Box::pin(future).await`
        ExprKind::Call { .. } | ExprKind::MethodCall { .. } => match facts.call(parent).map(|call| call.callee) {
            Some(Callee::Function { def, implementation, .. }) => {
                let starts = catalog.start(def).or_else(|| catalog.start(implementation?)).is_some();
                !starts && (catalog.has_effect(def, Effect::BlockOn) || goes_on(parent))
            }
            Some(Callee::Constructor(_)) => goes_on(parent),
            _ => false,
        },
        _ => false,
    }
}

/// The expressions of a body that are evaluated before any of `starts` can have been.
pub(crate) fn before(body: &Body, facts: &BodyFacts, here: &[bool], starts: &FxHashSet<ExprId>) -> FxHashSet<ExprId> {
    let mut loops = FxHashSet::default();
    for start in starts {
        let mut at = *start;
        while let Some(parent) = facts.parent(at) {
            if matches!(body.exprs[parent].kind, ExprKind::Loop { .. } | ExprKind::While { .. } | ExprKind::For { .. }) {
                loops.insert(parent);
            }
            at = parent;
        }
    }
    let mut walk = Walk { body, facts, here, starts, loops, before: FxHashSet::default() };
    walk.visit(body.root, Some(false));
    walk.before
}

/// Whether something may have started; `None` where the code is never reached.
type Started = Option<bool>;

struct Walk<'a> {
    body: &'a Body,
    facts: &'a BodyFacts,
    here: &'a [bool],
    starts: &'a FxHashSet<ExprId>,
    /// Loops with a start inside: their second round comes after it.
    loops: FxHashSet<ExprId>,
    before: FxHashSet<ExprId>,
}

impl Walk<'_> {
    /// Takes what holds before an expression, gives what holds after it.
    fn visit(&mut self, expr: ExprId, started: Started) -> Started {
        let after = self.inside(expr, started);
        if after == Some(false) {
            self.before.insert(expr);
        }
        match after {
            Some(_) if self.starts.contains(&expr) => Some(true),
            after => after,
        }
    }

    fn inside(&mut self, expr: ExprId, started: Started) -> Started {
        let body = self.body;
        match &body.exprs[expr].kind {
            ExprKind::If { condition, then, otherwise } => {
                let decided = self.visit(*condition, started);
                let then = self.visit(*then, decided);
                let otherwise = otherwise.map_or(decided, |otherwise| self.visit(otherwise, decided));
                either(then, otherwise)
            }
            ExprKind::Match { scrutinee, arms } => {
                let decided = self.visit(*scrutinee, started);
                let mut after = None;
                for arm in arms {
                    let guarded = arm.guard.map_or(decided, |guard| self.visit(guard, decided));
                    let of_arm = self.visit(arm.body, guarded);
                    after = either(after, of_arm);
                }
                after
            }
            ExprKind::Block(block) => self.block(block, started),
            ExprKind::Loop { .. } | ExprKind::While { .. } | ExprKind::For { .. } => {
                let before = started.map(|started| started || self.loops.contains(&expr));
                self.children(expr, before);
                before
            }
            ExprKind::Return(_) | ExprKind::Break { .. } | ExprKind::Continue { .. } => {
                let leaves = self.children(expr, started);
                if leaves == Some(false) {
                    self.before.insert(expr);
                }
                None
            }
            _ => match self.facts.regions.by_expr.get(&expr) {
                Some(region) if !self.here.get(*region as usize).copied().unwrap_or(false) => started,
                Some(_) => either(started, self.children(expr, started)),
                None => self.children(expr, started),
            },
        }
    }

    fn children(&mut self, expr: ExprId, started: Started) -> Started {
        let mut inside = Vec::new();
        each_child(self.body, expr, &mut |child| inside.push(child));
        inside.into_iter().fold(started, |started, child| self.visit(child, started))
    }

    fn block(&mut self, block: &Block, mut started: Started) -> Started {
        for statement in &block.statements {
            match &statement.kind {
                StatementKind::Let { init, otherwise, .. } => {
                    started = init.map_or(started, |init| self.visit(init, started));
                    if let Some(otherwise) = otherwise {
                        self.visit(*otherwise, started);
                    }
                }
                StatementKind::Expr { expr, .. } => started = self.visit(*expr, started),
            }
        }
        block.tail.map_or(started, |tail| self.visit(tail, started))
    }
}

fn either(a: Started, b: Started) -> Started {
    match (a, b) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    }
}
