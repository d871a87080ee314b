//! Patterns, with default binding modes.

use agentlint_syntax::{
    Name,
    ast::{PatId, PatKind, Path},
};

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::types::{Args, Ty, TyKind, args};

use super::{Context, Expect};

/// How a name binds where the pattern does not say: by value, or through a reference that was looked through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Move,
    Ref(bool),
}

impl Context<'_, '_> {
    pub(super) fn check_pat(&mut self, pat: PatId, ty: Ty) {
        self.pat(pat, ty, Mode::Move);
    }

    fn pat(&mut self, pat: PatId, ty: Ty, mut mode: Mode) {
        let mut ty = self.structurally(ty);
        let kind = &self.body.pats[pat].kind;
        let constant = match kind {
            PatKind::Bind { name, subpattern: None, by_ref: false, mutable: false } => self.constant_named(*name),
            _ => None,
        };
        let looks_through = matches!(
            kind,
            PatKind::TupleStruct { .. } | PatKind::Struct { .. } | PatKind::Tuple { .. } | PatKind::Slice(_) | PatKind::Path(_)
        ) || constant.is_some();
        if looks_through {
            while let TyKind::Ref(inner, mutable) = *ty.kind() {
                mode = match mode {
                    Mode::Ref(false) => Mode::Ref(false),
                    _ => Mode::Ref(mutable),
                };
                ty = self.structurally(inner);
            }
        }
        self.pat_types[pat] = ty;
        match kind {
            PatKind::Bind { name, by_ref, mutable, subpattern } => {
                if let Some(constant) = constant {
                    self.constants.push(pat);
                    return self.unify_constant(constant, ty);
                }
                let bound = match mode {
                    Mode::Ref(mutable_ref) if !by_ref => ty.reference(mutable_ref),
                    _ if *by_ref => ty.reference(*mutable),
                    _ => ty,
                };
                self.pat_types[pat] = bound;
                self.bind(*name, pat, bound);
                if let Some(sub) = subpattern {
                    self.pat(*sub, ty, mode);
                }
            }
            PatKind::TupleStruct { path, elements, rest } => {
                let types = self.constructor_fields(path, ty, elements.len(), *rest);
                for (element, ty) in elements.iter().zip(types) {
                    self.pat(*element, ty, mode);
                }
            }
            PatKind::Struct { path, fields } => {
                let found = self.struct_path(path);
                if let Some((_, found_ty)) = found {
                    self.solver.unify(found_ty, ty);
                }
                for field in fields {
                    let field_ty =
                        found.and_then(|(def, found_ty)| self.field_of(def, found_ty, field.name)).unwrap_or(Ty::UNKNOWN);
                    self.pat(field.pat, field_ty, mode);
                }
            }
            PatKind::Tuple { elements, rest } => {
                let types = self.tuple_types(ty, elements.len(), *rest);
                for (element, ty) in elements.iter().zip(types) {
                    self.pat(*element, ty, mode);
                }
            }
            PatKind::Slice(elements) => self.slice_pat(elements, ty, mode),
            PatKind::Reference { pat: inner, .. } => {
                let inner_ty = match *ty.kind() {
                    TyKind::Ref(inner, _) => inner,
                    TyKind::Var(_) => {
                        let inner = self.fresh();
                        self.solver.unify(ty, inner.reference(false));
                        inner
                    }
                    _ => ty,
                };
                self.pat(*inner, inner_ty, Mode::Move);
            }
            PatKind::Or(alternatives) => {
                for alternative in alternatives {
                    self.pat(*alternative, ty, mode);
                }
            }
            PatKind::Literal(literal) => {
                let literal_ty = self.check(*literal, Expect::Type(ty));
                let known = self.structurally(ty);
                if matches!(known.kind(), TyKind::Var(_)) {
                    self.solver.unify(literal_ty, known);
                }
            }
            PatKind::Range { start, end } => {
                for bound in [start, end].into_iter().flatten() {
                    self.check_and_coerce(*bound, ty);
                }
            }
            PatKind::Path(path) => {
                if let Some((_, found)) = self.struct_path(path) {
                    self.solver.unify(found, ty);
                }
            }
            PatKind::Wild | PatKind::Rest | PatKind::Macro(_) | PatKind::Opaque => {}
        }
    }

    fn bind(&mut self, bound: Name, pat: PatId, ty: Ty) {
        // In `A(x) | B(x)` both bind the same variable.
        self.scope.push((bound, pat, ty));
    }

    /// A plain name in a pattern that is a constant, a unit struct or a variant.
    fn constant_named(&self, wanted: Name) -> Option<DefId> {
        let found = self.program.resolve_path(self.module, &[wanted], false, Namespace::Value)?;
        match found.to {
            Resolution::Def(def) => match self.program.kind(def) {
                DefKind::Const | DefKind::Variant | DefKind::Struct => Some(def),
                _ => None,
            },
            Resolution::Primitive(_) => None,
        }
    }

