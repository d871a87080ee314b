//! Who calls whom among the members, and which program a piece of code is a part of.

use agentlint_effects::Part;
use agentlint_linter::LintContext;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::input::{CrateId, CrateKind};
use rustc_hash::FxHashSet;

/// A function and all that call it, through others too, as far as where work comes in: a router does not call its handlers.
pub(crate) fn above(cx: &LintContext<'_>, function: DefId) -> FxHashSet<DefId> {
    let mut open = vec![function];
    let mut found = FxHashSet::default();
    while let Some(function) = open.pop() {
        if found.insert(function) {
            open.extend(cx.effects.callers(cx.program, function).iter().map(|region| region.owner));
        }
    }
    found
}

/// Functions and all of the members that they call or name, through others too.
pub(crate) fn below(cx: &LintContext<'_>, functions: impl IntoIterator<Item = DefId>) -> FxHashSet<DefId> {
    let mut open: Vec<DefId> = functions.into_iter().collect();
    let mut found = FxHashSet::default();
    while let Some(function) = open.pop() {
        if !found.insert(function) {
            continue;
        }
        let Some(view) = cx.effects.view(cx.program, function) else { continue };
        open.extend(view.calls().iter().flat_map(|call| targets(cx, &call.callee)));
        let named = view.paths().iter().map(|(_, def, _)| *def);
        open.extend(named.filter(|def| cx.program.node(def.krate).is_member));
    }
    found
}

/// The members' functions that a call may run: of a trait, those of all impls of the program.
fn targets(cx: &LintContext<'_>, callee: &Callee) -> Vec<DefId> {
    let program = cx.program;
    let Callee::Function { def, implementation, .. } = *callee else { return Vec::new() };
    let target = implementation.unwrap_or(def);
    if !program.node(target.krate).is_member {
        return Vec::new();
    }
    let mut targets = vec![target];
    let of_trait = program.container(def).filter(|holder| program.kind(*holder) == DefKind::Trait);
    if let (None, Some(holder)) = (implementation, of_trait) {
        let impls = program.member_impls(holder).into_iter();
        targets.extend(impls.filter_map(|found| program.member(found, program.name(def), |kind| kind == DefKind::Function)));
    }
    targets
}

/// Whether one of the functions calls what plays one of the parts.
pub(crate) fn mentions(cx: &LintContext<'_>, functions: &FxHashSet<DefId>, parts: &[Part]) -> bool {
    parts.iter().any(|part| cx.effects.part_calls(cx.program, *part).iter().any(|call| functions.contains(&call.owner)))
}

/// The members that are built into one program with a crate: those that it depends on, those that depend on it, and what these
/// depend on.
pub(crate) fn program_around(cx: &LintContext<'_>, krate: CrateId) -> FxHashSet<CrateId> {
    let all = cx.program.members().map(|member| built_of(cx, member));
    all.filter(|crates| crates.contains(&krate)).flatten().collect()
}

/// A member and all members that it depends on.
fn built_of(cx: &LintContext<'_>, krate: CrateId) -> FxHashSet<CrateId> {
    let mut open = vec![krate];
    let mut found = FxHashSet::default();
    while let Some(krate) = open.pop() {
        if cx.program.node(krate).is_member && found.insert(krate) {
            open.extend(cx.program.node(krate).dependencies.iter().map(|(_, dependency)| *dependency));
        }
    }
    found
}

/// The binaries among the members, each with the members that it is built of, itself among them.
pub(crate) fn programs_of(cx: &LintContext<'_>) -> Vec<(CrateId, FxHashSet<CrateId>)> {
    let binaries = cx.program.members().filter(|krate| cx.program.node(*krate).kind == CrateKind::Binary);
    binaries.map(|binary| (binary, built_of(cx, binary))).collect()
}

/// The members that the binaries are built of whose `main` leads to the function.
pub(crate) fn binaries_that_run(cx: &LintContext<'_>, function: DefId) -> Vec<FxHashSet<CrateId>> {
    let mut programs = programs_of(cx);
    if programs.is_empty() {
        return Vec::new();
    }
    let above = above(cx, function);
    let is_main = |binary: CrateId| {
        let mains = above.iter().filter(|def| def.krate == binary && cx.program.name(**def) == "main");
        mains.into_iter().any(|def| cx.program.def(*def).parent == cx.program.root(binary))
    };
    programs.retain(|(binary, _)| is_main(*binary));
    programs.into_iter().map(|(_, crates)| crates).collect()
}
