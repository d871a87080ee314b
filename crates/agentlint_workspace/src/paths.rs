//! Paths as people read them, and where a repository ends.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and `..`, by its letters alone: symbolic links are not followed.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match clean.components().next_back() {
                Some(Component::Normal(_)) => {
                    clean.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => clean.push(".."),
            },
            other => clean.push(other),
        }
    }
    clean
}

/// `path` relative to `base` where it lies below it or beside it, with `/` between the parts; else as it is.
pub(crate) fn display(path: &Path, base: &Path) -> String {
    let text = match path.strip_prefix(base) {
        Ok(relative) => relative.to_string_lossy().into_owned(),
        Err(_) => relative_upward(path, base).unwrap_or_else(|| path.to_string_lossy().into_owned()),
    };
    if std::path::MAIN_SEPARATOR == '\\' { text.replace('\\', "/") } else { text }
}

/// A few steps up read better than an absolute path; many do not.
fn relative_upward(path: &Path, base: &Path) -> Option<String> {
    const MOST_STEPS: usize = 4;
    let (steps, common) = base.ancestors().enumerate().take(MOST_STEPS + 1).find(|(_, above)| path.starts_with(above))?;
    // Nothing but the root in common says nothing.
    common.parent()?;
    let below = path.strip_prefix(common).ok()?.to_string_lossy().into_owned();
    Some(format!("{}{below}", "../".repeat(steps)))
}

/// The nearest folder at or above `folder` that holds `.git`.
pub(crate) fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

/// How far files of the project at `folder` may reach: the repository, or the folder where there is none.
pub(crate) fn boundary(folder: &Path) -> PathBuf {
    let root = repository_root(folder).unwrap_or(folder);
    root.canonicalize().unwrap_or_else(|_| root.to_path_buf())
}

/// Whether `path` lies in `folder` (canonical), as it is written or as the links lead.
pub(crate) fn lies_in(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder) || path.canonicalize().is_ok_and(|real| real.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_their_letters() {
        assert_eq!(normalize(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(normalize(Path::new("../a/..")), Path::new(".."));
        assert_eq!(normalize(Path::new("/..")), Path::new("/"));
    }

    #[test]
    fn paths_are_shown_from_the_current_folder() {
        let shown = |path, base| display(Path::new(path), Path::new(base));
        assert_eq!(shown("/w/p/src/main.rs", "/w/p"), "src/main.rs");
        assert_eq!(shown("/w/q/main.rs", "/w/p"), "../q/main.rs");
        assert_eq!(shown("/x/main.rs", "/w/p"), "/x/main.rs");
    }
}
