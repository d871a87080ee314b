//! A client that reads an event stream and can stop anywhere.

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::Response;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    /// The sequence number; 0 for frames that are not of the log.
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// The frames of one response.
pub(crate) struct Frames {
    frames: BoxStream<'static, Frame>,
}

impl Frames {
    pub(crate) fn new(response: Response) -> Self {
        let events = response.bytes_stream().eventsource();
        // A connection that breaks ends the stream, as it does for a browser.
        let frames = events.take_while(|event| std::future::ready(event.is_ok())).filter_map(|event| {
            let frame = event.ok().map(|event| {
                // The parser hands the last id on to frames that have none.
                let is_logged = !matches!(event.event.as_str(), "message" if event.data == "[DONE]") && event.event != "drain";
                let seq = if is_logged { event.id.parse().unwrap_or(0) } else { 0 };
                Frame { seq, kind: event.event, data: event.data }
            });
            std::future::ready(frame)
        });
        Self { frames: frames.boxed() }
    }

    pub(crate) async fn next(&mut self) -> Option<Frame> {
        self.frames.next().await
    }

    /// Up to so many frames.
    pub(crate) async fn take(&mut self, most: usize) -> Vec<Frame> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(frame) = self.next().await else { break };
            taken.push(frame);
        }
        taken
    }

    pub(crate) async fn rest(mut self) -> Vec<Frame> {
        self.take(usize::MAX).await
    }

    /// Reads up to a frame of this kind.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Frame> {
        let mut read = Vec::new();
        while let Some(frame) = self.next().await {
            let is_it = frame.kind == kind;
            read.push(frame);
            if is_it {
                return read;
            }
        }
        panic!("the stream ended before `{kind}`: {read:?}");
    }
}

/// The text of an answer: its tokens, joined.
pub(crate) fn text(frames: &[Frame]) -> String {
    let tokens = frames.iter().filter(|frame| frame.kind == "token");
    tokens.map(|frame| frame.json()["text"].as_str().unwrap().to_owned()).collect()
}

/// The text of an answer, without the tokens that a crash has made void.
pub(crate) fn answer(frames: &[Frame]) -> String {
    let voids = |frame: &Frame| {
        frames.iter().any(|other| {
            other.kind == "resumed" && other.seq > frame.seq && frame.seq > other.json()["discard_after"].as_i64().unwrap()
        })
    };
    text(&frames.iter().filter(|frame| !voids(frame)).cloned().collect::<Vec<_>>())
}
