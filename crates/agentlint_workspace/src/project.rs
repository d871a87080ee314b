//! A workspace with its dependencies, as `cargo metadata` or the manifests themselves tell it: plain data, cached as JSON.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use agentlint_semantic::input::Edition;
use cargo_metadata::{DependencyKind, Metadata, PackageId, TargetKind as MetadataKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    /// The folder of the workspace's root manifest.
    pub(crate) root: PathBuf,
    /// The platform that dependencies were chosen for.
    pub(crate) triple: String,
    /// `--cfg` values of cargo's configuration: `tokio_unstable`, `key="value"`.
    pub(crate) extra_cfg: Vec<String>,
    pub(crate) packages: Vec<Package>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Package {
    /// The same package has the same key in every workspace.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) origin: Origin,
    pub(crate) manifest: PathBuf,
    /// Those that are on.
    pub(crate) features: Vec<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    Member,
    /// A path dependency outside the workspace: the program's own code, but not what the user asked about.
    Local,
    /// From a registry or git.
    Remote,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: TargetKind,
    /// Empty where the sources are not on this machine.
    pub(crate) root: PathBuf,
    pub(crate) edition: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum TargetKind {
    Library,
    ProcMacro,
    Binary,
    Example,
    Test,
    Bench,
    BuildScript,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dependency {
    /// The name in code: renamed, with underscores.
    pub(crate) name: String,
    /// Index into the project's packages.
    pub(crate) package: usize,
    pub(crate) normal: bool,
    pub(crate) development: bool,
    pub(crate) build: bool,
}

impl Package {
    pub(crate) fn library(&self) -> Option<&Target> {
        self.targets.iter().find(|target| matches!(target.kind, TargetKind::Library | TargetKind::ProcMacro))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

impl Project {
    /// The manifests that the user may edit.
    pub(crate) fn local_manifests(&self) -> impl Iterator<Item = &Path> {
        self.packages.iter().filter(|package| package.origin != Origin::Remote).map(|package| package.manifest.as_path())
    }

    pub(crate) fn from_metadata(metadata: Metadata, triple: String, extra_cfg: Vec<String>) -> Project {
        let Metadata { mut packages, workspace_members, resolve, workspace_root, .. } = metadata;
        packages.sort_by(|left, right| {
            (&left.name, &left.version, &left.id.repr).cmp(&(&right.name, &right.version, &right.id.repr))
        });
        let index: HashMap<PackageId, usize> = packages.iter().enumerate().map(|(at, p)| (p.id.clone(), at)).collect();
        let mut nodes: HashMap<PackageId, cargo_metadata::Node> =
            resolve.into_iter().flat_map(|resolve| resolve.nodes).map(|node| (node.id.clone(), node)).collect();
        let members: std::collections::HashSet<PackageId> = workspace_members.into_iter().collect();
        let packages = packages
            .into_iter()
            .map(|package| {
                let node = nodes.remove(&package.id);
                let is_member = members.contains(&package.id);
                convert_package(package, node, is_member, &index)
            })
            .collect();
        Project { root: workspace_root.into_std_path_buf(), triple, extra_cfg, packages }
    }
}

fn convert_package(
    package: cargo_metadata::Package,
    node: Option<cargo_metadata::Node>,
    is_member: bool,
    index: &HashMap<PackageId, usize>,
) -> Package {
    let origin = match (is_member, &package.source) {
        (true, _) => Origin::Member,
        (false, None) => Origin::Local,
        (false, Some(_)) => Origin::Remote,
    };
    let (features, deps) = node.map(|node| (node.features, node.deps)).unwrap_or_default();
    // Only what the program can name is kept: of a foreign package its library.
    let targets = package.targets.into_iter().filter_map(convert_target);
    let targets = targets.filter(|target| origin == Origin::Member || target.kind <= TargetKind::ProcMacro).collect();
    Package {
        key: package.id.repr,
        name: package.name.to_string(),
        version: package.version.to_string(),
        origin,
        manifest: package.manifest_path.into_std_path_buf(),
        features: features.iter().map(ToString::to_string).collect(),
        targets,
        dependencies: deps.into_iter().filter_map(|dep| convert_dependency(dep, index)).collect(),
    }
}

fn convert_target(target: cargo_metadata::Target) -> Option<Target> {
    let kind = match target.kind.first()? {
        MetadataKind::Bin => TargetKind::Binary,
        MetadataKind::Example => TargetKind::Example,
        MetadataKind::Test => TargetKind::Test,
        MetadataKind::Bench => TargetKind::Bench,
        MetadataKind::CustomBuild => TargetKind::BuildScript,
        MetadataKind::ProcMacro => TargetKind::ProcMacro,
        _ => TargetKind::Library,
    };
    Some(Target {
        name: target.name,
        kind,
        root: target.src_path.into_std_path_buf(),
        edition: target.edition.as_str().parse().unwrap_or(2021),
    })
}

fn convert_dependency(dep: cargo_metadata::NodeDep, index: &HashMap<PackageId, usize>) -> Option<Dependency> {
    // A binary-only artifact dependency has no name.
    if dep.name.is_empty() {
        return None;
    }
    let has = |kind: DependencyKind| dep.dep_kinds.iter().any(|info| info.kind == kind);
    Some(Dependency {
        normal: has(DependencyKind::Normal),
        development: has(DependencyKind::Development),
        build: has(DependencyKind::Build),
        package: *index.get(&dep.pkg)?,
        name: dep.name,
    })
}

pub(crate) fn edition(year: u16) -> Edition {
    match year {
        ..=2015 => Edition::E2015,
        2016..=2018 => Edition::E2018,
        2019..=2021 => Edition::E2021,
        _ => Edition::E2024,
    }
}
