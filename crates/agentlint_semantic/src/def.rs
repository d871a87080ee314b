//! Definitions: everything a path can lead to, flat and numbered per crate.

use agentlint_diagnostics::FileId;
use agentlint_syntax::{Span, ast};
use serde::{Deserialize, Serialize};

use crate::input::CrateId;

/// One definition of one crate. Numbers are given out in the order of the sources, so they do not depend on threads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefId {
    pub krate: CrateId,
    pub index: u32,
}

impl std::fmt::Debug for DefId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.krate.raw(), self.index)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DefKind {
    /// A module, or a block that declares items.
    Module,
    Function,
    Struct,
    Union,
    Enum,
    Variant,
    Trait,
    TypeAlias,
    /// `type X` of a trait or an impl.
    AssocType,
    /// Also of traits and impls.
    Const,
    Static,
    Impl,
    MacroRules,
}

impl DefKind {
    /// Each at the place of its number.
    pub(crate) const ALL: [DefKind; 13] = [
        DefKind::Module,
        DefKind::Function,
        DefKind::Struct,
        DefKind::Union,
        DefKind::Enum,
        DefKind::Variant,
        DefKind::Trait,
        DefKind::TypeAlias,
        DefKind::AssocType,
        DefKind::Const,
        DefKind::Static,
        DefKind::Impl,
        DefKind::MacroRules,
    ];
}

/// What is known of a definition without resolving anything.
#[derive(Clone, Copy, Debug)]
pub struct Def {
    pub kind: DefKind,
    /// The module, block, impl, trait or enum that holds it; itself for the crate's root.
    pub parent: DefId,
    /// The module in whose scope its signature is resolved.
    pub module: DefId,
    pub file: FileId,
    /// The item; of a variant the enum's, of the root and of blocks meaningless.
    pub item: ast::ItemId,
    /// A variant's position in its enum.
    pub variant: u32,
    pub visibility: Visible,
    /// Stands in a `#[cfg(test)]` module or is a test itself.
    pub is_test: bool,
}

/// From where a name may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visible {
    Everywhere,
    /// In this module and all below it.
    Within(DefId),
}

/// A place in the program's sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: FileId,
    pub span: Span,
}
