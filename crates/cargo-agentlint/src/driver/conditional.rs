//! Which files stand under a `cfg`, so that this run may not have seen what is in them.

use std::collections::HashSet;
use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_semantic::input::CrateFiles;
use agentlint_syntax::ast::{Item, ItemId, SourceFile};

/// Files whose `mod`, or a module around it, or the file that it stands in, has a `cfg`.
pub(super) fn files(crates: &[Arc<CrateFiles>]) -> HashSet<FileId> {
    let mut conditional = HashSet::new();
    for files in crates {
        loop {
            let before = conditional.len();
            for ((declaring, item), file) in &files.modules {
                let Some(facts) = files.facts.get(declaring) else { continue };
                if conditional.contains(declaring) || facts.cfg.is_some() || is_conditional(facts, *item) {
                    conditional.insert(*file);
                }
            }
            if conditional.len() == before {
                break;
            }
        }
    }
    conditional
}

fn is_conditional(facts: &SourceFile, id: ItemId) -> bool {
    let Some(module) = facts.items.get(id) else { return false };
    let is_around = |item: &&Item| item.span.covers(module.span);
    facts.items.iter().filter(is_around).any(|item| item.cfg.is_some())
}
