//! `print_logging`: a server that prints instead of logging.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};
use agentlint_syntax::ast::ExprKind;
use rustc_hash::FxHashMap;

use crate::blocking::location;
use crate::service::is_asked_for;

static META: LintMeta = LintMeta {
    id: "print_logging",
    summary: "a server that prints instead of logging",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../print_logging.md"),
};

const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

pub(crate) struct PrintLogging;

impl Lint for PrintLogging {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let mut asked_for = FxHashMap::default();
        for view in cx.effects.views(cx.program) {
            for (expr, data) in view.body.exprs.iter_enumerated() {
                let ExprKind::Macro(call) = &data.kind else { continue };
                let Some(name) = call.path.segments.last().map(|last| last.name).filter(|name| PRINTING.contains(&name.as_str())) else {
                    continue;
                };
                let region = view.region_of(expr);
                if !*asked_for.entry(region).or_insert_with(|| is_asked_for(cx, view, expr)) {
                    continue;
                }
                let message = format!("`{name}!` is no log: it has no level, no time and no request, and it waits for whoever reads the output");
                let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(view.place(cx.program, expr)));
                diagnostic.help = Some("use `tracing::info!(..)` with fields, and a writer that does not wait".to_owned());
                report.push(diagnostic);
            }
        }
    }
}
