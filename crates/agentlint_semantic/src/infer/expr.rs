//! Expressions: the type of each, by what it is and what is expected of it.

use agentlint_syntax::{
    Name,
    ast::{ExprId, ExprKind, FieldInit, Literal, MatchArm, Path},
    name,
};

use crate::types::{FloatTy, IntTy, Ty, TyKind};

use super::table::VarKind;
use super::{Context, Expect};

/// Expressions nested deeper than this are not looked into; the parser refuses most of them before.
const DEEPEST: u32 = 2_000;

impl Context<'_, '_> {
    /// The type of an expression, which is also recorded.
    pub(super) fn check(&mut self, expr: ExprId, expect: Expect) -> Ty {
        if self.depth > DEEPEST || self.solver.is_exhausted() {
            return Ty::UNKNOWN;
        }
        self.depth += 1;
        let ty = self.check_kind(expr, expect);
        self.depth -= 1;
        self.types[expr] = ty;
        ty
    }

    fn check_kind(&mut self, expr: ExprId, expect: Expect) -> Ty {
        let body = self.body;
        match &body.exprs[expr].kind {
            ExprKind::Missing => Ty::UNKNOWN,
            ExprKind::Literal(literal) => self.literal(literal, expect),
            ExprKind::Path(path) => self.check_path(expr, path),
            ExprKind::Unary { op, operand } => self.check_unary(*op, *operand, expect),
            ExprKind::Binary { op, left, right } => self.check_binary(*op, *left, *right, expect),
            ExprKind::Assign { op, left, right } => {
                match op {
                    None => {
                        let left_ty = self.check(*left, Expect::Nothing);
                        self.check_and_coerce(*right, left_ty);
                    }
                    Some(op) => self.check_assign_op(*op, *left, *right),
                }
                Ty::UNIT
            }
            ExprKind::Reference { mutable, raw, operand } => self.check_reference(*mutable, *raw, *operand, expect),
            ExprKind::Field { base, name, .. } => self.check_field(*base, *name),
            ExprKind::Index { base, index } => self.check_index(*base, *index),
            ExprKind::Call { callee, arguments } => self.check_call(expr, *callee, arguments, expect),
            ExprKind::MethodCall { receiver, name, name_span, turbofish, arguments } => {
                self.check_method_call(expr, *receiver, (*name, *name_span), turbofish.as_deref(), arguments, expect)
            }
            ExprKind::Tuple(elements) => self.check_tuple(elements, expect),
            ExprKind::Array(elements) => self.check_array(elements, expect),
            ExprKind::Repeat { element, length } => {
                let hint = self.element_hint(expect);
                let element = self.check(*element, hint);
                let length = self.check(*length, Expect::Type(Ty::USIZE));
                self.coerce(length, Ty::USIZE);
                let length = self.fresh();
                Ty::new(TyKind::Array(element, length))
            }
            ExprKind::Struct { path, fields, base } => self.check_struct(path, fields, *base, expect),
            ExprKind::Block(block) => self.check_block(expr, block, expect),
            ExprKind::Async { body, .. } => self.check_async_block(expr, *body, expect),
            ExprKind::Closure { is_async, parameters, output, body, .. } => {
                self.check_closure(expr, *is_async, parameters, output.as_deref(), *body, expect)
            }
            ExprKind::If { condition, then, otherwise } => self.check_if(*condition, *then, *otherwise, expect),
            ExprKind::Let { pat, scrutinee } => {
                let ty = self.check(*scrutinee, Expect::Nothing);
                self.check_pat(*pat, ty);
                Ty::BOOL
            }
            ExprKind::Match { scrutinee, arms } => self.check_match(*scrutinee, arms, expect),
            ExprKind::Loop { label, body } => self.check_loop(*label, *body, expect),
            ExprKind::While { label, condition, body } => {
                let mark = self.scope.len();
                self.check(*condition, Expect::Type(Ty::BOOL));
                self.in_breakable(*label, Ty::UNIT, true, |this| this.check(*body, Expect::Nothing));
                self.scope.truncate(mark);
                Ty::UNIT
            }
            ExprKind::For { label, pat, iterable, body } => {
                let mark = self.scope.len();
                let span = self.body.exprs[*iterable].span;
                let iterable = self.check(*iterable, Expect::Nothing);
                let item = self.projection(self.program.known().into_iter_item, &[iterable]);
                let iterator = self.projection(self.program.known().into_iter, &[iterable]);
                self.implicit_call(expr, span, self.program.known().into_iterator, "into_iter", &[iterable]);
                self.implicit_call(expr, span, self.program.known().iterator, "next", &[iterator]);
                self.check_pat(*pat, item);
                self.in_breakable(*label, Ty::UNIT, true, |this| this.check(*body, Expect::Nothing));
                self.scope.truncate(mark);
                Ty::UNIT
            }
            ExprKind::Break { label, value } => {
                self.check_break(*label, *value);
                Ty::NEVER
            }
            ExprKind::Continue { .. } => Ty::NEVER,
            ExprKind::Return(value) => {
                let output = self.frames.last().map_or(Ty::UNKNOWN, |frame| frame.output);
                match value {
                    Some(value) => {
                        self.check_and_coerce(*value, output);
                    }
                    None => self.coerce(Ty::UNIT, output),
                }
                Ty::NEVER
            }
            ExprKind::Yield(value) => {
                if let Some(value) = value {
                    self.check(*value, Expect::Nothing);
                }
                Ty::UNKNOWN
            }
            ExprKind::Await { operand, .. } => {
                let ty = self.check(*operand, Expect::Nothing);
                let ty = self.structurally(ty);
                self.projection(self.program.known().into_future_output, &[ty])
            }
            ExprKind::Try(operand) => self.check_try(*operand),
            ExprKind::Cast { operand, ty } => {
                let target = self.lower(ty);
                let hint = self.shallow(target);
                let operand_hint = if matches!(hint.kind(), TyKind::FnPtr(_) | TyKind::Ref(..)) {
                    Expect::Type(target)
                } else {
                    Expect::Nothing
                };
                let from = self.check(*operand, operand_hint);
                let from = self.shallow(from);
                if matches!(from.kind(), TyKind::Closure(..) | TyKind::Ref(..))
                    || self.solver.table.kind(from) == Some(VarKind::Integer) && matches!(hint.kind(), TyKind::Int(_))
                {
                    self.coerce(from, target);
                }
                target
            }
            ExprKind::Range { start, end, inclusive } => self.check_range(*start, *end, *inclusive, expect),
            ExprKind::Macro(call) => self.check_macro(expr, call, expect),
        }
    }

