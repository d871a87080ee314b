//! The program: every crate's definitions, loaded when a name first leads into them, and what was worked out about them.

use std::sync::{Arc, OnceLock, RwLock};

use agentlint_diagnostics::FileId;
use agentlint_syntax::{
    Name,
    ast::{self, ItemKind, SourceFile},
    name,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ahead::Ahead;
use crate::bodies::FoundBody;
use crate::collect;
use crate::def::{Def, DefId, DefKind, Place, Visible};
use crate::definitions::{CrateDefs, ROOT};
use crate::expand::{MacroDef, Markers};
use crate::impls::CrateImpls;
use crate::infer::selections::Selections;
use crate::input::{CrateFiles, CrateGraph, CrateId, CrateKind, CrateNode, Edition, Kept, Loader};
use crate::module_data::ModuleData;
use crate::names::{KeptNames, Namespace, OwnTraits, Resolution};
use crate::signature::{Generics, Signature};
use crate::std_index;
use crate::types::{Predicate, TraitRef, Ty};

/// The model of a whole program. Everything in it is computed on demand, from several threads.
pub struct Program<'l> {
    pub graph: CrateGraph,
    loader: &'l dyn Loader,
    crates: Vec<OnceLock<CrateModel>>,
    /// The crates of the standard library: core, alloc, std.
    std: [CrateId; 3],
    /// Of core's own crates and of all others, by edition.
    pub(crate) preludes: [[OnceLock<Option<DefId>>; 4]; 2],
    pub(crate) markers: Markers,
    pub(crate) ahead: Ahead,
    pub(crate) selections: Selections,
    pub(crate) known: OnceLock<crate::known::Known>,
}

/// One loaded crate.
pub(crate) struct CrateModel {
    pub(crate) defs: CrateDefs,
    /// By definition, some together. Nothing is ever asked about most of a dependency's.
    facts: Vec<OnceLock<Box<FactsTogether>>>,
    modules: FxHashMap<u32, OnceLock<Box<ModuleFacts>>>,
    pub(crate) impls: CrateImpls,
    /// `None` where the sources may change.
    names: Option<KeptNames>,
    /// Its sources are not on this machine.
    pub(crate) is_absent: bool,
}

const TOGETHER: usize = 64;

type FactsTogether = [OnceLock<Box<DefFacts>>; TOGETHER];

/// What was worked out about a definition.
#[derive(Default)]
pub(crate) struct DefFacts {
    pub(crate) members: OnceLock<Box<[DefId]>>,
    pub(crate) generics: OnceLock<Box<Generics>>,
    pub(crate) predicates: OnceLock<Box<[Predicate]>>,
    pub(crate) signature: OnceLock<Box<Signature>>,
    /// Of an alias, a constant, a static, an associated type, an impl's self type.
    pub(crate) ty: OnceLock<Ty>,
    pub(crate) fields: OnceLock<Box<[Ty]>>,
    pub(crate) trait_ref: OnceLock<Option<TraitRef>>,
    pub(crate) supertraits: OnceLock<Box<[TraitRef]>>,
    pub(crate) supertrait_projections: OnceLock<Box<[Predicate]>>,
    pub(crate) body: OnceLock<FoundBody>,
    pub(crate) member_names: OnceLock<Box<FxHashMap<Name, Vec<DefId>>>>,
}

/// What names of a module mean, and from where they may be used.
pub(crate) type FoundNames = FxHashMap<(Name, Namespace), Option<(DefId, Visible)>>;

/// What was worked out about a module.
#[derive(Default)]
pub(crate) struct ModuleFacts {
    pub(crate) names: RwLock<FoundNames>,
    /// What names mean where they are written in the module, preludes included.
    pub(crate) lexical: RwLock<FxHashMap<(Name, Namespace), Option<Resolution>>>,
    pub(crate) traits: OnceLock<OwnTraits>,
    pub(crate) trait_methods: OnceLock<FxHashMap<Name, Vec<DefId>>>,
}

