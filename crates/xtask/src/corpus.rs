//! `cargo xtask corpus`: lints published crates, and compares with what was read and labelled by hand; also one thread's output
//! with that of two.
//!
//! `fixtures/corpus/<crate>.toml` has a `[[finding]]` for each: `lint`, `file`, `line_text` (so that it survives nothing but a
//! change of the line itself), `label = true` for a true finding, `false` for a false alarm, and the `reason`; `through` lists what
//! had to be followed to find it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::published;
use crate::tool::{self, Ran, root};

/// What a folder of labels holds.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    #[serde(default)]
    finding: Vec<Labelled>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    lint: String,
    file: String,
    line_text: String,
    /// Only where one text stands on several lines of a file: which of them. Versions are pinned, so it stays right.
    line: Option<usize>,
    /// Missing until a person has read the code.
    label: Option<bool>,
    /// What had to be followed to find it.
    #[serde(default)]
    through: Vec<Through>,
    reason: Option<String>,
}

/// What tools that look at one body, or one file, do not see through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Through {
    /// A dependency's own code.
    Dependency,
    /// A trait's method.
    Trait,
    /// A closure that some function calls.
    Closure,
    /// A value that goes out of scope.
    Drop,
}

struct Found {
    lint: String,
    file: String,
    line: usize,
    line_text: String,
    message: String,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_bless = arguments.iter().any(|argument| argument == "--bless");
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--bless").collect();
    let crates = published::chosen(&names)?;
    let tool = tool::build()?;
    let cache = tempfile::tempdir()?;
    let mut out = Out::default();
    let mut lines = Vec::new();
    for (name, version) in crates {
        let folder = published::fetch(name, version)?;
        lines.push(one(name, &folder, &tool, cache.path(), is_bless, &mut out)?);
    }
    println!(
        "{:12} {:>8} {:>9} {:>9} {:>7} {:>10} {:>9}",
        "crate", "seconds", "lines/s", "findings", "true", "unlabelled", "resolved"
    );
    for line in lines {
        println!("{line}");
    }
    let ways: Vec<String> =
        out.through.iter().map(|(way, count)| format!("{count} {}", format!("{way:?}").to_lowercase())).collect();
    println!("true findings that had to be followed through something: {}", ways.join(", "));
    let faults = out.faults;
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} faults:\n{}", faults.len(), faults.join("\n"))
}

/// What is wrong, and how many true findings had to be followed through what.
#[derive(Default)]
struct Out {
    faults: Vec<String>,
    through: BTreeMap<Through, usize>,
}

/// A line of the table for one crate.
fn one(name: &str, folder: &Path, tool: &Path, cache: &Path, is_bless: bool, out: &mut Out) -> Result<String> {
    let Out { faults, through } = out;
    let ran = tool::run(tool, folder, cache, &["--format", "json"])?;
    ensure!(matches!(ran.code, Some(0 | 1)), "{name}: exit {:?}: {}", ran.code, ran.stderr);
    let everything = ["--format", "sarif", "--confidence", "possible", "--startup"];
    let [one, two] = [1, 2].map(|threads| tool::output_on(threads, tool, folder, cache, &everything));
    if one? != two? {
        faults.push(format!("{name}: 1 and 2 threads do not give the same bytes"));
    }
    let document: Value = serde_json::from_str(&ran.stdout).with_context(|| format!("{name}: no JSON"))?;
    let found = findings(&document, folder)?;
    let file = root()?.join(format!("fixtures/corpus/{name}.toml"));
    let labels = labels(&file)?;

    let mut open: Vec<&Labelled> = labels.finding.iter().collect();
    let (mut right, mut wrong, mut unlabelled) = (0usize, 0usize, Vec::new());
    for one in &found {
        if one.lint == "internal_error" {
            faults.push(format!("{name}: {}:{}: internal error: {}", one.file, one.line, one.message));
        }
        let place = open.iter().position(|label| label.speaks_of(one));
        let label = place.map(|place| open.remove(place));
        match label.and_then(|label| label.label) {
            Some(true) => {
                right += 1;
                label.iter().flat_map(|label| &label.through).for_each(|way| *through.entry(*way).or_default() += 1);
            }
            Some(false) => wrong += 1,
            None => {
                faults.push(format!("{name}: {}:{}: no label: {}: {}", one.file, one.line, one.lint, one.message));
                if label.is_none() {
                    unlabelled.push(one);
                }
            }
        }
    }
    for label in open.iter().filter(|label| label.label == Some(true)) {
        faults.push(format!("{name}: {}: no longer found: {} in `{}`", label.file, label.lint, label.line_text));
    }
    for label in
        labels.finding.iter().filter(|label| label.label.is_some() && label.reason.as_deref().unwrap_or_default().is_empty())
    {
        faults.push(format!("{name}: {}: a label without a reason: {} in `{}`", label.file, label.lint, label.line_text));
    }
    if is_bless && !unlabelled.is_empty() {
        append(&file, &unlabelled)?;
    }
    let without = found.len() - right - wrong;
    let line_count = document["summary"]["lines"].as_f64().unwrap_or_default();
    Ok(format!(
        "{name:12} {:8.2} {:9.0} {:9} {:>7} {without:10} {:>9}",
        ran.elapsed.as_secs_f64(),
        line_count / ran.elapsed.as_secs_f64(),
        found.len(),
        share(right, right + wrong),
        resolved(tool, folder, cache)?,
    ))
}

impl Labelled {
    fn speaks_of(&self, found: &Found) -> bool {
        self.lint == found.lint
            && self.file == found.file
            && self.line_text == found.line_text
            && self.line.is_none_or(|line| line == found.line)
    }
}

fn findings(document: &Value, folder: &Path) -> Result<Vec<Found>> {
    let all = document["findings"].as_array().context("the document has no findings")?;
    all.iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().map(str::to_owned).with_context(|| format!("a finding has no `{key}`"));
            let (file, line) = (text("file")?, finding["line"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or(0));
            let source = fs::read(folder.join(&file)).with_context(|| format!("cannot read {file}"))?;
            let line_text =
                String::from_utf8_lossy(&source).lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned();
            Ok(Found { lint: text("lint")?, file, line, line_text, message: text("message")? })
        })
        .collect()
}

fn labels(file: &Path) -> Result<Labels> {
    match fs::read_to_string(file) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("{} is not understood", file.display())),
        Err(_) => Ok(Labels::default()),
    }
}

/// Adds what was found to the file, for a person to read that code and to fill in `label` and `reason`.
fn append(file: &Path, unlabelled: &[&Found]) -> Result<()> {
    let mut text = fs::read_to_string(file).unwrap_or_default();
    for found in unlabelled {
        let quoted = |value: &str| toml::Value::String(value.to_owned());
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{}[[finding]]\nlint = {}\nfile = {}\nline_text = {}\n# line {}: {}\n# label = \n# reason = \n",
            if text.is_empty() { "" } else { "\n" },
            quoted(&found.lint),
            quoted(&found.file),
            quoted(&found.line_text),
            found.line,
            found.message.replace('\n', " "),
        );
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The share of calls whose callee is known.
fn resolved(tool: &Path, folder: &Path, cache: &Path) -> Result<String> {
    let Ran { stdout, .. } = tool::run(tool, folder, cache, &["inspect", "calls", "--format", "jsonl"])?;
    let rows: Vec<Value> = stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok(share(rows.iter().filter(|row| !row["crate"].is_null()).count(), rows.len()))
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "-".to_owned(),
        // Counts of findings and calls are far below 2^52.
        whole => format!("{:.1}%", 100.0 * part as f64 / whole as f64),
    }
}
