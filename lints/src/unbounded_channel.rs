//! `unbounded_channel`: a queue that requests fill and nothing limits.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_semantic::types::{Ty, TyKind};

use crate::blocking::location;
use crate::service::{at_call, calls, is_asked_for};

static META: LintMeta = LintMeta {
    id: "unbounded_channel",
    summary: "a queue that requests fill and nothing limits",
    group: Group::Limits,
    level: Level::Warn,
    page: include_str!("../unbounded_channel.md"),
};

pub(crate) struct UnboundedChannel;

impl Lint for UnboundedChannel {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let mut made = calls(cx, Part::UnboundedChannel).peekable();
        if made.peek().is_none() {
            return;
        }
        let sends: Vec<(BodyView<'_>, &CallSite, Ty)> = calls(cx, Part::UnboundedSend)
            .filter_map(|(view, call)| Some((view, call, item(view.ty(call.receiver?))?)))
            .filter(|(view, call, _)| is_asked_for(cx, *view, call.expr))
            .collect();
        for (view, call) in made {
            let TyKind::Tuple(ends) = view.ty(call.expr).kind() else { continue };
            let Some(of_channel) = ends.first().and_then(|sender| item(*sender)) else { continue };
            // A wake-up is as good as ten.
            if matches!(of_channel.kind(), TyKind::Tuple(list) if list.is_empty()) || of_channel.is_unknown() {
                continue;
            }
            // Many channels may carry text: only a type of the program's own says which it is.
            let sender = sends.iter().find(|(_, _, sent)| *sent == of_channel && is_own(cx, of_channel));
            if sender.is_none() && !is_asked_for(cx, view, call.expr) {
                continue;
            }
            let message = "this queue has no limit: when what reads it is slower than what requests put into it, memory grows until the process dies";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            if let Some((of_send, send, _)) = sender {
                let place = location(of_send.place_of_call(cx.program, send));
                diagnostic.labels.push(Label { location: place, text: "a request puts something in here".to_owned() });
            }
            diagnostic.help = Some("use a bounded channel, as `tokio::sync::mpsc::channel(64)`, and `send(..).await` or refuse when it is full".to_owned());
            report.push(diagnostic);
        }
    }
}

/// What a sender sends.
fn item(mut sender: Ty) -> Option<Ty> {
    loop {
        match *sender.kind() {
            TyKind::Ref(inner, _) => sender = inner,
            TyKind::Adt(_, list) => return list.first().copied(),
            _ => return None,
        }
    }
}

fn is_own(cx: &LintContext<'_>, ty: Ty) -> bool {
    match *ty.kind() {
        TyKind::Adt(def, list) => cx.program.node(def.krate).is_member || list.iter().any(|ty| is_own(cx, *ty)),
        TyKind::Tuple(list) => list.iter().any(|ty| is_own(cx, *ty)),
        _ => false,
    }
}