impl<'l> Program<'l> {
    /// A program over `graph`, whose files come from `loader`. Nothing is loaded yet.
    pub fn new(mut graph: CrateGraph, loader: &'l dyn Loader) -> Program<'l> {
        let cfg = graph.crates.iter().next().map(|node| node.cfg.clone()).unwrap_or_default();
        let std = ["core", "alloc", "std"].map(|crate_name| {
            graph.crates.push(CrateNode {
                name: name(crate_name),
                known_as: name(crate_name),
                version: None,
                edition: Edition::E2024,
                kind: CrateKind::Library,
                is_member: false,
                cfg: cfg.clone(),
                dependencies: Vec::new(),
            })
        });
        let crates = graph.crates.iter().map(|_| OnceLock::new()).collect();
        let markers = Markers::new(&graph);
        let preludes = Default::default();
        let (ahead, selections) = (Ahead::default(), Selections::default());
        Program { graph, loader, crates, std, preludes, markers, ahead, selections, known: OnceLock::new() }
    }

    pub fn node(&self, krate: CrateId) -> &CrateNode {
        &self.graph.crates[krate]
    }

    pub fn is_std(&self, krate: CrateId) -> bool {
        self.std.contains(&krate)
    }

    pub(crate) fn std_crate(&self, which: usize) -> CrateId {
        self.std[which]
    }

    pub(crate) fn loader(&self) -> &dyn Loader {
        self.loader
    }

    /// The crates whose bodies are analysed.
    pub fn members(&self) -> impl Iterator<Item = CrateId> + '_ {
        self.graph.crates.iter_enumerated().filter(|(_, node)| node.is_member).map(|(id, _)| id)
    }

    pub(crate) fn krate(&self, krate: CrateId) -> &CrateModel {
        self.crates[usize::from(krate)].get_or_init(|| {
            let (defs, is_absent) = self.definitions(krate);
            CrateModel {
                facts: (0..defs.len().div_ceil(TOGETHER as u32)).map(|_| OnceLock::new()).collect(),
                modules: defs.tables().modules.keys().map(|module| (*module, OnceLock::new())).collect(),
                defs,
                impls: CrateImpls::default(),
                names: self.reading(krate).map(|_| self.load_names(krate)),
                is_absent,
            }
        })
    }

    /// What the crate defines, and whether its sources are not on this machine.
    fn definitions(&self, krate: CrateId) -> (CrateDefs, bool) {
        let node = self.node(krate);
        if let Some(which) = self.std.iter().position(|id| *id == krate) {
            let files = std_index::files(which);
            let kept = self.loader.kept_std(Kept::Definitions, &node.name, &node.cfg);
            let kept = kept.and_then(|pack| CrateDefs::kept_std(krate, &pack, &files));
            return (kept.unwrap_or_else(|| self.collect(krate, &files)), false);
        }
        if let Some(kept) = self.loader.kept_definitions(krate)
            && let Some(defs) = CrateDefs::kept(krate, &kept)
        {
            return (defs, false);
        }
        // Such a crate can hand out nothing but its macros, which never run. What it imports is for itself, and often `syn`, one of
        // the largest.
        let is_opaque = node.kind == CrateKind::ProcMacro && !node.is_member;
        let files = if is_opaque { Some(Arc::default()) } else { self.loader.load(krate) };
        let is_absent = files.is_none();
        (self.collect(krate, &files.unwrap_or_default()), is_absent)
    }

    fn load_names(&self, krate: CrateId) -> KeptNames {
        let node = self.node(krate);
        let kept = match self.is_std(krate) {
            true => self.loader.kept_std(Kept::Names, &node.name, &node.cfg),
            false => self.loader.kept_names(krate),
        };
        kept.map(|pack| KeptNames::unpack(&pack)).unwrap_or_default()
    }

    fn collect(&self, krate: CrateId, files: &CrateFiles) -> CrateDefs {
        let extern_macro = |from: CrateId, krate: Name, wanted: Name| self.extern_macro(from, krate, wanted, 0);
        let outside =
            collect::Outside { loader: self.loader, extern_macro: &extern_macro, markers: &self.markers, ahead: &self.ahead };
        collect::collect(krate, self.node(krate), files, &outside)
    }

    /// Gives the loader what this run found out about a crate that never changes.
    pub fn keep_found(&self, krate: CrateId) {
        let Some(model) = self.crates[usize::from(krate)].get() else { return };
        if self.node(krate).is_member {
            return;
        }
        let number = |file| if self.is_std(krate) { None } else { self.loader.lasting_number(krate, file) };
        if let Some(pack) = model.defs.pack(number) {
            self.keep(krate, Kept::Definitions, pack);
        }
        if let Some(pack) = self.pack_names(krate) {
            self.keep(krate, Kept::Names, pack);
        }
    }

    fn keep(&self, krate: CrateId, what: Kept, pack: Vec<u8>) {
        let node = self.node(krate);
        match self.is_std(krate) {
            true => self.loader.keep_std(what, &node.name, &node.cfg, pack),
            false => self.loader.keep(krate, what, pack),
        }
    }

    /// Of a crate that never changes, which reading of its sources the numbers of its definitions are of.
    pub(crate) fn reading(&self, krate: CrateId) -> Option<u64> {
        // The index of std is part of the program.
        if self.is_std(krate) { Some(0) } else { self.loader.reading(krate) }
    }

    pub(crate) fn kept_names(&self, krate: CrateId) -> Option<&KeptNames> {
        self.krate(krate).names.as_ref()
    }

