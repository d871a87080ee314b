//! What plays a part in how a program serves: functions and types that the lints of the service know by their place in it, not
//! by what they block.

use std::sync::OnceLock;

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::{CallSite, Callee};
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::Effects;
use crate::view::BodyView;

/// What a function or a type is for: see `[[part]]` in `lints/catalog/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    // Streams.
    /// Answers with server-sent events that a stream gives.
    Sse,
    /// Sends a comment now and then while an SSE response is idle.
    SseKeepAlive,
    /// Writes a comment, which is how a stream keeps itself alive.
    SseComment,
    /// Gives an event an id, from which a client resumes.
    SseId,
    /// Takes a connection over, as for WebSockets.
    Upgrade,
    /// A type: a stream that ends by itself, and soon.
    FiniteStream,
    /// Ticks.
    Interval,
    /// Ends a stream, or tells one to end.
    StreamEnd,
    /// Passes on some of what a stream gives.
    StreamFilter,
    /// Waits for what a broadcast channel gives.
    BroadcastReceive,
    /// A type: a stream of what a broadcast channel gives.
    BroadcastStream,
    /// Puts an address, a path or a stream into JSON.
    ToJson,
    /// A type: a JSON value.
    JsonValue,
    /// Sets a field of a response's head.
    ResponseHeader,

    // Layers.
    /// Puts a layer around all that its receiver answers.
    Layer,
    /// Puts a layer into a stack of them.
    LayerStack,
    /// Ends a body at a time, finished or not.
    BodyDeadline,
    /// Ends a body that gives nothing for a time.
    BodyIdleLimit,
    /// Compresses the responses that a predicate chooses.
    CompressWhen,
    /// A type: a predicate that leaves event streams alone.
    StreamSparingPredicate,
    /// Sets a limit to bodies.
    BodyLimit,
    /// Takes the limit away.
    BodyLimitOff,
    /// Reads a body whole, up to a limit that it is given.
    ReadBody,
    /// Reads a body whole, whatever its length.
    CollectBody,
    /// A type: a request.
    Request,
    /// A type: an answer.
    Response,
    /// A type: an address of the network, or a range of them.
    Address,
    /// A type: a body as it comes in.
    IncomingBody,
    /// Lets every origin in.
    CorsPermissive,
    /// Lets the origins in that it is given.
    CorsOrigins,
    /// A type: any origin.
    CorsAny,

    // Serving.
    /// Serves until the process ends.
    Serve,
    /// Serves, and has no knobs for the time that a client may take.
    ServeWithoutTimeouts,
    /// Serves until it is told to stop, and then lets what runs come to its end.
    Graceful,
    /// Serves one connection.
    ServeConnection,
    /// Handles signals and drains by itself.
    ServeWithSignals,
    /// Accepts connections.
    Accept,
    /// Begins a builder of connections.
    ConnectionBuilder,
    /// Gives a builder of connections its timer.
    ConnectionTimer,
    /// Sets the time for a request's head, which needs a timer.
    HeadTimeout,
    /// Hands the peer's address on to handlers.
    ConnectInfoService,
    /// A type: the peer's address, as a handler asks for it.
    ConnectInfo,

    // Stopping.
    /// Waits for Ctrl-C, which is SIGINT.
    CtrlC,
    /// Has to do with SIGTERM, or with signals of one's choice.
    Terminate,
    /// Puts a limit on how long a future may take.
    Timeout,
    /// Waits for a time.
    Sleep,
    /// Ends the process.
    Exit,

    // Tasks and bounds.
    /// Spawns a task and gives its handle.
    Spawn,
    /// A type: the handle of a task.
    TaskHandle,
    /// Runs a closure on a thread of its own.
    SpawnBlocking,
    /// Makes a channel without a bound.
    UnboundedChannel,
    /// A type: the end of a channel that things are put into, or of a child's pipe: who has it works for the other end.
    ChannelSender,
    /// A type: the end of a channel that things come out of.
    ChannelReceiver,
    /// Sends into a channel without a bound.
    UnboundedSend,
    /// A type: what is held while a permit is.
    Permit,
    /// Waits for several permits at once, which is how to wait until others have given theirs back.
    PermitsTogether,
    /// Runs a child process to its end.
    RunProcess,
    /// Starts a child process.
    SpawnProcess,
    /// Says whether the child is killed when its handle goes.
    KillOnDrop,
    /// Kills a child process.
    Kill,

    // Clients.
    /// Limits a client's requests from their beginning to the end of the body.
    WholeTimeout,
    /// Limits one request in the same way.
    WholeRequestTimeout,
    /// Reads a response's body piece by piece.
    StreamBody,
    /// Makes a client of a builder.
    BuildClient,

    // The peer.
    /// Reads a field of a head.
    HeaderGet,
    /// A type: takes an address from what the client wrote.
    ForwardedKey,

    // Logs.
    /// Makes a writer that a thread of its own serves, and the guard that ends it.
    LogWriter,
    /// A type: the guard.
    LogGuard,
    /// Begins a runtime whose tasks share one thread.
    CurrentThread,
}

/// A call of what plays a part.
#[derive(Clone, Copy, Debug)]
pub struct PartCall {
    pub owner: DefId,
    /// Its position in the owner's calls.
    at: u32,
}

/// The calls of each part, tests left out, in the order of the sources. Made when the first lint asks.
#[derive(Default)]
pub(crate) struct PartCalls(OnceLock<FxHashMap<Part, Vec<PartCall>>>);

impl Effects {
    /// The calls of what plays a part, tests left out, in the order of the sources.
    pub fn part_calls(&self, program: &Program<'_>, part: Part) -> &[PartCall] {
        self.all_part_calls(program).get(&part).map_or(&[], Vec::as_slice)
    }

    fn all_part_calls(&self, program: &Program<'_>) -> &FxHashMap<Part, Vec<PartCall>> {
        self.parts.0.get_or_init(|| {
            let mut all: FxHashMap<Part, Vec<PartCall>> = FxHashMap::default();
            if !self.catalog.has_parts() {
                return all;
            }
            for owner in self.owners() {
                let Some(facts) = self.facts(owner).filter(|_| !program.def(owner).is_test) else { continue };
                for (at, call) in facts.inferred.calls.iter().enumerate() {
                    if let Some(part) = self.part_of(&call.callee) {
                        all.entry(part).or_default().push(PartCall { owner, at: at as u32 });
                    }
                }
            }
            for calls in all.values_mut() {
                calls.sort_by_key(|call| (call.owner, self.name_start(call)));
            }
            all
        })
    }

    fn name_start(&self, call: &PartCall) -> u32 {
        self.facts(call.owner).and_then(|facts| facts.inferred.calls.get(call.at as usize)).map_or(0, |call| call.name_span.start)
    }

    /// The part that what is called plays.
    pub fn part_of(&self, callee: &Callee) -> Option<Part> {
        let Callee::Function { def, implementation, .. } = *callee else { return None };
        implementation.and_then(|implementation| self.catalog.part(implementation)).or_else(|| self.catalog.part(def))
    }

    /// The body that the call stands in, and the call.
    pub fn part_call<'a>(&'a self, program: &'a Program<'_>, call: &PartCall) -> Option<(BodyView<'a>, &'a CallSite)> {
        let view = self.view(program, call.owner)?;
        let site = view.calls().get(call.at as usize)?;
        Some((view, site))
    }
}
