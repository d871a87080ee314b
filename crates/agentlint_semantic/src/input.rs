//! What the model is built from: the crate graph, and a loader that hands out the facts of a crate's files.
//!
//! The model does no I/O itself. Crates of the workspace are loaded before analysis; a dependency is asked for when a name
//! first leads into it.

use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{Name, ast, packed::Pack};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

index_vec::define_index_type! {
    /// A crate of the program: one target of one package.
    pub struct CrateId = u32;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    E2015,
    E2018,
    E2021,
    E2024,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrateKind {
    Library,
    ProcMacro,
    Binary,
    Example,
    Test,
    Bench,
    BuildScript,
}

/// One node of the crate graph.
#[derive(Clone, Debug)]
pub struct CrateNode {
    /// The name that code uses: underscores, not hyphens.
    pub name: Name,
    /// What people call it: a library's own name, of other targets the package's.
    pub known_as: Name,
    /// `None` for loose files.
    pub version: Option<String>,
    pub edition: Edition,
    pub kind: CrateKind,
    /// Whether its bodies are analysed and its findings reported.
    pub is_member: bool,
    pub cfg: CfgOptions,
    /// The names by which it knows other crates, in the order of `cargo metadata`. std's are not listed.
    pub dependencies: Vec<(Name, CrateId)>,
}

/// Which `cfg` predicates hold for a crate.
#[derive(Clone, Debug, Default)]
pub struct CfgOptions {
    /// `unix`, `debug_assertions`, and `test` for test targets (and for the others where tests are analysed).
    pub flags: FxHashSet<Name>,
    /// `("feature", "net")`, `("target_os", "linux")`
    pub key_values: FxHashSet<(Name, Name)>,
}

impl CfgOptions {
    pub fn holds(&self, expr: &ast::CfgExpr) -> bool {
        match expr {
            ast::CfgExpr::Flag(flag) => self.flags.contains(flag),
            ast::CfgExpr::KeyValue(key, value) => self.key_values.contains(&(*key, *value)),
            ast::CfgExpr::All(all) => all.iter().all(|e| self.holds(e)),
            ast::CfgExpr::Any(any) => any.iter().any(|e| self.holds(e)),
            ast::CfgExpr::Not(inner) => !self.holds(inner),
            ast::CfgExpr::Bool(value) => *value,
        }
    }
}

/// The files of one crate: the root and every file its module tree reaches.
#[derive(Clone, Debug)]
pub struct CrateFiles {
    pub root: FileId,
    pub facts: FxHashMap<FileId, Arc<ast::SourceFile>>,
    /// Which file stands behind `mod name;`: by the file that declares it and the item there.
    pub modules: FxHashMap<(FileId, ast::ItemId), FileId>,
}

impl Default for CrateFiles {
    /// Of a crate that declares nothing.
    fn default() -> CrateFiles {
        CrateFiles { root: FileId(u32::MAX), facts: FxHashMap::default(), modules: FxHashMap::default() }
    }
}

/// Names a call of an item macro in one crate: the same in every run that reads the same sources with the same `cfg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExpansionKey(pub u64);

/// What a crate defines, as another run found it.
#[derive(Debug)]
pub struct KeptDefinitions {
    /// What was given to [`Loader::keep`].
    pub pack: Pack,
    /// The crate's files have the numbers from this one on.
    pub first_file: FileId,
    pub files: u32,
}

/// What is kept of a crate beside the facts of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Definitions,
    /// What names mean in its modules.
    Names,
}

/// Hands out crates. Called from several threads at once.
pub trait Loader: Sync {
    /// The facts of a crate's files; `None` where its sources are not on this machine.
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>>;

    /// The file behind a `mod name;` that a macro made, called in `file` inside these inline modules. Modules written in files are
    /// in [`CrateFiles::modules`] already.
    fn submodule(&self, id: CrateId, file: FileId, inline: &[Name], item: &ast::Item) -> Option<(FileId, Arc<ast::SourceFile>)> {
        let _ = (id, file, inline, item);
        None
    }

    /// The text of a crate's file, for bodies that were left in it.
    fn text(&self, id: CrateId, file: FileId) -> Option<Arc<str>> {
        let _ = (id, file);
        None
    }

    /// A number for a file of a crate whose sources never change; `None` where expansions are not to be kept.
    fn lasting_number(&self, id: CrateId, file: FileId) -> Option<u32> {
        let _ = (id, file);
        None
    }

    /// What a run before gave to [`Loader::keep_expansion`].
    fn kept_expansion(&self, id: CrateId, key: ExpansionKey) -> Option<Arc<ast::SourceFile>> {
        let _ = (id, key);
        None
    }

    /// What a run before gave to [`Loader::keep`] of its definitions; then the crate is not loaded.
    fn kept_definitions(&self, id: CrateId) -> Option<KeptDefinitions> {
        let _ = id;
        None
    }

    /// The facts of a file of such a crate, by its [`Loader::lasting_number`].
    fn kept_file(&self, id: CrateId, number: u32) -> Option<Arc<ast::SourceFile>> {
        let _ = (id, number);
        None
    }

    /// Which reading of its sources the numbers of a crate's definitions are of; `None` where nothing is kept of the crate.
    fn reading(&self, id: CrateId) -> Option<u64> {
        let _ = id;
        None
    }

    /// What a run before gave to [`Loader::keep`] of the names in the crate's modules.
    fn kept_names(&self, id: CrateId) -> Option<Pack> {
        let _ = id;
        None
    }

    fn keep(&self, id: CrateId, what: Kept, pack: Vec<u8>) {
        let _ = (id, what, pack);
    }

    /// The same for a crate of the standard library, which has no place in the loader's graph.
    fn kept_std(&self, what: Kept, name: &str, cfg: &CfgOptions) -> Option<Pack> {
        let _ = (what, name, cfg);
        None
    }

    fn keep_std(&self, what: Kept, name: &str, cfg: &CfgOptions, pack: Vec<u8>) {
        let _ = (what, name, cfg, pack);
    }

    fn keep_expansion(&self, id: CrateId, key: ExpansionKey, facts: &Arc<ast::SourceFile>) {
        let _ = (id, key, facts);
    }
}

/// The crate graph. Ids are indexes.
#[derive(Clone, Debug, Default)]
pub struct CrateGraph {
    pub crates: index_vec::IndexVec<CrateId, CrateNode>,
}
