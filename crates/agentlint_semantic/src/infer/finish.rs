//! The end of a body's inference: what is still pending, the fallbacks, and the impls behind trait methods.

use smallvec::SmallVec;

use crate::def::{DefId, DefKind};
use crate::program::Program;
use crate::types::{Args, Folder, IntTy, Predicate, TraitRef, Ty, TyKind, args};

use super::solve::{Selected, Solver};
use super::table::VarKind;
use super::{Callee, Context, Inferred};

impl Context<'_, '_> {
    pub(super) fn finish(mut self) -> Inferred {
        self.solver.select_pending();
        self.fall_back();
        self.solver.select_pending();
        let types: index_vec::IndexVec<_, Ty> = self.types.iter().map(|ty| self.final_type(*ty)).collect();
        let pat_types: index_vec::IndexVec<_, Ty> = self.pat_types.iter().map(|ty| self.final_type(*ty)).collect();
        let mut calls = std::mem::take(&mut self.calls);
        for call in &mut calls {
            call.callee = match call.callee {
                Callee::Function { def, args: list, .. } => {
                    let list = self.final_args(list);
                    let implementation = self.solver.implementation(def, list);
                    Callee::Function { def, args: list, implementation }
                }
                Callee::Value(ty) => Callee::Value(self.final_type(ty)),
                other => other,
            };
        }
        let paths = std::mem::take(&mut self.paths);
        let mut paths: Vec<_> = paths.into_iter().map(|(expr, (def, list))| (expr, def, self.final_args(list))).collect();
        paths.sort_unstable_by_key(|(expr, ..)| *expr);
        let mut locals: Vec<_> = self.local_uses.into_iter().collect();
        locals.sort_unstable();
        calls.shrink_to_fit();
        let mut constants = self.constants;
        constants.sort_unstable();
        Inferred { owner: self.owner, types, pat_types, calls, locals, constants, paths }
    }

    /// Integers become `i32`, floats `f64`, what only diverges `()`.
    fn fall_back(&mut self) {
        let all: Vec<Ty> = self.types.iter().chain(self.pat_types.iter()).copied().collect();
        for ty in all {
            let ty = self.shallow(ty);
            let fallback = match self.solver.table.kind(ty) {
                Some(VarKind::Integer) => Ty::new(TyKind::Int(IntTy::I32)),
                Some(VarKind::Float) => crate::types::primitive("f64").unwrap_or(Ty::UNKNOWN),
                Some(VarKind::Diverging) => Ty::UNIT,
                _ => continue,
            };
            self.solver.unify(ty, fallback);
        }
    }

    fn final_type(&self, ty: Ty) -> Ty {
        self.solver.resolve(ty).fold_with(&mut NoVars)
    }

    fn final_args(&self, list: Args) -> Args {
        if !list.iter().any(|ty| ty.has_vars()) {
            return list;
        }
        let list: SmallVec<[Ty; 8]> = list.iter().map(|ty| self.final_type(*ty)).collect();
        args(&list)
    }
}

impl Solver<'_, '_> {
    /// The impl's own function behind a trait's, where the impl is known and overrides it.
    pub(crate) fn implementation(&mut self, def: DefId, list: Args) -> Option<DefId> {
        let holder = self.program.container(def)?;
        if self.program.kind(holder) != DefKind::Trait {
            return None;
        }
        let count = self.program.generics(holder).count();
        let trait_ref = TraitRef { trait_def: holder, args: args(list.get(..count)?) };
        match self.select(trait_ref) {
            Selected::Impl(found, _) => {
                let wanted = self.program.name(def);
                self.program.member(found, wanted, |k| k == DefKind::Function)
            }
            _ => None,
        }
    }
}

impl Program<'_> {
    /// The impl's function that a call of a trait's function with these arguments runs; `None` where it is the trait's default or
    /// the impl is not known.
    pub fn implementation(&self, def: DefId, list: Args) -> Option<DefId> {
        Solver::new(self, None).implementation(def, list)
    }

    /// The arguments of an impl's function that runs for the function `def` of its trait: the impl's, then the function's own.
    pub fn implementation_args(&self, implementation: DefId, def: DefId, list: Args) -> Option<Args> {
        let (holder, trait_def) = (self.container(implementation)?, self.container(def)?);
        let (of_trait, own) = list.split_at_checked(self.generics(trait_def).count())?;
        let mut solver = Solver::new(self, None);
        let fresh = solver.fresh_args(holder);
        let header = self.impl_trait_ref(holder)?.substitute(&fresh);
        if !solver.unify_args(&header.args, of_trait) {
            return None;
        }
        let of_impl = fresh.into_iter().map(|ty| solver.resolve(ty));
        let all: Vec<Ty> = of_impl.chain(own.iter().copied()).collect();
        (!all.iter().any(|ty| ty.has_vars())).then(|| args(&all))
    }

    /// `ty` where the parameters of its body are replaced: projections are worked out anew.
    pub fn instantiated(&self, ty: Ty, with: &[Ty]) -> Ty {
        if !ty.has_params() {
            return ty;
        }
        let mut solver = Solver::new(self, None);
        let normal = solver.normalize(ty.substitute(with));
        solver.resolve(normal).fold_with(&mut NoVars)
    }
}

