//! The trait solver: which impl a trait reference selects, what an associated type is, and the obligations that wait for more to
//! be known.
//!
//! A small relative of rustc's "old" solver: candidates from the environment, from bounds of opaque and `dyn` types, from the
//! language and from impls; the first two win over impls. No lifetimes, no coherence, no negative reasoning.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::def::DefId;
use crate::program::Program;
use crate::types::{Args, Predicate, TraitRef, Ty, TyKind, args};

use super::pending::{FEW, Pending};
use super::project::{Normalizer, Projected};
use super::table::{Table, VarKind};

/// Deeper nests of `where` clauses are taken for "may hold".
const DEEPEST: u32 = 8;

/// Something that must hold and cannot be decided yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obligation {
    Trait(TraitRef),
    /// The projection equals the type.
    Projection {
        assoc: DefId,
        args: Args,
        ty: Ty,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    Maybe,
    No,
}

/// How a trait reference is satisfied.
#[derive(Clone, Debug)]
pub(crate) enum Selected {
    /// By something in scope, or a bound of the type itself.
    Bound(TraitRef),
    Impl(DefId, Vec<Ty>),
    /// By the language: closures, futures of async blocks, `Copy` of tuples, derives.
    Builtin,
    Ambiguous,
    No,
}

pub(crate) struct Solver<'a, 'l> {
    pub(crate) program: &'a Program<'l>,
    /// What holds in scope, supertraits included.
    pub(crate) env: Vec<Predicate>,
    /// Whether all of `env` is about types with parameters in them.
    is_env_open: bool,
    pub(crate) table: Table,
    pub(crate) pending: Vec<Pending>,
    /// When so many are pending, those that say the same are made one.
    pub(super) merge_at: usize,
    /// What projections of types with variables are in this body: asked anew, each would demand the same of the variables again.
    pub(super) projected: FxHashMap<(DefId, Args), Ty>,
    /// How many answers so far hold in this body alone, though the questions look as if they were the same in all.
    pub(super) own_answers: u32,
    pub(super) depth: u32,
}

/// A body that takes more steps than this is given up. The longest of 110,000 lines of published crates takes 60,000.
const MOST_WORK: u32 = 1_000_000;

impl<'a, 'l> Solver<'a, 'l> {
    pub(crate) fn new(program: &'a Program<'l>, owner: Option<DefId>) -> Self {
        let mut env = Vec::new();
        for predicate in owner.map_or(&[][..], |owner| program.predicates(owner)) {
            match predicate {
                Predicate::Trait(trait_ref) => {
                    for implied in program.elaborate(*trait_ref) {
                        env.push(Predicate::Trait(implied));
                        env.extend(program.implied_projections(implied));
                    }
                }
                projection @ Predicate::Projection { .. } => env.push(*projection),
            }
        }
        let is_open = |predicate: &Predicate| match predicate {
            Predicate::Trait(trait_ref) => trait_ref.self_ty().has_params(),
            Predicate::Projection { args, .. } => args.first().is_some_and(|ty| ty.has_params()),
        };
        let is_env_open = env.iter().all(is_open);
        Solver {
            program,
            env,
            is_env_open,
            table: Table::default(),
            pending: Vec::new(),
            merge_at: FEW,
            projected: FxHashMap::default(),
            own_answers: 0,
            depth: 0,
        }
    }

