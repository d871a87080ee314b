//! The pre-commit hook, built and run by pre-commit itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{kept_folder, root, write};

#[test]
fn the_hook_fails_on_a_bad_repository_and_passes_on_a_clean_one() {
    let pre_commit = match pre_commit() {
        Ok(program) => program,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let sleep = "std::thread::sleep(std::time::Duration::from_secs(1));";
    let bad = repository(&format!("pub async fn wait() {{\n    {sleep}\n}}\n"));
    let (is_passed, said) = try_hook(&pre_commit, bad.path());
    assert!(!is_passed, "{said}");
    assert!(said.contains("blocking_sleep") && said.contains("lib.rs"), "the hook failed for another reason:\n{said}");

    let clean = repository(&format!("pub fn wait() {{\n    {sleep}\n}}\n"));
    let (is_passed, said) = try_hook(&pre_commit, clean.path());
    assert!(is_passed, "{said}");
}

/// pre-commit in a virtual environment that is kept below the target folder; an `Err` is why there is none.
fn pre_commit() -> Result<PathBuf, String> {
    let environment = kept_folder("pre_commit");
    let program = environment.join("bin/pre-commit");
    if runs(Command::new(&program).arg("--version")).is_ok() {
        return Ok(program);
    }
    // What an interrupted run left may look like an environment and be none.
    fs::remove_dir_all(&environment).map_err(|error| error.to_string())?;
    runs(Command::new("python3").args(["-m", "venv"]).arg(&environment)).map_err(|error| format!("python3 -m venv: {error}"))?;
    let python = environment.join("bin/python");
    runs(Command::new(python).args(["-m", "pip", "install", "--quiet", "pre-commit"]))
        .map_err(|error| format!("pip install: {error}"))?;
    Ok(program)
}

fn runs(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(text(&output)) }
}

fn try_hook(pre_commit: &Path, repository: &Path) -> (bool, String) {
    let output = Command::new(pre_commit)
        .arg("try-repo")
        .arg(root())
        .args(["agentlint", "--all-files", "--verbose"])
        .current_dir(repository)
        // Each try is a fresh clone; what it builds from the registry is built once.
        .env("CARGO_TARGET_DIR", kept_folder("hook_build"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("PRE_COMMIT_HOME", kept_folder("pre_commit_home"))
        .output()
        .unwrap();
    (output.status.success(), text(&output))
}

fn repository(library: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("Cargo.toml"), "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write(&folder.path().join("src/lib.rs"), library);
    for arguments in [["init", "--quiet"].as_slice(), &["add", "."]] {
        runs(Command::new("git").args(arguments).current_dir(folder.path())).unwrap();
    }
    folder
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
