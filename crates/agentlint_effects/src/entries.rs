//! Where work comes into a program: routes with their paths, spawned tasks, tools that a model calls.
//!
//! A route's path is put together by walking from where its handler is named up through the calls that the router goes into: each
//! adds the path that it is given, and where a function gives the router back, the walk goes on at its callers.

use std::fmt;

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::TyKind;
use agentlint_syntax::ast::{AttributeArguments, Body, ExprId, ExprKind, Literal};
use rustc_hash::FxHashMap;

use crate::body::{Bodies, BodyFacts};
use crate::region::RegionId;
use crate::resolve::{ResolvedCatalog, Start};
use crate::summary::display;

/// Where work comes in. Routes come first where several are named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    Route {
        path: String,
        /// In capitals; empty for any.
        method: String,
    },
    Tool(String),
    /// A task that this function spawns.
    Task(String),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Route { path, method } if method.is_empty() => write!(f, "`{path}`"),
            Entry::Route { path, method } => write!(f, "`{method} {path}`"),
            Entry::Tool(name) => write!(f, "the tool `{name}`"),
            Entry::Task(spawner) => write!(f, "a task spawned in `{spawner}`"),
        }
    }
}

/// What a function has to do with routes: see `[[route]]` in the catalog.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RouteRole {
    pub(crate) handler: Option<usize>,
    pub(crate) path: Option<usize>,
}

const METHODS: [&str; 9] = ["get", "post", "put", "delete", "patch", "head", "options", "trace", "connect"];
/// Longer ways of a router are not followed.
const DEEPEST: u32 = 48;
/// A handler that more places serve than this is named with those.
const MOST_PATHS: usize = 16;
/// The steps that the walk from one handler may take: callers may call each other in any number of ways.
const MOST_STEPS: u32 = 10_000;

/// A walk from one handler up to where its paths are known.
struct Walk {
    paths: Vec<String>,
    left: u32,
}

impl Walk {
    fn new() -> Walk {
        Walk { paths: Vec::new(), left: MOST_STEPS }
    }
}

/// The entries of the members, by the code that they run; and the expressions that name a handler, which call nothing.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) by_region: FxHashMap<RegionId, Vec<Entry>>,
    pub(crate) handlers: Vec<(DefId, ExprId)>,
    /// Where a handler goes into a router, by the code that it runs.
    pub(crate) routed: FxHashMap<RegionId, Vec<(DefId, ExprId)>>,
}

impl Entries {
    pub(crate) fn new(program: &Program<'_>, catalog: &ResolvedCatalog, bodies: &Bodies) -> Entries {
        let mut finder = Finder { program, catalog, bodies, callers: FxHashMap::default(), found: Entries::default() };
        let mut all: Vec<&BodyFacts> = bodies.members().collect();
        all.sort_unstable_by_key(|facts| facts.inferred.owner);
        for facts in &all {
            for call in &facts.inferred.calls {
                let Callee::Function { def, implementation, .. } = call.callee else { continue };
                finder.callers.entry(implementation.unwrap_or(def)).or_default().push((facts.inferred.owner, call.expr));
            }
        }
        for facts in &all {
            finder.calls(facts);
            finder.attributes(facts);
        }
        for entries in finder.found.by_region.values_mut() {
            entries.sort_unstable();
            entries.dedup();
        }
        finder.found.handlers.sort_unstable();
        finder.found
    }
}

struct Finder<'a, 'l> {
    program: &'a Program<'l>,
    catalog: &'a ResolvedCatalog,
    bodies: &'a Bodies,
    callers: FxHashMap<DefId, Vec<(DefId, ExprId)>>,
    found: Entries,
}

impl Finder<'_, '_> {
    fn calls(&mut self, facts: &BodyFacts) {
        let owner = facts.inferred.owner;
        let Some(body) = self.program.body(owner) else { return };
        for call in &facts.inferred.calls {
            let Callee::Function { def, implementation, .. } = call.callee else { continue };
            let start = self.catalog.start(def).or_else(|| self.catalog.start(implementation?));
            if start == Some(Start::Beside) {
                for argument in &call.arguments {
                    if let Some(region) = self.runs(facts, body, *argument) {
                        self.add(region, Entry::Task(display(self.program, owner)));
                    }
                }
            }
            let Some(RouteRole { handler: Some(at), .. }) = self.role(def, implementation) else { continue };
            let Some(handler) = call.arguments.get(at) else { continue };
            self.found.handlers.push((owner, *handler));
            let Some(region) = self.runs(facts, body, *handler) else { continue };
            self.found.routed.entry(region).or_default().push((owner, call.expr));
            let method = self.method(facts, body, call.expr);
            let mut walk = Walk::new();
            self.paths(facts, call.expr, String::new(), 0, &mut walk);
            for path in walk.paths {
                self.add(region, Entry::Route { path, method: method.clone() });
            }
        }
    }

