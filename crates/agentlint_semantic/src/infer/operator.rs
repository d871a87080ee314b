//! Operators: built in for numbers and booleans, by trait for the rest.

use agentlint_syntax::ast::{BinaryOp, ExprId, UnaryOp};

use crate::types::{TraitRef, Ty, TyKind, args};

use super::table::VarKind;
use super::{Context, Expect};

fn trait_of(op: BinaryOp) -> Option<&'static str> {
    Some(match op {
        BinaryOp::Add => "core::ops::Add",
        BinaryOp::Sub => "core::ops::Sub",
        BinaryOp::Mul => "core::ops::Mul",
        BinaryOp::Div => "core::ops::Div",
        BinaryOp::Rem => "core::ops::Rem",
        BinaryOp::BitAnd => "core::ops::BitAnd",
        BinaryOp::BitOr => "core::ops::BitOr",
        BinaryOp::BitXor => "core::ops::BitXor",
        BinaryOp::Shl => "core::ops::Shl",
        BinaryOp::Shr => "core::ops::Shr",
        _ => return None,
    })
}

impl Context<'_, '_> {
    pub(super) fn check_binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId, expect: Expect) -> Ty {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                self.check_and_coerce(left, Ty::BOOL);
                self.check_and_coerce(right, Ty::BOOL);
                Ty::BOOL
            }
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                let left_ty = self.check(left, Expect::Nothing);
                let left_ty = self.structurally(left_ty);
                let hint = if self.is_scalar(left_ty) { Expect::Type(left_ty) } else { Expect::Nothing };
                let right_ty = self.check(right, hint);
                let right_ty = self.structurally(right_ty);
                if self.is_open(left_ty) || self.is_open(right_ty) {
                    self.solver.unify(left_ty, right_ty);
                }
                self.comparison(op, left, right);
                Ty::BOOL
            }
            _ => self.check_arithmetic(op, left, right, expect),
        }
    }

    /// The call of `eq` or `partial_cmp`, where the sides may have one of their own. References compare what they refer to.
    fn comparison(&mut self, op: BinaryOp, left: ExprId, right: ExprId) {
        let [left_ty, right_ty] = [left, right].map(|side| {
            let mut ty = self.shallow(self.types[side]);
            while let TyKind::Ref(inner, _) = *ty.kind() {
                ty = self.shallow(inner);
            }
            ty
        });
        if !matches!(left_ty.kind(), TyKind::Adt(..) | TyKind::Param(..) | TyKind::Slice(_) | TyKind::Tuple(_)) {
            return;
        }
        let known = self.program.known();
        let (trait_def, method) = match op {
            BinaryOp::Eq | BinaryOp::Ne => (known.partial_eq, "eq"),
            _ => (known.partial_ord, "partial_cmp"),
        };
        let span = self.body.exprs[left].span.to(self.body.exprs[right].span);
        self.implicit_call(left, span, trait_def, method, &[left_ty, right_ty]);
    }

    fn check_arithmetic(&mut self, op: BinaryOp, left: ExprId, right: ExprId, expect: Expect) -> Ty {
        let hint = expect.ty().filter(|ty| self.is_number(self.shallow(*ty))).map_or(Expect::Nothing, Expect::Type);
        let left_ty = self.check(left, hint);
        let left_ty = self.structurally(left_ty);
        let is_shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        if self.is_scalar(left_ty) {
            let hint = if is_shift { Expect::Nothing } else { Expect::Type(left_ty) };
            let right_ty = self.check(right, hint);
            let right_ty = self.structurally(right_ty);
            if is_shift || self.is_scalar(right_ty) || right_ty.is_unknown() {
                if !is_shift {
                    self.solver.unify(left_ty, right_ty);
                }
                return left_ty;
            }
            if let TyKind::Ref(inner, _) = *right_ty.kind() {
                let inner = self.structurally(inner);
                if self.is_scalar(inner) && !is_shift {
                    self.solver.unify(left_ty, inner);
                    return left_ty;
                }
            }
            if self.is_open(right_ty) && self.solver.table.kind(left_ty).is_none() {
                self.solver.unify(left_ty, right_ty);
                return left_ty;
            }
            return self.overloaded(op, left_ty, right_ty);
        }
        let span = self.body.exprs[left].span.to(self.body.exprs[right].span);
        if left_ty.is_unknown() {
            self.check(right, Expect::Nothing);
            return Ty::UNKNOWN;
        }
        let wanted = self.fresh();
        self.require_operator(op, left_ty, wanted);
        self.solver.select_pending();
        let right_ty = self.check(right, Expect::Type(wanted));
        self.coerce(right_ty, wanted);
        let path = trait_of(op);
        let trait_def = path.and_then(|path| self.program.std_path(path));
        let method = path.and_then(|path| path.rsplit("::").next()).unwrap_or_default().to_lowercase();
        self.implicit_call(left, span, trait_def, &method, &[left_ty, wanted]);
        self.overloaded(op, left_ty, wanted)
    }

    fn require_operator(&mut self, op: BinaryOp, left: Ty, right: Ty) {
        if let Some(trait_def) = trait_of(op).and_then(|path| self.program.std_path(path)) {
            self.solver.pending.push(super::solve::Obligation::Trait(TraitRef { trait_def, args: args(&[left, right]) }).into());
        }
    }

    fn overloaded(&mut self, op: BinaryOp, left: Ty, right: Ty) -> Ty {
        let Some(trait_def) = trait_of(op).and_then(|path| self.program.std_path(path)) else { return Ty::UNKNOWN };
        let output = self.program.member(trait_def, agentlint_syntax::name("Output"), |k| k == crate::def::DefKind::AssocType);
        self.projection(output, &[left, right])
    }

    pub(super) fn check_unary(&mut self, op: UnaryOp, operand: ExprId, expect: Expect) -> Ty {
        match op {
            UnaryOp::Deref => {
                let ty = self.check(operand, Expect::Nothing);
                let ty = self.structurally(ty);
                match *ty.kind() {
                    TyKind::Pointer(inner, _) => inner,
                    _ => self.deref(ty).unwrap_or(Ty::UNKNOWN),
                }
            }
            UnaryOp::Not | UnaryOp::Neg => {
                let ty = self.check(operand, expect);
                let ty = self.structurally(ty);
                if self.is_scalar(ty) || ty.is_unknown() || self.is_open(ty) {
                    return ty;
                }
                let path = if op == UnaryOp::Not { "core::ops::Not" } else { "core::ops::Neg" };
                let trait_def = self.program.std_path(path);
                let output = trait_def.and_then(|t| {
                    self.program.member(t, agentlint_syntax::name("Output"), |k| k == crate::def::DefKind::AssocType)
                });
                self.projection(output, &[ty])
            }
        }
    }

    pub(super) fn check_index(&mut self, base: ExprId, index: ExprId) -> Ty {
        let base_ty = self.check(base, Expect::Nothing);
        let index_ty = self.check(index, Expect::Nothing);
        let index_ty = self.structurally(index_ty);
        for step in self.autoderef(base_ty) {
            let step = self.structurally(step);
            match *step.kind() {
                TyKind::Array(element, _) | TyKind::Slice(element) => {
                    if self.is_number(index_ty) || self.is_open(index_ty) {
                        self.solver.unify(index_ty, Ty::USIZE);
                        return element;
                    }
                    return Ty::new(TyKind::Slice(element));
                }
                TyKind::Unknown | TyKind::Var(_) => return Ty::UNKNOWN,
                _ => {}
            }
            let known = self.program.known();
            let (Some(trait_def), Some(output)) = (known.index, known.index_output) else { return Ty::UNKNOWN };
            // An integer that is still open indexes by `usize` wherever that is possible.
            if self.solver.table.kind(index_ty) == Some(VarKind::Integer) {
                let by_usize = TraitRef { trait_def, args: args(&[step, Ty::USIZE]) };
                if self.solver.holds(by_usize) == super::solve::Holds::Yes {
                    self.solver.unify(index_ty, Ty::USIZE);
                }
            }
            let trait_ref = TraitRef { trait_def, args: args(&[step, index_ty]) };
            if self.solver.holds(trait_ref) != super::solve::Holds::No {
                return self.projection(Some(output), &[step, index_ty]);
            }
        }
        Ty::UNKNOWN
    }

    fn is_number(&self, ty: Ty) -> bool {
        matches!(ty.kind(), TyKind::Int(_) | TyKind::Float(_))
            || matches!(self.solver.table.kind(ty), Some(VarKind::Integer | VarKind::Float))
    }

    fn is_scalar(&self, ty: Ty) -> bool {
        self.is_number(ty) || matches!(ty.kind(), TyKind::Bool | TyKind::Char)
    }

    /// A variable of which nothing is known.
    fn is_open(&self, ty: Ty) -> bool {
        self.solver.table.kind(ty).is_some()
    }

    pub(super) fn check_and_coerce(&mut self, expr: ExprId, wanted: Ty) -> Ty {
        let ty = self.check(expr, Expect::Type(wanted));
        self.coerce(ty, wanted);
        ty
    }
}
