//! Blocks, statements, loops and what leaves them.

use agentlint_syntax::{
    Name,
    ast::{Block, BlockKind, ExprId, Statement, StatementKind},
};

use crate::types::{Ty, TyKind};

use super::{Breakable, Context, Expect};

impl Context<'_, '_> {
    pub(super) fn check_block(&mut self, expr: ExprId, block: &Block, expect: Expect) -> Ty {
        let outer_module = self.module;
        if !block.items.is_empty()
            && let Some(body) = self.program.body_id(self.owner)
        {
            let file = self.program.def(self.owner).file;
            let defs = &self.program.krate(self.owner.krate).defs;
            self.module = defs.block(file, body, expr).unwrap_or(self.module);
        }
        let mark = self.scope.len();
        let ty = match block.label {
            Some(label) => {
                let wanted = expect.ty().unwrap_or_else(|| self.solver.fresh());
                let broken = self.in_breakable_typed(Some(label), wanted, false, |this| this.statements(block, expect));
                match broken {
                    (ty, true) => {
                        self.coerce(ty, wanted);
                        wanted
                    }
                    (ty, false) => ty,
                }
            }
            None => self.statements(block, expect),
        };
        self.scope.truncate(mark);
        self.module = outer_module;
        if block.kind == BlockKind::Try { Ty::UNKNOWN } else { ty }
    }

    fn statements(&mut self, block: &Block, expect: Expect) -> Ty {
        let mut diverges = false;
        let mut statements: Vec<&Statement> = block.statements.iter().collect();
        statements.retain(|statement| self.is_compiled(statement.cfg.as_deref()));
        // Of several tails, each under its own `cfg`, one is compiled.
        let tail = block.tail.or_else(|| match statements.last()?.kind {
            StatementKind::Expr { expr, semicolon: false } => {
                statements.pop();
                Some(expr)
            }
            _ => None,
        });
        for statement in statements {
            diverges |= self.check_statement(statement);
        }
        match tail {
            Some(tail) => {
                let ty = self.check(tail, expect);
                if diverges { Ty::NEVER } else { ty }
            }
            None if diverges => Ty::NEVER,
            None => Ty::UNIT,
        }
    }

    /// Whether control never gets past the statement.
    pub(super) fn check_statement(&mut self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Let { pat, ty, init, otherwise } => {
                let written = ty.as_ref().map(|ty| self.lower(ty));
                let mut diverges = false;
                let ty = match (written, init) {
                    (Some(written), Some(init)) => {
                        self.check_and_coerce(*init, written);
                        written
                    }
                    (Some(written), None) => written,
                    (None, Some(init)) => {
                        let ty = self.check(*init, Expect::Nothing);
                        diverges = matches!(self.shallow(ty).kind(), TyKind::Never);
                        ty
                    }
                    (None, None) => self.fresh(),
                };
                if let Some(otherwise) = otherwise {
                    self.check(*otherwise, Expect::Nothing);
                }
                self.check_pat(*pat, ty);
                diverges
            }
            StatementKind::Expr { expr, semicolon } => {
                let expect = if *semicolon { Expect::Nothing } else { Expect::Type(Ty::UNIT) };
                let ty = self.check(*expr, expect);
                matches!(self.shallow(ty).kind(), TyKind::Never)
            }
        }
    }

    pub(super) fn check_loop(&mut self, label: Option<Name>, body: ExprId, expect: Expect) -> Ty {
        let wanted = expect.ty().unwrap_or_else(|| self.solver.fresh());
        let (_, has_break) = self.in_breakable_typed(label, wanted, true, |this| this.check(body, Expect::Nothing));
        if has_break { wanted } else { Ty::NEVER }
    }

    pub(super) fn in_breakable(&mut self, label: Option<Name>, ty: Ty, is_loop: bool, run: impl FnOnce(&mut Self) -> Ty) -> Ty {
        self.in_breakable_typed(label, ty, is_loop, run).0
    }

    fn in_breakable_typed(
        &mut self,
        label: Option<Name>,
        ty: Ty,
        is_loop: bool,
        run: impl FnOnce(&mut Self) -> Ty,
    ) -> (Ty, bool) {
        self.breakables.push(Breakable { label, ty, has_break: false, is_loop });
        let found = run(self);
        let has_break = self.breakables.pop().is_some_and(|b| b.has_break);
        (found, has_break)
    }

    pub(super) fn check_break(&mut self, label: Option<Name>, value: Option<ExprId>) {
        let at = self.breakables.iter().rposition(|b| match label {
            Some(label) => b.label == Some(label),
            None => b.is_loop,
        });
        let wanted = at.map(|at| {
            self.breakables[at].has_break = true;
            self.breakables[at].ty
        });
        match (value, wanted) {
            (Some(value), Some(wanted)) => {
                self.check_and_coerce(value, wanted);
            }
            (Some(value), None) => {
                self.check(value, Expect::Nothing);
            }
            (None, Some(wanted)) => self.coerce(Ty::UNIT, wanted),
            (None, None) => {}
        }
    }
}
