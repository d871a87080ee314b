//! From the catalog's public paths to definitions of the program at hand.

use std::sync::Arc;

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::input::CrateId;
use agentlint_semantic::types::{Head, Ty, TyKind};
use agentlint_syntax::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::Effect;
use crate::catalog::{Catalog, GuardKind, LimitKind, Sink, Subject, ThreadKind, UsesIo};
use crate::entries::RouteRole;
use crate::part::Part;
use crate::resolver::Resolver;

/// A function as it is called.
#[derive(Clone, Copy)]
pub(crate) struct Called<'a> {
    pub(crate) def: DefId,
    pub(crate) implementation: Option<DefId>,
    /// Its generic arguments.
    pub(crate) list: &'a [Ty],
    /// The types of the call's arguments; empty where it is passed on by name.
    pub(crate) values: &'a [Ty],
    pub(crate) receiver: Option<Ty>,
}

/// What is known of a sink.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SinkEntry {
    pub effect: Effect,
    #[serde(with = "crate::kept::certainty")]
    pub confidence: Confidence,
    pub instead: String,
    pub advice: String,
    pub does: String,
    pub panics: bool,
    /// Whether it is the iterator that it gives that blocks.
    pub lazy: bool,
}

impl SinkEntry {
    fn of(sink: &Sink) -> SinkEntry {
        SinkEntry {
            effect: sink.effect,
            confidence: sink.confidence.into(),
            instead: sink.instead.clone(),
            advice: sink.advice.clone(),
            does: sink.does.clone(),
            panics: sink.panics,
            lazy: sink.lazy,
        }
    }
}

/// A type of long-lived client.
#[derive(Clone, Copy, Debug)]
pub struct ClientType {
    pub blocking: bool,
}

/// A function that has to do with how long a client waits.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) kind: LimitKind,
    /// Its public path.
    pub(crate) path: String,
    pub(crate) advice: String,
}

/// What begins when a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Something that goes on beside the caller.
    Beside,
    /// The work that the program is for.
    Serve,
}

/// What a function does with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Read,
    Write,
}

/// The catalog in terms of the program's definitions. Only crates that the program's code has led into are looked at: a function
/// of another crate cannot be called.
#[derive(Debug, Default)]
pub struct ResolvedCatalog {
    /// Of the sinks in their order, then of what uses their types.
    pub entries: Vec<SinkEntry>,
    written: Arc<Catalog>,
    /// The crates that were looked at.
    seen: FxHashSet<CrateId>,
    /// With the public path that the catalog knows it by.
    functions: FxHashMap<DefId, (usize, String)>,
    /// By the trait's function and the type's head; of a tuple, the head of its first element too.
    on_types: FxHashMap<(DefId, Head, Option<Head>), usize>,
    /// Types with I/O behind them.
    io_types: FxHashMap<(Head, Direction), usize>,
    offloads: FxHashMap<DefId, Vec<usize>>,
    wrappers: FxHashSet<DefId>,
    /// The arguments that a function reads or writes.
    uses_io: FxHashMap<DefId, Vec<(usize, Direction)>>,
    /// The functions that write to what their receiver wraps; a trait's for these types only.
    writes_self: FxHashMap<DefId, Vec<Head>>,
    /// The entry of a function that uses the I/O of another entry.
    of_uses: FxHashMap<(DefId, usize), usize>,
    clients: FxHashMap<DefId, ClientType>,
    guards: FxHashMap<DefId, GuardKind>,
    starts: FxHashMap<DefId, Start>,
    time_limits: FxHashMap<DefId, Limit>,
    routes: FxHashMap<DefId, RouteRole>,
    thread_needs: FxHashMap<DefId, (ThreadKind, String)>,
    /// Of functions and of types.
    parts: FxHashMap<DefId, Part>,
    trusted_functions: FxHashSet<DefId>,
    /// The roots of crates too.
    trusted_modules: FxHashSet<DefId>,
    /// Paths that lead nowhere in the crate they name.
    pub unresolved: Vec<String>,
    /// Paths whose crate nothing has led into, or not in the wanted version.
    pub absent: Vec<String>,
}

impl ResolvedCatalog {
    pub fn new(program: &Program<'_>, catalog: impl Into<Arc<Catalog>>) -> ResolvedCatalog {
        let catalog = catalog.into();
        let entries = catalog.sinks.iter().map(SinkEntry::of).collect();
        let mut out = ResolvedCatalog { written: Arc::clone(&catalog), entries, ..ResolvedCatalog::default() };
        let mut resolver = Resolver::new(program);
        out.add(&mut resolver, &catalog, |_| true);
        out.seen = resolver.crates().collect();
        out.unresolved = resolver.unresolved;
        out.absent = resolver.absent;
        out
    }