    /// `#[get("/path")]` on a handler, `#[tool]`, and `call` of a trait `Tool`.
    fn attributes(&mut self, facts: &BodyFacts) {
        let owner = facts.inferred.owner;
        let region = RegionId { owner, index: 0 };
        let Some(item) = self.program.item(owner).filter(|_| self.program.kind(owner) == DefKind::Function) else { return };
        for attribute in &item.attributes {
            let last = attribute.path.rsplit("::").next().unwrap_or_default();
            match &attribute.arguments {
                AttributeArguments::Tokens { text, .. } if METHODS.contains(&last) => {
                    let Some(path) = literal(text).filter(|path| path.starts_with('/')) else { continue };
                    let paths = self.mounted(owner, &path);
                    let method = last.to_uppercase();
                    paths.into_iter().for_each(|path| self.add(region, Entry::Route { path, method: method.clone() }));
                }
                _ if last == "tool" => self.add(region, Entry::Tool(item.name.to_string())),
                _ => {}
            }
        }
        let of_tool = self.program.container(owner).and_then(|holder| {
            let trait_def = self.program.impl_trait_ref(holder)?.trait_def;
            (self.program.name(trait_def) == "Tool").then_some(holder)
        });
        if let Some(holder) = of_tool.filter(|_| item.name == "call") {
            self.add(region, Entry::Tool(self.program.impl_self_ty(holder).head_name(self.program)));
        }
    }

    /// The paths of a handler that has a path of its own, where it is named to a router.
    fn mounted(&mut self, handler: DefId, path: &str) -> Vec<String> {
        let mut walk = Walk::new();
        let mut named = Vec::new();
        for facts in self.bodies.members() {
            let here = facts.inferred.paths.iter().filter(|(_, def, _)| *def == handler);
            named.extend(here.map(|(expr, ..)| (facts.inferred.owner, *expr)));
        }
        named.sort_unstable();
        for (owner, expr) in named {
            if let Some(facts) = self.bodies.member(owner) {
                self.found.handlers.push((owner, expr));
                self.found.routed.entry(RegionId { owner: handler, index: 0 }).or_default().push((owner, expr));
                self.paths(facts, expr, path.to_owned(), 0, &mut walk);
            }
        }
        if walk.paths.is_empty() {
            walk.paths.push(path.to_owned());
        }
        walk.paths
    }

    fn add(&mut self, region: RegionId, entry: Entry) {
        self.found.by_region.entry(region).or_default().push(entry);
    }

    fn role(&self, def: DefId, implementation: Option<DefId>) -> Option<RouteRole> {
        self.catalog.route(def).or_else(|| self.catalog.route(implementation?))
    }

