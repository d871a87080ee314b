//! What happens in each region of a body: the calls that may block, and the closures that run in place.

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::{CallKind, CallSite, Callee};
use agentlint_semantic::types::{self, Args, BodyExpr, Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind};
use agentlint_syntax::{Name, Span};
use smallvec::{SmallVec, smallvec};

use crate::body::{Bodies, BodyFacts};
use crate::closures::{Closures, Runs};
use crate::context::is_polled;
use crate::drops::{Dropped, Drops};
use crate::futures::{is_driven, may_give_future};
use crate::lazy::{Fate, fate};
use crate::region::{RegionId, RegionKind};
use crate::resolve::{Called, ResolvedCatalog};
use crate::summary::display;
use crate::values::{Callable, Values, given_back};

/// The calls of a region, and whether its code runs while a task is polled.
pub(crate) struct RegionEvents {
    pub(crate) region: RegionId,
    pub(crate) events: Vec<Event>,
    pub(crate) is_context: bool,
}

/// Something in a region that may block.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: At,
    /// `None` where nothing is called by name.
    pub(crate) callee: Option<CalleeName>,
    pub(crate) target: Target,
    pub(crate) confidence: Confidence,
}

/// How code comes to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Somebody calls it.
    Call,
    /// A value goes out of scope.
    Drop,
    /// A static is used, and makes its value if nobody used it before.
    FirstUse,
}

/// What a call calls, to be written out when it is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalleeName {
    def: DefId,
    implementation: Option<DefId>,
    self_ty: Option<Ty>,
    /// Another name that it came in under.
    renamed: Option<Name>,
    how: How,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// The call, or the function that is passed to one.
    pub(crate) expr: ExprId,
    /// The call, from the callee's name to its end.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Sink(usize),
    /// Functions of the program or of a dependency, one of which is called.
    Functions(SmallVec<[Followed; 1]>),
    /// A closure that runs in place.
    Inline(u32),
}

/// A function of the program or of a dependency that a call leads into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    pub(crate) def: DefId,
    pub(crate) with: With,
    pub(crate) part: Part,
}

/// What of a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// What a call of it runs.
    Own,
    /// What the future that it gives runs.
    Future,
    /// What a closure in it runs, by its region.
    Closure(u32),
}

/// What is known of the generic arguments that a function is called with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum With {
    Anything,
    These(Args),
    /// It is an impl's, and these are those of the trait's function.
    OfTrait(DefId, Args),
}

pub(crate) struct Builder<'a, 'l> {
    pub(crate) program: &'a Program<'l>,
    pub(crate) catalog: &'a ResolvedCatalog,
    pub(crate) bodies: &'a Bodies,
    pub(crate) drops: &'a Drops,
    pub(crate) values: &'a Values,
    pub(crate) facts: &'a BodyFacts,
    /// What stands for the body's parameters; `None` where they may be anything.
    pub(crate) with: Option<Args>,
}

impl Builder<'_, '_> {
    pub(crate) fn regions(&self, closures: &mut Closures<'_, '_>) -> Vec<RegionEvents> {
        let owner = self.facts.inferred.owner;
        let regions = &self.facts.regions.regions;
        let mut contexts: Vec<bool> = Vec::new();
        let mut nodes: Vec<RegionEvents> = Vec::new();
        for (index, region) in regions.iter().enumerate() {
            // Parents come before their children.
            let parent_context = region.parent.and_then(|p| contexts.get(p as usize)).copied().unwrap_or(false);
            let is_context = match region.kind {
                RegionKind::Async => true,
                RegionKind::Owner => is_polled(self.program, owner),
                RegionKind::Closure => match self.closure_runs(closures, region.expr) {
                    Runs::InPlace => {
                        if let Some(parent) = region.parent
                            && let Some(node) = nodes.get_mut(parent as usize)
                        {
                            node.events.push(Event {
                                at: At { expr: region.expr, span: Span::default() },
                                callee: None,
                                target: Target::Inline(index as u32),
                                confidence: Confidence::Certain,
                            });
                        }
                        parent_context
                    }
                    Runs::Later => parent_context,
                    Runs::Polled => true,
                    Runs::Elsewhere | Runs::Never | Runs::Unknown => false,
                },
            };
            contexts.push(is_context);
            let region_id = RegionId { owner, index: index as u32 };
            let mut events = Vec::new();
            for at in &region.calls {
                self.call_events(closures, &self.facts.inferred.calls[*at as usize], &mut events);
            }
            for event in events.iter_mut().filter(|event| self.facts.is_conditional(event.at.expr)) {
                event.confidence = Confidence::Possible;
            }
            nodes.push(RegionEvents { region: region_id, events, is_context });
        }
        self.first_uses(&mut nodes);
        for dropped in self.drops.in_body(self.program, self.facts) {
            if let Some(node) = nodes.get_mut(dropped.region as usize) {
                self.drop_events(dropped, &mut node.events);
            }
        }
        nodes
    }

