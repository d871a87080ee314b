//! `connect_info_missing`: a handler asks for the peer's address, and nothing hands it on.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta, Location};
use agentlint_effects::{BodyView, Part, RegionId};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefKind;
use agentlint_semantic::input::CrateId;
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprKind, PatId};
use rustc_hash::FxHashSet;

use crate::service::{binaries_that_run, calls, has, holds};

static META: LintMeta = LintMeta {
    id: "connect_info_missing",
    summary: "a handler asks for the peer's address, and nothing hands it on",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../connect_info_missing.md"),
};

pub(crate) struct ConnectInfoMissing;

impl Lint for ConnectInfoMissing {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        if !cx.effects.catalog.knows(Part::ConnectInfo) {
            return;
        }
        // A library's routes are served by others.
        let serving = calls(cx, Part::ServeWithoutTimeouts).flat_map(|(view, _)| binaries_that_run(cx, view.owner));
        let mut serving: Vec<FxHashSet<CrateId>> = serving.collect();
        serving.retain(|crates| !has(cx, crates, Part::ConnectInfoService) && !is_handed_on(cx, crates));
        for view in cx.effects.views(cx.program).filter(|view| cx.program.kind(view.owner) == DefKind::Function) {
            let is_handler = cx.effects.entries(cx.program, RegionId { owner: view.owner, index: 0 });
            if is_handler.is_empty() || !serving.iter().any(|crates| crates.contains(&view.owner.krate)) {
                continue;
            }
            let asks = |pat: &&PatId| {
                let ty = view.pat_ty(**pat);
                holds(cx, ty, Part::ConnectInfo) && !is_optional(cx, ty)
            };
            for pat in view.body.parameters.iter().filter(asks) {
                let message = "every request to this handler fails with status 500: nothing hands the peer's address on";
                let place = view.place_of(cx.program, view.body.pats[*pat].span);
                let location = Location { file: place.file, start: place.span.start, end: place.span.end };
                let mut diagnostic = Diagnostic::new(META.id, META.level, message, location);
                let help = "serve `app.into_make_service_with_connect_info::<SocketAddr>()` in place of `app`";
                diagnostic.help = Some(help.to_owned());
                report.push(diagnostic);
            }
        }
    }
}

/// `Option<ConnectInfo<..>>` is none where there is nothing.
fn is_optional(cx: &LintContext<'_>, ty: Ty) -> bool {
    matches!(*ty.kind(), TyKind::Adt(def, _) if [cx.program.known().option, cx.program.known().result].contains(&Some(def)))
}

/// Whether the program makes one itself, as `request.extensions_mut().insert(ConnectInfo(peer))` does.
fn is_handed_on(cx: &LintContext<'_>, crates: &FxHashSet<CrateId>) -> bool {
    let makes = |view: BodyView<'_>| {
        view.body.exprs.iter_enumerated().any(|(expr, data)| {
            matches!(data.kind, ExprKind::Call { .. }) && holds(cx, view.ty(expr), Part::ConnectInfo)
        })
    };
    cx.effects.views(cx.program).filter(|view| crates.contains(&view.owner.krate)).any(makes)
}
