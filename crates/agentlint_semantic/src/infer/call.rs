//! Calls of functions and of values, and the checking of arguments.

use agentlint_syntax::{
    Name, Span,
    ast::{Body, ExprId, ExprKind},
};

use crate::def::DefKind;
use crate::types::{Folder, Predicate, TraitRef, Ty, TyKind, args};

use super::table::VarKind;
use super::{CallKind, CallSite, Callee, Context, Expect, Reason};

impl Context<'_, '_> {
    pub(super) fn check_call(&mut self, expr: ExprId, callee: ExprId, arguments: &[ExprId], expect: Expect) -> Ty {
        let callee_ty = self.check(callee, Expect::Nothing);
        let callee_ty = self.structurally(callee_ty);
        let (name, name_span) = callee_name(self.body, callee);
        let mut site = CallSite {
            expr,
            kind: CallKind::Function,
            name,
            name_span,
            callee: Callee::Unresolved(Reason::UnknownValue),
            receiver: None,
            arguments: arguments.to_vec(),
        };
        if let TyKind::FnDef(def, list) = *callee_ty.kind() {
            site.callee = match self.program.kind(def) {
                DefKind::Function => Callee::Function { def, args: list, implementation: None },
                _ => Callee::Constructor(def),
            };
            self.calls.push(site);
            let (parameters, output) = self.instantiate(def, &list);
            self.check_arguments(arguments, &parameters, output, expect);
            return output;
        }
        if let Some(signature) = self.callable_of(callee_ty) {
            site.callee = Callee::Value(callee_ty);
            self.calls.push(site);
            let (parameters, output) = signature.split_at(signature.len().saturating_sub(1));
            let output = output.first().copied().unwrap_or(Ty::UNKNOWN);
            self.check_arguments(arguments, parameters, output, expect);
            return output;
        }
        if matches!(&self.body.exprs[callee].kind, ExprKind::Path(_))
            && callee_ty.is_unknown()
            && !self.local_uses.contains_key(&callee)
        {
            site.callee = Callee::Unresolved(Reason::UnknownPath);
        }
        self.calls.push(site);
        for argument in arguments {
            self.check(*argument, Expect::Nothing);
        }
        Ty::UNKNOWN
    }

    /// The parameters and the output of a value that can be called: closures, pointers, and what has an `Fn` bound.
    pub(super) fn callable_of(&mut self, ty: Ty) -> Option<Vec<Ty>> {
        for step in self.autoderef(ty) {
            let step = self.structurally(step);
            match *step.kind() {
                TyKind::Closure(_, signature) | TyKind::FnPtr(signature) => return Some(signature.to_vec()),
                TyKind::FnDef(def, list) => return Some(self.solver.callable_signature(def, list)),
                TyKind::Var(_) => {
                    return self.pending_callable(step).map(|(mut parameters, output)| {
                        parameters.push(output);
                        parameters
                    });
                }
                TyKind::Unknown => return None,
                _ => {}
            }
            if let Some(signature) = self.callable_by_bound(step) {
                return Some(signature);
            }
        }
        None
    }

    fn callable_by_bound(&mut self, ty: Ty) -> Option<Vec<Ty>> {
        let known = self.program.known();
        let fn_traits = [known.function, known.fn_mut, known.fn_once];
        let async_traits = [known.async_fn, known.async_fn_mut, known.async_fn_once];
        let bound = self
            .traits_of(&ty)
            .into_iter()
            .find(|t| fn_traits.contains(&Some(t.trait_def)) || async_traits.contains(&Some(t.trait_def)))?;
        let inputs = bound.args.get(1).map(|ty| self.structurally(*ty))?;
        let TyKind::Tuple(inputs) = *inputs.kind() else { return None };
        let is_async = async_traits.contains(&Some(bound.trait_def));
        let assoc = if is_async { known.async_call_once_future } else { known.fn_once_output };
        let output = self.projection(assoc, &[ty, Ty::tuple(&inputs)]);
        let mut signature = inputs.to_vec();
        signature.push(output);
        Some(signature)
    }

