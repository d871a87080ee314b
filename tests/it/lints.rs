//! Every marked case and every page's example: exactly the marked lines are reported, in every variant of the text.
//!
//! All of them become targets of one generated package with the dependencies of `fixtures/cases`, so that one run of the
//! tool reads the dependencies once. Every lint is on, those that are off by default too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use agentlint_testing::{
    Finding, Language, MarkKind, check, hash_marks, marks, read_page, suppressed, truncations, with_crlf, with_tabs,
};

use crate::support::{
    assert_none, entries, fetch, files_below, findings, kept_folder, pages, read, root, run, shown, stem, write,
};

/// Truncations of each case: enough to cut in the midst of most constructs over all cases.
const TRUNCATIONS: usize = 5;

#[test]
fn exactly_the_marked_lines_are_reported() {
    report_differences("differences from the marks", "plain", |case| case.text.clone());
}

#[test]
fn line_ends_of_windows_change_nothing() {
    report_differences("differences with CRLF", "crlf", |case| with_crlf(&case.text));
}

#[test]
fn tabs_change_nothing() {
    report_differences("differences with tabs", "tabs", |case| with_tabs(&case.text));
}

#[test]
fn a_suppression_in_place_of_a_mark_gives_silence() {
    let of_cases = findings_by_file();
    let reported = cases().iter().flat_map(|case| {
        let found = of_cases.get(&case.file_name("suppressed")).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|one| format!("{}:{}: {}: {}", case.origin, one.line, one.lint, one.message))
    });
    assert_none("reported in spite of a suppression", &reported.collect::<Vec<_>>());
}

#[test]
fn a_text_that_ends_anywhere_is_survived() {
    let mut package = Package::new("truncated_cases");
    for case in cases() {
        for (number, text) in truncations(&case.text, TRUNCATIONS).enumerate() {
            package.add(&format!("cut_{number}"), case, text);
        }
    }
    let found = package.lint();
    let broken = found.iter().filter(|finding| finding.lint == "internal_error");
    assert_none("internal errors", &broken.map(|one| format!("{}: {}", one.file, one.message)).collect::<Vec<_>>());
}

#[test]
fn bad_agent_server_reports_exactly_its_marks() {
    let project = root().join("fixtures/projects/bad_agent_server");
    fetch(&project);
    let mut expected = Vec::new();
    for file in files_below(&project.join("src"), "rs") {
        let name = file.strip_prefix(&project).unwrap().display().to_string();
        expected.extend(marks(&name, &read(&file)).unwrap());
    }
    for name in ["Dockerfile", "compose.yaml", "Procfile", "deploy/start.sh"] {
        expected.extend(hash_marks(name, &read(&project.join(name))).unwrap());
    }
    let found = findings(&run(&project, &["-W", "pedantic", "--format", "json"]));
    if let Err(report) = check(&expected, &found) {
        panic!("differences from the marks ({}):\n{report}", report.lines().count());
    }
    assert!(expected.len() >= 40, "only {} marks", expected.len());
    let unmarked = pages().into_iter().map(|page| stem(&page)).filter(|id| !expected.iter().any(|mark| mark.lint == *id));
    assert_none("lints without a mark in bad_agent_server", &unmarked.collect::<Vec<_>>());
}

/// A text with marks.
struct Case {
    /// Unique, and good for a file's name.
    name: String,
    /// The file to look into when the case fails.
    origin: String,
    /// A page's block stands at the page's own lines.
    text: String,
}

impl Case {
    fn file_name(&self, variant: &str) -> String {
        format!("{variant}/{}.rs", self.name)
    }
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut cases = Vec::new();
        for lint in entries(&root().join("fixtures/lints")) {
            for file in files_below(&lint, "rs") {
                let name = format!("{}__{}", stem(&lint), stem(&file));
                cases.push(Case { name, origin: shown(&file), text: read(&file) });
            }
        }
        for path in pages() {
            let origin = shown(&path);
            let page = read_page(&read(&path)).unwrap_or_else(|error| panic!("{origin}: {error}"));
            let rust = page.blocks.iter().filter(|block| block.language == Language::Rust);
            cases.extend(rust.map(|block| Case {
                name: format!("page_{}_{}", page.id, block.first_line),
                origin: origin.clone(),
                text: format!("{}{}", "\n".repeat(block.first_line as usize - 1), block.text),
            }));
        }
        cases
    })
}

/// Every case with every variant that changes nothing but the text's form, in one run of the tool.
fn findings_by_file() -> &'static BTreeMap<String, Vec<Finding>> {
    static FOUND: OnceLock<BTreeMap<String, Vec<Finding>>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut package = Package::new("cases");
        for case in cases() {
            let marks = marks(&case.origin, &case.text).unwrap();
            package.add("plain", case, &case.text);
            package.add("crlf", case, &with_crlf(&case.text));
            package.add("tabs", case, &with_tabs(&case.text));
            package.add("suppressed", case, &suppressed(&case.text, &marks));
        }
        let mut by_file: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in package.lint() {
            by_file.entry(finding.file.clone()).or_default().push(finding);
        }
        by_file
    })
}

fn report_differences(what: &str, variant: &str, text: impl Fn(&Case) -> String) {
    let of_cases = findings_by_file();
    let mut differences = Vec::new();
    for case in cases() {
        let marks = match marks(&case.origin, &text(case)) {
            Ok(marks) => marks,
            Err(error) => {
                differences.push(error.to_string());
                continue;
            }
        };
        let found = of_cases.get(&case.file_name(variant)).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<_> = found.iter().map(|one| Finding { file: case.origin.clone(), ..one.clone() }).collect();
        if let Err(report) = check(&marks, &found) {
            differences.extend(report.lines().map(str::to_owned));
        }
    }
    let marked = cases().iter().flat_map(|case| marks(&case.origin, &case.text)).flatten();
    let expected = marked.filter(|mark| mark.kind == MarkKind::Expected).count();
    assert_none(&format!("{what}, of {expected} marks"), &differences);
}

/// A generated package; each text is a target, so that each is the root of a crate: a program where it has a `main`, else an example.
struct Package {
    folder: PathBuf,
    manifest: String,
}

impl Package {
    fn new(name: &str) -> Package {
        let folder = kept_folder(name);
        let template = root().join("fixtures/cases");
        write(&folder.join("src/lib.rs"), &read(&template.join("src/lib.rs")));
        write(&folder.join("Cargo.lock"), &read(&template.join("Cargo.lock")));
        Package { folder, manifest: read(&template.join("Cargo.toml")) }
    }

    fn add(&mut self, variant: &str, case: &Case, text: &str) {
        let path = case.file_name(variant);
        write(&self.folder.join(&path), text);
        let name = format!("{variant}__{}", case.name);
        self.manifest += &match text.contains("\nasync fn main()") || text.contains("\nfn main()") {
            true => format!("\n[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n"),
            false => format!("\n[[example]]\nname = \"{name}\"\npath = \"{path}\"\ncrate-type = [\"lib\"]\n"),
        };
    }

    fn lint(self) -> Vec<Finding> {
        write(&self.folder.join("Cargo.toml"), &self.manifest);
        fetch(&self.folder);
        findings(&run(&self.folder, &["--all-targets", "-W", "pedantic", "--format", "json"]))
    }
}
