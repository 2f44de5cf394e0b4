//! Model checking: every schedule of two links of one alias, two operators, users, a world that changes, and faults,
//! explored by stateright. The decisions are those of the real [`instancelink_core::lifecycle::step`].
//!
//! ```text
//! State (some bytes) ──► view of an operator ──► Snapshot ──► real step ──► effects ──► API server ──► State
//!        objects are numbers: what they stand for is interned (library), what step said of them is remembered (decide)
//! ```
//! A state is small because objects that are equal are one number; it is exact because behind each number is the object
//! itself, as an API server would store it. What has no end (versions, generations, sequence numbers, the history) is
//! brought down to what `step` can tell apart: see the module `normal`.
//!
//! Nothing that is shipped depends on this crate; its tests are campaigns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "for tests alone; numbers are few and small"
)]

mod actions;
mod commit;
mod converge;
mod coverage;
mod decide;
mod digest;
mod explore;
mod flight;
mod library;
mod memo;
mod model;
mod mutant;
mod normal;
mod outcome;
mod promise;
mod scope;
pub mod scopes;
mod slots;
mod snapshot;
mod state;
mod surroundings;
mod sweep;
mod user;
mod write;

pub use explore::{Explored, explore};
pub use mutant::Mutant;
pub use promise::Promise;
pub use scope::{Budget, Scope, Takeover};
pub use surroundings::Change;
pub use user::{Edit, User};