    /// Whether the body has taken more steps than any that people write.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.table.work() > MOST_WORK
    }

    pub(crate) fn fresh_args(&mut self, def: DefId) -> Vec<Ty> {
        (0..self.program.generics(def).count()).map(|_| self.fresh()).collect()
    }

    /// Puts what is known of associated types in their place. One that cannot be decided yet becomes a variable that waits.
    pub(crate) fn normalize(&mut self, ty: Ty) -> Ty {
        if !ty.has_projections() || self.depth > 32 {
            return ty;
        }
        self.depth += 1;
        let normalized = ty.fold_with(&mut Normalizer { solver: self });
        self.depth -= 1;
        normalized
    }

    pub(super) fn normalize_args(&mut self, list: Args) -> Args {
        if !list.iter().any(|ty| ty.has_projections()) {
            return list;
        }
        let normal: SmallVec<[Ty; 8]> = list.iter().map(|ty| self.normalize(*ty)).collect();
        if normal.as_slice() == &list[..] { list } else { args(&normal) }
    }

    pub(crate) fn require(&mut self, predicates: Vec<Predicate>) {
        for predicate in predicates {
            match predicate {
                Predicate::Trait(trait_ref) => {
                    if self.is_marker(trait_ref.trait_def) {
                        continue;
                    }
                    let list = self.normalize_args(trait_ref.args);
                    if tells_something(list) {
                        let trait_ref = TraitRef { trait_def: trait_ref.trait_def, args: list };
                        self.pending.push(Obligation::Trait(trait_ref).into());
                    }
                }
                Predicate::Projection { assoc, args: list, ty } => {
                    let list = self.normalize_args(list);
                    let ty = self.normalize(ty);
                    self.pending.push(Obligation::Projection { assoc, args: list, ty }.into());
                }
            }
        }
    }

    /// What `def` demands of its arguments.
    pub(crate) fn require_predicates_of(&mut self, def: DefId, with: &[Ty]) {
        let predicates = self.program.predicates(def).iter().map(|p| p.substitute(with)).collect();
        self.require(predicates);
    }

    pub(super) fn process_trait(&mut self, trait_ref: TraitRef) -> bool {
        let trait_ref = self.resolve_trait_ref(trait_ref);
        if !tells_something(trait_ref.args) {
            return true;
        }
        match self.select(trait_ref) {
            Selected::Ambiguous => false,
            Selected::No | Selected::Builtin => true,
            Selected::Bound(bound) => {
                self.unify_args(&trait_ref.args, &bound.args);
                true
            }
            Selected::Impl(def, list) => {
                if let Some(header) = self.program.impl_trait_ref(def) {
                    let header = header.substitute(&list);
                    let header = self.normalize_args(header.args);
                    self.unify_args(&trait_ref.args, &header);
                }
                if self.depth < DEEPEST {
                    self.require_predicates_of(def, &list);
                }
                true
            }
        }
    }

    pub(super) fn process_projection(&mut self, assoc: DefId, list: Args, ty: Ty) -> bool {
        let list = self.resolve_args(list);
        match self.project(assoc, list) {
            Projected::Type(found) => {
                self.unify(ty, found);
                true
            }
            Projected::Pending => false,
            Projected::Rigid => {
                self.unify(ty, Ty::new(TyKind::Projection(assoc, list)));
                true
            }
            Projected::Unknown => {
                self.unify(ty, Ty::UNKNOWN);
                true
            }
        }
    }

    fn is_marker(&self, trait_def: DefId) -> bool {
        self.program.known().markers.contains(&trait_def)
    }

    pub(crate) fn holds(&mut self, trait_ref: TraitRef) -> Holds {
        if self.is_marker(trait_ref.trait_def) {
            return Holds::Yes;
        }
        if self.depth > DEEPEST {
            return Holds::Maybe;
        }
        let trait_ref = self.resolve_trait_ref(trait_ref);
        if trait_ref.self_ty().is_unknown() {
            return Holds::Maybe;
        }
        let is_lasting = self.is_lasting(trait_ref);
        if is_lasting && let Some(holds) = self.program.selections.holds(trait_ref, self.depth) {
            return holds;
        }
        let own_answers = self.own_answers;
        self.depth += 1;
        let holds = self.probe(|this| match this.select(trait_ref) {
            Selected::Bound(_) | Selected::Builtin => Holds::Yes,
            Selected::Ambiguous => Holds::Maybe,
            Selected::No => Holds::No,
            Selected::Impl(def, list) => this.impl_holds(def, &list, trait_ref),
        });
        self.depth -= 1;
        if is_lasting && self.may_keep(own_answers) {
            self.program.selections.keep_holds(trait_ref, self.depth, holds);
        }
        holds
    }

    /// Whether the answer for `trait_ref` (resolved) is the same in every body that asks at this depth.
    fn is_lasting(&self, trait_ref: TraitRef) -> bool {
        trait_ref.args.iter().all(|ty| self.is_closed(*ty))
    }

    /// Whether an answer is the same in other bodies, where there were so many of the body's own before it was looked for.
    pub(super) fn may_keep(&self, own_answers: u32) -> bool {
        self.own_answers == own_answers && !self.is_exhausted()
    }

    /// Whether what is asked about the type has the same answer in every body.
    pub(super) fn is_closed(&self, ty: Ty) -> bool {
        self.is_env_open && !ty.has_vars() && !ty.has_params() && !ty.has_projections() && !ty.has_unknown()
    }

    /// Whether the `where` clauses of an impl hold, once its header was matched with `trait_ref`.
    fn impl_holds(&mut self, def: DefId, list: &[Ty], trait_ref: TraitRef) -> Holds {
        if !self.match_impl(def, list, trait_ref) {
            return Holds::No;
        }
        self.predicates_hold(def, list)
    }

    pub(super) fn match_impl(&mut self, def: DefId, list: &[Ty], trait_ref: TraitRef) -> bool {
        let Some(header) = self.program.impl_trait_ref(def) else { return false };
        let header = header.substitute(list);
        let header = self.normalize_args(header.args);
        self.unify_args(&header, &trait_ref.args)
    }

    pub(crate) fn predicates_hold(&mut self, def: DefId, list: &[Ty]) -> Holds {
        let mut worst = Holds::Yes;
        for predicate in self.program.predicates(def) {
            if matches!(predicate, Predicate::Trait(bound) if self.is_marker(bound.trait_def)) {
                continue;
            }
            let holds = match predicate.substitute(list) {
                Predicate::Trait(trait_ref) => {
                    let list = self.normalize_args(trait_ref.args);
                    self.holds(TraitRef { trait_def: trait_ref.trait_def, args: list })
                }
                Predicate::Projection { assoc, args: list, ty } => {
                    let list = self.normalize_args(list);
                    match self.project(assoc, list) {
                        Projected::Type(found) => {
                            let ty = self.normalize(ty);
                            if self.unify(found, ty) { Holds::Yes } else { Holds::No }
                        }
                        _ => Holds::Maybe,
                    }
                }
            };
            match holds {
                Holds::No => return Holds::No,
                Holds::Maybe => worst = Holds::Maybe,
                Holds::Yes => {}
            }
        }
        worst
    }

    /// How `trait_ref` (resolved) is satisfied. Binds nothing.
    pub(crate) fn select(&mut self, trait_ref: TraitRef) -> Selected {
        let self_ty = self.shallow(trait_ref.self_ty());
        self.table.step();
        if self_ty.is_unknown() || self.is_exhausted() {
            return Selected::No;
        }
        if self.table.kind(self_ty).is_some_and(|kind| kind != VarKind::Integer && kind != VarKind::Float) {
            return Selected::Ambiguous;
        }
        let bounds = self.bounds_for(self_ty, trait_ref.trait_def);
        let matching: Vec<TraitRef> =
            bounds.into_iter().filter(|b| self.probe(|this| this.unify_args(&b.args, &trait_ref.args))).collect();
        match matching.as_slice() {
            [one] => return Selected::Bound(*one),
            [first, rest @ ..] => {
                let exact = matching.iter().find(|b| b.args == trait_ref.args);
                let same = rest.iter().all(|b| b.args == first.args);
                return exact.or(same.then_some(first)).map_or(Selected::Ambiguous, |b| Selected::Bound(*b));
            }
            [] => {}
        }
        if let Some(selected) = self.select_builtin(self_ty, trait_ref) {
            return selected;
        }
        self.select_impl(trait_ref)
    }

    fn select_impl(&mut self, trait_ref: TraitRef) -> Selected {
        let is_lasting = self.is_lasting(trait_ref);
        if is_lasting && let Some(known) = self.program.selections.implementation(trait_ref, self.depth) {
            return match known {
                Some(def) => Selected::Impl(def, self.fresh_args(def)),
                None => Selected::No,
            };
        }
        let own_answers = self.own_answers;
        let selected = self.select_impl_anew(trait_ref);
        let found = match &selected {
            Selected::Impl(def, _) => Some(Some(*def)),
            Selected::No => Some(None),
            _ => None,
        };
        if let Some(found) = found.filter(|_| is_lasting && self.may_keep(own_answers)) {
            self.program.selections.keep_implementation(trait_ref, self.depth, found);
        }
        selected
    }

    fn select_impl_anew(&mut self, trait_ref: TraitRef) -> Selected {
        let mut matching = Vec::new();
        let mut maybe = Vec::new();
        let candidates = self.program.candidate_impls(trait_ref);
        let total = candidates.len();
        for def in candidates.iter().copied() {
            // With two that may apply it is undecided, and looking on would cost more with each nested question.
            if matching.len() + maybe.len() > 1 {
                return Selected::Ambiguous;
            }
            self.table.step();
            if !self.may_match(def, trait_ref) {
                continue;
            }
            let holds = self.probe(|this| {
                let list = this.fresh_args(def);
                if !this.match_impl(def, &list, trait_ref) {
                    return Holds::No;
                }
                // One candidate in all needs no deciding.
                if total == 1 || this.depth > DEEPEST {
                    return Holds::Yes;
                }
                this.depth += 1;
                let holds = this.predicates_hold(def, &list);
                this.depth -= 1;
                holds
            });
            match holds {
                Holds::Yes => matching.push(def),
                Holds::Maybe => maybe.push(def),
                Holds::No => {}
            }
        }
        let count = matching.len() + maybe.len();
        if count > 1 {
            return Selected::Ambiguous;
        }
        match matching.pop().or_else(|| maybe.pop()) {
            Some(def) => {
                let list = self.fresh_args(def);
                Selected::Impl(def, list)
            }
            None => Selected::No,
        }
    }

    /// A quick look at the types, before variables are made.
    fn may_match(&self, def: DefId, trait_ref: TraitRef) -> bool {
        let Some(header) = self.program.impl_trait_ref(def) else { return false };
        header.args.iter().zip(trait_ref.args.iter()).all(|(theirs, ours)| self.table.may_become(*ours, *theirs, 0))
    }

    fn select_builtin(&mut self, self_ty: Ty, trait_ref: TraitRef) -> Option<Selected> {
        let known = self.program.known();
        let wanted = Some(trait_ref.trait_def);
        let is_fn_trait = wanted == known.fn_once || wanted == known.fn_mut || wanted == known.function;
        let is_async_fn_trait = wanted == known.async_fn_once || wanted == known.async_fn_mut || wanted == known.async_fn;
        match *self_ty.kind() {
            TyKind::Closure(_, signature) | TyKind::FnPtr(signature) if is_fn_trait || is_async_fn_trait => {
                Some(self.select_callable(&signature, trait_ref))
            }
            TyKind::FnDef(def, list) if is_fn_trait || is_async_fn_trait => {
                let signature = self.callable_signature(def, list);
                Some(self.select_callable(&signature, trait_ref))
            }
            TyKind::Async(..) if wanted == known.future => Some(Selected::Builtin),
            TyKind::Adt(def, _) if self.program.derives(def, trait_ref.trait_def) => {
                if let Some(other) = trait_ref.args.get(1) {
                    // A derived `PartialEq` compares with the type itself.
                    return Some(Selected::Bound(TraitRef { trait_def: trait_ref.trait_def, args: args(&[self_ty, *other]) }));
                }
                Some(Selected::Builtin)
            }
            TyKind::Tuple(_) | TyKind::Closure(..) | TyKind::FnDef(..) | TyKind::FnPtr(_) | TyKind::Array(..) | TyKind::Never
                if wanted == known.clone || wanted == known.copy =>
            {
                Some(Selected::Builtin)
            }
            TyKind::Ref(_, false) if wanted == known.clone || wanted == known.copy => Some(Selected::Builtin),
            _ => None,
        }
    }

    fn select_callable(&mut self, signature: &[Ty], trait_ref: TraitRef) -> Selected {
        let parameters = &signature[..signature.len().saturating_sub(1)];
        let list = args(&[trait_ref.self_ty(), Ty::tuple(parameters)]);
        // Of impls for functions with one, two, three … parameters only one is for this one.
        match self.probe(|this| this.unify_args(&list, &trait_ref.args)) {
            true => Selected::Bound(TraitRef { trait_def: trait_ref.trait_def, args: list }),
            false => Selected::No,
        }
    }

    /// The parameters and the output of a function item, normalised.
    pub(crate) fn callable_signature(&mut self, def: DefId, list: Args) -> Vec<Ty> {
        let (mut parameters, output) = self.program.signature_with(def, list);
        parameters.push(output);
        parameters.into_iter().map(|ty| self.normalize(ty)).collect()
    }
}

/// Whether an obligation on these types can still tell inference something: nothing is reported where it does not hold.
fn tells_something(list: Args) -> bool {
    list.iter().any(|ty| ty.has_vars())
}
