//! What a crate defines, as its sources have it: nothing is resolved. Definitions are numbered within their crate, so that the same
//! tables hold in every program with the same sources, and can be kept. Of kept ones only what something asks about is unpacked.

use std::sync::{Arc, OnceLock};

use agentlint_diagnostics::FileId;
use agentlint_syntax::packed::{Lazy, Pack, Packer};
use agentlint_syntax::{
    Name,
    ast::{self, BodyId, ExprId, ImportKind, ItemId, SourceFile, WrittenHead},
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::def::{Def, DefId, DefKind, Visible};
use crate::expand::{FIRST_EXPANSION, MacroDef};
use crate::input::{CrateFiles, CrateId, ExpansionKey, KeptDefinitions, Loader};
use crate::module_data::{CollectedModule, ModuleData};
use crate::stored::{DefTable, StoredDef, StoredVisible};

/// Number 0 is the crate's root module.
pub(crate) const ROOT: u32 = 0;

/// The name of the tables in their pack.
const TABLES: &str = "definitions";

/// The definitions of one crate, in the order of its sources.
pub(crate) struct CrateDefs {
    krate: CrateId,
    tables: Tables,
    /// Another run found it.
    is_kept: bool,
    files: Files,
}

/// Where the facts of the crate's files are.
enum Files {
    Read(FxHashMap<FileId, Arc<SourceFile>>),
    /// Of a crate whose tables were kept. Its files are asked for by number, and its expansions by what names them.
    Kept {
        first: u32,
        files: Vec<Slot>,
        expansions: Vec<Slot>,
    },
}

type Slot = OnceLock<Option<Arc<SourceFile>>>;

/// A file is named by its `FileId`; in kept tables by the number that it has in the crate, but for expansions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tables {
    defs: DefTable,
    pub(crate) modules: FxHashMap<u32, Lazy<ModuleData>>,
    pub(crate) inherent_impls: Lazy<Vec<DeclaredImpl>>,
    /// Impls of traits by the last segment of the trait's path; each list in the order of the sources.
    pub(crate) trait_impls: Lazy<FxHashMap<Name, Lazy<Vec<DeclaredImpl>>>>,
    /// The same impls by the last segment of the self type's path, where it has one.
    pub(crate) trait_impls_on: Lazy<FxHashMap<Name, Vec<u32>>>,
    /// The names that imports bind a name to, other than its own.
    pub(crate) renamed: Lazy<FxHashMap<Name, FxHashSet<Name>>>,
    /// What the names of types that the crate declares, wherever they stand, are the names of.
    pub(crate) types: Lazy<FxHashMap<Name, TypeNames>>,
    /// The names of the traits that it declares.
    pub(crate) traits: Lazy<FxHashSet<Name>>,
    /// Blocks that declare items: by file, body and the block's expression.
    blocks: Lazy<FxHashMap<(u32, BodyId, ExprId), u32>>,
    /// Functions, constants and statics with a body.
    owners: Lazy<Vec<u32>>,
    macros: Lazy<FxHashMap<Name, (u32, ItemId)>>,
    /// Crates declared with `#[macro_use]`.
    pub(crate) macro_use: Vec<Name>,
    expansions: Lazy<Vec<Expansion>>,
}

/// An impl, and what is written of its trait and its self type. Neither its definition nor its item is unpacked to find it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeclaredImpl {
    pub(crate) def: u32,
    /// Where its names are resolved.
    pub(crate) module: u32,
    /// `None` for an inherent impl.
    pub(crate) written_trait: Option<WrittenTrait>,
    pub(crate) self_head: WrittenHead,
}

/// The path of a trait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrittenTrait {
    pub(crate) segments: Box<[Name]>,
    pub(crate) leading_colon: bool,
}

/// The file that only exists as what a macro's call expands to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Expansion {
    /// The file with the call. Spans in the expansion are places of that file.
    pub(crate) called_in: u32,
    /// `None` where it cannot be kept.
    pub(crate) key: Option<ExpansionKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TypeNames {
    /// Of structs, enums and unions alone.
    Adt,
    /// Also of an alias.
    Alias,
}

/// What collecting found, before it is put into tables.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) defs: Vec<StoredDef>,
    /// Theirs, in the same order.
    pub(crate) names: Vec<Name>,
    pub(crate) modules: FxHashMap<u32, CollectedModule>,
    pub(crate) members: FxHashMap<u32, Vec<u32>>,
    /// All but negative ones.
    pub(crate) impls: Vec<DeclaredImpl>,
    pub(crate) types: FxHashMap<Name, TypeNames>,
    pub(crate) traits: FxHashSet<Name>,
    pub(crate) blocks: FxHashMap<(u32, BodyId, ExprId), u32>,
    pub(crate) owners: Vec<u32>,
    pub(crate) macro_use: Vec<Name>,
    pub(crate) expansions: Vec<Expansion>,
    pub(crate) facts: FxHashMap<FileId, Arc<SourceFile>>,
}

