//! What the lints of the service ask of the model: who calls whom, where values come from and go, which responses are streams.

mod functions;
mod responses;
mod values;

pub(crate) use functions::{above, below, binaries_that_run, mentions, program_around, programs_of};
pub(crate) use responses::{EventResponse, event_responses};
pub(crate) use values::{Way, chain, fate, holds, is_parameter, origin, peeled, text_of};

use agentlint_diagnostics::{Diagnostic, LintMeta};
use agentlint_effects::{BodyView, Entry, Part};
use agentlint_linter::LintContext;
use agentlint_semantic::infer::CallSite;
use agentlint_semantic::input::CrateId;
use agentlint_syntax::ast::ExprId;
use rustc_hash::FxHashSet;

use crate::blocking::location;

/// The calls of what plays a part, tests left out, in the order of the sources.
pub(crate) fn calls<'a>(cx: &'a LintContext<'_>, part: Part) -> impl Iterator<Item = (BodyView<'a>, &'a CallSite)> {
    cx.effects.part_calls(cx.program, part).iter().filter_map(|call| cx.effects.part_call(cx.program, call))
}

/// Whether any call in the crates, tests left out, plays the part.
pub(crate) fn has(cx: &LintContext<'_>, crates: &FxHashSet<CrateId>, part: Part) -> bool {
    cx.effects.part_calls(cx.program, part).iter().any(|call| crates.contains(&call.owner.krate))
}

/// Whether requests or tools run the code each time; a task that the program spawns for itself is neither.
pub(crate) fn is_asked_for(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    cx.effects.entries(cx.program, view.region_of(expr)).iter().any(|entry| !matches!(entry, Entry::Task(_)))
}

/// A finding at a call: its callee, or method's name, and its arguments.
pub(crate) fn at_call(cx: &LintContext<'_>, meta: &LintMeta, view: BodyView<'_>, call: &CallSite, message: String) -> Diagnostic {
    Diagnostic::new(meta.id, meta.level, message, location(view.place_of_call(cx.program, call)))
}