    /// Takes in the crates that were loaded since it was made: a dependency's code leads into others.
    pub(crate) fn look_again(&mut self, program: &Program<'_>) {
        let mut resolver = Resolver::new(program);
        let new: Vec<CrateId> = resolver.crates().filter(|krate| !self.seen.contains(krate)).collect();
        if new.is_empty() {
            return;
        }
        let names: FxHashSet<&str> = new.iter().map(|krate| program.node(*krate).name.as_str()).collect();
        let written = Arc::clone(&self.written);
        self.add(&mut resolver, &written, |subject| subject.crate_names().any(|name| names.contains(name)));
        self.seen.extend(new);
    }

    /// Looks up the chosen entries.
    fn add(&mut self, resolver: &mut Resolver<'_, '_>, catalog: &Catalog, is_wanted: impl Fn(&Subject) -> bool) {
        let of = |subject: &Subject| is_wanted(subject);
        let wanted: Vec<&Subject> = catalog.subjects().filter(|subject| of(subject)).collect();
        resolver.ask_ahead(&wanted);
        for (entry, sink) in catalog.sinks.iter().enumerate().filter(|(_, sink)| of(&sink.subject)) {
            self.add_sink(resolver, entry, sink);
        }
        for offload in catalog.offloads.iter().filter(|offload| of(&offload.subject)) {
            for (def, _) in resolver.functions(&offload.subject) {
                self.offloads.entry(def).or_default().push(offload.argument);
            }
        }
        for trusted in catalog.trusted.iter().filter(|trusted| of(&trusted.subject)) {
            for path in trusted.subject.paths() {
                self.add_trusted(resolver, path, &trusted.subject);
            }
        }
        for wrapper in catalog.wrappers.iter().filter(|wrapper| of(&wrapper.subject)) {
            self.wrappers.extend(wrapper.subject.paths().flat_map(|path| resolver.types(path, &wrapper.subject)));
        }
        // All of them: they have the effects of the sinks that are new.
        for uses in &catalog.uses_io {
            self.add_uses_io(resolver, uses);
        }
        for client in catalog.clients.iter().filter(|client| of(&client.subject)) {
            for def in client.subject.paths().flat_map(|path| resolver.types(path, &client.subject)) {
                self.clients.insert(def, ClientType { blocking: client.blocking });
            }
        }
        for guard in catalog.guards.iter().filter(|guard| of(&guard.subject)) {
            for def in guard.subject.paths().flat_map(|path| resolver.types(path, &guard.subject)) {
                self.guards.insert(def, guard.kind);
            }
        }
        for entry in catalog.starts.iter().filter(|entry| of(&entry.subject)) {
            let start = if entry.serves { Start::Serve } else { Start::Beside };
            self.starts.extend(resolver.functions(&entry.subject).into_iter().map(|(def, _)| (def, start)));
        }
        for entry in catalog.routes.iter().filter(|entry| of(&entry.subject)) {
            let role = RouteRole { handler: entry.handler_argument, path: entry.path_argument };
            self.routes.extend(resolver.functions(&entry.subject).into_iter().map(|(def, _)| (def, role)));
        }
        for entry in catalog.thread_needs.iter().filter(|entry| of(&entry.subject)) {
            let functions = resolver.functions(&entry.subject).into_iter();
            self.thread_needs.extend(functions.map(|(def, path)| (def, (entry.kind, path))));
        }
        for entry in catalog.parts.iter().filter(|entry| of(&entry.subject)) {
            let functions: Vec<DefId> = resolver.functions(&entry.subject).into_iter().map(|(def, _)| def).collect();
            let types: Vec<DefId> = entry.subject.types.iter().flat_map(|path| resolver.types(path, &entry.subject)).collect();
            self.parts.extend(functions.into_iter().chain(types).map(|def| (def, entry.kind)));
        }
        for entry in catalog.time_limits.iter().filter(|entry| of(&entry.subject)) {
            let functions = resolver.functions(&entry.subject).into_iter();
            let limit = |path| Limit { kind: entry.kind, path, advice: entry.advice.clone() };
            self.time_limits.extend(functions.map(|(def, path)| (def, limit(path))));
        }
    }

