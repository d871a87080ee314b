//! Obligations that wait for more to be known, and when they are tried again.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::solve::{Obligation, Solver};
use crate::def::DefId;
use crate::types::{Args, Ty};

/// So many pending obligations are looked through without merging them.
pub(super) const FEW: usize = 128;

/// An obligation that waits, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    obligation: Obligation,
    /// The variables that were free when it was last tried: as long as all of them still are, nothing more can come of it.
    /// `None` before it was tried.
    stalled_on: Option<Vec<u32>>,
}

impl From<Obligation> for Pending {
    fn from(obligation: Obligation) -> Pending {
        Pending { obligation, stalled_on: None }
    }
}

impl Solver<'_, '_> {
    /// What is pending.
    pub(super) fn obligations(&self) -> Vec<Obligation> {
        self.pending.iter().map(|pending| pending.obligation).collect()
    }

    /// Works on what is pending until nothing more comes of it.
    pub(crate) fn select_pending(&mut self) {
        for _ in 0..64 {
            if self.pending.len() > self.merge_at {
                self.merge_pending();
                self.merge_at = FEW.max(2 * self.pending.len());
            }
            let pending = std::mem::take(&mut self.pending);
            if pending.is_empty() {
                return;
            }
            let mut progress = false;
            for Pending { obligation, stalled_on } in pending {
                if let Some(vars) = &stalled_on
                    && vars.iter().all(|var| self.table.is_free(*var))
                {
                    self.pending.push(Pending { obligation, stalled_on });
                    continue;
                }
                let done = match obligation {
                    Obligation::Trait(trait_ref) => self.process_trait(trait_ref),
                    Obligation::Projection { assoc, args, ty } => self.process_projection(assoc, args, ty),
                };
                if done {
                    progress = true;
                } else {
                    let stalled_on = Some(self.free_vars(&obligation));
                    self.pending.push(Pending { obligation, stalled_on });
                }
            }
            if !progress {
                return;
            }
        }
    }

    /// Obligations that have become the same are kept once, and what the same projection shall equal is made equal. Types built by
    /// combinators ask the same questions again with every step.
    fn merge_pending(&mut self) {
        let mut traits = FxHashSet::default();
        let mut projections: FxHashMap<(DefId, Args), Ty> = FxHashMap::default();
        for pending in std::mem::take(&mut self.pending) {
            let is_new = match pending.obligation {
                Obligation::Trait(trait_ref) => traits.insert(self.resolve_trait_ref(trait_ref)),
                Obligation::Projection { assoc, args, ty } => match projections.entry((assoc, self.resolve_args(args))) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(ty);
                        true
                    }
                    Entry::Occupied(known) => {
                        self.unify(*known.get(), ty);
                        false
                    }
                },
            };
            if is_new {
                self.pending.push(pending);
            }
        }
    }

    /// The variables that an obligation may be waiting for. What it shall equal decides nothing for a projection.
    fn free_vars(&self, obligation: &Obligation) -> Vec<u32> {
        let list = match obligation {
            Obligation::Trait(trait_ref) => trait_ref.args,
            Obligation::Projection { args, .. } => *args,
        };
        let mut vars = Vec::new();
        list.iter().for_each(|ty| self.table.free_vars(*ty, &mut vars));
        vars
    }
}
