//! The answer of an API server to one request.

use serde_json::Value;

/// An answer. The body of a watch is the list of its events.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub code: u16,
    pub body: Value,
}
