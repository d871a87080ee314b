//! The agent loop as a state machine without I/O: entries of the log go in, the next action comes out.
//!
//! A run that is driven and a run that is recovered pass through the same code, so that both are in the same state after
//! the same log.

use std::collections::VecDeque;

use crate::event::{Event, Status, ToolCall};
use crate::model::Turn;

/// What a run may use up; its time is watched by the driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) steps: u32,
    pub(crate) tokens: u64,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Action {
    /// Ask the model for its next turn, given [`Machine::history`].
    AskModel,
    /// Call a tool and write down its result.
    CallTool(ToolCall),
    /// A call was begun, and the log does not say how it ended.
    SettleTool(ToolCall),
    /// Write the last entry.
    Finish(Status),
    /// Say why, then write the last entry.
    Fail { code: &'static str, message: String },
}

#[derive(Debug)]
pub(crate) struct Machine {
    budget: Budget,
    history: Vec<Turn>,
    /// Calls of the last turn that have no result yet, in order.
    pending: VecDeque<ToolCall>,
    /// The first of them was begun.
    has_begun: bool,
    phase: Phase,
    pub(crate) steps: u32,
    pub(crate) tokens: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Model,
    Tools,
    Ended(Status),
}

impl Machine {
    /// A machine that knows what was said in earlier runs of the thread.
    pub(crate) fn new(budget: Budget, history: Vec<Turn>) -> Self {
        Self { budget, history, pending: VecDeque::new(), has_begun: false, phase: Phase::Model, steps: 0, tokens: 0 }
    }

    pub(crate) fn history(&self) -> &[Turn] {
        &self.history
    }

    /// Moves past one entry of the log.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Input { message } => self.history.push(Turn::User(message.clone())),
            Event::Token { .. } | Event::Resumed { .. } => {}
            Event::Message { text, tool_calls, tokens } => {
                self.steps += 1;
                self.tokens = self.tokens.saturating_add(*tokens);
                self.pending = tool_calls.iter().cloned().collect();
                self.has_begun = false;
                self.phase = if tool_calls.is_empty() { Phase::Ended(Status::Completed) } else { Phase::Tools };
                self.history.push(Turn::Assistant { text: text.clone(), calls: tool_calls.clone() });
            }
            Event::ToolCall { call } => {
                self.has_begun = self.pending.front().is_some_and(|next| next.call_id == call.call_id);
            }
            Event::ToolResult { call_id, output, .. } => {
                self.pending.retain(|call| call.call_id != *call_id);
                self.has_begun = false;
                if self.pending.is_empty() {
                    self.phase = Phase::Model;
                }
                self.history.push(Turn::Tool { call_id: call_id.clone(), output: output.clone() });
            }
            Event::Error { .. } => self.phase = Phase::Ended(Status::Failed),
            Event::Done { status, .. } => self.phase = Phase::Ended(*status),
        }
    }

    /// Whether a turn may go on that has produced so many tokens.
    pub(crate) fn affords(&self, tokens: u64) -> bool {
        self.tokens.saturating_add(tokens) < self.budget.tokens
    }

    pub(crate) fn next(&self) -> Action {
        match self.phase {
            Phase::Ended(status) => Action::Finish(status),
            Phase::Tools => match self.pending.front() {
                Some(call) if self.has_begun => Action::SettleTool(call.clone()),
                Some(call) => Action::CallTool(call.clone()),
                None => Action::AskModel,
            },
            Phase::Model if self.steps >= self.budget.steps => Action::Fail {
                code: "budget_exhausted",
                message: format!("the run has made {} model calls, which is its budget", self.steps),
            },
            Phase::Model if self.tokens >= self.budget.tokens => Action::Fail {
                code: "budget_exhausted",
                message: format!("the run has produced {} tokens; its budget is {}", self.tokens, self.budget.tokens),
            },
            Phase::Model => Action::AskModel,
        }
    }

    /// The last entry.
    pub(crate) fn done(&self, status: Status) -> Event {
        Event::Done { status, steps: self.steps, tokens: self.tokens }
    }
}

