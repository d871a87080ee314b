//! Files that belong to no package: which of them are crates of their own, and which are modules of another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentlint_semantic::input::CfgOptions;
use agentlint_syntax::Bodies;
use agentlint_syntax::ast::{ItemKind, SourceFile};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::graph::LooseCrate;
use crate::load::modules::{ModuleFolder, declared_modules};
use crate::load::{CrateSource, reached_files};
use crate::paths;
use crate::sources::{Reading, Sources};
use crate::target_cfg::{BUILT_FOR, base_options};

/// The crates among `files`, those with a root's name first. To be run on threads that can parse.
pub(crate) fn loose_crates(files: &BTreeSet<PathBuf>, sources: &Sources) -> Vec<LooseCrate> {
    let cfg = base_options(BUILT_FOR, &[]);
    let mut boundaries: BTreeMap<&Path, PathBuf> = BTreeMap::new();
    for folder in files.iter().filter_map(|file| file.parent()) {
        boundaries.entry(folder).or_insert_with(|| paths::boundary(folder));
    }
    // Without a repository, the modules of a crate may still lie in neighbouring folders that the user named.
    let boundary = |file: &Path| {
        let own = file.parent().and_then(|folder| boundaries.get(folder)).cloned().unwrap_or_default();
        boundaries.values().filter(|other| own.starts_with(other)).min().cloned().unwrap_or(own)
    };
    let mut files: Vec<Loose> = files.par_iter().map(|path| Loose::read(path, boundary(path), sources)).collect();
    files.sort_by_key(|file| (rank(&file.path), file.path.clone()));

    let declared: FxHashSet<PathBuf> = files.par_iter().flat_map_iter(|file| file.modules(&cfg)).collect();
    let (inner, outer): (Vec<Loose>, Vec<Loose>) = files.into_iter().partition(|file| declared.contains(&file.path));
    let mut crates = Vec::new();
    let mut reached: FxHashSet<PathBuf> = FxHashSet::default();
    // Files that declare each other in a circle are left for the end.
    for file in outer.into_iter().chain(inner) {
        if !reached.contains(&file.real) {
            reached.extend(reached_files(sources, &file.source(&cfg)));
            crates.push(LooseCrate { has_main: has_main(&file.facts), root: file.path, boundary: file.boundary });
        }
    }
    crates
}

struct Loose {
    path: PathBuf,
    real: PathBuf,
    boundary: PathBuf,
    facts: Arc<SourceFile>,
}

impl Loose {
    fn read(path: &Path, boundary: PathBuf, sources: &Sources) -> Loose {
        let (slot, file) = sources.parse(path, Reading { bodies: Bodies::Full, is_member: true, boundary: Some(&boundary) });
        Loose { path: path.to_path_buf(), real: slot.real.clone(), facts: Arc::clone(&file.facts), boundary }
    }

    /// The files behind its modules, whether it is a crate root or itself a module.
    fn modules(&self, cfg: &CfgOptions) -> Vec<PathBuf> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut folders = vec![ModuleFolder::of_root(&self.path)];
        if rank(&self.path) > 0 {
            folders.push(ModuleFolder::of_named(&self.path, &stem));
        }
        let declared = folders.iter().flat_map(|folder| declared_modules(&self.facts, folder, cfg));
        declared.filter_map(|module| module.found).map(|(path, _)| path).filter(|path| *path != self.path).collect()
    }

    fn source(&self, cfg: &CfgOptions) -> CrateSource {
        CrateSource::new(self.path.clone(), cfg.clone(), true, Some(self.boundary.clone()))
    }
}

fn rank(path: &Path) -> u8 {
    let name = path.file_name().unwrap_or_default();
    u8::from(!["main.rs", "lib.rs", "mod.rs"].iter().any(|root| name == *root))
}

fn has_main(facts: &SourceFile) -> bool {
    let items = facts.root.iter().filter_map(|id| facts.items.get(*id));
    items.into_iter().any(|item| matches!(item.kind, ItemKind::Function(_)) && item.name == "main")
}
