//! Logs and metrics. Nothing in here knows the rest of the operator; the server that shows the metrics is `admin`.

mod families;
pub mod logs;
pub(crate) mod metrics;
