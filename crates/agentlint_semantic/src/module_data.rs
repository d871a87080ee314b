//! What a module or a block declares, as its sources have it. Names are looked up when they are needed.

use std::hash::Hasher;

use agentlint_syntax::Name;
use agentlint_syntax::ast::{Import, ImportKind};
use agentlint_syntax::packed::{Lazy, Rows};
use fnv::FnvHasher;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::stored::StoredVisible;

/// Of a dependency's module most is never asked about: it is found without its name being unpacked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ModuleData {
    /// Declared here; a name may stand in several namespaces, and more than once under different `cfg`s.
    items: ByName,
    imports: Vec<Lazy<ModuleImport>>,
    /// By the name that they bind: positions in `imports`.
    named_imports: ByName,
    globs: Vec<u32>,
    /// `extern crate` declarations: the name that is bound, and the crate's.
    pub(crate) extern_crates: Vec<(Name, Name)>,
    /// Whether the module is a block: names not found go on to its parent.
    pub(crate) is_block: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ModuleImport {
    pub(crate) import: Import,
    pub(crate) visibility: StoredVisible,
}

/// A module while its crate is collected.
#[derive(Default)]
pub(crate) struct CollectedModule {
    pub(crate) items: FxHashMap<Name, SmallVec<[u32; 2]>>,
    pub(crate) imports: Vec<ModuleImport>,
    named_imports: FxHashMap<Name, SmallVec<[u32; 2]>>,
    globs: Vec<u32>,
    pub(crate) extern_crates: Vec<(Name, Name)>,
    pub(crate) is_block: bool,
}

/// Numbers by name. Names with the same checksum are not told apart: who looks one up has to look at what it found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ByName(Rows<2>);

impl ModuleData {
    /// The definitions that may have that name, in the order of the sources.
    pub(crate) fn items_named(&self, wanted: Name) -> impl DoubleEndedIterator<Item = u32> {
        self.items.get(wanted)
    }

    /// All definitions, in no order.
    pub(crate) fn items(&self) -> impl Iterator<Item = u32> {
        self.items.0.iter().map(|[_, def]| def)
    }

    pub(crate) fn imports(&self) -> impl Iterator<Item = &ModuleImport> {
        self.imports.iter().map(|import| &**import)
    }

    /// Those that bind the name.
    pub(crate) fn imports_named(&self, wanted: Name) -> impl Iterator<Item = &ModuleImport> {
        self.at(self.named_imports.get(wanted)).filter(move |declared| declared.import.kind.bound() == Some(wanted))
    }

    pub(crate) fn globs(&self) -> impl Iterator<Item = &ModuleImport> {
        self.at(self.globs.iter().copied())
    }

    fn at(&self, positions: impl Iterator<Item = u32>) -> impl Iterator<Item = &ModuleImport> {
        positions.filter_map(|position| self.imports.get(position as usize)).map(|import| &**import)
    }
}

impl CollectedModule {
    pub(crate) fn block() -> CollectedModule {
        CollectedModule { is_block: true, ..CollectedModule::default() }
    }

    pub(crate) fn add_import(&mut self, declared: ModuleImport) {
        let position = self.imports.len() as u32;
        match declared.import.kind {
            ImportKind::Glob => self.globs.push(position),
            kind => {
                if let Some(bound) = kind.bound() {
                    self.named_imports.entry(bound).or_default().push(position);
                }
            }
        }
        self.imports.push(declared);
    }

    /// The first import that binds the name.
    pub(crate) fn import_named(&self, wanted: Name) -> Option<&Import> {
        let position = self.named_imports.get(&wanted)?.first()?;
        Some(&self.imports.get(*position as usize)?.import)
    }
}

impl From<CollectedModule> for ModuleData {
    fn from(found: CollectedModule) -> ModuleData {
        ModuleData {
            items: ByName::new(found.items),
            imports: found.imports.into_iter().map(Lazy::from).collect(),
            named_imports: ByName::new(found.named_imports),
            globs: found.globs,
            extern_crates: found.extern_crates,
            is_block: found.is_block,
        }
    }
}

impl ByName {
    fn new(numbers: FxHashMap<Name, SmallVec<[u32; 2]>>) -> ByName {
        let pairs =
            numbers.into_iter().flat_map(|(name, numbers)| numbers.into_iter().map(move |number| [checksum(name), number]));
        let mut pairs: Vec<[u32; 2]> = pairs.collect();
        pairs.sort_unstable();
        ByName(pairs.into_iter().collect())
    }

    fn get(&self, wanted: Name) -> impl DoubleEndedIterator<Item = u32> {
        let wanted = checksum(wanted);
        let start = self.0.partition_point(|[checksum, _]| checksum < wanted);
        let of_name = move |row: usize| self.0.get(row).filter(|[checksum, _]| *checksum == wanted).map(|[_, number]| number);
        let end = (start..).find(|row| of_name(*row).is_none()).unwrap_or(start);
        (start..end).filter_map(of_name)
    }
}

/// The same in every build, unlike what a hasher of Rust's gives: it is kept.
pub(crate) fn checksum(name: Name) -> u32 {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use agentlint_syntax::name;

    use super::*;

    #[test]
    fn numbers_are_found_by_name_in_their_order() {
        let pairs = [("a", vec![3, 5, 9]), ("b", vec![4]), ("c", vec![1, 2])];
        let numbers = pairs.map(|(text, numbers)| (name(text), SmallVec::from_vec(numbers)));
        let by_name = ByName::new(numbers.into_iter().collect());
        let found = |text: &str| by_name.get(name(text)).collect::<Vec<_>>();
        assert_eq!([found("a"), found("b"), found("c"), found("d")], [vec![3, 5, 9], vec![4], vec![1, 2], vec![]]);
    }

    #[test]
    fn names_with_one_checksum_are_told_apart() {
        let (one, other) = (name("set_recv_open_new"), name("read_read_new_push"));
        assert_eq!(checksum(one), checksum(other));
        let mut found = CollectedModule::default();
        for bound in [one, other] {
            let import = Import { kind: ImportKind::Named(bound), path: vec![name("x"), bound], ..Import::default() };
            found.add_import(ModuleImport { import, visibility: StoredVisible::Everywhere });
        }
        let data = ModuleData::from(found);
        let paths = |wanted| data.imports_named(wanted).map(|declared| declared.import.path.clone()).collect::<Vec<_>>();
        assert_eq!((paths(one), paths(other)), (vec![vec![name("x"), one]], vec![vec![name("x"), other]]));
    }
}
