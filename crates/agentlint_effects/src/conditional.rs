//! What of a dependency's body runs only under a condition of its own. Whether the condition ever holds is up to how the program
//! uses the dependency, which nobody here knows: such code says little about the call that leads to it.

use agentlint_syntax::ast::{BinaryOp, Block, Body, ExprId, ExprKind, MacroArguments, PatId, PatKind, StatementKind};
use index_vec::IndexVec;

use crate::region::each_child;

/// For each expression of a body whether it may be passed by.
pub(crate) fn conditional(body: &Body, is_given_to_std: impl Fn(ExprId) -> bool) -> IndexVec<ExprId, bool> {
    let mut walk = Walk { body, is_given_to_std, conditional: IndexVec::from_vec(vec![false; body.exprs.len()]) };
    let mut open = vec![(body.root, false)];
    while let Some((expr, is_conditional)) = open.pop() {
        walk.visit(expr, is_conditional, &mut open);
    }
    walk.conditional
}

struct Walk<'a, F> {
    body: &'a Body,
    is_given_to_std: F,
    conditional: IndexVec<ExprId, bool>,
}

impl<F: Fn(ExprId) -> bool> Walk<'_, F> {
    fn visit(&mut self, expr: ExprId, here: bool, open: &mut Vec<(ExprId, bool)>) {
        self.conditional[expr] = here;
        match &self.body.exprs[expr].kind {
            ExprKind::If { condition, then, otherwise } => {
                let is_success = matches!(&self.body.exprs[*condition].kind, ExprKind::Let { pat, .. } if self.is_success(*pat));
                open.push((*condition, here));
                open.push((*then, here || !is_success));
                open.extend(otherwise.map(|otherwise| (otherwise, true)));
            }
            ExprKind::Match { scrutinee, arms } => {
                open.push((*scrutinee, here));
                for arm in arms {
                    let is_certain = arms.len() == 1 || (arm.guard.is_none() && self.is_success(arm.pat));
                    open.extend(arm.guard.map(|guard| (guard, here || !is_certain)));
                    open.push((arm.body, here || !is_certain));
                }
            }
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => open.extend([(*left, here), (*right, true)]),
            // `unwrap_or_else`, `map` and their like call what they are given, or do not.
            ExprKind::Closure { body, .. } => open.push((*body, here || (self.is_given_to_std)(expr))),
            ExprKind::Macro(call) => {
                let is_choice = matches!(call.arguments, MacroArguments::Select { .. });
                each_child(self.body, expr, &mut |child| open.push((child, here || is_choice)));
            }
            ExprKind::Block(block) => self.block(block, here, open),
            _ => each_child(self.body, expr, &mut |child| open.push((child, here))),
        }
    }

    /// What comes after a statement that may have left the function with a result is conditional.
    fn block(&self, block: &Block, mut here: bool, open: &mut Vec<(ExprId, bool)>) {
        for statement in &block.statements {
            let inside = match &statement.kind {
                StatementKind::Let { init, otherwise, .. } => {
                    open.extend(otherwise.map(|otherwise| (otherwise, true)));
                    *init
                }
                StatementKind::Expr { expr, .. } => Some(*expr),
            };
            let Some(inside) = inside else { continue };
            open.push((inside, here));
            here = here || self.may_finish(inside);
        }
        open.extend(block.tail.map(|tail| (tail, here)));
    }

    /// Whether there is a `return` of something that is no error.
    fn may_finish(&self, expr: ExprId) -> bool {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            match &self.body.exprs[expr].kind {
                ExprKind::Return(value) if !value.is_some_and(|value| self.is_error(value)) => return true,
                ExprKind::Closure { .. } | ExprKind::Async { .. } => {}
                _ => each_child(self.body, expr, &mut |child| open.push(child)),
            }
        }
        false
    }

    /// `Err(..)`, also in `Poll::Ready(..)`, `Some(..)` and the like.
    fn is_error(&self, mut value: ExprId) -> bool {
        for _ in 0..4 {
            let ExprKind::Call { callee, arguments } = &self.body.exprs[value].kind else { return false };
            let ExprKind::Path(path) = &self.body.exprs[*callee].kind else { return false };
            if path.segments.last().is_some_and(|last| last.name == "Err") {
                return true;
            }
            let Some(inner) = arguments.first() else { return false };
            value = *inner;
        }
        false
    }

    /// `Ok(..)`: what goes on where nothing failed.
    fn is_success(&self, pat: PatId) -> bool {
        match &self.body.pats[pat].kind {
            PatKind::TupleStruct { path, .. } => path.segments.last().is_some_and(|last| last.name == "Ok"),
            _ => false,
        }
    }
}
