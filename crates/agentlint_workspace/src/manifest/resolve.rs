//! Makes a project of the manifests: packages, their dependencies as far as sources are found, and features.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};

use super::dependencies::{Spec, SpecKind, specs};
use super::locate::Sources;
use super::targets::{library, targets};
use super::workspace::{Workspace, find_workspace};
use super::{Manifest, ManifestError};
use crate::cargo::configuration::Configuration;
use crate::environment::Environment;
use crate::project::{Dependency, Origin, Package, Project, Target, TargetKind};
use crate::target_cfg::BUILT_FOR;

/// What reading the manifests gave.
#[derive(Debug)]
pub(crate) struct Fallback {
    pub(crate) project: Project,
    pub(crate) errors: Vec<ManifestError>,
    /// The names of dependencies whose sources are not on this machine, sorted.
    pub(crate) missing: Vec<String>,
    /// Without a lock file, versions are guessed.
    pub(crate) has_lock: bool,
}

/// Reads the workspace without cargo. What cannot be read is left out and told of.
pub(crate) fn read_project(workspace: &Workspace, configuration: &Configuration, environment: &Environment) -> Fallback {
    let sources = Sources::read(workspace.root.folder(), environment.cargo_home.as_deref(), &configuration.vendored);
    let has_lock = sources.has_lock();
    let mut resolver = Resolver {
        workspace,
        sources,
        nodes: Vec::new(),
        by_manifest: HashMap::new(),
        queue: VecDeque::new(),
        errors: Vec::new(),
        missing: BTreeSet::new(),
    };
    for member in &workspace.members {
        if let Some(node) = resolver.local(member) {
            resolver.queue.push_back(Task::Feature(node, "default".to_owned()));
        }
    }
    resolver.run();
    let packages = resolver.nodes.into_iter().map(Node::finish).collect();
    let project = Project {
        root: workspace.root.folder().to_path_buf(),
        triple: BUILT_FOR.to_owned(),
        extra_cfg: configuration.cfg.clone(),
        packages,
    };
    Fallback { project, errors: resolver.errors, missing: resolver.missing.into_iter().collect(), has_lock }
}

pub(super) struct Resolver<'a> {
    workspace: &'a Workspace,
    sources: Sources,
    pub(super) nodes: Vec<Node>,
    /// `None` where the manifest is broken.
    by_manifest: HashMap<PathBuf, Option<usize>>,
    pub(super) queue: VecDeque<Task>,
    errors: Vec<ManifestError>,
    missing: BTreeSet<String>,
}

/// What is still to be switched on.
pub(super) enum Task {
    Feature(usize, String),
    /// A dependency, by its index among the package's.
    Dependency(usize, usize),
}

pub(super) struct Node {
    package: Package,
    /// The `[features]` table.
    pub(super) features: HashMap<String, Vec<String>>,
    pub(super) specs: Vec<Spec>,
    /// The package that each of `specs` leads to, where it is on.
    pub(super) resolved: Vec<Option<usize>>,
    pub(super) enabled: BTreeSet<String>,
    /// `dependency?/feature`, waiting for the dependency.
    pub(super) weak: Vec<(String, String)>,
}

