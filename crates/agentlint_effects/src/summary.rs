//! Summaries: which effects a call of a function has, each with the shortest chain to a sink, and the blocking calls that follow.

use std::cmp::Reverse;
use std::ops::Range;

use agentlint_diagnostics::{Confidence, FileId};
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind, Place};
use agentlint_semantic::infer::Inferred;
use agentlint_semantic::input::CrateId;
use agentlint_syntax::Span;
use agentlint_syntax::ast::ExprId;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Effect;
use crate::body::{AnalysedBody, Bodies, BodyFacts};
use crate::events::{Event, How, Target};
use crate::grow::grow;
use crate::guards::HeldLock;
use crate::kept::{Found, FunctionKey, KeptEffect, KeptStep, KeptSummary, SummaryStore};
use crate::nodes::{Node, Nodes};
use crate::part::PartCalls;
use crate::reach::Reach;
use crate::region::{RegionId, RegionKind};
use crate::resolve::{ResolvedCatalog, SinkEntry};
use crate::roles::{Role, Roles};

/// The effects of a whole program.
pub struct Effects {
    pub catalog: ResolvedCatalog,
    bodies: Bodies,
    nodes: Nodes,
    roles: Roles,
    pub(crate) reach: Reach,
    pub(crate) parts: PartCalls,
}

/// A call in an async context whose evaluation blocks.
#[derive(Clone, Debug)]
pub struct BlockingCall {
    pub owner: DefId,
    pub place: Place,
    pub effect: Effect,
    pub confidence: Confidence,
    /// The callee as people write it.
    pub callee: String,
    /// The dependency, with its version, whose own code blocks; `None` for the program's functions and for sinks.
    pub package: Option<String>,
    pub how: How,
    /// The static whose first use this is, or leads to.
    pub first_use: Option<DefId>,
    /// From the callee down to the sink; empty where the callee is the sink.
    pub chain: Vec<ChainStep>,
    /// What the sink is.
    pub sink: SinkEntry,
    /// The sink as people write it.
    pub sink_name: String,
    pub role: Role,
    /// A lock that is held meanwhile.
    pub held: Option<HeldLock>,
    /// The call.
    expr: ExprId,
}

/// `caller` calls `callee` at a place.
#[derive(Clone, Debug)]
pub struct ChainStep {
    pub caller: String,
    /// The dependency that the caller is of, with its version.
    pub package: Option<String>,
    pub callee: String,
    pub place: Place,
}

/// From a node down to a sink.
#[derive(Default)]
struct Way {
    steps: Vec<Link>,
    /// The sink and its name.
    sink: Option<(SinkEntry, String)>,
    /// The first static on the way.
    first_use: Option<DefId>,
}

/// A call in a function.
struct Link {
    owner: DefId,
    callee: String,
    span: Span,
}

impl Effects {
    /// The effects of the analysed bodies. What is found of dependencies on the way goes into `store`.
    pub fn new(
        program: &Program<'_>,
        mut catalog: ResolvedCatalog,
        bodies: Vec<AnalysedBody>,
        store: &dyn SummaryStore,
    ) -> Effects {
        let bodies = Bodies::new(bodies);
        let (mut nodes, functions) = grow(program, &mut catalog, &bodies, store);
        let roles = Roles::new(program, functions);
        nodes.propagate(&catalog);
        let effects = Effects { catalog, bodies, nodes, roles, reach: Reach::default(), parts: PartCalls::default() };
        effects.keep(program, store);
        effects
    }

