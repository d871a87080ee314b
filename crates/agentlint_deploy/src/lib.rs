//! What the files beside the Rust code start: Dockerfiles, compose files, Procfiles, and the shell scripts that these name.
//!
//! Text goes in and facts with byte places come out. Nothing here touches the disk or knows a lint, and nothing fails: a file that
//! is not understood has no facts.

pub mod compose;
pub mod dockerfile;
pub mod follow;
pub mod images;
pub mod names;
mod procfile;
mod project;
pub mod shell;
#[cfg(test)]
mod tests;
pub mod yaml;

pub use project::{File, Image, Process, Project, Service, Text};

/// The caller's number of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileNumber(pub u32);

/// A half-open byte range of one file's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub fn covers(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}
