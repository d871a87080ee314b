//! The marked cases that are no Rust: Dockerfiles, compose files, Procfiles and scripts, alone or several in a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use agentlint_testing::{
    Block, Finding, Language, Mark, MarkKind, check, hash_marks, hash_suppressed, read_page, truncations, with_crlf,
};
use tempfile::TempDir;

use crate::support::{assert_none, entries, findings, package, pages, read, root, run, shown, stem, write};

/// Truncations of each file.
const TRUNCATIONS: usize = 12;

#[test]
fn exactly_the_marked_lines_are_reported() {
    report_differences("differences from the marks", |text, _| text.to_owned());
}

#[test]
fn line_ends_of_windows_change_nothing() {
    report_differences("differences with CRLF", |text, _| with_crlf(text));
}

#[test]
fn a_suppression_in_place_of_a_mark_gives_silence() {
    let found = lint(hash_suppressed);
    let reported = found.iter().flat_map(|(case, found)| {
        found.iter().map(move |one| format!("{case}: {}:{}: {}: {}", one.file, one.line, one.lint, one.message))
    });
    assert_none("reported in spite of a suppression", &reported.collect::<Vec<_>>());
}

#[test]
fn a_text_that_ends_anywhere_is_survived() {
    let folder = package(&[("src/lib.rs", "")]);
    for case in cases() {
        for (at, cut) in case.files.iter().enumerate() {
            for (number, text) in truncations(&cut.text, TRUNCATIONS).enumerate() {
                let below = folder.path().join(format!("{}_{at}_{number}", case.name));
                for (other, file) in case.files.iter().enumerate() {
                    write(&below.join(&file.path), if other == at { text } else { &file.text });
                }
            }
        }
    }
    let found = findings(&run(folder.path(), &["--format", "json"]));
    let broken = found.iter().filter(|finding| finding.lint == "internal_error");
    assert_none("internal errors", &broken.map(|one| format!("{}: {}", one.file, one.message)).collect::<Vec<_>>());
}

#[test]
fn there_are_many_cases() {
    let marks = cases().iter().flat_map(|case| &case.files).flat_map(|file| file.marks());
    let expected = marks.filter(|mark| mark.kind == MarkKind::Expected).count();
    let silent = cases().iter().filter(|case| case.files.iter().all(|file| file.marks().is_empty())).count();
    assert!(expected + silent >= 45 && silent >= 15, "{expected} marks and {silent} cases that are silent");
}

#[test]
fn a_file_can_be_named_by_itself() {
    let dockerfile = "FROM debian:12\nUSER app\nCMD /app/server\n";
    let folder = package(&[("src/lib.rs", "pub fn a() {}\n"), ("Dockerfile", dockerfile), ("other/Dockerfile", dockerfile)]);
    let found = findings(&run(folder.path(), &["other/Dockerfile", "--format", "json"]));
    let places: Vec<_> = found.iter().map(|one| (one.file.as_str(), one.line, one.lint.as_str())).collect();
    assert_eq!(places, [("other/Dockerfile", 3, "shell_form_entrypoint")]);
    assert!(findings(&run(folder.path(), &["src/lib.rs", "--format", "json"])).is_empty());
    assert_eq!(findings(&run(folder.path(), &["--format", "json"])).len(), 2);
    assert_eq!(findings(&run(folder.path(), &["--exclude", "other", "--format", "json"])).len(), 1);
}

