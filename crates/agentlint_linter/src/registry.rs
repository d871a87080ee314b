//! Which lints there are, and how a name finds them.

use std::fmt;

use agentlint_deploy::Project;
use agentlint_diagnostics::{Diagnostic, Group, LintMeta, RolePolicy};
use agentlint_effects::{BlockingCall, Effects, HeldGuard};
use agentlint_semantic::Program;

use crate::run_lints;

/// One lint: its facts, and what it looks for in the model.
pub trait Lint: Sync {
    fn meta(&self) -> &'static LintMeta;

    /// Reports at the lint's own level; levels, suppressions and order are applied afterwards.
    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>);
}

/// What a lint may ask.
pub struct LintContext<'a> {
    pub program: &'a Program<'a>,
    pub effects: &'a Effects,
    /// Every call in an async context that blocks.
    pub blocking_calls: &'a [BlockingCall],
    /// Every guard that is held across an await.
    pub held_guards: &'a [HeldGuard],
    pub roles: RolePolicy,
    /// What the Dockerfiles, compose files and Procfiles start.
    pub deploy: &'a Project,
}

/// The lints of a run, and the metas of everything that a run can report.
pub struct Registry {
    lints: Vec<&'static dyn Lint>,
    metas: Vec<&'static LintMeta>,
}

impl Registry {
    pub fn new(lints: &[&'static dyn Lint]) -> Registry {
        let mut lints = lints.to_vec();
        lints.sort_by_key(|lint| lint.meta().id);
        let mut metas: Vec<_> = lints.iter().map(|lint| lint.meta()).chain(run_lints::ALL).collect();
        metas.sort_by_key(|meta| meta.id);
        Registry { lints, metas }
    }

    /// Sorted by id.
    pub fn lints(&self) -> &[&'static dyn Lint] {
        &self.lints
    }

    /// Sorted by id, those of the run itself among them.
    pub fn metas(&self) -> &[&'static LintMeta] {
        &self.metas
    }

    pub fn meta(&self, id: &str) -> Option<&'static LintMeta> {
        let at = self.metas.binary_search_by(|meta| meta.id.cmp(id)).ok()?;
        Some(self.metas[at])
    }

    /// What a name on the command line, in the configuration or in a suppression stands for: a lint, a group, or `all`.
    pub fn find(&self, name: &str) -> Result<Selection, UnknownName> {
        let plain = name.strip_prefix("agentlint::").unwrap_or(name);
        if plain == "all" {
            return Ok(Selection::All);
        }
        if let Some(group) = Group::ALL.into_iter().find(|group| group.name() == plain) {
            return Ok(Selection::Group(group));
        }
        self.meta(plain)
            .map(Selection::Lint)
            .ok_or_else(|| UnknownName { name: name.to_owned(), suggestion: self.closest(plain) })
    }

    fn closest(&self, name: &str) -> Option<&'static str> {
        let name = name.replace('-', "_").to_lowercase();
        let groups = Group::ALL.into_iter().map(Group::name);
        let names = self.metas.iter().map(|meta| meta.id).chain(groups);
        names
            .map(|known| (strsim::jaro_winkler(&name, known), known))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, known)| known)
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum Selection {
    Lint(&'static LintMeta),
    Group(Group),
    /// Every lint but those of the run itself, which `run` names.
    All,
}

impl Selection {
    pub fn contains(&self, meta: &LintMeta) -> bool {
        match self {
            Selection::Lint(lint) => lint.id == meta.id,
            Selection::Group(group) => *group == meta.group,
            Selection::All => meta.group != Group::Run,
        }
    }
}

/// A name that is neither a lint nor a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    pub name: String,
    /// The name that was perhaps meant.
    pub suggestion: Option<&'static str>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown lint or group `{}`", self.name)?;
        match self.suggestion {
            Some(suggestion) => write!(f, ", did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownName {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::registry;

    #[test]
    fn metas_are_sorted_and_hold_the_run_group() {
        let ids: Vec<_> = registry().metas().iter().map(|meta| meta.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.contains(&"blocking_fs") && ids.contains(&"unused_suppression"));
    }

    #[test]
    fn names_find_lints_and_groups() {
        let registry = registry();
        assert!(matches!(registry.find("blocking_fs"), Ok(Selection::Lint(meta)) if meta.id == "blocking_fs"));
        assert!(matches!(registry.find("agentlint::blocking_fs"), Ok(Selection::Lint(_))));
        assert!(matches!(registry.find("await"), Ok(Selection::Group(Group::Await))));
        assert!(matches!(registry.find("all"), Ok(Selection::All)));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_closest() {
        let registry = registry();
        let suggest = |name: &str| registry.find(name).expect_err("unknown").suggestion;
        assert_eq!(suggest("blocking-fs"), Some("blocking_fs"));
        assert_eq!(suggest("blocking_sf"), Some("blocking_fs"));
        assert_eq!(suggest("blokcing"), Some("blocking"));
        assert_eq!(suggest("zzz"), None);
        let message = registry.find("blocking_f").expect_err("unknown").to_string();
        assert_eq!(message, "unknown lint or group `blocking_f`, did you mean `blocking_fs`?");
    }
}
