//! For tests alone: what a campaign reports, fault plans, and a double of the API server.
//!
//! Nothing that is shipped depends on this crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod campaign;
