//! Signatures: generics, predicates, parameters and outputs, fields, the headers of impls. Worked out once, on demand.

use std::cell::RefCell;

use agentlint_syntax::{
    Name,
    ast::{self, Bound, Fields, GenericParamKind, ItemKind, StaticOrigin, TypeRef},
    name,
};

use crate::def::{DefId, DefKind};
use crate::lower::{ImplTrait, Lowering};
use crate::program::Program;
use crate::types::{Args, Predicate, TraitRef, Ty, TyKind, args, substitute_args};

/// The generic parameters that are in scope of a definition.
#[derive(Clone, Debug, Default)]
pub struct Generics {
    pub parent: Option<DefId>,
    pub parent_count: usize,
    /// Its own, in order: `Self` first for a trait, the anonymous ones of `impl Trait` last for a function.
    pub params: Vec<Name>,
    /// How many of the last ones are anonymous.
    pub anonymous: usize,
}

impl Generics {
    pub fn count(&self) -> usize {
        self.parent_count + self.params.len()
    }
}

/// A function's, or a constructor's.
#[derive(Clone, Debug)]
pub struct Signature {
    /// With the type of `self` first, where there is one.
    pub parameters: Vec<Ty>,
    /// An async fn's is its future.
    pub output: Ty,
    pub has_self: bool,
    pub is_async: bool,
    /// What the bounds on anonymous parameters and opaque outputs say.
    pub implied: Vec<Predicate>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Query {
    Predicates,
    Signature,
    Ty,
    TraitRef,
    Supertraits,
    SupertraitProjections,
    Fields,
}

thread_local! {
    static UNDER_WAY: RefCell<Vec<(DefId, Query)>> = const { RefCell::new(Vec::new()) };
}

/// Runs `compute` unless the same question is being answered further up: broken or cyclic sources must not recurse for ever.
fn guarded<T>(def: DefId, query: Query, compute: impl FnOnce() -> T) -> Option<T> {
    let cyclic = UNDER_WAY.with_borrow(|stack| stack.contains(&(def, query)) || stack.len() > 200);
    if cyclic {
        return None;
    }
    UNDER_WAY.with_borrow_mut(|stack| stack.push((def, query)));
    let value = compute();
    UNDER_WAY.with_borrow_mut(|stack| stack.pop());
    Some(value)
}

/// The generics as written of an item.
pub(crate) fn written_generics(kind: &ItemKind) -> Option<&ast::Generics> {
    match kind {
        ItemKind::Function(item) => Some(&item.declaration.generics),
        ItemKind::Struct(item) | ItemKind::Union(item) => Some(&item.declaration.generics),
        ItemKind::Enum(item) => Some(&item.generics),
        ItemKind::Trait(item) => Some(&item.header.generics),
        ItemKind::Impl(item) => Some(&item.header.generics),
        ItemKind::TypeAlias(item) => Some(&item.generics),
        _ => None,
    }
}

/// How often `impl Trait` is written inside a type.
fn count_impl_traits(ty: &TypeRef) -> usize {
    let in_bounds = |bounds: &[Bound]| -> usize {
        let arguments = bounds.iter().flat_map(|b| &b.path.segments).filter_map(|s| s.arguments.as_deref());
        arguments.map(count_in_arguments).sum()
    };
    match ty {
        TypeRef::ImplTrait(bounds) => 1 + in_bounds(bounds),
        TypeRef::DynTrait(bounds) => in_bounds(bounds),
        TypeRef::Path(path) => path.segments.iter().filter_map(|s| s.arguments.as_deref()).map(count_in_arguments).sum(),
        TypeRef::Reference { inner, .. } | TypeRef::Pointer { inner, .. } | TypeRef::Slice(inner) => count_impl_traits(inner),
        TypeRef::Array { element, .. } => count_impl_traits(element),
        TypeRef::Tuple(elements) => elements.iter().map(count_impl_traits).sum(),
        _ => 0,
    }
}

fn count_in_arguments(arguments: &ast::GenericArgs) -> usize {
    let types = arguments.arguments.iter().filter_map(|argument| match argument {
        ast::GenericArg::Type(ty) => Some(ty),
        ast::GenericArg::Const(_) => None,
    });
    let bound = arguments.bindings.iter().filter_map(|binding| match &binding.value {
        ast::AssocValue::Type(ty) => Some(ty),
        _ => None,
    });
    types.chain(bound).map(count_impl_traits).sum()
}

impl Program<'_> {
    pub fn generics(&self, def: DefId) -> &Generics {
        self.facts(def).generics.get_or_init(|| Box::new(self.compute_generics(def)))
    }

