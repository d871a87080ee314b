//! Summaries: which effects a call of a function has, each with the shortest chain to a sink, and the blocking calls that follow.

use std::ops::Range;

use agentlint_diagnostics::{Confidence, FileId};
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind, Place};
use agentlint_semantic::infer::Inferred;
use agentlint_syntax::Span;
use agentlint_syntax::ast::ExprId;
use rustc_hash::FxHashSet;

use crate::Effect;
use crate::body::{AnalysedBody, Bodies, BodyFacts};
use crate::events::{Event, How, Target};
use crate::nodes::{Node, Nodes};
use crate::region::{RegionId, RegionKind};
use crate::resolve::{ResolvedCatalog, SinkEntry};
use crate::roles::{Role, Roles};

/// The effects of a whole program.
pub struct Effects {
    pub catalog: ResolvedCatalog,
    bodies: Bodies,
    nodes: Nodes,
    roles: Roles,
}

/// The next step of the shortest chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Witness {
    event: u32,
    /// The node that the event leads to; none at a sink.
    next: Option<u32>,
    confidence: Confidence,
}

/// A call of a sink.
#[derive(Clone, Copy)]
struct Sink {
    node: usize,
    event: u32,
    effect: Effect,
    confidence: Confidence,
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
}

/// `caller` calls `callee` at a place.
#[derive(Clone, Debug)]
pub struct ChainStep {
    pub caller: String,
    pub callee: String,
    pub place: Place,
}

/// From a node down to a sink.
#[derive(Default)]
struct Way {
    steps: Vec<ChainStep>,
    entry: Option<usize>,
    sink_name: String,
    /// The first static on the way.
    first_use: Option<DefId>,
}

impl Effects {
    /// The effects of the analysed bodies.
    pub fn new(program: &Program<'_>, mut catalog: ResolvedCatalog, bodies: Vec<AnalysedBody>) -> Effects {
        let bodies = Bodies::new(bodies);
        let (nodes, functions) = Nodes::new(program, &mut catalog, &bodies);
        let roles = Roles::new(program, functions);
        let mut effects = Effects { catalog, bodies, nodes, roles };
        effects.propagate();
        effects
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

    /// The least fixpoint, one effect after the other: level by level from the sinks upwards, so that the first witness found is
    /// the shortest; surer chains first.
    fn propagate(&mut self) {
        let sinks = self.sinks();
        if sinks.is_empty() {
            return;
        }
        let callers = self.callers();
        for effect in Effect::ALL {
            let of_effect = || sinks.iter().filter(|sink| sink.effect == effect);
            if of_effect().next().is_none() {
                continue;
            }
            // What surer tiers found is where weaker edges start.
            let mut reached: Vec<usize> = Vec::new();
            for tier in [Confidence::Certain, Confidence::Likely, Confidence::Possible] {
                let mut level = std::mem::take(&mut reached);
                for Sink { node, event, confidence, .. } in of_effect().copied() {
                    let node_data = &mut self.nodes.all[node];
                    if confidence >= tier && node_data.witness(effect).is_none() {
                        node_data.witnesses.push((effect, Witness { event, next: None, confidence: tier }));
                        level.push(node);
                    }
                }
                level.sort_unstable();
                while !level.is_empty() {
                    let mut next = Vec::new();
                    for at in &level {
                        for (caller, event) in &callers[*at] {
                            let node = &mut self.nodes.all[*caller];
                            if node.events[*event].confidence >= tier && node.witness(effect).is_none() {
                                let witness = Witness { event: *event as u32, next: Some(*at as u32), confidence: tier };
                                node.witnesses.push((effect, witness));
                                next.push(*caller);
                            }
                        }
                    }
                    reached.append(&mut level);
                    next.sort_unstable();
                    level = next;
                }
            }
        }
    }

    /// The calls of sinks, in the order of the sources.
    fn sinks(&self) -> Vec<Sink> {
        let mut sinks = Vec::new();
        for (node, data) in self.nodes.all.iter().enumerate() {
            for (event, Event { target, confidence, .. }) in data.events.iter().enumerate() {
                if let Target::Sink(entry) = *target {
                    let effect = self.catalog.entries[entry].effect;
                    sinks.push(Sink { node, event: event as u32, effect, confidence: *confidence });
                }
            }
        }
        sinks
    }

    /// For each node, the nodes and events that lead to it.
    fn callers(&self) -> Vec<Vec<(usize, usize)>> {
        let mut callers = vec![Vec::new(); self.nodes.all.len()];
        for (at, node) in self.nodes.all.iter().enumerate() {
            for (event_at, reached) in node.reached.iter().enumerate() {
                for reached in reached {
                    callers[*reached as usize].push((at, event_at));
                }
            }
        }
        callers
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
        found
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
        let mut push =
            |effect: Effect, confidence: Confidence, Way { steps: chain, sink_name, first_use, .. }: Way, entry: usize| {
                let first_use = used.or(first_use);
                found.push(BlockingCall {
                    owner,
                    place,
                    effect,
                    confidence,
                    callee: self.callee(program, event),
                    how: event.callee.map_or(How::Call, |callee| callee.how()),
                    first_use,
                    chain,
                    sink: self.catalog.entries[entry].clone(),
                    sink_name,
                    role: self.roles.of(program, owner, event.at.expr),
                });
            };
        match &event.target {
            Target::Sink(entry) => {
                let effect = self.catalog.entries[*entry].effect;
                let way = Way { sink_name: self.callee(program, event), ..Way::default() };
                push(effect, event.confidence, way, *entry);
            }
            Target::Inline(_) => {}
            Target::Functions(_) => {
                for effect in Effect::ALL {
                    let best = reached
                        .iter()
                        .map(|at| *at as usize)
                        .filter_map(|at| Some((self.nodes.all[at].witness(effect)?.confidence, at)))
                        .max_by_key(|(confidence, at)| (*confidence, std::cmp::Reverse(*at)));
                    let Some((confidence, at)) = best else { continue };
                    let way = self.chain(program, at, effect);
                    let Some(entry) = way.entry else { continue };
                    push(effect, confidence.min(event.confidence), way, entry);
                }
            }
        }
    }

    fn callee(&self, program: &Program<'_>, event: &Event) -> String {
        event.callee.map(|callee| callee.display(program, &self.catalog)).unwrap_or_default()
    }

    fn chain(&self, program: &Program<'_>, mut at: usize, effect: Effect) -> Way {
        let mut way = Way::default();
        while let Some(witness) = self.nodes.all[at].witness(effect) {
            let node = &self.nodes.all[at];
            let event = &node.events[witness.event as usize];
            if !matches!(event.target, Target::Inline(_)) {
                way.first_use = way.first_use.or(event.callee.and_then(|callee| callee.used()));
                way.steps.push(ChainStep {
                    caller: display(program, node.region.owner),
                    callee: self.callee(program, event),
                    place: self.place(program, node.region.owner, event.at.span),
                });
            }
            match (&event.target, witness.next) {
                (Target::Sink(entry), _) => {
                    return Way { entry: Some(*entry), sink_name: self.callee(program, event), ..way };
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
