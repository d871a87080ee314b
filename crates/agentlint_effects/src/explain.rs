//! What is known of the calls in a range of a file, finding or not: for people who ask why.

use std::ops::Range;

use agentlint_diagnostics::FileId;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, Place};
use agentlint_semantic::infer::{CallKind, CallSite, Callee};
use agentlint_syntax::Span;
use agentlint_syntax::ast::ExprId;

use crate::Effects;
use crate::body::BodyFacts;
use crate::closures::{Closures, Runs};
use crate::events::How;
use crate::region::{RegionId, RegionKind};
use crate::roles::Role;
use crate::summary::{BlockingCall, display};

/// One call, or one value that is dropped.
#[derive(Clone, Debug)]
pub struct ExplainedCall {
    /// The callee's name, or the binding that is dropped.
    pub place: Place,
    pub resolution: Resolution,
    /// From the innermost piece of code outwards, up to the first that decides.
    pub runs: Vec<RunsIn>,
    /// Whether it runs while a task is polled.
    pub is_context: bool,
    pub role: Role,
    /// What it does that blocks, in a context or not.
    pub blocks: Vec<BlockingCall>,
    pub silence: Option<Silence>,
}

/// What a call calls.
#[derive(Clone, Debug)]
pub enum Resolution {
    Function {
        name: String,
        declared: Option<Place>,
    },
    /// A struct or a variant is made.
    Constructor,
    /// A closure or a function pointer.
    Value,
    Drop {
        name: String,
    },
    /// A static is used.
    FirstUse {
        name: String,
    },
    Unresolved(&'static str),
}

/// A piece of code around a call.
#[derive(Clone, Debug)]
pub enum RunsIn {
    /// A function, constant or static that is not async.
    Owner(String),
    /// The same, but polled: `Future::poll`, a service's `call`.
    Polled(String),
    Async,
    /// A closure that the function it is given to calls at once.
    InPlace {
        given_to: Option<String>,
    },
    /// A closure that a future's or a stream's combinator calls.
    ByCombinator {
        given_to: Option<String>,
    },
    /// On another thread, or never.
    Elsewhere {
        given_to: Option<String>,
    },
    Unknown {
        given_to: Option<String>,
    },
}

/// Why a call that is resolved has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It gives a future, and whoever awaits it waits without blocking.
    Awaited,
    /// The catalog or the configuration trusts it.
    Trusted,
    /// Its own body is looked at, where it is polled.
    Async,
    /// It is a dependency's, and nothing in its own code blocks.
    Dependency,
    /// The same, but there is no code to read.
    Unread,
}

impl Effects {
    /// The calls whose name begins in `range`, bytes of `file`, in the order of the text.
    pub fn explain(&self, program: &Program<'_>, file: FileId, range: &Range<u32>) -> Vec<ExplainedCall> {
        let mut found = Vec::new();
        for owner in self.owners() {
            if program.real_file(owner.krate, program.def(owner).file) != file {
                continue;
            }
            let Some(facts) = self.facts(owner) else { continue };
            for call in &facts.inferred.calls {
                if range.contains(&call.name_span.start) && call.kind != CallKind::Implicit {
                    found.extend(self.explain_call(program, facts, call, file));
                }
            }
            for event in self.uncalled_in(owner, range) {
                found.extend(self.explain_uncalled(program, facts, event, file));
            }
        }
        found.sort_by_key(|call| call.place);
        found
    }

    fn explain_call(&self, program: &Program<'_>, facts: &BodyFacts, call: &CallSite, file: FileId) -> Option<ExplainedCall> {
        let region = facts.regions.region_of.get(call.expr).copied()?;
        let (resolution, target) = match call.callee {
            Callee::Function { def, implementation, .. } => {
                let target = implementation.unwrap_or(def);
                (Resolution::Function { name: display(program, target), declared: program.place(target) }, Some(target))
            }
            Callee::Constructor(_) => (Resolution::Constructor, None),
            Callee::Value(_) => (Resolution::Value, None),
            Callee::Unresolved(reason) => (Resolution::Unresolved(reason.text()), None),
        };
        let place = Place { file, span: call.name_span };
        let mut explained = self.explained(program, facts, region, call.expr, place, resolution);
        if explained.blocks.is_empty() {
            explained.silence = target.and_then(|target| self.silence(program, facts, call, target));
        }
        Some(explained)
    }

