//! A crate's definitions as rows of numbers, so that those of a dependency are read where they were kept.

use agentlint_syntax::packed::{Names, Rows};
use agentlint_syntax::{Name, ast::ItemId};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::def::DefKind;
use crate::definitions::ROOT;

/// A definition but for its name; what it refers to are definitions of the same crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredDef {
    pub(crate) kind: DefKind,
    pub(crate) parent: u32,
    pub(crate) module: u32,
    pub(crate) file: u32,
    pub(crate) item: ItemId,
    pub(crate) variant: u32,
    pub(crate) visibility: StoredVisible,
    pub(crate) is_test: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredVisible {
    #[default]
    Everywhere,
    Within(u32),
}

/// The definitions of a crate, in the order of their numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct DefTable {
    /// See [`row`].
    rows: Rows<7>,
    names: Names,
    /// Impls, traits and enums, in the order of their numbers, and where in `members` theirs end.
    holders: Rows<2>,
    members: Rows<1>,
}

impl DefTable {
    /// `members` has the items of impls and traits, and the variants of enums.
    pub(crate) fn new(defs: &[StoredDef], names: Vec<Name>, members: FxHashMap<u32, Vec<u32>>) -> DefTable {
        let mut members: Vec<(u32, Vec<u32>)> = members.into_iter().collect();
        members.sort_unstable_by_key(|(holder, _)| *holder);
        let ends = members.iter().scan(0, |end, (holder, members)| {
            *end += members.len() as u32;
            Some([*holder, *end])
        });
        DefTable {
            rows: defs.iter().map(row).collect(),
            names: names.into_iter().collect(),
            holders: ends.collect(),
            members: members.iter().flat_map(|(_, members)| members).map(|member| [*member]).collect(),
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// A number that no definition has, which only damage brings about, leads to an empty module.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> StoredDef {
        let Some([what, parent, module, file, item, variant, within]) = self.rows.get(index as usize) else {
            return StoredDef { parent: index, ..StoredDef::root(0) };
        };
        StoredDef {
            kind: kind(what),
            parent,
            module,
            file,
            item: ItemId::from_raw(item),
            variant,
            visibility: if what & WITHIN == 0 { StoredVisible::Everywhere } else { StoredVisible::Within(within) },
            is_test: what & TEST != 0,
        }
    }

    pub(crate) fn kind(&self, index: u32) -> DefKind {
        self.rows.get(index as usize).map_or(DefKind::Module, |[what, ..]| kind(what))
    }

    pub(crate) fn name(&self, index: u32) -> Name {
        self.names.get(index as usize).unwrap_or_default()
    }

    /// The items of an impl or a trait, or the variants of an enum.
    pub(crate) fn members(&self, holder: u32) -> impl Iterator<Item = u32> {
        let at = self.holders.partition_point(|[before, _]| before < holder);
        let end = self.holders.get(at).filter(|[found, _]| *found == holder).map_or(0, |[_, end]| end);
        let start = at.checked_sub(1).and_then(|before| self.holders.get(before)).map_or(0, |[_, end]| end);
        (start..end).map_while(|member| self.members.get(member as usize)).map(|[member]| member)
    }

    /// The same with other numbers of files.
    pub(crate) fn with_files(&self, number: impl Fn(u32) -> Option<u32>) -> Option<DefTable> {
        let rows = self.rows.iter().map(|[what, parent, module, file, item, variant, within]| {
            Some([what, parent, module, number(file)?, item, variant, within])
        });
        Some(DefTable { rows: rows.collect::<Option<Vec<_>>>()?.into_iter().collect(), ..self.clone() })
    }
}

impl StoredDef {
    /// The root module of a crate, which begins in `file`.
    pub(crate) fn root(file: u32) -> StoredDef {
        StoredDef {
            kind: DefKind::Module,
            parent: ROOT,
            module: ROOT,
            file,
            item: ItemId::from_raw(0),
            variant: 0,
            visibility: StoredVisible::Everywhere,
            is_test: false,
        }
    }
}

/// In the first number of a row, beside the kind.
const TEST: u32 = 1 << 8;
const WITHIN: u32 = 1 << 9;

fn row(def: &StoredDef) -> [u32; 7] {
    let (visibility, within) = match def.visibility {
        StoredVisible::Everywhere => (0, 0),
        StoredVisible::Within(module) => (WITHIN, module),
    };
    let what = def.kind as u32 | if def.is_test { TEST } else { 0 } | visibility;
    [what, def.parent, def.module, def.file, def.item.raw(), def.variant, within]
}

fn kind(what: u32) -> DefKind {
    DefKind::ALL.get((what & 0xff) as usize).copied().unwrap_or(DefKind::Module)
}

#[cfg(test)]
mod tests {
    use agentlint_syntax::name;

    use super::*;

    fn defs() -> Vec<StoredDef> {
        let of = |(number, kind): (usize, DefKind)| {
            let index = number as u32;
            let visibility = if number % 3 == 0 { StoredVisible::Everywhere } else { StoredVisible::Within(index) };
            StoredDef { kind, parent: index, item: ItemId::from_raw(7 * index), visibility, is_test: number % 2 == 0, ..root() }
        };
        DefKind::ALL.into_iter().enumerate().map(of).collect()
    }

    fn root() -> StoredDef {
        StoredDef { variant: 3, module: 9, ..StoredDef::root(4) }
    }

    #[test]
    fn definitions_of_every_kind_come_back_from_their_rows() {
        let defs = defs();
        let table = DefTable::new(&defs, vec![name("first"), name("second")], FxHashMap::default());
        assert_eq!((0..table.len()).map(|index| table.get(index)).collect::<Vec<_>>(), defs);
        assert_eq!((0..table.len()).map(|index| table.kind(index)).collect::<Vec<_>>(), DefKind::ALL);
        assert_eq!((table.name(1), table.name(2)), (name("second"), name("")));
        let beyond = table.get(table.len());
        assert_eq!((beyond.kind, beyond.parent), (DefKind::Module, table.len()));
    }

    #[test]
    fn members_are_found_by_who_holds_them() {
        let members = FxHashMap::from_iter([(9, vec![1, 2]), (4, vec![8]), (5, vec![]), (30, vec![7, 6, 5])]);
        let table = DefTable::new(&defs(), Vec::new(), members);
        let found = [0, 4, 5, 6, 9, 30, 31].map(|holder| table.members(holder).collect::<Vec<_>>());
        assert_eq!(found, [vec![], vec![8], vec![], vec![], vec![1, 2], vec![7, 6, 5], vec![]]);
    }

    #[test]
    fn files_get_other_numbers_or_none() {
        let table = DefTable::new(&defs(), Vec::new(), FxHashMap::default());
        let moved = table.with_files(|file| Some(file + 1)).expect("every file has a number");
        assert_eq!((table.get(2).file, moved.get(2)), (4, StoredDef { file: 5, ..table.get(2) }));
        assert!(table.with_files(|_| None).is_none());
    }
}
