//! Cuts what a shell reads into simple commands, as far as it takes to say which of them runs last.
//!
//! No shell: expansions are skipped and make a word dynamic, and commands inside `if`, loops, functions and groups only count as
//! nested. The nesting is a stack of ours, so that no text overflows the machine's.

mod reader;

use self::reader::Reader;
use crate::Span;

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub span: Span,
    /// Quotes removed; expansions stand as they are written.
    pub text: String,
    /// Without any expansion.
    pub is_static: bool,
}

/// What stands between a command and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `;` or the line's end.
    Next,
    And,
    Or,
    Pipe,
    Background,
}

/// A command without parts that are commands.
#[derive(Clone, Debug)]
pub struct Simple {
    /// Without assignments in front and without redirections.
    pub words: Vec<Word>,
    pub has_assignments: bool,
    pub span: Span,
    /// In how many groups, conditions, loops and functions it stands.
    pub depth: usize,
    pub before: Joint,
    pub after: Joint,
}

impl Simple {
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |word| word.text.as_str())
    }
}

/// A script, or the text after `-c`.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub commands: Vec<Simple>,
    pub comments: Vec<Span>,
    /// The last thing is a condition, a loop or a group.
    ends_in_compound: bool,
}

/// Where the words of a text stand in their file.
#[derive(Clone, Copy, Debug)]
pub enum Places {
    /// The text is a part of the file, and begins at this offset.
    From(u32),
    /// Escapes lie between the text and the file: each word stands where the whole does.
    Whole(Span),
}

/// Which command is the last.
#[derive(Clone, Copy, Debug)]
pub enum Last<'a> {
    /// `exec` and what it is given.
    Replaced(&'a Simple),
    /// The shell waits for it.
    Waited(&'a Simple),
    /// A condition, a list with `||`, or nothing at all.
    Unknown,
}

impl Script {
    /// What runs when everything before it is done.
    pub fn last(&self) -> Last<'_> {
        let top: Vec<&Simple> = self.commands.iter().filter(|command| command.depth == 0).collect();
        let is_plain = |command: &Simple| command.before == Joint::Next && command.after == Joint::Next;
        // What comes after an `exec` never runs.
        let replaced = top.iter().find(|command| command.name() == "exec" && command.words.len() > 1 && is_plain(command));
        if let Some(command) = replaced {
            return Last::Replaced(command);
        }
        let Some(last) = top.last().filter(|_| !self.ends_in_compound) else { return Last::Unknown };
        // `a && b` ends in `b`; of `a || b` nobody knows.
        let mut list =
            top.iter().rev().skip(1).take_while(|command| matches!(command.after, Joint::And | Joint::Or | Joint::Pipe));
        if list.any(|command| command.after == Joint::Or) || matches!(last.after, Joint::Or | Joint::And | Joint::Pipe) {
            return Last::Unknown;
        }
        match last.name() == "exec" && last.words.len() > 1 && last.before != Joint::Pipe {
            true => Last::Replaced(last),
            false => Last::Waited(last),
        }
    }

    /// What is still running then: the last command, the others of its pipeline, and what was sent to the background.
    pub fn running(&self) -> Vec<&Simple> {
        let top: Vec<&Simple> = self.commands.iter().filter(|command| command.depth == 0).collect();
        let mut running: Vec<&Simple> = match self.last() {
            Last::Replaced(command) | Last::Waited(command) => vec![command],
            Last::Unknown => Vec::new(),
        };
        if matches!(self.last(), Last::Waited(command) if command.before == Joint::Pipe) {
            running.extend(top.iter().rev().skip(1).take_while(|command| command.after == Joint::Pipe));
        }
        running.extend(top.iter().filter(|command| command.after == Joint::Background));
        running
    }

    /// The first command of the pipeline that `last` ends.
    pub fn head_of_pipeline<'a>(&'a self, last: &'a Simple) -> &'a Simple {
        let top = self.commands.iter().rev().filter(|command| command.depth == 0);
        let mut before = top.skip_while(|command| !std::ptr::eq(*command, last)).skip(1);
        let mut head = last;
        while head.before == Joint::Pipe
            && let Some(command) = before.next()
        {
            head = command;
        }
        head
    }

    pub fn has(&self, name: &str) -> bool {
        self.commands.iter().any(|command| command.name() == name)
    }
}

/// Reads a script; never fails.
pub fn parse(text: &str, places: Places) -> Script {
    Reader::new(text, places, None).read()
}

/// Reads what stands in a Dockerfile, where `escape` also joins lines, and comments and empty lines between these are left out.
pub fn parse_in_dockerfile(text: &str, places: Places, escape: char) -> Script {
    Reader::new(text, places, Some(escape)).read()
}
