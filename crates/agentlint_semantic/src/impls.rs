//! Impl tables: which impls there are for a trait or a type, found by the head of the self type.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rustc_hash::{FxHashMap, FxHashSet};

use agentlint_syntax::{
    Name,
    ast::{Path, WrittenHead},
};

use crate::def::{DefId, DefKind};
use crate::definitions::{DeclaredImpl, TypeNames};
use crate::input::CrateId;
use crate::names::{Namespace, Resolution};
use crate::program::{CrateModel, Program};
use crate::types::{Head, TraitRef, Ty, TyKind, primitive};

/// The impls of one crate that were asked for. They are found by what is written: names are resolved when something asks for
/// their impls.
#[derive(Debug, Default)]
pub(crate) struct CrateImpls {
    inherent: OnceLock<ByHead>,
    by_trait: RwLock<FxHashMap<DefId, Arc<ByHead>>>,
    /// The names of the traits that the crate has impls of and that neither it nor std declares.
    foreign: OnceLock<Box<[Name]>>,
}

/// Impls by the head of their self type.
#[derive(Debug, Default)]
struct ByHead {
    /// `None` for inherent impls.
    trait_def: Option<DefId>,
    /// On a type of the crate or of std, by its name: several types may have it.
    named: FxHashMap<Name, Vec<Candidate>>,
    known: FxHashMap<Head, Vec<Candidate>>,
    /// The text does not tell.
    unclear: Vec<Candidate>,
    resolved: OnceLock<Resolved>,
    /// On a parameter: they may match anything.
    blanket: Vec<Candidate>,
}

/// An impl, of a trait with the wanted name. Of std's hundreds for one trait few are asked for, and those alone have their trait's
/// path resolved.
#[derive(Debug)]
struct Candidate {
    def: DefId,
    /// Where the tables have it.
    declared: (Name, u32),
    is_of_trait: OnceLock<bool>,
}

/// What resolving told of the impls whose text does not.
#[derive(Debug, Default)]
struct Resolved {
    by_head: FxHashMap<Head, Vec<DefId>>,
    blanket: Vec<DefId>,
}

impl Candidate {
    fn new(def: DefId, name: Name, at: u32) -> Candidate {
        Candidate { def, declared: (name, at), is_of_trait: OnceLock::new() }
    }
}

impl Ty {
    /// The head by which impls for this type are found; `None` where it has none (parameters, variables, opaque types).
    pub fn head(self) -> Option<Head> {
        Some(match *self.kind() {
            TyKind::Bool => Head::Bool,
            TyKind::Char => Head::Char,
            TyKind::Str => Head::Str,
            TyKind::Never => Head::Never,
            TyKind::Int(int) => Head::Int(int),
            TyKind::Float(float) => Head::Float(float),
            TyKind::Adt(def, _) => Head::Adt(def),
            TyKind::Ref(_, mutable) => Head::Ref(mutable),
            TyKind::Pointer(_, mutable) => Head::Pointer(mutable),
            TyKind::Slice(_) => Head::Slice,
            TyKind::Array(..) => Head::Array,
            TyKind::Tuple(list) => Head::Tuple(list.len() as u32),
            TyKind::FnDef(..) | TyKind::FnPtr(_) => Head::Function,
            TyKind::Closure(..) => Head::Closure,
            TyKind::Async(..) => Head::Async,
            TyKind::Dyn(bounds) => Head::Dyn(bounds.traits.first()?.trait_def),
            _ => return None,
        })
    }
}

