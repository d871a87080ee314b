//! What was found of dependencies' functions, kept from run to run: for one version of a crate, and of all that it depends on,
//! nothing in it ever changes.

use std::hash::{Hash, Hasher};

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::input::CrateId;
use agentlint_semantic::types::{Args, Ty, TyKind};
use agentlint_syntax::{Span, name};
use elsa::sync::FrozenMap;
use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use crate::Effect;
use crate::closures::Runs;
use crate::resolve::SinkEntry;

/// Names the code that makes summaries. With the catalog and all that a crate depends on it says which kept ones hold.
pub const FORM: &str = concat!(env!("AGENTLINT_SUMMARIES_FORM"), "-", env!("CARGO_PKG_VERSION"));

/// Where summaries of dependencies are kept. A crate whose sources may change has none.
pub trait SummaryStore: Sync {
    /// What was kept of a crate.
    fn load(&self, krate: CrateId) -> Option<Vec<u8>>;

    /// Replaces what was kept of a crate.
    fn keep(&self, krate: CrateId, bytes: Vec<u8>);
}

/// Keeps nothing.
impl SummaryStore for () {
    fn load(&self, _: CrateId) -> Option<Vec<u8>> {
        None
    }

    fn keep(&self, _: CrateId, _: Vec<u8>) {}
}

/// A function by its number in its crate, and the hash of the types it is called with; 0 where they do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct FunctionKey {
    function: u32,
    types: u64,
}

/// What a function of a dependency does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptSummary {
    pub(crate) own: Vec<KeptEffect>,
    /// What the future does that it gives.
    pub(crate) future: Vec<KeptEffect>,
    /// Whether the types that it is called with decide what it does.
    pub(crate) is_sensitive: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptEffect {
    pub(crate) effect: Effect,
    #[serde(with = "certainty")]
    pub(crate) confidence: Confidence,
    /// How far the sink is.
    pub(crate) depth: u32,
    pub(crate) steps: Vec<KeptStep>,
    pub(crate) sink: SinkEntry,
    pub(crate) sink_name: String,
}

/// A step of a chain: a call in the function of that number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptStep {
    /// The name that the crate has in every program.
    krate: String,
    function: u32,
    pub(crate) callee: String,
    pub(crate) span: Span,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct CrateSummaries {
    /// Most do nothing that blocks.
    silent: Vec<FunctionKey>,
    others: Vec<(FunctionKey, KeptSummary)>,
    /// Where a function's parameters run, by its number and their places.
    parameters: Vec<((u32, u32), Runs)>,
    #[serde(skip)]
    by_key: FxHashMap<FunctionKey, u32>,
    #[serde(skip)]
    by_parameter: FxHashMap<(u32, u32), Runs>,
}

/// In [`CrateSummaries::by_key`]: it is silent.
const SILENT: u32 = u32::MAX;

/// What is kept of the crates that were asked for so far.
#[derive(Default)]
pub(crate) struct Kept {
    crates: FrozenMap<CrateId, Box<CrateSummaries>>,
}

static NOTHING: KeptSummary = KeptSummary { own: Vec::new(), future: Vec::new(), is_sensitive: false };

impl Kept {
    /// Reads what is kept of these crates.
    pub(crate) fn load(&self, krate: CrateId, store: &dyn SummaryStore) {
        if self.crates.get(&krate).is_none() {
            let kept = store.load(krate).and_then(|bytes| postcard::from_bytes(&bytes).ok());
            self.crates.insert(krate, Box::new(CrateSummaries::indexed(kept.unwrap_or_default())));
        }
    }

    pub(crate) fn function(&self, def: DefId, key: FunctionKey) -> Option<&KeptSummary> {
        let summaries = self.crates.get(&def.krate)?;
        match *summaries.by_key.get(&key)? {
            SILENT => Some(&NOTHING),
            at => summaries.others.get(at as usize).map(|(_, summary)| summary),
        }
    }

    pub(crate) fn parameter(&self, function: DefId, at: usize) -> Option<Runs> {
        self.crates.get(&function.krate)?.by_parameter.get(&(function.index, at as u32)).copied()
    }

