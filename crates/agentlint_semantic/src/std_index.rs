//! The standard library's items, from the checked-in index.

use std::sync::{Arc, OnceLock};

use agentlint_diagnostics::FileId;
use agentlint_syntax::ast::SourceFile;
use rustc_hash::FxHashMap;

use crate::input::CrateFiles;

/// The index as text, one crate after the other: core, alloc, std.
const TEXTS: [&str; 3] =
    [include_str!("../std_index/core.rs"), include_str!("../std_index/alloc.rs"), include_str!("../std_index/std.rs")];

/// Files of the index have numbers of their own, which no loader gives out.
pub(crate) const FIRST_FILE: u32 = u32::MAX - 8;

static FACTS: [OnceLock<Arc<SourceFile>>; 3] = [const { OnceLock::new() }; 3];

pub(crate) fn files(which: usize) -> Arc<CrateFiles> {
    let facts = FACTS[which].get_or_init(|| Arc::new(parse(which)));
    let id = FileId(FIRST_FILE + which as u32);
    let facts = FxHashMap::from_iter([(id, Arc::clone(facts))]);
    Arc::new(CrateFiles { root: id, facts, modules: FxHashMap::default() })
}

fn parse(which: usize) -> SourceFile {
    agentlint_syntax::parse(TEXTS[which], &agentlint_syntax::ParseOptions { bodies: agentlint_syntax::Bodies::Skip })
}
