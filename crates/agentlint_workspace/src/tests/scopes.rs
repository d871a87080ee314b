//! What the arguments of a run mean.

use super::{Tree, crates, files, problems, reported};
use crate::{Request, open};

fn workspace() -> Tree {
    Tree::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"app\", \"util\"]\nresolver = \"2\"\n"),
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nutil = { path = \"../util\" }\n",
        ),
        ("app/src/main.rs", "mod web;\nfn main() {}\n"),
        ("app/src/web.rs", ""),
        ("app/tests/it.rs", "mod common;\n"),
        ("app/tests/common/mod.rs", ""),
        ("app/ui/case.rs", "fn main() {}\n"),
        ("util/Cargo.toml", "[package]\nname = \"util\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("util/src/lib.rs", ""),
    ])
}

#[test]
fn nothing_means_the_workspace_here() {
    let tree = workspace();
    let opened = open(Request { cwd: tree.path("app/src"), ..tree.request(&[]) }).unwrap();
    assert_eq!(crates(&opened), ["app Binary [util]", "util Library []"]);
    assert_eq!(reported(&opened), None);
    assert_eq!(files(&opened, "util"), ["../../util/src/lib.rs"]);
}

#[test]
fn a_package_is_reported_and_the_others_are_only_read() {
    let tree = workspace();
    for path in ["util", "util/Cargo.toml"] {
        let opened = tree.open(&[path]);
        assert_eq!(crates(&opened).len(), 2);
        assert_eq!(reported(&opened).unwrap(), ["util/src/lib.rs"]);
    }
}

#[test]
fn a_file_is_reported_within_its_package() {
    let tree = workspace();
    let opened = tree.open(&["app/src/web.rs"]);
    assert_eq!(crates(&opened), ["app Binary [util]", "util Library []"]);
    assert_eq!(reported(&opened).unwrap(), ["app/src/web.rs"]);
}

#[test]
fn a_file_of_a_test_brings_in_the_tests() {
    let tree = workspace();
    let opened = tree.open(&["app/tests/common/mod.rs"]);
    assert_eq!(crates(&opened), ["app Binary [util]", "it Test [util]", "util Library []"]);
    assert_eq!(reported(&opened).unwrap(), ["app/tests/common/mod.rs"]);
}

#[test]
fn a_file_that_no_target_contains_is_a_crate_of_its_own() {
    let tree = workspace();
    let opened = tree.open(&["app/ui/case.rs"]);
    assert_eq!(crates(&opened), ["case Binary []"]);
    assert_eq!(reported(&opened), None);
}

#[test]
fn a_folder_inside_a_package_is_its_files() {
    let tree = workspace();
    assert_eq!(reported(&tree.open(&["app/src"])).unwrap(), ["app/src/main.rs", "app/src/web.rs"]);
}

#[test]
fn a_folder_without_a_manifest_is_packages_and_loose_crates() {
    let tree = Tree::new(&[
        ("code/.gitignore", "ignored/\n"),
        ("code/zed.rs", "mod helper;\n"),
        ("code/helper.rs", ""),
        ("code/alone.rs", "fn main() {}\n"),
        ("code/sub/main.rs", "mod part;\nfn main() {}\n"),
        ("code/sub/part.rs", ""),
        ("code/pack/Cargo.toml", "[package]\nname = \"pack\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("code/pack/src/lib.rs", ""),
        ("code/ignored/x.rs", ""),
        ("code/target/y.rs", ""),
        ("code/.hidden/z.rs", ""),
    ]);
    let opened = tree.open(&["code"]);
    let mut found = crates(&opened);
    found.sort();
    assert_eq!(found, ["alone Binary []", "main Binary []", "pack Library []", "zed Library []"]);
    assert_eq!(files(&opened, "zed"), ["code/helper.rs", "code/zed.rs"]);
    assert_eq!(files(&opened, "main"), ["code/sub/main.rs", "code/sub/part.rs"]);
}

#[test]
fn files_that_declare_each_other_are_still_read() {
    let tree = Tree::new(&[("a.rs", "mod b;\n"), ("b.rs", "mod a;\n")]);
    let opened = tree.open(&["."]);
    assert_eq!(files(&opened, "a"), ["a.rs", "b.rs"]);
    assert_eq!(crates(&opened).len(), 1);
}

#[test]
fn excluded_files_are_read_but_not_reported() {
    let tree = workspace();
    let request = Request { exclude: vec!["util/".into(), "web.rs".into()], ..tree.request(&[]) };
    let opened = open(request).unwrap();
    assert_eq!(crates(&opened).len(), 2);
    assert_eq!(reported(&opened).unwrap(), ["app/src/main.rs"]);
    let invalid = open(Request { exclude: vec!["[z-a]".into()], ..tree.request(&[]) });
    assert!(invalid.unwrap_err().to_string().starts_with("the pattern `[z-a]` is not a valid glob"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_way_out() {
    let tree = Tree::new(&[("notes.txt", ""), ("empty/x", "")]);
    let message = |paths: &[&str]| tree.try_open(paths).unwrap_err().to_string();
    assert!(message(&["gone"]).ends_with("gone` does not exist"));
    assert!(
        message(&["notes.txt"])
            .ends_with("notes.txt` is neither a folder, a Cargo.toml, a .rs file, a Dockerfile, a compose file nor a Procfile")
    );
    assert!(message(&["empty"]).starts_with("there is no Rust file in"));
    assert!(message(&[]).starts_with("there is no Cargo.toml in"));
    tree.write("broken/Cargo.toml", "[package\n");
    assert!(message(&["broken"]).contains("broken/Cargo.toml:1: "), "{}", message(&["broken"]));
}

#[test]
fn a_package_below_a_workspace_that_does_not_list_it_is_read() {
    let tree = workspace();
    tree.write("other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    tree.write("other/src/lib.rs", "");
    let opened = tree.open(&["other"]);
    assert_eq!(crates(&opened), ["other Library []"]);
}

#[test]
fn several_workspaces_share_one_graph() {
    let tree = workspace();
    tree.write("second/Cargo.toml", "[package]\nname = \"second\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nutil = { path = \"../util\" }\n[workspace]\n");
    tree.write("second/src/main.rs", "fn main() {}\n");
    let opened = tree.open(&[".", "second"]);
    assert_eq!(crates(&opened), ["app Binary [util]", "second Binary [util]", "util Library []"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new(&[("code/a.rs", ""), ("code/closed/b.rs", "")]);
    std::os::unix::fs::symlink("..", tree.path("code/loop")).unwrap();
    let closed = tree.path("code/closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let is_root = std::fs::read_dir(&closed).is_ok();
    let opened = tree.open(&["code"]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    if is_root {
        eprintln!("root reads every folder: that a closed one is told of was not shown");
        return;
    }
    assert_eq!(files(&opened, "a"), ["code/a.rs"]);
    assert_eq!(opened.notes.len(), 1);
    assert!(opened.notes[0].starts_with("not read: code/closed: "), "{:?}", opened.notes);
    assert_eq!(problems(&opened), [""; 0]);
}
