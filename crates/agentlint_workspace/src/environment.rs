//! What the run takes from the process's environment, read once, so that tests can give it another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables that matter. Empty ones count as unset.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PATH`
    pub path: Option<OsString>,
    /// `CARGO`: the cargo that started `cargo agentlint`.
    pub cargo: Option<PathBuf>,
    /// `CARGO_HOME`, or `.cargo` in the user's home.
    pub cargo_home: Option<PathBuf>,
    /// `RUSTUP_TOOLCHAIN`
    pub rustup_toolchain: Option<OsString>,
    /// `RUSTFLAGS`, read for its `--cfg` alone.
    pub rustflags: Option<String>,
    /// `AGENTLINT_CACHE_DIR`, else `XDG_CACHE_HOME/agentlint`, else `~/.cache/agentlint`.
    pub cache: Option<PathBuf>,
}

impl Environment {
    pub fn of_process() -> Environment {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        // A relative folder would depend on where the tool is started, which may be a hostile repository.
        let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        Environment {
            path: variable("PATH"),
            cargo: folder("CARGO"),
            cargo_home: folder("CARGO_HOME").or_else(|| home.as_deref().map(|home| home.join(".cargo"))),
            rustup_toolchain: variable("RUSTUP_TOOLCHAIN"),
            rustflags: variable("RUSTFLAGS").and_then(|flags| flags.into_string().ok()),
            cache: folder("AGENTLINT_CACHE_DIR")
                .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("agentlint")))
                .or_else(|| home.map(|home| home.join(".cache/agentlint"))),
        }
    }

    /// The program `name` on `PATH`, relative entries and those inside `forbidden` left out.
    pub(crate) fn find_program(&self, name: &str, forbidden: &Path) -> Option<PathBuf> {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.trusted_path(forbidden).into_iter().map(|folder| folder.join(&file)).find(|program| program.is_file())
    }

    /// The entries of `PATH` that a repository at `forbidden` cannot have filled.
    pub(crate) fn trusted_path(&self, forbidden: &Path) -> Vec<PathBuf> {
        let Some(path) = &self.path else { return Vec::new() };
        std::env::split_paths(path).filter(|folder| folder.is_absolute() && !crate::paths::lies_in(folder, forbidden)).collect()
    }
}
