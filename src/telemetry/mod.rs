//! Logs and metrics. This module does not use the rest of the operator. `admin` is the server that shows the metrics.

mod families;
pub(crate) mod gauges;
pub mod logs;
pub(crate) mod metrics;
