//! The seam between the command line and the driver that does the work.

use std::io::Write;
use std::path::PathBuf;

use agentlint_diagnostics::{Confidence, Diagnostic, Level};
use agentlint_linter::{Registry, Suppressed};

use crate::arguments::TargetArguments;
use crate::{Environment, InspectFormat, Inspected, Seen, SourceLookup, Statistics};

/// Does what the command line asks for.
pub trait Engine {
    fn registry(&self) -> &Registry;

    /// An error means that the run could not do its work at all.
    fn check(&self, request: &CheckRequest) -> anyhow::Result<Checked>;

    fn inspect(&self, request: &InspectRequest, out: &mut dyn Write) -> anyhow::Result<()>;

    /// Writes what is known of the calls on a line.
    fn why(&self, request: &WhyRequest, out: &mut dyn Write) -> anyhow::Result<()>;
}

/// One run.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// Absolute.
    pub current_folder: PathBuf,
    /// The workspace here where empty.
    pub paths: Vec<PathBuf>,
    /// Tests, examples and benches too.
    pub all_targets: bool,
    /// Globs.
    pub exclude: Vec<String>,
    /// Instead of the configuration that is found.
    pub config: Option<PathBuf>,
    /// In the order of the command line; the names are known.
    pub levels: Vec<(String, Level)>,
    /// What is less sure is left out; outweighs the configuration.
    pub confidence: Option<Confidence>,
    /// Whether start-up code is reported like any other; outweighs the configuration.
    pub startup: bool,
    /// Whether stderr is a terminal that may show progress.
    pub progress: bool,
}

impl CheckRequest {
    pub(crate) fn of(target: &TargetArguments, environment: &Environment) -> CheckRequest {
        CheckRequest {
            current_folder: environment.current_folder.clone(),
            paths: target.paths.clone(),
            all_targets: target.all_targets,
            exclude: target.exclude.clone(),
            config: target.config.clone(),
            levels: Vec::new(),
            confidence: None,
            startup: false,
            progress: false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct InspectRequest {
    pub what: Inspected,
    pub format: InspectFormat,
    pub check: CheckRequest,
}

/// One line of one file.
#[derive(Clone, Debug)]
pub struct WhyRequest {
    /// Absolute; it exists.
    pub file: PathBuf,
    /// From 1.
    pub line: u32,
    pub check: CheckRequest,
}

/// What came of it.
pub struct Checked {
    /// Levels and suppressions applied.
    pub diagnostics: Vec<Diagnostic>,
    pub suppressed: Vec<Suppressed>,
    pub sources: Box<dyn SourceLookup>,
    /// What was not seen, one line each.
    pub notes: Vec<String>,
    pub statistics: Statistics,
    pub coverage: Seen,
    /// Whether there was something to read and none of it could be.
    pub nothing_read: bool,
    /// The lowest level that fails the run, where the configuration says one.
    pub fail_on: Option<Level>,
}