impl Collected {
    /// The number of the new definition.
    pub(crate) fn add(&mut self, name: Name, def: StoredDef) -> u32 {
        self.defs.push(def);
        self.names.push(name);
        self.names.len() as u32 - 1
    }
}

impl CrateDefs {
    pub(crate) fn new(krate: CrateId, found: Collected, macros: FxHashMap<Name, (u32, ItemId)>) -> CrateDefs {
        let mut inherent_impls = Vec::new();
        let mut trait_impls: FxHashMap<Name, Vec<DeclaredImpl>> = FxHashMap::default();
        let mut trait_impls_on: FxHashMap<Name, Vec<u32>> = FxHashMap::default();
        for declared in found.impls {
            let Some(written) = declared.written_trait.as_ref().and_then(|written| written.segments.last().copied()) else {
                inherent_impls.push(declared);
                continue;
            };
            if let WrittenHead::Named(name) = declared.self_head {
                trait_impls_on.entry(name).or_default().push(declared.def);
            }
            trait_impls.entry(written).or_default().push(declared);
        }
        let mut renamed: FxHashMap<Name, FxHashSet<Name>> = FxHashMap::default();
        for declared in found.modules.values().flat_map(|module| &module.imports) {
            if let (ImportKind::Named(bound), Some(last)) = (declared.import.kind, declared.import.path.last())
                && bound != *last
            {
                renamed.entry(*last).or_default().insert(bound);
            }
        }
        let trait_impls: FxHashMap<_, _> = trait_impls.into_iter().map(|(name, impls)| (name, impls.into())).collect();
        let tables = Tables {
            defs: DefTable::new(&found.defs, found.names, found.members),
            modules: found.modules.into_iter().map(|(module, data)| (module, ModuleData::from(data).into())).collect(),
            inherent_impls: inherent_impls.into(),
            trait_impls: trait_impls.into(),
            trait_impls_on: trait_impls_on.into(),
            renamed: renamed.into(),
            types: found.types.into(),
            traits: found.traits.into(),
            blocks: found.blocks.into(),
            owners: found.owners.into(),
            macros: macros.into(),
            macro_use: found.macro_use,
            expansions: found.expansions.into(),
        };
        CrateDefs { krate, tables, is_kept: false, files: Files::Read(found.facts) }
    }

    /// What [`CrateDefs::pack`] made in another run. `None` where it is of another form.
    pub(crate) fn kept(krate: CrateId, kept: &KeptDefinitions) -> Option<CrateDefs> {
        let tables = Tables::unpack(&kept.pack)?;
        let slots = |count: usize| (0..count).map(|_| OnceLock::new()).collect();
        let expansions = slots(tables.expansions.len());
        let files = Files::Kept { first: kept.first_file.0, files: slots(kept.files as usize), expansions };
        Some(CrateDefs { krate, tables, is_kept: true, files })
    }

    /// The same of a crate of std, whose files are at hand.
    pub(crate) fn kept_std(krate: CrateId, pack: &Pack, files: &CrateFiles) -> Option<CrateDefs> {
        let tables = Tables::unpack(pack)?;
        Some(CrateDefs { krate, tables, is_kept: true, files: Files::Read(files.facts.clone()) })
    }

