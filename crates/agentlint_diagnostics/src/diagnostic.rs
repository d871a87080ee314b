//! A finding with its places, its chain and its help.

use crate::{Confidence, Level};

/// One source file of a run. The number means something only to the run that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

/// A place with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    pub location: Location,
    pub text: String,
}

/// One step of a chain of calls, from the async context down to what blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// The call, as in "`Repo::load` calls `std::fs::read`".
    pub text: String,
    /// Where the call is written.
    pub location: Location,
}

/// What a lint reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The id of its lint: `blocking_fs`.
    pub lint: &'static str,
    /// How bad: the lint's own level, until levels from the command line and the configuration are applied.
    pub level: Level,
    /// How sure.
    pub confidence: Confidence,
    /// Lower case, no full stop.
    pub message: String,
    /// Where the finding is reported; its text may be empty.
    pub primary: Label,
    /// Other places worth seeing, such as the await that a guard is held across.
    pub labels: Vec<Label>,
    /// The calls from the primary place down to the sink; empty where the primary place is the sink itself.
    pub chain: Vec<Hop>,
    /// What to do instead; starts with a verb.
    pub help: Option<String>,
    pub notes: Vec<String>,
    /// Where the work comes in that reaches the primary place, as in "`POST /chat`"; routes first.
    pub reached_from: Vec<String>,
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding of `lint` with nothing but a message and a place; the other fields are public.
    pub fn new(lint: &'static str, level: Level, message: impl Into<String>, location: Location) -> Diagnostic {
        Diagnostic {
            lint,
            level,
            confidence: Confidence::Certain,
            message: message.into(),
            primary: Label { location, text: String::new() },
            labels: Vec::new(),
            chain: Vec::new(),
            help: None,
            notes: Vec::new(),
            reached_from: Vec::new(),
            fix: None,
        }
    }
}

/// Edits that together mend a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub title: String,
    pub edits: Vec<Edit>,
    pub applicability: Applicability,
}

/// Replaces a place's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub location: Location,
    pub text: String,
}

/// How far a fix may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// To look at, never applied.
    DisplayOnly,
    /// May change what the program does.
    Unsafe,
    Safe,
}