    /// The modules of a crate that something was asked about, in no order.
    pub(crate) fn asked_modules(&self, krate: CrateId) -> impl Iterator<Item = (u32, &ModuleFacts)> {
        self.krate(krate).modules.iter().filter_map(|(module, facts)| Some((*module, &**facts.get()?)))
    }

    /// A macro of the crate that `from` knows as `krate`, or one that it re-exports at its root.
    pub(crate) fn extern_macro(&self, from: CrateId, krate: Name, wanted: Name, depth: u32) -> Option<MacroDef> {
        let root = match self.markers.krate(krate) {
            Some(marked) => self.root(marked),
            None => self.extern_crate(from, krate)?,
        };
        if root.krate == from || depth > 8 {
            return None;
        }
        let defs = &self.krate(root.krate).defs;
        if let Some(def) = defs.own_macro(wanted, self.loader) {
            return Some(def);
        }
        let data = defs.module(ROOT)?;
        data.imports_named(wanted).chain(data.globs()).find_map(|declared| {
            let path = &declared.import.path;
            self.extern_macro(root.krate, *path.first()?, wanted, depth + 1)
        })
    }

    /// The file on the disk behind a file: an expansion's is the one with the call.
    pub fn real_file(&self, krate: CrateId, file: FileId) -> FileId {
        self.krate(krate).defs.called_in(file).unwrap_or(file)
    }

    /// Whether the crate was asked for and its sources are not on this machine.
    pub fn is_absent(&self, krate: CrateId) -> bool {
        self.crates[usize::from(krate)].get().is_some_and(|model| model.is_absent)
    }

    /// A name for a crate that every program has for it; `None` for members, and where two crates would share it.
    pub fn lasting_name(&self, krate: CrateId) -> Option<&str> {
        self.markers.lasting(krate)
    }

    /// The crate that has this lasting name.
    pub fn crate_of_name(&self, lasting: Name) -> Option<CrateId> {
        self.markers.krate(lasting)
    }

    pub fn has_def(&self, id: DefId) -> bool {
        id.index < self.krate(id.krate).defs.len()
    }

    pub fn root(&self, krate: CrateId) -> DefId {
        DefId { krate, index: ROOT }
    }

    pub fn def(&self, id: DefId) -> Def {
        self.krate(id.krate).defs.def(id.index)
    }

    pub fn kind(&self, id: DefId) -> DefKind {
        self.krate(id.krate).defs.kind(id.index)
    }

    pub fn name(&self, id: DefId) -> Name {
        self.krate(id.krate).defs.name(id.index)
    }

    pub(crate) fn facts(&self, id: DefId) -> &DefFacts {
        let index = id.index as usize;
        let together = &self.krate(id.krate).facts[index / TOGETHER];
        together.get_or_init(|| Box::new([const { OnceLock::new() }; TOGETHER]))[index % TOGETHER].get_or_init(Box::default)
    }

    pub(crate) fn module_data(&self, module: DefId) -> Option<&ModuleData> {
        self.krate(module.krate).defs.module(module.index)
    }

    pub(crate) fn module_facts(&self, module: DefId) -> Option<&ModuleFacts> {
        Some(self.krate(module.krate).modules.get(&module.index)?.get_or_init(Box::default))
    }

    /// The file that holds a definition.
    pub fn file(&self, krate: CrateId, file: FileId) -> Option<&Arc<SourceFile>> {
        self.krate(krate).defs.file(file, self.loader)
    }

    /// The item behind a definition; a variant's is its enum. `None` for roots and blocks.
    pub fn item(&self, id: DefId) -> Option<&ast::Item> {
        self.krate(id.krate).defs.item(id.index, self.loader)
    }

    pub fn function(&self, id: DefId) -> Option<&ast::FunctionDeclaration> {
        match &self.item(id)?.kind {
            ItemKind::Function(function) => Some(&function.declaration),
            _ => None,
        }
    }

    /// Where a definition's name stands.
    pub fn place(&self, id: DefId) -> Option<Place> {
        let def = self.def(id);
        let item = self.item(id)?;
        let span = match &item.kind {
            ItemKind::Enum(declared) if def.kind == DefKind::Variant => declared.variants.get(def.variant as usize)?.span,
            _ => item.name_span,
        };
        Some(Place { file: self.real_file(id.krate, def.file), span })
    }

    /// The variants of an enum, the items of a trait or an impl.
    pub fn members_of(&self, id: DefId) -> &[DefId] {
        self.facts(id).members.get_or_init(|| self.krate(id.krate).defs.members(id.index))
    }