    /// The code that a handler, or a future that is spawned, runs.
    fn runs(&self, facts: &BodyFacts, body: &Body, expr: ExprId) -> Option<RegionId> {
        let owner = facts.inferred.owner;
        match &body.exprs[expr].kind {
            ExprKind::Closure { .. } | ExprKind::Async { .. } => {
                Some(RegionId { owner, index: *facts.regions.by_expr.get(&expr)? })
            }
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } => match facts.call(expr)?.callee {
                Callee::Function { def, implementation, .. } => self.member(implementation.unwrap_or(def)),
                _ => None,
            },
            ExprKind::Path(_) => match *facts.inferred.types[expr].kind() {
                TyKind::FnDef(def, list) => self.member(self.program.implementation(def, list).unwrap_or(def)),
                _ => self.runs(facts, body, facts.initialiser(facts.inferred.local(expr)?)?),
            },
            _ => None,
        }
    }

    fn member(&self, def: DefId) -> Option<RegionId> {
        self.bodies.member(def).map(|_| RegionId { owner: def, index: 0 })
    }

    /// The method that a call, or what it is called on, names.
    fn method(&self, facts: &BodyFacts, body: &Body, mut call: ExprId) -> String {
        for _ in 0..DEEPEST {
            let Some(found) = facts.call(call) else { break };
            let Callee::Function { def, implementation, .. } = found.callee else { break };
            let name = found.name.as_str();
            if METHODS.contains(&name) && self.role(def, implementation).is_some() {
                return name.to_uppercase();
            }
            match &body.exprs[call].kind {
                ExprKind::MethodCall { receiver, .. } => call = *receiver,
                _ => break,
            }
        }
        String::new()
    }

    /// Walks up from an expression, with the path so far.
    fn paths(&self, facts: &BodyFacts, mut at: ExprId, mut path: String, mut depth: u32, walk: &mut Walk) {
        let owner = facts.inferred.owner;
        let Some(body) = self.program.body(owner) else { return };
        while depth < DEEPEST && walk.left > 0 && walk.paths.len() < MOST_PATHS {
            depth += 1;
            walk.left -= 1;
            if let Some(uses) = facts.uses_of(at).filter(|uses| !uses.is_empty()) {
                return uses.iter().for_each(|used| self.paths(facts, *used, path.clone(), depth, walk));
            }
            let Some(parent) = facts.parent(at) else {
                // The function gives the router back.
                let callers = self.callers.get(&owner).map_or(&[][..], Vec::as_slice);
                for (caller, call) in callers {
                    if let Some(facts) = self.bodies.member(*caller) {
                        self.paths(facts, *call, path.clone(), depth, walk);
                    }
                }
                if callers.is_empty() && !path.is_empty() {
                    walk.paths.push(path);
                }
                return;
            };
            if let Some(call) = facts.call(parent).filter(|_| !self.is_receiver(body, parent, at))
                && let Callee::Function { def, implementation, .. } = call.callee
            {
                let before = self.chain_path(facts, body, parent);
                let own = self.role(def, implementation).and_then(|role| self.literal(body, *call.arguments.get(role.path?)?));
                path = join(&before, &join(&own.unwrap_or_default(), &path));
            }
            at = parent;
        }
        if !path.is_empty() {
            walk.paths.push(path);
        }
    }

    fn is_receiver(&self, body: &Body, parent: ExprId, at: ExprId) -> bool {
        matches!(body.exprs[parent].kind, ExprKind::MethodCall { receiver, .. } if receiver == at)
    }

    /// The path that the call begins with that others are chained to: `web::scope("/api").service(..)`.
    fn chain_path(&self, facts: &BodyFacts, body: &Body, mut call: ExprId) -> String {
        for _ in 0..DEEPEST {
            match &body.exprs[call].kind {
                ExprKind::MethodCall { receiver, .. } => call = *receiver,
                ExprKind::Call { arguments, .. } => {
                    let Some(Callee::Function { def, implementation, .. }) = facts.call(call).map(|call| call.callee) else {
                        break;
                    };
                    let at = self.role(def, implementation).and_then(|role| role.path);
                    let argument = at.and_then(|at| arguments.get(at));
                    return argument.and_then(|argument| self.literal(body, *argument)).unwrap_or_default();
                }
                _ => break,
            }
        }
        String::new()
    }

    fn literal(&self, body: &Body, expr: ExprId) -> Option<String> {
        match &body.exprs[expr].kind {
            ExprKind::Literal(Literal::Str(text)) => Some(text.clone()),
            ExprKind::Reference { operand, .. } => self.literal(body, *operand),
            ExprKind::MethodCall { receiver, .. } => self.literal(body, *receiver),
            _ => None,
        }
    }
}

/// `/api` and `/x` are `/api/x`, and what ends in a slash has one of them too many, but for `/` alone.
fn join(front: &str, back: &str) -> String {
    match (front, back) {
        ("/", "") => "/".to_owned(),
        ("" | "/", back) => back.to_owned(),
        (front, "" | "/") => front.to_owned(),
        _ => format!("{}/{}", front.trim_end_matches('/'), back.trim_start_matches('/')),
    }
}

/// The first string literal of an attribute's tokens.
fn literal(tokens: &str) -> Option<String> {
    let (_, rest) = tokens.split_once('"')?;
    rest.split_once('"').map(|(text, _)| text.to_owned())
}
