//! The same requests to the double of the API server and to a real one, and the answers compared field by field.
//!
//! ```text
//! scenarios/*.yaml ──► play (the double)     ──► normal ──┐
//!                  └─► play (a real server)  ──► normal ──┴─► compare ──► differences, which must be empty
//! ```
//!
//! All deliberate differences are in [`leniency`], each with its reason.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

pub mod answer;
pub mod compare;
pub mod fill;
pub mod leniency;
pub mod normal;
pub mod play;
pub mod scenario;
pub mod sides;
pub mod wire;
