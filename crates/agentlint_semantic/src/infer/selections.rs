//! Which impl a trait reference selects, and whether it holds, kept for all bodies: most questions are asked over and over.

use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use agentlint_syntax::Name;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::solve::Holds;
use crate::def::DefId;
use crate::types::{Args, Head, TraitRef, Ty};

/// Answers by question.
#[derive(Debug)]
struct Answers<K, V>(RwLock<FxHashMap<K, V>>);

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Answers(RwLock::default())
    }
}

impl<K: Hash + Eq, V: Clone> Answers<K, V> {
    fn get(&self, question: &K) -> Option<V> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    fn keep(&self, question: K, answer: V) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(question, answer);
    }
}

/// Answers for trait references without variables and parameters, which no scope can change. How deep inside others a question was
/// asked is a part of it: deeper down an answer may run into the limit. Bodies that take too many steps must not leave any.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    /// `None` where no impl applies.
    implementations: Answers<(TraitRef, u32), Option<DefId>>,
    holds: Answers<(TraitRef, u32), Holds>,
    projections: Answers<(DefId, Args, u32), Ty>,
    /// One step of autoderef; `None` where the type derefs to nothing.
    derefs: Answers<Ty, Option<Ty>>,
    methods: Answers<MethodKey, Option<(DefId, Args)>>,
    /// By a trait without arguments and a type: see `Program::candidate_impls`.
    candidates: Answers<(DefId, DefId), Arc<[DefId]>>,
    /// The methods of a name that inherent impls have for types with that head, whoever may use them.
    inherent: Answers<(Head, Name), Arc<[OfImpl]>>,
    /// By function and arguments: see `Program::bound_functions`.
    bound_functions: Answers<(DefId, Args), Vec<DefId>>,
}

/// A method and the impl that holds it.
pub(super) type OfImpl = (DefId, DefId);

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
    pub(super) fn projection(&self, (assoc, list): (DefId, Args), depth: u32) -> Option<Ty> {
        self.projections.get(&(assoc, list, depth))
    }

    pub(super) fn keep_projection(&self, (assoc, list): (DefId, Args), depth: u32, ty: Ty) {
        self.projections.keep((assoc, list, depth), ty);
    }

    pub(super) fn deref(&self, ty: Ty) -> Option<Option<Ty>> {
        self.derefs.get(&ty)
    }

    pub(super) fn keep_deref(&self, ty: Ty, target: Option<Ty>) {
        self.derefs.keep(ty, target);
    }

    pub(super) fn method(&self, call: &MethodKey) -> Option<Option<(DefId, Args)>> {
        self.methods.get(call)
    }

    pub(crate) fn candidates(&self, key: (DefId, DefId)) -> Option<Arc<[DefId]>> {
        self.candidates.get(&key)
    }

    pub(crate) fn keep_candidates(&self, key: (DefId, DefId), found: Arc<[DefId]>) {
        self.candidates.keep(key, found);
    }

    pub(super) fn inherent(&self, key: (Head, Name), find: impl FnOnce() -> Vec<OfImpl>) -> Arc<[OfImpl]> {
        if let Some(found) = self.inherent.get(&key) {
            return found;
        }
        let found: Arc<[OfImpl]> = find().into();
        self.inherent.keep(key, Arc::clone(&found));
        found
    }

    pub(super) fn keep_method(&self, call: MethodKey, picked: Option<(DefId, Args)>) {
        self.methods.keep(call, picked);
    }

    pub(super) fn implementation(&self, trait_ref: TraitRef, depth: u32) -> Option<Option<DefId>> {
        self.implementations.get(&(trait_ref, depth))
    }

    pub(super) fn keep_implementation(&self, trait_ref: TraitRef, depth: u32, def: Option<DefId>) {
        self.implementations.keep((trait_ref, depth), def);
    }

    pub(super) fn bound_functions(&self, function: (DefId, Args), find: impl FnOnce() -> Vec<DefId>) -> Vec<DefId> {
        if let Some(found) = self.bound_functions.get(&function) {
            return found;
        }
        let found = find();
        self.bound_functions.keep(function, found.clone());
        found
    }

    pub(super) fn holds(&self, trait_ref: TraitRef, depth: u32) -> Option<Holds> {
        self.holds.get(&(trait_ref, depth))
    }

    pub(super) fn keep_holds(&self, trait_ref: TraitRef, depth: u32, holds: Holds) {
        self.holds.keep((trait_ref, depth), holds);
    }
}
