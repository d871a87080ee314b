//! The dependency tables of a manifest.

use std::path::PathBuf;

use toml::{Table, Value};

use super::{Manifest, strings};
use crate::paths::normalize;
use crate::target_cfg::platform_applies;

/// One line of a dependency table, what it inherits from the workspace filled in.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// The key: how features and code call it.
    pub(super) key: String,
    /// The package's own name.
    pub(super) package: String,
    pub(super) requirement: Option<semver::VersionReq>,
    /// The folder of a path dependency.
    pub(super) path: Option<PathBuf>,
    pub(super) kind: SpecKind,
    pub(super) optional: bool,
    pub(super) default_features: bool,
    pub(super) features: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpecKind {
    Normal,
    Development,
    Build,
}

const TABLES: [(&str, SpecKind); 5] = [
    ("dependencies", SpecKind::Normal),
    ("dev-dependencies", SpecKind::Development),
    ("dev_dependencies", SpecKind::Development),
    ("build-dependencies", SpecKind::Build),
    ("build_dependencies", SpecKind::Build),
];

/// The dependencies that apply to `triple`. `workspace` is the root manifest, whose `[workspace.dependencies]` may be meant.
pub(super) fn specs(manifest: &Manifest, workspace: Option<&Manifest>, triple: &str) -> Vec<Spec> {
    let targets = manifest.table.get("target").and_then(Value::as_table).into_iter().flatten();
    let targets = targets.filter(|(platform, _)| platform_applies(platform, triple)).filter_map(|(_, table)| table.as_table());
    let mut specs = Vec::new();
    for holder in std::iter::once(&manifest.table).chain(targets) {
        for (key, kind) in TABLES {
            for (name, value) in holder.get(key).and_then(Value::as_table).into_iter().flatten() {
                specs.extend(spec(name, value, kind, manifest, workspace));
            }
        }
    }
    specs
}

fn spec(key: &str, value: &Value, kind: SpecKind, manifest: &Manifest, workspace: Option<&Manifest>) -> Option<Spec> {
    let own = Table::new();
    let own = value.as_table().unwrap_or(&own);
    let inherits = own.get("workspace").and_then(Value::as_bool) == Some(true);
    let (source, base) = if inherits {
        let root = workspace?;
        (root.workspace()?.get("dependencies")?.get(key)?, root.folder())
    } else {
        (value, manifest.folder())
    };
    let flag = |table: Option<&Table>, names: [&str; 2]| {
        names.iter().find_map(|name| table.and_then(|table| table.get(*name)).and_then(Value::as_bool))
    };
    let table = source.as_table();
    let text = |name: &str| table.and_then(|table| table.get(name)).and_then(Value::as_str);
    let requirement = source.as_str().or_else(|| text("version"));
    let mut features: Vec<String> = table.into_iter().flat_map(|table| strings(table, "features")).map(str::to_owned).collect();
    if inherits {
        features.extend(strings(own, "features").map(str::to_owned));
    }
    Some(Spec {
        key: key.to_owned(),
        package: text("package").unwrap_or(key).to_owned(),
        requirement: requirement.and_then(|requirement| requirement.parse().ok()),
        path: text("path").map(|path| normalize(&base.join(path))),
        kind,
        optional: flag(Some(own), ["optional", "optional"]).unwrap_or(false),
        default_features: flag(table, ["default-features", "default_features"]).unwrap_or(true),
        features,
    })
}
