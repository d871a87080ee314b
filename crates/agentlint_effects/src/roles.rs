//! Roles: which code is start-up, which is a test, and which is a task's.
//!
//! Start-up is what runs before the program serves, spawns or accepts: the first part of `main`, of the function that serves,
//! and of every function that only start-up reaches. What it blocks, nobody waits for.

use std::sync::OnceLock;

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind, Visible};
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_semantic::input::CrateKind;
use agentlint_semantic::types::args;
use agentlint_syntax::Name;
use agentlint_syntax::ast::{ExprId, ExprKind, Item};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::{Bodies, BodyFacts};
use crate::closures::Closures;
use crate::context::is_polled;
use crate::flow::{before, regions_here};
use crate::reach::targets;
use crate::resolve::{ResolvedCatalog, Start};

/// What the code of an async context is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Task,
    /// It runs before the program serves, spawns or accepts.
    Startup,
    Test,
}

/// The functions that are start-up, each with the expressions that come before it serves, spawns or accepts.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    startup: FxHashMap<DefId, FxHashSet<ExprId>>,
}

impl Roles {
    pub(crate) fn new(program: &Program<'_>, functions: Vec<Function<'_>>) -> Roles {
        let mut graph = Graph {
            program,
            passed_on: functions.iter().flat_map(|function| &function.passed_on).copied().collect(),
            functions: functions.into_iter().map(|function| (function.facts.inferred.owner, function)).collect(),
            starting: FxHashSet::default(),
            serving: FxHashSet::default(),
        };
        // Start-up begins in a `main`, or where something serves.
        let serves = |function: &Function<'_>| function.calls.iter().any(|call| call.start == Some(Start::Serve));
        if !graph.functions.iter().any(|(owner, function)| graph.is_main(*owner) || serves(function)) {
            return Roles::default();
        }
        let callers = graph.callers();
        graph.starting = graph.leading_to(&callers, |call| call.start.is_some());
        graph.serving = graph.leading_to(&callers, |call| call.start == Some(Start::Serve));
        Roles { startup: graph.startup(&callers) }
    }

    pub(crate) fn of(&self, program: &Program<'_>, owner: DefId, expr: ExprId) -> Role {
        match self.startup.get(&owner) {
            _ if program.def(owner).is_test => Role::Test,
            Some(before) if before.contains(&expr) => Role::Startup,
            _ => Role::Task,
        }
    }
}

/// Attributes of the language that may stand on a function and leave its calls as they are.
const BUILT_IN: [&str; 12] =
    ["allow", "warn", "deny", "forbid", "expect", "doc", "must_use", "inline", "cold", "deprecated", "track_caller", "rustfmt"];

/// One call, seen from who runs first.
struct Call {
    expr: ExprId,
    /// Functions of the program, one of which it calls.
    targets: Vec<DefId>,
    start: Option<Start>,
    /// Whether it is the function's own, not that of a closure or block that runs elsewhere.
    is_here: bool,
}

/// A function, seen from who runs first.
pub(crate) struct Function<'a> {
    facts: &'a BodyFacts,
    here: Vec<bool>,
    calls: Vec<Call>,
    /// The functions that it passes on as values.
    passed_on: Vec<DefId>,
    before: OnceLock<FxHashSet<ExprId>>,
}

struct Graph<'a, 'l> {
    program: &'a Program<'l>,
    functions: FxHashMap<DefId, Function<'a>>,
    /// Functions that are passed on as values: who calls them is not known.
    passed_on: FxHashSet<DefId>,
    starting: FxHashSet<DefId>,
    serving: FxHashSet<DefId>,
}

/// Who calls a function: the caller, the call's expression, and whether it is the caller's own.
type Callers = FxHashMap<DefId, Vec<(DefId, ExprId, bool)>>;

/// Reads bodies for [`Roles`].
pub(crate) struct RoleCalls<'a, 'l> {
    program: &'a Program<'l>,
    catalog: &'a ResolvedCatalog,
    bodies: &'a Bodies,
    by_name: FxHashMap<Name, Vec<DefId>>,
}

