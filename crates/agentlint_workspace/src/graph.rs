//! Makes the crate graph: one node per target of a member, one per dependency's library, the same numbers in every run.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use agentlint_semantic::input::{CfgOptions, CrateGraph, CrateId, CrateKind, CrateNode, Edition};
use agentlint_syntax::{Name, name};
use index_vec::IndexVec;

use crate::load::CrateSource;
use crate::paths;
use crate::project::{Dependency, Origin, Package, Project, Target, TargetKind, edition};
use crate::target_cfg::{BUILT_FOR, base_options};

/// A project and what of it takes part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen<'a> {
    pub(crate) project: &'a Project,
    /// Tests, examples, benches and build scripts too, and `cfg(test)` holds.
    pub(crate) all_targets: bool,
}

/// A file that belongs to no package.
#[derive(Clone, Debug)]
pub(crate) struct LooseCrate {
    pub(crate) root: PathBuf,
    pub(crate) has_main: bool,
    pub(crate) boundary: PathBuf,
}

/// The graph, and where its crates come from.
#[derive(Debug, Default)]
pub(crate) struct Built {
    pub(crate) graph: CrateGraph,
    pub(crate) sources: IndexVec<CrateId, CrateSource>,
    /// Which package of which project each crate belongs to; `None` for loose files.
    pub(crate) owners: IndexVec<CrateId, Option<(usize, usize)>>,
}

/// Loose files use the newest edition: it understands most.
const LOOSE_EDITION: Edition = Edition::E2024;

pub(crate) fn build(chosen: &[Chosen<'_>], loose: &[LooseCrate], all_targets: bool) -> Built {
    let base = |chosen: &Chosen<'_>| base_options(&chosen.project.triple, &chosen.project.extra_cfg);
    let mut builder = Builder {
        chosen,
        base: chosen.iter().map(base).collect(),
        built: Built::default(),
        libraries: BTreeMap::new(),
        by_key: BTreeMap::new(),
    };
    let nodes = builder.add_own_targets();
    for file in loose {
        builder.add_loose(file, all_targets);
    }
    let remote = builder.add_remote(&nodes);
    for (id, at, target) in nodes.into_iter().chain(remote) {
        builder.built.graph.crates[id].dependencies = builder.dependencies(at, target.kind);
    }
    builder.built
}

/// A package: by project, and by its place there.
type At = (usize, usize);

struct Builder<'a> {
    chosen: &'a [Chosen<'a>],
    /// What holds for every crate of a project.
    base: Vec<CfgOptions>,
    built: Built,
    libraries: BTreeMap<At, CrateId>,
    /// One package may take part in several projects.
    by_key: BTreeMap<&'a str, CrateId>,
}

