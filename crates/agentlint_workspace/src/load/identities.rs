//! Numbers for remote crates with all that they depend on: what is found out about a crate holds wherever its number is the same.

use std::hash::{Hash, Hasher};

use agentlint_semantic::input::{CrateGraph, CrateId};
use index_vec::IndexVec;
use rustc_hash::FxHasher;

use super::CrateSource;

/// `None` for members, and for a crate that depends on one or on itself.
pub(super) fn identities(graph: &CrateGraph, sources: &IndexVec<CrateId, CrateSource>) -> IndexVec<CrateId, Option<u64>> {
    let mut identities = Identities { graph, sources, known: sources.iter().map(|_| Known::NotYet).collect() };
    sources.indices().map(|id| identities.of(id)).collect()
}

struct Identities<'a> {
    graph: &'a CrateGraph,
    sources: &'a IndexVec<CrateId, CrateSource>,
    known: IndexVec<CrateId, Known>,
}

#[derive(Clone, Copy)]
enum Known {
    NotYet,
    /// Under way, or it has none.
    Nothing,
    Identity(u64),
}

impl Identities<'_> {
    fn of(&mut self, id: CrateId) -> Option<u64> {
        match self.known.get(id)? {
            Known::Identity(identity) => return Some(*identity),
            Known::Nothing => return None,
            Known::NotYet => self.known[id] = Known::Nothing,
        }
        let source = self.sources.get(id).filter(|source| !source.is_member)?;
        let mut hasher = FxHasher::default();
        // One whose sources are not there has no code to follow.
        source.identity().unwrap_or_default().hash(&mut hasher);
        for (name, dependency) in &self.graph.crates.get(id)?.dependencies {
            (name.as_str(), self.of(*dependency)?).hash(&mut hasher);
        }
        let identity = hasher.finish();
        self.known[id] = Known::Identity(identity);
        Some(identity)
    }
}
