//! The targets of a package, by cargo's rules of discovery.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Manifest;
use crate::paths::normalize;
use crate::project::{Target, TargetKind};

/// A kind of target that a package can have many of.
struct Kind {
    kind: TargetKind,
    /// The key of its tables, and of the switch that turns discovery off.
    key: &'static str,
    switch: &'static str,
    folder: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { kind: TargetKind::Binary, key: "bin", switch: "autobins", folder: "src/bin" },
    Kind { kind: TargetKind::Example, key: "example", switch: "autoexamples", folder: "examples" },
    Kind { kind: TargetKind::Test, key: "test", switch: "autotests", folder: "tests" },
    Kind { kind: TargetKind::Bench, key: "bench", switch: "autobenches", folder: "benches" },
];

/// All targets of the package, sorted by kind and name.
pub(super) fn targets(manifest: &Manifest, edition: u16) -> Vec<Target> {
    let mut targets: Vec<Target> = library(manifest, edition).into_iter().collect();
    for kind in &KINDS {
        targets.extend(many(manifest, kind, edition));
    }
    targets.extend(build_script(manifest, edition));
    targets.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    targets
}

/// Every file that decides which targets a package has; they matter by being there.
pub(crate) fn target_candidates(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let fixed = ["src/lib.rs", "src/main.rs", "build.rs"].map(|file| folder.join(file)).into_iter().filter(|file| file.is_file());
    let discovered = KINDS.iter().flat_map(|kind| discovered(&folder.join(kind.folder))).map(|(_, root)| root);
    fixed.chain(discovered.collect::<Vec<_>>())
}

/// The library alone: all that is asked of a dependency.
pub(super) fn library(manifest: &Manifest, edition: u16) -> Option<Target> {
    let table = manifest.table.get("lib").and_then(Value::as_table);
    let root = path_in(manifest, table).unwrap_or_else(|| manifest.folder().join("src/lib.rs"));
    if !root.is_file() {
        return None;
    }
    let flag = |key| table.and_then(|table| table.get(key)).and_then(Value::as_bool) == Some(true);
    let kind = if flag("proc-macro") || flag("proc_macro") { TargetKind::ProcMacro } else { TargetKind::Library };
    let name = table.and_then(|table| table.get("name")).and_then(Value::as_str).or(manifest.package_name())?;
    Some(Target { name: name.replace('-', "_"), kind, root, edition: own_edition(table, edition) })
}

fn many(manifest: &Manifest, kind: &Kind, edition: u16) -> Vec<Target> {
    let package = manifest.package_name().unwrap_or_default();
    let mut found = Vec::new();
    if manifest.package().and_then(|table| table.get(kind.switch)).and_then(Value::as_bool) != Some(false) {
        found = discovered(&manifest.folder().join(kind.folder));
        let main = manifest.folder().join("src/main.rs");
        if kind.kind == TargetKind::Binary && main.is_file() {
            found.push((package.to_owned(), main));
        }
    }
    let mut targets: Vec<Target> = Vec::new();
    let tables = manifest.table.get(kind.key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    for table in tables {
        let Some(name) = table.get("name").and_then(Value::as_str) else { continue };
        let by_name = found.iter().find(|(found, _)| found == name).map(|(_, root)| root.clone());
        let Some(root) = path_in(manifest, Some(table)).or(by_name) else { continue };
        targets.push(Target { name: name.to_owned(), kind: kind.kind, root, edition: own_edition(Some(table), edition) });
    }
    for (name, root) in found {
        if targets.iter().all(|target| target.name != name && target.root != root) {
            targets.push(Target { name, kind: kind.kind, root, edition });
        }
    }
    targets
}

fn build_script(manifest: &Manifest, edition: u16) -> Option<Target> {
    let script = match manifest.package()?.get("build") {
        Some(Value::Boolean(false)) => return None,
        Some(Value::String(script)) => script.as_str(),
        _ => "build.rs",
    };
    let root = normalize(&manifest.folder().join(script));
    root.is_file().then(|| Target { name: "build-script-build".to_owned(), kind: TargetKind::BuildScript, root, edition })
}

/// `name.rs` and `name/main.rs` in `folder`, sorted.
fn discovered(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries.filter_map(|entry| candidate(&entry.path())).collect();
    found.sort();
    found
}

fn candidate(path: &Path) -> Option<(String, PathBuf)> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') {
        return None;
    }
    if path.is_dir() {
        let main = path.join("main.rs");
        return main.is_file().then(|| (name.to_owned(), main));
    }
    Some((name.strip_suffix(".rs")?.to_owned(), path.to_path_buf()))
}

fn path_in(manifest: &Manifest, table: Option<&Table>) -> Option<PathBuf> {
    let path = table?.get("path")?.as_str()?;
    Some(normalize(&manifest.folder().join(path)))
}

fn own_edition(table: Option<&Table>, edition: u16) -> u16 {
    let own = table.and_then(|table| table.get("edition")).and_then(Value::as_str);
    own.and_then(|own| own.parse().ok()).unwrap_or(edition)
}
