//! From types as they are written to types.

use agentlint_syntax::{
    Name,
    ast::{AssocValue, Bound, GenericArg, GenericArgs, ItemKind, Path, Segment, TypeRef},
    name,
};

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::program::Program;
use crate::signature::Subject;
use crate::types::{DynBounds, DynTrait, Predicate, TraitRef, Ty, TyKind, args, intern};

/// Deeper types than this are not followed: aliases may be cyclic.
const DEEPEST: u32 = 64;

/// What `impl Trait` means where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImplTrait {
    /// The next anonymous parameter of the function, whose number is given.
    Parameter(u32),
    /// The next opaque type of this function.
    Opaque(DefId, u32),
    /// Not allowed here.
    Unknown,
}

/// Lowers the types of one definition or body.
pub(crate) struct Lowering<'a, 'l> {
    pub(crate) program: &'a Program<'l>,
    /// Where names are looked up.
    pub(crate) module: DefId,
    /// Whose generic parameters are in scope.
    pub(crate) owner: DefId,
    pub(crate) impl_trait: ImplTrait,
    /// Bounds met on the way, on anonymous parameters and opaque types: `(the type, its bounds)`.
    pub(crate) implied: Vec<Predicate>,
    /// Makes a variable for `_` and for arguments left out; without one they are unknown.
    pub(crate) fresh: Option<&'a mut dyn FnMut() -> Ty>,
    depth: u32,
    /// How many macros were called.
    pub(crate) expanded: u32,
}

impl<'a, 'l> Lowering<'a, 'l> {
    pub(crate) fn new(program: &'a Program<'l>, module: DefId, owner: DefId) -> Self {
        Lowering {
            program,
            module,
            owner,
            impl_trait: ImplTrait::Unknown,
            implied: Vec::new(),
            fresh: None,
            depth: 0,
            expanded: 0,
        }
    }

    pub(crate) fn of(program: &'a Program<'l>, owner: DefId) -> Self {
        Lowering::new(program, program.def(owner).module, owner)
    }

    fn placeholder(&mut self) -> Ty {
        self.fresh.as_mut().map_or(Ty::UNKNOWN, |fresh| fresh())
    }

    pub(crate) fn ty(&mut self, written: &TypeRef) -> Ty {
        if self.depth > DEEPEST {
            return Ty::UNKNOWN;
        }
        self.depth += 1;
        let ty = self.ty_inner(written);
        self.depth -= 1;
        ty
    }

    fn ty_inner(&mut self, written: &TypeRef) -> Ty {
        match written {
            TypeRef::Path(path) => self.path(path),
            TypeRef::Reference { mutable, inner } => self.ty(inner).reference(*mutable),
            TypeRef::Pointer { mutable, inner } => Ty::new(TyKind::Pointer(self.ty(inner), *mutable)),
            TypeRef::Slice(element) => Ty::new(TyKind::Slice(self.ty(element))),
            TypeRef::Array { element, length } => {
                let element = self.ty(element);
                let length = length.map_or_else(|| self.placeholder(), |n| Ty::new(TyKind::Const(n)));
                Ty::new(TyKind::Array(element, length))
            }
            TypeRef::Tuple(elements) => {
                let elements: Vec<Ty> = elements.iter().map(|ty| self.ty(ty)).collect();
                Ty::tuple(&elements)
            }
            TypeRef::Never => Ty::NEVER,
            TypeRef::Infer => self.placeholder(),
            TypeRef::Function { parameters, output } => {
                let mut list: Vec<Ty> = parameters.iter().map(|ty| self.ty(ty)).collect();
                list.push(self.ty(output));
                Ty::new(TyKind::FnPtr(args(&list)))
            }
            TypeRef::ImplTrait(bounds) => self.impl_trait(bounds),
            TypeRef::DynTrait(bounds) => self.dyn_trait(bounds),
            TypeRef::Macro(call) => self.macro_call(call),
            TypeRef::Unknown => Ty::UNKNOWN,
        }
    }

