//! Reads crates: the root file and every file that its module tree reaches.

pub(crate) mod modules;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};

use agentlint_diagnostics::Diagnostic;
use agentlint_semantic::input::{CfgOptions, CrateFiles, CrateId, Loader};
use agentlint_syntax::STACK_SIZE;
use index_vec::IndexVec;
use rayon::ThreadPool;

use crate::error::WorkspaceError;
use crate::sources::Sources;
use walk::{Problems, walk};
pub(crate) use walk::{prefetch, reached_files};

/// Where a crate of the graph comes from; same index as its node.
#[derive(Clone, Debug)]
pub(crate) struct CrateSource {
    /// Empty where the sources are not on this machine.
    pub(crate) root: PathBuf,
    pub(crate) cfg: CfgOptions,
    /// Its bodies are read, its text is kept, and what is wrong with its files is reported.
    pub(crate) is_member: bool,
    /// See [`crate::sources::Reading`].
    pub(crate) boundary: Option<PathBuf>,
}

/// The loader of real runs. Members are read when it is made, dependencies when they are asked for.
#[derive(Debug)]
pub struct DiskLoader {
    shared: Arc<Shared>,
    crates: IndexVec<CrateId, OnceLock<Option<Arc<CrateFiles>>>>,
    pool: Arc<ThreadPool>,
}

#[derive(Debug)]
struct Shared {
    sources: Arc<Sources>,
    crates: IndexVec<CrateId, CrateSource>,
}

impl DiskLoader {
    /// Reads the members' files in parallel; what was wrong with them comes back beside the loader.
    pub(crate) fn open(
        sources: Arc<Sources>,
        crates: IndexVec<CrateId, CrateSource>,
        pool: Arc<ThreadPool>,
    ) -> (DiskLoader, Vec<Diagnostic>) {
        let members = || crates.iter_enumerated().filter(|(_, source)| source.is_member);
        let slots: IndexVec<CrateId, OnceLock<_>> = crates.iter().map(|_| OnceLock::new()).collect();
        let mut problems = Problems::default();
        pool.install(|| {
            prefetch(&sources, members().map(|(_, source)| source));
            // One after the other, so that files are numbered alike in every run.
            for (id, source) in members() {
                let files = walk(&sources, source, &mut problems).map(Arc::new);
                slots[id].get_or_init(|| files);
            }
        });
        (DiskLoader { shared: Arc::new(Shared { sources, crates }), crates: slots, pool }, problems.found)
    }

    pub fn sources(&self) -> &Arc<Sources> {
        &self.shared.sources
    }

    /// The threads that parse. Their stacks are deep enough for any file that the parser accepts.
    pub fn pool(&self) -> &Arc<ThreadPool> {
        &self.pool
    }

    /// Whether the crate's root file is there, without reading it.
    pub fn has_sources(&self, id: CrateId) -> bool {
        self.shared.crates.get(id).is_some_and(|source| source.root.is_file())
    }

    fn read(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        if self.pool.current_thread_index().is_some() {
            return self.shared.read(id);
        }
        // The caller may be a worker of another pool. It must sleep here, not steal work as `install` would let it: stolen
        // work could ask for this very crate, and would wait for itself.
        let (sender, receiver) = sync_channel(1);
        let shared = Arc::clone(&self.shared);
        self.pool.spawn(move || {
            let files = catch_unwind(AssertUnwindSafe(|| {
                prefetch(&shared.sources, shared.crates.get(id));
                shared.read(id)
            }));
            // Nobody waits any more where the run was given up.
            let _ = sender.send(files.unwrap_or(None));
        });
        receiver.recv().ok().flatten()
    }
}

impl Shared {
    /// On this thread alone.
    fn read(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        walk(&self.sources, self.crates.get(id)?, &mut Problems::default()).map(Arc::new)
    }
}

impl Loader for DiskLoader {
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.crates.get(id)?.get_or_init(|| self.read(id)).clone()
    }
}

/// A pool whose threads can parse.
pub(crate) fn thread_pool(threads: Option<usize>) -> Result<Arc<ThreadPool>, WorkspaceError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .thread_name(|index| format!("agentlint-{index}"))
        .stack_size(STACK_SIZE)
        .build()
        .map(Arc::new)
        .map_err(|error| WorkspaceError::Threads { reason: error.to_string() })
}
