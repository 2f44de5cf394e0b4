//! Tools for tests: reports of campaigns, plans of faults, and a double of the API server.
//!
//! No crate that is shipped depends on this one.

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
pub mod tenant;
