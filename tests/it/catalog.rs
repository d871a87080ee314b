//! Every path that the catalog names is there in the sources of its crate, and so is every path that it recommends.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use agentlint_effects::catalog::{Catalog, Certainty, Sink, Subject};
use agentlint_effects::{Effect, ResolvedCatalog};
use agentlint_lints::builtin_catalog;
use agentlint_semantic::Program;
use agentlint_semantic::input::CrateKind;
use agentlint_workspace::{Opened, Request, open};

use crate::support::{assert_none, fetch, root};

/// Where the crates come from: what the cases are written against, and what only the catalog speaks of.
const PROJECTS: [&str; 2] = ["fixtures/cases", "fixtures/catalog"];

/// Paths that are right and cannot be found here. One that is found must go from this list.
const NOT_HERE: [(&str, &str); 9] = [
    ("fs_err::File::lock", "behind a cfg that its build script sets, and build scripts do not run"),
    ("fs_err::File::lock_shared", "behind a cfg that its build script sets, and build scripts do not run"),
    ("fs_err::exists", "behind a cfg that its build script sets, and build scripts do not run"),
    ("sqlx_sqlite", "links another sqlite than rusqlite, and cargo allows one"),
    ("std::os::windows::fs::symlink_dir", "the index of std is that of unix"),
    ("std::os::windows::fs::symlink_file", "the index of std is that of unix"),
    ("tokio::fs::symlink_dir", "for Windows only"),
    ("tokio::fs::symlink_file", "for Windows only"),
    ("tokio::task::Builder::spawn_blocking", "needs `--cfg tokio_unstable`"),
];

#[test]
fn every_path_is_there() {
    let not_here = NOT_HERE.map(|(path, _)| path);
    let wrong = missing().iter().filter(|path| !not_here.contains(&path.as_str()));
    assert_none("paths that lead nowhere, in the catalog or in its help", &wrong.cloned().collect::<Vec<_>>());
}

#[test]
fn what_is_not_here_is_named_and_not_here() {
    let stale = NOT_HERE.iter().filter(|(path, _)| !missing().contains(*path));
    assert_none("found, or named no more", &stale.map(|(path, _)| (*path).to_owned()).collect::<Vec<_>>());
}

/// The paths of the catalog and of its help that lead nowhere in any version of their crate that one of the projects has, and
/// those whose crate none of them has.
fn missing() -> &'static BTreeSet<String> {
    static MISSING: OnceLock<BTreeSet<String>> = OnceLock::new();
    MISSING.get_or_init(|| {
        let mut catalog = builtin_catalog().unwrap();
        catalog.extend(as_sinks(recommendations(&catalog)));
        let of_projects = PROJECTS.map(|project| {
            let resolved = resolve(project, &catalog);
            resolved.unresolved.into_iter().chain(resolved.absent).collect::<BTreeSet<String>>()
        });
        of_projects.into_iter().reduce(|left, right| left.intersection(&right).cloned().collect()).unwrap()
    })
}

/// The functions that the help names.
fn recommendations(catalog: &Catalog) -> BTreeSet<String> {
    let of_sinks = catalog.sinks.iter().flat_map(|sink| recommended(&sink.instead, &sink.subject));
    let of_uses = catalog.uses_io.iter().flat_map(|uses| recommended(&uses.instead, &uses.subject));
    let all: BTreeSet<String> = of_sinks.chain(of_uses).collect();
    assert!(all.len() > 100, "only {} paths are recommended", all.len());
    all
}

/// A catalog of which nothing but the paths matters.
fn as_sinks(paths: BTreeSet<String>) -> Catalog {
    let sink = |path: String| Sink {
        subject: Subject { path: Some(path), ..Subject::default() },
        effect: Effect::Fs,
        confidence: Certainty::Certain,
        instead: String::new(),
        advice: String::new(),
        does: String::new(),
        panics: false,
        lazy: false,
    };
    Catalog { sinks: paths.into_iter().map(sink).collect(), ..Catalog::default() }
}

/// The functions that an entry's help names. The code is a path, then perhaps a call, then perhaps an await.
fn recommended(code: &str, subject: &Subject) -> Vec<String> {
    if code.is_empty() || code.ends_with('!') {
        return Vec::new();
    }
    let path = code.trim_end_matches(".await").trim_end_matches("()").trim_end_matches("(..)");
    let is_path = path.contains("::") && path.chars().all(|c| c.is_alphanumeric() || "_:{}".contains(c));
    assert!(is_path, "`{code}` is not a path, a call or an awaited call");
    let of_paths = subject.paths().filter_map(|path| path.rsplit("::").next());
    let names = of_paths.chain(subject.methods.iter().map(String::as_str)).filter(|name| *name != "*");
    if !path.contains("{name}") {
        return vec![path.to_owned()];
    }
    names.map(|name| path.replace("{name}", name)).collect()
}

/// The catalog in terms of a project's dependencies, each of which is read whether or not code leads into it.
fn resolve(project: &str, catalog: &Catalog) -> ResolvedCatalog {
    let folder = root().join(project);
    fetch(&folder);
    let opened = open(Request::new(&folder)).unwrap();
    opened.loader.pool().install(|| resolve_in(&opened, catalog))
}

fn resolve_in(opened: &Opened, catalog: &Catalog) -> ResolvedCatalog {
    let program = Program::new(opened.graph.clone(), &opened.loader);
    let named: BTreeSet<&str> = catalog.subjects().flat_map(Subject::crate_names).collect();
    for (id, node) in program.graph.crates.iter_enumerated() {
        if matches!(node.kind, CrateKind::Library) && named.contains(node.name.as_str()) {
            program.kind(program.root(id));
            assert!(!program.is_absent(id), "the sources of {} are not on this machine", node.name);
        }
    }
    ResolvedCatalog::new(&program, catalog.clone())
}
