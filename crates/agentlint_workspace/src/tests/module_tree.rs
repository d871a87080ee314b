//! Which files a crate has.

use agentlint_semantic::input::Loader;

use super::{Tree, files, problems};

const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

fn app(sources: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(sources);
    tree.write("Cargo.toml", MANIFEST);
    tree
}

#[test]
fn named_files_and_mod_rs_nest() {
    let tree = app(&[
        ("src/main.rs", "mod a;\nmod b;\nfn main() {}\n"),
        ("src/a.rs", "mod inner;\n"),
        ("src/a/inner.rs", "mod deepest;\n"),
        ("src/a/inner/deepest.rs", ""),
        ("src/b/mod.rs", "mod inner;\n"),
        ("src/b/inner.rs", ""),
        ("src/unused.rs", ""),
    ]);
    let opened = tree.open(&[]);
    let expected = ["src/a.rs", "src/a/inner.rs", "src/a/inner/deepest.rs", "src/b/inner.rs", "src/b/mod.rs", "src/main.rs"];
    assert_eq!(files(&opened, "app"), expected);
    assert_eq!(problems(&opened), [""; 0]);
}

#[test]
fn inline_modules_make_folders() {
    let tree = app(&[
        ("src/lib.rs", "mod outer {\n    mod inner;\n}\nmod a;\n"),
        ("src/outer/inner.rs", ""),
        ("src/a.rs", "mod own {\n    mod leaf;\n}\n"),
        ("src/a/own/leaf.rs", ""),
    ]);
    assert_eq!(files(&tree.open(&[]), "app"), ["src/a.rs", "src/a/own/leaf.rs", "src/lib.rs", "src/outer/inner.rs"]);
}

#[test]
fn path_attributes_count_from_the_declaring_file() {
    let tree = app(&[
        (
            "src/lib.rs",
            "#[path = \"elsewhere/x.rs\"]\nmod x;\nmod a;\n#[path = \"folder\"]\nmod inline {\n    mod leaf;\n    #[path = \"named.rs\"]\n    mod other;\n}\n",
        ),
        ("src/elsewhere/x.rs", "mod child;\n"),
        ("src/elsewhere/child.rs", ""),
        ("src/a.rs", "#[path = \"beside.rs\"]\nmod b;\nmod own {\n    #[path = \"deep.rs\"]\n    mod c;\n}\n"),
        ("src/beside.rs", ""),
        ("src/a/own/deep.rs", ""),
        ("src/folder/leaf.rs", ""),
        ("src/folder/named.rs", ""),
    ]);
    let opened = tree.open(&[]);
    assert_eq!(problems(&opened), [""; 0]);
    let expected = [
        "src/a.rs",
        "src/a/own/deep.rs",
        "src/beside.rs",
        "src/elsewhere/child.rs",
        "src/elsewhere/x.rs",
        "src/folder/leaf.rs",
        "src/folder/named.rs",
        "src/lib.rs",
    ];
    assert_eq!(files(&opened, "app"), expected);
}

#[test]
fn cfg_chooses_modules_and_their_paths() {
    let tree = app(&[
        (
            "src/lib.rs",
            "#[cfg(windows)]\nmod absent_here;\n#[cfg(unix)]\nmod here;\n#[cfg_attr(unix, path = \"unix.rs\")]\n#[cfg_attr(windows, path = \"windows.rs\")]\nmod system;\n#[cfg(test)]\nmod tests;\n",
        ),
        ("src/here.rs", ""),
        ("src/unix.rs", ""),
        ("src/windows.rs", ""),
        ("src/tests.rs", ""),
    ]);
    let opened = tree.open(&[]);
    assert_eq!(problems(&opened), [""; 0]);
    assert_eq!(files(&opened, "app"), ["src/here.rs", "src/lib.rs", "src/unix.rs"]);
    let opened = crate::open(crate::Request { all_targets: true, ..tree.request(&[]) }).unwrap();
    assert_eq!(files(&opened, "app"), ["src/here.rs", "src/lib.rs", "src/tests.rs", "src/unix.rs"]);
}

