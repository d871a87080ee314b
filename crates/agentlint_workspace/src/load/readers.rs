//! The threads that parse dependencies. They are started when the first is to be parsed: most runs have all of them in the cache.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};

use rayon::ThreadPool;

use super::thread_pool;

#[derive(Debug)]
pub(super) struct Readers {
    threads: usize,
    /// `None` where the system gives no more threads.
    pool: OnceLock<Option<Arc<ThreadPool>>>,
}

impl Readers {
    pub(super) fn new(threads: usize) -> Readers {
        Readers { threads, pool: OnceLock::new() }
    }

    /// Whether they were needed, and the system gave no threads for them.
    pub(super) fn are_missing(&self) -> bool {
        self.pool.get().is_some_and(Option::is_none)
    }

    /// Whether the present thread is one of them.
    pub(super) fn are_here(&self) -> bool {
        self.pool.get().and_then(Option::as_ref).is_some_and(|pool| pool.current_thread_index().is_some())
    }

    /// Runs `work` where the stack is deep enough. A panic in it gives `None`, and so does a system without threads.
    ///
    /// The caller may be a worker of another pool. It must sleep here, not steal work as `install` would let it: stolen work could
    /// ask for the very crate that is being read, and would wait for itself.
    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        if self.are_here() {
            return work();
        }
        let pool = self.pool.get_or_init(|| thread_pool("reader", Some(self.threads)).ok()).as_ref()?;
        let (sender, receiver) = sync_channel(1);
        pool.spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or(None);
            // Nobody waits any more where the run was given up.
            let _ = sender.send(done);
        });
        receiver.recv().ok().flatten()
    }
}
