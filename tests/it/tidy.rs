//! Rules that every file keeps.

use std::path::{Path, PathBuf};

use agentlint_testing::read_page;

use crate::support::{assert_none, entries, files_below, pages, read, root, shown, stem};

const MOST_LINES: usize = 500;

#[test]
fn every_module_opens_with_a_sentence() {
    let silent = sources().into_iter().filter(|path| {
        let text = read(path);
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("//! ").is_none_or(|sentence| sentence.split_whitespace().count() < 3)
    });
    assert_none("modules that do not say what they are for", &silent.map(|path| shown(&path)).collect::<Vec<_>>());
}

#[test]
fn files_stay_short() {
    let long = sources().into_iter().filter_map(|path| {
        let is_test = path.components().any(|part| part.as_os_str() == "tests");
        let lines = read(&path).lines().count();
        (lines >= MOST_LINES && !is_test).then(|| format!("{}: {lines} lines", shown(&path)))
    });
    assert_none("files that do not stay below 500 lines", &long.collect::<Vec<_>>());
}

#[test]
fn what_is_left_to_do_says_why() {
    let marker = concat!("TO", "DO");
    let mut wrong = Vec::new();
    for path in sources() {
        for (number, line) in (1..).zip(read(&path).lines()) {
            let Some((_, rest)) = line.split_once(marker) else { continue };
            let reason = rest.strip_prefix(": ").unwrap_or_default();
            if reason.split_whitespace().count() < 4 {
                wrong.push(format!("{}:{number}: {}", shown(&path), line.trim()));
            }
        }
    }
    assert_none("things to do without a reason", &wrong);
}

#[test]
fn a_lint_is_one_name_everywhere() {
    let folder = root().join("lints");
    let listed = listed_lints(&read(&folder.join("src/lib.rs")));
    let pages: Vec<String> = pages().iter().map(|path| stem(path)).collect();
    let files = files_below(&folder.join("src"), "rs").into_iter().filter(|path| read(path).contains("LintMeta = LintMeta"));
    let files: Vec<String> = files.map(|path| stem(&path)).collect();
    assert_eq!(listed, pages, "`lints!` in lints/src/lib.rs and the pages in lints/");
    assert_eq!(listed, files, "`lints!` in lints/src/lib.rs and the files of lints/src");

    let mut wrong = Vec::new();
    for id in &listed {
        let text = read(&folder.join(format!("src/{id}.rs")));
        if !text.contains(&format!("id: \"{id}\"")) || !text.contains(&format!("include_str!(\"../{id}.md\")")) {
            wrong.push(format!("lints/src/{id}.rs: another id or page"));
        }
        if !text.starts_with(&format!("//! `{id}`: ")) {
            wrong.push(format!("lints/src/{id}.rs: the first line does not name the lint"));
        }
        if !id.chars().all(|character| character.is_ascii_lowercase() || character == '_') {
            wrong.push(format!("{id}: not snake_case"));
        }
        if !root().join("fixtures/lints").join(id).is_dir() {
            wrong.push(format!("fixtures/lints/{id}: missing"));
        }
    }
    let folders = entries(&root().join("fixtures/lints")).into_iter().map(|path| stem(&path));
    wrong.extend(folders.filter(|name| !listed.contains(name)).map(|name| format!("fixtures/lints/{name}: no such lint")));
    assert_none("lints", &wrong);
}

#[test]
fn pages_keep_their_form() {
    let wrong = pages().into_iter().filter_map(|path| match read_page(&read(&path)) {
        Ok(page) if page.id == stem(&path) => None,
        Ok(page) => Some(format!("{}: the title is `{}`", shown(&path), page.id)),
        Err(error) => Some(format!("{}: {error}", shown(&path))),
    });
    assert_none("pages", &wrong.collect::<Vec<_>>());
}

/// All of the project's own Rust, but for cases and the generated index.
fn sources() -> Vec<PathBuf> {
    let is_own =
        |path: &PathBuf| !path.strip_prefix(root()).unwrap_or(path).starts_with(Path::new("crates/agentlint_semantic/std_index"));
    ["crates", "lints", "tests"].iter().flat_map(|folder| files_below(&root().join(folder), "rs")).filter(is_own).collect()
}

/// The modules in the list of `lints!`.
fn listed_lints(text: &str) -> Vec<String> {
    let list = text.split("\nlints! {\n").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    list.lines().map(|line| line.trim().split_once("::").unwrap().0.to_owned()).collect()
}
