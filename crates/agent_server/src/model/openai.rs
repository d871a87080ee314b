//! Any provider that speaks OpenAI's chat completions, streaming.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Instant;

use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::future::Either;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::pause::{Pause, retry_after};
use super::{Delta, Model, ModelError, Request, ToolSpec, Turn};
use crate::event::ToolCall;

/// What one turn may bring, in bytes: a provider is not trusted with our memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much of a refusal is passed on.
const REFUSAL: usize = 500;

#[derive(Debug)]
pub(crate) struct OpenAi {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) model: String,
    pub(crate) key: Option<SecretString>,
    /// What its answers say of its limits.
    pub(crate) pause: Arc<Pause>,
}

impl OpenAi {
    /// The endpoint below a base such as `https://api.openai.com/v1`.
    pub(crate) fn endpoint(base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["chat", "completions"]);
        }
        url
    }
}

impl Model for OpenAi {
    fn answer(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>> {
        let mut post = self.client.post(self.url.clone()).json(&body(&self.model, &request));
        if let Some(key) = &self.key {
            post = post.bearer_auth(key.expose_secret());
        }
        let pause = Arc::clone(&self.pause);
        let response = async move {
            let response = post.send().await.map_err(unreachable)?;
            pause.heed(response.headers(), Instant::now());
            accepted(response).await
        };
        let deltas = stream::once(response).flat_map(|response| match response {
            Ok(response) => Either::Left(deltas(response)),
            Err(error) => Either::Right(stream::once(async { Err(error) })),
        });
        deltas.boxed()
    }
}

fn unreachable(error: reqwest::Error) -> ModelError {
    // The address may hold what is not for clients to see.
    ModelError::Unavailable(error.without_url().to_string())
}

/// A response that streams, or why it does not.
async fn accepted(response: Response) -> Result<Response, ModelError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS => Err(ModelError::RateLimited { retry_after: retry_after(response.headers()) }),
        _ if status.is_server_error() => Err(ModelError::Unavailable(format!("status {}", status.as_u16()))),
        _ => {
            let mut text = String::new();
            let mut body = response.bytes_stream();
            while let (Some(Ok(bytes)), true) = (body.next().await, text.len() < REFUSAL) {
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
            Err(ModelError::Refused { status: status.as_u16(), message: text.chars().take(REFUSAL).collect() })
        }
    }
}

fn body(model: &str, request: &Request) -> Value {
    let messages: Vec<Value> = request.history.iter().map(message).collect();
    let mut body = json!({ "model": model, "messages": messages, "stream": true, "stream_options": { "include_usage": true } });
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    body
}

fn message(turn: &Turn) -> Value {
    match turn {
        Turn::User(text) => json!({ "role": "user", "content": text }),
        Turn::Assistant { text, calls } if calls.is_empty() => json!({ "role": "assistant", "content": text }),
        Turn::Assistant { text, calls } => {
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    let function = json!({ "name": call.name, "arguments": call.arguments.to_string() });
                    json!({ "id": call.call_id, "type": "function", "function": function })
                })
                .collect();
            json!({ "role": "assistant", "content": text, "tool_calls": calls })
        }
        Turn::Tool { call_id, output } => json!({ "role": "tool", "tool_call_id": call_id, "content": output }),
    }
}

fn tool(spec: &ToolSpec) -> Value {
    let function = json!({ "name": spec.name, "description": spec.description, "parameters": spec.schema });
    json!({ "type": "function", "function": function })
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: ChoiceDelta,
}

#[derive(Default, Deserialize)]
struct ChoiceDelta {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<CallDelta>,
}

#[derive(Deserialize)]
struct CallDelta {
    #[serde(default)]
    index: u32,
    id: Option<String>,
    #[serde(default)]
    function: FunctionDelta,
}

#[derive(Default, Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    completion_tokens: u64,
}

#[derive(Default)]
struct PartialCall {
    id: String,
    name: String,
    arguments: String,
}

/// A turn as far as it has come.
struct Answering {
    chunks: BoxStream<'static, Result<String, ModelError>>,
    calls: BTreeMap<u32, PartialCall>,
    ready: VecDeque<Delta>,
    has_ended: bool,
}

fn deltas(response: Response) -> impl futures_util::Stream<Item = Result<Delta, ModelError>> + Send + 'static {
    let mut left = MOST_BYTES;
    let bytes = response.bytes_stream().map_err(io::Error::other).and_then(move |bytes| {
        let fits = left.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("the answer is too long"));
        left = *fits.as_ref().unwrap_or(&0);
        std::future::ready(fits.map(|_| bytes))
    });
    let chunks = bytes.eventsource().map(|event| match event {
        Ok(event) => Ok(event.data),
        Err(EventStreamError::Transport(error)) => Err(ModelError::Broken(cause(&error))),
        Err(error) => Err(ModelError::Broken(error.to_string())),
    });
    let answering = Answering { chunks: chunks.boxed(), calls: BTreeMap::new(), ready: VecDeque::new(), has_ended: false };
    stream::unfold(answering, |mut answering| async { answering.next().await.map(|delta| (delta, answering)) }).fuse()
}

/// The innermost reason, without addresses.
fn cause(error: &io::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Answering {
    async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Some(Ok(delta));
            }
            if self.has_ended {
                return None;
            }
            match self.chunks.next().await {
                Some(Ok(data)) if data == "[DONE]" => self.end(),
                Some(Ok(data)) => {
                    if let Err(error) = self.take(&data) {
                        self.has_ended = true;
                        return Some(Err(error));
                    }
                }
                Some(Err(error)) => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.has_ended = true;
                    return Some(Err(ModelError::Broken("the stream ended before `[DONE]`".to_owned())));
                }
            }
        }
    }

    fn take(&mut self, data: &str) -> Result<(), ModelError> {
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| ModelError::Broken(format!("not a chunk of an answer: {error}")))?;
        if let Some(error) = chunk.error {
            return Err(ModelError::Broken(error.to_string()));
        }
        if let Some(usage) = chunk.usage {
            self.ready.push_back(Delta::Usage { tokens: usage.completion_tokens });
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
        if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
            self.ready.push_back(Delta::Text(text));
        }
        for delta in choice.delta.tool_calls {
            let call = self.calls.entry(delta.index).or_default();
            call.id.push_str(&delta.id.unwrap_or_default());
            call.name.push_str(&delta.function.name.unwrap_or_default());
            call.arguments.push_str(&delta.function.arguments.unwrap_or_default());
        }
        Ok(())
    }

    fn end(&mut self) {
        self.has_ended = true;
        for (index, call) in std::mem::take(&mut self.calls) {
            let call_id = if call.id.is_empty() { format!("call_{index}") } else { call.id };
            // What is not JSON reaches the tool's validation as a text, which tells the model.
            let arguments = serde_json::from_str(&call.arguments).unwrap_or(Value::String(call.arguments));
            self.ready.push_back(Delta::ToolCall(ToolCall { call_id, name: call.name, arguments }));
        }
    }
}
