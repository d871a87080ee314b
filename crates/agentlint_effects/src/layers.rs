//! The layers that stand over a route: from where its handler goes into a router up to where the router is served.

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_syntax::ast::{ExprId, ExprKind};
use rustc_hash::FxHashSet;

use crate::Effects;
use crate::body::BodyFacts;
use crate::part::Part;
use crate::region::RegionId;
use crate::view::BodyView;

/// What stands over the routes that run a piece of code.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The expressions of the layers, each in the body that it stands in, in no order.
    pub all: Vec<(DefId, ExprId)>,
    /// Whether a route was found at all.
    pub is_routed: bool,
}

/// The steps that one walk may take.
const MOST_STEPS: u32 = 10_000;
/// Longer chains of a stack of layers are not followed.
const LONGEST: u32 = 64;

impl Effects {
    /// The layers over the routes whose handlers run the region.
    pub fn layers_over(&self, program: &Program<'_>, region: RegionId) -> Layers {
        let routed = self.routed(program, region);
        let mut walk = Walk {
            effects: self,
            program,
            seen: FxHashSet::default(),
            left: MOST_STEPS,
            layers: Layers { all: Vec::new(), is_routed: !routed.is_empty() },
        };
        for (owner, call) in routed {
            walk.up(owner, call);
        }
        walk.layers.all.sort_unstable();
        walk.layers.all.dedup();
        walk.layers
    }
}

struct Walk<'a, 'l> {
    effects: &'a Effects,
    program: &'a Program<'l>,
    seen: FxHashSet<(DefId, ExprId)>,
    left: u32,
    layers: Layers,
}

impl Walk<'_, '_> {
    /// From a router's expression on: all that it becomes a part of.
    fn up(&mut self, owner: DefId, at: ExprId) {
        let mut open = vec![(owner, at)];
        while let Some((owner, at)) = open.pop() {
            if self.left == 0 || !self.seen.insert((owner, at)) {
                continue;
            }
            self.left -= 1;
            let Some(facts) = self.effects.facts(owner) else { continue };
            if let Some(uses) = facts.uses_of(at).filter(|uses| !uses.is_empty()) {
                open.extend(uses.iter().map(|used| (owner, *used)));
                continue;
            }
            match facts.parent(at) {
                Some(parent) => {
                    self.pass(facts, parent, at);
                    open.push((owner, parent));
                }
                // The function gives the router back.
                None => open.extend(self.calls_of(owner)),
            }
        }
    }

    /// Whether the router goes through a layer on its way from `at` to `parent`.
    fn pass(&mut self, facts: &BodyFacts, parent: ExprId, at: ExprId) {
        let owner = facts.inferred.owner;
        let Some(body) = self.program.body(owner) else { return };
        let Some(call) = facts.call(parent) else { return };
        let part = self.effects.part_of(&call.callee);
        match &body.exprs[parent].kind {
            ExprKind::MethodCall { receiver, arguments, .. } if *receiver == at && part == Some(Part::Layer) => {
                self.layers.all.extend(arguments.iter().map(|layer| (owner, *layer)));
            }
            ExprKind::MethodCall { receiver, .. } if *receiver == at => {}
            // `ServiceBuilder::new().layer(..).service(router)`, `layer.layer(router)`
            ExprKind::MethodCall { receiver, .. } => {
                self.stack(facts, *receiver);
                if part == Some(Part::LayerStack) {
                    self.layers.all.push((owner, *receiver));
                }
            }
            _ => {}
        }
        // A function of the program that puts layers around what it is given.
        let Some(target) = BodyView::target(call).filter(|target| self.program.node(target.krate).is_member) else { return };
        let Some(inside) = self.effects.facts(target) else { return };
        for call in &inside.inferred.calls {
            if self.effects.part_of(&call.callee) == Some(Part::Layer) {
                self.layers.all.extend(call.arguments.iter().map(|layer| (target, *layer)));
            }
        }
    }

    /// The layers that a stack is chained of.
    fn stack(&mut self, facts: &BodyFacts, mut at: ExprId) {
        let owner = facts.inferred.owner;
        let Some(body) = self.program.body(owner) else { return };
        for _ in 0..LONGEST {
            let ExprKind::MethodCall { receiver, arguments, .. } = &body.exprs[at].kind else { break };
            if facts.call(at).is_some_and(|call| self.effects.part_of(&call.callee) == Some(Part::LayerStack)) {
                self.layers.all.extend(arguments.iter().map(|layer| (owner, *layer)));
            }
            at = *receiver;
        }
    }

    /// The calls of a function.
    fn calls_of(&self, function: DefId) -> Vec<(DefId, ExprId)> {
        let mut calls = Vec::new();
        for caller in self.effects.callers_of(self.program, function) {
            let Some(facts) = self.effects.facts(caller.owner) else { continue };
            let here = facts.regions.regions.get(caller.index as usize).into_iter().flat_map(|region| &region.calls);
            let here = here.filter_map(|at| facts.inferred.calls.get(*at as usize));
            calls.extend(here.filter(|call| BodyView::target(call) == Some(function)).map(|call| (caller.owner, call.expr)));
        }
        calls
    }
}