    fn compute_generics(&self, def: DefId) -> Generics {
        let data = self.def(def);
        if data.kind == DefKind::Variant {
            return Generics {
                parent: Some(data.parent),
                parent_count: self.generics(data.parent).count(),
                ..Generics::default()
            };
        }
        let parent = self.container(def);
        let mut generics =
            Generics { parent, parent_count: parent.map_or(0, |p| self.generics(p).count()), ..Generics::default() };
        let Some(item) = self.item(def) else { return generics };
        if data.kind == DefKind::Trait {
            generics.params.push(name("Self"));
        }
        if let Some(written) = written_generics(&item.kind) {
            generics.params.extend(written.params.iter().map(|param| param.name));
        }
        if let ItemKind::Function(function) = &item.kind {
            generics.anonymous = function.declaration.parameters.iter().map(|p| count_impl_traits(&p.ty)).sum();
            generics.params.extend(std::iter::repeat_n(name("impl"), generics.anonymous));
        }
        generics
    }

    /// The number of the parameter of that name in scope of `def`, innermost first.
    pub(crate) fn generic_index(&self, def: DefId, wanted: Name) -> Option<u32> {
        let generics = self.generics(def);
        if let Some(at) = generics.params.iter().position(|param| *param == wanted) {
            return Some((generics.parent_count + at) as u32);
        }
        self.generic_index(generics.parent?, wanted)
    }

    pub(crate) fn param_name(&self, def: DefId, index: u32) -> Name {
        let generics = self.generics(def);
        match (index as usize).checked_sub(generics.parent_count) {
            Some(own) => generics.params.get(own).copied().unwrap_or_else(|| name("?")),
            None => generics.parent.map_or_else(|| name("?"), |parent| self.param_name(parent, index)),
        }
    }

    /// Each parameter as itself.
    pub fn identity_args(&self, def: DefId) -> Args {
        let count = self.generics(def).count() as u32;
        let list: Vec<Ty> = (0..count).map(|i| Ty::new(TyKind::Param(i, self.param_name(def, i)))).collect();
        args(&list)
    }

    /// The default of a type parameter, with the earlier parameters in it.
    pub(crate) fn generic_default(&self, def: DefId, index: usize) -> Option<Ty> {
        let generics = self.generics(def);
        let own = index.checked_sub(generics.parent_count)?;
        let item = self.item(def)?;
        let own = if self.kind(def) == DefKind::Trait { own.checked_sub(1)? } else { own };
        match &written_generics(&item.kind)?.params.get(own)?.kind {
            GenericParamKind::Type { default: Some(default), .. } => Some(Lowering::of(self, def).ty(default)),
            _ => None,
        }
    }

    /// What `Self` means inside `def`.
    pub(crate) fn self_type(&self, def: DefId) -> Option<Ty> {
        let mut at = def;
        loop {
            match self.kind(at) {
                DefKind::Impl => return Some(self.impl_self_ty(at)),
                DefKind::Trait => return Some(Ty::new(TyKind::Param(0, name("Self")))),
                DefKind::Struct | DefKind::Union | DefKind::Enum => {
                    return Some(Ty::new(TyKind::Adt(at, self.identity_args(at))));
                }
                _ => {}
            }
            let up = self.def(at).parent;
            // A function inside a function does not see the outer `Self`.
            if up == at || self.kind(up) == DefKind::Module {
                return None;
            }
            at = up;
        }
    }

    pub fn impl_self_ty(&self, def: DefId) -> Ty {
        let compute = || match self.item(def).map(|item| &item.kind) {
            Some(ItemKind::Impl(declared)) => Lowering::of(self, def).ty(&declared.header.self_type),
            _ => Ty::UNKNOWN,
        };
        self.memo_ty(def, compute)
    }

    fn memo_ty(&self, def: DefId, compute: impl FnOnce() -> Ty) -> Ty {
        let cell = &self.facts(def).ty;
        if let Some(known) = cell.get() {
            return *known;
        }
        match guarded(def, Query::Ty, compute) {
            Some(ty) => *cell.get_or_init(|| ty),
            None => Ty::UNKNOWN,
        }
    }

