//! What the command line takes from the process around it, read once so that tests can give it another.

use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Absolute; paths in every format are relative to it.
    pub current_folder: PathBuf,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    /// Columns, of the terminal or of `COLUMNS`.
    pub width: Option<usize>,
    /// `NO_COLOR`, or a terminal that has none.
    pub no_color: bool,
    /// `CLICOLOR_FORCE`
    pub force_color: bool,
    /// Whether the locale is UTF-8.
    pub unicode: bool,
}

impl Environment {
    pub fn of_process() -> Environment {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let of_terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default().to_lowercase();
        Environment {
            current_folder: std::env::current_dir().unwrap_or_default(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width: variable("COLUMNS").and_then(|width| width.parse().ok()).or_else(of_terminal),
            no_color: variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb"),
            force_color: variable("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            unicode: cfg!(windows) || cfg!(target_os = "macos") || locale.contains("utf-8") || locale.contains("utf8"),
        }
    }
}
