//! What the caches and the calls count. The operator's metrics implement it.

use std::time::Duration;

/// Counts requests and failures of watches. Every method is cheap enough for the hot path.
pub trait Meter: Send + Sync {
    /// A request got an answer, or none (no code).
    fn requested(&self, verb: &'static str, kind: &'static str, code: Option<u16>, took: Duration);
    /// A watch of this kind failed.
    fn watch_failed(&self, kind: &'static str);
}
