//! What the model may call: each tool with one schema, one deadline and one bound on what it returns.

mod http_get;
mod now;
mod sql_query;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::timeout;

pub(crate) use self::http_get::{HttpGet, NewError as HttpError, Policy as HttpPolicy};
pub(crate) use self::now::Now;
pub(crate) use self::sql_query::{Limits as SqlLimits, OpenError as SqlError, SqlQuery, demo_shop};
use crate::model::ToolSpec;

/// The most characters of a result that the model is shown.
const LONGEST_OUTPUT: usize = 16_384;

/// Something that the model may call.
pub trait Tool: Send + Sync {
    fn name(&self) -> &'static str;
    /// What it does and when to use it, for the model.
    fn description(&self) -> &'static str;
    /// JSON schema of the arguments.
    fn schema(&self) -> Value;
    /// Whether a call whose end is not known may be made again.
    fn is_repeatable(&self) -> bool;
    fn deadline(&self) -> Duration;
    /// Validates the arguments and does the work. Dropping the future ends it. An error is for the model to read.
    fn call<'tool>(&'tool self, arguments: Value) -> BoxFuture<'tool, Result<String, String>>;
}

pub(crate) struct Tools {
    by_name: BTreeMap<&'static str, Box<dyn Tool>>,
    specs: Arc<[ToolSpec]>,
}

/// What a call gave.
#[derive(Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) is_error: bool,
}

impl Output {
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: true }
    }
}

impl Tools {
    pub(crate) fn new(tools: Vec<Box<dyn Tool>>) -> Self {
        let spec = |tool: &dyn Tool| ToolSpec { name: tool.name(), description: tool.description(), schema: tool.schema() };
        let specs = tools.iter().map(|tool| spec(&**tool)).collect();
        Self { by_name: tools.into_iter().map(|tool| (tool.name(), tool)).collect(), specs }
    }

    pub(crate) fn specs(&self) -> Arc<[ToolSpec]> {
        Arc::clone(&self.specs)
    }

    /// Whether a call that was begun before a crash may be made again.
    pub(crate) fn is_repeatable(&self, name: &str) -> bool {
        // A tool that is not known does nothing, as often as it is called.
        self.by_name.get(name).is_none_or(|tool| tool.is_repeatable())
    }

    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Output {
        let Some(tool) = self.by_name.get(name) else {
            let known: Vec<_> = self.by_name.keys().copied().collect();
            return Output::error(format!("there is no tool `{name}`; there are: {}", known.join(", ")));
        };
        let deadline = tool.deadline();
        match timeout(deadline, tool.call(arguments)).await {
            Ok(Ok(text)) => Output { text: cut(text), is_error: false },
            Ok(Err(text)) => Output::error(cut(text)),
            Err(_) => Output::error(format!("`{name}` took longer than {} s and was stopped", deadline.as_secs_f64())),
        }
    }
}

/// A text that is not too long.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_OUTPUT) {
        text.truncate(end);
        text.push_str("… (cut)");
    }
    text
}
