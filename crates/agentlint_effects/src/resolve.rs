//! From the catalog's public paths to definitions of the program at hand.

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::input::CrateId;
use agentlint_semantic::names::Namespace;
use agentlint_semantic::types::{Head, Ty, TyKind, primitive};
use agentlint_syntax::{Name, name};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Effect;
use crate::catalog::{Catalog, GuardKind, Subject};

/// What is known of a sink.
#[derive(Clone, Debug)]
pub struct SinkEntry {
    pub effect: Effect,
    pub confidence: Confidence,
    pub instead: String,
    pub does: String,
    pub panics: bool,
}

/// A type of long-lived client.
#[derive(Clone, Copy, Debug)]
pub struct ClientType {
    pub blocking: bool,
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
    io_types: FxHashMap<Head, usize>,
    offloads: FxHashMap<DefId, Vec<usize>>,
    wrappers: FxHashSet<DefId>,
    uses_io: FxHashMap<DefId, Vec<usize>>,
    clients: FxHashMap<DefId, ClientType>,
    guards: FxHashMap<DefId, GuardKind>,
    /// Paths that lead nowhere in the crate they name.
    pub unresolved: Vec<String>,
}

impl ResolvedCatalog {
    pub fn new(program: &Program<'_>, catalog: &Catalog) -> ResolvedCatalog {
        let mut out = ResolvedCatalog::default();
        let resolver = Resolver::new(program);
        for sink in &catalog.sinks {
            let entry = out.entries.len();
            out.entries.push(SinkEntry {
                effect: sink.effect,
                confidence: sink.confidence.into(),
                instead: sink.instead.clone(),
                does: sink.does.clone(),
                panics: sink.panics,
            });
            for (def, path) in resolver.functions(&sink.subject, &mut out.unresolved) {
                out.functions.entry(def).or_insert((entry, path));
            }
            let heads: Vec<(Head, Option<Head>)> =
                sink.subject.types.iter().flat_map(|path| resolver.heads(path, &sink.subject)).collect();
            let Some(trait_path) = &sink.subject.trait_path else { continue };
            let is_io = trait_path.starts_with("std::io::");
            for trait_def in resolver.definitions(trait_path, &sink.subject) {
                for method in &sink.subject.methods {
                    let Some(method) = program.member(trait_def, name(method), |k| k == DefKind::Function) else { continue };
                    for (head, first) in &heads {
                        out.on_types.entry((method, *head, *first)).or_insert(entry);
                    }
                }
            }
            if is_io {
                for (head, _) in heads {
                    out.io_types.entry(head).or_insert(entry);
                }
            }
        }
        for offload in &catalog.offloads {
            for (def, _) in resolver.functions(&offload.subject, &mut out.unresolved) {
                out.offloads.entry(def).or_default().push(offload.argument);
            }
        }
        for wrapper in &catalog.wrappers {
            out.wrappers.extend(wrapper.subject.paths().flat_map(|path| resolver.definitions(path, &wrapper.subject)));
        }
        for uses in &catalog.uses_io {
            for (def, _) in resolver.functions(&uses.subject, &mut out.unresolved) {
                out.uses_io.insert(def, uses.arguments.clone());
            }
        }
        for client in &catalog.clients {
            for def in client.subject.paths().flat_map(|path| resolver.definitions(path, &client.subject)) {
                out.clients.insert(def, ClientType { blocking: client.blocking });
            }
        }
        for guard in &catalog.guards {
            for def in guard.subject.paths().flat_map(|path| resolver.definitions(path, &guard.subject)) {
                out.guards.insert(def, guard.kind);
            }
        }
        out
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

    /// The entry of the sink that a call of `def` is. `list` are the function's arguments, `values` the types of the call's arguments.
    pub fn sink_index(
        &self,
        program: &Program<'_>,
        def: DefId,
        implementation: Option<DefId>,
        list: &[Ty],
        values: &[Ty],
    ) -> Option<usize> {
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
        arguments.iter().find_map(|at| self.io_types.get(&self.io_head(*values.get(*at)?)?).copied())
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

    pub fn client(&self, def: DefId) -> Option<ClientType> {
        self.clients.get(&def).copied()
    }
}

struct Resolver<'a, 'l> {
    program: &'a Program<'l>,
    crates: FxHashMap<Name, Vec<CrateId>>,
}

impl<'a, 'l> Resolver<'a, 'l> {
    fn new(program: &'a Program<'l>) -> Self {
        let mut crates: FxHashMap<Name, Vec<CrateId>> = FxHashMap::default();
        for (id, node) in program.graph.crates.iter_enumerated() {
            let is_library = matches!(node.kind, agentlint_semantic::input::CrateKind::Library);
            if is_library && program.is_loaded(id) {
                crates.entry(node.name).or_default().push(id);
            }
        }
        Resolver { program, crates }
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

    /// The types and traits that a path names, in every crate of that name.
    fn definitions(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        let segments: Vec<Name> = path.split("::").skip(1).map(name).collect();
        self.crates_of(path, subject).into_iter().filter_map(|id| self.walk(id, &segments, Namespace::Type)).collect()
    }

    /// The heads that a type as it is written may have: a path, a primitive, or a tuple of these.
    fn heads(&self, written: &str, subject: &Subject) -> Vec<(Head, Option<Head>)> {
        if let Some(elements) = written.strip_prefix('(').and_then(|w| w.strip_suffix(')')) {
            let elements: Vec<&str> = elements.split(',').map(|e| e.trim().trim_start_matches('&')).collect();
            let first = elements.first().map_or(Vec::new(), |first| self.heads(first, subject));
            return first.into_iter().map(|(head, _)| (Head::Tuple(elements.len() as u32), Some(head))).collect();
        }
        if let Some(head) = primitive(written).and_then(Ty::head) {
            return vec![(head, None)];
        }
        self.definitions(written, subject).into_iter().map(|def| (Head::Adt(def), None)).collect()
    }

    fn walk(&self, krate: CrateId, segments: &[Name], namespace: Namespace) -> Option<DefId> {
        let mut at = self.program.root(krate);
        for (i, segment) in segments.iter().enumerate() {
            let here = if i + 1 == segments.len() { namespace } else { Namespace::Type };
            at = self.program.lookup(at, *segment, here)?;
        }
        Some(at)
    }

    /// The functions and methods that a subject's paths name.
    fn functions(&self, subject: &Subject, unresolved: &mut Vec<String>) -> Vec<(DefId, String)> {
        let mut all = Vec::new();
        for path in subject.paths() {
            let crates = self.crates_of(path, subject);
            let mut found = Vec::new();
            let segments: Vec<Name> = path.split("::").skip(1).map(name).collect();
            for krate in &crates {
                self.functions_in(*krate, &segments, &mut found);
            }
            if found.is_empty() && !crates.is_empty() {
                unresolved.push(path.to_owned());
            }
            let public = |def: DefId| match path.strip_suffix("::*") {
                Some(front) => format!("{front}::{}", self.program.name(def)),
                None => path.to_owned(),
            };
            all.extend(found.into_iter().map(|def| (def, public(def))));
        }
        all
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
                let mut holder = holder;
                if program.kind(holder) == DefKind::TypeAlias
                    && let TyKind::Adt(def, _) = *program.type_of(holder).kind()
                {
                    holder = def;
                }
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
