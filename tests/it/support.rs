//! What the tests share: where things are, and running the tool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentlint_testing::Finding;
use serde_json::Value;
use tempfile::TempDir;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A folder below the target folder that lives on from run to run.
pub(crate) fn kept_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The tool, to be run in a folder, with a cache of the tests' own.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentlint-tested"));
    command.arg("agentlint").current_dir(folder).env("AGENTLINT_CACHE_DIR", kept_folder("cache")).env("NO_COLOR", "1");
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder).args(arguments).output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The findings of a run with `--format json`; files as the document names them.
pub(crate) fn findings(ran: &Ran) -> Vec<Finding> {
    assert!(ran.code.is_some(), "the tool was killed: {}", ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}), exit {:?}: {}{}", ran.code, ran.stdout, ran.stderr));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let all = document["findings"].as_array().unwrap();
    all.iter()
        .map(|finding| Finding {
            file: text(finding, "file"),
            line: u32::try_from(finding["line"].as_u64().unwrap()).unwrap(),
            lint: text(finding, "lint"),
            message: text(finding, "message"),
        })
        .collect()
}

/// The entries of a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files with an extension in a folder and all folders below it, sorted; what is built is left out.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != ".git") {
                files.extend(files_below(&path, extension));
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file and the folders above it; leaves one that is already right alone.
pub(crate) fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// A path as people write it, relative to the repository.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The lints' pages; `README.md` is none.
pub(crate) fn pages() -> Vec<PathBuf> {
    let files = entries(&root().join("lints")).into_iter();
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md") && stem(path) != "README").collect()
}

/// Fails with all that is wrong, one line each.
pub(crate) fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what} ({}):\n{}\n", wrong.len(), wrong.join("\n"));
}

/// The sources of a package's dependencies must be on the disk: types come from them.
pub(crate) fn fetch(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let offline = ["fetch", "--locked", "--offline"];
    if Command::new(&cargo).args(offline).current_dir(folder).output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let output = Command::new(&cargo).args(["fetch", "--locked"]).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the dependencies of {} cannot be fetched:\n{said}",
        fs::canonicalize(folder).unwrap().display()
    );
}

/// A package without dependencies.
pub(crate) fn package(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(
        &folder.path().join("Cargo.toml"),
        "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    for (name, text) in files {
        write(&folder.path().join(name), text);
    }
    folder
}