    fn unify_constant(&mut self, def: DefId, ty: Ty) {
        let found = match self.program.kind(def) {
            DefKind::Const => self.program.type_of(def),
            _ => {
                let adt = if self.program.kind(def) == DefKind::Variant { self.program.def(def).parent } else { def };
                let list = self.solver.fresh_args(adt);
                Ty::adt(adt, &list)
            }
        };
        self.solver.unify(found, ty);
    }

    /// The types of the elements of `Path(a, b, ..)` where the whole is a `ty`.
    fn constructor_fields(&mut self, path: &Path, ty: Ty, count: usize, rest: Option<u32>) -> Vec<Ty> {
        let Some((def, found)) = self.struct_path(path) else { return vec![Ty::UNKNOWN; count] };
        self.solver.unify(found, ty);
        let TyKind::Adt(_, list) = *self.shallow(found).kind() else { return vec![Ty::UNKNOWN; count] };
        let types: Vec<Ty> = self.program.field_types(def).iter().map(|ty| ty.substitute(&list)).collect();
        let types: Vec<Ty> = types.into_iter().map(|ty| self.solver.normalize(ty)).collect();
        align(&types, count, rest)
    }

    fn tuple_types(&mut self, ty: Ty, count: usize, rest: Option<u32>) -> Vec<Ty> {
        if let TyKind::Tuple(list) = *ty.kind() {
            return align(&list, count, rest);
        }
        if rest.is_some() || !matches!(ty.kind(), TyKind::Var(_)) {
            return vec![Ty::UNKNOWN; count];
        }
        let fresh: Vec<Ty> = (0..count).map(|_| self.fresh()).collect();
        self.solver.unify(ty, Ty::tuple(&fresh));
        fresh
    }

    fn slice_pat(&mut self, elements: &[PatId], ty: Ty, mode: Mode) {
        let element = match *ty.kind() {
            TyKind::Slice(element) | TyKind::Array(element, _) => element,
            _ => Ty::UNKNOWN,
        };
        for pat in elements {
            let is_rest = |kind: &PatKind| matches!(kind, PatKind::Rest);
            match &self.body.pats[*pat].kind {
                kind if is_rest(kind) => {}
                PatKind::Bind { name, subpattern: Some(sub), .. } if is_rest(&self.body.pats[*sub].kind) => {
                    let slice = Ty::new(TyKind::Slice(element));
                    let bound = match mode {
                        Mode::Ref(mutable) => slice.reference(mutable),
                        Mode::Move => ty,
                    };
                    self.pat_types[*pat] = bound;
                    self.bind(*name, *pat, bound);
                }
                _ => self.pat(*pat, element, mode),
            }
        }
    }

    /// The struct, union or variant that a path names in a pattern or a struct expression, and its type with open arguments.
    pub(super) fn struct_path(&mut self, path: &Path) -> Option<(DefId, Ty)> {
        if path.qualified_self.is_none() {
            let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
            if let Some(found) = self.program.resolve_path(self.module, &names, path.leading_colon, Namespace::Type)
                && let Resolution::Def(def) = found.to
                && found.used == names.len()
                && self.program.kind(def) == DefKind::Variant
            {
                let adt = self.program.def(def).parent;
                let with_args = path.segments.iter().rev().take(2).find_map(|s| s.arguments.as_deref()).cloned();
                let list = self.with_lowering(|l| l.arguments(adt, Vec::new(), with_args.as_ref()));
                return Some((def, Ty::adt(adt, &list)));
            }
        }
        // `Self::Variant`, `Alias::Variant`
        if path.segments.len() > 1 || path.qualified_self.is_some() {
            let (last, front) = path.segments.split_last()?;
            let base = Path { segments: front.to_vec(), ..path.clone() };
            let base_ty = match front {
                [] => Ty::UNKNOWN,
                _ => self.lower(&agentlint_syntax::ast::TypeRef::Path(base)),
            };
            if let TyKind::Adt(adt, _) = *base_ty.kind()
                && let Some(variant) = self.program.member(adt, last.name, |k| k == DefKind::Variant)
            {
                return Some((variant, base_ty));
            }
        }
        let ty = self.lower(&agentlint_syntax::ast::TypeRef::Path(path.clone()));
        match *ty.kind() {
            TyKind::Adt(adt, _) => Some((adt, ty)),
            _ => None,
        }
    }

    /// The type of a field of a struct or variant whose whole type is `ty`.
    pub(super) fn field_of(&mut self, def: DefId, ty: Ty, field: Name) -> Option<Ty> {
        let TyKind::Adt(_, list) = *self.shallow(ty).kind() else { return None };
        let list: Args = args(&list);
        let found = self.program.field_type(def, field, list)?;
        Some(self.solver.normalize(found))
    }
}

/// The types that the elements around a `..` get.
fn align(types: &[Ty], count: usize, rest: Option<u32>) -> Vec<Ty> {
    let Some(before) = rest.map(|r| r as usize) else {
        return (0..count).map(|i| types.get(i).copied().unwrap_or(Ty::UNKNOWN)).collect();
    };
    let after = count.saturating_sub(before);
    let from_end = types.len().saturating_sub(after);
    let places = (0..before).chain(from_end..from_end + after);
    places.map(|i| types.get(i).copied().unwrap_or(Ty::UNKNOWN)).collect()
}
