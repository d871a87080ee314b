//! What remote crates define, and what names mean in their modules, kept in the user's cache beside their facts.
//!
//! A crate's macros, and with them what it defines, come from all that it depends on: a file is named by all of it, and by the code
//! that made it. It names the crate's files by numbers, which hold for one reading of them.

use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use agentlint_semantic::input::{CfgOptions, CrateId, Kept};
use agentlint_syntax::packed::{Bytes, Pack};
use index_vec::IndexVec;
use rustc_hash::FxBuildHasher;

use super::{CrateSource, cfg_number};
use crate::atomic_write::atomic_write;

/// What stands before the pack: a checksum of all that follows it, and the reading.
const CHECKSUM: usize = 4;
const READING: usize = 8;

/// Where the definitions of one run's dependencies lie.
#[derive(Debug)]
pub(super) struct DefinitionFiles {
    /// `None` for members, and where nothing can be kept.
    files: IndexVec<CrateId, Option<PathBuf>>,
    folder: Option<PathBuf>,
}

impl DefinitionFiles {
    pub(super) fn new(
        folder: Option<&Path>,
        sources: &IndexVec<CrateId, CrateSource>,
        identities: &IndexVec<CrateId, Option<u64>>,
    ) -> DefinitionFiles {
        let Some(folder) = folder else { return DefinitionFiles { files: IndexVec::new(), folder: None } };
        let files = sources.iter_enumerated().map(|(id, source)| {
            let name = FxBuildHasher.hash_one(((*identities.get(id)?)?, agentlint_semantic::FORM));
            Some(folder.join(format!("{}-{name:016x}.{}", source.package(), extension(Kept::Definitions))))
        });
        DefinitionFiles { files: files.collect(), folder: Some(folder.to_path_buf()) }
    }

    /// `None` where nothing is kept of the crate for this reading of its files, and where it is damaged.
    pub(super) fn load(&self, krate: CrateId, what: Kept, reading: u64) -> Option<Pack> {
        load(&self.files.get(krate)?.as_ref()?.with_extension(extension(what)), reading)
    }

    /// Replaces what is kept of the crate. A file that cannot be written costs time in the next run, nothing else.
    pub(super) fn keep(&self, krate: CrateId, what: Kept, reading: u64, pack: &[u8]) {
        if let Some(Some(file)) = self.files.get(krate) {
            keep(&file.with_extension(extension(what)), reading, pack);
        }
    }

    /// A crate of std has one reading: its files are part of the program, which the name stands for.
    pub(super) fn load_std(&self, what: Kept, name: &str, cfg: &CfgOptions) -> Option<Pack> {
        load(&self.std_file(what, name, cfg)?, 0)
    }

    pub(super) fn keep_std(&self, what: Kept, name: &str, cfg: &CfgOptions, pack: &[u8]) {
        if let Some(file) = self.std_file(what, name, cfg) {
            keep(&file, 0, pack);
        }
    }

    fn std_file(&self, what: Kept, name: &str, cfg: &CfgOptions) -> Option<PathBuf> {
        let identity = FxBuildHasher.hash_one((cfg_number(cfg), agentlint_semantic::FORM));
        Some(self.folder.as_ref()?.join(format!("{name}-{identity:016x}.{}", extension(what))))
    }
}

fn extension(what: Kept) -> &'static str {
    match what {
        Kept::Definitions => "definitions",
        Kept::Names => "names",
    }
}

fn load(file: &Path, reading: u64) -> Option<Pack> {
    let all = std::fs::read(file).ok()?;
    let (checksum, kept) = all.split_first_chunk::<CHECKSUM>()?;
    let (of, _) = kept.split_first_chunk::<READING>()?;
    let is_whole = crc32fast::hash(kept) == u32::from_le_bytes(*checksum) && u64::from_le_bytes(*of) == reading;
    is_whole.then_some(())?;
    Pack::open(Bytes::Owned { all, start: CHECKSUM + READING })
}

fn keep(file: &Path, reading: u64, pack: &[u8]) {
    let mut bytes = vec![0; CHECKSUM];
    bytes.extend(reading.to_le_bytes());
    bytes.extend(pack);
    let checksum = crc32fast::hash(&bytes[CHECKSUM..]);
    bytes[..CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    if file.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
        let _ = atomic_write(file, &bytes);
    }
}
