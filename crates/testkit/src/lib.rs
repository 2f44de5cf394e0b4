//! For tests alone: what a campaign reports, fault plans, and a double of the API server.
//!
//! Nothing that is shipped depends on this crate.

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[cfg(feature = "api")]
pub mod api;
pub mod campaign;
pub mod dice;
#[cfg(feature = "api")]
pub mod faults;
