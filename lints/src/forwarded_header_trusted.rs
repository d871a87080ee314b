//! `forwarded_header_trusted`: an address that any client can write.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind, MacroCall, Statement, StatementKind};

use crate::blocking::location;
use crate::service::{at_call, calls, peeled, text_of};

static META: LintMeta = LintMeta {
    id: "forwarded_header_trusted",
    summary: "an address that any client can write",
    group: Group::Proxy,
    level: Level::Warn,
    page: include_str!("../forwarded_header_trusted.md"),
};

/// The fields in which proxies name their client.
const FIELDS: [&str; 4] = ["x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip"];
/// Macros that only tell.
const LOGGING: [&str; 12] = [
    "trace", "debug", "info", "warn", "error", "event", "span", "trace_span", "debug_span", "info_span", "warn_span", "error_span",
];
const HELP: &str = "take it only when the peer is one of your proxies: walk the list from the right to the first address that is none of them";

pub(crate) struct ForwardedHeaderTrusted;

impl Lint for ForwardedHeaderTrusted {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::HeaderGet) {
            let field = call.arguments.first().and_then(|name| text_of(cx, view, *name));
            let Some(field) = field.map(str::to_ascii_lowercase).filter(|field| FIELDS.contains(&field.as_str())) else { continue };
            if is_told_only(view, call.expr) || is_checked(cx, view, call.expr, 0) {
                continue;
            }
            let message = format!("any client can write `{field}`: nothing here looks at who sent it");
            let mut diagnostic = at_call(cx, &META, view, call, message);
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = Some(HELP.to_owned());
            report.push(diagnostic);
        }
        if !cx.effects.catalog.knows(Part::ForwardedKey) {
            return;
        }
        for view in cx.effects.views(cx.program) {
            for (expr, ..) in view.paths() {
                let is_key = matches!(*view.ty(*expr).kind(), TyKind::Adt(def, _) if cx.effects.catalog.part(def) == Some(Part::ForwardedKey));
                if !is_key {
                    continue;
                }
                let message = "this limits by an address that any client can write: whoever changes `x-forwarded-for` has no limit";
                let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(view.place(cx.program, *expr)));
                diagnostic.help = Some("use `PeerIpKeyExtractor`, or a key of your own that trusts your proxies only".to_owned());
                report.push(diagnostic);
            }
        }
    }
}

/// Whether the value goes into a log, and nowhere else.
fn is_told_only(view: BodyView<'_>, get: ExprId) -> bool {
    let tells = |expr: ExprId| {
        let macros = view.around(expr).filter_map(|around| match view.kind(around) {
            ExprKind::Macro(call) => Some(is_logging(call)),
            _ => None,
        });
        macros.into_iter().any(|logs| logs)
    };
    if tells(get) {
        return true;
    }
    // `let client = headers.get(..).and_then(..);`
    let bound = std::iter::once(get).chain(view.around(get).take(8)).find_map(|expr| view.bound_to(expr));
    bound.is_some_and(|pat| !view.uses(pat).is_empty() && view.uses(pat).iter().all(|used| tells(*used)))
}

fn is_logging(call: &MacroCall) -> bool {
    call.path.segments.last().is_some_and(|last| LOGGING.contains(&last.name.as_str()))
}

/// Whether something other than the head itself decides that the field is read: the peer's address, or a setting.
fn is_checked(cx: &LintContext<'_>, view: BodyView<'_>, get: ExprId, depth: u32) -> bool {
    let mut at = get;
    for around in view.around(get) {
        let decides = match view.kind(around) {
            ExprKind::If { condition, .. } if *condition != at => weighs(cx, view, *condition),
            // `peer.is_trusted() && headers.get(..)..`
            ExprKind::Binary { left, right, .. } if *right == at => weighs(cx, view, *left),
            ExprKind::Match { scrutinee, .. } if *scrutinee != at => is_setting(cx, view, *scrutinee),
            // `trusted.then(|| headers.get(..))`
            ExprKind::MethodCall { receiver, arguments, .. } if arguments.contains(&at) => {
                matches!(view.ty(*receiver).kind(), TyKind::Bool) && weighs(cx, view, *receiver)
            }
            ExprKind::Block(block) => {
                let before = block.statements.iter().take_while(|statement| statement.span.end <= view.body.exprs[at].span.start);
                before.into_iter().any(|statement| leaves_unless_trusted(cx, view, statement))
            }
            _ => false,
        };
        if decides {
            return true;
        }
        at = around;
    }
    if depth >= 3 {
        return false;
    }
    let mut called = false;
    for region in cx.effects.callers(cx.program, view.owner) {
        let Some(caller) = cx.effects.view(cx.program, region.owner) else { continue };
        for call in caller.calls().iter().filter(|call| BodyView::target(call) == Some(view.owner)) {
            called = true;
            if !is_checked(cx, caller, call.expr, depth + 1) {
                return false;
            }
        }
    }
    called
}

/// `if !trusted { return None; }`
fn leaves_unless_trusted(cx: &LintContext<'_>, view: BodyView<'_>, statement: &Statement) -> bool {
    let StatementKind::Expr { expr, .. } = &statement.kind else { return false };
    let ExprKind::If { condition, then, .. } = view.kind(*expr) else { return false };
    let leaves = view.inside(*then).iter().any(|inside| matches!(view.kind(*inside), ExprKind::Return(_)));
    leaves && weighs(cx, view, *condition)
}

/// Whether a condition asks for more than what the client wrote: an address, or a setting.
fn weighs(cx: &LintContext<'_>, view: BodyView<'_>, condition: ExprId) -> bool {
    view.inside(condition).into_iter().any(|expr| match view.kind(expr) {
        ExprKind::Field { .. } | ExprKind::Path(_) => {
            matches!(view.ty(expr).kind(), TyKind::Bool) || is_address(cx, view.ty(expr))
        }
        ExprKind::MethodCall { receiver, arguments, .. } => {
            let asked = std::iter::once(receiver).chain(arguments);
            let is_own = view.call(expr).and_then(BodyView::target).is_some_and(|def| cx.program.node(def.krate).is_member);
            matches!(view.ty(expr).kind(), TyKind::Bool) && (is_own || asked.into_iter().any(|part| is_address(cx, view.ty(*part))))
        }
        ExprKind::Call { .. } => {
            matches!(view.ty(expr).kind(), TyKind::Bool)
                && view.call(expr).and_then(BodyView::target).is_some_and(|def| cx.program.node(def.krate).is_member)
        }
        _ => false,
    })
}

/// Whether a `match` is over a value of the program's own, such as a setting.
fn is_setting(cx: &LintContext<'_>, view: BodyView<'_>, scrutinee: ExprId) -> bool {
    matches!(*peeled(view.ty(scrutinee)).kind(), TyKind::Adt(def, _) if cx.program.node(def.krate).is_member)
}

fn is_address(cx: &LintContext<'_>, ty: Ty) -> bool {
    let TyKind::Adt(def, _) = *peeled(ty).kind() else { return false };
    matches!(cx.effects.catalog.part(def), Some(Part::Address | Part::ConnectInfo))
}
