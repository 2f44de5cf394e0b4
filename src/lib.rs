//! The InstanceLink operator: watches the cluster, asks `instancelink-core` what is due, and does it.
//!
//! I/O only. Everything that is decided is decided in core; this crate observes, executes and reports.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod args;
mod client;
pub mod clock;
mod crds;
mod leader;
pub mod operator;
mod reconcile;
pub mod run;
pub mod telemetry;
mod uninstall;
pub mod verify;