    fn impl_trait(&mut self, bounds: &[Bound]) -> Ty {
        let ty = match self.impl_trait {
            ImplTrait::Parameter(index) => {
                self.impl_trait = ImplTrait::Parameter(index + 1);
                Ty::new(TyKind::Param(index, name("impl")))
            }
            ImplTrait::Opaque(function, index) => {
                self.impl_trait = ImplTrait::Opaque(function, index + 1);
                let identity = self.program.identity_args(function);
                Ty::new(TyKind::Opaque(function, index, identity))
            }
            ImplTrait::Unknown => return Ty::UNKNOWN,
        };
        for bound in bounds {
            let predicates = self.bound(ty, bound);
            self.implied.extend(predicates);
        }
        ty
    }

    fn dyn_trait(&mut self, bounds: &[Bound]) -> Ty {
        let mut traits: Vec<DynTrait> = Vec::new();
        for bound in bounds.iter().filter(|bound| !bound.maybe) {
            let predicates = self.bound(Ty::UNKNOWN, bound);
            let Some(trait_ref) = predicates.iter().find_map(|p| match p {
                Predicate::Trait(trait_ref) => Some(*trait_ref),
                Predicate::Projection { .. } => None,
            }) else {
                continue;
            };
            let bound_types: Vec<(DefId, Ty)> = predicates
                .iter()
                .filter_map(|p| match p {
                    Predicate::Projection { assoc, ty, .. } => Some((*assoc, *ty)),
                    Predicate::Trait(_) => None,
                })
                .collect();
            traits.push(DynTrait {
                trait_def: trait_ref.trait_def,
                args: args(&trait_ref.args[1..]),
                bindings: intern::bindings(&bound_types),
            });
        }
        if traits.is_empty() {
            return Ty::UNKNOWN;
        }
        Ty::new(TyKind::Dyn(DynBounds { traits: intern::dyn_traits(&traits) }))
    }

    /// What `subject: bound` says: the trait, and a projection for each binding.
    pub(crate) fn bound(&mut self, subject: Ty, bound: &Bound) -> Vec<Predicate> {
        if bound.maybe {
            return Vec::new();
        }
        let Some(trait_ref) = self.trait_ref(subject, &bound.path) else { return Vec::new() };
        let mut predicates = vec![Predicate::Trait(trait_ref)];
        let written = bound.path.segments.last().and_then(|segment| segment.arguments.as_ref());
        for binding in written.iter().flat_map(|arguments| &arguments.bindings) {
            let Some((assoc, holder)) = self.program.assoc_type_of(trait_ref, binding.name) else { continue };
            match &binding.value {
                AssocValue::Type(ty) => {
                    let ty = self.ty(ty);
                    predicates.push(Predicate::Projection { assoc, args: holder.args, ty });
                }
                AssocValue::Bounds(bounds) => {
                    let projection = Ty::new(TyKind::Projection(assoc, holder.args));
                    for bound in bounds {
                        predicates.extend(self.bound(projection, bound));
                    }
                }
                AssocValue::Const => {}
            }
        }
        predicates
    }