    fn literal(&mut self, literal: &Literal, expect: Expect) -> Ty {
        match literal {
            Literal::Int { suffix, .. } => match suffix.and_then(|s| crate::types::primitive(&s)) {
                Some(ty) => ty,
                None => {
                    let hint = expect.ty().map(|ty| self.shallow(ty));
                    match hint.map(|ty| *ty.kind()) {
                        Some(TyKind::Int(int)) => Ty::new(TyKind::Int(int)),
                        _ => self.solver.table.fresh(VarKind::Integer),
                    }
                }
            },
            Literal::Float { suffix } => match suffix.map(|s| s.to_string()).as_deref() {
                Some("f32") => Ty::new(TyKind::Float(FloatTy::F32)),
                Some("f64") => Ty::new(TyKind::Float(FloatTy::F64)),
                _ => self.solver.table.fresh(VarKind::Float),
            },
            Literal::Bool(_) => Ty::BOOL,
            Literal::Char => Ty::new(TyKind::Char),
            Literal::Byte => Ty::new(TyKind::Int(IntTy::U8)),
            Literal::Str(_) => Ty::STR.reference(false),
            Literal::ByteStr(length) => {
                let length = Ty::new(TyKind::Const(u64::from(*length)));
                Ty::new(TyKind::Array(Ty::new(TyKind::Int(IntTy::U8)), length)).reference(false)
            }
            Literal::CStr => self.std_adt(self.program.known().c_str, &[]).reference(false),
        }
    }

    fn check_assign_op(&mut self, op: agentlint_syntax::ast::BinaryOp, left: ExprId, right: ExprId) {
        let left_ty = self.check(left, Expect::Nothing);
        let left_ty = self.structurally(left_ty);
        let is_number = matches!(left_ty.kind(), TyKind::Int(_) | TyKind::Float(_)) || self.solver.table.kind(left_ty).is_some();
        let is_shift = matches!(op, agentlint_syntax::ast::BinaryOp::Shl | agentlint_syntax::ast::BinaryOp::Shr);
        let right_ty = self.check(right, if is_number && !is_shift { Expect::Type(left_ty) } else { Expect::Nothing });
        let right_ty = self.structurally(right_ty);
        if is_number && !is_shift && (self.solver.table.kind(right_ty).is_some() || self.solver.table.kind(left_ty).is_some()) {
            self.solver.unify(left_ty, right_ty);
        }
    }

