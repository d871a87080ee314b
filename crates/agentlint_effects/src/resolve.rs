//! From the catalog's public paths to definitions of the program at hand.

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::input::{CrateId, CrateKind};
use agentlint_semantic::names::Namespace;
use agentlint_semantic::types::{Head, Ty, TyKind, primitive};
use agentlint_syntax::{Name, name};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Effect;
use crate::catalog::{Catalog, GuardKind, Sink, Subject, UsesIo};

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
#[derive(Clone, Debug)]
pub struct SinkEntry {
    pub effect: Effect,
    pub confidence: Confidence,
    pub instead: String,
    pub advice: String,
    pub does: String,
    pub panics: bool,
}

/// A type of long-lived client.
#[derive(Clone, Copy, Debug)]
pub struct ClientType {
    pub blocking: bool,
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
    pub entries: Vec<SinkEntry>,
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
    trusted_functions: FxHashSet<DefId>,
    /// The roots of crates too.
    trusted_modules: FxHashSet<DefId>,
    /// Paths that lead nowhere in the crate they name.
    pub unresolved: Vec<String>,
    /// Paths whose crate nothing has led into, or not in the wanted version.
    pub absent: Vec<String>,
}

impl ResolvedCatalog {
    pub fn new(program: &Program<'_>, catalog: &Catalog) -> ResolvedCatalog {
        let mut out = ResolvedCatalog::default();
        let mut resolver = Resolver::new(program);
        for sink in &catalog.sinks {
            out.add_sink(&mut resolver, sink);
        }
        for offload in &catalog.offloads {
            for (def, _) in resolver.functions(&offload.subject) {
                out.offloads.entry(def).or_default().push(offload.argument);
            }
        }
        for trusted in &catalog.trusted {
            for path in trusted.subject.paths() {
                out.add_trusted(&mut resolver, path, &trusted.subject);
            }
        }
        for wrapper in &catalog.wrappers {
            out.wrappers.extend(wrapper.subject.paths().flat_map(|path| resolver.types(path, &wrapper.subject)));
        }
        for uses in &catalog.uses_io {
            out.add_uses_io(&mut resolver, uses);
        }
        for client in &catalog.clients {
            for def in client.subject.paths().flat_map(|path| resolver.types(path, &client.subject)) {
                out.clients.insert(def, ClientType { blocking: client.blocking });
            }
        }
        for guard in &catalog.guards {
            for def in guard.subject.paths().flat_map(|path| resolver.types(path, &guard.subject)) {
                out.guards.insert(def, guard.kind);
            }
        }
        for entry in &catalog.starts {
            let start = if entry.serves { Start::Serve } else { Start::Beside };
            out.starts.extend(resolver.functions(&entry.subject).into_iter().map(|(def, _)| (def, start)));
        }
        out.unresolved = resolver.unresolved;
        out.absent = resolver.absent;
        out
    }

    fn add_sink(&mut self, resolver: &mut Resolver<'_, '_>, sink: &Sink) {
        let entry = self.entries.len();
        self.entries.push(SinkEntry {
            effect: sink.effect,
            confidence: sink.confidence.into(),
            instead: sink.instead.clone(),
            advice: sink.advice.clone(),
            does: sink.does.clone(),
            panics: sink.panics,
        });
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
                let (instead, advice) = (uses.instead.clone(), uses.advice.clone());
                self.of_uses.insert((def, *io), self.entries.len());
                self.entries.push(SinkEntry { instead, advice, ..self.entries[*io].clone() });
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

    pub fn client(&self, def: DefId) -> Option<ClientType> {
        self.clients.get(&def).copied()
    }
}

struct Resolver<'a, 'l> {
    program: &'a Program<'l>,
    crates: FxHashMap<Name, Vec<CrateId>>,
    unresolved: Vec<String>,
    absent: Vec<String>,
}

impl<'a, 'l> Resolver<'a, 'l> {
    fn new(program: &'a Program<'l>) -> Self {
        let mut crates: FxHashMap<Name, Vec<CrateId>> = FxHashMap::default();
        for (id, node) in program.graph.crates.iter_enumerated() {
            // Nothing but a library can be called from elsewhere; a configuration speaks of the program's own binaries too.
            let is_named = matches!(node.kind, CrateKind::Library) || node.is_member;
            if is_named && program.is_loaded(id) {
                crates.entry(node.name).or_default().push(id);
            }
        }
        Resolver { program, crates, unresolved: Vec::new(), absent: Vec::new() }
    }

    fn crates_of(&self, path: &str, subject: &Subject) -> Vec<CrateId> {
        let crate_name = path.split("::").next().unwrap_or("");
        let wanted = subject.version.as_deref().and_then(|v| semver::VersionReq::parse(v).ok());
        let named = self.crates.get(&name(crate_name)).into_iter().flatten().copied();
        let fits = |id: &CrateId| match (&wanted, &self.program.node(*id).version) {
            (Some(wanted), Some(version)) => semver::Version::parse(version).is_ok_and(|v| wanted.matches(&v)),
            _ => true,
        };
        named.filter(fits).collect()
    }

