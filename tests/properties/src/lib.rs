//! Properties that must hold for every input, not only for examples.
//!
//! | module | purpose |
//! |---|---|
//! | `operation` | what can happen to a link, generated at random |
//! | `model` | a sequential specification of the lifecycle, written from `docs/spec` and not from core |
//! | `drive` | applies operations to the real `step`, in a world of one link |
//! | `agreement` | compares the two |
//! | `sequences` | runs many cases on every core, and shrinks one that fails |
//! | `linear` | checks that interleaved requests have an order that the specification allows |
//! | `rollback` | a bad spec for a time, for every field (lifecycle#good-after-bad) |
//! | `fuzz` | fuzz targets |
//!
//! This crate's tests and `fuzz/` call it. No crate that is shipped depends on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "an unexpected value is a failed check"
)]

pub mod agreement;
pub mod drive;
pub mod fuzz;
pub mod linear;
pub mod model;
pub mod operation;
pub mod rollback;
pub mod sequences;

use operation::{Destination, Rival};
