//! The points where faults are injected: each request, and each event of a watch.

use std::time::Duration;

use serde_json::Value;

use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::resource::Resource;
use crate::api::watch::Replica;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is served and answered.
    Served,
    /// It waits first.
    Held(Duration, Box<Fate>),
    /// It is not executed.
    NotServed(Answer),
    /// It is executed, but the client gets another answer.
    ServedBut(Answer),
}

/// What a client gets in place of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A failure with this code.
    Code {
        /// HTTP code.
        code: u16,
        /// `Conflict`, `TooManyRequests`, …
        reason: &'static str,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// This failure.
    Failure(Failure),
    /// The connection breaks.
    Reset,
    /// No answer at all.
    Silence,
    /// The first half of the answer.
    Truncated,
}

/// What happens to an event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub enum EventFate {
    /// It is sent.
    Delivered,
    /// It and all later events are sent after this time.
    Late(Duration),
    /// It is sent twice.
    Twice,
    /// The connection breaks before it. The client continues from the version before.
    Reset,
    /// The watch ends with 410 instead, and the client lists again.
    Gone,
    /// The watch sends nothing for this time, then ends with 410. Changes that were undone in that time are never seen.
    Hidden(Duration),
}

/// Decides what happens to requests and events.
pub trait Hooks: Send + Sync {
    /// Called for each request, with its body.
    fn call(&self, call: &Call, body: &[u8]) -> Fate;
    /// Called for each event of a watch.
    fn event(&self, by: &str, resource: &'static Resource, event: &Value) -> EventFate;
    /// The replica that serves a watch.
    fn replica(&self, call: &Call) -> Replica;
}

/// No faults.
#[derive(Clone, Copy, Debug)]
pub struct None;

impl Hooks for None {
    fn call(&self, _: &Call, _: &[u8]) -> Fate {
        Fate::Served
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Delivered
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}
