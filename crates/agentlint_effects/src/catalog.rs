//! The catalog as it is written: tables of sinks, offloads, trusted insides and clients.

use agentlint_diagnostics::Confidence;
use serde::Deserialize;

use crate::Effect;
use crate::part::Part;

/// Entries of one or more catalog files.
#[derive(Clone, Debug, Default, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(default, rename = "sink")]
    pub sinks: Vec<Sink>,
    #[serde(default, rename = "offload")]
    pub offloads: Vec<Offload>,
    #[serde(default)]
    pub trusted: Vec<Trusted>,
    #[serde(default, rename = "client")]
    pub clients: Vec<Client>,
    #[serde(default, rename = "wrapper")]
    pub wrappers: Vec<Trusted>,
    #[serde(default)]
    pub uses_io: Vec<UsesIo>,
    #[serde(default, rename = "guard")]
    pub guards: Vec<Guard>,
    #[serde(default, rename = "start")]
    pub starts: Vec<StartPoint>,
    #[serde(default, rename = "time_limit")]
    pub time_limits: Vec<TimeLimit>,
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    #[serde(default, rename = "thread_need")]
    pub thread_needs: Vec<ThreadNeed>,
    #[serde(default, rename = "part")]
    pub parts: Vec<PartEntry>,
}

/// What an entry is about: see `lints/catalog/README.md`.
#[derive(Clone, Debug, Default, Hash, Deserialize)]
pub struct Subject {
    pub path: Option<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(rename = "trait")]
    pub trait_path: Option<String>,
    #[serde(default)]
    pub methods: Vec<String>,
    pub version: Option<String>,
}

impl Subject {
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.path.iter().chain(&self.paths).map(String::as_str)
    }

    /// The crates that its paths, types and trait begin with; a primitive type counts as one.
    pub fn crate_names(&self) -> impl Iterator<Item = &str> {
        let types = self.types.iter().flat_map(|written| written.trim_matches(['(', ')']).split(", "));
        let all = self.paths().chain(types).chain(self.trait_path.as_deref());
        all.filter_map(|path| path.trim_start_matches('&').split("::").next())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    Certain,
    Likely,
    Possible,
}

impl From<Certainty> for Confidence {
    fn from(certainty: Certainty) -> Confidence {
        match certainty {
            Certainty::Certain => Confidence::Certain,
            Certainty::Likely => Confidence::Likely,
            Certainty::Possible => Confidence::Possible,
        }
    }
}

fn certain() -> Certainty {
    Certainty::Certain
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    #[serde(flatten)]
    pub subject: Subject,
    pub effect: Effect,
    #[serde(default = "certain")]
    pub confidence: Certainty,
    /// Code that does the same without blocking; empty where only another thread helps.
    #[serde(default)]
    pub instead: String,
    /// In place of `instead` where the way out is no code: "await the future itself".
    #[serde(default)]
    pub advice: String,
    #[serde(default)]
    pub does: String,
    #[serde(default)]
    pub panics: bool,
    /// Whether what it gives does the work, when it is used up.
    #[serde(default)]
    pub lazy: bool,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offload {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(default)]
    pub argument: usize,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    #[serde(flatten)]
    pub subject: Subject,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(default)]
    pub blocking: bool,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsesIo {
    #[serde(flatten)]
    pub subject: Subject,
    /// The places of arguments that it reads from, from 0, `self` not counted.
    #[serde(default)]
    pub reads: Vec<usize>,
    #[serde(default)]
    pub writes: Vec<usize>,
    /// Whether it writes to what its receiver, one of the types or of the path's type, wraps.
    #[serde(default)]
    pub writes_self: bool,
    /// In place of what the argument's own methods say.
    #[serde(default)]
    pub instead: String,
    #[serde(default)]
    pub advice: String,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    #[serde(flatten)]
    pub subject: Subject,
    pub kind: GuardKind,
}

#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartPoint {
    #[serde(flatten)]
    pub subject: Subject,
    /// Whether it runs until the program ends.
    #[serde(default)]
    pub serves: bool,
}

/// What holding a guard means to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// Others wait for it.
    Lock,
    /// Others panic.
    Refcell,
    /// A tracing span that is entered: what others do meanwhile is recorded in it.
    Span,
}

/// A function that has to do with how long a client waits.
#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    #[serde(flatten)]
    pub subject: Subject,
    pub kind: LimitKind,
    /// How to set a limit, as a verb phrase; for what makes a client.
    #[serde(default)]
    pub advice: String,
}

/// A function that has to do with how many threads a runtime has.
#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadNeed {
    #[serde(flatten)]
    pub subject: Subject,
    pub kind: ThreadKind,
}

