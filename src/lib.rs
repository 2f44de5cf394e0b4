//! The InstanceLink operator: watches the cluster, asks `instancelink-core` what to do, and does it.
//!
//! This crate observes, executes and reports. All decisions are in core.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod admin;
pub mod args;
mod backoff;
mod client;
pub mod clock;
mod crds;
mod due_lookups;
mod events;
pub mod external_names;
mod grant_status;
mod leader;
mod namespace_backoff;
mod namespace_queue;
pub mod operator;
mod queue;
mod readiness;
mod reconcile;
mod requested_names;
pub mod run;
mod supervise;
mod sweep;
pub mod telemetry;
mod undone_writes;
mod uninstall;
mod unusable;
mod user_name;
pub mod verify;
pub mod vitals;
mod waiting;
