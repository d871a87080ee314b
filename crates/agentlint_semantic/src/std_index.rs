//! The standard library's items, from the checked-in index, as the build script packed it.

use std::sync::{Arc, LazyLock, OnceLock};

use agentlint_diagnostics::FileId;
use agentlint_syntax::ast::SourceFile;
use agentlint_syntax::packed::{Bytes, Pack};
use rustc_hash::FxHashMap;

use crate::input::CrateFiles;

/// One crate after the other.
const CRATES: [&str; 3] = ["core", "alloc", "std"];

/// Files of the index have numbers of their own, which no loader gives out.
pub(crate) const FIRST_FILE: u32 = u32::MAX - 8;

static PACK: LazyLock<Option<Pack>> =
    LazyLock::new(|| Pack::open(Bytes::Static(include_bytes!(concat!(env!("OUT_DIR"), "/std.facts")))));

static FACTS: [OnceLock<Arc<SourceFile>>; 3] = [const { OnceLock::new() }; 3];

/// Unpacks the facts of std ahead of the first question about them: a thread that has nothing else to do may call it.
pub fn unpack() {
    (0..CRATES.len()).for_each(|which| _ = facts(which));
}

fn facts(which: usize) -> &'static Arc<SourceFile> {
    FACTS[which].get_or_init(|| {
        let facts = PACK.as_ref().and_then(|pack| pack.get(CRATES[which]));
        // The build script wrote it with the same code, and a test reads it.
        Arc::new(facts.unwrap_or_default())
    })
}

pub(crate) fn files(which: usize) -> Arc<CrateFiles> {
    let facts = facts(which);
    let id = FileId(FIRST_FILE + which as u32);
    let facts = FxHashMap::from_iter([(id, Arc::clone(facts))]);
    Arc::new(CrateFiles { root: id, facts, modules: FxHashMap::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_index_holds_all_three_crates() {
        for (which, name) in CRATES.iter().enumerate() {
            let files = files(which);
            assert!(files.facts.values().all(|facts| facts.items.len() > 1000), "{name} is empty");
        }
    }
}
