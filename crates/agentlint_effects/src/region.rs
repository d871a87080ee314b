//! Regions: a body cut into the pieces that run at different times.

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::Inferred;
use agentlint_syntax::ast::{Body, ExprId, ExprKind, MacroArguments, StatementKind};
use index_vec::IndexVec;
use rustc_hash::{FxHashMap, FxHashSet};

/// A piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId {
    pub owner: DefId,
    /// 0 is the owner's own code.
    pub index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// The code of a function, constant or static.
    Owner,
    Closure,
    /// An async block, the body of an async fn or of an async closure.
    Async,
}

/// One piece.
#[derive(Debug)]
pub struct Region {
    pub kind: RegionKind,
    pub parent: Option<u32>,
    /// The closure's or block's expression; the root for the owner.
    pub expr: ExprId,
    /// Positions in [`Inferred::calls`], in the order of the text.
    pub calls: Vec<u32>,
}

/// A body, cut.
#[derive(Debug)]
pub(crate) struct Regions {
    pub regions: Vec<Region>,
    /// By the expression that starts it.
    pub by_expr: FxHashMap<ExprId, u32>,
    /// Expressions that are directly awaited.
    pub awaited: FxHashSet<ExprId>,
    /// Which region each expression is in.
    pub region_of: IndexVec<ExprId, u32>,
}

impl Regions {
    pub(crate) fn cut(program: &Program<'_>, inferred: &Inferred) -> Option<Regions> {
        let body = program.body(inferred.owner)?;
        let is_async = program.function(inferred.owner).is_some_and(|f| f.is_async);
        let kind = if is_async { RegionKind::Async } else { RegionKind::Owner };
        let root = Region { kind, parent: None, expr: body.root, calls: Vec::new() };
        let mut regions = Regions {
            regions: vec![root],
            by_expr: FxHashMap::default(),
            awaited: FxHashSet::default(),
            region_of: IndexVec::from_vec(vec![0; body.exprs.len()]),
        };
        let mut open = vec![(body.root, 0u32)];
        while let Some((expr, region)) = open.pop() {
            regions.region_of[expr] = region;
            regions.visit(body, expr, region, &mut open);
        }
        for (at, call) in inferred.calls.iter().enumerate() {
            let region = regions.region_of[call.expr];
            regions.regions[region as usize].calls.push(at as u32);
        }
        for region in &mut regions.regions {
            region.calls.sort_by_key(|at| inferred.calls[*at as usize].name_span);
        }
        Some(regions)
    }

    fn start(&mut self, kind: RegionKind, parent: u32, expr: ExprId) -> u32 {
        let index = self.regions.len() as u32;
        self.regions.push(Region { kind, parent: Some(parent), expr, calls: Vec::new() });
        self.by_expr.insert(expr, index);
        index
    }

    fn visit(&mut self, body: &Body, expr: ExprId, region: u32, open: &mut Vec<(ExprId, u32)>) {
        match &body.exprs[expr].kind {
            ExprKind::Closure { is_async, body: inner, .. } => {
                let mut inside = self.start(RegionKind::Closure, region, expr);
                if *is_async {
                    inside = self.start(RegionKind::Async, inside, *inner);
                }
                open.push((*inner, inside));
            }
            ExprKind::Async { body: inner, .. } => {
                let inside = self.start(RegionKind::Async, region, expr);
                open.push((*inner, inside));
            }
            ExprKind::Await { operand, .. } => {
                self.awaited.insert(*operand);
                open.push((*operand, region));
            }
            ExprKind::Macro(call) => {
                let is_stream = call.path.segments.last().is_some_and(|s| matches!(s.name.as_str(), "stream" | "try_stream"));
                match &call.arguments {
                    MacroArguments::Block(block) if is_stream => {
                        let inside = self.start(RegionKind::Async, region, expr);
                        open.push((*block, inside));
                    }
                    _ => each_child(body, expr, &mut |child| open.push((child, region))),
                }
                if let MacroArguments::Select { branches, .. } = &call.arguments {
                    self.awaited.extend(branches.iter().map(|b| b.future));
                }
                let joins = call.path.segments.last().is_some_and(|s| matches!(s.name.as_str(), "join" | "try_join"));
                if let (true, MacroArguments::Exprs(arguments)) = (joins, &call.arguments) {
                    self.awaited.extend(arguments.iter().map(|a| a.value));
                }
            }
            _ => each_child(body, expr, &mut |child| open.push((child, region))),
        }
    }
}

