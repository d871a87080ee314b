//! A report made by hand: three files and findings of every shape.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use agentlint_diagnostics::{Confidence, Diagnostic, FileId, Group, Hop, Label, Level, LintMeta, Location};
use agentlint_effects::Coverage;
use agentlint_linter::{Levels, Lint, LintContext, Registry, Suppressed, finish};
use agentlint_syntax::LineIndex;

use crate::{CheckRequest, Checked, Engine, InspectRequest, Seen, SourceLookup, Statistics, WhyRequest};

struct Toy(LintMeta);

impl Lint for Toy {
    fn meta(&self) -> &'static LintMeta {
        TOYS.iter().map(|toy| &toy.0).find(|meta| meta.id == self.0.id).unwrap()
    }

    fn check(&self, _: &LintContext<'_>, _: &mut Vec<Diagnostic>) {}
}

static TOYS: [Toy; 4] = [
    Toy(LintMeta {
        id: "blocking_fs",
        summary: "a blocking file operation in async code",
        group: Group::Blocking,
        level: Level::Warn,
        page: "A file operation that blocks the async runtime.\n\n## What it does\n\nFinds calls.\n\n```rust\n# hidden\nread();\n```\n",
    }),
    Toy(LintMeta {
        id: "lock_across_await",
        summary: "a lock held across an await",
        group: Group::Await,
        level: Level::Warn,
        page: "A guard that lives across an await.\n",
    }),
    Toy(LintMeta {
        id: "nested_block_on",
        summary: "a runtime entered from inside a runtime",
        group: Group::Blocking,
        level: Level::Deny,
        page: "It panics.\n",
    }),
    Toy(LintMeta { id: "taste", summary: "what is taste", group: Group::Lifespan, level: Level::Allow, page: "Taste.\n" }),
];

const CHAT: &str = "\
use crate::repo::Repo;

async fn chat(repo: Repo) -> String {
    let text = repo.load(\"history.json\");
    let guard = repo.state.lock().unwrap();
    notify(&guard).await;
    text
}
";

const REPO: &str = "\
impl Repo {
    pub fn load(&self, name: &str) -> String {
        read_all(&self.folder.join(name))
    }
}

