//! `cargo xtask cases`: every case and every page's example compiles, so that no lint is tested on what is not Rust.
//!
//! One package is generated below the target folder, with the dependencies of `fixtures/cases/Cargo.toml` and a target
//! for each case. A page's block is written after as many empty lines as stand above it on its page, so that the
//! compiler's line numbers are the page's own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentlint_testing::{Block, Language, read_page};
use anyhow::{Context, Result, bail};

/// Checks all cases, all pages' blocks and the project `bad_agent_server`.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    };
    let package = Package::generate(&root, &target.join("cases"))?;
    println_count(&package);
    package.check(&root)?;
    check_project(&root.join("fixtures/projects/bad_agent_server"), &target.join("cases/build"), &root)
}

/// The generated package.
struct Package {
    folder: PathBuf,
    build: PathBuf,
    targets: Vec<Target>,
}

/// One case: a file of its own, which the compiler sees as a library of its own.
struct Target {
    name: String,
    /// What the compiler reads.
    file: PathBuf,
    /// What a person edits, relative to the repository.
    origin: PathBuf,
}

impl Package {
    fn generate(root: &Path, folder: &Path) -> Result<Package> {
        let sources = folder.join("package/src");
        // What an earlier run left of pages that are gone must not be checked again.
        if sources.exists() {
            fs::remove_dir_all(&sources).with_context(|| format!("cannot empty {}", sources.display()))?;
        }
        fs::create_dir_all(&sources).with_context(|| format!("cannot create {}", sources.display()))?;

        let mut targets = fixture_targets(root)?;
        targets.extend(page_targets(root, &sources)?);
        let package = Package { folder: folder.join("package"), build: folder.join("build"), targets };

        let template = root.join("fixtures/cases");
        write(&package.folder.join("Cargo.toml"), &package.manifest(&read(&template.join("Cargo.toml"))?))?;
        write(&sources.join("lib.rs"), &read(&template.join("src/lib.rs"))?)?;
        write(&package.folder.join("Cargo.lock"), &read(&template.join("Cargo.lock"))?)?;
        Ok(package)
    }

    fn manifest(&self, template: &str) -> String {
        // Cases may leave things unused: warnings say nothing about them.
        let mut manifest = format!("{template}\n[lints.rust]\nwarnings = \"allow\"\n");
        for target in &self.targets {
            let (name, path) = (&target.name, target.file.display());
            // Writing to a String cannot fail.
            let _ = write!(manifest, "\n[[example]]\nname = \"{name}\"\npath = '{path}'\ncrate-type = [\"lib\"]\n");
        }
        manifest
    }

    fn check(&self, root: &Path) -> Result<()> {
        let arguments = ["check", "--quiet", "--locked", "--examples", "--keep-going", "--message-format", "short"];
        let Err(mut report) = cargo(&self.folder, &self.build, &arguments) else { return Ok(()) };
        for target in &self.targets {
            let origin = target.origin.display().to_string();
            for written in names_of(&target.file, &self.folder) {
                report = report.replace(&written, &origin);
            }
        }
        bail!("these cases do not compile:\n{}", report.replace(&format!("{}/", root.display()), ""))
    }
}

/// The ways in which the compiler may write a file's name; the longest first.
fn names_of(file: &Path, package: &Path) -> Vec<String> {
    let relative = file.strip_prefix(package).ok().map(|path| path.display().to_string());
    std::iter::once(file.display().to_string()).chain(relative).collect()
}

fn fixture_targets(root: &Path) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for lint in sorted_entries(&root.join("fixtures/lints"))? {
        for file in sorted_entries(&lint)?.into_iter().filter(|file| is(file, "rs")) {
            let name = format!("{}__{}", stem(&lint), stem(&file));
            let origin = relative_to(root, &file);
            targets.push(Target { name, file, origin });
        }
    }
    Ok(targets)
}

fn page_targets(root: &Path, sources: &Path) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for path in sorted_entries(&root.join("lints"))?.into_iter().filter(|path| is(path, "md")) {
        let origin = relative_to(root, &path);
        if stem(&path).chars().any(|character| character.is_ascii_uppercase()) {
            continue; // README.md and the like are no lint's pages.
        }
        let page = read_page(&read(&path)?).map_err(|error| anyhow::anyhow!("{}: {error}", origin.display()))?;
        if page.id != stem(&path) {
            bail!("{}:1: the title is `{}`, not the file's name", origin.display(), page.id);
        }
        for block in page.blocks.iter().filter(|block| block.language == Language::Rust) {
            let name = format!("page_{}_{}", page.id, block.first_line);
            let file = sources.join(format!("{name}.rs"));
            write(&file, &padded(block))?;
            targets.push(Target { name, file, origin: origin.clone() });
        }
    }
    Ok(targets)
}

/// The block with its page's line numbers.
fn padded(block: &Block) -> String {
    let above = block.first_line.saturating_sub(1) as usize;
    format!("{}{}", "\n".repeat(above), block.text)
}

fn check_project(project: &Path, build: &Path, root: &Path) -> Result<()> {
    let arguments = ["check", "--quiet", "--locked", "--all-targets", "--message-format", "short"];
    cargo(project, build, &arguments)
        .map_err(|report| anyhow::anyhow!("{} does not compile:\n{report}", relative_to(root, project).display()))
}

/// Runs cargo in a folder; an `Err` is what it said.
fn cargo(folder: &Path, build: &Path, arguments: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", build)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[allow(clippy::print_stdout, reason = "a chore says what it does")]
fn println_count(package: &Package) {
    println!("checking {} cases and pages' blocks, and bad_agent_server", package.targets.len());
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Leaves a file that is already right alone, so that cargo sees nothing new.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn relative_to(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}