    /// Remembers that a path led nowhere.
    fn missing(&mut self, path: &str, subject: &Subject) {
        let list = if self.crates_of(path, subject).is_empty() { &mut self.absent } else { &mut self.unresolved };
        list.push(path.to_owned());
    }

    /// What a path names among modules, types and traits, in every crate of that name.
    fn named(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        let segments: Vec<Name> = path.split("::").skip(1).map(name).collect();
        self.crates_of(path, subject).into_iter().filter_map(|id| self.walk(id, &segments, Namespace::Type)).collect()
    }

    fn modules(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        self.named(path, subject).into_iter().filter(|def| self.program.kind(*def) == DefKind::Module).collect()
    }

    /// The structs, enums and unions that a path names; an alias stands for its type.
    fn types(&mut self, path: &str, subject: &Subject) -> Vec<DefId> {
        let named = self.named(path, subject).into_iter().map(|def| self.behind_alias(def));
        let types: Vec<DefId> =
            named.filter(|def| matches!(self.program.kind(*def), DefKind::Struct | DefKind::Enum | DefKind::Union)).collect();
        if types.is_empty() {
            self.missing(path, subject);
        }
        types
    }

    fn behind_alias(&self, def: DefId) -> DefId {
        match self.program.kind(def) {
            DefKind::TypeAlias => match *self.program.type_of(def).kind() {
                TyKind::Adt(behind, _) => behind,
                _ => def,
            },
            _ => def,
        }
    }

    /// A trait's method.
    fn methods(&mut self, trait_path: &str, method: &str, subject: &Subject) -> Vec<DefId> {
        let traits = self.named(trait_path, subject);
        let is_function = |kind| kind == DefKind::Function;
        let methods: Vec<DefId> = traits
            .into_iter()
            .filter(|def| self.program.kind(*def) == DefKind::Trait)
            .filter_map(|def| self.program.member(def, name(method), is_function))
            .collect();
        if methods.is_empty() {
            self.missing(&format!("{trait_path}::{method}"), subject);
        }
        methods
    }

    /// The heads that a type as it is written may have: a path, a primitive, or a tuple of these.
    fn heads(&mut self, written: &str, subject: &Subject) -> Vec<(Head, Option<Head>)> {
        if let Some(elements) = written.strip_prefix('(').and_then(|w| w.strip_suffix(')')) {
            let elements: Vec<&str> = elements.split(',').map(|e| e.trim().trim_start_matches('&')).collect();
            let first = elements.first().map_or(Vec::new(), |first| self.heads(first, subject));
            return first.into_iter().map(|(head, _)| (Head::Tuple(elements.len() as u32), Some(head))).collect();
        }
        if let Some(head) = primitive(written).and_then(Ty::head) {
            return vec![(head, None)];
        }
        self.types(written, subject).into_iter().map(|def| (Head::Adt(def), None)).collect()
    }

    fn walk(&self, krate: CrateId, segments: &[Name], namespace: Namespace) -> Option<DefId> {
        let mut at = self.program.root(krate);
        for (i, segment) in segments.iter().enumerate() {
            let here = if i + 1 == segments.len() { namespace } else { Namespace::Type };
            at = self.program.lookup(at, *segment, here)?;
        }
        Some(at)
    }

    /// The functions and methods that a subject's paths name, with their public paths.
    fn functions(&mut self, subject: &Subject) -> Vec<(DefId, String)> {
        let mut all = Vec::new();
        for path in subject.paths() {
            let found = self.functions_at(path, subject);
            if found.is_empty() {
                self.missing(path, subject);
            }
            let public = |def: DefId| match path.strip_suffix("::*") {
                Some(front) => format!("{front}::{}", self.program.name(def)),
                None => path.to_owned(),
            };
            all.extend(found.into_iter().map(|def| (def, public(def))));
        }
        all
    }

    fn functions_at(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        let mut found = Vec::new();
        let segments: Vec<Name> = path.split("::").skip(1).map(name).collect();
        for krate in self.crates_of(path, subject) {
            self.functions_in(krate, &segments, &mut found);
        }
        found
    }

    fn functions_in(&self, krate: CrateId, segments: &[Name], found: &mut Vec<DefId>) {
        let program = self.program;
        if let Some(def) = self.walk(krate, segments, Namespace::Value)
            && program.kind(def) == DefKind::Function
        {
            return found.push(def);
        }
        let Some((method, holder)) = segments.split_last() else { return };
        let Some(holder) = self.walk(krate, holder, Namespace::Type) else { return };
        let wanted =
            |def: &DefId| program.kind(*def) == DefKind::Function && (method.as_str() == "*" || program.name(*def) == *method);
        match program.kind(holder) {
            DefKind::Trait => found.extend(program.members_of(holder).iter().filter(|def| wanted(def))),
            _ => {
                let holder = self.behind_alias(holder);
                for implementation in program.inherent_impls(Head::Adt(holder)) {
                    found.extend(program.members_of(implementation).iter().filter(|def| wanted(def)));
                }
                // A derived or written impl of a trait may hold the method.
                for implementation in program.trait_impls_on(Head::Adt(holder)) {
                    found.extend(program.members_of(implementation).iter().filter(|def| wanted(def)));
                }
            }
        }
    }
}