impl Program<'_> {
    /// The crate's inherent impls.
    fn inherent_impls_of(&self, krate: CrateId) -> &ByHead {
        let model = self.krate(krate);
        model.impls.inherent.get_or_init(|| {
            let mut impls = ByHead::default();
            for declared in model.defs.tables().inherent_impls.iter() {
                let def = DefId { krate, index: declared.def };
                self.add_impl(&mut impls, Candidate::new(def, Name::default(), 0), declared.self_head);
            }
            impls
        })
    }

    fn add_impl(&self, to: &mut ByHead, found: Candidate, head: WrittenHead) {
        let krate = found.def.krate;
        let known = match head {
            WrittenHead::Parameter => return to.blanket.push(found),
            WrittenHead::Named(name) if self.names_adt(krate, name) => {
                return to.named.entry(name).or_default().push(found);
            }
            WrittenHead::Named(name) => primitive(&name).filter(|_| !self.declares_type(krate, name)).and_then(Ty::head),
            WrittenHead::Reference(mutable) => Some(Head::Ref(mutable)),
            WrittenHead::Pointer(mutable) => Some(Head::Pointer(mutable)),
            WrittenHead::Slice => Some(Head::Slice),
            WrittenHead::Array => Some(Head::Array),
            WrittenHead::Tuple(length) => Some(Head::Tuple(length)),
            WrittenHead::Function => Some(Head::Function),
            WrittenHead::Never => Some(Head::Never),
            WrittenHead::Other => None,
        };
        match known {
            Some(head) => to.known.entry(head).or_default().push(found),
            None => to.unclear.push(found),
        }
    }

    /// Whether that name, where an impl of the crate stands, is that of a struct, enum or union and of no alias.
    fn names_adt(&self, krate: CrateId, name: Name) -> bool {
        let kind_in = |krate: CrateId| self.krate(krate).defs.tables().types.get(&name).copied();
        match kind_in(krate) {
            Some(kind) => kind == TypeNames::Adt,
            None => (0..3).any(|which| kind_in(self.std_crate(which)) == Some(TypeNames::Adt)),
        }
    }

    fn declares_type(&self, krate: CrateId, name: Name) -> bool {
        self.krate(krate).defs.tables().types.contains_key(&name)
    }

    /// The crate's impls of a trait.
    fn impls_of_trait(&self, krate: CrateId, trait_def: DefId) -> Arc<ByHead> {
        let CrateModel { defs, impls, .. } = self.krate(krate);
        if let Some(known) = impls.by_trait.read().unwrap_or_else(PoisonError::into_inner).get(&trait_def) {
            return Arc::clone(known);
        }
        let wanted = self.name(trait_def);
        let tables = defs.tables();
        let renamed = tables.renamed.get(&wanted).into_iter().flatten().copied();
        let elsewhere = self.foreign_traits(krate).iter().copied().filter(|written| may_rename(*written, wanted));
        let names: FxHashSet<Name> = renamed.chain(elsewhere).chain([wanted]).collect();
        let lists = names.into_iter().filter_map(|name| Some((name, tables.trait_impls.get(&name)?)));
        let mut found: Vec<(&DeclaredImpl, Name, u32)> =
            lists.flat_map(|(name, impls)| impls.iter().zip(0..).map(move |(declared, at)| (declared, name, at))).collect();
        // In the order of the sources.
        found.sort_unstable_by_key(|(declared, ..)| declared.def);
        let mut by_head = ByHead { trait_def: Some(trait_def), ..ByHead::default() };
        for (declared, name, at) in found {
            let def = DefId { krate, index: declared.def };
            self.add_impl(&mut by_head, Candidate::new(def, name, at), declared.self_head);
        }
        let mut known = impls.by_trait.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(trait_def).or_insert_with(|| Arc::new(by_head)))
    }

    fn foreign_traits(&self, krate: CrateId) -> &[Name] {
        let CrateModel { defs, impls, .. } = self.krate(krate);
        impls.foreign.get_or_init(|| {
            let is_trait = |krate: CrateId, name: Name| self.krate(krate).defs.tables().traits.contains(&name);
            let is_known = |name: Name| is_trait(krate, name) || (0..3).any(|which| is_trait(self.std_crate(which), name));
            defs.tables().trait_impls.keys().copied().filter(|name| !is_known(*name)).collect()
        })
    }

    /// Those of these that are impls of the trait.
    fn of_trait<'i>(&self, impls: &ByHead, candidates: impl IntoIterator<Item = &'i Candidate>) -> impl Iterator<Item = DefId> {
        let trait_def = impls.trait_def;
        let wanted = candidates.into_iter().filter(move |found| trait_def.is_none_or(|wanted| self.is_of_trait(found, wanted)));
        wanted.map(|found| found.def)
    }

    fn is_of_trait(&self, found: &Candidate, wanted: DefId) -> bool {
        let (krate, (name, at)) = (found.def.krate, found.declared);
        let named = || {
            let declared = self.krate(krate).defs.tables().trait_impls.get(&name)?.get(at as usize)?;
            let written = declared.written_trait.as_ref()?;
            self.named_trait(DefId { krate, index: declared.module }, &written.segments, written.leading_colon)
        };
        *found.is_of_trait.get_or_init(|| named() == Some(wanted))
    }

    /// Those for types with that head, blanket impls left out.
    fn impls_with_head(&self, impls: &ByHead, head: Head, found: &mut Vec<DefId>) {
        if let Head::Adt(adt) = head {
            let named = self.of_trait(impls, impls.named.get(&self.name(adt)).into_iter().flatten());
            found.extend(named.filter(|def| self.impl_self_ty(*def).head() == Some(head)));
        }
        found.extend(self.of_trait(impls, impls.known.get(&head).into_iter().flatten()));
        found.extend(self.resolved(impls).by_head.get(&head).into_iter().flatten());
    }

    fn resolved<'i>(&self, impls: &'i ByHead) -> &'i Resolved {
        if let Some(known) = impls.resolved.get() {
            return known;
        }
        let mut resolved = Resolved::default();
        for def in self.of_trait(impls, &impls.unclear) {
            let self_ty = self.impl_self_ty(def);
            match self_ty.head() {
                Some(head) => resolved.by_head.entry(head).or_default().push(def),
                None if self_ty.is_unknown() => {}
                None => resolved.blanket.push(def),
            }
        }
        impls.resolved.get_or_init(|| resolved)
    }

    fn blanket_impls(&self, impls: &ByHead, found: &mut Vec<DefId>) {
        found.extend(self.of_trait(impls, &impls.blanket));
        found.extend(&self.resolved(impls).blanket);
    }

    /// Every impl on a type that is understood, blanket impls left out.
    fn impls_with_heads(&self, impls: &ByHead, found: &mut Vec<DefId>) {
        let by_text = impls.named.values().chain(impls.known.values()).flatten();
        found.extend(self.of_trait(impls, by_text).filter(|def| !self.impl_self_ty(*def).is_unknown()));
        found.extend(self.resolved(impls).by_head.values().flatten());
    }

    pub(crate) fn resolve_trait(&self, from: DefId, path: &Path) -> Option<DefId> {
        let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
        self.named_trait(self.def(from).module, &names, path.leading_colon)
    }

    fn named_trait(&self, module: DefId, names: &[Name], leading_colon: bool) -> Option<DefId> {
        let found = self.resolve_path(module, names, leading_colon, Namespace::Type)?;
        match found.to {
            Resolution::Def(def) if found.used == names.len() && self.kind(def) == DefKind::Trait => Some(def),
            _ => None,
        }
    }

    /// Inherent impls for types with that head. They stand in the type's own crate, or in std for primitive types.
    pub fn inherent_impls(&self, head: Head) -> Vec<DefId> {
        let mut found = Vec::new();
        let crates: Vec<CrateId> = match head {
            Head::Adt(def) | Head::Dyn(def) if !self.is_std(def.krate) => vec![def.krate],
            _ => (0..3).map(|which| self.std_crate(which)).collect(),
        };
        for krate in crates {
            self.impls_with_head(self.inherent_impls_of(krate), head, &mut found);
        }
        found
    }

    /// The impls that may apply to `trait_ref`, whose self type is resolved as far as it can be. By the orphan rule they stand in
    /// the trait's crate or in that of a type among its arguments.
    pub(crate) fn candidate_impls(&self, trait_ref: TraitRef) -> Arc<[DefId]> {
        let head = trait_ref.self_ty().head();
        let known = self.known();
        // Of a trait without arguments on such a type: in the crate of one or the other, whatever the type's own arguments are.
        let key = match head {
            Some(Head::Adt(adt)) if trait_ref.args.len() == 1 && known.boxed != Some(adt) && known.pin != Some(adt) => {
                Some((trait_ref.trait_def, adt))
            }
            _ => None,
        };
        if let Some(key) = key
            && let Some(found) = self.selections.candidates(key)
        {
            return found;
        }
        let mut crates = Vec::new();
        let mut add = |krate: CrateId| {
            if !crates.contains(&krate) {
                crates.push(krate);
            }
        };
        add(trait_ref.trait_def.krate);
        if self.is_std(trait_ref.trait_def.krate) {
            (0..3).for_each(|which| add(self.std_crate(which)));
        }
        match key {
            Some((_, adt)) => add(adt.krate),
            None => trait_ref.args.iter().for_each(|ty| self.crates_in(*ty, &mut add, 0)),
        }
        let mut found = Vec::new();
        for krate in crates {
            let impls = self.impls_of_trait(krate, trait_ref.trait_def);
            let start = found.len();
            match head {
                Some(head) => self.impls_with_head(&impls, head, &mut found),
                None if matches!(trait_ref.self_ty().kind(), TyKind::Var(_)) => self.impls_with_heads(&impls, &mut found),
                None => {}
            }
            found[start..].sort_unstable();
            self.blanket_impls(&impls, &mut found);
        }
        let found: Arc<[DefId]> = found.into();
        if let Some(key) = key {
            self.selections.keep_candidates(key, Arc::clone(&found));
        }
        found
    }

    fn crates_in(&self, ty: Ty, add: &mut dyn FnMut(CrateId), depth: u32) {
        match *ty.kind() {
            TyKind::Adt(def, _) => add(def.krate),
            TyKind::Dyn(bounds) => bounds.traits.iter().for_each(|bound| add(bound.trait_def.krate)),
            _ => {}
        }
        if depth < 4 {
            ty.kind().each_part(&mut |part| self.crates_in(part, add, depth + 1));
        }
    }

    /// Every impl of a trait in the crates that are analysed, in the order of crates and sources.
    pub fn member_impls(&self, trait_def: DefId) -> Vec<DefId> {
        let mut found = Vec::new();
        for krate in self.members() {
            let impls = self.impls_of_trait(krate, trait_def);
            self.impls_with_heads(&impls, &mut found);
            self.blanket_impls(&impls, &mut found);
        }
        found.sort();
        found
    }
}

