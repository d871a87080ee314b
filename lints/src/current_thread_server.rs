//! `current_thread_server`: a server whose tasks share one thread.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta, Location};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefId;
use agentlint_semantic::input::CrateId;
use agentlint_syntax::ast::AttributeArguments;
use rustc_hash::FxHashSet;

use crate::service::{at_call, below, binaries_that_run, calls, mentions, programs_of};

static META: LintMeta = LintMeta {
    id: "current_thread_server",
    summary: "a server whose tasks share one thread",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../current_thread_server.md"),
};

const MESSAGE: &str = "all tasks of this server share one thread: while one of them computes, no other goes on";
/// What makes a program a server.
const SERVING: [Part; 4] = [Part::ServeWithoutTimeouts, Part::Serve, Part::ServeWithSignals, Part::ServeConnection];
const HELP: &str = "use the flavor `multi_thread`, which is the default of `#[tokio::main]`";

pub(crate) struct CurrentThreadServer;

impl Lint for CurrentThreadServer {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let serves: FxHashSet<CrateId> =
            SERVING.into_iter().flat_map(|part| calls(cx, part).map(|(view, _)| view.owner.krate)).collect();
        if serves.is_empty() {
            return;
        }
        for (binary, crates) in programs_of(cx) {
            if crates.is_disjoint(&serves) {
                continue;
            }
            let root = cx.program.root(binary);
            let is_main = |def: &DefId| cx.program.name(*def) == "main" && cx.program.def(*def).parent == root;
            let Some(main) = cx.program.owners(binary).find(is_main) else { continue };
            let Some(item) = cx.program.item(main) else { continue };
            let attribute = item.attributes.iter().find(|attribute| match &attribute.arguments {
                AttributeArguments::Tokens { text, .. } => attribute.path.ends_with("main") && is_single(text),
                _ => false,
            });
            if let Some(attribute) = attribute {
                let file = cx.program.real_file(main.krate, cx.program.def(main).file);
                let place = Location { file, start: attribute.span.start, end: attribute.span.end };
                let mut diagnostic = Diagnostic::new(META.id, META.level, MESSAGE, place);
                diagnostic.help = Some(HELP.to_owned());
                report.push(diagnostic);
            }
        }
        for (view, call) in calls(cx, Part::CurrentThread) {
            // One that runs beside the server, on a thread of its own, keeps nobody waiting.
            let runs = below(cx, [view.owner]);
            if mentions(cx, &runs, &SERVING) && !binaries_that_run(cx, view.owner).is_empty() {
                let mut diagnostic = at_call(cx, &META, view, call, MESSAGE.to_owned());
                // It may be one of several.
                diagnostic.confidence = Confidence::Likely;
                diagnostic.help = Some("use `Builder::new_multi_thread()`".to_owned());
                report.push(diagnostic);
            }
        }
    }
}

/// `flavor = "current_thread"`, `worker_threads = 1`
fn is_single(arguments: &str) -> bool {
    let plain: String = arguments.chars().filter(|character| !character.is_whitespace()).collect();
    let of_workers = plain.split_once("worker_threads=1").is_some_and(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_digit()));
    of_workers || plain.contains("flavor=\"current_thread\"")
}
