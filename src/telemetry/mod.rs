//! What the operator tells about itself: metrics, logs, and the endpoints that probes and Prometheus ask.

pub(crate) mod admin;
mod families;
pub mod logs;
pub(crate) mod metrics;