fn read_all(path: &Path) -> String {
    std::fs::read_to_string(path).expect(\"readable\")
}
";

// Tabs, characters of two and four bytes, lines that end as on Windows.
const ODD: &str = "async fn start() {\r\n\tlet größe = \"🦀\"; runtime.block_on(work());\r\n\tlet größe = \"🦀\"; runtime.block_on(work());\r\n}\r\n";

const FILES: [(&str, &str); 3] = [("src/chat.rs", CHAT), ("src/repo.rs", REPO), ("src/größe #1.rs", ODD)];

/// An engine whose program is always the same.
pub(super) struct Sample {
    registry: Registry,
    diagnostics: Vec<Diagnostic>,
    suppressed: Vec<Suppressed>,
    notes: Vec<String>,
    nothing_read: bool,
}

impl Sample {
    pub(super) fn empty() -> Sample {
        let registry = Registry::new(&TOYS.each_ref().map(|toy| toy as &dyn Lint));
        Sample { registry, diagnostics: Vec::new(), suppressed: Vec::new(), notes: Vec::new(), nothing_read: false }
    }

    pub(super) fn nothing_read() -> Sample {
        Sample { nothing_read: true, ..Sample::empty() }
    }

    pub(super) fn full() -> Sample {
        let mut suppressed = Diagnostic::new(
            "blocking_fs",
            Level::Warn,
            "`std::fs::read_to_string` blocks",
            at(1, "std::fs::read_to_string(path)", 0),
        );
        suppressed.help = Some("use `tokio::fs`".to_owned());
        Sample {
            diagnostics: vec![panicking(1), panicking(0), locked(), loaded(), unsure()],
            suppressed: vec![Suppressed { diagnostic: suppressed, reason: "runs once, at the start".to_owned() }],
            notes: vec!["the sources of `serde 1.0.0` are not on this machine: `cargo fetch` brings them".to_owned()],
            ..Sample::empty()
        }
    }
}

fn loaded() -> Diagnostic {
    let message = "`Repo::load` blocks the async runtime: it reads a file";
    let mut loaded = Diagnostic::new("blocking_fs", Level::Warn, message, at(0, "load(\"history.json\")", 0));
    loaded.chain = vec![
        Hop { text: "`Repo::load` calls `read_all`".to_owned(), location: at(1, "read_all(&self.folder.join(name))", 0) },
        Hop {
            text: "`read_all` calls `std::fs::read_to_string`".to_owned(),
            location: at(1, "std::fs::read_to_string(path)", 0),
        },
    ];
    loaded.help = Some("await `tokio::fs::read_to_string(..)` all the way up, or put one `tokio::task::spawn_blocking` around the call of `Repo::load`".to_owned());
    loaded.notes = vec!["seen twice".to_owned()];
    loaded.reached_from = vec!["`POST /chat`".to_owned()];
    loaded
}

fn locked() -> Diagnostic {
    let mut locked =
        Diagnostic::new("lock_across_await", Level::Warn, "a `std::sync::MutexGuard` lives across an await", at(0, "lock()", 0));
    locked.confidence = Confidence::Likely;
    locked.primary.text = "the guard is made here".to_owned();
    locked.labels = vec![Label { location: at(0, ".await", 0), text: "and still held here".to_owned() }];
    locked.help = Some("drop the guard before the await".to_owned());
    locked.reached_from = vec!["`GET /chat`".to_owned(), "a task spawned in `main`".to_owned()];
    locked
}

fn panicking(occurrence: usize) -> Diagnostic {
    let message = "`Runtime::block_on` panics inside a runtime";
    Diagnostic::new("nested_block_on", Level::Deny, message, at(2, "block_on(work())", occurrence))
}

fn unsure() -> Diagnostic {
    let mut unsure = Diagnostic::new("blocking_fs", Level::Warn, "perhaps", at(0, "text\n", 0));
    unsure.confidence = Confidence::Possible;
    unsure
}

/// The place of the `occurrence`-th `needle` of a file.
fn at(file: u32, needle: &str, occurrence: usize) -> Location {
    let (start, _) = FILES[file as usize].1.match_indices(needle).nth(occurrence).unwrap();
    Location { file: FileId(file), start: start as u32, end: (start + needle.trim_end().len()) as u32 }
}

struct Files;

impl SourceLookup for Files {
    fn path(&self, file: FileId) -> Arc<str> {
        FILES[file.0 as usize].0.into()
    }

    fn text(&self, file: FileId) -> Option<Arc<str>> {
        Some(FILES[file.0 as usize].1.into())
    }

    fn line_column(&self, file: FileId, offset: u32) -> (u32, u32) {
        let place = LineIndex::new(FILES[file.0 as usize].1).line_column(offset);
        (place.line, place.column)
    }
}

impl Engine for Sample {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn check(&self, request: &CheckRequest) -> anyhow::Result<Checked> {
        if request.paths.iter().any(|path| path == Path::new("/")) {
            anyhow::bail!(anyhow::anyhow!("permission denied").context("failed to read the manifest"));
        }
        let mut levels = Levels::default();
        for (name, level) in &request.levels {
            levels.command_line(&self.registry, name, *level)?;
        }
        let outcome =
            finish(&self.registry, &levels, request.confidence.unwrap_or(Confidence::Likely), &[], self.diagnostics.clone());
        Ok(Checked {
            diagnostics: outcome.diagnostics,
            suppressed: self.suppressed.clone(),
            sources: Box::new(Files),
            notes: self.notes.clone(),
            statistics: Statistics { files: 3, lines: 21, ..Statistics::default() },
            coverage: Seen {
                targets: 1,
                without_sources: vec!["sled 0.34.7".to_owned()],
                calls: Coverage {
                    calls: 8,
                    resolved: 6,
                    reasons: vec![("unknown receiver type".to_owned(), 1), ("unknown path".to_owned(), 1)],
                    macros: vec![("html".to_owned(), 2)],
                    attributes: Vec::new(),
                },
                not_understood: Vec::new(),
            },
            nothing_read: self.nothing_read,
            fail_on: None,
        })
    }

    fn inspect(&self, request: &InspectRequest, out: &mut dyn Write) -> anyhow::Result<()> {
        Ok(writeln!(out, "{:?} {:?} {:?}", request.what, request.format, request.check.paths)?)
    }

    fn why(&self, request: &WhyRequest, out: &mut dyn Write) -> anyhow::Result<()> {
        Ok(writeln!(out, "{} {:?}", request.line, request.check.paths)?)
    }
}