    /// The trait that an impl implements, with its self type first.
    pub fn impl_trait_ref(&self, def: DefId) -> Option<TraitRef> {
        self.impl_trait_ref_guarded(def)
    }

    pub(crate) fn impl_trait_ref_guarded(&self, def: DefId) -> Option<TraitRef> {
        let cell = &self.facts(def).trait_ref;
        if let Some(known) = cell.get() {
            return *known;
        }
        let computed = guarded(def, Query::TraitRef, || {
            let Some(ItemKind::Impl(declared)) = self.item(def).map(|item| &item.kind) else { return None };
            let path = declared.header.trait_path.as_ref()?;
            let self_ty = self.impl_self_ty(def);
            Lowering::of(self, def).trait_ref(self_ty, path)
        })?;
        *cell.get_or_init(|| computed)
    }

    pub fn supertraits(&self, trait_def: DefId) -> &[TraitRef] {
        let cell = &self.facts(trait_def).supertraits;
        if let Some(known) = cell.get() {
            return known;
        }
        let computed = guarded(trait_def, Query::Supertraits, || self.compute_supertraits(trait_def));
        computed.map_or(&[], |list| cell.get_or_init(|| list.into()))
    }

    fn compute_supertraits(&self, trait_def: DefId) -> Vec<TraitRef> {
        let subject = Ty::new(TyKind::Param(0, name("Self")));
        let mut lowering = Lowering::of(self, trait_def);
        self.written_supertraits(trait_def).filter_map(|bound| lowering.trait_ref(subject, &bound.path)).collect()
    }

    fn written_supertraits(&self, trait_def: DefId) -> impl Iterator<Item = &Bound> {
        let declared = match self.item(trait_def).map(|item| &item.kind) {
            Some(ItemKind::Trait(declared)) => Some(&declared.header),
            _ => None,
        };
        let is_self = |ty: &TypeRef| matches!(ty, TypeRef::Path(p) if p.segments.len() == 1 && p.segments[0].name == "Self");
        let in_where = declared.into_iter().flat_map(|header| &header.generics.predicates);
        let in_where = in_where.filter(move |p| is_self(&p.ty)).flat_map(|p| &p.bounds);
        declared.into_iter().flat_map(|header| &header.supertraits).chain(in_where).filter(|bound| !bound.maybe)
    }

    /// What a trait's own bounds say of associated types: of `trait A: Iterator<Item = u8>` that `Self::Item` is `u8`.
    pub(crate) fn supertrait_projections(&self, trait_def: DefId) -> &[Predicate] {
        let cell = &self.facts(trait_def).supertrait_projections;
        if let Some(known) = cell.get() {
            return known;
        }
        let computed = guarded(trait_def, Query::SupertraitProjections, || {
            let binds = |bound: &&Bound| {
                let arguments = bound.path.segments.last().and_then(|last| last.arguments.as_deref());
                arguments.is_some_and(|arguments| !arguments.bindings.is_empty())
            };
            let bounds = self.written_supertraits(trait_def).filter(binds);
            let mut lowering = Lowering::of(self, trait_def);
            let subject = Ty::new(TyKind::Param(0, name("Self")));
            let predicates = bounds.flat_map(|bound| lowering.bound(subject, bound));
            predicates.filter(|predicate| matches!(predicate, Predicate::Projection { .. })).collect()
        });
        computed.map_or(&[], |found: Box<[Predicate]>| cell.get_or_init(|| found))
    }

    /// The bounds written on parameters, and in `where` clauses: what they are on, and the bound.
    pub(crate) fn written_bounds(&self, def: DefId) -> Vec<(Subject<'_>, &Bound)> {
        let Some(generics) = self.item(def).and_then(|item| written_generics(&item.kind)) else { return Vec::new() };
        let on_params = generics.params.iter().flat_map(|param| match &param.kind {
            GenericParamKind::Type { bounds, .. } => bounds.iter().map(|b| (Subject::Param(param.name), b)).collect(),
            GenericParamKind::Const { .. } => Vec::new(),
        });
        let in_where = generics.predicates.iter().flat_map(|p| p.bounds.iter().map(|b| (Subject::Type(&p.ty), b)));
        on_params.chain(in_where).collect()
    }