    fn check_reference(&mut self, mutable: bool, raw: bool, operand: ExprId, expect: Expect) -> Ty {
        let inner_hint = match expect.ty().map(|ty| *self.shallow(ty).kind()) {
            Some(TyKind::Ref(inner, _)) => self.expect_value(inner),
            _ => Expect::Nothing,
        };
        let inner = self.check(operand, inner_hint);
        if raw { Ty::new(TyKind::Pointer(inner, mutable)) } else { inner.reference(mutable) }
    }

    /// What to expect of a value that something points to.
    pub(super) fn expect_value(&self, ty: Ty) -> Expect {
        match self.shallow(ty).kind() {
            TyKind::Slice(_) | TyKind::Str | TyKind::Dyn(_) => Expect::Unsized(ty),
            _ => Expect::Type(ty),
        }
    }

    fn check_field(&mut self, base: ExprId, field: Name) -> Ty {
        let base = self.check(base, Expect::Nothing);
        for step in self.autoderef(base) {
            let step = self.structurally(step);
            match *step.kind() {
                TyKind::Adt(def, _) => {
                    if let Some(found) = self.field_of(def, step, field) {
                        return found;
                    }
                }
                TyKind::Tuple(list) => {
                    if let Some(found) = field.parse::<usize>().ok().and_then(|at| list.get(at)) {
                        return *found;
                    }
                }
                _ => {}
            }
        }
        Ty::UNKNOWN
    }

    fn check_tuple(&mut self, elements: &[ExprId], expect: Expect) -> Ty {
        let hints = match expect.ty().map(|ty| *self.shallow(ty).kind()) {
            Some(TyKind::Tuple(list)) if list.len() == elements.len() => list.to_vec(),
            _ => Vec::new(),
        };
        let mut types = Vec::new();
        for (at, element) in elements.iter().enumerate() {
            let hint = hints.get(at).copied();
            let ty = self.check(*element, hint.map_or(Expect::Nothing, Expect::Type));
            types.push(match hint {
                // A coercion inside the tuple: the hint is what the element becomes.
                Some(hint) if !self.solver.could_unify(ty, hint) => {
                    self.coerce(ty, hint);
                    hint
                }
                _ => ty,
            });
        }
        Ty::tuple(&types)
    }

    fn element_hint(&self, expect: Expect) -> Expect {
        match expect.of_value().map(|ty| *self.shallow(ty).kind()) {
            Some(TyKind::Array(element, _) | TyKind::Slice(element)) => Expect::Type(element),
            _ => Expect::Nothing,
        }
    }

    pub(super) fn check_array(&mut self, elements: &[ExprId], expect: Expect) -> Ty {
        let hint = self.element_hint(expect);
        let mut joined = hint.ty().filter(|ty| !matches!(self.shallow(*ty).kind(), TyKind::Var(_)));
        for element in elements {
            let element_hint = joined.map_or(hint, Expect::Type);
            let ty = self.check(*element, element_hint);
            joined = self.join(joined, ty);
        }
        let element = match joined {
            Some(ty) => ty,
            None => self.fresh(),
        };
        Ty::new(TyKind::Array(element, Ty::new(TyKind::Const(elements.len() as u64))))
    }

    fn check_struct(&mut self, path: &Path, fields: &[FieldInit], base: Option<ExprId>, expect: Expect) -> Ty {
        let found = self.struct_path(path);
        if let (Some((_, ty)), Some(wanted)) = (found, expect.ty()) {
            let wanted = self.shallow(wanted);
            if matches!((ty.kind(), wanted.kind()), (TyKind::Adt(a, _), TyKind::Adt(b, _)) if a == b) {
                self.solver.unify(ty, wanted);
            }
        }
        for field in fields {
            if !self.is_compiled(field.cfg.as_ref()) {
                continue;
            }
            let wanted = found.and_then(|(def, ty)| self.field_of(def, ty, field.name));
            match wanted {
                Some(wanted) => {
                    self.check_and_coerce(field.value, wanted);
                }
                None => {
                    self.check(field.value, Expect::Nothing);
                }
            }
        }
        if let Some(base) = base {
            match found {
                Some((_, ty)) => self.check_and_coerce(base, ty),
                None => self.check(base, Expect::Nothing),
            };
        }
        found.map_or(Ty::UNKNOWN, |(_, ty)| ty)
    }

