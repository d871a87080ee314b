//! A crate depends on lower floors only.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::support::{assert_none, root};

/// The house, from the ground up. What stands on no floor is for building and testing only.
const FLOORS: [(&str, Option<u32>); 14] = [
    ("agentlint_syntax", Some(0)),
    ("agentlint_diagnostics", Some(0)),
    ("agentlint_deploy", Some(0)),
    ("agentlint_semantic", Some(1)),
    ("agentlint_effects", Some(2)),
    ("agentlint_linter", Some(3)),
    ("agentlint_lints", Some(4)),
    ("agentlint_workspace", Some(5)),
    ("cargo-agentlint", Some(6)),
    ("agentlint-hook", Some(7)),
    ("agent_server", None),
    ("agentlint_testing", None),
    ("agentlint_tests", None),
    ("xtask", None),
];

#[test]
fn a_crate_depends_on_lower_floors_only() {
    let metadata = workspace();
    let floors: BTreeMap<&str, Option<u32>> = FLOORS.into_iter().collect();
    let mut wrong = Vec::new();
    for (package, kind, dependency) in dependencies(&metadata) {
        let (Some(&upper), Some(&lower)) = (floors.get(package), floors.get(dependency)) else { continue };
        let is_fine = match (upper, lower) {
            (Some(_), _) if kind == DependencyKind::Development => true,
            (Some(upper), Some(lower)) => lower < upper,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if !is_fine {
            wrong.push(format!("{package} depends on {dependency}"));
        }
    }
    assert_none("dependencies that do not point downwards", &wrong);
}

#[test]
fn every_crate_has_its_floor() {
    let metadata = workspace();
    let members: Vec<_> = metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    let homeless = members.iter().filter(|name| !FLOORS.iter().any(|(known, _)| known == name)).cloned();
    assert_none("crates without a floor", &homeless.collect::<Vec<_>>());
    let gone = FLOORS.iter().filter(|(known, _)| !members.iter().any(|name| name == known));
    assert_none("floors without a crate", &gone.map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn the_reference_server_stands_apart() {
    let metadata = workspace();
    let ours = dependencies(&metadata)
        .filter(|(package, _, dependency)| {
            let is_member = |name: &str| FLOORS.iter().any(|(known, _)| *known == name);
            (*package == "agent_server" && is_member(dependency)) || *dependency == "agent_server"
        })
        .map(|(package, _, dependency)| format!("{package} depends on {dependency}"));
    assert_none("dependencies that tie the server to the linter", &ours.collect::<Vec<_>>());
}

#[test]
fn only_the_syntax_crate_sees_syn() {
    let metadata = workspace();
    let users = dependencies(&metadata).filter(|(package, _, dependency)| {
        ["syn", "proc-macro2"].contains(dependency) && !["agentlint_syntax", "xtask"].contains(package)
    });
    assert_none("crates that see syn", &users.map(|(package, ..)| package.to_owned()).collect::<Vec<_>>());
}

fn workspace() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap()
}

/// Who depends how on whom, by name.
fn dependencies(metadata: &Metadata) -> impl Iterator<Item = (&str, DependencyKind, &str)> {
    metadata.workspace_packages().into_iter().flat_map(|package| {
        let of_package = package.dependencies.iter();
        of_package.map(|dependency| (package.name.as_str(), dependency.kind, dependency.name.as_str()))
    })
}