    /// The trait that a path names, with `subject` as `Self`.
    pub(crate) fn trait_ref(&mut self, subject: Ty, path: &Path) -> Option<TraitRef> {
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name).collect();
        let found = self.program.resolve_path(self.module, &names, path.leading_colon, Namespace::Type)?;
        let Resolution::Def(trait_def) = found.to else { return None };
        if self.program.kind(trait_def) != DefKind::Trait || found.used != names.len() {
            return None;
        }
        let written = path.segments.last().and_then(|segment| segment.arguments.as_deref());
        Some(TraitRef { trait_def, args: args(&self.arguments(trait_def, vec![subject], written)) })
    }

    /// The full list of arguments of `def`: those given, then what is written, then defaults, then placeholders.
    pub(crate) fn arguments(&mut self, def: DefId, mut given: Vec<Ty>, written: Option<&GenericArgs>) -> Vec<Ty> {
        let total = self.program.generics(def).count();
        let written = written.map_or(&[][..], |arguments| &arguments.arguments);
        for argument in written {
            if given.len() >= total {
                break;
            }
            let ty = match argument {
                GenericArg::Type(ty) => self.ty(ty),
                GenericArg::Const(Some(value)) => Ty::new(TyKind::Const(*value)),
                GenericArg::Const(None) => Ty::UNKNOWN,
            };
            given.push(ty);
        }
        while given.len() < total {
            let use_default = !written.is_empty() || self.fresh.is_none();
            let default = if use_default { self.program.generic_default(def, given.len()) } else { None };
            let ty = match default {
                Some(default) => default.substitute(&given),
                None => self.placeholder(),
            };
            given.push(ty);
        }
        given
    }

    fn path(&mut self, path: &Path) -> Ty {
        if let Some(qualified) = &path.qualified_self {
            let subject = self.ty(&qualified.ty);
            return self.qualified(subject, qualified.trait_segments as usize, path);
        }
        let first = &path.segments[0];
        if !path.leading_colon {
            if first.name == "Self" {
                let base = self.self_ty();
                return self.rest_of_self(base, &path.segments[1..]);
            }
            if path.segments.first().is_some_and(|s| s.arguments.is_none())
                && let Some(index) = self.program.generic_index(self.owner, first.name)
            {
                let base = Ty::new(TyKind::Param(index, first.name));
                return self.rest(base, &path.segments[1..]);
            }
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name).collect();
        let Some(found) = self.program.resolve_path(self.module, &names, path.leading_colon, Namespace::Type) else {
            return Ty::UNKNOWN;
        };
        let base = match found.to {
            Resolution::Primitive(ty) => ty,
            Resolution::Def(def) => self.def_type(def, path.segments.get(found.used.wrapping_sub(1))),
        };
        self.rest(base, &path.segments[found.used..])
    }

    /// The type that a definition names, with the arguments written at `segment`.
    pub(crate) fn def_type(&mut self, def: DefId, segment: Option<&Segment>) -> Ty {
        let written = segment.and_then(|s| s.arguments.as_deref());
        match self.program.kind(def) {
            DefKind::Struct | DefKind::Union | DefKind::Enum => {
                let list = self.arguments(def, Vec::new(), written);
                Ty::adt(def, &list)
            }
            DefKind::TypeAlias => {
                if self.depth > DEEPEST {
                    return Ty::UNKNOWN;
                }
                let list = self.arguments(def, Vec::new(), written);
                self.program.type_of(def).substitute(&list)
            }
            DefKind::Trait => {
                let list = self.arguments(def, vec![Ty::UNKNOWN], written);
                let bound = DynTrait { trait_def: def, args: args(&list[1..]), bindings: intern::bindings(&[]) };
                Ty::new(TyKind::Dyn(DynBounds { traits: intern::dyn_traits(&[bound]) }))
            }
            DefKind::Module => crate::types::primitive(&self.program.name(def)).unwrap_or(Ty::UNKNOWN),
            _ => Ty::UNKNOWN,
        }
    }

    /// `Self`, where it means a type.
    pub(crate) fn self_ty(&self) -> Ty {
        self.program.self_type(self.owner).unwrap_or(Ty::UNKNOWN)
    }

    /// `base::A::B`: associated types.
    fn rest(&mut self, base: Ty, segments: &[Segment]) -> Ty {
        let mut at = base;
        for segment in segments {
            at = self.assoc(at, segment);
        }
        at
    }

    /// `Self::A::B`: the first is one of the implemented trait where it has such.
    fn rest_of_self(&mut self, base: Ty, segments: &[Segment]) -> Ty {
        let Some((first, rest)) = segments.split_first() else { return base };
        let implemented = self.program.container(self.owner).unwrap_or(self.owner);
        let found = match self.program.kind(implemented) {
            DefKind::Impl => self
                .program
                .impl_trait_ref_guarded(implemented)
                .and_then(|trait_ref| self.program.assoc_type_of(trait_ref, first.name)),
            _ => None,
        };
        let at = match found {
            Some((assoc, trait_ref)) => self.assoc_of(assoc, trait_ref, first),
            None => self.assoc(base, first),
        };
        self.rest(at, rest)
    }

    fn assoc(&mut self, base: Ty, segment: &Segment) -> Ty {
        match self.program.assoc_shorthand(self.owner, base, segment.name) {
            Some((assoc, trait_ref)) => self.assoc_of(assoc, trait_ref, segment),
            None => Ty::UNKNOWN,
        }
    }

    fn assoc_of(&mut self, assoc: DefId, trait_ref: TraitRef, segment: &Segment) -> Ty {
        let list = self.arguments(assoc, trait_ref.args.to_vec(), segment.arguments.as_deref());
        Ty::new(TyKind::Projection(assoc, args(&list)))
    }

    fn qualified(&mut self, subject: Ty, trait_segments: usize, path: &Path) -> Ty {
        if trait_segments == 0 {
            return self.rest(subject, &path.segments);
        }
        let trait_path = Path {
            qualified_self: None,
            leading_colon: path.leading_colon,
            segments: path.segments[..trait_segments.min(path.segments.len())].to_vec(),
            span: path.span,
        };
        let Some(trait_ref) = self.trait_ref(subject, &trait_path) else { return Ty::UNKNOWN };
        let Some(segment) = path.segments.get(trait_segments) else { return Ty::UNKNOWN };
        let Some((assoc, holder)) = self.program.assoc_type_of(trait_ref, segment.name) else { return Ty::UNKNOWN };
        let list = self.arguments(assoc, holder.args.to_vec(), segment.arguments.as_deref());
        let projection = Ty::new(TyKind::Projection(assoc, args(&list)));
        self.rest(projection, &path.segments[trait_segments + 1..])
    }
}