    fn add_sink(&mut self, resolver: &mut Resolver<'_, '_>, entry: usize, sink: &Sink) {
        for (def, path) in resolver.functions(&sink.subject) {
            self.functions.entry(def).or_insert((entry, path));
        }
        let Some(trait_path) = &sink.subject.trait_path else { return };
        let heads: Vec<(Head, Option<Head>)> =
            sink.subject.types.iter().flat_map(|path| resolver.heads(path, &sink.subject)).collect();
        for method in &sink.subject.methods {
            for method in resolver.methods(trait_path, method, &sink.subject) {
                for (head, first) in &heads {
                    self.on_types.entry((method, *head, *first)).or_insert(entry);
                }
            }
        }
        let direction = match trait_path.as_str() {
            "std::io::Read" | "std::io::BufRead" => Direction::Read,
            "std::io::Write" => Direction::Write,
            _ => return,
        };
        for (head, _) in heads {
            self.io_types.entry((head, direction)).or_insert(entry);
        }
    }

    /// Comes after all sinks: it has their effects, and its own way out.
    fn add_uses_io(&mut self, resolver: &mut Resolver<'_, '_>, uses: &UsesIo) {
        let reads = uses.reads.iter().map(|at| (*at, Direction::Read));
        let arguments: Vec<(usize, Direction)> = reads.chain(uses.writes.iter().map(|at| (*at, Direction::Write))).collect();
        let mut used: Vec<usize> = self.io_types.values().copied().collect();
        used.sort_unstable();
        used.dedup();
        let subject = &uses.subject;
        let heads: Vec<Head> =
            subject.types.iter().flat_map(|path| resolver.heads(path, subject)).map(|(head, _)| head).collect();
        let mut functions: Vec<DefId> = resolver.functions(subject).into_iter().map(|(def, _)| def).collect();
        for method in &subject.methods {
            functions.extend(subject.trait_path.iter().flat_map(|path| resolver.methods(path, method, subject)));
        }
        for def in functions {
            self.uses_io.insert(def, arguments.clone());
            if uses.writes_self {
                self.writes_self.entry(def).or_default().extend(&heads);
            }
            for io in &used {
                let next = self.entries.len();
                if *self.of_uses.entry((def, *io)).or_insert(next) == next {
                    let (instead, advice) = (uses.instead.clone(), uses.advice.clone());
                    self.entries.push(SinkEntry { instead, advice, ..self.entries[*io].clone() });
                }
            }
        }
    }

    /// A crate or a module with all that stands in it, a type or trait with all its functions, or one function.
    fn add_trusted(&mut self, resolver: &mut Resolver<'_, '_>, path: &str, subject: &Subject) {
        let modules = resolver.modules(path, subject);
        let of_type = resolver.functions_at(&format!("{path}::*"), subject);
        let functions = resolver.functions_at(path, subject);
        if modules.is_empty() && of_type.is_empty() && functions.is_empty() {
            resolver.missing(path, subject);
        }
        self.trusted_modules.extend(modules);
        self.trusted_functions.extend(of_type.into_iter().chain(functions));
    }

    /// Whether the function itself is trusted by name: then it is no sink either.
    pub(crate) fn trusts_function(&self, def: DefId) -> bool {
        self.trusted_functions.contains(&def)
    }

    /// Whether the function, or a module that it stands in, is trusted: it is not followed.
    pub(crate) fn trusts(&self, program: &Program<'_>, def: DefId) -> bool {
        let mut at = def;
        let mut is_trusted = self.trusts_function(def);
        while !is_trusted {
            let parent = program.def(at).parent;
            is_trusted = self.trusted_modules.contains(&parent);
            if parent == at {
                break;
            }
            at = parent;
        }
        is_trusted
    }

    /// The guard that a value of the type is, or holds.
    pub fn guard(&self, program: &Program<'_>, ty: Ty) -> Option<GuardKind> {
        self.guard_in(program, ty, 0)
    }

    fn guard_in(&self, program: &Program<'_>, ty: Ty, depth: u32) -> Option<GuardKind> {
        if depth > 6 {
            return None;
        }
        match *ty.kind() {
            TyKind::Adt(def, list) => {
                if let Some(kind) = self.guards.get(&def) {
                    return Some(*kind);
                }
                if let Some(kind) = list.iter().find_map(|ty| self.guard_in(program, *ty, depth + 1)) {
                    return Some(kind);
                }
                if !program.node(def.krate).is_member || program.kind(def) != DefKind::Struct {
                    return None;
                }
                program.field_types(def).iter().find_map(|ty| self.guard_in(program, ty.substitute(&list), depth + 1))
            }
            TyKind::Tuple(list) => list.iter().find_map(|ty| self.guard_in(program, *ty, depth + 1)),
            TyKind::Array(element, _) => self.guard_in(program, element, depth + 1),
            _ => None,
        }
    }