    /// Keeps what this run found of dependencies.
    fn keep(&self, program: &Program<'_>, store: &dyn SummaryStore) {
        if self.nodes.is_cut {
            return;
        }
        let mut found: FxHashMap<CrateId, Found> = FxHashMap::default();
        for (def, list, first) in &self.nodes.new {
            let Some(key) = FunctionKey::new(program, *def, *list) else { continue };
            let of = |node: u32| {
                Effect::ALL.into_iter().filter_map(|effect| self.kept_effect(program, node as usize, effect)).collect()
            };
            let future = first.and_then(|first| self.nodes.futures.get(&first));
            let summary = KeptSummary {
                own: first.map(of).unwrap_or_default(),
                future: future.copied().map(of).unwrap_or_default(),
                is_sensitive: self.nodes.sensitive.contains(def),
            };
            found.entry(def.krate).or_default().functions.push((key, summary));
        }
        for ((def, at), runs) in self.bodies.new_parameters() {
            found.entry(def.krate).or_default().parameters.push(((def.index, at as u32), runs));
        }
        found.into_par_iter().for_each(|(krate, found)| {
            if let Some(bytes) = program.lasting_name(krate).and_then(|_| self.bodies.kept.with(krate, found)) {
                store.keep(krate, bytes);
            }
        });
    }

    fn kept_effect(&self, program: &Program<'_>, node: usize, effect: Effect) -> Option<KeptEffect> {
        let witness = self.nodes.all[node].witness(effect)?;
        let links = self.links(program, node, effect);
        let (sink, sink_name) = links.sink?;
        let steps = links.steps.into_iter().map(|link| KeptStep::new(program, link.owner, link.callee, link.span));
        let steps = steps.collect::<Option<Vec<KeptStep>>>()?;
        Some(KeptEffect { effect, confidence: witness.confidence, depth: witness.depth, steps, sink, sink_name })
    }

    pub fn inferred(&self, owner: DefId) -> Option<&Inferred> {
        self.bodies.member(owner).map(|facts| &facts.inferred)
    }