    /// The members of that name.
    pub fn members_named(&self, id: DefId, member: Name) -> &[DefId] {
        let names = self.facts(id).member_names.get_or_init(|| {
            let mut names: FxHashMap<Name, Vec<DefId>> = FxHashMap::default();
            for member in self.members_of(id) {
                names.entry(self.name(*member)).or_default().push(*member);
            }
            Box::new(names)
        });
        names.get(&member).map_or(&[], Vec::as_slice)
    }

    pub fn member(&self, id: DefId, member: Name, wanted: impl Fn(DefKind) -> bool) -> Option<DefId> {
        self.members_named(id, member).iter().copied().find(|m| wanted(self.kind(*m)))
    }

    /// Functions, constants and statics of the crate that have a body, in the order of the sources.
    pub fn owners(&self, krate: CrateId) -> impl Iterator<Item = DefId> {
        self.krate(krate).defs.owners()
    }

    /// What a module declares under a name, whatever its namespace, in the order of the sources.
    pub(crate) fn declared(&self, module: DefId, wanted: Name) -> impl DoubleEndedIterator<Item = DefId> {
        let declared = self.module_data(module).into_iter().flat_map(move |data| data.items_named(wanted));
        declared.map(move |index| DefId { krate: module.krate, index }).filter(move |def| self.name(*def) == wanted)
    }

    /// The impl or trait that holds an item.
    pub fn container(&self, id: DefId) -> Option<DefId> {
        let parent = self.def(id).parent;
        matches!(self.kind(parent), DefKind::Impl | DefKind::Trait).then_some(parent)
    }

    /// Whether `module` is `ancestor` or stands inside it.
    pub(crate) fn is_within(&self, module: DefId, ancestor: DefId) -> bool {
        let mut at = module;
        loop {
            if at == ancestor {
                return true;
            }
            let up = self.def(at).parent;
            if up == at || at.krate != ancestor.krate {
                return false;
            }
            at = up;
        }
    }

    pub(crate) fn sees(&self, from: DefId, visibility: Visible) -> bool {
        match visibility {
            Visible::Everywhere => true,
            Visible::Within(module) => self.is_within(from, module),
        }
    }

    /// The public path of a definition as code elsewhere would write it, by its own modules: `std::fs::read`.
    pub fn path_of(&self, id: DefId) -> String {
        let mut segments = Vec::new();
        let mut at = id;
        loop {
            let def = self.def(at);
            match def.kind {
                DefKind::Impl => segments.push(self.impl_self_ty(at).head_name(self)),
                _ if !self.name(at).is_empty() => segments.push(self.name(at).to_string()),
                _ => {}
            }
            if def.parent == at {
                break;
            }
            at = def.parent;
        }
        segments.reverse();
        segments.join("::")
    }
}

impl Program<'_> {
    /// The crates of the standard library, which every body leads into.
    pub fn std_crates(&self) -> [CrateId; 3] {
        self.std
    }

    /// The crates that the `use` declarations of a crate's modules begin with, as far as no macro makes them: this is known before the
    /// crate is loaded.
    pub fn crates_in_use(&self, krate: CrateId) -> Vec<CrateId> {
        let Some(files) = self.loader.load(krate) else { return Vec::new() };
        let node = self.node(krate);
        let mut first_names: FxHashSet<&Name> = FxHashSet::default();
        for facts in files.facts.values() {
            let mut open: Vec<&[ast::ItemId]> = vec![&facts.root];
            while let Some(items) = open.pop() {
                let items = items.iter().filter_map(|id| facts.items.get(*id));
                for item in items.filter(|item| item.cfg.as_ref().is_none_or(|cfg| node.cfg.holds(cfg))) {
                    match &item.kind {
                        ItemKind::Use(imports) => first_names.extend(imports.iter().filter_map(|import| import.path.first())),
                        ItemKind::Module(ast::Module { items: Some(inner), .. }) => open.push(inner),
                        _ => {}
                    }
                }
            }
        }
        let dependencies = node.dependencies.iter().filter(|(name, _)| first_names.contains(name));
        dependencies.map(|(_, dependency)| *dependency).collect()
    }

    /// Loads a crate, unless it is loaded.
    pub fn load(&self, krate: CrateId) {
        self.krate(krate);
    }

    /// Loads a crate, unless it is loaded, and says which crates its `use` declarations begin with.
    pub fn imported_crates(&self, krate: CrateId) -> Vec<CrateId> {
        let imports = self.krate(krate).defs.modules().flat_map(ModuleData::imports);
        let mut imported: Vec<CrateId> = imports
            .filter_map(|import| Some(self.extern_crate(krate, *import.import.path.first()?)?.krate))
            .filter(|imported| *imported != krate)
            .collect();
        imported.sort();
        imported.dedup();
        imported
    }

    /// Whether something has led into the crate yet.
    pub fn is_loaded(&self, krate: CrateId) -> bool {
        self.crates[usize::from(krate)].get().is_some()
    }
}