#[test]
fn a_missing_module_is_told_of_where_it_is_declared() {
    let tree = app(&[("src/main.rs", "mod gone;\n"), ("src/lib.rs", "#[path = \"main.rs\"]\nmod x;\n")]);
    let opened = tree.open(&[]);
    assert_eq!(problems(&opened), ["src/main.rs: unreadable_file: the file of module `gone` is missing"]);
    assert_eq!(opened.diagnostics[0].notes, ["looked for `src/gone.rs` and `src/gone/mod.rs`"]);
}

#[test]
fn a_file_that_cannot_be_read_costs_only_itself() {
    let tree = app(&[("src/lib.rs", "mod latin;\nmod huge;\nmod fine;\n"), ("src/fine.rs", "")]);
    tree.write("src/latin.rs", b"// caf\xe9\n");
    tree.write("src/huge.rs", vec![b' '; 17 << 20]);
    let opened = tree.open(&[]);
    assert!(files(&opened, "app").contains(&"src/fine.rs".to_owned()));
    let expected = [
        "src/latin.rs: unreadable_file: cannot read `src/latin.rs`: it is not UTF-8 from byte 6 on",
        "src/huge.rs: unreadable_file: cannot read `src/huge.rs`: it has 17825792 bytes, and more than 16777216 are not read",
    ];
    assert_eq!(problems(&opened), expected);
}

#[test]
fn a_module_that_is_its_own_ancestor_ends() {
    let tree = app(&[("src/lib.rs", "mod a;\n"), ("src/a.rs", "#[path = \"lib.rs\"]\nmod root;\n")]);
    let opened = tree.open(&[]);
    assert_eq!(files(&opened, "app"), ["src/a.rs", "src/lib.rs"]);
    let crate_files = opened.loader.load(opened.members[0]).unwrap();
    assert_eq!(crate_files.modules.len(), 1);
}

#[test]
fn files_that_stand_behind_many_modules_do_not_multiply() {
    let twice = |name: &str| format!("#[path = \"{name}.rs\"]\nmod a;\n#[path = \"{name}.rs\"]\nmod b;\n");
    let tree = app(&[("src/lib.rs", &twice("f0")), ("src/f40.rs", "")]);
    (0..40).for_each(|number| tree.write(&format!("src/f{number}.rs"), twice(&format!("f{}", number + 1))));
    let crate_files = tree.open(&[]).loader.load(0.into()).unwrap();
    // Every file once, and the last, which has no modules, twice.
    assert_eq!((crate_files.facts.len(), crate_files.modules.len()), (42, 42));
}

#[cfg(unix)]
#[test]
fn links_end_where_the_repository_ends() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "top secret").unwrap();
    let tree = app(&[("src/lib.rs", "mod a;\nmod pipe;\nmod secret;\n"), ("src/a/mod.rs", "mod a;\n")]);
    // `src/a/a` is `src/a` again, without an end.
    std::os::unix::fs::symlink(".", tree.path("src/a/a")).unwrap();
    std::os::unix::fs::symlink(secret.path(), tree.path("src/secret.rs")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", tree.path("src/pipe.rs")).unwrap();
    let opened = tree.open(&[]);
    assert_eq!(files(&opened, "app"), ["src/a/mod.rs", "src/lib.rs", "src/pipe.rs", "src/secret.rs"]);
    let outside = format!("it lies outside of `{}`", tree.root().display());
    let expected = [
        format!("src/pipe.rs: unreadable_file: cannot read `src/pipe.rs`: {outside}"),
        format!("src/secret.rs: unreadable_file: cannot read `src/secret.rs`: {outside}"),
    ];
    assert_eq!(problems(&opened), expected);
    let secret = opened.loader.sources().find(&tree.path("src/secret.rs")).unwrap();
    assert_eq!(opened.loader.sources().text(secret), None);
}

