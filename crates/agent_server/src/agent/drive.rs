//! Drives one run: asks the machine what comes next, does it, and writes it down first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Agent;
use super::machine::{Action, Machine};
use crate::event::{Event, RunId, Status, ToolCall};
use crate::model::{Delta, ModelError, Request, Turn};
use crate::store::{Journal, Lease, LeaseLost, StoreError};
use crate::tools::Output;

/// How long the end of a run may take to be written once its time is up.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// When to stop although the run has not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// At the end of the current step.
    pub(super) soon: CancellationToken,
    /// In the middle of it.
    pub(super) now: CancellationToken,
}

/// How driving ended.
#[derive(Debug)]
pub(super) enum End {
    Ended(Status),
    /// Another replica may go on with it.
    Suspended,
    /// The run belongs to somebody else, or cannot be written.
    Lost,
}

/// A run under this replica's lease.
pub(super) struct Driver<'agent> {
    agent: &'agent Agent,
    machine: Machine,
    journal: Journal,
    lease: Arc<Lease>,
    created: Instant,
    last_token: Option<Instant>,
}

/// Why a step did not end as a step.
enum Broken {
    Model(ModelError),
    Budget(&'static str, String),
    Lost,
}

impl From<LeaseLost> for Broken {
    fn from(_: LeaseLost) -> Self {
        Self::Lost
    }
}

impl<'agent> Driver<'agent> {
    /// A run that was just created with this message.
    pub(super) fn begin(agent: &'agent Agent, lease: Arc<Lease>, history: Vec<Turn>, message: String) -> Self {
        let mut machine = Machine::new(agent.budget, history);
        machine.apply(&Event::Input { message });
        let journal = agent.store.journal(Arc::clone(&lease), 1);
        Self { agent, machine, journal, lease, created: Instant::now(), last_token: None }
    }

    /// A run that its former owner has left: the log says how far it came.
    pub(super) async fn resume(
        agent: &'agent Agent,
        lease: Arc<Lease>,
        history: Vec<Turn>,
        age: Duration,
    ) -> Result<Self, StoreError> {
        let (steps, last_seq) = agent.store.steps(lease.run.number).await?;
        let mut machine = Machine::new(agent.budget, history);
        for (_, event) in &steps {
            machine.apply(event);
        }
        let journal = agent.store.journal(Arc::clone(&lease), last_seq);
        let created = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        let mut driver = Self { agent, machine, journal, lease, created, last_token: None };
        let finished = steps.last().map_or(0, |(seq, _)| *seq);
        // Losing the lease here shows at the first step as well.
        let _ = driver.journal.append(&Event::Resumed { discard_after: finished }).await;
        Ok(driver)
    }

    pub(super) async fn run(mut self, stop: &Stop) -> End {
        let deadline = (self.created + self.agent.time).into();
        let (lost, cancel) = (self.lease.lost.clone(), self.lease.feed.cancel.clone());
        let end = tokio::select! {
            biased;
            () = lost.cancelled() => return End::Lost,
            () = cancel.cancelled() => Ok(Status::Cancelled),
            () = sleep_until(deadline) => Err(("time_exhausted", format!("the run took {} s", self.agent.time.as_secs()))),
            () = stop.now.cancelled() => return End::Suspended,
            ended = self.steps(stop) => match ended {
                Ok(Some(status)) => Ok(status),
                Ok(None) => return End::Suspended,
                Err(Broken::Lost) => return End::Lost,
                Err(Broken::Budget(code, message)) => Err((code, message)),
                Err(Broken::Model(error)) => Err((error.code(), error.to_string())),
            },
        };
        // Out of reach of what can end a step, so that no run ends twice.
        let last_words = async {
            let status = match end {
                Ok(status) => status,
                Err((code, message)) => {
                    tracing::info!(code, message, "the run failed");
                    self.journal.append(&Event::Error { code: code.to_owned(), message }).await?;
                    Status::Failed
                }
            };
            self.journal.finish(&self.machine.done(status), status).await.map(|()| status)
        };
        match timeout(LAST_WORDS, last_words).await {
            Ok(Ok(status)) => End::Ended(status),
            Ok(Err(LeaseLost)) | Err(_) => End::Lost,
        }
    }