    /// What the pending obligations on a variable, or the bounds of another type, say of how it is called: the parameters' types
    /// and the output's.
    pub(super) fn pending_callable(&mut self, var: Ty) -> Option<(Vec<Ty>, Ty)> {
        let known = self.program.known();
        let fn_traits = [known.function, known.fn_mut, known.fn_once, known.async_fn, known.async_fn_mut, known.async_fn_once];
        let mut inputs = None;
        let mut output = None;
        for obligation in self.solver.obligations() {
            match obligation {
                super::solve::Obligation::Trait(trait_ref) if self.shallow(trait_ref.self_ty()) == var => {
                    let elaborated = self.program.elaborate(trait_ref);
                    if let Some(found) = elaborated.iter().find(|t| fn_traits.contains(&Some(t.trait_def))) {
                        inputs = inputs.or(found.args.get(1).copied());
                    }
                }
                super::solve::Obligation::Projection { assoc, args: list, ty }
                    if Some(assoc) == known.fn_once_output && list.first().is_some_and(|s| self.shallow(*s) == var) =>
                {
                    output = output.or(Some(ty));
                    inputs = inputs.or(list.get(1).copied());
                }
                _ => {}
            }
        }
        let inputs = self.shallow(inputs?);
        let TyKind::Tuple(list) = *inputs.kind() else { return None };
        let output = output.unwrap_or_else(|| self.fresh());
        Some((list.to_vec(), output))
    }

    /// Checks a call's arguments against the parameters' types: closures after the others, so that they know more.
    pub(super) fn check_arguments(&mut self, arguments: &[ExprId], parameters: &[Ty], output: Ty, expect: Expect) {
        let wanted = self.expect_inputs(parameters, output, expect);
        for closures in [false, true] {
            if closures {
                self.solver.select_pending();
            }
            for (at, argument) in arguments.iter().enumerate() {
                let is_closure = matches!(self.body.exprs[*argument].kind, ExprKind::Closure { .. });
                if is_closure != closures {
                    continue;
                }
                let Some(parameter) = parameters.get(at).copied() else {
                    self.check(*argument, Expect::Nothing);
                    continue;
                };
                let expected = wanted.get(at).map_or(Expect::Type(parameter), |wanted| self.expect_value(*wanted));
                let ty = self.check(*argument, expected);
                if let Some(wanted) = expected.ty() {
                    self.coerce(ty, wanted);
                    self.solver.unify(wanted, parameter);
                } else {
                    self.coerce(ty, parameter);
                }
            }
        }
    }

    /// What is expected of the output tells about the inputs. It binds only where no coercion can stand in between; where one can,
    /// the parameters are given as they would be (`dyn Fn(A)` for the argument of `Box::new`).
    fn expect_inputs(&mut self, parameters: &[Ty], output: Ty, expect: Expect) -> Vec<Ty> {
        let Some(wanted) = expect.ty() else { return Vec::new() };
        let (wanted, output) = (self.solver.table.resolve(wanted), self.solver.table.resolve(output));
        let is_same_adt = matches!((wanted.kind(), output.kind()), (TyKind::Adt(a, _), TyKind::Adt(b, _)) if a == b);
        if !is_same_adt || !output.has_vars() || wanted.has_unknown() {
            return Vec::new();
        }
        if self.holds_unsized(wanted, 0) {
            let mut found = Vec::new();
            self.match_output(output, wanted, &mut found, 0);
            let mut wanted = Wanted { found };
            return parameters.iter().map(|parameter| self.solver.table.resolve(*parameter).fold_with(&mut wanted)).collect();
        }
        if !wanted.has_vars() {
            self.solver.unify(output, wanted);
        }
        Vec::new()
    }

