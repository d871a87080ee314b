//! Drives one run: asks the machine what comes next, does it, and writes it down first.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Agent;
use super::machine::{Action, Machine};
use crate::event::{Event, RunId, Status, ToolCall};
use crate::model::{Answer, Delta, ModelError, Request, Turn};
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

/// What a model has said in a turn.
#[derive(Default)]
struct Said {
    text: String,
    tool_calls: Vec<ToolCall>,
    /// Tokens, by our own count.
    pieces: u64,
    /// Tokens, by the provider's.
    usage: Option<u64>,
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
        let mut said = Said::default();
        while let Some(delta) = answer.next().await {
            if self.hear(delta, &mut said)? {
                self.send(&mut answer, &mut said).await?;
            }
        }
        let Said { text, tool_calls, pieces, usage } = said;
        self.write(Event::Message { text, tool_calls, tokens: usage.unwrap_or(pieces) }).await
    }

    /// Takes a piece of an answer; whether that is to be sent.
    fn hear(&mut self, delta: Result<Delta, ModelError>, said: &mut Said) -> Result<bool, Broken> {
        match delta.map_err(Broken::Model)? {
            Delta::Text(piece) => {
                if !self.machine.affords(said.pieces) {
                    let message = "the run has produced all the tokens it may";
                    return Err(Broken::Budget("budget_exhausted", message.to_owned()));
                }
                said.pieces += 1;
                let text = &mut said.text;
                if text.capacity() - text.len() < piece.len() {
                    // By a quarter, not twofold: answers are what most of a run's memory goes to.
                    text.reserve_exact(piece.len() + text.len() / 4 + 256);
                }
                text.push_str(&piece);
                self.measure();
                self.journal.hold(&Event::Token { text: piece });
                return Ok(true);
            }
            Delta::ToolCall(call) => said.tool_calls.push(call),
            Delta::Usage { tokens } => said.usage = Some(tokens),
        }
        Ok(false)
    }

    /// Sends what is held. What the model says while there is no room goes with it: the fuller the server, the less a token costs.
    async fn send(&mut self, answer: &mut Answer, said: &mut Said) -> Result<(), Broken> {
        let mut room = pin!(self.journal.room());
        let mut goes_on = true;
        loop {
            tokio::select! {
                biased;
                room = &mut room => return Ok(self.journal.send(room?)?),
                delta = answer.next(), if goes_on && !self.journal.is_full() => match delta {
                    Some(delta) => _ = self.hear(delta, said)?,
                    None => goes_on = false,
                },
            }
        }
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
        // First, since what is held is written even where the wait for room is given up.
        self.machine.apply(&event);
        Ok(self.journal.append(&event).await?)
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
