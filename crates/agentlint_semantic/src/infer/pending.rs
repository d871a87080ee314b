//! Obligations that wait for more to be known, and when they are tried again.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::solve::{Obligation, Solver};
use super::table::FreeVars;
use crate::def::DefId;
use crate::types::{Args, Ty};

/// So many pending obligations are looked through without merging them.
pub(super) const FEW: usize = 128;

/// An obligation that waits, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    obligation: Obligation,
    /// The variables that were free when it was last tried: as long as nothing more is known of them, nothing can come of it. `None`
    /// before it was tried.
    stalled_on: Option<FreeVars>,
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
            for Pending { obligation, mut stalled_on } in pending {
                if stalled_on.as_mut().is_some_and(|vars| self.table.are_as_free(vars)) {
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
    fn free_vars(&self, obligation: &Obligation) -> FreeVars {
        let list = match obligation {
            Obligation::Trait(trait_ref) => trait_ref.args,
            Obligation::Projection { args, .. } => *args,
        };
        self.table.free_vars(&list)
    }
}
