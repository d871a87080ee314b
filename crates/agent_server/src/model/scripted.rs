//! The built-in model: deterministic, offline, and told by the message how to behave.
//!
//! | in the message | what it does |
//! |---|---|
//! | `/tokens N` | answers with N numbered tokens |
//! | `/delay MS` | pauses before each token (default 30) |
//! | `/slow MS` | pauses before the first token |
//! | `/tool NAME JSON` | calls a tool first; several make several calls |
//! | `/fail` | fails before the first token |
//! | `/break N` | breaks off after N tokens |
//! | `/429` | asks for fewer requests, every time |
//!
//! Without any, it calls `now` when asked for the time, `sql_query` when asked for sales, and else says what it was told.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{Delta, Model, ModelError, Request, Turn};
use crate::event::ToolCall;

#[derive(Debug)]
pub(crate) struct Scripted;

/// How one turn goes.
#[derive(Debug, PartialEq)]
struct Script {
    calls: Vec<(String, Value)>,
    tokens: Option<u64>,
    delay: Duration,
    slow: Duration,
    failure: Option<Failure>,
}

#[derive(Debug, PartialEq)]
enum Failure {
    AtOnce,
    After(u64),
    RateLimit,
}

impl Model for Scripted {
    fn answer(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>> {
        let (message, since) = last_message(&request.history);
        let script = Script::read(message);
        let results: Vec<&str> = since.iter().filter_map(output).collect();
        let calls = if results.is_empty() { numbered(&script.calls, request.history.len()) } else { Vec::new() };
        // Made one by one: a thousand answers under way should cost no more than what is said.
        let texts: Box<dyn Iterator<Item = String> + Send> = match script.tokens {
            _ if !calls.is_empty() => Box::new(std::iter::empty()),
            Some(tokens) => Box::new((1..=tokens).map(|number| format!("token {number} "))),
            None => Box::new(words(&said(message, &results)).collect::<Vec<_>>().into_iter()),
        };
        let cut = match script.failure {
            None => u64::MAX,
            Some(Failure::After(tokens)) => tokens,
            Some(Failure::AtOnce | Failure::RateLimit) => 0,
        };
        let deltas = texts.map(Delta::Text).chain(calls.into_iter().map(Delta::ToolCall));
        let kept = deltas.take(usize::try_from(cut).unwrap_or(usize::MAX)).map(Ok);
        let error = script.failure.map(|failure| Err(failure.error()));
        let (slow, delay) = (script.slow, script.delay);
        // Like a provider's, its tokens come by a clock of their own, whenever the last one was taken: many answers whose pauses
        // began when a commit ended would come to keep step, and all ask for the next commit at once.
        let mut due = Instant::now();
        let timed = stream::iter(kept.chain(error)).enumerate().then(move |(index, delta)| {
            let pause = if index == 0 { slow } else { delay };
            due = if index == 0 { Instant::now() + slow } else { due + delay };
            async move {
                if !pause.is_zero() && due > Instant::now() {
                    sleep_until(due).await;
                }
                delta
            }
        });
        timed.boxed()
    }
}

impl Script {
    fn read(message: &str) -> Self {
        let mut script =
            Self { calls: Vec::new(), tokens: None, delay: Duration::from_millis(30), slow: Duration::ZERO, failure: None };
        let mut rest = message;
        while let Some((_, directive)) = rest.split_once('/') {
            let (name, after) = word(directive);
            rest = after;
            match name {
                "tokens" => script.tokens = number(&mut rest),
                "delay" => script.delay = Duration::from_millis(number(&mut rest).unwrap_or(30)),
                "slow" => script.slow = Duration::from_millis(number(&mut rest).unwrap_or(0)),
                "fail" => script.failure = Some(Failure::AtOnce),
                "break" => script.failure = Some(Failure::After(number(&mut rest).unwrap_or(0))),
                "429" => script.failure = Some(Failure::RateLimit),
                "tool" => {
                    let (tool, after) = word(rest);
                    let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
                    let arguments = values.next().and_then(Result::ok).unwrap_or_else(|| json!({}));
                    rest = after.get(values.byte_offset()..).unwrap_or_default();
                    script.calls.push((tool.to_owned(), arguments));
                }
                _ => {}
            }
        }
        let asks = |words: &[&str]| words.iter().any(|word| message.to_lowercase().contains(word));
        if script.calls.is_empty() && asks(&["what time", "time is it"]) {
            script.calls.push(("now".to_owned(), json!({})));
        }
        if script.calls.is_empty() && asks(&["sales", "best-selling", "customers"]) {
            let sql = "SELECT product, sum(quantity) AS sold FROM orders GROUP BY product ORDER BY sold DESC";
            script.calls.push(("sql_query".to_owned(), json!({ "sql": sql })));
        }
        script
    }
}

impl Failure {
    fn error(&self) -> ModelError {
        match self {
            Self::AtOnce => ModelError::Unavailable("the script says so".to_owned()),
            Self::After(_) => ModelError::Broken("the script says so".to_owned()),
            Self::RateLimit => ModelError::RateLimited { retry_after: Some(Duration::from_secs(60)) },
        }
    }
}

/// What the user said last, and what happened since.
fn last_message(history: &[Turn]) -> (&str, &[Turn]) {
    let last = history.iter().enumerate().rev().find_map(|(index, turn)| match turn {
        Turn::User(message) => Some((index, message)),
        _ => None,
    });
    last.map_or(("", &[]), |(index, message)| (message.as_str(), history.get(index + 1..).unwrap_or_default()))
}

fn output(turn: &Turn) -> Option<&str> {
    match turn {
        Turn::Tool { output, .. } => Some(output),
        _ => None,
    }
}

/// Calls with names that no other call of the run has, and that are the same when the turn is played again.
fn numbered(calls: &[(String, Value)], turn: usize) -> Vec<ToolCall> {
    let call = |(index, (name, arguments)): (usize, &(String, Value))| ToolCall {
        call_id: format!("call_{turn}_{index}"),
        name: name.clone(),
        arguments: arguments.clone(),
    };
    calls.iter().enumerate().map(call).collect()
}

fn said(message: &str, results: &[&str]) -> String {
    if results.is_empty() {
        return format!("You said: {message}. I am a scripted model, so that is all I know.");
    }
    format!("The tool answered: {}", results.join("; "))
}

/// A text in tokens of one word each, its spaces kept.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_inclusive(' ').map(str::to_owned)
}

/// The first word of a text, and the rest.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Takes a number off a text.
fn number(text: &mut &str) -> Option<u64> {
    let (first, rest) = word(text);
    let number = first.parse().ok()?;
    *text = rest;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_in_any_order() {
        let script = Script::read("/slow 200 please /tokens 5 /delay 0 /tool now {\"a\": [1, 2]} /break 3");
        let calls = vec![("now".to_owned(), json!({ "a": [1, 2] }))];
        let slow = Duration::from_millis(200);
        assert_eq!(script, Script { calls, tokens: Some(5), delay: Duration::ZERO, slow, failure: Some(Failure::After(3)) });
    }

    #[tokio::test]
    async fn the_same_question_has_the_same_answer() {
        let ask = || async {
            let history = [Turn::User("hello /delay 0".to_owned())].into();
            Scripted.answer(Request { history, tools: [].into() }).map(Result::unwrap).collect::<Vec<_>>().await
        };
        let first = ask().await;
        assert_eq!(first.first(), Some(&Delta::Text("You ".to_owned())));
        assert_eq!(first, ask().await);
    }
}