    /// What holds inside `def`: its own bounds and those of the impl or trait around it, and for a trait that `Self` has it.
    pub fn predicates(&self, def: DefId) -> &[Predicate] {
        let cell = &self.facts(def).predicates;
        if let Some(known) = cell.get() {
            return known;
        }
        let computed = guarded(def, Query::Predicates, || self.compute_predicates(def));
        computed.map_or(&[], |list| cell.get_or_init(|| list.into()))
    }

    fn compute_predicates(&self, def: DefId) -> Vec<Predicate> {
        let mut predicates = self.generics(def).parent.map_or(Vec::new(), |parent| self.predicates(parent).to_vec());
        if self.kind(def) == DefKind::Trait {
            predicates.push(Predicate::Trait(TraitRef { trait_def: def, args: self.identity_args(def) }));
        }
        let mut lowering = Lowering::of(self, def);
        for (subject, bound) in self.written_bounds(def) {
            let subject = match subject {
                Subject::Param(param) => match self.generic_index(def, param) {
                    Some(index) => Ty::new(TyKind::Param(index, param)),
                    None => continue,
                },
                Subject::Type(written) => lowering.ty(written),
            };
            predicates.extend(lowering.bound(subject, bound));
        }
        if matches!(self.kind(def), DefKind::Function) {
            predicates.extend_from_slice(&self.signature(def).implied);
        }
        predicates
    }

    /// The signature of a function, or of the constructor of a tuple struct or variant.
    pub fn signature(&self, def: DefId) -> &Signature {
        let cell = &self.facts(def).signature;
        if let Some(known) = cell.get() {
            return known;
        }
        let computed = guarded(def, Query::Signature, || self.compute_signature(def)).unwrap_or_else(|| Signature {
            parameters: Vec::new(),
            output: Ty::UNKNOWN,
            has_self: false,
            is_async: false,
            implied: Vec::new(),
        });
        cell.get_or_init(|| Box::new(computed))
    }

    fn compute_signature(&self, def: DefId) -> Signature {
        let Some(function) = self.function(def) else { return self.constructor_signature(def) };
        let mut lowering = Lowering::of(self, def);
        let generics = self.generics(def);
        lowering.impl_trait = ImplTrait::Parameter((generics.count() - generics.anonymous) as u32);
        let mut parameters = Vec::new();
        if let Some(receiver) = &function.self_parameter {
            let self_ty = lowering.self_ty();
            parameters.push(match &receiver.ty {
                Some(written) => lowering.ty(written),
                None if receiver.reference => self_ty.reference(receiver.mutable),
                None => self_ty,
            });
        }
        let cfg = &self.node(def.krate).cfg;
        let active = function.parameters.iter().filter(|p| p.cfg.as_ref().is_none_or(|c| cfg.holds(c)));
        parameters.extend(active.map(|p| lowering.ty(&p.ty)));
        lowering.impl_trait = ImplTrait::Opaque(def, 1);
        let written_output = function.output.as_ref().map_or(Ty::UNIT, |ty| lowering.ty(ty));
        let mut implied = lowering.implied;
        let mut output = written_output;
        let is_async = function.is_async && !self.is_driven(def);
        if is_async {
            let future = self.known().future;
            output = Ty::new(TyKind::Opaque(def, 0, self.identity_args(def)));
            if let Some(future) = future {
                implied.push(Predicate::Trait(TraitRef { trait_def: future, args: args(&[output]) }));
                if let Some(assoc) = self.known().future_output {
                    implied.push(Predicate::Projection { assoc, args: args(&[output]), ty: written_output });
                }
            }
        }
        Signature { parameters, output, has_self: function.self_parameter.is_some(), is_async, implied }
    }

    /// Whether an attribute such as `#[tokio::main]` makes of an async function one that runs its future to the end itself.
    fn is_driven(&self, def: DefId) -> bool {
        let drives = |path: &str| path.rsplit_once("::").is_some_and(|(_, last)| matches!(last, "main" | "test"));
        self.item(def).is_some_and(|item| item.attributes.iter().any(|attribute| drives(&attribute.path)))
    }