#[test]
fn what_is_not_deployed_is_not_looked_at() {
    let dockerfile = "FROM debian:12\nUSER app\nCMD /app/server\n";
    let paths = [
        "target/Dockerfile",
        "tests/Dockerfile",
        "examples/Dockerfile",
        ".devcontainer/Dockerfile",
        "ignored/Dockerfile",
        "node_modules/a/Dockerfile",
        "other_package/Dockerfile",
        "Dockerfile.dev",
        "Dockerfile.j2",
        "a/b/c/d/Dockerfile",
    ];
    let mut files = vec![("src/lib.rs", ""), (".gitignore", "/ignored\n"), ("other_package/Cargo.toml", "[workspace]\n")];
    files.extend(paths.iter().map(|path| (*path, dockerfile)));
    let folder = package(&files);
    let ran = run(folder.path(), &["--format", "concise"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
}

#[test]
fn places_are_exact_in_every_format() {
    let dockerfile = "FROM debian:12\nUSER app\n# ä\nCMD [\"sh\", \"-c\", \"/app/ä | cat\"]\n";
    let folder = package(&[("src/lib.rs", ""), ("docker/Dockerfile", dockerfile)]);
    let place = "docker/Dockerfile:4:19";
    assert!(run(folder.path(), &["--format", "concise"]).stdout.starts_with(place), "concise");
    assert!(run(folder.path(), &[]).stdout.contains(place), "human");
    let github = run(folder.path(), &["--format", "github"]).stdout;
    assert!(github.contains("file=docker/Dockerfile,line=4,endLine=4,col=19"), "{github}");
    let sarif = run(folder.path(), &["--format", "sarif"]).stdout;
    assert!(sarif.contains("docker/Dockerfile"), "{sarif}");
}

#[test]
fn a_suppression_beside_the_code_counts() {
    let dockerfile = "# agentlint: allow(container_runs_as_root) -- it mounts disks\n\n\
                      FROM debian:12\n\
                      # agentlint: allow(shell_form_entrypoint) -- it ends by itself\n\
                      CMD /app/server \\\n    --port 80\n";
    let compose = "services:\n  a:\n    build: .\n    user: root # agentlint: allow(container_runs_as_root) -- it mounts disks\n\
                   \x20   stop_signal: SIGTERM # agentlint: allow(shell_form_entrypoint) -- nothing\n\
                   \x20   # agentlint: allow(container_runs_as_root)\n    image: \"a # b\"\n";
    let folder = package(&[("src/lib.rs", ""), ("Dockerfile", dockerfile), ("compose.yaml", compose)]);
    let found = findings(&run(folder.path(), &["--format", "json"]));
    let places: Vec<_> = found.iter().map(|one| (one.file.as_str(), one.line, one.lint.as_str())).collect();
    assert_eq!(places, [("compose.yaml", 5, "unused_suppression"), ("compose.yaml", 6, "suppression_without_reason")]);
}

/// Files that belong together.
struct Case {
    /// Unique, and good for a folder's name.
    name: String,
    files: Vec<CaseFile>,
}

struct CaseFile {
    /// In the case's folder.
    path: String,
    /// The file to look into when the case fails.
    origin: String,
    text: String,
}

impl CaseFile {
    fn marks(&self) -> Vec<Mark> {
        hash_marks(&self.origin, &self.text).unwrap()
    }
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut cases = Vec::new();
        for lint in entries(&root().join("fixtures/lints")) {
            for path in entries(&lint).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "rs")) {
                let file_name = path.file_name().unwrap().to_str().unwrap();
                let mut files = Vec::new();
                if path.is_dir() {
                    collect(&path, &path, &mut files);
                } else {
                    files.push(CaseFile { path: file_name.to_owned(), origin: shown(&path), text: read(&path) });
                }
                cases.push(Case { name: format!("{}__{}", stem(&lint), file_name.replace('.', "_")), files });
            }
        }
        for path in pages() {
            let origin = shown(&path);
            let page = read_page(&read(&path)).unwrap_or_else(|error| panic!("{origin}: {error}"));
            cases.extend(page.blocks.iter().filter_map(|block| {
                let files = files_of_block(block, &origin)?;
                Some(Case { name: format!("page_{}_{}", page.id, block.first_line), files })
            }));
        }
        cases
    })
}

fn collect(folder: &Path, top: &Path, files: &mut Vec<CaseFile>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(&path, top, files);
        } else {
            let below = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            files.push(CaseFile { path: below, origin: shown(&path), text: read(&path) });
        }
    }
}

/// A page's block stands at the page's own lines; a script gets an image that starts it.
fn files_of_block(block: &Block, origin: &str) -> Option<Vec<CaseFile>> {
    let text = format!("{}{}", "\n".repeat(block.first_line as usize - 1), block.text);
    let file = |path: &str| CaseFile { path: path.to_owned(), origin: origin.to_owned(), text: text.clone() };
    match block.language {
        Language::Rust => None,
        Language::Dockerfile => Some(vec![file("Dockerfile")]),
        Language::Yaml => Some(vec![file("compose.yaml")]),
        Language::Procfile => Some(vec![file("Procfile")]),
        Language::Shell => {
            let image = "FROM debian:12\nCOPY entrypoint.sh /\nUSER app\nENTRYPOINT [\"/entrypoint.sh\"]\n";
            let image =
                CaseFile { path: "Dockerfile".to_owned(), origin: "the script's Dockerfile".to_owned(), text: image.to_owned() };
            Some(vec![file("entrypoint.sh"), image])
        }
    }
}

/// The findings of each case in one run of the tool, by the names of the cases; files as in the cases.
fn lint(variant: impl Fn(&str, &[Mark]) -> String) -> BTreeMap<String, Vec<Finding>> {
    let folder: TempDir = package(&[("src/lib.rs", "")]);
    for case in cases() {
        for file in &case.files {
            write(&folder.path().join(&case.name).join(&file.path), &variant(&file.text, &file.marks()));
        }
    }
    let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in findings(&run(folder.path(), &["--format", "json"])) {
        let (case, file) = finding.file.split_once('/').unwrap();
        found.entry(case.to_owned()).or_default().push(Finding { file: file.to_owned(), ..finding.clone() });
    }
    found
}

fn report_differences(what: &str, variant: impl Fn(&str, &[Mark]) -> String) {
    let found = lint(variant);
    let mut differences = Vec::new();
    for case in cases() {
        let marks: Vec<Mark> = case.files.iter().flat_map(CaseFile::marks).collect();
        let of_case = found.get(&case.name).map(Vec::as_slice).unwrap_or_default().iter().map(|one| {
            let file = case.files.iter().find(|file| file.path == one.file).unwrap();
            Finding { file: file.origin.clone(), ..one.clone() }
        });
        if let Err(report) = check(&marks, &of_case.collect::<Vec<_>>()) {
            differences.extend(report.lines().map(str::to_owned));
        }
    }
    assert_none(what, &differences);
}
