//! What must hold for every input, not only for the examples somebody thought of.
//!
//! | module | what it is |
//! |---|---|
//! | `operation` | what may happen to a link, drawn at random |
//! | `model` | the lifecycle as one sequential specification, written from its page and not from core |
//! | `drive` | does the same to the real `step`, in a world of one link |
//! | `agreement` | compares the two |
//! | `sequences` | runs many sequences on every core, and shrinks the one that fails |
//! | `linear` | whether interleaved requests have an order that the specification allows |
//! | `rollback` | a bad spec for a while, for each field (lifecycle#good-after-bad) |
//! | `fuzz` | targets that take any bytes |
//!
//! Called by this crate's tests and by `fuzz/`. Nothing that is shipped depends on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a check that meets what it does not expect ends there"
)]

pub mod agreement;
pub mod drive;
pub mod fuzz;
pub mod linear;
pub mod model;
pub mod operation;
pub mod rollback;
pub mod sequences;

use operation::{Lead, Rival};
