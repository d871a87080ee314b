//! `cors_permissive`: a server that lets pages of any site call it.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;

use crate::service::{at_call, calls, holds};

static META: LintMeta = LintMeta {
    id: "cors_permissive",
    summary: "a server that lets pages of any site call it",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../cors_permissive.md"),
};

pub(crate) struct CorsPermissive;

impl Lint for CorsPermissive {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let of_any = |(view, call): &(BodyView<'_>, &CallSite)| {
            call.arguments.first().is_some_and(|origin| holds(cx, view.ty(*origin), Part::CorsAny))
        };
        for (view, call) in calls(cx, Part::CorsPermissive).chain(calls(cx, Part::CorsOrigins).filter(of_any)) {
            let message = "pages of every site may call this server: a visitor's browser is a way in, also to one that listens on this machine alone";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.help = Some("list the origins that may, with `CorsLayer::new().allow_origin([..])`".to_owned());
            report.push(diagnostic);
        }
    }
}
