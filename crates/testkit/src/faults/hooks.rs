//! Where faults fall: at each request, and at each event of a watch.

use std::time::Duration;

use serde_json::Value;

use crate::api::call::Call;
use crate::api::resource::Resource;
use crate::api::watch::Replica;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is served and answered.
    Served,
    /// It meets its fate only after some time.
    Held(Duration, Box<Fate>),
    /// It never reaches the objects.
    NotServed(Answer),
    /// It is served, but the client hears something else.
    ServedBut(Answer),
}

/// What a client hears instead of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A failure.
    Code {
        /// HTTP code.
        code: u16,
        /// `Conflict`, `TooManyRequests`, …
        reason: &'static str,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// The connection breaks.
    Reset,
    /// Nothing, ever.
    Silence,
    /// The first half of the answer.
    Truncated,
}

/// What becomes of an event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub enum EventFate {
    /// It is told.
    Told,
    /// It and all after it are told later.
    Late(Duration),
    /// It is told twice.
    Twice,
    /// The watch breaks before it, and goes on from the version before.
    Reset,
    /// The watch is answered 410 instead, and everything is listed anew.
    Gone,
    /// The watch is silent for this time, then 410: what changed and changed back meanwhile is never seen.
    Hidden(Duration),
}

/// Decides what becomes of requests and events.
pub trait Hooks: Send + Sync {
    /// A request has come, with this body.
    fn call(&self, call: &Call, body: &[u8]) -> Fate;
    /// A watch has an event to tell.
    fn event(&self, by: &str, resource: &'static Resource, event: &Value) -> EventFate;
    /// Which replica serves a watch.
    fn replica(&self, call: &Call) -> Replica;
}

/// No fault at all.
#[derive(Clone, Copy, Debug)]
pub struct None;

impl Hooks for None {
    fn call(&self, _: &Call, _: &[u8]) -> Fate {
        Fate::Served
    }

    fn event(&self, _: &str, _: &'static Resource, _: &Value) -> EventFate {
        EventFate::Told
    }

    fn replica(&self, _: &Call) -> Replica {
        Replica::Fresh
    }
}