    /// What a static stores, `Lazy::new(|| ..)`, makes its value.
    fn closure_runs(&self, closures: &mut Closures<'_, '_>, closure: ExprId) -> Runs {
        match closures.closure(self.facts, closure) {
            Runs::Unknown if self.program.kind(self.facts.inferred.owner) == DefKind::Static => Runs::InPlace,
            runs => runs,
        }
    }

    /// The statics of the program that a body uses: whoever is first makes their value.
    fn first_uses(&self, nodes: &mut [RegionEvents]) {
        let Some(body) = self.program.body(self.facts.inferred.owner) else { return };
        for (expr, def, _) in &self.facts.inferred.paths {
            if self.program.kind(*def) != DefKind::Static || *def == self.facts.inferred.owner {
                continue;
            }
            let target = one_of(Some(*def).into_iter().filter(|def| self.bodies.member(*def).is_some()));
            let callee = CalleeName { how: How::FirstUse, ..CalleeName::of(*def) };
            let at = At { expr: *expr, span: body.exprs[*expr].span };
            if let (Some(target), Some(node)) = (target, nodes.get_mut(self.facts.regions.region_of[*expr] as usize)) {
                node.events.push(Event { at, callee: Some(callee), target, confidence: Confidence::Likely });
            }
        }
    }

    fn drop_events(&self, dropped: Dropped, events: &mut Vec<Event>) {
        for (def, confidence) in self.drops.of(self.program, dropped.ty) {
            let callee = CalleeName { how: How::Drop, ..CalleeName::of(def) };
            let sink = self.catalog.own_entry(def);
            let confidence = sink.map_or(confidence, |entry| confidence.min(self.catalog.entries[entry].confidence));
            let followed = || one_of(Some(def).into_iter().filter(|def| self.is_followed(*def)));
            let target = sink.map(Target::Sink).or_else(followed);
            let at = At { expr: dropped.scope, span: dropped.span };
            events.extend(target.map(|target| Event { at, callee: Some(callee), target, confidence }));
        }
    }

    fn call_events(&self, closures: &mut Closures<'_, '_>, call: &CallSite, events: &mut Vec<Event>) {
        match call.callee {
            Callee::Value(ty) => self.value_events(call, ty, events),
            _ => events.extend(self.call_event(call)),
        }
        for (at, argument) in call.arguments.iter().enumerate() {
            let TyKind::FnDef(def, list) = *self.ty(*argument).kind() else { continue };
            if self.program.kind(def) != DefKind::Function || closures.argument(call, at, 0) != Runs::InPlace {
                continue;
            }
            let implementation = self.program.implementation(def, list);
            let Some(body) = self.program.body(self.facts.inferred.owner) else { continue };
            let at = At { expr: *argument, span: body.exprs[*argument].span };
            events.extend(self.event(Called { def, implementation, list: &list, values: &[], receiver: None }, at, true));
        }
    }

    /// A call of a value: of a closure or a function that came through a field, or that another function gave.
    fn value_events(&self, call: &CallSite, ty: Ty, events: &mut Vec<Event>) {
        let Some(body) = self.program.body(self.facts.inferred.owner) else { return };
        let ExprKind::Call { callee: value, .. } = body.exprs[call.expr].kind else { return };
        let is_field = matches!(body.exprs[value].kind, ExprKind::Field { .. });
        let has_origin = self.facts.inferred.local(value).is_none_or(|pat| self.facts.initialiser(pat).is_some());
        let ty = self.with.map_or(ty, |with| self.program.instantiated(ty, &with));
        let (callables, confidence) = match *ty.kind() {
            // Of a closure that is called where it is bound or passed, the code counts as that of the place.
            TyKind::Closure(of, _) if is_field => (self.closure(of), Confidence::Certain),
            TyKind::FnDef(def, _) if is_field || has_origin => (vec![Callable::Function(def)], Confidence::Certain),
            TyKind::Closure(..) | TyKind::FnDef(..) | TyKind::Param(..) => return,
            TyKind::Opaque(def, ..) => (given_back(self.program, self.bodies, def), Confidence::Certain),
            // One of those that get there.
            _ => (self.values.of(self.program, self.bodies, self.facts, value), Confidence::Likely),
        };
        let at = At { expr: call.expr, span: body.exprs[call.expr].span };
        let mut functions: SmallVec<[Followed; 1]> = SmallVec::new();
        for callable in callables {
            match callable {
                Callable::Closure(RegionId { owner, index }) => {
                    functions.push(Followed { def: owner, with: With::Anything, part: Part::Closure(index) });
                }
                Callable::Function(def) => {
                    let called = Called { def, implementation: None, list: &[], values: &[], receiver: None };
                    match self.event(called, at, false) {
                        Some(Event { target: Target::Functions(of_function), .. }) => functions.extend(of_function),
                        Some(mut event) => {
                            event.confidence = event.confidence.min(confidence);
                            events.push(event);
                        }
                        None => {}
                    }
                }
            }
        }
        let Some(first) = functions.first() else { return };
        let callee = CalleeName { renamed: Some(call.name), ..CalleeName::of(first.def) };
        events.push(Event { at, callee: Some(callee), target: Target::Functions(functions), confidence });
    }

