//! From parsed crates to what the lints find. A panic costs one body or one lint, and becomes a finding.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agentlint_diagnostics::{Diagnostic, Level, Location, RolePolicy};
use agentlint_effects::{AnalysedBody, Catalog, Effects, Entry, FORM, ResolvedCatalog, SummaryStore};
use agentlint_linter::run_lints::INTERNAL_ERROR;
use agentlint_linter::{Levels, Lint, LintContext, Registry};
use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::input::CrateId;
use agentlint_workspace::{Opened, SummaryFiles};
use rayon::prelude::*;

/// What the lints found, and what `also` says of the model before it goes.
pub(super) fn lint<T: Send>(
    registry: &Registry,
    levels: &Levels,
    catalog: &Arc<Catalog>,
    roles: RolePolicy,
    opened: &Opened,
    also: impl FnOnce(&Program<'_>, &Effects) -> T + Send,
) -> (Vec<Diagnostic>, Took, T) {
    opened.loader.pool().install(|| {
        let program = Program::new(opened.graph.clone(), &opened.loader);
        let mut found = Vec::new();
        let (effects, took) = effects(&program, catalog, opened, &mut found);
        let guards = || catch_unwind(AssertUnwindSafe(|| effects.held_guards(&program)));
        let (blocking_calls, held_guards) = rayon::join(|| effects.blocking_calls(&program), guards);
        let held_guards = held_guards.unwrap_or_else(|_| {
            let message = || "the search for guards that are held across an await panicked".to_owned();
            found.extend(first_body(&program).and_then(|owner| internal_error(&program, owner, message())));
            Vec::new()
        });
        let cx = LintContext {
            program: &program,
            effects: &effects,
            blocking_calls: &blocking_calls,
            held_guards: &held_guards,
            roles,
            deploy: &opened.deploy,
        };
        // Nobody would see what the others find.
        let wanted: Vec<_> = registry.lints().iter().filter(|lint| levels.level(lint.meta()) != Level::Allow).collect();
        let check = |lint: &&&dyn Lint| {
            let mut of_lint = Vec::new();
            let ran = catch_unwind(AssertUnwindSafe(|| lint.check(&cx, &mut of_lint)));
            let message = || format!("the lint `{}` panicked", lint.meta().id);
            of_lint.extend(ran.err().and_then(|_| internal_error(&program, first_body(&program)?, message())));
            of_lint
        };
        // Every finding will ask who reaches it.
        let reach = || _ = catch_unwind(AssertUnwindSafe(|| effects.find_callers(&program)));
        let (of_lints, ()) = rayon::join(|| wanted.par_iter().map(check).collect::<Vec<_>>(), reach);
        found.extend(of_lints.into_iter().flatten());
        for diagnostic in &mut found {
            let Location { file, start, .. } = diagnostic.primary.location;
            diagnostic.reached_from = effects.reached_from(&program, file, start).iter().map(Entry::to_string).collect();
        }
        keep(&program);
        let said = also(&program, &effects);
        // The run is about to end, and taking the model apart piece by piece would be a good part of it.
        std::mem::forget((blocking_calls, held_guards, effects, program));
        (found, took, said)
    })
}

/// Keeps for other runs what this one found out about its dependencies.
pub(super) fn keep(program: &Program<'_>) {
    program.graph.crates.indices().collect::<Vec<_>>().into_par_iter().for_each(|krate| program.keep_found(krate));
}

/// How long the types of all bodies took, with what they led into, and how long the effects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) types: Duration,
    pub(super) effects: Duration,
}

/// What the members' bodies do. A body whose analysis panicked is left out, and found.
pub(super) fn effects(
    program: &Program<'_>,
    catalog: &Arc<Catalog>,
    opened: &Opened,
    found: &mut Vec<Diagnostic>,
) -> (Effects, Took) {
    let start = Instant::now();
    load(program);
    let bodies = analyse(program, found);
    let types = start.elapsed();
    // After inference: by then everything that the program's code leads into is loaded.
    let resolved = ResolvedCatalog::new(program, Arc::clone(catalog));
    let mut knowledge = DefaultHasher::new();
    (agentlint_semantic::FORM, FORM, catalog).hash(&mut knowledge);
    let store = Store(opened.loader.summary_files(knowledge.finish()));
    let effects = Effects::new(program, resolved, bodies, &store);
    (effects, Took { types, effects: start.elapsed().saturating_sub(types) })
}