impl Resolver<'_> {
    fn run(&mut self) {
        while let Some(task) = self.queue.pop_front() {
            match task {
                Task::Feature(node, feature) => self.enable_feature(node, feature),
                Task::Dependency(node, spec) => self.enable_dependency(node, spec),
            }
        }
    }

    /// The package that a dependency leads to; one without sources where nothing is found.
    pub(super) fn find(&mut self, node: usize, spec: usize) -> Option<usize> {
        let owner = &self.nodes[node].package;
        let spec = self.nodes[node].specs[spec].clone();
        if let Some(folder) = &spec.path {
            let manifest = folder.join("Cargo.toml");
            // A git dependency's neighbours lie beside it in its checkout.
            let found = if owner.origin == Origin::Remote { self.remote(&manifest) } else { self.local(&manifest) };
            return Some(found.unwrap_or_else(|| self.absent(&spec, None)));
        }
        let locked = self.sources.locked((&owner.name, &owner.version), &spec);
        let version = locked.map(|locked| locked.version.clone());
        let folder = match locked {
            Some(locked) => self.sources.folder_of(locked),
            None => self.sources.newest(&spec).map(|(_, folder)| folder),
        };
        let found = folder.and_then(|folder| self.remote(&folder.join("Cargo.toml")));
        Some(found.unwrap_or_else(|| self.absent(&spec, version)))
    }

    /// A package of the user's own tree.
    fn local(&mut self, path: &Path) -> Option<usize> {
        if let Some(known) = self.by_manifest.get(path) {
            return *known;
        }
        let manifest = self.read(path)?;
        let is_member = self.workspace.root.path == path || self.workspace.members.iter().any(|member| member == path);
        let is_member = is_member || (self.workspace.claims(manifest.folder()) && manifest.workspace().is_none());
        let own_workspace = if is_member { None } else { find_workspace(path).ok().map(|workspace| workspace.root) };
        let root = if is_member { Some(&self.workspace.root) } else { own_workspace.as_ref() };
        let root = root.cloned();
        let origin = if is_member { Origin::Member } else { Origin::Local };
        let node = self.node(&manifest, root.as_ref(), origin)?;
        Some(self.add(path, node))
    }

    fn remote(&mut self, path: &Path) -> Option<usize> {
        if let Some(known) = self.by_manifest.get(path) {
            return *known;
        }
        // What is broken in the registry is no fault of the user's.
        let manifest = Manifest::read(path).ok()?;
        // Published manifests inherit nothing; those of git checkouts may.
        let root = find_workspace(path).ok().map(|workspace| workspace.root);
        let node = self.node(&manifest, root.as_ref(), Origin::Remote)?;
        Some(self.add(path, node))
    }

    fn read(&mut self, path: &Path) -> Option<Manifest> {
        match Manifest::read(path) {
            Ok(manifest) if manifest.package_name().is_some() => Some(manifest),
            Ok(_) => {
                self.by_manifest.insert(path.to_path_buf(), None);
                self.errors.push(ManifestError { path: path.to_path_buf(), line: None, cause: "it names no package".to_owned() });
                None
            }
            Err(error) => {
                self.by_manifest.insert(path.to_path_buf(), None);
                self.errors.push(error);
                None
            }
        }
    }

    fn node(&self, manifest: &Manifest, root: Option<&Manifest>, origin: Origin) -> Option<Node> {
        let workspace = root.and_then(Manifest::workspace);
        let (name, version) = (manifest.package_name()?.to_owned(), manifest.version(workspace));
        let edition = manifest.edition(workspace);
        let mut specs = specs(manifest, root, BUILT_FOR);
        if origin == Origin::Remote {
            specs.retain(|spec| spec.kind == SpecKind::Normal);
        }
        let found = match origin {
            Origin::Member => targets(manifest, edition),
            Origin::Local | Origin::Remote => library(manifest, edition).into_iter().collect(),
        };
        let package = Package {
            key: format!("{} {name} {version}", manifest.path.display()),
            name,
            version,
            origin,
            manifest: manifest.path.clone(),
            features: Vec::new(),
            targets: found,
            dependencies: Vec::new(),
        };
        Some(Node::new(package, super::features::table(manifest), specs))
    }

    fn add(&mut self, path: &Path, node: Node) -> usize {
        let id = self.nodes.len();
        let always = node.specs.iter().enumerate().filter(|(_, spec)| !spec.optional);
        self.queue.extend(always.map(|(spec, _)| Task::Dependency(id, spec)));
        self.nodes.push(node);
        self.by_manifest.insert(path.to_path_buf(), Some(id));
        id
    }

    /// A package that is known by name alone, so that names that lead into it are known to lead out of the program.
    fn absent(&mut self, spec: &Spec, version: Option<String>) -> usize {
        let version = version.unwrap_or_default();
        let key = format!("{} {version} without sources", spec.package);
        if let Some(Some(known)) = self.by_manifest.get(Path::new(&key)) {
            return *known;
        }
        self.missing.insert(format!("{} {version}", spec.package).trim_end().to_owned());
        let target =
            Target { name: spec.package.replace('-', "_"), kind: TargetKind::Library, root: PathBuf::new(), edition: 2021 };
        let package = Package {
            key: key.clone(),
            name: spec.package.clone(),
            version,
            origin: Origin::Remote,
            manifest: PathBuf::new(),
            features: Vec::new(),
            targets: vec![target],
            dependencies: Vec::new(),
        };
        self.add(Path::new(&key), Node::new(package, HashMap::new(), Vec::new()))
    }
}

impl Node {
    fn new(package: Package, features: HashMap<String, Vec<String>>, specs: Vec<Spec>) -> Node {
        let resolved = vec![None; specs.len()];
        Node { package, features, specs, resolved, enabled: BTreeSet::new(), weak: Vec::new() }
    }

    fn finish(mut self) -> Package {
        let mut dependencies: Vec<Dependency> = Vec::new();
        for (spec, package) in self.specs.iter().zip(&self.resolved) {
            let Some(package) = *package else { continue };
            let name = spec.key.replace('-', "_");
            let at = dependencies.iter().position(|known| known.name == name && known.package == package);
            let at = at.unwrap_or_else(|| {
                dependencies.push(Dependency { name, package, normal: false, development: false, build: false });
                dependencies.len() - 1
            });
            match spec.kind {
                SpecKind::Normal => dependencies[at].normal = true,
                SpecKind::Development => dependencies[at].development = true,
                SpecKind::Build => dependencies[at].build = true,
            }
        }
        // As cargo orders them.
        dependencies.sort_by(|left, right| left.name.cmp(&right.name));
        self.package.dependencies = dependencies;
        self.package.features = self.enabled.into_iter().collect();
        self.package
    }
}
