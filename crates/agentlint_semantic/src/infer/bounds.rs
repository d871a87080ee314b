//! What is known of a type without looking at impls: by what is in scope, and by what the type says of itself.

use crate::def::DefId;
use crate::types::{Predicate, TraitRef, Ty, TyKind, args};

use super::solve::Solver;

impl Solver<'_, '_> {
    /// The bounds known for a type by scope or by the type itself, for one trait.
    pub(crate) fn bounds_for(&mut self, self_ty: Ty, trait_def: DefId) -> Vec<TraitRef> {
        let mut found: Vec<TraitRef> = Vec::new();
        let in_scope: Vec<TraitRef> = self
            .env
            .iter()
            .filter_map(|p| match p {
                Predicate::Trait(t) if t.trait_def == trait_def => Some(*t),
                _ => None,
            })
            .collect();
        for trait_ref in in_scope {
            // The environment's own self types are parameters or rigid projections: there is nothing to normalise.
            let theirs = trait_ref.self_ty();
            if theirs == self_ty || self.table.resolve(theirs) == self.table.resolve(self_ty) {
                let mut list = trait_ref.args.to_vec();
                list[0] = self_ty;
                found.push(TraitRef { trait_def, args: args(&list) });
            }
        }
        let own = self.own_predicates(self_ty);
        for predicate in own {
            if let Predicate::Trait(trait_ref) = predicate {
                found.extend(self.program.elaborate(trait_ref).into_iter().filter(|t| t.trait_def == trait_def));
            }
        }
        found
    }

    /// What a type says of itself: the bounds of an opaque type, of `dyn`, of an associated type's declaration.
    pub(crate) fn own_predicates(&mut self, ty: Ty) -> Vec<Predicate> {
        match *ty.kind() {
            TyKind::Opaque(function, index, list) => self.program.opaque_predicates(function, index, list),
            TyKind::Dyn(bounds) => {
                let mut predicates = Vec::new();
                for bound in bounds.traits.iter() {
                    let mut list = vec![ty];
                    list.extend(bound.args.iter());
                    let trait_ref = TraitRef { trait_def: bound.trait_def, args: args(&list) };
                    predicates.push(Predicate::Trait(trait_ref));
                    for (assoc, bound_ty) in bound.bindings.iter() {
                        let holder = self.program.def(*assoc).parent;
                        let elaborated = self.program.elaborate(trait_ref);
                        if let Some(holder) = elaborated.into_iter().find(|t| t.trait_def == holder) {
                            predicates.push(Predicate::Projection { assoc: *assoc, args: holder.args, ty: *bound_ty });
                        }
                    }
                }
                predicates
            }
            TyKind::Projection(assoc, list) => {
                self.program.assoc_predicates(assoc).into_iter().map(|p| p.substitute(&list)).collect()
            }
            _ => Vec::new(),
        }
    }
}