/// Functions and types that play a part in how a program serves.
#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartEntry {
    #[serde(flatten)]
    pub subject: Subject,
    pub kind: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadKind {
    /// Panics on a runtime with one thread.
    Several,
    /// Begins a runtime with one thread.
    One,
}

/// A function that has to do with routes.
#[derive(Clone, Debug, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    #[serde(flatten)]
    pub subject: Subject,
    /// The place of the argument that answers requests.
    pub handler_argument: Option<usize>,
    /// The place of the argument that is a path, or the front of one.
    pub path_argument: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Makes a client that waits for ever.
    Unlimited,
    /// Begins a builder without a limit.
    Begin,
    /// Sets a limit on a builder.
    ClientLimit,
    /// Makes a client of a builder.
    Build,
    /// Sets a limit on one request.
    RequestLimit,
}

/// A catalog file that cannot be read.
#[derive(Clone, Debug)]
pub struct CatalogError {
    pub file: String,
    pub message: String,
}

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

impl std::error::Error for CatalogError {}

impl Catalog {
    /// Reads the text of one file. The error names it.
    pub fn parse(file: &str, text: &str) -> Result<Catalog, CatalogError> {
        toml::from_str(text).map_err(|error| CatalogError { file: file.to_owned(), message: error.to_string() })
    }

    pub fn extend(&mut self, other: Catalog) {
        self.sinks.extend(other.sinks);
        self.offloads.extend(other.offloads);
        self.trusted.extend(other.trusted);
        self.clients.extend(other.clients);
        self.wrappers.extend(other.wrappers);
        self.uses_io.extend(other.uses_io);
        self.guards.extend(other.guards);
        self.starts.extend(other.starts);
        self.time_limits.extend(other.time_limits);
        self.routes.extend(other.routes);
        self.thread_needs.extend(other.thread_needs);
        self.parts.extend(other.parts);
    }

    /// What the entries of all tables are about, in the order of the tables.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        let sinks = self.sinks.iter().map(|entry| &entry.subject);
        let offloads = self.offloads.iter().map(|entry| &entry.subject);
        let trusted = self.trusted.iter().chain(&self.wrappers).map(|entry| &entry.subject);
        let clients = self.clients.iter().map(|entry| &entry.subject);
        let uses_io = self.uses_io.iter().map(|entry| &entry.subject);
        let guards = self.guards.iter().map(|entry| &entry.subject);
        let starts = self.starts.iter().map(|entry| &entry.subject);
        let time_limits = self.time_limits.iter().map(|entry| &entry.subject);
        let routes = self.routes.iter().map(|entry| &entry.subject);
        let of_sinks = sinks.chain(offloads).chain(trusted).chain(clients).chain(uses_io);
        let thread_needs = self.thread_needs.iter().map(|entry| &entry.subject);
        let parts = self.parts.iter().map(|entry| &entry.subject);
        of_sinks.chain(guards).chain(starts).chain(time_limits).chain(routes).chain(thread_needs).chain(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Catalog::parse("lints/catalog/files.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_is_read() {
        let text = "[[sink]]\npath = \"app::read\"\neffect = \"fs\"\nadvice = \"read it before\"\n";
        let catalog = Catalog::parse("mine.toml", text).unwrap();
        let sink = &catalog.sinks[0];
        assert_eq!(sink.subject.paths().collect::<Vec<_>>(), ["app::read"]);
        assert_eq!((sink.effect, sink.confidence), (Effect::Fs, Certainty::Certain));
        assert_eq!((sink.instead.as_str(), sink.advice.as_str(), sink.panics), ("", "read it before", false));
    }

    #[test]
    fn an_unknown_key_is_an_error_in_every_table() {
        let tables = [
            "sink",
            "offload",
            "trusted",
            "client",
            "wrapper",
            "uses_io",
            "guard",
            "start",
            "time_limit",
            "route",
            "thread_need",
            "part",
        ];
        for table in tables {
            let needed = match table {
                "sink" => "effect = \"fs\"\n",
                "guard" => "kind = \"lock\"\n",
                "time_limit" => "kind = \"build\"\n",
                "thread_need" => "kind = \"one\"\n",
                "part" => "kind = \"serve\"\n",
                _ => "",
            };
            let entry = format!("[[{table}]]\npath = \"app::read\"\n{needed}");
            Catalog::parse("mine.toml", &entry).unwrap_or_else(|error| panic!("{error}"));
            let error = refused(&format!("{entry}insted = \"app::read_async().await\"\n"));
            assert!(error.starts_with("lints/catalog/files.toml: ") && error.contains("insted"), "{table}: {error}");
        }
        assert!(refused("[[sinks]]\npath = \"app::read\"\n").contains("sinks"));
    }
}
