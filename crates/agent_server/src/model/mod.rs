//! The language model: what is asked, what it answers, and who can answer.

mod breaker;
mod guard;
mod openai;
mod pause;
mod scripted;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use serde_json::Value;

use crate::event::ToolCall;

pub(crate) use self::guard::{Answer, Guard};
pub(crate) use self::openai::OpenAi;
pub(crate) use self::pause::Pause;
pub(crate) use self::scripted::Scripted;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    User(String),
    Assistant { text: String, calls: Vec<ToolCall> },
    Tool { call_id: String, output: String },
}

/// A tool as the model is told of it.
#[derive(Clone, Debug)]
pub(crate) struct ToolSpec {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// JSON schema of its arguments.
    pub(crate) schema: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) history: Arc<[Turn]>,
    pub(crate) tools: Arc<[ToolSpec]>,
}

/// A piece of a model's turn. The stream ends when the turn has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delta {
    Text(String),
    ToolCall(ToolCall),
    /// What the turn cost, by the provider's own count.
    Usage {
        tokens: u64,
    },
}

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// Too many requests wait here already, or waiting took too long.
    #[error("too many model calls are waiting")]
    Busy { retry_after: Duration },
    #[error("the model's provider asks for fewer requests")]
    RateLimited { retry_after: Option<Duration> },
    #[error("the model's provider does not answer: {0}")]
    Unavailable(String),
    /// After several failures in a row, the provider is left alone for a while.
    #[error("the model's provider has failed repeatedly")]
    CircuitOpen { retry_after: Duration },
    #[error("the model's provider refused the request ({status}): {message}")]
    Refused { status: u16, message: String },
    #[error("the model's answer broke off: {0}")]
    Broken(String),
}

impl ModelError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "model_busy",
            Self::RateLimited { .. } => "model_rate_limited",
            Self::Unavailable(_) | Self::CircuitOpen { .. } => "model_unavailable",
            Self::Refused { .. } => "model_refused",
            Self::Broken(_) => "model_broken",
        }
    }

    /// Whether the same request may succeed a little later.
    fn is_transient(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable(_))
    }
}

/// Somebody who can answer.
pub(crate) trait Model: Send + Sync {
    /// Streams a turn. Nothing happens before the stream is polled, and dropping it ends the request.
    fn answer(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>>;
}
