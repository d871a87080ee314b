//! Paths in value position: locals, functions, constructors, constants, and what hangs on a type or a trait.

use agentlint_syntax::{
    Name,
    ast::{ExprId, Path, Segment, TypeRef},
};

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::types::{TraitRef, Ty, TyKind, args};

use super::Context;
use super::solve::Holds;

impl Context<'_, '_> {
    pub(super) fn check_path(&mut self, expr: ExprId, path: &Path) -> Ty {
        if path.qualified_self.is_none() && !path.leading_colon && path.segments.len() == 1 {
            let segment = &path.segments[0];
            if self.is_self(segment.name)
                && let Some(ty) = self.self_param
            {
                return ty;
            }
            if let Some((pat, ty)) = self.local(segment.name) {
                self.local_uses.insert(expr, pat);
                return ty;
            }
        }
        match self.value_path(path) {
            Some((def, list, ty)) => {
                self.paths.insert(expr, (def, args(&list)));
                ty
            }
            None => Ty::UNKNOWN,
        }
    }

    fn value_path(&mut self, path: &Path) -> Option<(DefId, Vec<Ty>, Ty)> {
        if let Some(qualified) = &path.qualified_self {
            let subject = self.lower(&qualified.ty);
            let used = qualified.trait_segments as usize;
            if used == 0 {
                return self.assoc_value(subject, &path.segments);
            }
            let trait_path = Path { qualified_self: None, segments: path.segments.get(..used)?.to_vec(), ..path.clone() };
            let trait_ref = self.with_lowering(|l| l.trait_ref(subject, &trait_path))?;
            let (segment, rest) = path.segments.get(used..)?.split_first()?;
            if rest.is_empty() {
                return self.trait_value(trait_ref, segment);
            }
            // `<T as Trait>::Assoc::function`
            let base = Path { segments: path.segments[..path.segments.len() - 1].to_vec(), ..path.clone() };
            let base = self.lower(&TypeRef::Path(base));
            return self.assoc_value(base, &path.segments[path.segments.len() - 1..]);
        }
        let first = path.segments.first()?;
        let is_type_name = !path.leading_colon
            && (first.name == "Self" || self.program.generic_index(self.owner, first.name).is_some())
            && path.segments.len() > 1;
        if is_type_name {
            return self.type_relative(path, path.segments.len() - 1);
        }
        if first.name == "Self" && path.segments.len() == 1 {
            let TyKind::Adt(def, list) = *self.program.self_type(self.owner)?.kind() else { return None };
            return self.value_of(def, list.to_vec());
        }
        let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
        let found = self.program.resolve_path(self.module, &names, path.leading_colon, Namespace::Value)?;
        if found.used < names.len() {
            return match found.to {
                Resolution::Def(def) if self.program.kind(def) == DefKind::Trait => {
                    let subject = self.fresh();
                    let segment = &path.segments[found.used - 1];
                    let list = self.with_lowering(|l| l.arguments(def, vec![subject], segment.arguments.as_deref()));
                    let trait_ref = TraitRef { trait_def: def, args: args(&list) };
                    self.trait_value(trait_ref, path.segments.get(found.used)?)
                }
                Resolution::Def(def) if matches!(self.program.kind(def), DefKind::Module) => None,
                _ => self.type_relative(path, names.len() - 1),
            };
        }
        let Resolution::Def(def) = found.to else { return None };
        let last = path.segments.last()?;
        let list = match self.program.kind(def) {
            DefKind::Variant => {
                let adt = self.program.def(def).parent;
                let written = path.segments.iter().rev().take(2).find_map(|s| s.arguments.as_deref());
                self.with_lowering(|l| l.arguments(adt, Vec::new(), written))
            }
            _ => self.with_lowering(|l| l.arguments(def, Vec::new(), last.arguments.as_deref())),
        };
        self.value_of(def, list)
    }

    /// `Type::name`, where the type is the path up to `at`.
    fn type_relative(&mut self, path: &Path, at: usize) -> Option<(DefId, Vec<Ty>, Ty)> {
        let base = Path { segments: path.segments[..at].to_vec(), ..path.clone() };
        let base = self.lower(&TypeRef::Path(base));
        self.assoc_value(base, &path.segments[at..])
    }