    /// Which type each variable of a call's output would have for the output to be `wanted`.
    fn match_output(&self, output: Ty, wanted: Ty, found: &mut Vec<(Ty, Ty)>, depth: u32) {
        match (*output.kind(), *wanted.kind()) {
            (TyKind::Var(_), TyKind::Var(_)) => {}
            (TyKind::Var(_), _)
                if self.solver.table.kind(output) == Some(VarKind::General) && !found.iter().any(|(var, _)| *var == output) =>
            {
                found.push((output, wanted));
            }
            (TyKind::Adt(a, p), TyKind::Adt(b, q)) if a == b && depth < 8 => {
                for (output, wanted) in p.iter().zip(q.iter()) {
                    self.match_output(*output, *wanted, found, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn holds_unsized(&self, ty: Ty, depth: u32) -> bool {
        if matches!(ty.kind(), TyKind::Dyn(_) | TyKind::Slice(_) | TyKind::Str | TyKind::FnPtr(_) | TyKind::Ref(..)) || depth > 8
        {
            return true;
        }
        let mut found = false;
        ty.kind().each_part(&mut |part| found |= self.holds_unsized(part, depth + 1));
        found
    }

    /// The `Fn` bounds that a parameter's own type carries (`impl Fn(A)`, `T: Fn(A)`), as a signature.
    pub(super) fn bound_signature(&mut self, ty: Ty) -> Option<(Vec<Ty>, Ty)> {
        let known = self.program.known();
        for predicate in self.solver.own_predicates(ty) {
            let Predicate::Trait(trait_ref) = predicate else { continue };
            let found: Option<TraitRef> = self
                .program
                .elaborate(trait_ref)
                .into_iter()
                .find(|t| [known.function, known.fn_mut, known.fn_once].contains(&Some(t.trait_def)));
            let Some(found) = found else { continue };
            let inputs = self.structurally(*found.args.get(1)?);
            let TyKind::Tuple(list) = *inputs.kind() else { continue };
            let output = self.projection(known.fn_once_output, &[ty, inputs]);
            return Some((list.to_vec(), output));
        }
        None
    }

    /// A call that a macro makes: `write!(f, …)` is `f.write_fmt(…)`.
    pub(super) fn macro_method(&mut self, expr: ExprId, receiver: ExprId, method: &str, span: Span) -> Ty {
        let ty = self.types[receiver];
        let ty = self.structurally(ty);
        let method = agentlint_syntax::name(method);
        let Some((def, mut list)) = self.pick_method(ty, method) else { return Ty::UNKNOWN };
        self.own_arguments(def, &mut list, None);
        self.calls.push(CallSite {
            expr,
            kind: CallKind::Macro,
            name: method,
            name_span: span,
            callee: Callee::Function { def, args: args(&list), implementation: None },
            receiver: Some(receiver),
            arguments: Vec::new(),
        });
        let (_, output) = self.instantiate(def, &list);
        output
    }

    /// A call that the language makes of a trait's method, with these arguments of the trait.
    pub(super) fn implicit_call(
        &mut self,
        expr: ExprId,
        span: Span,
        trait_def: Option<crate::def::DefId>,
        method: &str,
        list: &[Ty],
    ) {
        let method = agentlint_syntax::name(method);
        let Some(def) = trait_def.and_then(|t| self.program.member(t, method, |k| k == DefKind::Function)) else { return };
        self.calls.push(CallSite {
            expr,
            kind: CallKind::Implicit,
            name: method,
            name_span: span,
            callee: Callee::Function { def, args: args(list), implementation: None },
            receiver: None,
            arguments: Vec::new(),
        });
    }
}

/// Puts types in the place of variables.
struct Wanted {
    found: Vec<(Ty, Ty)>,
}

impl Folder for Wanted {
    fn concerns(&self, ty: Ty) -> bool {
        ty.has_vars()
    }

    fn fold(&mut self, ty: Ty) -> Ty {
        self.found.iter().find(|(var, _)| *var == ty).map_or(ty, |(_, wanted)| *wanted)
    }
}

/// The name by which an expression is called, and its place.
pub(super) fn callee_name(body: &Body, callee: ExprId) -> (Name, Span) {
    match &body.exprs[callee].kind {
        ExprKind::Path(path) => path.segments.last().map_or((Name::default(), path.span), |s| (s.name, s.span)),
        ExprKind::Field { name, name_span, .. } => (*name, *name_span),
        _ => (Name::default(), body.exprs[callee].span),
    }
}
