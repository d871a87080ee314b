//! The kinds of blocking.

/// What a blocking call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Sleep,
    Fs,
    Net,
    Http,
    Db,
    Process,
    Channel,
    Join,
    Lock,
    Stdin,
    BlockOn,
    Cpu,
}

impl Effect {
    pub const ALL: [Effect; 12] = [
        Effect::Sleep,
        Effect::Fs,
        Effect::Net,
        Effect::Http,
        Effect::Db,
        Effect::Process,
        Effect::Channel,
        Effect::Join,
        Effect::Lock,
        Effect::Stdin,
        Effect::BlockOn,
        Effect::Cpu,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Effect::Sleep => "sleep",
            Effect::Fs => "fs",
            Effect::Net => "net",
            Effect::Http => "http",
            Effect::Db => "db",
            Effect::Process => "process",
            Effect::Channel => "channel",
            Effect::Join => "join",
            Effect::Lock => "lock",
            Effect::Stdin => "stdin",
            Effect::BlockOn => "block_on",
            Effect::Cpu => "cpu",
        }
    }
}