    fn value_of(&mut self, def: DefId, list: Vec<Ty>) -> Option<(DefId, Vec<Ty>, Ty)> {
        let list: Vec<Ty> = list.into_iter().map(|ty| self.solver.normalize(ty)).collect();
        let interned = args(&list);
        let ty = match self.program.kind(def) {
            DefKind::Function => Ty::new(TyKind::FnDef(def, interned)),
            DefKind::Const | DefKind::Static => {
                let ty = self.program.type_of_with(def, interned);
                self.solver.normalize(ty)
            }
            DefKind::Struct | DefKind::Variant => match self.program.fields(def) {
                agentlint_syntax::ast::Fields::Tuple(_) => Ty::new(TyKind::FnDef(def, interned)),
                _ => {
                    let adt = if self.program.kind(def) == DefKind::Variant { self.program.def(def).parent } else { def };
                    Ty::new(TyKind::Adt(adt, interned))
                }
            },
            _ => return None,
        };
        Some((def, list, ty))
    }

    /// A function or constant of a trait, for a given trait reference.
    fn trait_value(&mut self, trait_ref: TraitRef, segment: &Segment) -> Option<(DefId, Vec<Ty>, Ty)> {
        let holder = self.program.elaborate(trait_ref).into_iter().find_map(|t| {
            let member = self.program.member(t.trait_def, segment.name, |k| matches!(k, DefKind::Function | DefKind::Const))?;
            Some((member, t))
        });
        let (member, holder) = holder?;
        let mut list = holder.args.to_vec();
        self.own_arguments(member, &mut list, segment.arguments.as_deref());
        self.solver.require(vec![crate::types::Predicate::Trait(holder)]);
        self.value_of(member, list)
    }

    /// `base::name`: a variant, then an inherent item, then one of a trait in scope.
    fn assoc_value(&mut self, base: Ty, segments: &[Segment]) -> Option<(DefId, Vec<Ty>, Ty)> {
        let [segment] = segments else { return None };
        let base = self.structurally(base);
        if let TyKind::Adt(adt, list) = *base.kind()
            && let Some(variant) = self.program.member(adt, segment.name, |k| k == DefKind::Variant)
        {
            return self.value_of(variant, list.to_vec());
        }
        if let Some(found) = self.inherent_value(base, segment) {
            return Some(found);
        }
        if matches!(base.kind(), TyKind::Param(..) | TyKind::Projection(..) | TyKind::Opaque(..) | TyKind::Dyn(_)) {
            for trait_ref in self.traits_of(&base) {
                if self
                    .program
                    .member(trait_ref.trait_def, segment.name, |k| matches!(k, DefKind::Function | DefKind::Const))
                    .is_some()
                {
                    return self.trait_value(trait_ref, segment);
                }
            }
        }
        self.extension_value(base, segment)
    }

    fn inherent_value(&mut self, base: Ty, segment: &Segment) -> Option<(DefId, Vec<Ty>, Ty)> {
        for holder in self.program.inherent_impls(base.head()?) {
            for member in self.program.members_named(holder, segment.name) {
                if !matches!(self.program.kind(*member), DefKind::Function | DefKind::Const) || !self.is_usable(*member) {
                    continue;
                }
                let list = self.solver.fresh_args(holder);
                let self_ty = self.program.impl_self_ty(holder).substitute(&list);
                let self_ty = self.solver.normalize(self_ty);
                if !self.solver.unify(self_ty, base) {
                    continue;
                }
                let mut list = list;
                self.own_arguments(*member, &mut list, segment.arguments.as_deref());
                return self.value_of(*member, list);
            }
        }
        None
    }

    fn extension_value(&mut self, base: Ty, segment: &Segment) -> Option<(DefId, Vec<Ty>, Ty)> {
        // It may have a function of that name itself.
        if base.is_unknown() {
            return None;
        }
        let mut maybe = None;
        for trait_def in self.traits_in_scope(segment.name) {
            let fresh = self.solver.fresh_args(trait_def);
            let mut list = fresh;
            *list.first_mut()? = base;
            let trait_ref = TraitRef { trait_def, args: args(&list) };
            match self.solver.holds(trait_ref) {
                Holds::Yes => return self.trait_value(trait_ref, segment),
                Holds::Maybe => maybe = maybe.or(Some(trait_ref)),
                Holds::No => {}
            }
        }
        self.trait_value(maybe?, segment)
    }
}
