//! What a terminal shows while dependencies are read for the first time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentlint_workspace::OnFirstReading;
use indicatif::{ProgressBar, ProgressStyle};

/// A line on stderr that says which dependency is read; it goes when this is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows nothing until there is something to tell.
    pub(crate) fn new() -> Progress {
        let bar = ProgressBar::new_spinner();
        // A template that does not parse would leave the plain one.
        if let Ok(style) = ProgressStyle::with_template("{spinner} reading dependencies, once for each version: {msg}") {
            bar.set_style(style);
        }
        Progress { bar }
    }

    pub(crate) fn observer(&self) -> OnFirstReading {
        let bar = self.bar.clone();
        let count = AtomicUsize::new(0);
        OnFirstReading(Arc::new(move |package| {
            let count = count.fetch_add(1, Ordering::Relaxed) + 1;
            bar.set_message(format!("{count}, {package}"));
            bar.enable_steady_tick(Duration::from_millis(100));
        }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