/// What the model is told of earlier runs, from their entries.
pub(crate) fn earlier(entries: impl Iterator<Item = Event>) -> Vec<Turn> {
    let (mut turns, mut pending) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Event::Input { message } => {
                settle(&mut turns, &mut pending);
                turns.push(Turn::User(message));
            }
            Event::Message { text, tool_calls, .. } => {
                pending.extend(tool_calls.iter().map(|call| call.call_id.clone()));
                turns.push(Turn::Assistant { text, calls: tool_calls });
            }
            Event::ToolResult { call_id, output, .. } => {
                pending.retain(|waiting| *waiting != call_id);
                turns.push(Turn::Tool { call_id, output });
            }
            _ => {}
        }
    }
    settle(&mut turns, &mut pending);
    turns
}

/// Answers the calls of a run that ended in the middle of them: providers refuse a history with a call that has no result.
fn settle(turns: &mut Vec<Turn>, pending: &mut Vec<String>) {
    let output = "The run ended before this call did.";
    turns.extend(pending.drain(..).map(|call_id| Turn::Tool { call_id, output: output.to_owned() }));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine() -> Machine {
        Machine::new(Budget { steps: 2, tokens: 100 }, Vec::new())
    }

    fn call(id: &str) -> ToolCall {
        ToolCall { call_id: id.to_owned(), name: "now".to_owned(), arguments: json!({}) }
    }

    fn message(calls: &[&str]) -> Event {
        Event::Message { text: String::new(), tool_calls: calls.iter().map(|id| call(id)).collect(), tokens: 40 }
    }

    fn result(id: &str) -> Event {
        Event::ToolResult { call_id: id.to_owned(), name: "now".to_owned(), output: "12:00".to_owned(), is_error: false }
    }

    fn after(events: &[Event]) -> Action {
        let mut machine = machine();
        machine.apply(&Event::Input { message: "hello".to_owned() });
        events.iter().for_each(|event| machine.apply(event));
        machine.next()
    }

    #[test]
    fn a_message_without_calls_ends_the_run() {
        assert_eq!(after(&[]), Action::AskModel);
        assert_eq!(after(&[message(&[])]), Action::Finish(Status::Completed));
    }

    #[test]
    fn calls_are_made_in_order_and_then_the_model_goes_on() {
        assert_eq!(after(&[message(&["a", "b"])]), Action::CallTool(call("a")));
        assert_eq!(after(&[message(&["a", "b"]), Event::ToolCall { call: call("a") }, result("a")]), Action::CallTool(call("b")));
        assert_eq!(after(&[message(&["a", "b"]), result("a"), result("b")]), Action::AskModel);
    }

    #[test]
    fn a_call_that_was_begun_is_settled() {
        assert_eq!(after(&[message(&["a"]), Event::ToolCall { call: call("a") }]), Action::SettleTool(call("a")));
    }

    #[test]
    fn tokens_before_a_crash_change_nothing() {
        let token = Event::Token { text: "x".to_owned() };
        assert_eq!(after(&[token, Event::Resumed { discard_after: 1 }]), Action::AskModel);
    }

    #[test]
    fn budgets_end_the_run() {
        let spent = after(&[message(&["a"]), result("a"), message(&["b"]), result("b")]);
        assert!(matches!(spent, Action::Fail { code: "budget_exhausted", .. }), "{spent:?}");
        let mut machine = Machine::new(Budget { steps: 9, tokens: 80 }, Vec::new());
        assert!(machine.affords(79) && !machine.affords(80));
        for event in [message(&["a"]), result("a"), message(&["b"]), result("b")] {
            machine.apply(&event);
        }
        assert!(matches!(machine.next(), Action::Fail { code: "budget_exhausted", .. }));
        machine.apply(&Event::Error { code: String::new(), message: String::new() });
        assert_eq!(machine.next(), Action::Finish(Status::Failed));
    }

    #[test]
    fn a_call_that_an_earlier_run_did_not_finish_has_a_result_all_the_same() {
        let input = |text: &str| Event::Input { message: text.to_owned() };
        let turns = earlier([input("first"), message(&["a", "b"]), result("a"), input("second")].into_iter());
        let kinds: Vec<_> = turns
            .iter()
            .map(|turn| match turn {
                Turn::User(text) => text.as_str(),
                Turn::Assistant { .. } => "assistant",
                Turn::Tool { call_id, .. } => call_id,
            })
            .collect();
        assert_eq!(kinds, ["first", "assistant", "a", "b", "second"]);
        assert_eq!(earlier([message(&["c"])].into_iter()).len(), 2);
    }
}
