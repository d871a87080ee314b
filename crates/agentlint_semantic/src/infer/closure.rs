//! Closures and async blocks.

use agentlint_syntax::ast::{ExprId, PatId, TypeRef};

use crate::types::{BodyExpr, Ty, TyKind, args};

use super::table::VarKind;
use super::{Context, Expect, Frame};

impl Context<'_, '_> {
    pub(super) fn check_closure(
        &mut self,
        expr: ExprId,
        is_async: bool,
        parameters: &[(PatId, Option<TypeRef>)],
        output: Option<&TypeRef>,
        body: ExprId,
        expect: Expect,
    ) -> Ty {
        let expected = self.expected_signature(expect);
        let mut types = Vec::new();
        for (at, (_, written)) in parameters.iter().enumerate() {
            let hint = expected.as_ref().and_then(|(inputs, _)| inputs.get(at)).copied();
            let ty = match (written, hint) {
                (Some(written), Some(hint)) => {
                    let ty = self.lower(written);
                    self.solver.unify(ty, hint);
                    ty
                }
                (Some(written), None) => self.lower(written),
                (None, Some(hint)) => hint,
                (None, None) => self.fresh(),
            };
            types.push(ty);
        }
        let written_output = output.map(|written| self.lower(written));
        let returned = match (written_output, expected.map(|(_, output)| output)) {
            (Some(written), Some(expected)) if !is_async => {
                self.solver.unify(written, expected);
                written
            }
            (Some(written), _) => written,
            (None, Some(expected)) if !is_async => expected,
            _ => self.fresh(),
        };
        let future = if is_async { Ty::new(TyKind::Async(BodyExpr::new(self.owner, expr), returned)) } else { returned };
        let signature: Vec<Ty> = types.iter().copied().chain([future]).collect();
        let closure = Ty::new(TyKind::Closure(BodyExpr::new(self.owner, expr), args(&signature)));
        // The obligations on the closure can be used while its body is checked.
        if let Some(var) = expect.ty().map(|ty| self.shallow(ty))
            && self.solver.table.kind(var) == Some(VarKind::General)
        {
            self.solver.unify(var, closure);
            self.solver.select_pending();
        }
        let mark = self.scope.len();
        for ((pat, _), ty) in parameters.iter().zip(&types) {
            self.check_pat(*pat, *ty);
        }
        self.check_frame(body, returned);
        self.scope.truncate(mark);
        closure
    }

    fn expected_signature(&mut self, expect: Expect) -> Option<(Vec<Ty>, Ty)> {
        let expected = self.structurally(expect.of_value()?);
        match *expected.kind() {
            TyKind::Var(_) => self.pending_callable(expected),
            TyKind::FnPtr(signature) | TyKind::Closure(_, signature) => {
                let (output, inputs) = signature.split_last()?;
                Some((inputs.to_vec(), *output))
            }
            TyKind::Dyn(_) | TyKind::Opaque(..) => self.bound_signature(expected),
            _ => None,
        }
    }

    pub(super) fn check_async_block(&mut self, expr: ExprId, body: ExprId, expect: Expect) -> Ty {
        let output = match self.expected_future_output(expect) {
            Some(expected) => expected,
            None => self.fresh(),
        };
        self.check_frame(body, output);
        Ty::new(TyKind::Async(BodyExpr::new(self.owner, expr), output))
    }

    /// `Pin<Box<dyn Future<Output = T>>>`, `impl Future<Output = T>` or a variable that must be a future: `T`.
    fn expected_future_output(&mut self, expect: Expect) -> Option<Ty> {
        let expected = self.structurally(expect.of_value()?);
        let known = self.program.known();
        match *expected.kind() {
            TyKind::Var(_) => self.solver.obligations().into_iter().find_map(|obligation| match obligation {
                super::solve::Obligation::Projection { assoc, args: list, ty }
                    if Some(assoc) == known.future_output && list.first().is_some_and(|s| self.shallow(*s) == expected) =>
                {
                    Some(ty)
                }
                _ => None,
            }),
            TyKind::Dyn(_) | TyKind::Opaque(..) => {
                let output = self.projection(known.future_output, &[expected]);
                (!output.is_unknown()).then_some(output)
            }
            _ => None,
        }
    }

    /// Checks a body that returns to its own place.
    fn check_frame(&mut self, body: ExprId, output: Ty) {
        self.frames.push(Frame { output });
        let breakables = std::mem::take(&mut self.breakables);
        let ty = self.check(body, Expect::Type(output));
        self.finish_output(ty, output);
        self.breakables = breakables;
        self.frames.pop();
    }

    /// A body of type `!` that returned nothing else has the output that its place wants.
    fn finish_output(&mut self, ty: Ty, output: Ty) {
        let ty = self.shallow(ty);
        if matches!(ty.kind(), TyKind::Never) {
            if let Some(VarKind::General) = self.solver.table.kind(self.shallow(output)) {
                let diverging = self.solver.table.fresh(VarKind::Diverging);
                self.solver.unify(output, diverging);
            }
            return;
        }
        self.coerce(ty, output);
    }
}
