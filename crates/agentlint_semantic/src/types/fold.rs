//! Rebuilding types: substitution of parameters and any other bottom-up rewriting.

use smallvec::SmallVec;

use super::intern::{args, bindings, dyn_traits};
use super::{Args, DynBounds, DynTrait, Predicate, TraitRef, Ty, TyKind};

/// Rewrites types from the inside out.
pub trait Folder {
    /// Whether anything inside `ty` can change; where not, it is left as it is.
    fn concerns(&self, ty: Ty) -> bool;
    /// Called with each type after its parts were rewritten.
    fn fold(&mut self, ty: Ty) -> Ty;
}

impl Ty {
    pub fn fold_with(self, folder: &mut dyn Folder) -> Ty {
        if !folder.concerns(self) {
            return self;
        }
        // What comes out as it went in is not looked up again.
        let around_list = |list: Args, folded: Args, make: &dyn Fn(Args) -> TyKind| match folded == list {
            true => self,
            false => Ty::new(make(folded)),
        };
        let around = |inner: Ty, folded: Ty, make: &dyn Fn(Ty) -> TyKind| match folded == inner {
            true => self,
            false => Ty::new(make(folded)),
        };
        let rebuilt = match *self.kind() {
            TyKind::Adt(def, list) => around_list(list, fold_args(list, folder), &|list| TyKind::Adt(def, list)),
            TyKind::Tuple(list) => around_list(list, fold_args(list, folder), &TyKind::Tuple),
            TyKind::FnDef(def, list) => around_list(list, fold_args(list, folder), &|list| TyKind::FnDef(def, list)),
            TyKind::FnPtr(list) => around_list(list, fold_args(list, folder), &TyKind::FnPtr),
            TyKind::Closure(id, list) => around_list(list, fold_args(list, folder), &|list| TyKind::Closure(id, list)),
            TyKind::Opaque(def, index, list) => {
                around_list(list, fold_args(list, folder), &|list| TyKind::Opaque(def, index, list))
            }
            TyKind::Projection(def, list) => around_list(list, fold_args(list, folder), &|list| TyKind::Projection(def, list)),
            TyKind::Ref(inner, mutable) => around(inner, inner.fold_with(folder), &|inner| TyKind::Ref(inner, mutable)),
            TyKind::Pointer(inner, mutable) => around(inner, inner.fold_with(folder), &|inner| TyKind::Pointer(inner, mutable)),
            TyKind::Slice(inner) => around(inner, inner.fold_with(folder), &TyKind::Slice),
            TyKind::Async(id, inner) => around(inner, inner.fold_with(folder), &|inner| TyKind::Async(id, inner)),
            TyKind::Array(element, length) => Ty::new(TyKind::Array(element.fold_with(folder), length.fold_with(folder))),
            TyKind::Dyn(bounds) => {
                let traits: Vec<DynTrait> = bounds.traits.iter().map(|bound| fold_dyn(bound, folder)).collect();
                Ty::new(TyKind::Dyn(DynBounds { traits: dyn_traits(&traits) }))
            }
            _ => self,
        };
        folder.fold(rebuilt)
    }

    /// Puts `with[i]` in the place of the parameter number `i`; parameters past the end stay.
    pub fn substitute(self, with: &[Ty]) -> Ty {
        if with.is_empty() { self } else { self.fold_with(&mut Substitution { with }) }
    }
}

pub fn fold_args(list: Args, folder: &mut dyn Folder) -> Args {
    if !list.iter().any(|ty| folder.concerns(*ty)) {
        return list;
    }
    let folded: SmallVec<[Ty; 8]> = list.iter().map(|ty| ty.fold_with(folder)).collect();
    if folded.as_slice() == &list[..] { list } else { args(&folded) }
}

fn fold_dyn(bound: &DynTrait, folder: &mut dyn Folder) -> DynTrait {
    let list: Vec<_> = bound.bindings.iter().map(|(assoc, ty)| (*assoc, ty.fold_with(folder))).collect();
    DynTrait { trait_def: bound.trait_def, args: fold_args(bound.args, folder), bindings: bindings(&list) }
}

impl TraitRef {
    pub fn fold_with(self, folder: &mut dyn Folder) -> TraitRef {
        TraitRef { trait_def: self.trait_def, args: fold_args(self.args, folder) }
    }

    pub fn substitute(self, with: &[Ty]) -> TraitRef {
        self.fold_with(&mut Substitution { with })
    }
}

impl Predicate {
    pub fn substitute(self, with: &[Ty]) -> Predicate {
        let mut folder = Substitution { with };
        match self {
            Predicate::Trait(trait_ref) => Predicate::Trait(trait_ref.fold_with(&mut folder)),
            Predicate::Projection { assoc, args, ty } => {
                Predicate::Projection { assoc, args: fold_args(args, &mut folder), ty: ty.fold_with(&mut folder) }
            }
        }
    }
}

pub fn substitute_args(list: Args, with: &[Ty]) -> Args {
    fold_args(list, &mut Substitution { with })
}

struct Substitution<'a> {
    with: &'a [Ty],
}

impl Folder for Substitution<'_> {
    fn concerns(&self, ty: Ty) -> bool {
        ty.has_params()
    }

    fn fold(&mut self, ty: Ty) -> Ty {
        match *ty.kind() {
            TyKind::Param(index, _) => self.with.get(index as usize).copied().unwrap_or(ty),
            _ => ty,
        }
    }
}