    /// The entry of the sink that is called.
    pub(crate) fn sink_index(&self, program: &Program<'_>, called: Called<'_>) -> Option<usize> {
        let Called { def, implementation, list, values, receiver } = called;
        let direct = implementation.and_then(|i| self.functions.get(&i)).or_else(|| self.functions.get(&def));
        if let Some((entry, _)) = direct {
            return Some(*entry);
        }
        if program.container(def).is_some_and(|c| program.kind(c) == DefKind::Trait)
            && let Some(self_ty) = list.first()
            && let Some((head, first)) = self.typed_head(*self_ty)
            && let Some(entry) = self.on_types.get(&(def, head, first))
        {
            return Some(*entry);
        }
        let arguments = self.uses_io.get(&def)?;
        let io = arguments.iter().find_map(|(at, direction)| {
            let head = self.io_head(*values.get(*at)?)?;
            self.io_types.get(&(head, *direction))
        });
        let io = io.or_else(|| self.written_by_self(def, receiver?))?;
        self.of_uses.get(&(def, *io)).copied()
    }

    fn written_by_self(&self, def: DefId, receiver: Ty) -> Option<&usize> {
        let heads = self.writes_self.get(&def)?;
        let mut outer = receiver;
        while let TyKind::Ref(inner, _) = *outer.kind() {
            outer = inner;
        }
        let fits = heads.is_empty() || outer.head().is_some_and(|head| heads.contains(&head));
        self.io_types.get(&(self.io_head(receiver).filter(|_| fits)?, Direction::Write))
    }

    /// The sinks whose functions have that name.
    pub(crate) fn sinks_named(&self, program: &Program<'_>, wanted: Name) -> impl Iterator<Item = DefId> {
        self.functions.keys().copied().filter(move |def| program.name(*def) == wanted)
    }

    /// The entry of a function that is a sink itself.
    pub(crate) fn own_entry(&self, def: DefId) -> Option<usize> {
        self.functions.get(&def).map(|(entry, _)| *entry)
    }

    /// The public path of a sink, as the catalog has it.
    pub fn path(&self, def: DefId) -> Option<&str> {
        self.functions.get(&def).map(|(_, path)| path.as_str())
    }

    fn typed_head(&self, ty: Ty) -> Option<(Head, Option<Head>)> {
        let head = self.io_head(ty)?;
        let first = match *ty.kind() {
            TyKind::Tuple(list) => list.first().and_then(|first| self.io_head(*first)),
            _ => None,
        };
        Some((head, first))
    }

    /// The head of the type behind references and wrappers.
    fn io_head(&self, mut ty: Ty) -> Option<Head> {
        for _ in 0..8 {
            match *ty.kind() {
                TyKind::Ref(inner, _) => ty = inner,
                TyKind::Adt(def, list) if self.wrappers.contains(&def) => ty = *list.first()?,
                _ => return ty.head(),
            }
        }
        None
    }

    /// Whether values of the type have I/O behind them.
    pub(crate) fn is_io(&self, ty: Ty) -> bool {
        let has = |head, direction| self.io_types.contains_key(&(head, direction));
        ty.head().is_some_and(|head| has(head, Direction::Read) || has(head, Direction::Write))
    }

    /// Whether the argument at that place (without `self`) runs elsewhere.
    pub fn offloads(&self, def: DefId, argument: usize) -> bool {
        self.offloads.get(&def).is_some_and(|places| places.contains(&argument))
    }

    /// Whether a sink of that effect.
    pub(crate) fn has_effect(&self, def: DefId, effect: Effect) -> bool {
        self.functions.get(&def).is_some_and(|(entry, _)| self.entries[*entry].effect == effect)
    }

    pub(crate) fn start(&self, def: DefId) -> Option<Start> {
        self.starts.get(&def).copied()
    }

    /// What a function has to do with the number of a runtime's threads, with its public path.
    pub(crate) fn thread_need(&self, def: DefId) -> Option<(ThreadKind, &str)> {
        self.thread_needs.get(&def).map(|(kind, path)| (*kind, path.as_str()))
    }

    pub(crate) fn route(&self, def: DefId) -> Option<RouteRole> {
        self.routes.get(&def).copied()
    }

    pub(crate) fn has_limits(&self) -> bool {
        !self.time_limits.is_empty()
    }

    /// What a function has to do with time limits.
    pub(crate) fn limit(&self, def: DefId) -> Option<&Limit> {
        self.time_limits.get(&def)
    }

    pub(crate) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether the program has what plays the part.
    pub fn knows(&self, part: Part) -> bool {
        self.parts.values().any(|known| *known == part)
    }

    /// The part that a function or a type plays.
    pub fn part(&self, def: DefId) -> Option<Part> {
        self.parts.get(&def).copied()
    }

    pub fn client(&self, def: DefId) -> Option<ClientType> {
        self.clients.get(&def).copied()
    }
}
