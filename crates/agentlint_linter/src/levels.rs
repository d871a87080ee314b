//! How bad each lint is in this run: what the lint says itself, what the configuration says, what the command line says.

use agentlint_diagnostics::{Level, LintMeta};

use crate::{Registry, Selection, UnknownName};

/// The sources of levels, lowest first: the lint's own, the configuration's groups, its lints, the command line in its order.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    config_groups: Vec<(Selection, Level)>,
    config_lints: Vec<(Selection, Level)>,
    command_line: Vec<(Selection, Level)>,
}

impl Levels {
    /// A line of the configuration; a lint outweighs its group wherever the two stand.
    pub fn configure(&mut self, registry: &Registry, name: &str, level: Level) -> Result<(), UnknownName> {
        let selection = registry.find(name)?;
        match selection {
            Selection::Lint(_) => self.config_lints.push((selection, level)),
            // `all` is wider than any group, so it goes below them.
            Selection::All => self.config_groups.insert(0, (selection, level)),
            Selection::Group(_) => self.config_groups.push((selection, level)),
        }
        Ok(())
    }

    /// One of `-A`, `-W`, `-D`; the last that names a lint or its group wins.
    pub fn command_line(&mut self, registry: &Registry, name: &str, level: Level) -> Result<(), UnknownName> {
        self.command_line.push((registry.find(name)?, level));
        Ok(())
    }

    pub fn level(&self, meta: &LintMeta) -> Level {
        let sources = [&self.command_line, &self.config_lints, &self.config_groups];
        sources
            .into_iter()
            .find_map(|source| source.iter().rev().find(|(selection, _)| selection.contains(meta)))
            .map_or(meta.level, |(_, level)| *level)
    }

    /// Whether a source says anything of the lint; where none does, a finding's own level holds.
    pub fn is_set(&self, meta: &LintMeta) -> bool {
        let mut all = self.command_line.iter().chain(&self.config_lints).chain(&self.config_groups);
        all.any(|(selection, _)| selection.contains(meta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::registry;

    fn level(config: &[(&str, Level)], command_line: &[(&str, Level)], id: &str) -> Level {
        let registry = registry();
        let mut levels = Levels::default();
        for (name, level) in config {
            levels.configure(&registry, name, *level).unwrap();
        }
        for (name, level) in command_line {
            levels.command_line(&registry, name, *level).unwrap();
        }
        levels.level(registry.meta(id).unwrap())
    }

    #[test]
    fn the_highest_source_that_says_something_wins() {
        use Level::{Allow, Deny, Warn};
        assert_eq!(level(&[], &[], "blocking_fs"), Warn);
        assert_eq!(level(&[("blocking", Deny)], &[], "blocking_fs"), Deny);
        assert_eq!(level(&[("blocking_fs", Allow), ("blocking", Deny)], &[], "blocking_fs"), Allow);
        assert_eq!(level(&[("blocking_fs", Allow), ("all", Deny)], &[], "lock_across_await"), Deny);
        assert_eq!(level(&[("blocking_fs", Allow)], &[("blocking", Deny)], "blocking_fs"), Deny);
        assert_eq!(level(&[], &[("blocking", Deny), ("blocking_fs", Allow)], "blocking_fs"), Allow);
        assert_eq!(level(&[], &[("blocking_fs", Allow), ("blocking", Deny)], "blocking_fs"), Deny);
        assert_eq!(level(&[], &[("all", Allow)], "syntax_error"), Warn);
        assert_eq!(level(&[], &[("all", Allow), ("run", Deny)], "syntax_error"), Deny);
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let error = Levels::default().command_line(&registry(), "blocking_sf", Level::Deny).unwrap_err();
        assert_eq!(error.suggestion, Some("blocking_fs"));
    }
}