    fn check_if(&mut self, condition: ExprId, then: ExprId, otherwise: Option<ExprId>, expect: Expect) -> Ty {
        let mark = self.scope.len();
        self.check(condition, Expect::Type(Ty::BOOL));
        let then_ty = self.check(then, expect);
        self.scope.truncate(mark);
        match otherwise {
            None => Ty::UNIT,
            Some(otherwise) => {
                let otherwise_ty = self.check(otherwise, expect);
                self.join_expected(&[then_ty, otherwise_ty], expect)
            }
        }
    }

    /// The type of branches: what is expected where it is known and they coerce to it, or the first that is not `!`.
    fn join_expected(&mut self, branches: &[Ty], expect: Expect) -> Ty {
        if branches.iter().all(|ty| matches!(self.shallow(*ty).kind(), TyKind::Never)) && !branches.is_empty() {
            return Ty::NEVER;
        }
        if let Some(wanted) = expect.ty() {
            let wanted = self.shallow(wanted);
            let is_target = matches!(wanted.kind(), TyKind::Ref(..) | TyKind::Adt(..) | TyKind::FnPtr(_));
            if is_target {
                for branch in branches {
                    self.coerce(*branch, wanted);
                }
                return wanted;
            }
        }
        let mut joined = None;
        for branch in branches {
            joined = self.join(joined, *branch);
        }
        joined.unwrap_or(Ty::NEVER)
    }

    fn check_match(&mut self, scrutinee: ExprId, arms: &[MatchArm], expect: Expect) -> Ty {
        let scrutinee_ty = self.check(scrutinee, Expect::Nothing);
        let mut branches = Vec::new();
        let mut so_far: Option<Ty> = None;
        for arm in arms {
            if !self.is_compiled(arm.cfg.as_ref()) {
                continue;
            }
            let mark = self.scope.len();
            self.check_pat(arm.pat, scrutinee_ty);
            if let Some(guard) = arm.guard {
                self.check(guard, Expect::Type(Ty::BOOL));
            }
            let hint = match (expect.ty(), so_far) {
                (Some(_), _) => expect,
                (None, Some(ty)) => Expect::Type(ty),
                (None, None) => Expect::Nothing,
            };
            let ty = self.check(arm.body, hint);
            if so_far.is_none() && !matches!(self.shallow(ty).kind(), TyKind::Never) {
                so_far = Some(ty);
            }
            branches.push(ty);
            self.scope.truncate(mark);
        }
        if branches.is_empty() { Ty::NEVER } else { self.join_expected(&branches, expect) }
    }

    fn check_try(&mut self, operand: ExprId) -> Ty {
        let ty = self.check(operand, Expect::Nothing);
        let ty = self.structurally(ty);
        let known = self.program.known();
        if let Some(list) = self.is_adt(ty, known.result).or_else(|| self.is_adt(ty, known.option)) {
            return list.first().copied().unwrap_or(Ty::UNKNOWN);
        }
        let output =
            known.try_trait.and_then(|t| self.program.member(t, name("Output"), |k| k == crate::def::DefKind::AssocType));
        self.projection(output, &[ty])
    }

    fn check_range(&mut self, start: Option<ExprId>, end: Option<ExprId>, inclusive: bool, expect: Expect) -> Ty {
        let hint = match expect.ty().map(|ty| *self.shallow(ty).kind()) {
            Some(TyKind::Adt(_, list)) if list.len() == 1 => Expect::Type(list[0]),
            _ => Expect::Nothing,
        };
        let mut joined = None;
        for bound in [start, end].into_iter().flatten() {
            let ty = self.check(bound, joined.map_or(hint, Expect::Type));
            joined = self.join(joined, ty);
        }
        let known = self.program.known();
        let def = match (start, end, inclusive) {
            (Some(_), Some(_), false) => known.range,
            (Some(_), Some(_), true) => known.range_inclusive,
            (Some(_), None, _) => known.range_from,
            (None, Some(_), false) => known.range_to,
            (None, Some(_), true) => known.range_to_inclusive,
            (None, None, _) => known.range_full,
        };
        self.std_adt(def, joined.as_slice())
    }
}
