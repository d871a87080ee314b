//! Method probing by the language's steps: autoderef, then by value, by reference and by mutable reference; inherent methods
//! before those of traits in scope.

use agentlint_syntax::{
    Name, Span,
    ast::{ExprId, GenericArgs, ItemKind},
};

use crate::def::{DefId, DefKind, Visible};
use crate::types::{Head, TraitRef, Ty, TyKind, args};

use super::selections::MethodKey;
use super::solve::Holds;
use super::table::VarKind;
use super::{CallKind, CallSite, Callee, Context, Expect, Reason};

/// A method that may be meant.
#[derive(Clone, Copy, Debug)]
enum Candidate {
    /// Of an inherent impl.
    Inherent { method: DefId, holder: DefId },
    /// Of a trait that a bound, `dyn` or an opaque type gives.
    Bound { method: DefId, trait_ref: TraitRef },
    /// Of a trait in scope.
    Extension { method: DefId, trait_def: DefId },
}

impl Candidate {
    fn method(self) -> DefId {
        match self {
            Candidate::Inherent { method, .. } | Candidate::Bound { method, .. } | Candidate::Extension { method, .. } => method,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Adjust {
    Value,
    Reference,
    Mutable,
}

impl Context<'_, '_> {
    pub(super) fn check_method_call(
        &mut self,
        expr: ExprId,
        receiver: ExprId,
        method: (Name, Span),
        turbofish: Option<&GenericArgs>,
        arguments: &[ExprId],
        expect: Expect,
    ) -> Ty {
        let (method_name, name_span) = method;
        let receiver_ty = self.check(receiver, Expect::Nothing);
        let receiver_ty = self.structurally(receiver_ty);
        let picked = self.pick_method(receiver_ty, method_name);
        let mut site = CallSite {
            expr,
            kind: CallKind::Method,
            name: method_name,
            name_span,
            callee: Callee::Unresolved(Reason::NoSuchMethod),
            receiver: Some(receiver),
            arguments: arguments.to_vec(),
        };
        let Some((def, mut list)) = picked else {
            let is_unknown = receiver_ty.is_unknown() || matches!(receiver_ty.kind(), TyKind::Var(_));
            if is_unknown {
                site.callee = Callee::Unresolved(Reason::UnknownReceiver);
            }
            self.calls.push(site);
            return self.check_unresolved_arguments(arguments);
        };
        self.own_arguments(def, &mut list, turbofish);
        site.callee = Callee::Function { def, args: args(&list), implementation: None };
        self.calls.push(site);
        let (parameters, output) = self.instantiate(def, &list);
        self.check_arguments(arguments, parameters.get(1..).unwrap_or(&[]), output, expect);
        output
    }

    /// Arguments of a call that is not understood are looked at all the same.
    fn check_unresolved_arguments(&mut self, arguments: &[ExprId]) -> Ty {
        for argument in arguments {
            self.check(*argument, Expect::Nothing);
        }
        Ty::UNKNOWN
    }

    /// The rest of a function's arguments after its parent's: those written, then variables.
    pub(super) fn own_arguments(&mut self, def: DefId, list: &mut Vec<Ty>, turbofish: Option<&GenericArgs>) {
        let given = std::mem::take(list);
        *list = self.with_lowering(|lowering| lowering.arguments(def, given, turbofish));
        for ty in list.iter_mut() {
            *ty = self.solver.normalize(*ty);
        }
    }

    /// The normalised signature of `def`, whose predicates become obligations.
    pub(super) fn instantiate(&mut self, def: DefId, list: &[Ty]) -> (Vec<Ty>, Ty) {
        let list = args(list);
        let (parameters, output) = self.program.signature_with(def, list);
        let parameters = parameters.into_iter().map(|ty| self.solver.normalize(ty)).collect();
        let output = self.solver.normalize(output);
        if matches!(self.program.kind(def), DefKind::Function) {
            self.solver.require_predicates_of(def, &list);
        }
        (parameters, output)
    }

    /// The method that `receiver.name()` means, and the arguments of the impl or trait that holds it.
    pub(super) fn pick_method(&mut self, receiver: Ty, method: Name) -> Option<(DefId, Vec<Ty>)> {
        if receiver.is_unknown()
            || self.solver.table.kind(receiver).is_some_and(|k| k == VarKind::General || k == VarKind::Diverging)
        {
            return None;
        }
        let mut traits = self.traits_in_scope(method);
        let found = self.pick_method_among(receiver, method, &traits);
        // What a macro imports is in scope in its expansion only, so that it comes last.
        let is_more = |more: &&DefId| {
            !traits.contains(more) && self.program.member(**more, method, |kind| kind == DefKind::Function).is_some()
        };
        let imported: Vec<DefId> = match found {
            Some(_) => return found,
            None => self.program.traits_of_macros(self.owner).iter().filter(is_more).copied().collect(),
        };
        if imported.is_empty() {
            return None;
        }
        traits.extend(imported);
        self.pick_method_among(receiver, method, &traits)
    }

    fn pick_method_among(&mut self, receiver: Ty, method: Name, traits: &[DefId]) -> Option<(DefId, Vec<Ty>)> {
        if !self.solver.is_closed(receiver) {
            return self.pick_method_anew(receiver, method, traits).0;
        }
        let root = self.program.root(self.module.krate);
        let mut call = MethodKey { module: root, receiver, method, traits: traits.iter().copied().collect() };
        let known = self.program.selections.method(&call).or_else(|| {
            call.module = self.module;
            self.program.selections.method(&call)
        });
        if let Some(picked) = known {
            return picked.map(|(def, list)| (def, list.to_vec()));
        }
        let own_answers = self.solver.own_answers;
        let (picked, sees_all) = self.pick_method_anew(receiver, method, traits);
        let list = picked.as_ref().map(|(def, list)| (*def, self.solver.resolve_args(args(list))));
        if list.is_none_or(|(_, list)| list.iter().all(|ty| self.solver.is_closed(*ty))) && self.solver.may_keep(own_answers) {
            call.module = if sees_all { root } else { self.module };
            self.program.selections.keep_method(call, list);
        }
        picked
    }

    pub(super) fn traits_in_scope(&self, method: Name) -> Vec<DefId> {
        let mut traits = self.program.traits_in_scope(self.module, method);
        if let Some(around) = self.trait_around
            && !traits.contains(&around)
            && self.program.member(around, method, |kind| kind == DefKind::Function).is_some()
        {
            traits.push(around);
        }
        traits
    }

    /// Also whether it would be the same one in every module of the crate with these traits in scope.
    fn pick_method_anew(&mut self, receiver: Ty, method: Name, traits: &[DefId]) -> (Option<(DefId, Vec<Ty>)>, bool) {
        let mut steps = self.autoderef(receiver);
        if let Some(TyKind::Array(element, _)) = steps.last().map(|ty| *ty.kind()) {
            steps.push(Ty::new(TyKind::Slice(element)));
        }
        let mut inherent = Vec::new();
        let mut sees_all = true;
        for step in &steps {
            sees_all &= self.inherent_candidates(*step, method, &mut inherent);
        }
        let extension = self.extension_candidates(method, traits);
        (self.pick_by_steps(&steps, &inherent, &extension), sees_all)
    }

    fn pick_by_steps(&mut self, steps: &[Ty], inherent: &[Candidate], extension: &[Candidate]) -> Option<(DefId, Vec<Ty>)> {
        if inherent.is_empty() && extension.is_empty() {
            return None;
        }
        for step in steps {
            if step.is_unknown() {
                return None;
            }
            for adjust in [Adjust::Value, Adjust::Reference, Adjust::Mutable] {
                let self_ty = match adjust {
                    Adjust::Value => *step,
                    Adjust::Reference => step.reference(false),
                    Adjust::Mutable => step.reference(true),
                };
                for group in [inherent, extension] {
                    if let Some(picked) = self.pick_from(group, self_ty) {
                        return Some(picked);
                    }
                }
            }
        }
        None
    }

    fn pick_from(&mut self, candidates: &[Candidate], self_ty: Ty) -> Option<(DefId, Vec<Ty>)> {
        let mut maybe = None;
        // One that cannot fail once its receiver fits needs no probing before.
        if let [Candidate::Bound { .. }] = candidates {
            return self.confirm(candidates[0], self_ty);
        }
        for candidate in candidates {
            match self.solver.probe_candidate(*candidate, self_ty) {
                Holds::Yes => return self.confirm(*candidate, self_ty),
                Holds::Maybe => maybe = maybe.or(Some(*candidate)),
                Holds::No => {}
            }
        }
        self.confirm(maybe?, self_ty)
    }

    fn confirm(&mut self, candidate: Candidate, self_ty: Ty) -> Option<(DefId, Vec<Ty>)> {
        let list = self.solver.match_candidate(candidate, self_ty)?;
        Some((candidate.method(), list))
    }

    /// Whether all that there are can be seen from everywhere in the crate.
    fn inherent_candidates(&mut self, ty: Ty, method: Name, found: &mut Vec<Candidate>) -> bool {
        let sees_all = ty.head().is_none_or(|head| self.inherent_of_head(head, method, found));
        match ty.kind() {
            TyKind::Param(..) | TyKind::Projection(..) | TyKind::Opaque(..) | TyKind::Dyn(_) => {
                for trait_ref in self.traits_of(&ty) {
                    if let Some(method) = self.program.member(trait_ref.trait_def, method, |k| k == DefKind::Function) {
                        found.push(Candidate::Bound { method, trait_ref });
                    }
                }
            }
            _ => {}
        }
        sees_all
    }

    fn inherent_of_head(&mut self, head: Head, method: Name, found: &mut Vec<Candidate>) -> bool {
        let program = self.program;
        let mut sees_all = true;
        let root = program.root(self.module.krate);
        let all = program.selections.inherent((head, method), || {
            let holders = program.inherent_impls(head).into_iter();
            holders.flat_map(|holder| program.members_named(holder, method).iter().map(move |member| (*member, holder))).collect()
        });
        for (member, holder) in all.iter().copied() {
            sees_all &= match program.def(member).visibility {
                Visible::Everywhere => true,
                Visible::Within(module) => module == root || module.krate != root.krate,
            };
            let is_method = program.function(member).is_some_and(|f| f.self_parameter.is_some());
            if is_method && self.is_usable(member) {
                found.push(Candidate::Inherent { method: member, holder });
            }
        }
        sees_all
    }

    /// Visible from here, and not an unstable function of std, which a stable one of the same name would win over.
    pub(super) fn is_usable(&self, def: DefId) -> bool {
        self.program.sees(self.module, self.program.def(def).visibility) && !self.program.is_unstable(def)
    }

    /// Every trait that the bounds of a type give it, supertraits too.
    pub(super) fn traits_of(&mut self, ty: &Ty) -> Vec<TraitRef> {
        use crate::types::Predicate;
        let ty = self.solver.resolve(*ty);
        let mut found: Vec<TraitRef> = self
            .solver
            .env
            .iter()
            .filter_map(|p| match p {
                Predicate::Trait(t) if t.self_ty() == ty => Some(*t),
                _ => None,
            })
            .collect();
        for predicate in self.solver.own_predicates(ty) {
            if let Predicate::Trait(trait_ref) = predicate
                && trait_ref.self_ty() == ty
            {
                found.extend(self.program.elaborate(trait_ref));
            }
        }
        found
    }

    fn extension_candidates(&mut self, method: Name, traits: &[DefId]) -> Vec<Candidate> {
        let mut found = Vec::new();
        for trait_def in traits.iter().copied() {
            if let Some(member) = self.program.member(trait_def, method, |k| k == DefKind::Function)
                && self.program.function(member).is_some_and(|f| f.self_parameter.is_some())
                && !self.program.is_unstable(member)
            {
                found.push(Candidate::Extension { method: member, trait_def });
            }
        }
        found
    }
}

impl super::solve::Solver<'_, '_> {
    fn probe_candidate(&mut self, candidate: Candidate, self_ty: Ty) -> Holds {
        self.probe(|this| {
            let Some(list) = this.match_candidate(candidate, self_ty) else { return Holds::No };
            match candidate {
                Candidate::Bound { .. } => Holds::Yes,
                Candidate::Inherent { holder, .. } => match this.predicates_hold(holder, &list) {
                    Holds::No => Holds::No,
                    _ => Holds::Yes,
                },
                Candidate::Extension { trait_def, .. } => this.holds(TraitRef { trait_def, args: args(&list) }),
            }
        })
    }

    /// Matches the candidate's receiver with `self_ty`; the arguments of the impl or trait that holds it.
    fn match_candidate(&mut self, candidate: Candidate, self_ty: Ty) -> Option<Vec<Ty>> {
        let wanted = *self.program.signature(candidate.method()).parameters.first()?;
        if !self.table.may_become(self_ty, wanted, 0) {
            return None;
        }
        let list = match candidate {
            Candidate::Inherent { holder, .. } => self.fresh_args(holder),
            Candidate::Bound { trait_ref, .. } => trait_ref.args.to_vec(),
            Candidate::Extension { trait_def, .. } => self.fresh_args(trait_def),
        };
        let wanted = wanted.substitute(&list);
        let wanted = self.normalize(wanted);
        self.unify(wanted, self_ty).then_some(list)
    }
}

impl crate::program::Program<'_> {
    /// Whether a function of std, or the trait it is in, is unstable.
    pub(crate) fn is_unstable(&self, def: DefId) -> bool {
        self.is_std(def.krate)
            && self.item(def).is_some_and(|item| {
                matches!(item.kind, ItemKind::Function(_)) && item.attributes.iter().any(|a| a.path.as_str() == "unstable")
            })
    }
}