    fn closure(&self, of: BodyExpr) -> Vec<Callable> {
        let facts = self.bodies.member(of.owner);
        let index = facts.and_then(|facts| facts.regions.by_expr.get(&ExprId::new(of.expr as usize)));
        index.map(|index| Callable::Closure(RegionId { owner: of.owner, index: *index })).into_iter().collect()
    }

    fn call_event(&self, call: &CallSite) -> Option<Event> {
        let body = self.program.body(self.facts.inferred.owner)?;
        let start = match (&body.exprs[call.expr].kind, call.kind) {
            (ExprKind::Call { callee, .. }, _) => body.exprs[*callee].span.start,
            (_, CallKind::Macro) => body.exprs[call.expr].span.start,
            _ => call.name_span.start,
        };
        let span = match call.kind {
            CallKind::Implicit => call.name_span,
            _ => Span::new(start, body.exprs[call.expr].span.end),
        };
        let Callee::Function { def, mut args, mut implementation } = call.callee else { return None };
        if let Some(with) = self.with.filter(|_| args.iter().any(|ty| ty.has_params())) {
            let list: SmallVec<[Ty; 8]> = args.iter().map(|ty| self.program.instantiated(*ty, &with)).collect();
            args = types::args(&list);
            implementation = implementation.or_else(|| self.program.implementation(def, args));
        }
        let values: SmallVec<[Ty; 8]> = call.arguments.iter().map(|a| self.ty(*a)).collect();
        let receiver = call.receiver.map(|receiver| self.ty(receiver));
        let called = Called { def, implementation, list: &args, values: &values, receiver };
        let mut event = self.event(called, At { expr: call.expr, span }, false)?;
        // A function that came in under another name is called by that name.
        let is_renamed = self.program.container(def).is_none() && call.name != self.program.name(def);
        if let Some(callee) = event.callee.as_mut().filter(|_| is_renamed) {
            callee.renamed = Some(call.name);
        }
        // An awaited call is never a sink: what it gives is a future.
        let is_awaited = self.facts.regions.awaited.contains(&call.expr);
        // What a loop's `into_iter` may call, its `next` calls too: one finding is enough.
        let is_repeated = call.kind == CallKind::Implicit && call.name.as_str() == "into_iter";
        let is_sink = matches!(event.target, Target::Sink(_));
        if let Target::Sink(entry) = event.target
            && self.catalog.entries[entry].lazy
            && call.kind != CallKind::Implicit
            && fate(self.program, self.facts, call.expr) != Fate::UsedUp
        {
            return None;
        }
        ((!is_awaited || !is_sink) && (!is_repeated || is_sink)).then_some(event)
    }

    /// `is_passed`: it is not called here but passed on.
    fn event(&self, called: Called<'_>, at: At, is_passed: bool) -> Option<Event> {
        let program = self.program;
        let Called { def, implementation, list, .. } = called;
        let target = implementation.unwrap_or(def);
        if self.catalog.trusts_function(def) || self.catalog.trusts_function(target) {
            return None;
        }
        let callee = Some(CalleeName { def, implementation, self_ty: list.first().copied(), renamed: None, how: How::Call });
        if let Some(entry) = self.catalog.sink_index(program, called) {
            let confidence = self.catalog.entries[entry].confidence;
            return Some(Event { at, callee, target: Target::Sink(entry), confidence });
        }
        if program.is_std(target.krate) {
            let functions = program.bound_functions(target, types::args(list)).into_iter().filter(|f| self.is_followed(*f));
            return one_of(functions).map(|target| Event { at, callee, target, confidence: Confidence::Likely });
        }
        // An impl counts by where it stands: the program's own impl of a trusted crate's trait is followed.
        if self.catalog.trusts(program, target) {
            return None;
        }
        let is_trait_method = program.container(def).is_some_and(|c| program.kind(c) == DefKind::Trait);
        if implementation.is_none() && is_trait_method {
            return self.trait_event(def, list, callee, at);
        }
        let with = match implementation {
            Some(_) => With::OfTrait(def, types::args(list)),
            None => With::These(types::args(list)),
        };
        let mut functions = SmallVec::new();
        if self.is_followed(target) {
            functions.push(Followed { def: target, with, part: Part::Own });
        }
        let is_foreign = !program.node(target.krate).is_member;
        if is_foreign && self.gives_future(target) && (is_passed || is_driven(program, self.facts, at.expr)) {
            functions.push(Followed { def: target, with, part: Part::Future });
        }
        // A dependency's own code is not the user's to read: what it does is `likely` at most.
        let crosses = is_foreign && program.node(self.facts.inferred.owner.krate).is_member;
        let confidence = if crosses { Confidence::Likely } else { Confidence::Certain };
        (!functions.is_empty()).then_some(Event { at, callee, target: Target::Functions(functions), confidence })
    }

