//! The one response type for event streams; it cannot forget what a stream needs.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use crate::agent::CancelOnDrop;
use crate::error::ApiError;
use crate::event::Frame;
use crate::metrics::Counted;
use crate::store::Reader;
use crate::watchdog::Watched;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// How soon a client comes back after a drain: another replica, or the new version, is there already.
const RETRY: Duration = Duration::from_millis(250);

/// A run's log as server-sent events, from one entry to its end.
pub(crate) struct EventStream {
    pub(crate) reader: Reader,
    /// What ends the stream is `data: [DONE]`.
    pub(crate) ends_with_marker: bool,
    /// Says that the server goes away.
    pub(crate) farewell: CancellationToken,
    /// Between two comments on a silent stream.
    pub(crate) heartbeat: Duration,
    pub(crate) _counted: Counted,
    /// Ends the run when the client leaves, where it asked for that.
    pub(crate) on_disconnect: Option<CancelOnDrop>,
    pub(crate) route: Arc<str>,
}

/// Where a stream is.
struct Place {
    stream: EventStream,
    frames: VecDeque<Frame>,
    phase: Phase,
}

#[derive(PartialEq)]
enum Phase {
    Opening,
    Reading,
    Ended,
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let (heartbeat, route) = (self.heartbeat, Arc::clone(&self.route));
        let place = Place { stream: self, frames: VecDeque::new(), phase: Phase::Opening };
        let events = stream::unfold(place, |mut place| async {
            let event = place.next().await?;
            Some((Ok::<_, Infallible>(event), place))
        });
        let sse = Sse::new(Watched::new(route, events)).keep_alive(KeepAlive::new().interval(heartbeat).text("heartbeat"));
        // axum sets `Content-Type` and `Cache-Control: no-cache`.
        ([(X_ACCEL_BUFFERING, HeaderValue::from_static("no"))], sse).into_response()
    }
}

impl Place {
    async fn next(&mut self) -> Option<Event> {
        if self.phase == Phase::Opening {
            self.phase = Phase::Reading;
            // Makes proxies pass on the headers.
            return Some(Event::default().comment("open"));
        }
        if let Some(frame) = self.frames.pop_front() {
            return Some(event(&frame));
        }
        if self.phase == Phase::Ended {
            return None;
        }
        let read = tokio::select! {
            biased;
            read = self.stream.reader.next() => read,
            () = self.stream.farewell.cancelled() => {
                self.phase = Phase::Ended;
                return Some(Event::default().event("drain").retry(RETRY).data(r#"{"type":"drain"}"#));
            }
        };
        match read {
            Ok(frames) => {
                self.frames = frames.into();
                if let Some(frame) = self.frames.pop_front() {
                    return Some(event(&frame));
                }
                self.phase = Phase::Ended;
                // The run has ended: there is nothing left to cancel.
                if let Some(guard) = self.stream.on_disconnect.take() {
                    guard.disarm();
                }
                self.stream.ends_with_marker.then(|| Event::default().data("[DONE]"))
            }
            Err(error) => {
                self.phase = Phase::Ended;
                Some(ApiError::from(error).frame())
            }
        }
    }
}

/// The payload is JSON, which has no line breaks.
fn event(frame: &Frame) -> Event {
    Event::default().id(frame.seq.to_string()).event(frame.kind.name()).data(&*frame.data)
}