/// Summaries of dependencies, in the user's cache.
struct Store(SummaryFiles);

impl SummaryStore for Store {
    fn load(&self, krate: CrateId) -> Option<Vec<u8>> {
        self.0.load(krate)
    }

    fn keep(&self, krate: CrateId, summaries: Vec<u8>) {
        self.0.keep(krate, &summaries);
    }
}

/// Loads side by side what the first bodies would load one after the other, while all threads wait: std, the members, and what
/// these import from. A panic here comes again where a body needs the crate, and is told there.
fn load(program: &Program<'_>) {
    let load = |krate| _ = catch_unwind(AssertUnwindSafe(|| program.load(krate)));
    // Members are not asked for twice: a thread that wants what another loads sleeps.
    let asked_for = Mutex::new(program.members().collect::<HashSet<_>>());
    rayon::scope(|scope| {
        for krate in program.std_crates() {
            scope.spawn(move |_| load(krate));
        }
        for member in program.members() {
            let asked_for = &asked_for;
            scope.spawn(move |scope| {
                let also = |krates: Vec<CrateId>| {
                    for krate in krates {
                        if asked_for.lock().is_ok_and(|mut asked_for| asked_for.insert(krate)) {
                            scope.spawn(move |_| load(krate));
                        }
                    }
                };
                // Others load these meanwhile.
                also(catch_unwind(AssertUnwindSafe(|| program.crates_in_use(member))).unwrap_or_default());
                // One thread alone will walk through the member.
                let expand = || {
                    let likely = program.likely_calls(member);
                    likely.calls().par_chunks(4).for_each(|calls| program.expand_ahead(&likely, calls));
                };
                _ = catch_unwind(AssertUnwindSafe(expand));
                also(catch_unwind(AssertUnwindSafe(|| program.imported_crates(member))).unwrap_or_default());
            });
        }
    });
}

/// The types and calls of every body of the members.
fn analyse(program: &Program<'_>, found: &mut Vec<Diagnostic>) -> Vec<AnalysedBody> {
    let mut owners: Vec<DefId> = program.members().flat_map(|krate| program.owners(krate)).collect();
    // One that starts last is what all wait for. The others stay as they stand, beside what they share.
    owners.sort_by_key(|owner| std::cmp::Reverse(length(program, *owner).filter(|length| *length > LARGE)));
    let bodies: Vec<_> = owners
        .into_par_iter()
        // Else the last piece, an eighth of all, would be one thread's; some bodies take a hundred times as long as others.
        .with_max_len(4)
        .map(|owner| catch_unwind(AssertUnwindSafe(|| AnalysedBody::new(program, owner))).map_err(|_| owner))
        .collect();
    let mut analysed = Vec::with_capacity(bodies.len());
    for body in bodies {
        match body {
            Ok(body) => analysed.extend(body),
            Err(owner) => {
                let message = format!("the analysis of `{}` panicked", program.name(owner));
                found.extend(internal_error(program, owner, message));
            }
        }
    }
    analysed
}

/// A body of so many bytes is analysed first.
const LARGE: u32 = 6_000;

fn length(program: &Program<'_>, owner: DefId) -> Option<u32> {
    program.item(owner).map(|item| item.span.end.saturating_sub(item.span.start))
}

fn internal_error(program: &Program<'_>, owner: DefId, message: String) -> Option<Diagnostic> {
    let place = program.place(owner)?;
    let location = Location { file: place.file, start: place.span.start, end: place.span.end };
    Some(Diagnostic::new(INTERNAL_ERROR.id, INTERNAL_ERROR.level, message, location))
}

/// A lint that panics does not say where; the finding has to stand somewhere.
fn first_body(program: &Program<'_>) -> Option<DefId> {
    program.members().find_map(|krate| program.owners(krate).next())
}
