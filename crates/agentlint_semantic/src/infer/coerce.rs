//! Coercions: where a value of one type may stand for another.

use crate::def::DefId;
use crate::types::{TraitRef, Ty, TyKind, args};

use super::Context;
use super::table::VarKind;

impl Context<'_, '_> {
    /// Lets a value of type `from` stand where `to` is wanted: unifies where it can, derefs and unsizes where it must, and says
    /// nothing where neither fits.
    pub(super) fn coerce(&mut self, from: Ty, to: Ty) {
        let from = self.shallow(from);
        let to = self.shallow(to);
        if from == to || matches!(from.kind(), TyKind::Never) {
            return;
        }
        if self.coerce_reference(from, to) || self.is_unsizing(from, to) {
            return;
        }
        if let (TyKind::FnPtr(wanted), TyKind::FnDef(def, list)) = (*to.kind(), *from.kind()) {
            let signature = self.solver.callable_signature(def, list);
            self.solver.unify_args(&signature, &wanted);
            return;
        }
        if let (TyKind::FnPtr(wanted), TyKind::Closure(_, signature)) = (*to.kind(), *from.kind()) {
            self.solver.unify_args(&signature, &wanted);
            return;
        }
        self.solver.unify(from, to);
    }

    fn coerce_reference(&mut self, from: Ty, to: Ty) -> bool {
        match (*from.kind(), *to.kind()) {
            (TyKind::Ref(inner, from_mutable), TyKind::Ref(target, to_mutable)) if from_mutable || !to_mutable => {
                self.coerce_pointee(inner, target)
            }
            (TyKind::Ref(inner, _), TyKind::Pointer(target, _)) | (TyKind::Pointer(inner, _), TyKind::Pointer(target, _)) => {
                self.coerce_pointee(inner, target)
            }
            _ => false,
        }
    }

    /// `&inner` as `&target`: the same, an array as a slice, anything as `dyn`, or through `Deref`.
    fn coerce_pointee(&mut self, inner: Ty, target: Ty) -> bool {
        let (inner, target) = (self.shallow(inner), self.shallow(target));
        if matches!(target.kind(), TyKind::Var(_)) || matches!(inner.kind(), TyKind::Var(_)) {
            return self.solver.unify(inner, target);
        }
        if let (TyKind::Array(element, _), TyKind::Slice(wanted)) = (*inner.kind(), *target.kind()) {
            return self.solver.unify(element, wanted);
        }
        if matches!(target.kind(), TyKind::Dyn(_)) && !matches!(inner.kind(), TyKind::Dyn(_)) {
            self.expect_dyn(inner, target);
            return true;
        }
        let mut at = inner;
        for _ in 0..8 {
            if self.solver.unify(at, target) {
                return true;
            }
            match self.deref(at) {
                Some(next) => at = self.structurally(next),
                None => return false,
            }
        }
        false
    }

    /// `Box<T>` as `Box<dyn Trait>`, `Arc<[T; N]>` as `Arc<[T]>`, `Pin<Box<T>>` likewise: nothing is to be unified then.
    fn is_unsizing(&mut self, from: Ty, to: Ty) -> bool {
        let (TyKind::Adt(a, p), TyKind::Adt(b, q)) = (*from.kind(), *to.kind()) else { return false };
        if a != b || p.is_empty() || q.is_empty() {
            return false;
        }
        let known = self.program.known();
        let is_pointer = [known.boxed, known.rc, known.arc, known.pin].contains(&Some(a));
        if !is_pointer {
            return false;
        }
        let (inner, target) = (self.shallow(p[0]), self.shallow(q[0]));
        match (*inner.kind(), *target.kind()) {
            (TyKind::Dyn(_), TyKind::Dyn(_)) => false,
            (TyKind::Var(_), TyKind::Dyn(_)) => self.solver.table.kind(inner) == Some(VarKind::Diverging),
            (_, TyKind::Dyn(_)) => {
                self.expect_dyn(inner, target);
                true
            }
            (TyKind::Array(element, _), TyKind::Slice(wanted)) => self.solver.unify(element, wanted),
            _ => self.is_unsizing(inner, target),
        }
    }

