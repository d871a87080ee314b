//! `sse_buffered_by_proxy`: a stream of events that does not ask proxies to pass it on at once.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::types::{Head, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind, Literal};
use rustc_hash::FxHashSet;

use crate::blocking::location;
use crate::service::{EventResponse, above, event_responses, origin, program_around};

static META: LintMeta = LintMeta {
    id: "sse_buffered_by_proxy",
    summary: "a stream of events that does not ask proxies to pass it on at once",
    group: Group::Streaming,
    level: Level::Warn,
    page: include_str!("../sse_buffered_by_proxy.md"),
};

const HEADER: &str = "x-accel-buffering";

pub(crate) struct SseBufferedByProxy;

impl Lint for SseBufferedByProxy {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let responses = event_responses(cx);
        if responses.is_empty() {
            return;
        }
        let setters = Setters::find(cx);
        for response in responses {
            if setters.set_for(cx, &response) {
                continue;
            }
            let message = "nothing sets `X-Accel-Buffering: no` on this stream of events: a proxy such as nginx gathers it, and tokens arrive in heaps";
            let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(response.place(cx)));
            // The proxy's own configuration is not seen.
            diagnostic.confidence = Confidence::Likely;
            let help = "answer `([(\"X-Accel-Buffering\", \"no\")], stream)`, or set the header in one layer over all routes that stream";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}

/// The functions that set the header on what they answer: those that name it, and those that call these.
struct Setters {
    /// Also constants that hold the name.
    functions: FxHashSet<DefId>,
    /// The names themselves that stand inside the layers of a router.
    in_layers: FxHashSet<(DefId, ExprId)>,
}

impl Setters {
    fn find(cx: &LintContext<'_>) -> Setters {
        let mut setters = Setters { functions: FxHashSet::default(), in_layers: FxHashSet::default() };
        let mut open = Vec::new();
        for view in cx.effects.views(cx.program) {
            for (expr, data) in view.body.exprs.iter_enumerated() {
                let ExprKind::Literal(Literal::Str(text)) = &data.kind else { continue };
                if !text.eq_ignore_ascii_case(HEADER) {
                    continue;
                }
                match is_in_layer(cx, view, expr) {
                    true => drop(setters.in_layers.insert((view.owner, expr))),
                    false => open.push(view.owner),
                }
            }
        }
        setters.close(cx, open);
        setters
    }

    /// Adds the functions, what uses them where they are constants, and what calls them.
    fn close(&mut self, cx: &LintContext<'_>, mut open: Vec<DefId>) {
        while let Some(function) = open.pop() {
            if !self.functions.insert(function) {
                continue;
            }
            for view in users(cx, function) {
                for (expr, is_used) in uses(cx, view, function) {
                    match is_in_layer(cx, view, expr) {
                        true => drop(self.in_layers.insert((view.owner, expr))),
                        false if is_used => open.push(view.owner),
                        false => {}
                    }
                }
            }
        }
    }

    fn set_for(&self, cx: &LintContext<'_>, response: &EventResponse<'_>) -> bool {
        let view = response.view;
        let above = above(cx, view.owner);
        if above.iter().any(|function| self.functions.contains(function)) {
            return true;
        }
        let of_types = above.iter().filter_map(|function| cx.effects.view(cx.program, *function));
        if of_types.into_iter().any(|view| self.is_wrapped(cx, view)) {
            return true;
        }
        let layers = cx.effects.layers_over(cx.program, view.region_of(response.expr));
        if !layers.is_routed {
            // Where it goes is not known: any layer may be over it.
            let crates = program_around(cx, view.owner.krate);
            return self.in_layers.iter().any(|(owner, _)| crates.contains(&owner.krate));
        }
        layers.all.iter().any(|(owner, layer)| self.is_set_in(cx, *owner, *layer))
    }

    /// Whether a value in the body is of a type of the program whose own methods set the header, as `into_response` may.
    fn is_wrapped(&self, cx: &LintContext<'_>, view: BodyView<'_>) -> bool {
        view.body.exprs.indices().any(|expr| match *view.ty(expr).kind() {
            TyKind::Adt(def, _) if cx.program.node(def.krate).is_member => {
                let mut impls = cx.program.trait_impls_on(Head::Adt(def)).into_iter();
                impls.any(|found| cx.program.members_of(found).iter().any(|member| self.functions.contains(member)))
            }
            _ => false,
        })
    }

    fn is_set_in(&self, cx: &LintContext<'_>, owner: DefId, layer: ExprId) -> bool {
        let Some(view) = cx.effects.view(cx.program, owner) else { return false };
        view.inside(layer).into_iter().chain(view.inside(origin(view, layer))).any(|expr| {
            self.in_layers.contains(&(owner, expr))
                || view.named(expr).is_some_and(|def| self.functions.contains(&def))
                || view.call(expr).and_then(BodyView::target).is_some_and(|def| self.functions.contains(&def))
                || matches!(view.kind(expr), ExprKind::Literal(Literal::Str(text)) if text.eq_ignore_ascii_case(HEADER))
        })
    }
}

/// The bodies that may use a function or a constant.
fn users<'a>(cx: &'a LintContext<'_>, def: DefId) -> Vec<BodyView<'a>> {
    if cx.program.kind(def) != DefKind::Function {
        return cx.effects.views(cx.program).collect();
    }
    let mut owners: Vec<DefId> = cx.effects.callers(cx.program, def).iter().map(|region| region.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    owners.into_iter().filter_map(|owner| cx.effects.view(cx.program, owner)).collect()
}

/// Where a body uses a function or a constant; a function that is only named, as to a router, is not used.
fn uses(cx: &LintContext<'_>, view: BodyView<'_>, def: DefId) -> Vec<(ExprId, bool)> {
    let is_function = cx.program.kind(def) == DefKind::Function;
    let named = view.paths().iter().filter(|(_, named, _)| *named == def).map(|(expr, ..)| (*expr, !is_function));
    let calls = view.calls().iter().filter(|call| BodyView::target(call) == Some(def)).map(|call| (call.expr, true));
    named.chain(calls).collect()
}

/// Whether the expression stands inside what a router is given as a layer.
fn is_in_layer(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    let mut at = expr;
    for around in view.around(expr) {
        let call = view.call(around).filter(|call| call.arguments.contains(&at));
        if call.is_some_and(|call| matches!(cx.effects.part_of(&call.callee), Some(Part::Layer | Part::LayerStack))) {
            return true;
        }
        // `let layer = ..; router.layer(layer)`
        let bound = view.bound_to(at).into_iter().flat_map(|pat| view.uses(pat));
        if bound.into_iter().any(|used| is_layer_argument(cx, view, *used)) {
            return true;
        }
        at = around;
    }
    false
}

fn is_layer_argument(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    let call = view.parent(expr).and_then(|parent| view.call(parent)).filter(|call| call.arguments.contains(&expr));
    call.is_some_and(|call| matches!(cx.effects.part_of(&call.callee), Some(Part::Layer | Part::LayerStack)))
}