    /// The tables for other runs; `None` where they were kept already, and where they hold what has no name in other runs.
    pub(crate) fn pack(&self, number: impl Fn(FileId) -> Option<u32>) -> Option<Vec<u8>> {
        if self.is_kept {
            return None;
        }
        let tables = &self.tables;
        let number = |file: u32| if file >= FIRST_EXPANSION { Some(file) } else { number(FileId(file)) };
        let blocks = tables.blocks.iter().map(|((file, body, expr), def)| Some(((number(*file)?, *body, *expr), *def)));
        let macros = tables.macros.iter().map(|(name, (file, item))| Some((*name, (number(*file)?, *item))));
        let expansions =
            tables.expansions.iter().map(|of| Some(Expansion { called_in: number(of.called_in)?, key: Some(of.key?) }));
        let kept = Tables {
            defs: tables.defs.with_files(number)?,
            blocks: blocks.collect::<Option<FxHashMap<_, _>>>()?.into(),
            macros: macros.collect::<Option<FxHashMap<_, _>>>()?.into(),
            expansions: expansions.collect::<Option<Vec<_>>>()?.into(),
            ..tables.clone()
        };
        let mut packer = Packer::default();
        packer.add(TABLES, &kept)?;
        packer.finish()
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn len(&self) -> u32 {
        self.tables.defs.len()
    }

    fn id(&self, index: u32) -> DefId {
        DefId { krate: self.krate, index }
    }

    pub(crate) fn kind(&self, index: u32) -> DefKind {
        self.tables.defs.kind(index)
    }

    pub(crate) fn name(&self, index: u32) -> Name {
        self.tables.defs.name(index)
    }

    pub(crate) fn def(&self, index: u32) -> Def {
        let stored = self.tables.defs.get(index);
        Def {
            kind: stored.kind,
            parent: self.id(stored.parent),
            module: self.id(stored.module),
            file: self.file_id(stored.file),
            item: stored.item,
            variant: stored.variant,
            visibility: self.visible(stored.visibility),
            is_test: stored.is_test,
        }
    }

    /// The item behind a definition; `None` for roots and blocks.
    pub(crate) fn item(&self, index: u32, loader: &dyn Loader) -> Option<&ast::Item> {
        let stored = self.tables.defs.get(index);
        let is_written = stored.kind != DefKind::Module || (stored.parent != index && !self.name(index).is_empty());
        if !is_written {
            return None;
        }
        self.file(self.file_id(stored.file), loader)?.items.get(stored.item)
    }

    pub(crate) fn visible(&self, stored: StoredVisible) -> Visible {
        match stored {
            StoredVisible::Everywhere => Visible::Everywhere,
            StoredVisible::Within(module) => Visible::Within(self.id(module)),
        }
    }

    /// The items of an impl or a trait, or the variants of an enum.
    pub(crate) fn members(&self, holder: u32) -> Box<[DefId]> {
        self.tables.defs.members(holder).map(|member| self.id(member)).collect()
    }

    pub(crate) fn module(&self, index: u32) -> Option<&ModuleData> {
        self.tables.modules.get(&index).map(|data| &**data)
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &ModuleData> {
        self.tables.modules.values().map(|data| &**data)
    }

    pub(crate) fn owners(&self) -> impl Iterator<Item = DefId> {
        self.tables.owners.iter().map(|owner| self.id(*owner))
    }

    /// The block that the expression of a body is, where it declares items.
    pub(crate) fn block(&self, file: FileId, body: BodyId, expr: ExprId) -> Option<DefId> {
        self.tables.blocks.get(&(self.number(file), body, expr)).map(|block| self.id(*block))
    }

    /// All blocks of a body that declare items, in no order.
    pub(crate) fn blocks_of(&self, file: FileId, body: BodyId) -> impl Iterator<Item = DefId> {
        let file = self.number(file);
        let blocks = self.tables.blocks.iter().filter(move |((of, id, _), _)| *of == file && *id == body);
        blocks.map(|(_, block)| self.id(*block))
    }

    pub(crate) fn has_macro(&self, wanted: Name) -> bool {
        self.tables.macros.contains_key(&wanted)
    }

    /// A `macro_rules!` of the crate, wherever it stands.
    pub(crate) fn own_macro(&self, wanted: Name, loader: &dyn Loader) -> Option<MacroDef> {
        let (file, item) = *self.tables.macros.get(&wanted)?;
        Some(MacroDef { krate: self.krate, facts: Arc::clone(self.file(self.file_id(file), loader)?), item })
    }

    /// The file with the call, of an expansion.
    pub(crate) fn called_in(&self, file: FileId) -> Option<FileId> {
        let expansion = self.tables.expansions.get(file.0.checked_sub(FIRST_EXPANSION)? as usize)?;
        Some(self.file_id(expansion.called_in))
    }

    pub(crate) fn file(&self, file: FileId, loader: &dyn Loader) -> Option<&Arc<SourceFile>> {
        match &self.files {
            Files::Read(facts) => facts.get(&file),
            Files::Kept { expansions, .. } if file.0 >= FIRST_EXPANSION => {
                let at = (file.0 - FIRST_EXPANSION) as usize;
                let read = || loader.kept_expansion(self.krate, self.tables.expansions.get(at)?.key?);
                expansions.get(at)?.get_or_init(read).as_ref()
            }
            Files::Kept { first, files, .. } => {
                let number = file.0.checked_sub(*first)?;
                files.get(number as usize)?.get_or_init(|| loader.kept_file(self.krate, number)).as_ref()
            }
        }
    }

    fn file_id(&self, number: u32) -> FileId {
        match &self.files {
            Files::Kept { first, .. } if number < FIRST_EXPANSION => FileId(first + number),
            _ => FileId(number),
        }
    }

    /// How the tables name a file.
    fn number(&self, file: FileId) -> u32 {
        match &self.files {
            Files::Kept { first, .. } if file.0 < FIRST_EXPANSION => file.0.wrapping_sub(*first),
            _ => file.0,
        }
    }
}

impl Tables {
    fn unpack(pack: &Pack) -> Option<Tables> {
        let tables: Tables = pack.get(TABLES)?;
        (tables.defs.len() > ROOT).then_some(tables)
    }
}
