//! The stream of a watch, line by line, with the faults of a plan.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use http_body_util::BodyStream;
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use tokio::time::sleep;

use crate::WatchFault;

/// The delay of a delayed event.
const LATE: Duration = Duration::from_millis(1500);
const GONE: &[u8] = br#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

/// Why a connection was ended.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ended by a plan")
    }
}

impl std::error::Error for Cut {}

struct State<D> {
    body: BodyStream<Body>,
    decide: D,
    partial: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    /// The line after the one that was just forwarded.
    next: Next,
}

enum Next {
    Lines,
    Cut,
    End,
}

/// Forwards the stream of the API server line by line. `decide` gets each line first.
pub(crate) fn lines<D>(body: Body, decide: D) -> impl Stream<Item = Result<Frame<Bytes>, Cut>>
where
    D: FnMut(&[u8]) -> Option<WatchFault> + Send + 'static,
{
    let state = State {
        body: BodyStream::new(body),
        decide,
        partial: Vec::new(),
        lines: VecDeque::new(),
        next: Next::Lines,
    };
    stream::unfold(state, |mut state| async move {
        match state.next {
            Next::Lines => {}
            Next::Cut => {
                state.next = Next::End;
                return Some((Err(Cut), state));
            }
            Next::End => return None,
        }
        while state.lines.is_empty() {
            match state.body.next().await {
                Some(Ok(frame)) => state.take(&frame.into_data().unwrap_or_default()),
                // The API server ended the stream.
                Some(Err(_)) => return Some((Err(Cut), state.ended())),
                None => return None,
            }
        }
        let mut line = state.lines.pop_front().unwrap_or_default();
        match (state.decide)(&line) {
            None => {}
            Some(WatchFault::Late) => sleep(LATE).await,
            Some(WatchFault::Twice) => line = [line.as_slice(), line.as_slice()].concat(),
            Some(WatchFault::Cut) => return Some((Err(Cut), state.ended())),
            Some(WatchFault::Half) => {
                line.truncate(line.len() / 2);
                state.next = Next::Cut;
            }
            Some(WatchFault::Gone) => {
                line = [GONE, b"\n"].concat();
                state.next = Next::End;
            }
        }
        Some((Ok(Frame::data(Bytes::from(line))), state))
    })
}

impl<D> State<D> {
    fn take(&mut self, data: &[u8]) {
        self.partial.extend_from_slice(data);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let rest = self.partial.split_off(end + 1);
            self.lines.push_back(std::mem::replace(&mut self.partial, rest));
        }
    }

    fn ended(mut self) -> Self {
        self.next = Next::End;
        self
    }
}