    /// The regions whose code runs while a task is polled.
    pub(crate) fn contexts(&self) -> impl Iterator<Item = RegionId> + '_ {
        self.nodes.all.iter().filter(|node| node.is_context).map(|node| node.region)
    }

    /// The analysed functions, constants and statics, in the order of crates and sources.
    pub fn owners(&self) -> Vec<DefId> {
        let mut owners: Vec<DefId> = self.bodies.members().map(|facts| facts.inferred.owner).collect();
        owners.sort();
        owners
    }

    pub(crate) fn facts(&self, owner: DefId) -> Option<&BodyFacts> {
        self.bodies.member(owner)
    }

    /// Every call in an async context that blocks, in the order of the sources.
    pub fn blocking_calls(&self, program: &Program<'_>) -> Vec<BlockingCall> {
        let mut found = Vec::new();
        for node in self.nodes.all.iter().filter(|node| node.is_context) {
            for (event, reached) in node.events.iter().zip(&node.reached) {
                self.blocking_event(program, node, event, reached, &mut found);
            }
        }
        self.keep_first_uses(program, &mut found);
        self.add_held_locks(program, &mut found);
        found
    }

    fn add_held_locks(&self, program: &Program<'_>, found: &mut [BlockingCall]) {
        for of_owner in found.chunk_by_mut(|left, right| left.owner == right.owner) {
            let Some(owner) = of_owner.first().map(|call| call.owner) else { continue };
            let locks = self.locks_over(program, owner, of_owner.iter().map(|call| call.expr).collect());
            of_owner.iter_mut().for_each(|call| call.held = locks.get(&call.expr).cloned());
        }
    }

    /// A static makes its value once: one finding is enough, and none where start-up has used it already.
    fn keep_first_uses(&self, program: &Program<'_>, found: &mut Vec<BlockingCall>) {
        let events = || self.nodes.all.iter().flat_map(|node| node.events.iter().map(|event| (node.region.owner, event)));
        let used_early: FxHashSet<DefId> = events()
            .filter_map(|(owner, event)| Some((owner, event.at.expr, event.callee?.used()?)))
            .filter(|(owner, expr, _)| self.roles.of(program, *owner, *expr) == Role::Startup)
            .map(|(.., used)| used)
            .collect();
        let mut seen = FxHashSet::default();
        found.retain(|call| call.first_use.is_none_or(|used| !used_early.contains(&used) && seen.insert((used, call.effect))));
    }

    /// What the chosen events of a region do that blocks, in a context or not.
    pub(crate) fn blocking_at(
        &self,
        program: &Program<'_>,
        region: RegionId,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Vec<BlockingCall> {
        let mut found = Vec::new();
        let Some(node) = self.nodes.of(region).map(|at| &self.nodes.all[at as usize]) else { return found };
        for (event, reached) in node.events.iter().zip(&node.reached).filter(|(event, _)| is_wanted(event)) {
            self.blocking_event(program, node, event, reached, &mut found);
        }
        found
    }

    pub(crate) fn is_context(&self, region: RegionId) -> bool {
        self.nodes.of(region).is_some_and(|at| self.nodes.all[at as usize].is_context)
    }

    pub(crate) fn role(&self, program: &Program<'_>, owner: DefId, expr: ExprId) -> Role {
        self.roles.of(program, owner, expr)
    }

    /// What a body runs in a range of its file without calling it: the region, the place, how and what.
    pub(crate) fn uncalled_in(&self, owner: DefId, range: &Range<u32>) -> Vec<(u32, Span, How, DefId)> {
        let Some(first) = self.nodes.of(RegionId { owner, index: 0 }) else { return Vec::new() };
        let of_body = self.nodes.all[first as usize..].iter().take_while(|node| node.region.owner == owner);
        let events = of_body.flat_map(|node| node.events.iter().map(|event| (node.region.index, event)));
        let here = events.filter(|(_, event)| range.contains(&event.at.span.start));
        here.filter_map(|(region, event)| event.callee.map(|callee| (region, event.at.span, callee.how(), callee.def())))
            .filter(|(_, _, how, _)| *how != How::Call)
            .collect()
    }

    pub(crate) fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    fn blocking_event(&self, program: &Program<'_>, node: &Node, event: &Event, reached: &[u32], found: &mut Vec<BlockingCall>) {
        let owner = node.region.owner;
        let place = self.place(program, owner, event.at.span);
        let used = event.callee.and_then(|callee| callee.used());
        let mut push = |effect: Effect, confidence: Confidence, Way { steps, sink, first_use }: Way| {
            let Some((sink, sink_name)) = sink else { return };
            let chain = steps.into_iter().map(|link| ChainStep {
                caller: display(program, link.owner),
                package: package(program, link.owner.krate),
                callee: link.callee,
                place: self.place(program, link.owner, link.span),
            });
            found.push(BlockingCall {
                owner,
                place,
                effect,
                confidence,
                callee: self.callee(program, event),
                package: event.callee.and_then(|callee| package(program, callee.target().krate)).filter(|_| !reached.is_empty()),
                how: event.callee.map_or(How::Call, |callee| callee.how()),
                first_use: used.or(first_use),
                chain: chain.collect(),
                sink,
                sink_name,
                role: self.roles.of(program, owner, event.at.expr),
                held: None,
                expr: event.at.expr,
            });
        };
        match &event.target {
            Target::Sink(entry) => {
                let entry = self.catalog.entries[*entry].clone();
                let sink = (entry, self.callee(program, event));
                push(sink.0.effect, event.confidence, Way { sink: Some(sink), ..Way::default() });
            }
            Target::Inline(_) => {}
            Target::Functions(_) => {
                for effect in Effect::ALL {
                    let nodes = reached.iter().enumerate();
                    let witnesses = nodes.filter_map(|(at, node)| Some((self.nodes.all[*node as usize].witness(effect)?, at)));
                    let best = witnesses.max_by_key(|(witness, at)| (witness.confidence, Reverse(witness.depth), Reverse(*at)));
                    if let Some((witness, at)) = best {
                        let way = self.links(program, reached[at] as usize, effect);
                        push(effect, witness.confidence.min(event.confidence), way);
                    }
                }
            }
        }
    }

    fn callee(&self, program: &Program<'_>, event: &Event) -> String {
        event.callee.map(|callee| callee.display(program, &self.catalog)).unwrap_or_default()
    }

    fn links(&self, program: &Program<'_>, mut at: usize, effect: Effect) -> Way {
        let mut way = Way::default();
        while let Some(witness) = self.nodes.all[at].witness(effect) {
            let node = &self.nodes.all[at];
            if let Some(kept) = node.kept.get(witness.event as usize).filter(|kept| kept.effect == effect) {
                let links = kept
                    .steps
                    .iter()
                    .filter_map(|step| Some(Link { owner: step.owner(program)?, callee: step.callee.clone(), span: step.span }));
                way.steps.extend(links);
                return Way { sink: Some((kept.sink.clone(), kept.sink_name.clone())), ..way };
            }
            let event = &node.events[witness.event as usize];
            if !matches!(event.target, Target::Inline(_)) {
                way.first_use = way.first_use.or(event.callee.and_then(|callee| callee.used()));
                way.steps.push(Link { owner: node.region.owner, callee: self.callee(program, event), span: event.at.span });
            }
            match (&event.target, witness.next) {
                (Target::Sink(entry), _) => {
                    let sink = (self.catalog.entries[*entry].clone(), self.callee(program, event));
                    return Way { sink: Some(sink), ..way };
                }
                (_, Some(next)) if way.steps.len() < 1_000 => at = next as usize,
                _ => break,
            }
        }
        way
    }

    fn place(&self, program: &Program<'_>, owner: DefId, span: Span) -> Place {
        let file: FileId = program.real_file(owner.krate, program.def(owner).file);
        Place { file, span }
    }

    /// The regions of a body: what each is, whether it is an async context, and the effects of its own code.
    pub fn regions(&self, owner: DefId) -> Vec<(RegionId, RegionKind, bool, Vec<Effect>)> {
        let Some(facts) = self.bodies.member(owner) else { return Vec::new() };
        let of = |index: usize| {
            let region = RegionId { owner, index: index as u32 };
            let node = &self.nodes.all[self.nodes.of(region)? as usize];
            let effects = Effect::ALL.into_iter().filter(|e| node.witness(*e).is_some()).collect();
            Some((region, facts.regions.regions[index].kind, node.is_context, effects))
        };
        (0..facts.regions.regions.len()).filter_map(of).collect()
    }

    /// Where a region starts.
    pub fn region_span(&self, program: &Program<'_>, region: RegionId) -> Option<Span> {
        let facts = self.bodies.member(region.owner)?;
        let expr = facts.regions.regions.get(region.index as usize)?.expr;
        Some(program.body(region.owner)?.exprs[expr].span)
    }
}

/// A dependency as people name it, with its version.
fn package(program: &Program<'_>, krate: CrateId) -> Option<String> {
    let node = program.node(krate);
    let version = node.version.as_deref().filter(|_| !node.is_member)?;
    Some(format!("{} {version}", node.known_as))
}

/// A function as people write it: `Type::method`, `module::function`.
pub(crate) fn display(program: &Program<'_>, def: DefId) -> String {
    if let Some(holder) = program.container(def) {
        let of = match program.kind(holder) {
            DefKind::Impl => program.impl_self_ty(holder).head_name(program),
            _ => program.name(holder).to_string(),
        };
        return format!("{of}::{}", program.name(def));
    }
    let path = program.path_of(def);
    let segments: Vec<&str> = path.split("::").collect();
    match segments.as_slice() {
        [_, rest @ ..] if !program.is_std(def.krate) && program.node(def.krate).is_member => {
            rest[rest.len().saturating_sub(2)..].join("::")
        }
        _ => path,
    }
}
