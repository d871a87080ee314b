//! Impl tables: which impls there are for a trait or a type, found by the head of the self type.

use rustc_hash::FxHashMap;

use agentlint_syntax::{
    Name,
    ast::{ItemKind, Path},
};

use crate::def::{DefId, DefKind};
use crate::input::CrateId;
use crate::names::{Namespace, Resolution};
use crate::program::Program;
use crate::types::{Head, TraitRef, Ty, TyKind};

/// The impls of one crate.
#[derive(Debug, Default)]
pub(crate) struct CrateImpls {
    inherent: FxHashMap<Head, Vec<DefId>>,
    by_trait: FxHashMap<DefId, TraitImpls>,
    /// Derives: the trait and the type.
    derived: FxHashMap<(DefId, DefId), ()>,
}

/// The impls of one trait in one crate.
#[derive(Debug, Default)]
struct TraitImpls {
    by_head: FxHashMap<Head, Vec<DefId>>,
    /// On a parameter or a projection: they may match anything.
    blanket: Vec<DefId>,
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
    fn impls_of(&self, krate: CrateId) -> &CrateImpls {
        let model = self.krate(krate);
        if let Some(known) = model.impls.get() {
            return known;
        }
        let built = self.build_impls(krate);
        model.impls.get_or_init(|| built)
    }

    fn build_impls(&self, krate: CrateId) -> CrateImpls {
        let mut out = CrateImpls::default();
        let defs = &self.krate(krate).defs;
        for def in &defs.impls {
            let Some(ItemKind::Impl(declared)) = self.item(*def).map(|item| &item.kind) else { continue };
            if declared.header.is_negative {
                continue;
            }
            let self_ty = self.impl_self_ty(*def);
            let head = self_ty.head();
            match &declared.header.trait_path {
                None => {
                    if let Some(head) = head {
                        out.inherent.entry(head).or_default().push(*def);
                    }
                }
                Some(path) => {
                    let Some(trait_def) = self.resolve_trait(*def, path) else { continue };
                    let table = out.by_trait.entry(trait_def).or_default();
                    match head {
                        Some(head) => table.by_head.entry(head).or_default().push(*def),
                        None if self_ty.is_unknown() => {}
                        None => table.blanket.push(*def),
                    }
                }
            }
        }
        for (index, data) in defs.defs.iter().enumerate() {
            let def = DefId { krate, index: index as u32 };
            let derives = match (data.kind, self.item(def).map(|item| &item.kind)) {
                (DefKind::Struct, Some(ItemKind::Struct(declared))) => &declared.derives,
                (DefKind::Enum, Some(ItemKind::Enum(declared))) => &declared.derives,
                _ => continue,
            };
            for path in derives {
                if let Some(trait_def) = self.resolve_trait(def, path) {
                    out.derived.insert((trait_def, def), ());
                }
            }
        }
        out
    }

    fn resolve_trait(&self, from: DefId, path: &Path) -> Option<DefId> {
        let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
        let found = self.resolve_path(self.def(from).module, &names, path.leading_colon, Namespace::Type)?;
        match found.to {
            Resolution::Def(def) if found.used == names.len() && self.kind(def) == DefKind::Trait => Some(def),
            _ => None,
        }
    }

    /// Whether the type derives the trait.
    pub(crate) fn derives(&self, adt: DefId, trait_def: DefId) -> bool {
        self.impls_of(adt.krate).derived.contains_key(&(trait_def, adt))
    }

    /// Inherent impls for types with that head. They stand in the type's own crate, or in std for primitive types.
    pub fn inherent_impls(&self, head: Head) -> Vec<DefId> {
        let mut found = Vec::new();
        let crates: Vec<CrateId> = match head {
            Head::Adt(def) | Head::Dyn(def) if !self.is_std(def.krate) => vec![def.krate],
            _ => (0..3).map(|which| self.std_crate(which)).collect(),
        };
        for krate in crates {
            found.extend(self.impls_of(krate).inherent.get(&head).into_iter().flatten().copied());
        }
        found
    }

    /// The impls that may apply to `trait_ref`, whose self type is resolved as far as it can be. By the orphan rule they stand in
    /// the trait's crate or in that of a type among its arguments.
    pub(crate) fn candidate_impls(&self, trait_ref: TraitRef) -> Vec<DefId> {
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
        for ty in trait_ref.args.iter() {
            self.crates_in(*ty, &mut add, 0);
        }
        let head = trait_ref.self_ty().head();
        let mut found = Vec::new();
        for krate in crates {
            let Some(table) = self.impls_of(krate).by_trait.get(&trait_ref.trait_def) else { continue };
            match head {
                Some(head) => found.extend(table.by_head.get(&head).into_iter().flatten().copied()),
                None => {
                    if matches!(trait_ref.self_ty().kind(), TyKind::Var(_)) {
                        let mut all: Vec<DefId> = table.by_head.values().flatten().copied().collect();
                        all.sort();
                        found.extend(all);
                    }
                }
            }
            found.extend(table.blanket.iter().copied());
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
            if let Some(table) = self.impls_of(krate).by_trait.get(&trait_def) {
                found.extend(table.by_head.values().flatten().chain(&table.blanket).copied());
            }
        }
        found.sort();
        found
    }
}

impl Program<'_> {
    /// The type whose `derive` made the method that a call of a trait's function with these arguments runs.
    pub fn derived_for(&self, def: DefId, list: &[Ty]) -> Option<DefId> {
        let trait_def = self.container(def).filter(|holder| self.kind(*holder) == DefKind::Trait)?;
        match *list.first()?.kind() {
            TyKind::Adt(adt, _) if self.derives(adt, trait_def) => Some(adt),
            _ => None,
        }
    }

    /// The trait impls that the type's own crate has for it.
    pub fn trait_impls_on(&self, head: Head) -> Vec<DefId> {
        let Head::Adt(def) = head else { return Vec::new() };
        let mut found: Vec<DefId> =
            self.impls_of(def.krate).by_trait.values().filter_map(|table| table.by_head.get(&head)).flatten().copied().collect();
        found.sort();
        found
    }
}
