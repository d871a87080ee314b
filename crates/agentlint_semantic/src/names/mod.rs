//! Name resolution on demand: a name is looked up when something asks for it, through imports, globs, re-exports and preludes.
//!
//! Nothing is resolved ahead of time, so a dependency's private imports never cause its own dependencies to be read.

mod kept;

use agentlint_syntax::{
    Name,
    ast::{Fields, Import, ImportKind, ItemKind},
    name,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::def::{DefId, DefKind, Visible};
use crate::input::{CrateId, Edition};
use crate::module_data::ModuleImport;
use crate::program::Program;
use crate::types::{Ty, primitive};

pub(crate) use self::kept::KeptNames;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace {
    Type,
    Value,
    Macro,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Def(DefId),
    Primitive(Ty),
}

/// How far a path leads: the rest is relative to a type or a trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathResolution {
    pub to: Resolution,
    /// How many segments were used.
    pub used: usize,
}

type Found = Option<(DefId, Visible)>;

/// The traits that a module declares or imports by name, and the modules that its globs open.
#[derive(Debug, Default)]
pub(crate) struct OwnTraits {
    declared: Vec<DefId>,
    opened: Vec<DefId>,
}

/// One question's memory: each name of each module is looked at once, which also ends cycles of globs and imports.
#[derive(Default)]
struct Trail {
    seen: FxHashMap<(DefId, Name, Namespace), Found>,
    /// How deep the question is nested.
    depth: u32,
}

/// Longer chains of re-exports than this are taken for a cycle.
const DEEPEST: u32 = 128;