    fn constructor_signature(&self, def: DefId) -> Signature {
        let adt = if self.kind(def) == DefKind::Variant { self.def(def).parent } else { def };
        let output = Ty::new(TyKind::Adt(adt, self.identity_args(adt)));
        Signature { parameters: self.field_types(def).to_vec(), output, has_self: false, is_async: false, implied: Vec::new() }
    }

    /// What is known of an opaque type: the bounds it was written with.
    pub(crate) fn opaque_predicates(&self, function: DefId, index: u32, list: Args) -> Vec<Predicate> {
        let opaque = Ty::new(TyKind::Opaque(function, index, self.identity_args(function)));
        let about = |predicate: &&Predicate| match predicate {
            Predicate::Trait(trait_ref) => trait_ref.self_ty() == opaque,
            Predicate::Projection { args, .. } => args.first() == Some(&opaque),
        };
        self.signature(function).implied.iter().filter(about).map(|p| p.substitute(&list)).collect()
    }

    /// The fields of a struct, union or variant, as the sources have them (`cfg` not regarded).
    pub fn fields(&self, def: DefId) -> &Fields {
        static UNIT: Fields = Fields::Unit;
        match self.item(def).map(|item| &item.kind) {
            Some(ItemKind::Struct(declared) | ItemKind::Union(declared)) => &declared.declaration.fields,
            Some(ItemKind::Enum(declared)) if self.kind(def) == DefKind::Variant => {
                declared.variants.get(self.def(def).variant as usize).map_or(&UNIT, |variant| &variant.fields)
            }
            _ => &UNIT,
        }
    }

    /// The fields' types, in the order of [`Program::fields`].
    pub fn field_types(&self, def: DefId) -> &[Ty] {
        let cell = &self.facts(def).fields;
        if let Some(known) = cell.get() {
            return known;
        }
        let owner = if self.kind(def) == DefKind::Variant { self.def(def).parent } else { def };
        let computed = guarded(def, Query::Fields, || {
            let mut lowering = Lowering::of(self, owner);
            self.fields(def).list().iter().map(|field| lowering.ty(&field.ty)).collect::<Vec<Ty>>()
        });
        computed.map_or(&[], |list| cell.get_or_init(|| list.into()))
    }

    /// The type of the field, with `list` for the parameters of its type.
    pub fn field_type(&self, def: DefId, wanted: Name, list: Args) -> Option<Ty> {
        let at = self.fields(def).list().iter().position(|field| field.name == wanted)?;
        Some(self.field_types(def).get(at)?.substitute(&list))
    }

    /// The type of an alias, an associated type's value or default, a constant or a static.
    pub fn type_of(&self, def: DefId) -> Ty {
        self.memo_ty(def, || {
            let mut lowering = Lowering::of(self, def);
            match self.item(def).map(|item| &item.kind) {
                Some(ItemKind::TypeAlias(declared)) => declared.ty.as_ref().map_or(Ty::UNKNOWN, |ty| lowering.ty(ty)),
                Some(ItemKind::Const(declared)) => lowering.ty(&declared.ty),
                Some(ItemKind::Static(declared)) => {
                    let inner = lowering.ty(&declared.ty);
                    match declared.origin {
                        StaticOrigin::Item => inner,
                        StaticOrigin::LazyStatic => {
                            self.known().lazy_lock.map_or(inner, |def| Ty::adt(def, &[inner, Ty::UNKNOWN]))
                        }
                        StaticOrigin::ThreadLocal => self.known().local_key.map_or(inner, |def| Ty::adt(def, &[inner])),
                    }
                }
                _ => Ty::UNKNOWN,
            }
        })
    }

    /// What the definitions of the impl or trait mean when called with these arguments.
    pub fn type_of_with(&self, def: DefId, list: Args) -> Ty {
        self.type_of(def).substitute(&list)
    }

    /// The parameters and output of a function item, substituted.
    pub(crate) fn signature_with(&self, def: DefId, list: Args) -> (Vec<Ty>, Ty) {
        let signature = self.signature(def);
        let parameters = signature.parameters.iter().map(|ty| ty.substitute(&list)).collect();
        let output = match *signature.output.kind() {
            TyKind::Opaque(function, index, own) => Ty::new(TyKind::Opaque(function, index, substitute_args(own, &list))),
            _ => signature.output.substitute(&list),
        };
        (parameters, output)
    }
}

/// What a bound is on.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Param(Name),
    Type(&'a TypeRef),
}
