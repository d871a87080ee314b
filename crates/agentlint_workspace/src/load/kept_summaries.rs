//! What was found of remote crates' functions, kept in the user's cache beside their facts.
//!
//! What a crate's functions do depends on the crate, on all that it depends on, and on what is known of sinks: a file is named by
//! all of these.

use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use agentlint_semantic::input::CrateId;
use index_vec::IndexVec;
use rustc_hash::FxBuildHasher;

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
        sources: &IndexVec<CrateId, CrateSource>,
        identities: &IndexVec<CrateId, Option<u64>>,
        knowledge: u64,
    ) -> SummaryFiles {
        let Some(folder) = folder else { return SummaryFiles { files: IndexVec::new() } };
        let files = sources.iter_enumerated().map(|(id, source)| {
            let identity = (*identities.get(id)?)?;
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