    /// A function whose effects are its caller's: there is a body, it is not async, not itself an async context, and not trusted.
    fn is_followed(&self, def: DefId) -> bool {
        self.bodies.has(self.program, def)
            && !self.program.function(def).is_none_or(|f| f.is_async)
            && !is_polled(self.program, def)
            && !self.catalog.trusts(self.program, def)
    }

    /// Whether a dependency's function gives a future that is looked into.
    fn gives_future(&self, def: DefId) -> bool {
        self.bodies.has(self.program, def)
            && (self.program.function(def).is_some_and(|f| f.is_async) || may_give_future(self.program, def))
            && !self.catalog.trusts(self.program, def)
    }

    /// A trait's method on a type that does not tell the impl: the trait's own body, or that of any impl of the program.
    fn trait_event(&self, def: DefId, list: &[Ty], callee: Option<CalleeName>, at: At) -> Option<Event> {
        let self_ty = list.first()?;
        let is_open = matches!(self_ty.kind(), TyKind::Dyn(_) | TyKind::Param(..) | TyKind::Opaque(..) | TyKind::Projection(..));
        let mut functions = Vec::new();
        if self.is_followed(def) {
            functions.push(def);
        }
        if !is_open {
            let with = With::These(types::args(list));
            let target = Target::Functions(smallvec![Followed { def, with, part: Part::Own }]);
            return (!functions.is_empty()).then_some(Event { at, callee, target, confidence: Confidence::Certain });
        }
        let trait_def = self.program.container(def)?;
        if !self.program.node(trait_def.krate).is_member {
            return None;
        }
        let wanted = self.program.name(def);
        for implementation in self.program.member_impls(trait_def) {
            if let Some(method) = self.program.member(implementation, wanted, |k| k == DefKind::Function)
                && self.is_followed(method)
            {
                functions.push(method);
            }
        }
        one_of(functions.into_iter()).map(|target| Event { at, callee, target, confidence: Confidence::Likely })
    }

    fn ty(&self, expr: ExprId) -> Ty {
        let ty = self.facts.inferred.types[expr];
        self.with.map_or(ty, |with| self.program.instantiated(ty, &with))
    }
}

/// `None` where there is none.
fn one_of(functions: impl Iterator<Item = DefId>) -> Option<Target> {
    let functions: SmallVec<[Followed; 1]> =
        functions.map(|def| Followed { def, with: With::Anything, part: Part::Own }).collect();
    (!functions.is_empty()).then_some(Target::Functions(functions))
}

impl CalleeName {
    fn of(def: DefId) -> CalleeName {
        CalleeName { def, implementation: None, self_ty: None, renamed: None, how: How::Call }
    }

    pub(crate) fn how(&self) -> How {
        self.how
    }

    /// The static that is used.
    pub(crate) fn used(&self) -> Option<DefId> {
        (self.how == How::FirstUse).then_some(self.def)
    }

    pub(crate) fn def(&self) -> DefId {
        self.def
    }

    /// The function that runs.
    pub(crate) fn target(&self) -> DefId {
        self.implementation.unwrap_or(self.def)
    }

    /// As people write it; a sink by its public path.
    pub(crate) fn display(&self, program: &Program<'_>, catalog: &ResolvedCatalog) -> String {
        let target = self.implementation.unwrap_or(self.def);
        if let Some(path) = catalog.path(target).or_else(|| catalog.path(self.def)) {
            return path.to_owned();
        }
        if let Some(renamed) = self.renamed {
            return renamed.to_string();
        }
        let of_trait = program.container(self.def).is_some_and(|c| program.kind(c) == DefKind::Trait);
        match self.self_ty {
            Some(self_ty) if of_trait && self.implementation.is_none() && self_ty.head().is_some() => {
                format!("{}::{}", self_ty.head_name(program), program.name(self.def))
            }
            _ => display(program, target),
        }
    }
}