impl Program<'_> {
    /// The associated type of that name in the trait or its supertraits, and the trait that declares it.
    pub(crate) fn assoc_type_of(&self, trait_ref: TraitRef, wanted: Name) -> Option<(DefId, TraitRef)> {
        self.elaborate(trait_ref)
            .into_iter()
            .find_map(|holder| Some((self.member(holder.trait_def, wanted, |k| k == DefKind::AssocType)?, holder)))
    }

    /// The trait and all its supertraits, nearest first, each once.
    pub(crate) fn elaborate(&self, trait_ref: TraitRef) -> Vec<TraitRef> {
        let mut all = vec![trait_ref];
        let mut at = 0;
        while at < all.len() && all.len() < 256 {
            let current = all[at];
            for supertrait in self.supertraits(current.trait_def) {
                let supertrait = supertrait.substitute(&current.args);
                if !all.iter().any(|known| known.trait_def == supertrait.trait_def && known.args == supertrait.args) {
                    all.push(supertrait);
                }
            }
            at += 1;
        }
        all
    }

    /// What the declaration of a trait says of associated types of what implements it.
    pub(crate) fn implied_projections(&self, trait_ref: TraitRef) -> impl Iterator<Item = Predicate> {
        self.supertrait_projections(trait_ref.trait_def).iter().map(move |predicate| predicate.substitute(&trait_ref.args))
    }

    /// `T::Item` and `Self::Item`: which trait the associated type belongs to, by the bounds in scope of `owner`.
    fn assoc_shorthand(&self, owner: DefId, base: Ty, wanted: Name) -> Option<(DefId, TraitRef)> {
        match *base.kind() {
            TyKind::Param(index, _) => self.bounds_on(owner, index, wanted),
            TyKind::Projection(assoc, list) => {
                let declared = self.assoc_bounds(assoc);
                let subject = Ty::new(TyKind::Projection(assoc, list));
                let from_declaration = declared.into_iter().find_map(|trait_ref| {
                    let trait_ref = trait_ref.substitute(&list);
                    let mut args_list = trait_ref.args.to_vec();
                    *args_list.first_mut()? = subject;
                    self.assoc_type_of(TraitRef { trait_def: trait_ref.trait_def, args: args(&args_list) }, wanted)
                });
                from_declaration.or_else(|| self.where_bounds_on(owner, subject, wanted))
            }
            _ => None,
        }
    }

    /// Searches the written bounds of a parameter for a trait that has the associated type. Works on what is written, because
    /// the full predicates may themselves be in need of the answer.
    fn bounds_on(&self, owner: DefId, index: u32, wanted: Name) -> Option<(DefId, TraitRef)> {
        let mut at = Some(owner);
        while let Some(def) = at {
            if self.kind(def) == DefKind::Trait && index == 0 {
                let this = TraitRef { trait_def: def, args: self.identity_args(def) };
                if let Some(found) = self.assoc_type_of(this, wanted) {
                    return Some(found);
                }
            }
            for (subject, bound) in self.written_bounds(def) {
                if self.is_param(def, subject, index)
                    && let Some(found) = self.bound_with(owner, def, index, bound, wanted)
                {
                    return Some(found);
                }
            }
            at = self.generics(def).parent;
        }
        None
    }

    fn where_bounds_on(&self, owner: DefId, subject: Ty, wanted: Name) -> Option<(DefId, TraitRef)> {
        let mut at = Some(owner);
        while let Some(def) = at {
            if let Some(item) = self.item(def)
                && let Some(generics) = crate::signature::written_generics(&item.kind)
            {
                for predicate in
                    generics.predicates.iter().filter(|p| matches!(&p.ty, TypeRef::Path(path) if path.segments.len() > 1))
                {
                    let mut lowering = Lowering::of(self, def);
                    lowering.depth = DEEPEST / 2;
                    if lowering.ty(&predicate.ty) != subject {
                        continue;
                    }
                    for bound in &predicate.bounds {
                        if let Some(trait_ref) = lowering.trait_ref(subject, &bound.path)
                            && let Some(found) = self.assoc_type_of(trait_ref, wanted)
                        {
                            return Some(found);
                        }
                    }
                }
            }
            at = self.generics(def).parent;
        }
        None
    }

    fn bound_with(&self, owner: DefId, def: DefId, index: u32, bound: &Bound, wanted: Name) -> Option<(DefId, TraitRef)> {
        let names: Vec<Name> = bound.path.segments.iter().map(|segment| segment.name).collect();
        let found = self.resolve_path(self.def(def).module, &names, bound.path.leading_colon, Namespace::Type)?;
        let Resolution::Def(trait_def) = found.to else { return None };
        if self.kind(trait_def) != DefKind::Trait || !self.trait_declares(trait_def, wanted, 0) {
            return None;
        }
        let subject = Ty::new(TyKind::Param(index, self.param_name(owner, index)));
        let trait_ref = Lowering::of(self, def).trait_ref(subject, &bound.path)?;
        self.assoc_type_of(trait_ref, wanted)
    }

    fn trait_declares(&self, trait_def: DefId, wanted: Name, depth: u32) -> bool {
        depth < 16
            && (self.member(trait_def, wanted, |k| k == DefKind::AssocType).is_some()
                || self.supertraits(trait_def).iter().any(|s| self.trait_declares(s.trait_def, wanted, depth + 1)))
    }

    fn is_param(&self, def: DefId, subject: Subject<'_>, index: u32) -> bool {
        match subject {
            Subject::Param(wanted) => self.generic_index(def, wanted) == Some(index),
            Subject::Type(TypeRef::Path(path)) if path.segments.len() == 1 && path.qualified_self.is_none() => {
                let wanted = path.segments[0].name;
                if wanted == "Self" { index == 0 && self.has_self(def) } else { self.generic_index(def, wanted) == Some(index) }
            }
            Subject::Type(_) => false,
        }
    }

    fn has_self(&self, def: DefId) -> bool {
        self.kind(def) == DefKind::Trait || self.container(def).is_some_and(|c| self.kind(c) == DefKind::Trait)
    }

    /// The bounds that an associated type's declaration gives it, on `Self` as its projection.
    pub(crate) fn assoc_bounds(&self, assoc: DefId) -> Vec<TraitRef> {
        let Some(ItemKind::TypeAlias(declared)) = self.item(assoc).map(|item| &item.kind) else { return Vec::new() };
        let subject = Ty::new(TyKind::Projection(assoc, self.identity_args(assoc)));
        let mut lowering = Lowering::of(self, assoc);
        declared.bounds.iter().filter(|b| !b.maybe).filter_map(|bound| lowering.trait_ref(subject, &bound.path)).collect()
    }

    /// All that an associated type's declaration says of it, bindings too.
    pub(crate) fn assoc_predicates(&self, assoc: DefId) -> Vec<Predicate> {
        let Some(ItemKind::TypeAlias(declared)) = self.item(assoc).map(|item| &item.kind) else { return Vec::new() };
        let subject = Ty::new(TyKind::Projection(assoc, self.identity_args(assoc)));
        let mut lowering = Lowering::of(self, assoc);
        declared.bounds.iter().flat_map(|bound| lowering.bound(subject, bound)).collect()
    }
}
