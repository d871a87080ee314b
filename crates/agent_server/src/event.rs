//! What happens in a run, as it is kept in the log and as clients see it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A run's name; in order of creation, and not to be guessed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct RunId(pub(crate) Uuid);

impl RunId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One entry of a run's log. The payload of a frame is this, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    /// What the user said; the first entry of every run.
    Input {
        message: String,
    },
    /// A piece of the answer that is being written; the `message` that follows holds the whole.
    Token {
        text: String,
    },
    /// The model's turn has ended: its whole text, and the tools it wants called.
    Message {
        text: String,
        tool_calls: Vec<ToolCall>,
        tokens: u64,
    },
    /// A tool is about to be called.
    ToolCall {
        #[serde(flatten)]
        call: ToolCall,
    },
    ToolResult {
        call_id: String,
        name: String,
        output: String,
        is_error: bool,
    },
    /// The run goes on after a crash: tokens after this sequence number and before this entry are void.
    Resumed {
        discard_after: i64,
    },
    /// Why the run failed.
    Error {
        code: String,
        message: String,
    },
    /// The last entry of every run.
    Done {
        status: Status,
        steps: u32,
        tokens: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ToolCall {
    pub(crate) call_id: String,
    pub(crate) name: String,
    #[schema(value_type = Object)]
    pub(crate) arguments: Value,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Running, Self::Completed, Self::Failed, Self::Cancelled].into_iter().find(|status| status.name() == name)
    }
}

/// An event's type, by which the database and the frame name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Input,
    Token,
    Message,
    ToolCall,
    ToolResult,
    Resumed,
    Error,
    Done,
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Token, Self::Input, Self::Message, Self::ToolCall, Self::ToolResult, Self::Resumed, Self::Error, Self::Done];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Token => "token",
            Self::Message => "message",
            Self::ToolCall => "tool_call",
            Self::ToolResult => "tool_result",
            Self::Resumed => "resumed",
            Self::Error => "error",
            Self::Done => "done",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Event {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Input { .. } => Kind::Input,
            Self::Token { .. } => Kind::Token,
            Self::Message { .. } => Kind::Message,
            Self::ToolCall { .. } => Kind::ToolCall,
            Self::ToolResult { .. } => Kind::ToolResult,
            Self::Resumed { .. } => Kind::Resumed,
            Self::Error { .. } => Kind::Error,
            Self::Done { .. } => Kind::Done,
        }
    }

    /// The entry as it is stored and sent.
    pub(crate) fn frame(&self, seq: i64) -> Frame {
        let data = serde_json::to_string(self).expect("an event has string keys only");
        Frame { seq, kind: self.kind(), data: data.into() }
    }
}

/// An entry of the log in the form in which it is stored and sent.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Counts from 1 within the run, without gaps.
    pub(crate) seq: i64,
    pub(crate) kind: Kind,
    /// JSON of an [`Event`].
    pub(crate) data: Arc<str>,
}