impl Program<'_> {
    /// What `wanted` means as a member of `module`: its own items, its imports, its globs.
    pub fn lookup(&self, module: DefId, wanted: Name, namespace: Namespace) -> Option<DefId> {
        self.lookup_cached(module, wanted, namespace, &mut Trail::default()).map(|(def, _)| def)
    }

    fn lookup_cached(&self, module: DefId, wanted: Name, namespace: Namespace, trail: &mut Trail) -> Found {
        let facts = self.module_facts(module)?;
        let key = (wanted, namespace);
        if let Some(found) = facts.names.read().unwrap_or_else(|e| e.into_inner()).get(&key) {
            return *found;
        }
        if let Some(found) = self.kept_name(module, wanted, namespace) {
            facts.names.write().unwrap_or_else(|e| e.into_inner()).insert(key, found);
            return found;
        }
        if let Some(found) = trail.seen.get(&(module, wanted, namespace)) {
            return *found;
        }
        if trail.depth > DEEPEST {
            return None;
        }
        trail.seen.insert((module, wanted, namespace), None);
        trail.depth += 1;
        let found = self.lookup_uncached(module, wanted, namespace, trail);
        trail.depth -= 1;
        trail.seen.insert((module, wanted, namespace), found);
        // Inside a longer question an answer may rest on a cycle that was cut, unless it was found outright.
        if trail.depth == 0 || found.is_some() {
            self.missed_name(module, found);
            facts.names.write().unwrap_or_else(|e| e.into_inner()).insert(key, found);
        }
        found
    }

    fn lookup_uncached(&self, module: DefId, wanted: Name, namespace: Namespace, trail: &mut Trail) -> Found {
        let data = self.module_data(module)?;
        let own = self.declared(module, wanted);
        if let Some(found) = own.filter(|def| self.stands_in(*def, namespace)).last() {
            return Some((found, self.def(found).visibility));
        }
        let visible = |declared: &ModuleImport| self.krate(module.krate).defs.visible(declared.visibility);
        for declared in data.imports_named(wanted) {
            let is_self = matches!(declared.import.kind, ImportKind::SelfOf(_));
            if is_self && namespace != Namespace::Type {
                continue;
            }
            if let Some(found) = self.import_target(module, &declared.import, namespace, trail) {
                return Some((found, visible(declared)));
            }
        }
        if namespace == Namespace::Type
            && let Some((_, krate)) = data.extern_crates.iter().find(|(bound, _)| *bound == wanted)
            && let Some(root) = self.extern_crate(module.krate, *krate)
        {
            return Some((root, Visible::Everywhere));
        }
        for declared in data.globs() {
            let Some(source) = self.import_target(module, &declared.import, Namespace::Type, trail) else { continue };
            let found = match self.kind(source) {
                DefKind::Module => self.lookup_cached(source, wanted, namespace, trail),
                DefKind::Enum => self.member(source, wanted, |k| k == DefKind::Variant).map(|v| (v, Visible::Everywhere)),
                _ => None,
            };
            if let Some((found, visibility)) = found
                && self.sees(module, visibility)
            {
                return Some((found, visible(declared)));
            }
        }
        None
    }

    /// What an import's path leads to (for a glob: the module or enum it opens).
    fn import_target(&self, module: DefId, import: &Import, namespace: Namespace, trail: &mut Trail) -> Option<DefId> {
        let is_2015 = self.node(module.krate).edition == Edition::E2015;
        if import.path.is_empty() {
            return Some(self.root(module.krate));
        }
        let found = self.walk(module, &import.path, import.leading_colon, namespace, is_2015, trail)?;
        match found {
            PathResolution { to: Resolution::Def(def), used } if used == import.path.len() => Some(def),
            _ => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn imported(&self, module: DefId, import: &Import, namespace: Namespace) -> Option<DefId> {
        self.import_target(module, import, namespace, &mut Trail::default())
    }

    /// Whether a definition can be meant where a name of that namespace stands.
    fn stands_in(&self, def: DefId, namespace: Namespace) -> bool {
        match (self.kind(def), namespace) {
            (DefKind::Function | DefKind::Const | DefKind::Static, Namespace::Value) => true,
            (DefKind::Struct, Namespace::Value) => self.has_constructor(def),
            (DefKind::Variant, Namespace::Type | Namespace::Value) => true,
            (DefKind::MacroRules, Namespace::Macro) => true,
            (
                DefKind::Module
                | DefKind::Struct
                | DefKind::Union
                | DefKind::Enum
                | DefKind::Trait
                | DefKind::TypeAlias
                | DefKind::AssocType,
                Namespace::Type,
            ) => true,
            _ => false,
        }
    }

    /// Tuple and unit structs are values too.
    fn has_constructor(&self, def: DefId) -> bool {
        match self.item(def).map(|item| &item.kind) {
            Some(ItemKind::Struct(declared)) => !matches!(declared.declaration.fields, Fields::Named(_)),
            _ => false,
        }
    }

    /// The root of the crate that `krate` knows by that name.
    pub(crate) fn extern_crate(&self, krate: CrateId, wanted: Name) -> Option<DefId> {
        if wanted == "self" {
            return Some(self.root(krate));
        }
        let listed = self.node(krate).dependencies.iter().find(|(known, _)| *known == wanted);
        if let Some((_, id)) = listed {
            return Some(self.root(*id));
        }
        let which = ["core", "alloc", "std"].iter().position(|known| wanted == *known)?;
        Some(self.root(self.std_crate(which)))
    }

    /// Resolves a path as written in `module` (which may be a block). Locals and generic parameters are the caller's to try.
    pub fn resolve_path(
        &self,
        module: DefId,
        path: &[Name],
        leading_colon: bool,
        namespace: Namespace,
    ) -> Option<PathResolution> {
        self.walk(module, path, leading_colon, namespace, false, &mut Trail::default())
    }

    fn walk(
        &self,
        module: DefId,
        path: &[Name],
        leading_colon: bool,
        namespace: Namespace,
        from_root: bool,
        trail: &mut Trail,
    ) -> Option<PathResolution> {
        let first_namespace = if path.len() == 1 { namespace } else { Namespace::Type };
        let (mut at, mut used) = self.first_segment(module, path, leading_colon, first_namespace, from_root, trail)?;
        while used < path.len() {
            let Resolution::Def(def) = at else { break };
            let wanted = path[used];
            let is_last = used + 1 == path.len();
            let next = match self.kind(def) {
                DefKind::Module => {
                    let here = if is_last { namespace } else { Namespace::Type };
                    let found = self.lookup_cached(def, wanted, here, trail).map(|(found, _)| found);
                    match found {
                        Some(found) => found,
                        // `f64::from` where `std::f64` was imported.
                        None => match primitive(&self.name(def)).filter(|_| self.is_std(def.krate)) {
                            Some(ty) => return Some(PathResolution { to: Resolution::Primitive(ty), used }),
                            None => return None,
                        },
                    }
                }
                DefKind::Enum => match self.member(def, wanted, |kind| kind == DefKind::Variant) {
                    Some(variant) => variant,
                    None => break,
                },
                _ => break,
            };
            at = Resolution::Def(next);
            used += 1;
        }
        Some(PathResolution { to: at, used })
    }

    fn first_segment(
        &self,
        module: DefId,
        path: &[Name],
        leading_colon: bool,
        namespace: Namespace,
        from_root: bool,
        trail: &mut Trail,
    ) -> Option<(Resolution, usize)> {
        let first = *path.first()?;
        let root = self.root(module.krate);
        match first.as_str() {
            "crate" | "$crate" if !leading_colon => return Some((Resolution::Def(root), 1)),
            "self" | "super" if !leading_colon => {
                let mut at = self.plain_module(module);
                let mut used = 0;
                for segment in path {
                    match segment.as_str() {
                        "self" => {}
                        "super" => at = self.plain_module(self.def(at).parent),
                        _ => break,
                    }
                    used += 1;
                }
                return Some((Resolution::Def(at), used));
            }
            _ => {}
        }
        if let Some(krate) = self.markers.krate(first) {
            return Some((Resolution::Def(self.root(krate)), 1));
        }
        let is_2015 = self.node(module.krate).edition == Edition::E2015;
        if leading_colon && !is_2015 {
            return Some((Resolution::Def(self.extern_crate(module.krate, first)?), 1));
        }
        let start = if leading_colon || from_root { root } else { module };
        let found = self.lexical(start, first, namespace, trail);
        found.map(|to| (to, 1))
    }

    fn lexical(&self, module: DefId, wanted: Name, namespace: Namespace, trail: &mut Trail) -> Option<Resolution> {
        // Inside a longer question an answer may rest on a cycle that was cut.
        let facts = self.module_facts(module).filter(|_| trail.seen.is_empty());
        let key = (wanted, namespace);
        if let Some(facts) = facts
            && let Some(known) = facts.lexical.read().unwrap_or_else(|e| e.into_inner()).get(&key)
        {
            return *known;
        }
        let found = self.lexical_anew(module, wanted, namespace, trail);
        if let Some(facts) = facts {
            facts.lexical.write().unwrap_or_else(|e| e.into_inner()).insert(key, found);
        }
        found
    }

    fn lexical_anew(&self, module: DefId, wanted: Name, namespace: Namespace, trail: &mut Trail) -> Option<Resolution> {
        let mut at = module;
        loop {
            if let Some((found, _)) = self.lookup_cached(at, wanted, namespace, trail) {
                return Some(Resolution::Def(found));
            }
            if !self.module_data(at).is_some_and(|data| data.is_block) {
                break;
            }
            at = self.def(at).parent;
        }
        if namespace == Namespace::Type
            && let Some(root) = self.extern_prelude(module.krate, wanted)
        {
            return Some(Resolution::Def(root));
        }
        let prelude = self.prelude(module.krate)?;
        if prelude != at
            && let Some((found, _)) = self.lookup_cached(prelude, wanted, namespace, trail)
        {
            return Some(Resolution::Def(found));
        }
        if namespace != Namespace::Type { None } else { primitive(&wanted).map(Resolution::Primitive) }
    }

    fn extern_prelude(&self, krate: CrateId, wanted: Name) -> Option<DefId> {
        if let Some((_, known)) =
            self.module_data(self.root(krate)).and_then(|data| data.extern_crates.iter().find(|(bound, _)| *bound == wanted))
        {
            return self.extern_crate(krate, *known);
        }
        self.extern_crate(krate, wanted).filter(|_| wanted != "self")
    }

    /// The module or root around a block.
    pub(crate) fn plain_module(&self, mut module: DefId) -> DefId {
        while self.module_data(module).is_some_and(|data| data.is_block) {
            module = self.def(module).parent;
        }
        module
    }

    /// The prelude of the crate's edition.
    pub(crate) fn prelude(&self, krate: CrateId) -> Option<DefId> {
        let inside_std = self.is_std(krate);
        let edition = self.node(krate).edition;
        let text = match edition {
            Edition::E2015 => "rust_2015",
            Edition::E2018 => "rust_2018",
            Edition::E2021 => "rust_2021",
            Edition::E2024 => "rust_2024",
        };
        let of_core = inside_std && krate != self.std_crate(2);
        let known = &self.preludes[usize::from(of_core)][edition as usize];
        if let Some(prelude) = known.get() {
            return *prelude;
        }
        let root = self.root(self.std_crate(if of_core { 0 } else { 2 }));
        let preludes = self.lookup(root, name("prelude"), Namespace::Type);
        let prelude = preludes.and_then(|preludes| self.lookup(preludes, name(text), Namespace::Type));
        *known.get_or_init(|| prelude)
    }

    /// The traits whose methods can be called in `module`: its own and imported ones, those of enclosing blocks, and the prelude's.
    pub(crate) fn traits_in_scope(&self, module: DefId, method: Name) -> Vec<DefId> {
        let mut found = Vec::new();
        let mut at = module;
        loop {
            self.module_traits(at, method, &mut found);
            if !self.module_data(at).is_some_and(|data| data.is_block) {
                break;
            }
            at = self.def(at).parent;
        }
        if let Some(prelude) = self.prelude(module.krate) {
            self.module_traits(prelude, method, &mut found);
        }
        found.dedup();
        found
    }

    fn module_traits(&self, module: DefId, method: Name, found: &mut Vec<DefId>) {
        let Some(facts) = self.module_facts(module) else { return };
        let by_method = facts.trait_methods.get_or_init(|| {
            let mut by_method: FxHashMap<Name, Vec<DefId>> = FxHashMap::default();
            for trait_def in self.all_traits_of(module) {
                for member in self.members_of(trait_def) {
                    if self.kind(*member) == DefKind::Function {
                        by_method.entry(self.name(*member)).or_default().push(trait_def);
                    }
                }
            }
            by_method
        });
        found.extend(by_method.get(&method).into_iter().flatten());
    }

    /// Every trait that a module declares or imports, globs too. Modules that open each other are each looked at once.
    fn all_traits_of(&self, module: DefId) -> Vec<DefId> {
        let mut traits = Vec::new();
        let mut seen = FxHashSet::from_iter([module]);
        // With each module the globs that led to it from another crate: the module that it opens, and where it stands.
        let mut open: Vec<(DefId, Vec<(DefId, DefId)>)> = vec![(module, Vec::new())];
        while let Some((at, ways)) = open.pop() {
            let Some(facts) = self.module_facts(at) else { continue };
            let own = facts.traits.get_or_init(|| self.own_traits_of(at));
            let is_seen = |def: &DefId| ways.iter().all(|(source, importer)| self.trait_is_seen(*def, *source, *importer));
            traits.extend(own.declared.iter().copied().filter(is_seen));
            for source in own.opened.iter().rev() {
                if seen.insert(*source) {
                    let mut ways = ways.clone();
                    if source.krate != at.krate {
                        ways.push((*source, at));
                    }
                    open.push((*source, ways));
                }
            }
        }
        let mut seen = FxHashSet::default();
        traits.retain(|def| seen.insert(*def));
        traits
    }

    fn own_traits_of(&self, module: DefId) -> OwnTraits {
        let Some(data) = self.module_data(module) else { return OwnTraits::default() };
        let is_trait = |def: &DefId| self.kind(*def) == DefKind::Trait;
        let items = data.items().map(|index| DefId { krate: module.krate, index });
        let mut own = OwnTraits { declared: items.filter(is_trait).collect(), opened: Vec::new() };
        own.declared.sort();
        for declared in data.imports() {
            let mut trail = Trail::default();
            let Some(target) = self.import_target(module, &declared.import, Namespace::Type, &mut trail) else { continue };
            match (declared.import.kind, self.kind(target)) {
                (ImportKind::Glob, DefKind::Module) => own.opened.push(target),
                (ImportKind::Glob, _) => {}
                (_, DefKind::Trait) => own.declared.push(target),
                _ => {}
            }
        }
        own
    }

    /// Whether a glob over `source` brings the trait into `module`: a private import of another crate's module does not.
    fn trait_is_seen(&self, def: DefId, source: DefId, module: DefId) -> bool {
        if source.krate == module.krate {
            return true;
        }
        let wanted = self.name(def);
        self.lookup_cached(source, wanted, Namespace::Type, &mut Trail::default())
            .is_none_or(|(found, visibility)| found != def || self.sees(module, visibility))
    }
}
