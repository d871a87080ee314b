//! What the user does not want reported: patterns with the meaning that they have in `.gitignore`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::WorkspaceError;

/// Patterns, each relative to the folder that it was written in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excludes {
    matchers: Vec<Gitignore>,
}

impl Excludes {
    pub(crate) fn add(&mut self, base: &Path, patterns: &[String]) -> Result<(), WorkspaceError> {
        if patterns.is_empty() {
            return Ok(());
        }
        let invalid =
            |pattern: &str, error: ignore::Error| WorkspaceError::Glob { pattern: pattern.to_owned(), reason: error.to_string() };
        let mut builder = GitignoreBuilder::new(base);
        for pattern in patterns {
            let plain = pattern.strip_prefix("./").unwrap_or(pattern);
            builder.add_line(None, plain).map_err(|error| invalid(pattern, error))?;
        }
        self.matchers.push(builder.build().map_err(|error| invalid(&patterns.join(", "), error))?);
        Ok(())
    }

    /// Whether the file, or a folder that it lies in, is excluded.
    pub(crate) fn matches(&self, file: &Path) -> bool {
        // The matcher panics where the path does not lie below its folder.
        let below = |matcher: &&Gitignore| file.starts_with(matcher.path());
        self.matchers.iter().filter(below).any(|matcher| matcher.matched_path_or_any_parents(file, false).is_ignore())
    }
}