    /// What is kept of a crate with what this run adds, as bytes.
    pub(crate) fn with(&self, krate: CrateId, found: Found) -> Option<Vec<u8>> {
        let before = self.crates.get(&krate)?;
        let mut all = CrateSummaries {
            silent: before.silent.clone(),
            others: before.others.clone(),
            parameters: before.parameters.clone(),
            ..CrateSummaries::default()
        };
        for (key, summary) in found.functions {
            match summary.own.is_empty() && summary.future.is_empty() && !summary.is_sensitive {
                true => all.silent.push(key),
                false => all.others.push((key, summary)),
            }
        }
        all.parameters.extend(found.parameters);
        all.silent.sort_unstable();
        all.others.sort_by_key(|(key, _)| *key);
        all.parameters.sort_unstable_by_key(|(key, _)| *key);
        postcard::to_allocvec(&all).ok()
    }
}

/// What a run adds to a crate's summaries.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) functions: Vec<(FunctionKey, KeptSummary)>,
    pub(crate) parameters: Vec<((u32, u32), Runs)>,
}

impl CrateSummaries {
    fn indexed(mut self) -> CrateSummaries {
        let others = self.others.iter().enumerate().map(|(at, (key, _))| (*key, at as u32));
        self.by_key = self.silent.iter().map(|key| (*key, SILENT)).chain(others).collect();
        self.by_parameter = self.parameters.iter().copied().collect();
        self
    }
}

impl FunctionKey {
    /// `None` where the types have no name that holds in every program.
    pub(crate) fn new(program: &Program<'_>, def: DefId, list: Option<Args>) -> Option<FunctionKey> {
        let types = match list {
            None => 0,
            Some(list) => {
                let mut hasher = FxHasher::default();
                list.iter().try_for_each(|ty| hash(program, *ty, &mut hasher))?;
                hasher.finish().max(1)
            }
        };
        Some(FunctionKey { function: def.index, types })
    }
}

/// The same in every program that has the same crates.
fn hash(program: &Program<'_>, ty: Ty, hasher: &mut FxHasher) -> Option<()> {
    std::mem::discriminant(ty.kind()).hash(hasher);
    match *ty.kind() {
        TyKind::Adt(def, list) => {
            (program.lasting_name(def.krate)?, def.index, list.len()).hash(hasher);
        }
        TyKind::Int(kind) => kind.hash(hasher),
        TyKind::Float(kind) => kind.hash(hasher),
        TyKind::Ref(_, mutable) | TyKind::Pointer(_, mutable) => mutable.hash(hasher),
        TyKind::Tuple(list) | TyKind::FnPtr(list) => list.len().hash(hasher),
        TyKind::Param(at, _) => at.hash(hasher),
        TyKind::Const(value) => value.hash(hasher),
        TyKind::Bool | TyKind::Char | TyKind::Str | TyKind::Never | TyKind::Slice(_) | TyKind::Array(..) => {}
        _ => return None,
    }
    let mut all = Some(());
    ty.kind().each_part(&mut |part| all = all.and_then(|()| hash(program, part, hasher)));
    all
}

impl KeptStep {
    pub(crate) fn new(program: &Program<'_>, owner: DefId, callee: String, span: Span) -> Option<KeptStep> {
        Some(KeptStep { krate: program.lasting_name(owner.krate)?.to_owned(), function: owner.index, callee, span })
    }

    /// The function that holds the call.
    pub(crate) fn owner(&self, program: &Program<'_>) -> Option<DefId> {
        let krate = program.crate_of_name(name(&self.krate))?;
        let owner = DefId { krate, index: self.function };
        program.has_def(owner).then_some(owner)
    }
}

pub(crate) mod certainty {
    use agentlint_diagnostics::Confidence;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    const ALL: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];

    pub(crate) fn serialize<S: Serializer>(confidence: &Confidence, serializer: S) -> Result<S::Ok, S::Error> {
        (ALL.iter().position(|one| one == confidence).unwrap_or(0) as u8).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Confidence, D::Error> {
        Ok(ALL.get(usize::from(u8::deserialize(deserializer)?)).copied().unwrap_or(Confidence::Possible))
    }
}