impl Program<'_> {
    /// The functions of analysed impls that a function without a body may call: those of the traits that its bounds demand, and
    /// that the bounds of the impl behind it demand. `into` demands `From`, `parse` demands `FromStr`.
    pub fn bound_functions(&self, def: DefId, list: Args) -> Vec<DefId> {
        // Most functions demand nothing but markers, which call nothing.
        if !self.predicates(def).iter().any(|predicate| self.may_call(predicate)) {
            return Vec::new();
        }
        // An impl of the program that fits a foreign bound is on a type of the program, or has one among its trait's arguments.
        if !list.iter().any(|ty| self.has_member_type(*ty)) {
            return Vec::new();
        }
        self.selections.bound_functions((def, list), || self.find_bound_functions(def, list))
    }

    fn may_call(&self, predicate: &Predicate) -> bool {
        matches!(predicate, Predicate::Trait(trait_ref) if !self.known().markers.contains(&trait_ref.trait_def))
    }

    fn has_member_type(&self, ty: Ty) -> bool {
        self.has_member_type_at(ty, 0)
    }

    fn has_member_type_at(&self, ty: Ty, depth: u32) -> bool {
        let is_own = match *ty.kind() {
            TyKind::Adt(def, _) | TyKind::Opaque(def, ..) | TyKind::FnDef(def, _) => self.node(def.krate).is_member,
            TyKind::Dyn(bounds) => bounds.traits.iter().any(|bound| self.node(bound.trait_def.krate).is_member),
            _ => false,
        };
        let mut found = is_own || depth > 16;
        ty.kind().each_part(&mut |part| found = found || self.has_member_type_at(part, depth + 1));
        found
    }

    fn find_bound_functions(&self, def: DefId, list: Args) -> Vec<DefId> {
        let mut solver = Solver::new(self, None);
        let mut found = Vec::new();
        let mut seen = Vec::new();
        let mut open: Vec<TraitRef> = Vec::new();
        let wanted = |predicates: &[Predicate], with: &[Ty]| -> Vec<TraitRef> {
            let demanded = predicates.iter().filter(|predicate| self.may_call(predicate)).filter_map(|p| match p {
                Predicate::Trait(trait_ref) => Some(trait_ref.substitute(with)),
                Predicate::Projection { .. } => None,
            });
            demanded.collect()
        };
        open.extend(wanted(self.predicates(def), &list));
        while let Some(trait_ref) = open.pop() {
            if seen.contains(&trait_ref) || seen.len() > 64 {
                continue;
            }
            seen.push(trait_ref);
            // What it demands in turn is of the same types.
            let is_foreign = !self.node(trait_ref.trait_def.krate).is_member
                && !trait_ref.args.iter().any(|ty| ty.has_vars() || ty.has_projections() || self.has_member_type(*ty));
            if is_foreign {
                continue;
            }
            let (implementation, fresh) = match solver.select(trait_ref) {
                Selected::Impl(implementation, fresh) => (implementation, fresh),
                // With two arguments a derived impl is a bound of the type itself.
                Selected::Builtin | Selected::Bound(_) => {
                    open.extend(self.derived_demands(trait_ref));
                    continue;
                }
                _ => continue,
            };
            if self.node(implementation.krate).is_member {
                let functions = self.members_of(implementation).iter().copied();
                found.extend(functions.filter(|f| self.kind(*f) == DefKind::Function));
            } else if let Some(header) = self.impl_trait_ref(implementation) {
                let header = header.substitute(&fresh);
                if solver.unify_args(&header.args, &trait_ref.args) {
                    let fresh: Vec<Ty> = fresh.iter().map(|ty| solver.resolve(*ty)).collect();
                    open.extend(wanted(self.predicates(implementation), &fresh));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

impl Program<'_> {
    /// What a derived impl of a trait of std asks of the type's fields.
    fn derived_demands(&self, trait_ref: TraitRef) -> Vec<TraitRef> {
        let TyKind::Adt(adt, list) = *trait_ref.self_ty().kind() else { return Vec::new() };
        if !self.is_std(trait_ref.trait_def.krate) || !self.derives(adt, trait_ref.trait_def) {
            return Vec::new();
        }
        let variants = self.members_of(adt).iter().copied().filter(|member| self.kind(*member) == DefKind::Variant);
        // The default of an enum is a variant without fields.
        let variants = variants.filter(|_| Some(trait_ref.trait_def) != self.known().default);
        let fields = std::iter::once(adt).chain(variants).flat_map(|def| self.field_types(def));
        fields
            .map(|field| {
                let field = field.substitute(&list);
                // `PartialEq` and the like compare with the type itself.
                let same = trait_ref.args.iter().map(|ty| if *ty == trait_ref.self_ty() { field } else { *ty });
                TraitRef { trait_def: trait_ref.trait_def, args: args(&same.collect::<Vec<Ty>>()) }
            })
            .collect()
    }
}

/// Variables that nothing decided are unknown.
struct NoVars;

impl Folder for NoVars {
    fn concerns(&self, ty: Ty) -> bool {
        ty.has_vars()
    }

    fn fold(&mut self, ty: Ty) -> Ty {
        if matches!(ty.kind(), TyKind::Var(_)) { Ty::UNKNOWN } else { ty }
    }
}
