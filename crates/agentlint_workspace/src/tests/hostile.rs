//! A repository that tries to run its own programs leaves no mark; cargo by itself, in the same repository, does.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Tree;
use crate::{Environment, Request, open};

/// A repository whose every program leaves a file in `marks`.
struct Hostile {
    tree: Tree,
    marks: tempfile::TempDir,
}

impl Hostile {
    fn new() -> Hostile {
        let hostile = Hostile { tree: Tree::new(&[]), marks: tempfile::tempdir().unwrap() };
        hostile.sources();
        let programs = ["rustc", "cargo", "git", "wrapper", "workspace_wrapper", "credentials", "linker"];
        programs.iter().for_each(|name| hostile.program(&format!("bin/{name}")));
        let bin = hostile.tree.path("bin").display().to_string();
        hostile.tree.write(
            ".cargo/config.toml",
            format!(
                r#"
                [build]
                rustc = "{bin}/rustc"
                rustc-wrapper = "{bin}/wrapper"
                rustc-workspace-wrapper = "{bin}/workspace_wrapper"
                rustflags = ["-Clinker={bin}/linker", "--cfg", "from_flags"]
                [registry]
                global-credential-providers = ["{bin}/credentials"]
                [registries.own]
                index = "sparse+https://example.invalid/"
                credential-provider = ["{bin}/credentials"]
                [net]
                git-fetch-with-cli = true
                [alias]
                metadata = ["run"]
                agentlint = ["run"]
                [env]
                RUSTC = {{ value = "{bin}/rustc", force = true }}
                PATH = {{ value = "{bin}:/usr/bin:/bin", force = true }}
                "#
            ),
        );
        hostile
    }

    fn sources(&self) {
        let mark = |name: &str| format!("std::fs::write({:?}, \"\").unwrap();", self.marks.path().join(name));
        self.tree.write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nmacros = { path = \"macros\" }\n[workspace]\n");
        self.tree.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"macros\",\n]\n\n[[package]]\nname = \"macros\"\nversion = \"0.1.0\"\n");
        self.tree.write("build.rs", format!("fn main() {{ {} }}", mark("build_script")));
        self.tree.write("src/main.rs", "macros::run!();\nfn main() {}\n");
        let manifest = "[package]\nname = \"macros\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n";
        self.tree.write("macros/Cargo.toml", manifest);
        let run = "#[proc_macro]\npub fn run(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream";
        self.tree.write("macros/src/lib.rs", format!("{run} {{ {} tokens }}\n", mark("proc_macro")));
    }

    /// Marks that it ran, and does what the program of its name would have done.
    fn program(&self, path: &str) {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let real = match name {
            "wrapper" | "workspace_wrapper" => "exec \"$@\"".to_owned(),
            "rustc" | "cargo" => format!("exec {} \"$@\"", real(name).display()),
            "linker" => "exec cc \"$@\"".to_owned(),
            _ => "exit 1".to_owned(),
        };
        let mark = self.marks.path().join(name);
        self.tree.write(path, format!("#!/bin/sh\n: > '{}'\n{real}\n", mark.display()));
        std::fs::set_permissions(self.tree.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn marks(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.marks.path()).unwrap().flatten();
        let mut marks: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        marks.sort();
        marks
    }

    fn open(&self, change: impl FnOnce(&mut Environment)) -> crate::Opened {
        let mut request: Request = self.tree.request(&[]);
        change(&mut request.environment);
        open(request).unwrap()
    }

    /// Cargo as a person would run it here.
    fn cargo(&self, program: &Path, arguments: &[&str]) {
        let mut command = Command::new(program);
        let ours = ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS"];
        for name in ours {
            command.env_remove(name);
        }
        let target = self.tree.cache().join("target");
        command.args(arguments).current_dir(self.tree.root()).env("CARGO_TARGET_DIR", target).output().unwrap();
    }
}

fn real(program: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO").unwrap()).with_file_name(program)
}

#[test]
fn nothing_that_the_configuration_names_runs() {
    let hostile = Hostile::new();
    let before = hostile.tree.listing();
    let opened = hostile.open(|_| {});
    assert_eq!(hostile.marks(), [""; 0]);
    assert_eq!(opened.notes, [""; 0], "cargo itself answered");
    assert_eq!(super::crates(&opened), ["app Binary [macros]", "macros ProcMacro []"]);
    assert!(opened.graph.crates[0].cfg.flags.contains(&agentlint_syntax::name("from_flags")), "data is read");
    assert_eq!(hostile.tree.listing(), before);
}

/// Without this, the tests around it could pass because their traps do not work.
#[test]
fn cargo_alone_runs_them() {
    let hostile = Hostile::new();
    hostile.cargo(&real("cargo"), &["metadata", "--offline", "--format-version=1"]);
    assert_eq!(hostile.marks(), ["rustc", "workspace_wrapper", "wrapper"]);
    hostile.cargo(&real("cargo"), &["check", "--offline"]);
    let marks = hostile.marks();
    assert!(["build_script", "proc_macro", "linker"].iter().all(|name| marks.iter().any(|mark| mark == name)), "{marks:?}");
}

#[test]
fn programs_inside_the_repository_are_not_found() {
    let hostile = Hostile::new();
    let bin = hostile.tree.path("bin");
    let opened = hostile.open(|environment| {
        let path = environment.path.clone().unwrap();
        let folders = [bin.clone(), PathBuf::from("bin"), PathBuf::from("")].into_iter().chain(std::env::split_paths(&path));
        environment.path = Some(std::env::join_paths(folders).unwrap());
        environment.cargo = Some(bin.join("cargo"));
        environment.rustup_toolchain = Some(hostile.tree.path("toolchain").into_os_string());
    });
    assert_eq!(hostile.marks(), [""; 0]);
    assert_eq!(opened.notes, [""; 0]);
}

#[test]
fn a_cargo_home_inside_the_repository_gives_its_downloads_only() {
    let hostile = Hostile::new();
    let opened = hostile.open(|environment| environment.cargo_home = Some(hostile.tree.path(".cargo")));
    assert_eq!(hostile.marks(), [""; 0]);
    assert_eq!(opened.notes, [""; 0]);
}

#[test]
fn a_toolchain_inside_the_repository_is_not_used() {
    let hostile = Hostile::new();
    ["rustc", "cargo"].iter().for_each(|name| hostile.program(&format!("toolchain/bin/{name}")));
    std::fs::create_dir_all(hostile.tree.path("toolchain/lib")).unwrap();
    std::fs::remove_file(hostile.tree.path(".cargo/config.toml")).unwrap();
    let toolchain = hostile.tree.path("toolchain");
    hostile.tree.write("rust-toolchain.toml", format!("[toolchain]\npath = \"{}\"\n", toolchain.display()));
    let opened = hostile.open(|environment| {
        environment.cargo = None;
        environment.rustup_toolchain = None;
    });
    assert_eq!(hostile.marks(), [""; 0]);
    assert_eq!(opened.notes, [""; 0]);

    let Some(proxy) = proxy() else {
        eprintln!("no rustup on PATH: that it would use the toolchain was not shown");
        return;
    };
    hostile.cargo(&proxy, &["metadata", "--offline", "--format-version=1"]);
    assert!(!hostile.marks().is_empty());
}

/// The cargo that rustup put on the path.
fn proxy() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.join("rustup").is_file()).map(|folder| folder.join("cargo"))
}
