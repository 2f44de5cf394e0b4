//! Model checking: every schedule of two links, two operators, users, changing surroundings and faults within a scope,
//! explored by stateright. The decisions are those of the real [`instancelink_core::lifecycle::step`].
//!
//! ```text
//! State (some bytes) ──► view of an operator ──► Snapshot ──► real step ──► effects ──► API server ──► State
//!        objects are numbers: the objects are in `library`, the decisions about them in `memo`
//! ```
//! A state is small because equal objects have one number. It is exact because each number identifies a whole object,
//! as an API server would store it. Values without bound (versions, generations, sequence numbers, the history) are
//! reduced to what `step` can distinguish: see the module `normalize`.
//!
//! No crate that is shipped depends on this one. Its tests are campaigns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "for tests only; the numbers are small"
)]

mod actions;
mod base;
mod checker;
mod commit;
mod converge;
mod coverage;
mod decide;
mod delayed_hold;
mod entries;
mod explore;
mod flight;
mod group;
mod kept_pods;
mod library;
mod memo;
mod model;
mod mutant;
mod normalize;
mod object;
mod promise;
mod question;
mod scope;
pub mod scopes;
mod slots;
mod snapshot;
mod state;
mod surroundings;
mod sweep;
mod user;
mod write;
mod written;

pub use explore::{Explored, explore};
pub use mutant::Mutant;
pub use promise::Promise;
pub use scope::{Budget, Scope, Takeover};
pub use surroundings::Change;
pub use user::{Edit, User};
