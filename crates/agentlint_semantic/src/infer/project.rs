//! Associated types: what a projection is, by bounds, by the language and by impls.

use crate::def::{DefId, DefKind};
use crate::types::{Args, Folder, Predicate, TraitRef, Ty, TyKind, args};

use super::solve::{Obligation, Selected, Solver};
use super::table::VarKind;

impl Solver<'_, '_> {
    /// What an associated type is for these arguments (resolved).
    pub(crate) fn project(&mut self, assoc: DefId, list: Args) -> Projected {
        let trait_def = self.program.def(assoc).parent;
        if self.program.kind(trait_def) != DefKind::Trait {
            return Projected::Unknown;
        }
        let count = self.program.generics(trait_def).count();
        let self_ty = self.shallow(list.first().copied().unwrap_or(Ty::UNKNOWN));
        if self_ty.is_unknown() || self.is_exhausted() {
            return Projected::Unknown;
        }
        if self.table.kind(self_ty).is_some_and(|k| matches!(k, VarKind::General | VarKind::Diverging)) {
            return Projected::Pending;
        }
        let trait_ref = TraitRef { trait_def, args: args(&list[..count.min(list.len())]) };
        if let Some(found) = self.project_from_bounds(self_ty, assoc, trait_ref) {
            return Projected::Type(found);
        }
        if let Some(found) = self.project_builtin(self_ty, assoc) {
            return Projected::Type(found);
        }
        let is_lasting = list.iter().all(|ty| self.is_closed(*ty));
        if is_lasting && let Some(found) = self.program.selections.projection((assoc, list), self.depth) {
            return Projected::Type(found);
        }
        if let Some(found) = self.projected.get(&(assoc, list)) {
            self.own_answers = self.own_answers.saturating_add(u32::from(is_lasting));
            return Projected::Type(*found);
        }
        if self.depth > 32 {
            return Projected::Unknown;
        }
        let own_answers = self.own_answers;
        self.depth += 1;
        let projected = self.project_from_impl(assoc, list, trait_ref);
        self.depth -= 1;
        // The variables of a guess are gone when it is taken back.
        if let Projected::Type(found) = projected {
            if is_lasting && self.is_closed(found) && self.may_keep(own_answers) {
                self.program.selections.keep_projection((assoc, list), self.depth, found);
            } else {
                self.own_answers = self.own_answers.saturating_add(u32::from(is_lasting));
                if !self.table.is_guessing() {
                    self.projected.insert((assoc, list), found);
                }
            }
        }
        projected
    }

    fn project_from_bounds(&mut self, self_ty: Ty, assoc: DefId, trait_ref: TraitRef) -> Option<Ty> {
        let of_assoc = |predicate: &Predicate| matches!(predicate, Predicate::Projection { assoc: bound, .. } if *bound == assoc);
        let mut predicates: Vec<Predicate> = self.env.iter().copied().filter(of_assoc).collect();
        for own in self.own_predicates(self_ty) {
            if let Predicate::Trait(trait_ref) = own {
                let implied = self.program.elaborate(trait_ref).into_iter();
                predicates.extend(implied.flat_map(|implied| self.program.implied_projections(implied)).filter(of_assoc));
            }
            predicates.extend(Some(own).filter(of_assoc));
        }
        for predicate in predicates {
            let Predicate::Projection { args: list, ty, .. } = predicate else { continue };
            if list.first().is_none_or(|subject| self.resolve(*subject) != self.resolve(self_ty)) {
                continue;
            }
            if self.unify_args(&list[..trait_ref.args.len().min(list.len())], &trait_ref.args) {
                return Some(self.normalize(ty));
            }
        }
        None
    }

    fn project_builtin(&mut self, self_ty: Ty, assoc: DefId) -> Option<Ty> {
        let known = self.program.known();
        if Some(assoc) == known.fn_once_output {
            let signature = match *self_ty.kind() {
                TyKind::Closure(_, signature) | TyKind::FnPtr(signature) => signature.to_vec(),
                TyKind::FnDef(def, list) => self.callable_signature(def, list),
                _ => return None,
            };
            return signature.last().copied();
        }
        match *self_ty.kind() {
            TyKind::Async(_, output) if Some(assoc) == known.future_output => Some(output),
            TyKind::Closure(_, signature) if self.is_async_fn_output(assoc) => {
                let future = signature.last().copied()?;
                let projection = Ty::new(TyKind::Projection(known.future_output?, args(&[future])));
                Some(self.normalize(projection))
            }
            _ => None,
        }
    }

    fn is_async_fn_output(&self, assoc: DefId) -> bool {
        let known = self.program.known();
        let parent = Some(self.program.def(assoc).parent);
        self.program.name(assoc).as_str() == "Output"
            && [known.async_fn_once, known.async_fn_mut, known.async_fn].contains(&parent)
    }

    fn project_from_impl(&mut self, assoc: DefId, list: Args, trait_ref: TraitRef) -> Projected {
        let trait_ref = self.resolve_trait_ref(trait_ref);
        match self.select(trait_ref) {
            Selected::Ambiguous => Projected::Pending,
            Selected::No => Projected::Unknown,
            Selected::Builtin => Projected::Rigid,
            Selected::Bound(bound) => {
                self.unify_args(&trait_ref.args, &bound.args);
                Projected::Rigid
            }
            Selected::Impl(def, impl_args) => {
                if !self.match_impl(def, &impl_args, trait_ref) {
                    return Projected::Unknown;
                }
                // Variables of the impl that its header leaves open are bound by its projections.
                let predicates: Vec<Predicate> = self
                    .program
                    .predicates(def)
                    .iter()
                    .filter(|p| matches!(p, Predicate::Projection { .. } | Predicate::Trait(_)))
                    .map(|p| p.substitute(&impl_args))
                    .collect();
                if impl_args.iter().any(|ty| self.resolve(*ty).has_vars()) {
                    self.require(predicates);
                }
                let wanted = self.program.name(assoc);
                let value = self.program.member(def, wanted, |k| k == DefKind::AssocType);
                let ty = match value {
                    Some(value) => {
                        let mut with = impl_args;
                        with.extend(list.iter().skip(trait_ref.args.len()));
                        self.program.type_of(value).substitute(&with)
                    }
                    None => self.program.type_of(assoc).substitute(&list),
                };
                if ty.is_unknown() {
                    return Projected::Unknown;
                }
                Projected::Type(self.normalize(ty))
            }
        }
    }
}

/// What came of asking for an associated type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Projected {
    Type(Ty),
    /// More must be known first.
    Pending,
    /// Of a parameter whose bounds do not say: it stays as it is.
    Rigid,
    /// No impl was found: something is not understood.
    Unknown,
}

pub(super) struct Normalizer<'s, 'a, 'l> {
    pub(super) solver: &'s mut Solver<'a, 'l>,
}

impl Folder for Normalizer<'_, '_, '_> {
    fn concerns(&self, ty: Ty) -> bool {
        ty.has_projections()
    }

    fn fold(&mut self, ty: Ty) -> Ty {
        let TyKind::Projection(assoc, list) = *ty.kind() else { return ty };
        let list = self.solver.resolve_args(list);
        match self.solver.project(assoc, list) {
            Projected::Type(found) => found,
            Projected::Rigid => Ty::new(TyKind::Projection(assoc, list)),
            Projected::Unknown => Ty::UNKNOWN,
            Projected::Pending => {
                let var = self.solver.fresh();
                self.solver.pending.push(Obligation::Projection { assoc, args: list, ty: var }.into());
                var
            }
        }
    }
}