impl<'a> Builder<'a> {
    fn package(&self, at: At) -> &'a Package {
        &self.chosen[at.0].project.packages[at.1]
    }

    /// Members and path dependencies.
    fn add_own_targets(&mut self) -> Vec<(CrateId, At, &'a Target)> {
        let mut own: Vec<(At, &Target)> = Vec::new();
        for (project, chosen) in self.chosen.iter().enumerate() {
            let packages = chosen.project.packages.iter().enumerate().filter(|(_, package)| package.origin != Origin::Remote);
            for (package, content) in packages {
                let targets = content.targets.iter().filter(|target| chosen.all_targets || by_default(target.kind));
                own.extend(targets.map(|target| ((project, package), target)));
            }
        }
        own.sort_by_key(|(at, target)| {
            let package = self.package(*at);
            (&package.name, &package.version, &package.manifest, target.kind, &target.name, package.origin == Origin::Local)
        });
        let mut nodes = Vec::new();
        for (at, target) in own {
            let known = target.kind <= TargetKind::ProcMacro;
            if known && let Some(id) = self.by_key.get(self.package(at).key.as_str()) {
                self.libraries.insert(at, *id);
                continue;
            }
            nodes.push((self.add(at, target), at, target));
        }
        nodes
    }

    /// The libraries that `nodes` reach, themselves reached through libraries only.
    fn add_remote(&mut self, nodes: &[(CrateId, At, &'a Target)]) -> Vec<(CrateId, At, &'a Target)> {
        let mut reached: BTreeMap<(&str, &str, &str), At> = BTreeMap::new();
        let mut open: VecDeque<(At, TargetKind)> = nodes.iter().map(|(_, at, target)| (*at, target.kind)).collect();
        while let Some((at, kind)) = open.pop_front() {
            for dependency in self.used(at, kind) {
                let to = (at.0, dependency.package);
                let package = self.package(to);
                if package.origin != Origin::Remote {
                    continue;
                }
                let key = (package.name.as_str(), package.version.as_str(), package.key.as_str());
                if let Entry::Vacant(vacant) = reached.entry(key) {
                    vacant.insert(to);
                    open.push_back((to, TargetKind::Library));
                }
            }
        }
        let targets = reached.into_values().filter_map(|at| Some((at, self.package(at).library()?)));
        let targets: Vec<(At, &Target)> = targets.collect();
        targets.into_iter().map(|(at, target)| (self.add(at, target), at, target)).collect()
    }

    fn add(&mut self, at: At, target: &'a Target) -> CrateId {
        let chosen = self.chosen[at.0];
        let package = self.package(at);
        let is_member = package.origin != Origin::Remote;
        let boundary = is_member.then(|| boundary(package, chosen.project));
        let cfg = cfg_options(self.base[at.0].clone(), chosen.all_targets, package, target.kind);
        let known_as = if target.kind <= TargetKind::ProcMacro { &target.name } else { &package.name };
        let node = CrateNode {
            name: name(&target.name.replace('-', "_")),
            known_as: name(&known_as.replace('-', "_")),
            version: Some(package.version.clone()),
            edition: edition(target.edition),
            kind: crate_kind(target.kind),
            is_member,
            cfg: cfg.clone(),
            dependencies: Vec::new(),
        };
        let id = self.push(node, CrateSource::new(target.root.clone(), cfg, is_member, boundary), Some(at));
        if target.kind <= TargetKind::ProcMacro {
            self.libraries.insert(at, id);
            self.by_key.insert(&package.key, id);
        }
        id
    }

    fn add_loose(&mut self, file: &LooseCrate, test: bool) {
        let mut cfg = base_options(BUILT_FOR, &[]);
        if test {
            cfg.flags.insert(name("test"));
        }
        let stem = file.root.file_stem().unwrap_or_default().to_string_lossy();
        let stem = name(&stem.replace(|c: char| !c.is_alphanumeric(), "_"));
        let node = CrateNode {
            name: stem,
            known_as: stem,
            version: None,
            edition: LOOSE_EDITION,
            kind: if file.has_main { CrateKind::Binary } else { CrateKind::Library },
            is_member: true,
            cfg: cfg.clone(),
            dependencies: Vec::new(),
        };
        let boundary = Some(file.boundary.clone());
        self.push(node, CrateSource::new(file.root.clone(), cfg, true, boundary), None);
    }

    fn push(&mut self, node: CrateNode, source: CrateSource, owner: Option<At>) -> CrateId {
        self.built.sources.push(source);
        self.built.owners.push(owner);
        self.built.graph.crates.push(node)
    }

    /// The dependencies that code of such a target can name.
    fn used(&self, at: At, kind: TargetKind) -> impl Iterator<Item = &'a Dependency> {
        let package = self.package(at);
        let tests = self.chosen[at.0].all_targets && package.origin == Origin::Member;
        package.dependencies.iter().filter(move |dependency| match kind {
            TargetKind::BuildScript => dependency.build,
            TargetKind::Example | TargetKind::Test | TargetKind::Bench => dependency.normal || dependency.development,
            TargetKind::Library | TargetKind::ProcMacro | TargetKind::Binary => {
                dependency.normal || (tests && dependency.development)
            }
        })
    }

    fn dependencies(&self, at: At, kind: TargetKind) -> Vec<(Name, CrateId)> {
        let own = match kind {
            TargetKind::Library | TargetKind::ProcMacro | TargetKind::BuildScript => None,
            _ => self.libraries.get(&at).map(|id| (self.built.graph.crates[*id].name, *id)),
        };
        let others = self.used(at, kind).filter_map(|dependency| {
            let to = self.package((at.0, dependency.package));
            let id = self.libraries.get(&(at.0, dependency.package)).or_else(|| self.by_key.get(to.key.as_str()))?;
            Some((name(&dependency.name), *id))
        });
        own.into_iter().chain(others).collect()
    }
}

fn by_default(kind: TargetKind) -> bool {
    matches!(kind, TargetKind::Library | TargetKind::ProcMacro | TargetKind::Binary)
}

fn boundary(package: &Package, project: &Project) -> PathBuf {
    let whole = paths::boundary(&project.root);
    if paths::lies_in(package.folder(), &whole) { whole } else { paths::boundary(package.folder()) }
}

fn cfg_options(mut cfg: CfgOptions, all_targets: bool, package: &Package, kind: TargetKind) -> CfgOptions {
    let tested = matches!(kind, TargetKind::Library | TargetKind::Binary | TargetKind::Test | TargetKind::Bench);
    if tested && all_targets && package.origin == Origin::Member {
        cfg.flags.insert(name("test"));
    }
    if kind == TargetKind::ProcMacro {
        cfg.flags.insert(name("proc_macro"));
    }
    cfg.key_values.extend(package.features.iter().map(|feature| (name("feature"), name(feature))));
    cfg
}

fn crate_kind(kind: TargetKind) -> CrateKind {
    match kind {
        TargetKind::Library => CrateKind::Library,
        TargetKind::ProcMacro => CrateKind::ProcMacro,
        TargetKind::Binary => CrateKind::Binary,
        TargetKind::Example => CrateKind::Example,
        TargetKind::Test => CrateKind::Test,
        TargetKind::Bench => CrateKind::Bench,
        TargetKind::BuildScript => CrateKind::BuildScript,
    }
}
