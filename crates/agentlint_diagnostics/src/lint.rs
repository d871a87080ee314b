//! What is known of a lint before it runs.

/// A lint's facts. Ids are snake_case, and the name reads after "allow".
#[derive(Clone, Copy, Debug)]
pub struct LintMeta {
    pub id: &'static str,
    /// One line: "a blocking file operation in async code".
    pub summary: &'static str,
    pub group: Group,
    pub level: Level,
    /// The text of its page, Markdown.
    pub page: &'static str,
}

/// A family of lints; its name can stand where a lint's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Blocking,
    Await,
    Lifespan,
    /// Server-sent events that stop, break or arrive late.
    Streaming,
    /// What a deploy does to the work in hand.
    Shutdown,
    /// Queues, permits, bodies and processes without a bound.
    Limits,
    /// What stands behind a proxy.
    Proxy,
    /// The files beside the Rust code that start it: Dockerfiles, compose files, Procfiles, shell scripts.
    Deploy,
    /// What a careful server does and many need not; off by default.
    Pedantic,
    /// What the tool says of its own work: files it could not read, suppressions that are not used, its own faults.
    Run,
}

impl Group {
    pub const ALL: [Group; 10] = [
        Group::Blocking,
        Group::Await,
        Group::Lifespan,
        Group::Streaming,
        Group::Shutdown,
        Group::Limits,
        Group::Proxy,
        Group::Deploy,
        Group::Pedantic,
        Group::Run,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Group::Blocking => "blocking",
            Group::Await => "await",
            Group::Lifespan => "lifespan",
            Group::Streaming => "streaming",
            Group::Shutdown => "shutdown",
            Group::Limits => "limits",
            Group::Proxy => "proxy",
            Group::Deploy => "deploy",
            Group::Pedantic => "pedantic",
            Group::Run => "run",
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Allow,
    Warn,
    Deny,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Something on the way was not understood; hidden by default.
    Possible,
    /// Through `dyn`, a bound or a dependency's own code, or a sink that is often quick.
    Likely,
    /// Every step resolved, and the sink always blocks.
    Certain,
}

impl Confidence {
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}

/// Which findings in code of a role are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    All,
    /// What panics or deadlocks.
    Fatal,
    Nothing,
}

impl Reported {
    pub const ALL: [Reported; 3] = [Reported::All, Reported::Fatal, Reported::Nothing];

    pub fn name(self) -> &'static str {
        match self {
            Reported::All => "all",
            Reported::Fatal => "fatal",
            Reported::Nothing => "nothing",
        }
    }

    /// Whether a finding is, where `is_fatal` says that it panics or deadlocks.
    pub fn admits(self, is_fatal: bool) -> bool {
        match self {
            Reported::All => true,
            Reported::Fatal => is_fatal,
            Reported::Nothing => false,
        }
    }
}

/// What is reported where nobody waits. In start-up code no one is served yet, and a test that stalls stalls itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolePolicy {
    pub startup: Reported,
    pub test: Reported,
}

impl Default for RolePolicy {
    fn default() -> RolePolicy {
        RolePolicy { startup: Reported::Fatal, test: Reported::Fatal }
    }
}