    /// A closure boxed as `dyn Fn(A) -> B` learns its signature from it, and `dyn Future<Output = _>` its output from the value.
    fn expect_dyn(&mut self, inner: Ty, target: Ty) {
        if let TyKind::Closure(_, signature) = *inner.kind()
            && let Some(wanted) = self.callable_of(target)
        {
            self.solver.unify_args(&signature, &wanted);
        }
        let TyKind::Dyn(bounds) = *target.kind() else { return };
        for bound in bounds.traits.iter() {
            let list: Vec<Ty> = std::iter::once(inner).chain(bound.args.iter().copied()).collect();
            let trait_ref = TraitRef { trait_def: bound.trait_def, args: args(&list) };
            for (assoc, wanted) in bound.bindings.iter().filter(|(_, wanted)| wanted.has_vars()) {
                let holder = self.program.def(*assoc).parent;
                if let Some(holder) = self.program.elaborate(trait_ref).into_iter().find(|t| t.trait_def == holder) {
                    let found = self.projection(Some(*assoc), &holder.args);
                    self.solver.unify(found, *wanted);
                }
            }
        }
    }

    /// The type of branches that meet: the first that is not `!`, with the others unified into it.
    pub(super) fn join(&mut self, so_far: Option<Ty>, next: Ty) -> Option<Ty> {
        let next = self.shallow(next);
        match so_far {
            None => Some(next),
            Some(so_far) => {
                let known = self.shallow(so_far);
                if matches!(known.kind(), TyKind::Never) {
                    return Some(next);
                }
                self.coerce(next, known);
                Some(known)
            }
        }
    }

    /// One step of autoderef; `None` where the type derefs to nothing.
    pub(super) fn deref(&mut self, ty: Ty) -> Option<Ty> {
        let ty = self.structurally(ty);
        match *ty.kind() {
            TyKind::Ref(inner, _) => Some(inner),
            TyKind::Adt(adt, _) if !self.may_deref(adt) => None,
            TyKind::Adt(..) | TyKind::Opaque(..) | TyKind::Param(..) | TyKind::Projection(..) => {
                let known = self.program.known();
                if let Some(list) = self.is_adt(ty, known.boxed) {
                    return list.first().copied();
                }
                let is_closed = self.solver.is_closed(ty);
                if is_closed && let Some(found) = self.program.selections.deref(ty) {
                    return found;
                }
                let own_answers = self.solver.own_answers;
                let found = self.deref_by_trait(ty);
                if is_closed && found.is_none_or(|found| self.solver.is_closed(found)) && self.solver.may_keep(own_answers) {
                    self.program.selections.keep_deref(ty, found);
                }
                found
            }
            _ => None,
        }
    }

    /// Whether there is an impl of `Deref` that may be the type's.
    fn may_deref(&self, adt: DefId) -> bool {
        let Some(deref) = self.program.known().deref else { return false };
        let any = TraitRef { trait_def: deref, args: args(&[Ty::adt(adt, &[])]) };
        self.program.known().boxed == Some(adt) || !self.program.candidate_impls(any).is_empty()
    }

    fn deref_by_trait(&mut self, ty: Ty) -> Option<Ty> {
        let known = self.program.known();
        let (deref, target) = (known.deref?, known.deref_target?);
        let trait_ref = TraitRef { trait_def: deref, args: args(&[ty]) };
        let trait_ref = self.solver.resolve_trait_ref(trait_ref);
        match self.solver.select(trait_ref) {
            super::solve::Selected::Impl(..) | super::solve::Selected::Bound(_) => {
                let found = self.projection(Some(target), &[ty]);
                (!found.is_unknown()).then_some(found)
            }
            _ => None,
        }
    }

    /// The type and all that it derefs to.
    pub(super) fn autoderef(&mut self, ty: Ty) -> Vec<Ty> {
        let mut steps = vec![self.structurally(ty)];
        while steps.len() < 12 {
            let last = steps[steps.len() - 1];
            match self.deref(last) {
                Some(next) => {
                    let next = self.structurally(next);
                    if steps.contains(&next) {
                        break;
                    }
                    steps.push(next);
                }
                None => break,
            }
        }
        steps
    }
}
