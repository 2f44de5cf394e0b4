//! All decisions of the InstanceLink operator, as pure functions: no client, no clock, no randomness, no environment.
//!
//! The operator observes the cluster into a [`snapshot::Snapshot`], asks [`lifecycle::step`] what is due, executes the
//! [`effect::Effect`]s, folds the [`effect::Answer`]s into the snapshot and asks again, until nothing is due.
//!
//! ```text
//! snapshot ──► lifecycle::step ──► Act(effects) ──► executor ──► Snapshot::fold(answers) ─┐
//!    ▲                   └───────► Settled{wake}                                          │
//!    └────────────────────────────────────────────────────────────────────────────────────┘
//! ```

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod action;
pub mod alteration;
pub mod batch;
pub mod bounded_link;
pub mod child;
mod commands;
pub mod dataplane;
pub mod disputes;
pub mod effect;
pub mod external_name;
pub mod hash;
pub mod lifecycle;
pub mod link_writes;
pub mod marks;
pub mod readiness;
pub mod refusal;
pub mod resolve;
pub mod rights;
pub mod snapshot;
pub mod sweep;
pub mod text;
mod time;
pub mod unconfirmed_writes;
pub mod verify;

#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