#[cfg(unix)]
#[test]
fn files_behind_a_linked_folder_are_those_in_the_folder() {
    let linked = "#[path = \"linked/one.rs\"]\nmod first;\n#[path = \"linked/two.rs\"]\nmod second;\n";
    let tree = app(&[("src/lib.rs", &format!("mod real;\n{linked}")), ("src/real/mod.rs", "mod one;\nmod two;\n")]);
    tree.write("src/real/one.rs", "");
    tree.write("src/real/two.rs", "");
    std::os::unix::fs::symlink("real", tree.path("src/linked")).unwrap();
    let opened = tree.open(&[]);
    assert_eq!(files(&opened, "app"), ["src/lib.rs", "src/real/mod.rs", "src/real/one.rs", "src/real/two.rs"]);
    let sources = opened.loader.sources();
    for name in ["one.rs", "two.rs"] {
        let found = sources.find(&tree.path(&format!("src/linked/{name}")));
        assert!(found.is_some() && found == sources.find(&tree.path(&format!("src/real/{name}"))), "{name}");
    }
}

#[test]
fn a_file_of_several_targets_is_one_file() {
    let tree = app(&[
        ("src/lib.rs", "mod shared;\n"),
        ("src/main.rs", "mod shared;\n"),
        ("src/bin/other.rs", "#[path = \"../shared.rs\"]\nmod shared;\n"),
        ("src/shared.rs", ""),
    ]);
    let opened = tree.open(&[]);
    let report = opened.report();
    assert_eq!((report.targets, report.files), (3, 4));
    assert_eq!(opened.loader.sources().len(), 4);
}

#[test]
fn the_same_tree_gives_the_same_numbers() {
    let names: Vec<String> = (0..60).map(|number| format!("module_{number}")).collect();
    let tree = app(&[]);
    let declared: String = names.iter().map(|name| format!("mod {name};\n")).collect();
    tree.write("src/lib.rs", &declared);
    tree.write("src/main.rs", &declared);
    names.iter().for_each(|name| tree.write(&format!("src/{name}.rs"), "mod x {\n}\n"));
    let numbers = |threads| {
        let opened = crate::open(crate::Request { threads: Some(threads), ..tree.request(&[]) }).unwrap();
        let sources = opened.loader.sources();
        names.iter().map(|name| sources.find(&tree.path(&format!("src/{name}.rs")))).collect::<Vec<_>>()
    };
    assert_eq!(numbers(1), numbers(8));
}

#[test]
fn the_file_of_a_module_that_a_macro_made_is_found() {
    let tree = app(&[
        ("src/lib.rs", "mod a;\n#[path = \"odd.rs\"]\nmod named;\n"),
        ("src/a.rs", "wrap! { mod b; }\n"),
        ("src/a/b.rs", "fn main() {}\n"),
        ("src/odd.rs", ""),
        ("src/c.rs", ""),
    ]);
    let opened = crate::open(crate::Request { exclude: vec!["odd.rs".to_owned()], ..tree.request(&[]) }).unwrap();
    let sources = opened.loader.sources();
    let declared = agentlint_syntax::parse("mod b;\nmod c;\n", &agentlint_syntax::ParseOptions::default());
    let find = |file: &str, item: usize| {
        let file = sources.find(&tree.path(file)).unwrap();
        let found = opened.loader.submodule(0.into(), file, &[], &declared.items[item.into()])?;
        Some((sources.display_path(found.0).unwrap().to_string(), opened.is_reported(found.0)))
    };
    assert_eq!(find("src/a.rs", 0), Some(("src/a/b.rs".to_owned(), true)));
    // A file found by `#[path]` has its modules beside it.
    assert_eq!(find("src/odd.rs", 1), Some(("src/c.rs".to_owned(), false)));
    assert_eq!(find("src/lib.rs", 0), None);
}
