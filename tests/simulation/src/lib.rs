//! The operator, unchanged, against a double of the API server: faults at every request and event, in virtual time.
//!
//! ```text
//! script (what users do) ──► double ◄── faults ◄── operator
//!                              │ the whole history
//!                              ▼
//!                           oracles: invariants, end state, counts, all compared with the run without faults
//! ```

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

pub mod actions;
pub mod altered;
pub mod bindings;
pub mod campaign;
pub mod crowd;
pub mod damage;
pub mod footprint;
pub mod forgery;
pub mod history;
pub mod largest;
pub mod operator;
pub mod oracle;
pub mod run;
pub mod script;
pub mod scripts;
pub mod seeds;
pub mod soak;
pub mod stir;
pub mod tenants;
