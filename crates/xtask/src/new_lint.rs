//! `cargo xtask new-lint <id>`: the page, the file, the case and the entry of a new lint, ready to be filled in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use agentlint_testing::HEADINGS;
use anyhow::{Context, Result, bail, ensure};

use crate::tool::root;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [id] = arguments else { bail!("usage: cargo xtask new-lint <id>") };
    ensure!(is_id(id), "`{id}` is no id: small letters and `_`, as in `blocking_fs`");
    let root = root()?;
    let list = root.join("lints/src/lib.rs");
    let text = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let text = with_entry(&text, id)?;

    create(&root.join(format!("lints/{id}.md")), &page(id))?;
    create(&root.join(format!("lints/src/{id}.rs")), &source(id))?;
    create(&root.join(format!("fixtures/lints/{id}/cases.rs")), &case(id))?;
    fs::write(&list, text)?;
    println!("lints/{id}.md, lints/src/{id}.rs, fixtures/lints/{id}/cases.rs: fill them in, then `cargo xtask test`");
    Ok(())
}

fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('_')
        && id.chars().all(|character| character.is_ascii_lowercase() || character == '_')
}

/// `blocking_fs` is `BlockingFs`.
fn type_name(id: &str) -> String {
    id.split('_')
        .flat_map(|word| word.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }))
        .collect()
}

/// The list of `lints!` with one entry more, in order.
fn with_entry(text: &str, id: &str) -> Result<String> {
    let opening = "\nlints! {\n";
    let start = text.find(opening).context("lints/src/lib.rs has no list `lints!`")? + opening.len();
    let length = text[start..].find('}').context("the list `lints!` does not end")?;
    let mut entries: Vec<&str> = text[start..start + length].lines().collect();
    let entry = format!("    {id}::{},", type_name(id));
    ensure!(!entries.contains(&entry.as_str()), "there is a lint `{id}`");
    entries.push(&entry);
    entries.sort_unstable();
    Ok(format!("{}{}\n{}", &text[..start], entries.join("\n"), &text[start + length..]))
}

fn page(id: &str) -> String {
    let mut page = format!("# {id}\n\nWhat is wrong, in a sentence.\n");
    for heading in HEADINGS {
        let body = match heading {
            "What it does" => "Reports …".to_owned(),
            "Why is this bad?" => "…".to_owned(),
            "Example" => format!("```rust\npub async fn example() {{\n    wrong(); //~ {id}\n}}\n\nfn wrong() {{}}\n```"),
            "Use instead" => "```rust\npub async fn example() {}\n```".to_owned(),
            "Known gaps" => "None are known.".to_owned(),
            _ => format!(
                "The level is set with `-A`, `-W` or `-D {id}`, and one place is suppressed with `// agentlint: allow({id}) -- reason`."
            ),
        };
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {heading}\n\n{body}\n");
    }
    page
}

fn source(id: &str) -> String {
    let name = type_name(id);
    format!(
        r#"//! `{id}`: what is wrong, in a few words.

use agentlint_diagnostics::{{Diagnostic, Group, Level, LintMeta}};
use agentlint_linter::{{Lint, LintContext}};

static META: LintMeta = LintMeta {{
    id: "{id}",
    summary: "what is wrong, in a few words",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../{id}.md"),
}};

pub(crate) struct {name};

impl Lint for {name} {{
    fn meta(&self) -> &'static LintMeta {{
        &META
    }}

    fn check(&self, _cx: &LintContext<'_>, _report: &mut Vec<Diagnostic>) {{}}
}}
"#
    )
}

fn case(id: &str) -> String {
    format!(
        "//! What `{id}` reports, and what it leaves alone.\n\npub async fn wrong() {{}} //~ {id}\n\npub async fn right() {{}}\n"
    )
}

fn create(path: &Path, text: &str) -> Result<()> {
    ensure!(!path.exists(), "{} is there already", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_put_in_its_place() {
        let list = "mod a;\n\nlints! {\n    a_b::AB,\n    c_d::CD,\n}\n";
        assert_eq!(with_entry(list, "b_fs").unwrap(), "mod a;\n\nlints! {\n    a_b::AB,\n    b_fs::BFs,\n    c_d::CD,\n}\n");
        assert!(with_entry(list, "a_b").is_err());
    }

    #[test]
    fn the_page_has_the_form_of_all_pages() {
        let page = agentlint_testing::read_page(&page("some_lint")).unwrap();
        assert_eq!(page.id, "some_lint");
        assert!(!is_id("Some") && !is_id("_a") && !is_id("a_") && is_id("a_b"));
    }
}