    /// Goes on until the run has ended, with its last entry still to be written, or until it is to be given back.
    async fn steps(&mut self, stop: &Stop) -> Result<Option<Status>, Broken> {
        loop {
            match self.machine.next() {
                Action::Finish(status) => return Ok(Some(status)),
                Action::Fail { code, message } => return Err(Broken::Budget(code, message)),
                _ if stop.soon.is_cancelled() => return Ok(None),
                Action::AskModel => self.ask().await?,
                Action::CallTool(call) => self.call(call).await?,
                Action::SettleTool(call) => self.settle(call).await?,
            }
        }
    }

    async fn ask(&mut self) -> Result<(), Broken> {
        let request = Request { history: self.machine.history().into(), tools: self.agent.tools.specs() };
        let mut answer = self.agent.model.answer(&request).await.map_err(Broken::Model)?;
        drop(request);
        let (mut text, mut tool_calls, mut pieces, mut usage) = (String::new(), Vec::new(), 0, None);
        loop {
            // Tokens that came while there was no room for the one before go together: the fuller the server, the less each costs.
            let ready = if self.journal.is_full() { None } else { answer.next().now_or_never() };
            let delta = match ready {
                Some(delta) => delta,
                None => {
                    self.journal.send().await?;
                    answer.next().await
                }
            };
            let Some(delta) = delta else { break };
            match delta.map_err(Broken::Model)? {
                Delta::Text(piece) => {
                    if !self.machine.affords(pieces) {
                        let message = "the run has produced all the tokens it may";
                        return Err(Broken::Budget("budget_exhausted", message.to_owned()));
                    }
                    pieces += 1;
                    if text.capacity() - text.len() < piece.len() {
                        // By a quarter, not twofold: answers are what most of a run's memory goes to.
                        text.reserve_exact(piece.len() + text.len() / 4 + 256);
                    }
                    text.push_str(&piece);
                    self.measure();
                    self.journal.hold(&Event::Token { text: piece });
                }
                Delta::ToolCall(call) => tool_calls.push(call),
                Delta::Usage { tokens } => usage = Some(tokens),
            }
        }
        let tokens = usage.unwrap_or(pieces);
        self.write(Event::Message { text, tool_calls, tokens }).await
    }

    async fn call(&mut self, call: ToolCall) -> Result<(), Broken> {
        let begun = Event::ToolCall { call: call.clone() };
        // In the log for good before anything happens: who finds it there does not do it a second time.
        self.journal.commit(&begun).await?;
        self.machine.apply(&begun);
        let output = self.agent.tools.call(&call.name, call.arguments).await;
        self.result(call.call_id, call.name, output).await
    }

    async fn settle(&mut self, call: ToolCall) -> Result<(), Broken> {
        let output = if self.agent.tools.is_repeatable(&call.name) {
            self.agent.tools.call(&call.name, call.arguments).await
        } else {
            Output::error("The server stopped during this call. Whether it took effect is not known, so it was not made again.")
        };
        self.result(call.call_id, call.name, output).await
    }

    async fn result(&mut self, call_id: String, name: String, output: Output) -> Result<(), Broken> {
        self.write(Event::ToolResult { call_id, name, output: output.text, is_error: output.is_error }).await
    }

    async fn write(&mut self, event: Event) -> Result<(), Broken> {
        self.journal.append(&event).await?;
        self.machine.apply(&event);
        Ok(())
    }

    fn measure(&mut self) {
        let now = Instant::now();
        match self.last_token.replace(now) {
            Some(last) => self.agent.metrics.event_gap(now - last),
            None => self.agent.metrics.first_token(now - self.created),
        }
    }

    pub(super) fn run_id(&self) -> RunId {
        self.lease.run.id
    }
}
