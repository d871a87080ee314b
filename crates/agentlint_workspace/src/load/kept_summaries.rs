//! What was found of remote crates' functions, kept in the user's cache beside their facts.
//!
//! What a crate's functions do depends on the crate, on all that it depends on, and on what is known of sinks: a file is named by
//! all of these.

use std::hash::{BuildHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use agentlint_semantic::input::{CrateGraph, CrateId};
use index_vec::IndexVec;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::CrateSource;
use crate::atomic_write::atomic_write;

/// A checksum stands before the summaries.
const CHECKSUM: usize = 4;

/// Where the summaries of one run's dependencies lie.
#[derive(Debug)]
pub struct SummaryFiles {
    /// `None` for members, and where nothing can be kept.
    files: IndexVec<CrateId, Option<PathBuf>>,
}

impl SummaryFiles {
    pub(super) fn new(
        folder: Option<&Path>,
        graph: &CrateGraph,
        sources: &IndexVec<CrateId, CrateSource>,
        knowledge: u64,
    ) -> SummaryFiles {
        let Some(folder) = folder else { return SummaryFiles { files: IndexVec::new() } };
        let mut identities = Identities { graph, sources, known: sources.iter().map(|_| Known::NotYet).collect() };
        let files = sources.iter_enumerated().map(|(id, source)| {
            let identity = identities.of(id)?;
            let name = FxBuildHasher.hash_one((identity, knowledge));
            Some(folder.join(format!("{}-{name:016x}.summaries", source.package())))
        });
        SummaryFiles { files: files.collect() }
    }

    /// `None` where nothing is kept of the crate, and where it is damaged.
    pub fn load(&self, krate: CrateId) -> Option<Vec<u8>> {
        let all = std::fs::read(self.files.get(krate)?.as_ref()?).ok()?;
        let (checksum, kept) = all.split_first_chunk::<CHECKSUM>()?;
        (crc32fast::hash(kept) == u32::from_le_bytes(*checksum)).then(|| kept.to_vec())
    }

    /// Replaces what is kept of the crate. A file that cannot be written costs time in the next run, nothing else.
    pub fn keep(&self, krate: CrateId, summaries: &[u8]) {
        let Some(Some(file)) = self.files.get(krate) else { return };
        let mut bytes = Vec::with_capacity(CHECKSUM + summaries.len());
        bytes.extend(crc32fast::hash(summaries).to_le_bytes());
        bytes.extend(summaries);
        if file.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
            let _ = atomic_write(file, &bytes);
        }
    }
}

/// A number for a crate with all that it depends on.
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
    /// `None` for members, and for a crate that depends on one or on itself.
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