impl Program<'_> {
    /// The trait impls that the type's own crate has for it.
    pub fn trait_impls_on(&self, head: Head) -> Vec<DefId> {
        let Head::Adt(adt) = head else { return Vec::new() };
        self.trait_impls_on_name(adt).filter(|found| self.impl_self_ty(*found).head() == Some(head)).collect()
    }

    /// The first impl of the trait that the type's own crate has for it under its name. Impls of other traits are not looked at.
    pub fn trait_impl_on(&self, adt: DefId, trait_def: DefId) -> Option<DefId> {
        let mut found = Vec::new();
        self.impls_with_head(&self.impls_of_trait(adt.krate, trait_def), Head::Adt(adt), &mut found);
        self.trait_impls_on_name(adt).find(|implementation| found.contains(implementation))
    }

    fn trait_impls_on_name(&self, adt: DefId) -> impl Iterator<Item = DefId> {
        let on_name = self.krate(adt.krate).defs.tables().trait_impls_on.get(&self.name(adt));
        on_name.into_iter().flatten().map(move |index| DefId { krate: adt.krate, index: *index })
    }
}

/// Whether another crate may re-export the trait `wanted` as `written`. To know would take reading all crates that these names come
/// from; such a name nearly always has the trait's own in it, as `StdError` has.
fn may_rename(written: Name, wanted: Name) -> bool {
    written.len() > wanted.len() && written.contains(wanted.as_str())
}
