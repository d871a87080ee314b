//! The user's configuration: where it is found, and how mistakes in it are told.

use std::path::Path;

use agentlint_diagnostics::{Confidence, Level, Reported, RolePolicy};

use super::{Tree, reported};
use crate::{CatalogKind, Request, open, parse_config};

const PACKAGE: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

fn lints() -> Vec<String> {
    ["blocking", "blocking_fs", "blocking_sleep", "lock_across_await"].map(str::to_owned).into()
}

fn complaint(text: &str) -> String {
    parse_config(text, Path::new("agentlint.toml"), &lints()).unwrap_err().to_string()
}

#[test]
fn everything_that_can_be_said_is_read() {
    let text = r#"
exclude = ["generated/**"]
fail-on = "deny"
confidence = "certain"

[lints]
lock_across_await = "allow"
blocking = "deny"

[roles]
startup = "all"

[[sink]]
path = "app::db::query"
effect = "db"
confidence = "likely"
instead = "app::db::query_async"
panics = false

[[offload]]
path = "app::pool::run"
argument = 1

[[trusted]]
path = "app::quick"

[[trusted]]
path = "tokio"

[[trusted]]
path = "app::Cache::*"

[[client]]
path = "app::Client"
"#;
    let config = parse_config(text, Path::new("agentlint.toml"), &lints()).unwrap();
    assert_eq!(config.exclude, ["generated/**"]);
    assert_eq!((config.fail_on, config.confidence), (Some(Level::Deny), Some(Confidence::Certain)));
    assert_eq!(config.roles, RolePolicy { startup: Reported::All, test: Reported::Fatal });
    let levels: Vec<_> = config.levels.iter().map(|entry| (entry.name.as_str(), entry.level)).collect();
    assert_eq!(levels, [("lock_across_await", Level::Allow), ("blocking", Level::Deny)]);
    let kinds: Vec<_> = config.catalog.iter().map(|entry| (entry.kind, entry.path.as_str())).collect();
    let expected = [
        (CatalogKind::Sink, "app::db::query"),
        (CatalogKind::Offload, "app::pool::run"),
        (CatalogKind::Trusted, "app::quick"),
        (CatalogKind::Trusted, "tokio"),
        (CatalogKind::Trusted, "app::Cache::*"),
        (CatalogKind::Client, "app::Client"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(config.catalog[0].effect.as_deref(), Some("db"));
    assert_eq!(config.catalog[0].instead.as_deref(), Some("app::db::query_async"));
    assert_eq!(config.catalog[1].argument, Some(1));
}

#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    let cases = [
        ("exlude = []", "agentlint.toml:1:1: unknown key `exlude`; did you mean `exclude`?"),
        ("fail_on = \"deny\"", "agentlint.toml:1:1: unknown key `fail_on`; did you mean `fail-on`?"),
        ("[lints]\nblocking_f = \"deny\"", "agentlint.toml:2:1: unknown lint `blocking_f`; did you mean `blocking_fs`?"),
        ("[lints]\nzzz = \"deny\"", "agentlint.toml:2:1: unknown lint `zzz`; `cargo agentlint list` shows all lints and groups"),
        (
            "[lints]\nblocking = \"error\"",
            "agentlint.toml:2:12: unknown value \"error\"; expected one of `allow`, `warn`, `deny`",
        ),
        ("[lints]\nblocking = \"wran\"", "agentlint.toml:2:12: unknown value \"wran\"; did you mean \"warn\"?"),
        ("[lints]\nblocking = 1", "agentlint.toml:2:12: expected a string, found integer"),
        ("exclude = \"a\"", "agentlint.toml:1:11: expected an array of strings, found string"),
        ("[[sink]]\npath = \"a::b\"", "agentlint.toml:1:1: `[[sink]]` needs `effect`"),
        (
            "[[sink]]\npath = \"a::b\"\neffect = \"qqq\"",
            "agentlint.toml:3:10: unknown value \"qqq\"; expected one of `sleep`, `fs`, `net`, `http`, `db`, `process`, `channel`, `join`, `lock`, `stdin`, `block_on`, `cpu`",
        ),
        (
            "[[offload]]\npath = \"read\"",
            "agentlint.toml:2:8: `read` is not a path; write the public path with its crate: `my_crate::module::function`",
        ),
        ("[[offload]]\npath = \"a::b\"\nargumnt = 0", "agentlint.toml:3:1: unknown key `argumnt`; did you mean `argument`?"),
        ("[sink]\npath = \"a::b\"", "agentlint.toml:1:1: expected an array of tables; write `[[sink]]` above each entry"),
    ];
    for (text, expected) in cases {
        assert_eq!(complaint(text), expected, "{text}");
    }
    assert!(complaint("a = ").starts_with("agentlint.toml:1:"), "{}", complaint("a = "));
}

#[test]
fn the_file_is_found_above_the_workspace_but_not_above_the_repository() {
    let tree = Tree::new(&[
        ("agentlint.toml", "unknown_key = 1\n"),
        ("repository/.git/HEAD", ""),
        ("repository/agentlint.toml", "exclude = [\"app/src/generated.rs\"]\n"),
        ("repository/app/Cargo.toml", PACKAGE),
        ("repository/app/src/lib.rs", "mod generated;\n"),
        ("repository/app/src/generated.rs", ""),
    ]);
    let opened = tree.open(&["repository/app"]);
    assert_eq!(opened.config.file, Some(tree.path("repository/agentlint.toml")));
    assert_eq!(reported(&opened).unwrap(), ["repository/app/src/lib.rs"]);
    std::fs::remove_file(tree.path("repository/agentlint.toml")).unwrap();
    assert_eq!(tree.open(&["repository/app"]).config.file, None);
}

#[test]
fn the_manifest_can_hold_it() {
    let text = format!("{PACKAGE}\n[package.metadata.agentlint.lints]\nblocking_fs = \"deny\"\n");
    let tree = Tree::new(&[("Cargo.toml", &text), ("src/lib.rs", "")]);
    assert_eq!(tree.open(&[]).config.levels[0].name, "blocking_fs");
    tree.write("Cargo.toml", text.replace("blocking_fs", "blockng_fs"));
    let error = open(Request { lint_names: lints(), ..tree.request(&[]) }).unwrap_err().to_string();
    assert!(error.ends_with("Cargo.toml:7:1: unknown lint `blockng_fs`; did you mean `blocking_fs`?"), "{error}");
}

#[test]
fn a_named_file_is_taken_or_refused() {
    let tree = Tree::new(&[("Cargo.toml", PACKAGE), ("src/lib.rs", ""), ("own.toml", "confidence = \"possible\"\n")]);
    let with = |config: &str| open(Request { config: Some(config.into()), ..tree.request(&[]) });
    assert_eq!(with("own.toml").unwrap().config.confidence, Some(Confidence::Possible));
    let error = with("gone.toml").unwrap_err().to_string();
    assert!(error.ends_with("gone.toml: cannot read the configuration: there is no such file"), "{error}");
}
