//! Unification of types, and the probes that take it back.

use smallvec::SmallVec;

use crate::types::{Args, TraitRef, Ty, TyKind, args};

use super::solve::Solver;
use super::table::VarKind;

impl Solver<'_, '_> {
    pub(crate) fn fresh(&mut self) -> Ty {
        self.table.fresh(VarKind::General)
    }

    pub(crate) fn shallow(&self, ty: Ty) -> Ty {
        self.table.shallow(ty)
    }

    pub(crate) fn resolve(&self, ty: Ty) -> Ty {
        self.table.resolve(ty)
    }

    pub(crate) fn resolve_args(&self, list: Args) -> Args {
        if !list.iter().any(|ty| ty.has_vars()) {
            return list;
        }
        let resolved: SmallVec<[Ty; 8]> = list.iter().map(|ty| self.resolve(*ty)).collect();
        if resolved.as_slice() == &list[..] { list } else { args(&resolved) }
    }

    pub(crate) fn resolve_trait_ref(&self, trait_ref: TraitRef) -> TraitRef {
        TraitRef { trait_def: trait_ref.trait_def, args: self.resolve_args(trait_ref.args) }
    }

    /// Runs `probe` and takes back all that it bound and all that it left pending.
    pub(crate) fn probe<T>(&mut self, probe: impl FnOnce(&mut Self) -> T) -> T {
        let snapshot = self.table.snapshot();
        let pending = self.pending.len();
        let value = probe(self);
        self.pending.truncate(pending);
        self.table.rollback(snapshot);
        value
    }

    /// Makes the two types one. `false` where they cannot be; what was bound on the way is taken back.
    pub(crate) fn unify(&mut self, a: Ty, b: Ty) -> bool {
        let snapshot = self.table.snapshot();
        let pending = self.pending.len();
        if self.unify_inner(a, b, 0) {
            self.table.commit();
            true
        } else {
            self.pending.truncate(pending);
            self.table.rollback(snapshot);
            false
        }
    }

    pub(crate) fn unify_args(&mut self, a: &[Ty], b: &[Ty]) -> bool {
        let snapshot = self.table.snapshot();
        let pending = self.pending.len();
        if self.unify_lists(a, b, 0) {
            self.table.commit();
            true
        } else {
            self.pending.truncate(pending);
            self.table.rollback(snapshot);
            false
        }
    }

    /// Whether they could be made one; nothing is bound.
    pub(crate) fn could_unify(&mut self, a: Ty, b: Ty) -> bool {
        self.probe(|this| this.unify_inner(a, b, 0))
    }

    fn unify_lists(&mut self, a: &[Ty], b: &[Ty], depth: u32) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify_inner(*a, *b, depth + 1))
    }

    fn unify_inner(&mut self, a: Ty, b: Ty, depth: u32) -> bool {
        self.table.step();
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b || a.is_unknown() || b.is_unknown() {
            return true;
        }
        if depth > 64 {
            return false;
        }
        match (*a.kind(), *b.kind()) {
            (TyKind::Var(_), _) => {
                let b = self.without_projections(b);
                self.table.bind(a, b)
            }
            (_, TyKind::Var(_)) => {
                let a = self.without_projections(a);
                self.table.bind(b, a)
            }
            (TyKind::Adt(x, p), TyKind::Adt(y, q)) | (TyKind::FnDef(x, p), TyKind::FnDef(y, q)) => {
                x == y && self.unify_lists(&p, &q, depth)
            }
            (TyKind::Ref(x, m), TyKind::Ref(y, n)) | (TyKind::Pointer(x, m), TyKind::Pointer(y, n)) => {
                m == n && self.unify_inner(x, y, depth + 1)
            }
            (TyKind::Slice(x), TyKind::Slice(y)) => self.unify_inner(x, y, depth + 1),
            (TyKind::Array(x, n), TyKind::Array(y, m)) => self.unify_inner(x, y, depth + 1) && self.unify_inner(n, m, depth + 1),
            (TyKind::Tuple(p), TyKind::Tuple(q)) | (TyKind::FnPtr(p), TyKind::FnPtr(q)) => self.unify_lists(&p, &q, depth),
            (TyKind::Closure(x, p), TyKind::Closure(y, q)) => x == y && self.unify_lists(&p, &q, depth),
            (TyKind::Async(x, p), TyKind::Async(y, q)) => x == y && self.unify_inner(p, q, depth + 1),
            (TyKind::Opaque(x, i, p), TyKind::Opaque(y, j, q)) => x == y && i == j && self.unify_lists(&p, &q, depth),
            (TyKind::Projection(x, p), TyKind::Projection(y, q)) if x == y && self.unify_lists(&p, &q, depth) => true,
            (TyKind::Projection(..), _) => self.unify_projection(a, b, depth),
            (_, TyKind::Projection(..)) => self.unify_projection(b, a, depth),
            (TyKind::Dyn(x), TyKind::Dyn(y)) => {
                let (Some(x), Some(y)) = (x.traits.first(), y.traits.first()) else { return false };
                x.trait_def == y.trait_def
                    && self.unify_lists(&x.args, &y.args, depth)
                    && x.bindings.iter().zip(y.bindings.iter()).all(|((_, x), (_, y))| self.unify_inner(*x, *y, depth + 1))
            }
            (TyKind::Param(x, _), TyKind::Param(y, _)) => x == y,
            _ => false,
        }
    }

    /// A projection that was not normalised when it was made: try now.
    fn unify_projection(&mut self, projection: Ty, other: Ty, depth: u32) -> bool {
        let normalized = self.normalize(projection);
        normalized != projection
            && !matches!(normalized.kind(), TyKind::Projection(..))
            && self.unify_inner(normalized, other, depth + 1)
    }

    fn without_projections(&mut self, ty: Ty) -> Ty {
        if ty.has_projections() { self.normalize(ty) } else { ty }
    }
}
