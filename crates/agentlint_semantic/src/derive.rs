//! What `#[derive(…)]` implements: no derive macro is run, so its name tells.

use agentlint_syntax::ast::{ItemKind, Path};

use crate::def::{DefId, DefKind};
use crate::program::Program;
use crate::types::{Ty, TyKind};

/// Derives that implement other traits than the one they are named after, or more than that one.
const GIVES: [(&str, &[&str]); 9] = [
    // thiserror
    ("Error", &["Display", "From"]),
    // clap and structopt
    ("Parser", &["CommandFactory", "FromArgMatches", "Args"]),
    ("Args", &["FromArgMatches"]),
    ("Subcommand", &["FromArgMatches"]),
    // strum
    ("EnumString", &["FromStr", "TryFrom"]),
    ("EnumIter", &["IntoEnumIterator"]),
    ("AsRefStr", &["AsRef"]),
    // prost
    ("Message", &["Default"]),
    ("Enumeration", &["Default", "TryFrom"]),
];

impl Program<'_> {
    /// Whether the type derives the trait.
    pub(crate) fn derives(&self, adt: DefId, trait_def: DefId) -> bool {
        let derives = match self.item(adt).map(|item| &item.kind) {
            Some(ItemKind::Struct(declared)) => &declared.derives,
            Some(ItemKind::Enum(declared)) => &declared.derives,
            _ => return false,
        };
        derives.iter().any(|path| self.gives(adt, path, trait_def))
    }

    fn gives(&self, adt: DefId, path: &Path, trait_def: DefId) -> bool {
        let Some(written) = path.segments.last().map(|last| last.name) else { return false };
        let wanted = self.name(trait_def);
        let renamed = || self.krate(adt.krate).defs.tables().renamed.get(&wanted);
        let is_renamed = || renamed().is_some_and(|names| names.contains(&written));
        if written != wanted && !is_renamed() {
            return GIVES.iter().any(|(derive, traits)| written == *derive && traits.iter().any(|given| wanted == *given));
        }
        match self.resolve_trait(adt, path) {
            Some(found) => found == trait_def,
            // Only the macro is in scope: `Hash` and `Debug` of the prelude, `derive_more::Display`. Where std has a trait of that
            // name, it is meant: `thiserror::Error` is not `serde::de::Error`.
            None => {
                self.is_std(trait_def.krate)
                    || !(0..3).any(|which| self.krate(self.std_crate(which)).defs.tables().traits.contains(&wanted))
            }
        }
    }

    /// The type whose `derive` made the method that a call of a trait's function with these arguments runs.
    pub fn derived_for(&self, def: DefId, list: &[Ty]) -> Option<DefId> {
        let trait_def = self.container(def).filter(|holder| self.kind(*holder) == DefKind::Trait)?;
        // Derives leave the methods that a trait has itself as they are.
        if self.function(def).is_some_and(|function| function.has_body) {
            return None;
        }
        match *list.first()?.kind() {
            TyKind::Adt(adt, _) if self.derives(adt, trait_def) => Some(adt),
            _ => None,
        }
    }
}
