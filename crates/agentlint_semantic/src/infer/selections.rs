//! Which impl a trait reference selects, and whether it holds, kept for all bodies: most questions are asked over and over.

use std::sync::{Arc, PoisonError, RwLock};

use agentlint_syntax::Name;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::solve::Holds;
use crate::def::DefId;
use crate::types::{Args, TraitRef, Ty};

/// Answers for trait references without variables and parameters, which no scope can change.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    /// `None` where no impl applies.
    implementations: RwLock<FxHashMap<TraitRef, Option<DefId>>>,
    holds: RwLock<FxHashMap<TraitRef, bool>>,
    projections: RwLock<FxHashMap<(DefId, Args), Ty>>,
    /// One step of autoderef; `None` where the type derefs to nothing.
    derefs: RwLock<FxHashMap<Ty, Option<Ty>>>,
    methods: RwLock<FxHashMap<MethodKey, Option<(DefId, Args)>>>,
    /// By a trait without arguments and a type: see `Program::candidate_impls`.
    candidates: RwLock<FxHashMap<(DefId, DefId), Arc<[DefId]>>>,
    /// By function and arguments: see `Program::bound_functions`.
    bound_functions: RwLock<FxHashMap<(DefId, Args), Vec<DefId>>>,
}

/// A call on a receiver without variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MethodKey {
    /// The module that it stands in, where that decides what it sees; the crate's root elsewhere.
    pub(super) module: DefId,
    pub(super) receiver: Ty,
    pub(super) method: Name,
    /// The traits in scope that have such a method.
    pub(super) traits: SmallVec<[DefId; 4]>,
}

impl Selections {
    pub(super) fn projection(&self, projection: (DefId, Args)) -> Option<Ty> {
        self.projections.read().unwrap_or_else(PoisonError::into_inner).get(&projection).copied()
    }

    pub(super) fn keep_projection(&self, projection: (DefId, Args), ty: Ty) {
        self.projections.write().unwrap_or_else(PoisonError::into_inner).insert(projection, ty);
    }

    pub(super) fn deref(&self, ty: Ty) -> Option<Option<Ty>> {
        self.derefs.read().unwrap_or_else(PoisonError::into_inner).get(&ty).copied()
    }

    pub(super) fn keep_deref(&self, ty: Ty, target: Option<Ty>) {
        self.derefs.write().unwrap_or_else(PoisonError::into_inner).insert(ty, target);
    }

    pub(super) fn method(&self, call: &MethodKey) -> Option<Option<(DefId, Args)>> {
        self.methods.read().unwrap_or_else(PoisonError::into_inner).get(call).copied()
    }

    pub(crate) fn candidates(&self, key: (DefId, DefId)) -> Option<Arc<[DefId]>> {
        self.candidates.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(crate) fn keep_candidates(&self, key: (DefId, DefId), found: Arc<[DefId]>) {
        self.candidates.write().unwrap_or_else(PoisonError::into_inner).insert(key, found);
    }

    pub(super) fn keep_method(&self, call: MethodKey, picked: Option<(DefId, Args)>) {
        self.methods.write().unwrap_or_else(PoisonError::into_inner).insert(call, picked);
    }

    pub(super) fn implementation(&self, trait_ref: TraitRef) -> Option<Option<DefId>> {
        self.implementations.read().unwrap_or_else(PoisonError::into_inner).get(&trait_ref).copied()
    }

    pub(super) fn keep_implementation(&self, trait_ref: TraitRef, def: Option<DefId>) {
        self.implementations.write().unwrap_or_else(PoisonError::into_inner).insert(trait_ref, def);
    }

    pub(super) fn bound_functions(&self, function: (DefId, Args), find: impl FnOnce() -> Vec<DefId>) -> Vec<DefId> {
        if let Some(found) = self.bound_functions.read().unwrap_or_else(PoisonError::into_inner).get(&function) {
            return found.clone();
        }
        let found = find();
        self.bound_functions.write().unwrap_or_else(PoisonError::into_inner).insert(function, found.clone());
        found
    }

    pub(super) fn holds(&self, trait_ref: TraitRef) -> Option<Holds> {
        let holds = self.holds.read().unwrap_or_else(PoisonError::into_inner).get(&trait_ref).copied();
        holds.map(|holds| if holds { Holds::Yes } else { Holds::No })
    }

    pub(super) fn keep_holds(&self, trait_ref: TraitRef, holds: Holds) {
        // What could not be decided may have run into a limit.
        if holds != Holds::Maybe {
            self.holds.write().unwrap_or_else(PoisonError::into_inner).insert(trait_ref, holds == Holds::Yes);
        }
    }
}
