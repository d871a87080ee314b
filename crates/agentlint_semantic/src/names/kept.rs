//! What names mean in the modules of a crate that never changes, kept from run to run.
//!
//! An answer names definitions by their numbers, also those of other crates: it holds for one reading of each.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use agentlint_syntax::packed::{Names, Pack, Packer, Rows};
use agentlint_syntax::{Name, name};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Found, Namespace};
use crate::def::{DefId, Visible};
use crate::input::CrateId;
use crate::module_data::checksum;
use crate::program::Program;

/// The name of the table in its pack.
const TABLE: &str = "names";

/// More answers than this are not kept of one crate.
const MOST: usize = 1 << 16;

/// The answers that were kept of one crate, and how many it has found beside them.
#[derive(Debug, Default)]
pub(crate) struct KeptNames {
    table: Table,
    /// The crates of the table, once something asked for them; `None` for such as were read anew since then.
    crates: Box<[OnceLock<Option<CrateId>>]>,
    new: AtomicU32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Table {
    /// In their order; see [`Answer`].
    rows: Rows<5>,
    /// What each row's answer is to.
    names: Names,
    /// The names that these crates have in every program, and of which reading they were.
    crates: Vec<(Name, u64)>,
}

/// The columns of a row: the module, the name's checksum, the namespace with what is found, where it is, and from where it may be
/// used.
type Answer = [u32; 5];

const NAMESPACES: [Namespace; 3] = [Namespace::Type, Namespace::Value, Namespace::Macro];
const NAMESPACE: u32 = 3;
/// Beside the namespace: something is found; it may be used within a module of the crate alone. The number of its crate stands above.
const FOUND: u32 = 1 << 2;
const WITHIN: u32 = 1 << 3;
const CRATE: u32 = 4;

impl KeptNames {
    pub(crate) fn unpack(pack: &Pack) -> KeptNames {
        let table: Table = pack.get(TABLE).unwrap_or_default();
        KeptNames { crates: table.crates.iter().map(|_| OnceLock::new()).collect(), table, new: AtomicU32::new(0) }
    }
}

impl Program<'_> {
    /// Remembers that a question about a module was answered anew, unless other runs have no name for the answer: then there is
    /// nothing to keep.
    pub(super) fn missed_name(&self, module: DefId, found: Found) {
        let has_name = |def: DefId| self.lasting_name(def.krate).is_some() && self.reading(def.krate).is_some();
        if let Some(kept) = self.kept_names(module.krate)
            && found.is_none_or(|(def, _)| has_name(def))
        {
            kept.new.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What a name means in a module, if a run before found it; the outer `None` where it is not known.
    pub(super) fn kept_name(&self, module: DefId, wanted: Name, namespace: Namespace) -> Option<Found> {
        let kept = self.kept_names(module.krate)?;
        let key = (module.index, checksum(wanted));
        let start = kept.table.rows.partition_point(|[module, checksum, ..]| (module, checksum) < key);
        let rows = (start..).map_while(|row| Some((row, kept.table.rows.get(row)?)));
        let mut rows = rows.take_while(|(_, [module, checksum, ..])| (*module, *checksum) == key);
        let is_it = |row: usize, what: u32| namespace_of(what) == Some(namespace) && kept.table.names.get(row) == Some(wanted);
        let (_, answer) = rows.find(|(row, [_, _, what, ..])| is_it(*row, *what))?;
        self.kept_answer(kept, module.krate, answer)
    }

    fn kept_answer(&self, kept: &KeptNames, krate: CrateId, [_, _, what, def, within]: Answer) -> Option<Found> {
        if what & FOUND == 0 {
            return Some(None);
        }
        let at = (what >> CRATE) as usize;
        let of_reading = || {
            let (lasting, reading) = kept.table.crates.get(at)?;
            self.crate_of_name(*lasting).filter(|found| self.reading(*found) == Some(*reading))
        };
        let found = (*kept.crates.get(at)?.get_or_init(of_reading))?;
        let visible = match what & WITHIN {
            0 => Visible::Everywhere,
            _ => Visible::Within(DefId { krate, index: within }),
        };
        let def = DefId { krate: found, index: def };
        self.has_def(def).then_some(Some((def, visible)))
    }

    /// The answers of a crate for other runs, those that were kept before among them; `None` where there is nothing new, or too much.
    pub(crate) fn pack_names(&self, krate: CrateId) -> Option<Vec<u8>> {
        let kept = self.kept_names(krate)?;
        if kept.new.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut packing = Packing::default();
        for (module, facts) in self.asked_modules(krate) {
            for ((wanted, namespace), found) in facts.names.read().unwrap_or_else(|e| e.into_inner()).iter() {
                if let Some((what, at)) = self.answer(krate, *found, &mut packing) {
                    packing.add([module, checksum(*wanted), *namespace as u32 | what, at[0], at[1]], *wanted);
                }
            }
        }
        for (row, [module, checksum, what, at, within]) in kept.table.rows.iter().enumerate() {
            let Some(wanted) = kept.table.names.get(row) else { continue };
            let below = what & ((1 << CRATE) - 1);
            let of = match what & FOUND {
                0 => 0,
                _ => {
                    let at = (what >> CRATE) as usize;
                    let is_old = kept.crates.get(at).and_then(OnceLock::get) == Some(&None);
                    match kept.table.crates.get(at).filter(|_| !is_old) {
                        Some(of) => packing.number(*of),
                        None => continue,
                    }
                }
            };
            packing.add([module, checksum, below | of << CRATE, at, within], wanted);
        }
        packing.finish()
    }

    /// What was found, but for the namespace, and where; `None` where other runs have no name for it.
    fn answer(&self, krate: CrateId, found: Found, packing: &mut Packing) -> Option<(u32, [u32; 2])> {
        let Some((def, visible)) = found else { return Some((0, [0, 0])) };
        let of = packing.number((name(self.lasting_name(def.krate)?), self.reading(def.krate)?));
        let what = FOUND | of << CRATE;
        match visible {
            Visible::Everywhere => Some((what, [def.index, 0])),
            Visible::Within(module) => (module.krate == krate).then_some((what | WITHIN, [def.index, module.index])),
        }
    }
}

/// A table while it grows.
#[derive(Default)]
struct Packing {
    answers: Vec<(Answer, Name)>,
    /// By module, namespace and name. What comes first counts.
    seen: FxHashSet<(u32, u32, Name)>,
    crates: Vec<(Name, u64)>,
    numbers: FxHashMap<(Name, u64), u32>,
}

impl Packing {
    fn number(&mut self, of: (Name, u64)) -> u32 {
        let crates = &mut self.crates;
        *self.numbers.entry(of).or_insert_with(|| {
            crates.push(of);
            crates.len() as u32 - 1
        })
    }

    fn add(&mut self, answer: Answer, wanted: Name) {
        if self.seen.insert((answer[0], answer[2] & NAMESPACE, wanted)) {
            self.answers.push((answer, wanted));
        }
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        if self.answers.len() > MOST {
            return None;
        }
        self.answers.sort_unstable();
        let (rows, names): (Vec<Answer>, Vec<Name>) = self.answers.into_iter().unzip();
        let table = Table { rows: rows.into_iter().collect(), names: names.into_iter().collect(), crates: self.crates };
        let mut packer = Packer::default();
        packer.add(TABLE, &table)?;
        packer.finish()
    }
}

fn namespace_of(what: u32) -> Option<Namespace> {
    NAMESPACES.get((what & NAMESPACE) as usize).copied()
}