impl<'a, 'l> RoleCalls<'a, 'l> {
    pub(crate) fn new(program: &'a Program<'l>, catalog: &'a ResolvedCatalog, bodies: &'a Bodies) -> Self {
        let mut by_name: FxHashMap<Name, Vec<DefId>> = FxHashMap::default();
        for def in bodies.members().map(|facts| facts.inferred.owner).filter(|def| program.kind(*def) == DefKind::Function) {
            by_name.entry(program.name(def)).or_default().push(def);
        }
        RoleCalls { program, catalog, bodies, by_name }
    }

    /// `None` for tests, which call what they like.
    pub(crate) fn of_body<'f>(&self, closures: &mut Closures<'_, '_>, facts: &'f BodyFacts) -> Option<Function<'f>> {
        if self.program.def(facts.inferred.owner).is_test {
            return None;
        }
        let here = regions_here(closures, facts);
        let calls = facts.inferred.calls.iter().filter_map(|call| self.call(facts, &here, call)).collect();
        Some(Function { facts, here, calls, passed_on: self.passed_on_in(facts), before: OnceLock::new() })
    }

    /// `None` where it says nothing about who runs first.
    fn call(&self, facts: &BodyFacts, here: &[bool], call: &CallSite) -> Option<Call> {
        let region = facts.regions.region_of[call.expr];
        let is_here = here.get(region as usize).copied().unwrap_or(false);
        let (mut targets, start) = match call.callee {
            Callee::Function { def, implementation, .. } => (
                targets(self.program, def, implementation),
                self.catalog.start(def).or_else(|| self.catalog.start(implementation?)),
            ),
            // It may be any of that name.
            Callee::Unresolved(_) => (self.by_name.get(&call.name).cloned().unwrap_or_default(), None),
            Callee::Constructor(_) | Callee::Value(_) => (Vec::new(), None),
        };
        targets.retain(|target| self.bodies.member(*target).is_some());
        (start.is_some() || !targets.is_empty()).then_some(Call { expr: call.expr, targets, start, is_here })
    }

    fn passed_on_in(&self, facts: &BodyFacts) -> Vec<DefId> {
        let mut passed_on = Vec::new();
        let Some(body) = self.program.body(facts.inferred.owner) else { return passed_on };
        for (expr, def, list) in &facts.inferred.paths {
            let parent = facts.parent(*expr).map(|parent| &body.exprs[parent].kind);
            let is_called = matches!(parent, Some(ExprKind::Call { callee, .. }) if callee == expr);
            if !is_called && self.program.kind(*def) == DefKind::Function {
                let implementation = self.program.implementation(*def, args(list));
                passed_on.extend(targets(self.program, *def, implementation));
            }
        }
        passed_on
    }
}

impl Graph<'_, '_> {
    fn callers(&self) -> Callers {
        let mut callers = Callers::default();
        for (owner, function) in &self.functions {
            for call in &function.calls {
                for target in &call.targets {
                    callers.entry(*target).or_default().push((*owner, call.expr, call.is_here));
                }
            }
        }
        callers
    }

    /// The functions that themselves, or through others, make a call of that kind.
    fn leading_to(&self, callers: &Callers, is_wanted: impl Fn(&Call) -> bool) -> FxHashSet<DefId> {
        let makes_one = |function: &Function<'_>| function.calls.iter().any(|call| call.is_here && is_wanted(call));
        let mut open: Vec<DefId> =
            self.functions.iter().filter(|(_, function)| makes_one(function)).map(|(owner, _)| *owner).collect();
        let mut found = FxHashSet::default();
        while let Some(function) = open.pop() {
            if found.insert(function) {
                let own = callers.get(&function).into_iter().flatten().filter(|(_, _, is_here)| *is_here);
                open.extend(own.map(|(caller, ..)| *caller));
            }
        }
        found
    }

