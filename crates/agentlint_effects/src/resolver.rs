//! Looks the catalog's public paths up in the program.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::input::{CrateId, CrateKind};
use agentlint_semantic::names::Namespace;
use agentlint_semantic::types::{Head, Ty, TyKind, primitive};
use agentlint_syntax::{Name, name};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::catalog::Subject;

/// Looks public paths up; remembers those that lead nowhere.
pub(crate) struct Resolver<'a, 'l> {
    program: &'a Program<'l>,
    crates: FxHashMap<Name, Vec<CrateId>>,
    /// What paths name, of those that were asked ahead; by the wanted version too.
    known: FxHashMap<(String, Option<String>), Vec<DefId>>,
    pub(crate) unresolved: Vec<String>,
    pub(crate) absent: Vec<String>,
}

impl<'a, 'l> Resolver<'a, 'l> {
    pub(crate) fn new(program: &'a Program<'l>) -> Self {
        let mut crates: FxHashMap<Name, Vec<CrateId>> = FxHashMap::default();
        for (id, node) in program.graph.crates.iter_enumerated() {
            // Nothing but a library can be called from elsewhere; a configuration speaks of the program's own binaries too.
            let is_named = matches!(node.kind, CrateKind::Library) || node.is_member;
            if is_named && program.is_loaded(id) {
                crates.entry(node.name).or_default().push(id);
            }
        }
        Resolver { program, crates, known: FxHashMap::default(), unresolved: Vec::new(), absent: Vec::new() }
    }

    /// Asks on all threads what is about to be asked one by one. Of types and traits the program remembers the answers.
    pub(crate) fn ask_ahead(&mut self, subjects: &[&Subject]) {
        let functions = subjects.par_iter().flat_map_iter(|subject| {
            for path in subject.types.iter().chain(&subject.trait_path) {
                self.named(path, subject);
            }
            subject.paths().map(|path| (key(path, subject), self.functions_anew(path, subject)))
        });
        self.known = functions.collect();
    }

    /// The crates that paths are looked up in.
    pub(crate) fn crates(&self) -> impl Iterator<Item = CrateId> + '_ {
        self.crates.values().flatten().copied()
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
    pub(crate) fn missing(&mut self, path: &str, subject: &Subject) {
        let list = if self.crates_of(path, subject).is_empty() { &mut self.absent } else { &mut self.unresolved };
        list.push(path.to_owned());
    }

    /// What a path names among modules, types and traits, in every crate of that name.
    fn named(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        let segments: Vec<Name> = path.split("::").skip(1).map(name).collect();
        self.crates_of(path, subject).into_iter().filter_map(|id| self.walk(id, &segments, Namespace::Type)).collect()
    }

    pub(crate) fn modules(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        self.named(path, subject).into_iter().filter(|def| self.program.kind(*def) == DefKind::Module).collect()
    }

    /// The structs, enums and unions that a path names; an alias stands for its type.
    pub(crate) fn types(&mut self, path: &str, subject: &Subject) -> Vec<DefId> {
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
    pub(crate) fn methods(&mut self, trait_path: &str, method: &str, subject: &Subject) -> Vec<DefId> {
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
    pub(crate) fn heads(&mut self, written: &str, subject: &Subject) -> Vec<(Head, Option<Head>)> {
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
    pub(crate) fn functions(&mut self, subject: &Subject) -> Vec<(DefId, String)> {
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

    pub(crate) fn functions_at(&self, path: &str, subject: &Subject) -> Vec<DefId> {
        self.known.get(&key(path, subject)).cloned().unwrap_or_else(|| self.functions_anew(path, subject))
    }

    fn functions_anew(&self, path: &str, subject: &Subject) -> Vec<DefId> {
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

fn key(path: &str, subject: &Subject) -> (String, Option<String>) {
    (path.to_owned(), subject.version.clone())
}