/// Calls `visit` with each expression directly inside, in the order of evaluation.
pub(crate) fn each_child(body: &Body, expr: ExprId, visit: &mut dyn FnMut(ExprId)) {
    match &body.exprs[expr].kind {
        ExprKind::Missing | ExprKind::Literal(_) | ExprKind::Path(_) | ExprKind::Continue { .. } => {}
        ExprKind::Unary { operand, .. }
        | ExprKind::Reference { operand, .. }
        | ExprKind::Await { operand, .. }
        | ExprKind::Try(operand)
        | ExprKind::Cast { operand, .. } => visit(*operand),
        ExprKind::Binary { left, right, .. } => {
            visit(*left);
            visit(*right);
        }
        ExprKind::Assign { left, right, .. } => {
            visit(*right);
            visit(*left);
        }
        ExprKind::Field { base, .. } => visit(*base),
        ExprKind::Index { base, index } => {
            visit(*base);
            visit(*index);
        }
        ExprKind::Call { callee, arguments } => {
            visit(*callee);
            arguments.iter().for_each(|a| visit(*a));
        }
        ExprKind::MethodCall { receiver, arguments, .. } => {
            visit(*receiver);
            arguments.iter().for_each(|a| visit(*a));
        }
        ExprKind::Tuple(list) | ExprKind::Array(list) => list.iter().for_each(|e| visit(*e)),
        ExprKind::Repeat { element, length } => {
            visit(*element);
            visit(*length);
        }
        ExprKind::Struct { fields, base, .. } => {
            fields.iter().for_each(|f| visit(f.value));
            base.iter().for_each(|b| visit(*b));
        }
        ExprKind::Block(block) => {
            for statement in &block.statements {
                match &statement.kind {
                    StatementKind::Let { init, otherwise, .. } => {
                        init.iter().chain(otherwise).for_each(|e| visit(*e));
                    }
                    StatementKind::Expr { expr, .. } => visit(*expr),
                }
            }
            block.tail.iter().for_each(|e| visit(*e));
        }
        ExprKind::Async { body, .. } | ExprKind::Closure { body, .. } | ExprKind::Loop { body, .. } => visit(*body),
        ExprKind::If { condition, then, otherwise } => {
            visit(*condition);
            visit(*then);
            otherwise.iter().for_each(|e| visit(*e));
        }
        ExprKind::Let { scrutinee, .. } => visit(*scrutinee),
        ExprKind::Match { scrutinee, arms } => {
            visit(*scrutinee);
            for arm in arms {
                arm.guard.iter().for_each(|g| visit(*g));
                visit(arm.body);
            }
        }
        ExprKind::While { condition, body, .. } => {
            visit(*condition);
            visit(*body);
        }
        ExprKind::For { iterable, body, .. } => {
            visit(*iterable);
            visit(*body);
        }
        ExprKind::Break { value, .. } | ExprKind::Return(value) | ExprKind::Yield(value) => {
            value.iter().for_each(|v| visit(*v));
        }
        ExprKind::Range { start, end, .. } => start.iter().chain(end).for_each(|e| visit(*e)),
        ExprKind::Macro(call) => match &call.arguments {
            MacroArguments::Opaque => {}
            MacroArguments::Exprs(arguments) => arguments.iter().for_each(|a| visit(a.value)),
            MacroArguments::Select { branches, otherwise } => {
                for branch in branches {
                    branch.guard.iter().for_each(|g| visit(*g));
                    visit(branch.future);
                    visit(branch.handler);
                }
                otherwise.iter().for_each(|e| visit(*e));
            }
            MacroArguments::Matches { scrutinee, guard, .. } => {
                visit(*scrutinee);
                guard.iter().for_each(|g| visit(*g));
            }
            MacroArguments::Block(block) => visit(*block),
        },
    }
}