    /// What of a function runs before it starts anything.
    fn before(&self, owner: DefId) -> &FxHashSet<ExprId> {
        static NOTHING: std::sync::LazyLock<FxHashSet<ExprId>> = std::sync::LazyLock::new(FxHashSet::default);
        let (Some(function), Some(body)) = (self.functions.get(&owner), self.program.body(owner)) else { return &NOTHING };
        function.before.get_or_init(|| {
            let starts = function.calls.iter().filter(|call| call.is_here && self.is_start(call)).map(|call| call.expr).collect();
            before(body, function.facts, &function.here, &starts)
        })
    }

    fn is_start(&self, call: &Call) -> bool {
        call.start.is_some() || call.targets.iter().any(|target| self.starting.contains(target))
    }

    fn startup(&self, callers: &Callers) -> FxHashMap<DefId, FxHashSet<ExprId>> {
        let is_first = |def: DefId| self.is_main(def) || (self.serving.contains(&def) && !callers.contains_key(&def));
        let may_be = |def: &DefId| self.is_called_by_name(*def) && (is_first(*def) || callers.contains_key(def));
        let mut possible: FxHashSet<DefId> = self.functions.keys().copied().filter(may_be).collect();
        // The greatest set whose members are all called by start-up only.
        let says_nothing = |def: &DefId| !callers.contains_key(def) && self.is_offered(*def);
        let mut open: Vec<DefId> =
            self.functions.keys().copied().filter(|def| !possible.contains(def) && !says_nothing(def)).collect();
        for (def, callers) in callers {
            let is_late =
                |(caller, expr, _): &(DefId, ExprId, bool)| possible.contains(caller) && !self.before(*caller).contains(expr);
            if possible.contains(def) && !self.is_main(*def) && callers.iter().any(is_late) {
                open.push(*def);
            }
        }
        open.iter().for_each(|def| _ = possible.remove(def));
        while let Some(late) = open.pop() {
            for target in
                self.functions.get(&late).into_iter().flat_map(|function| &function.calls).flat_map(|call| &call.targets)
            {
                if !self.is_main(*target) && possible.remove(target) {
                    open.push(*target);
                }
            }
        }
        // Of these, what start-up really reaches: functions that only call each other are nobody's.
        let mut reached = FxHashMap::default();
        let mut open: Vec<DefId> = possible.iter().copied().filter(|def| is_first(*def)).collect();
        while let Some(def) = open.pop() {
            if !possible.contains(&def) || reached.contains_key(&def) {
                continue;
            }
            reached.insert(def, self.before(def).clone());
            open.extend(self.functions.get(&def).into_iter().flat_map(|f| &f.calls).flat_map(|call| &call.targets));
        }
        reached
    }

    fn is_main(&self, def: DefId) -> bool {
        let program = self.program;
        matches!(program.node(def.krate).kind, CrateKind::Binary | CrateKind::Example)
            && program.def(def).parent == program.root(def.krate)
            && program.kind(def) == DefKind::Function
            && program.name(def) == "main"
    }

    /// Whether it is there for others to call: what it calls itself may be start-up or not. An attribute may register it.
    fn is_offered(&self, def: DefId) -> bool {
        let program = self.program;
        let is_plain = |item: &Item| {
            let mut names = item.attributes.iter().map(|attribute| attribute.path.as_str());
            names.all(|name| BUILT_IN.contains(&name))
        };
        program.node(def.krate).kind == CrateKind::Library
            && program.def(def).visibility == Visible::Everywhere
            && self.is_called_by_name(def)
            && program.item(def).is_some_and(is_plain)
    }

    /// Whether nothing but the calls that are seen can call it.
    fn is_called_by_name(&self, def: DefId) -> bool {
        let program = self.program;
        let of_foreign_trait = || {
            let holder = program.container(def).filter(|holder| program.kind(*holder) == DefKind::Impl);
            let trait_ref = holder.and_then(|holder| program.impl_trait_ref(holder));
            trait_ref.is_some_and(|trait_ref| !program.node(trait_ref.trait_def.krate).is_member)
        };
        program.kind(def) == DefKind::Function
            && !self.passed_on.contains(&def)
            && !is_polled(program, def)
            && !of_foreign_trait()
    }
}