    fn explain_uncalled(
        &self,
        program: &Program<'_>,
        facts: &BodyFacts,
        (region, span, how, def): (u32, Span, How, DefId),
        file: FileId,
    ) -> Option<ExplainedCall> {
        let expr = facts.regions.regions.get(region as usize)?.expr;
        let name = display(program, def);
        let resolution = match how {
            How::FirstUse => Resolution::FirstUse { name },
            How::Drop | How::Call => Resolution::Drop { name },
        };
        Some(self.explained(program, facts, region, expr, Place { file, span }, resolution))
    }

    fn explained(
        &self,
        program: &Program<'_>,
        facts: &BodyFacts,
        region: u32,
        expr: ExprId,
        place: Place,
        resolution: Resolution,
    ) -> ExplainedCall {
        let owner = facts.inferred.owner;
        let id = RegionId { owner, index: region };
        let is_uncalled = matches!(resolution, Resolution::Drop { .. } | Resolution::FirstUse { .. });
        ExplainedCall {
            place,
            resolution,
            runs: self.runs_in(program, facts, region),
            is_context: self.is_context(id),
            role: self.role(program, owner, expr),
            blocks: self.blocking_at(program, id, |event| match is_uncalled {
                true => event.at.span == place.span,
                false => event.at.expr == expr && event.at.span.end >= place.span.end && event.at.span.start <= place.span.start,
            }),
            silence: None,
        }
    }

    fn silence(&self, program: &Program<'_>, facts: &BodyFacts, call: &CallSite, target: DefId) -> Option<Silence> {
        if self.catalog.trusts(program, target) {
            return Some(Silence::Trusted);
        }
        if facts.regions.awaited.contains(&call.expr) && self.catalog.path(target).is_some() {
            return Some(Silence::Awaited);
        }
        if self.facts(target).is_some() {
            return program.function(target).is_some_and(|function| function.is_async).then_some(Silence::Async);
        }
        let is_foreign = !program.node(target.krate).is_member && !program.is_std(target.krate);
        is_foreign.then(|| if program.has_body(target) { Silence::Dependency } else { Silence::Unread })
    }

    fn runs_in(&self, program: &Program<'_>, facts: &BodyFacts, region: u32) -> Vec<RunsIn> {
        let mut closures = self.closures(program);
        let mut found = Vec::new();
        let mut at = Some(region);
        while let Some(index) = at {
            let region = &facts.regions.regions[index as usize];
            let owner = || display(program, facts.inferred.owner);
            let id = RegionId { owner: facts.inferred.owner, index };
            match region.kind {
                RegionKind::Async => found.push(RunsIn::Async),
                RegionKind::Owner if self.is_context(id) => found.push(RunsIn::Polled(owner())),
                RegionKind::Owner => found.push(RunsIn::Owner(owner())),
                RegionKind::Closure => {
                    let given_to = self.given_to(program, facts, region.expr);
                    match closures.closure(facts, region.expr) {
                        Runs::InPlace => {
                            found.push(RunsIn::InPlace { given_to });
                            at = region.parent;
                            continue;
                        }
                        Runs::Polled => found.push(RunsIn::ByCombinator { given_to }),
                        Runs::Elsewhere | Runs::Never => found.push(RunsIn::Elsewhere { given_to }),
                        Runs::Later | Runs::Unknown => found.push(RunsIn::Unknown { given_to }),
                    }
                }
            }
            break;
        }
        found
    }

    /// The function that a closure is an argument of.
    fn given_to(&self, program: &Program<'_>, facts: &BodyFacts, closure: ExprId) -> Option<String> {
        let call = facts.call(facts.parent(closure)?)?;
        let Callee::Function { def, implementation, .. } = call.callee else { return None };
        Some(display(program, implementation.unwrap_or(def)))
    }

    pub(crate) fn closures<'a, 'l>(&'a self, program: &'a Program<'l>) -> Closures<'a, 'l> {
        Closures::new(program, &self.catalog, self.bodies())
    }
}
